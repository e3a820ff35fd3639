//! Completes a change set from the templates: values that the service did not give, secrets that it cannot know of,
//! and replacements that it left open.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::ChangeSet;
use super::resource::{
    Action, Attribute, Cause, PropertyChange, Replacement, ResourceChange, Shown,
};
use crate::template::Resource;
use crate::template_diff::{
    MASK, TemplateDiff, Version, additions, masked, removal_policy, replacement_policy,
};

impl ChangeSet {
    /// The change set with what the templates tell of it: `before` is what is deployed, where something is, `after`
    /// what the change set was made from.
    ///
    /// A secret stays one: what flows from a `NoEcho` parameter is masked here. A conditional replacement that cannot
    /// come about is ruled out: one whose property has the same expression in both templates, and refers to nothing
    /// but the name, the id or the ARN of resources that stay.
    #[must_use]
    pub fn explained(mut self, before: Option<&Version<'_>>, after: &Version<'_>) -> Self {
        // What conditions switch off in both is nowhere; an emulator lists it among the changes.
        let on = |version: &Version<'_>| version.template.resource_types(&version.values);
        let (was, is) = (before.map(on).unwrap_or_default(), on(after));
        self.changes.retain(|change| {
            let id = change.logical_id.as_str();
            change.physical_id.is_some()
                || was.contains_key(id)
                || is.contains_key(id)
                || !after.template.resources.contains_key(id)
        });
        let diff = TemplateDiff::new(before, after);
        let computed: BTreeMap<&str, &ResourceChange> = diff
            .resources
            .iter()
            .map(|change| (change.logical_id.as_str(), change))
            .collect();
        for change in &mut self.changes {
            let declared = Declared {
                before: before.and_then(|version| {
                    Some((version, version.template.resources.get(&change.logical_id)?))
                }),
                after: after
                    .template
                    .resources
                    .get(&change.logical_id)
                    .map(|resource| (after, resource)),
            };
            let computed = computed.get(change.logical_id.as_str()).copied();
            hide(change, &declared.secrets());
            declared.complete(change, computed);
        }
        self.settle(before, after);
        self
    }

    /// Rules out conditional replacements that cannot come about.
    fn settle(&mut self, before: Option<&Version<'_>>, after: &Version<'_>) {
        let Some(before) = before else {
            return;
        };
        loop {
            // What is replaced, or comes and goes, takes what refers to it along.
            let unstable: BTreeSet<String> = self
                .changes
                .iter()
                .filter(|change| {
                    change.action != Action::Modify || change.replacement != Replacement::Never
                })
                .map(|change| change.logical_id.clone())
                .collect();
            let mut settled = false;
            for change in self
                .changes
                .iter_mut()
                .filter(|change| change.replacement == Replacement::Conditional)
            {
                let sides = (
                    before.template.resources.get(&change.logical_id),
                    after.template.resources.get(&change.logical_id),
                );
                let (Some(was), Some(is)) = sides else {
                    continue;
                };
                let stays = |property: &str| {
                    let (Some(old), Some(new)) =
                        (was.properties.get(property), is.properties.get(property))
                    else {
                        return false;
                    };
                    before.resolve(old) == after.resolve(new)
                        && after
                            .template
                            .depends_on(new)
                            .iter()
                            .all(|name| is_stable(name, after, &unstable))
                };
                if change.replacing().next().is_some()
                    && change
                        .replacing()
                        .all(|property| stays(property.property()))
                {
                    change.replacement = Replacement::Never;
                    change.policy = None;
                    for property in &mut change.properties {
                        property.recreation = Replacement::Never;
                    }
                    settled = true;
                }
            }
            if !settled {
                return;
            }
        }
    }
}

/// Whether what an expression refers to is the same after the change set: a parameter, whose value was compared, or
/// the name, the id or the ARN of a resource that stays.
fn is_stable(name: &str, after: &Version<'_>, unstable: &BTreeSet<String>) -> bool {
    let (resource, attribute) = name.split_once('.').unwrap_or((name, ""));
    if !after.template.resources.contains_key(resource) {
        return true;
    }
    let lasting = attribute.is_empty()
        || ["Arn", "Id", "Name"]
            .iter()
            .any(|end| attribute.ends_with(end));
    lasting && !unstable.contains(resource)
}

/// A resource as both templates declare it.
struct Declared<'a> {
    before: Option<(&'a Version<'a>, &'a Resource)>,
    after: Option<(&'a Version<'a>, &'a Resource)>,
}

impl Declared<'_> {
    fn properties(side: Option<(&Version<'_>, &Resource)>) -> Option<Value> {
        let (version, resource) = side?;
        version
            .resolve(&resource.properties)
            .filter(Value::is_object)
    }

    /// Where secrets are, by path without list members.
    fn secrets(&self) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        for side in [self.before, self.after] {
            if let Some(properties) = Self::properties(side) {
                masked_paths(&properties, "", &mut found);
            }
        }
        found
    }

    fn complete(&self, change: &mut ResourceChange, computed: Option<&ResourceChange>) {
        if change.after.is_none() && change.action != Action::Remove {
            change.after = Self::properties(self.after).map(masked);
        }
        if change.before.is_none() && change.action != Action::Add {
            change.before = Self::properties(self.before).map(masked);
        }
        if change.action == Action::Add && change.properties.is_empty() {
            change.properties = additions(change.after.as_ref());
        }
        if change.action == Action::Modify {
            fill(change, computed);
        }
        if change.policy.is_none() {
            change.policy = match (&change.action, change.replacement) {
                (Action::Remove, _) => self.before.map(|(_, resource)| removal_policy(resource)),
                (Action::Modify, Replacement::Always | Replacement::Conditional) => {
                    self.after.map(|(_, resource)| replacement_policy(resource))
                }
                _ => None,
            };
        }
    }
}

/// Puts the values that the templates give in place of those that the service did not.
fn fill(change: &mut ResourceChange, computed: Option<&ResourceChange>) {
    let mut filled: Vec<PropertyChange> = Vec::new();
    for told in std::mem::take(&mut change.properties) {
        let without_values = told.before == Shown::NotGiven && told.after == Shown::NotGiven;
        if !without_values || told.attribute == Attribute::Tags && told.path.is_empty() {
            filled.push(told);
            continue;
        }
        let known: Vec<_> = computed
            .map(|computed| &computed.properties)
            .into_iter()
            .flatten()
            .filter(|one| one.attribute == told.attribute && one.property() == told.property())
            .collect();
        if known.is_empty() {
            let follows = told
                .causes
                .iter()
                .any(|cause| matches!(cause, Cause::Attribute(_) | Cause::Resource(_)));
            let after = if follows {
                Shown::KnownAfterApply
            } else {
                Shown::NotGiven
            };
            filled.push(PropertyChange { after, ..told });
            continue;
        }
        filled.extend(known.into_iter().map(|one| PropertyChange {
            before: one.before.clone(),
            after: one.after.clone(),
            path: one.path.clone(),
            // CloudFormation calls it the template's change, too, where a parameter decides a condition.
            causes: if told.causes == [Cause::Template] {
                one.causes.clone()
            } else {
                told.causes.clone()
            },
            ..told.clone()
        }));
    }
    change.properties = filled;
}

/// Masks what the paths lead to, wherever the change holds it.
fn hide(change: &mut ResourceChange, secrets: &BTreeSet<String>) {
    if secrets.is_empty() {
        return;
    }
    for property in &mut change.properties {
        let path = without_items(&property.path);
        let leads_to =
            |secret: &String| is_at_or_below(&path, secret) || is_at_or_below(secret, &path);
        if property.attribute != Attribute::Properties || !secrets.iter().any(leads_to) {
            continue;
        }
        for shown in [&mut property.before, &mut property.after] {
            if let Shown::Value(value) = shown {
                mask(value, &path, secrets);
                *shown = Shown::of(Some(value));
            }
        }
    }
    for properties in [&mut change.before, &mut change.after]
        .into_iter()
        .flatten()
    {
        mask(properties, "", secrets);
    }
}

fn is_at_or_below(path: &str, above: &str) -> bool {
    path.strip_prefix(above)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

fn without_items(path: &str) -> String {
    let mut depth = 0_u32;
    path.chars()
        .filter(|one| {
            depth += u32::from(*one == '[');
            let keep = depth == 0;
            depth = depth.saturating_sub(u32::from(*one == ']'));
            keep
        })
        .collect()
}

fn masked_paths(value: &Value, path: &str, found: &mut BTreeSet<String>) {
    match value {
        Value::String(text) if text == MASK => drop(found.insert(path.to_owned())),
        Value::Array(items) => items
            .iter()
            .for_each(|item| masked_paths(item, path, found)),
        Value::Object(entries) => {
            for (key, inner) in entries {
                masked_paths(inner, &joined(path, key), found);
            }
        }
        _ => {}
    }
}

fn mask(value: &mut Value, path: &str, secrets: &BTreeSet<String>) {
    if secrets.iter().any(|secret| is_at_or_below(path, secret)) {
        *value = Value::String(MASK.to_owned());
        return;
    }
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| mask(item, path, secrets)),
        Value::Object(entries) => {
            for (key, inner) in entries {
                mask(inner, &joined(path, key), secrets);
            }
        }
        _ => {}
    }
}

fn joined(path: &str, key: &str) -> String {
    if path.is_empty() {
        key.to_owned()
    } else {
        format!("{path}.{key}")
    }
}
