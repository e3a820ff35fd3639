//! What differs between two versions of a template, by the templates alone.
//!
//! The result speaks the words of a change set ([`ResourceChange`]), so that `plan --offline`, `diff` and a change set
//! whose values the service does not give are shown alike. It resolves what parameters decide; where only
//! CloudFormation knows, a reference stays a reference. What is not compared: `Metadata`, `CreationPolicy` and
//! `UpdatePolicy`, which change nothing in a resource's service.

mod replacing;
mod resolve;
mod secret;
#[cfg(test)]
mod tests;
mod value;

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::Value;

use crate::stack::{
    Action, Attribute, Cause, Policy, PropertyChange, Replacement, ResourceChange, Shown,
};
use crate::template::{Resource, Template};

pub use resolve::Version;
pub use secret::{MASK, is_secret_name, masked, masked_at};
pub use value::{Difference, Step, differences, map_differences, path_text};

/// A parameter, tag or output that differs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct NamedChange {
    /// Its name.
    pub name: String,
    /// What it was.
    pub before: Shown,
    /// What it will be.
    pub after: Shown,
}

/// What differs between two versions of a template.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct TemplateDiff {
    /// Resources, by their names.
    pub resources: Vec<ResourceChange>,
    /// Effective values of parameters.
    pub parameters: Vec<NamedChange>,
    /// Values of outputs, as expressions.
    pub outputs: Vec<NamedChange>,
}

impl TemplateDiff {
    /// Compares two versions; without `before` everything is new.
    pub fn new(before: Option<&Version<'_>>, after: &Version<'_>) -> Self {
        Self {
            resources: resources(before, after),
            parameters: parameters(before, after),
            outputs: outputs(before, after),
        }
    }

    /// Whether nothing differs.
    pub fn is_empty(&self) -> bool {
        self.resources.is_empty() && self.parameters.is_empty() && self.outputs.is_empty()
    }
}

impl NamedChange {
    /// A change of a text, masked where the name is one of a secret.
    pub fn of_texts(name: &str, before: Option<&str>, after: Option<&str>) -> Self {
        let shown = |text: Option<&str>| {
            let value = text.map(|text| Value::String(text.to_owned()));
            Shown::of(masked_at(&[Step::Key(name.to_owned())], value).as_ref())
        };
        Self {
            name: name.to_owned(),
            before: shown(before),
            after: shown(after),
        }
    }

    /// What differs between two maps of texts, such as the tags of a stack.
    pub fn of_maps(
        before: &BTreeMap<String, String>,
        after: &BTreeMap<String, String>,
    ) -> Vec<Self> {
        map_differences(before, after)
            .into_iter()
            .map(|(name, was, is)| Self::of_texts(name, was, is))
            .collect()
    }
}

/// The resources that exist under a version's conditions.
fn existing<'a>(version: Option<&'a Version<'_>>) -> BTreeMap<&'a str, &'a Resource> {
    version
        .into_iter()
        .flat_map(|version| {
            let exists = |resource: &&Resource| version.exists(resource.condition.as_deref());
            version
                .template
                .resources
                .iter()
                .filter(move |(_, resource)| exists(resource))
                .map(|(name, resource)| (name.as_str(), resource))
        })
        .collect()
}

fn resources(before: Option<&Version<'_>>, after: &Version<'_>) -> Vec<ResourceChange> {
    let (old, new) = (existing(before), existing(Some(after)));
    let mut changes = BTreeMap::new();
    for (name, resource) in &new {
        let change = match (before, old.get(name)) {
            (Some(before), Some(was)) => modified(name, (before, was), (after, resource)),
            _ => Some(added(name, after, resource)),
        };
        changes.extend(change.map(|change| (*name, change)));
    }
    for (name, resource) in old.iter().filter(|(name, _)| !new.contains_key(*name)) {
        let mut change = ResourceChange::new(Action::Remove, name, &resource.resource_type);
        change.policy = Some(removal_policy(resource));
        change.before = before
            .and_then(|version| properties(version, resource))
            .map(masked);
        changes.insert(name, change);
    }
    cascade(&mut changes, after, &new);
    changes
        .into_values()
        .map(|mut change| {
            set_policy(&mut change, &new);
            change
        })
        .collect()
}

fn properties(version: &Version<'_>, resource: &Resource) -> Option<Value> {
    version
        .resolve(&resource.properties)
        .filter(|value| !value.is_null())
}

fn added(name: &str, version: &Version<'_>, resource: &Resource) -> ResourceChange {
    let mut change = ResourceChange::new(Action::Add, name, &resource.resource_type);
    change.after = properties(version, resource).map(masked);
    change.properties = additions(change.after.as_ref());
    change
}

/// One change for each property of a resource that is made.
pub(crate) fn additions(properties: Option<&Value>) -> Vec<PropertyChange> {
    let entries = properties.and_then(Value::as_object).into_iter().flatten();
    entries
        .map(|(key, value)| PropertyChange {
            attribute: Attribute::Properties,
            path: key.clone(),
            before: Shown::Absent,
            after: Shown::of(Some(value)),
            recreation: Replacement::Never,
            dynamic: false,
            causes: Vec::new(),
        })
        .collect()
}

fn modified(
    name: &str,
    (before, was): (&Version<'_>, &Resource),
    (after, is): (&Version<'_>, &Resource),
) -> Option<ResourceChange> {
    let mut change = ResourceChange::new(Action::Modify, name, &is.resource_type);
    let (old, new) = (properties(before, was), properties(after, is));
    let empty = || Value::Object(serde_json::Map::new());
    let found = differences(
        old.as_ref().unwrap_or(&empty()),
        new.as_ref().unwrap_or(&empty()),
    );
    for one in found {
        let path = path_text(&one.path);
        let property = path.split(['.', '[']).next().unwrap_or_default();
        let causes = causes((before, was), (after, is), property);
        change.properties.push(PropertyChange {
            attribute: Attribute::Properties,
            recreation: replacing::recreation(&is.resource_type, property),
            before: Shown::of(masked_at(&one.path, one.before).as_ref()),
            after: Shown::of(masked_at(&one.path, one.after).as_ref()),
            dynamic: false,
            causes,
            path,
        });
    }
    let attributes = [
        (
            Attribute::Type,
            Some(&was.resource_type),
            Some(&is.resource_type),
        ),
        (
            Attribute::DeletionPolicy,
            was.deletion_policy.as_ref(),
            is.deletion_policy.as_ref(),
        ),
        (
            Attribute::UpdateReplacePolicy,
            was.update_replace_policy.as_ref(),
            is.update_replace_policy.as_ref(),
        ),
    ];
    for (attribute, was, is) in attributes {
        if was != is {
            let text = |text: Option<&String>| {
                Shown::of(text.map(|text| Value::String(text.clone())).as_ref())
            };
            change.properties.push(PropertyChange {
                recreation: if attribute == Attribute::Type {
                    Replacement::Always
                } else {
                    Replacement::Never
                },
                attribute,
                path: String::new(),
                before: text(was),
                after: text(is),
                dynamic: false,
                causes: vec![Cause::Template],
            });
        }
    }
    (change.before, change.after) = (old.map(masked), new.map(masked));
    summarize(&mut change);
    (!change.properties.is_empty()).then_some(change)
}

/// Replacement and scope, from the properties that change.
fn summarize(change: &mut ResourceChange) {
    let asked = change
        .properties
        .iter()
        .map(|property| property.recreation)
        .max();
    change.replacement = asked.unwrap_or_default();
    let scope: BTreeSet<_> = change
        .properties
        .iter()
        .map(|property| property.attribute.clone())
        .collect();
    change.scope = scope.into_iter().collect();
}

/// What makes a property differ: its expression, or parameters that it depends on.
fn causes(
    (before, was): (&Version<'_>, &Resource),
    (after, is): (&Version<'_>, &Resource),
    property: &str,
) -> Vec<Cause> {
    let (old, new) = (was.properties.get(property), is.properties.get(property));
    let mut causes = BTreeSet::new();
    if old != new {
        causes.insert(Cause::Template);
    }
    let sides: [(&Template, Option<&Value>); 2] = [(before.template, old), (after.template, new)];
    for (template, expression) in sides {
        for name in expression
            .map(|value| template.depends_on(value))
            .unwrap_or_default()
        {
            let declared = template.parameters.contains_key(&name);
            if declared && before.value(&name) != after.value(&name) {
                causes.insert(Cause::Parameter(name));
            }
        }
    }
    if causes.is_empty() {
        causes.insert(Cause::Template);
    }
    causes.into_iter().collect()
}

/// Takes along what refers to a resource that is replaced, until nothing more follows.
fn cascade<'a>(
    changes: &mut BTreeMap<&'a str, ResourceChange>,
    after: &Version<'_>,
    new: &BTreeMap<&'a str, &Resource>,
) {
    loop {
        let replaced: BTreeMap<String, Replacement> = changes
            .values()
            .filter(|change| change.replacement != Replacement::Never)
            .map(|change| (change.logical_id.clone(), change.replacement))
            .collect();
        let mut grown = false;
        for (name, resource) in new {
            let known = changes.get(name);
            if known.is_some_and(|change| change.action != Action::Modify) {
                continue;
            }
            let resolved = properties(after, resource).map(masked);
            let mut found = Vec::new();
            if let Some(Value::Object(entries)) = &resolved {
                for (property, value) in entries {
                    leaves(value, property, &mut |path, text| {
                        let follows = replaced.iter().find_map(|(other, how)| {
                            let cause = reference_to(text, other).filter(|_| other != name)?;
                            Some((cause, *how))
                        });
                        let told = known.is_some_and(|change| {
                            change.properties.iter().any(|one| one.path == path)
                        });
                        if let Some((cause, how)) = follows.filter(|_| !told) {
                            found.push(PropertyChange {
                                attribute: Attribute::Properties,
                                path: path.to_owned(),
                                before: Shown::Value(Value::String(text.to_owned())),
                                after: Shown::KnownAfterApply,
                                recreation: replacing::recreation(
                                    &resource.resource_type,
                                    property,
                                )
                                .min(how),
                                dynamic: how == Replacement::Conditional,
                                causes: vec![cause],
                            });
                        }
                    });
                }
            }
            if found.is_empty() {
                continue;
            }
            grown = true;
            let change = changes.entry(name).or_insert_with(|| {
                ResourceChange::new(Action::Modify, name, &resource.resource_type)
            });
            if change.after.is_none() {
                (change.before, change.after) = (resolved.clone(), resolved);
            }
            change.properties.extend(found);
            summarize(change);
        }
        if !grown {
            return;
        }
    }
}

/// Every text in a value, with its path.
fn leaves(value: &Value, path: &str, take: &mut dyn FnMut(&str, &str)) {
    match value {
        Value::String(text) => take(path, text),
        Value::Array(items) => {
            for (at, item) in items.iter().enumerate() {
                leaves(item, &format!("{path}[{at}]"), take);
            }
        }
        Value::Object(entries) => {
            for (key, inner) in entries {
                leaves(inner, &format!("{path}.{key}"), take);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// How the text refers to the resource, if it does.
fn reference_to(text: &str, resource: &str) -> Option<Cause> {
    if text.contains(&format!("${{{resource}}}")) {
        return Some(Cause::Resource(resource.to_owned()));
    }
    let start = format!("${{{resource}.");
    let rest = text.split_once(&start)?.1;
    let attribute = rest.split('}').next().unwrap_or_default();
    Some(Cause::Attribute(format!("{resource}.{attribute}")))
}

/// What becomes of a resource that leaves the stack: what its `DeletionPolicy` says, else deletion.
///
/// A database of RDS without the attribute is kept in a snapshot; see
/// [DeletionPolicy](https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-attribute-deletionpolicy.html).
pub(crate) fn removal_policy(resource: &Resource) -> Policy {
    match resource.deletion_policy.as_deref() {
        Some("Retain" | "RetainExceptOnCreate") => Policy::Retain,
        Some("Snapshot") => Policy::Snapshot,
        None if resource.resource_type == "AWS::RDS::DBCluster" => Policy::Snapshot,
        _ => Policy::Delete,
    }
}

/// What becomes of a resource that another replaces.
pub(crate) fn replacement_policy(resource: &Resource) -> Policy {
    match resource.update_replace_policy.as_deref() {
        Some("Retain") => Policy::ReplaceAndRetain,
        Some("Snapshot") => Policy::ReplaceAndSnapshot,
        _ => Policy::ReplaceAndDelete,
    }
}

fn set_policy(change: &mut ResourceChange, new: &BTreeMap<&str, &Resource>) {
    if change.replacement != Replacement::Never
        && let Some(resource) = new.get(change.logical_id.as_str())
    {
        change.policy = Some(replacement_policy(resource));
    }
}

fn parameters(before: Option<&Version<'_>>, after: &Version<'_>) -> Vec<NamedChange> {
    let declared = |version: &Version<'_>| {
        version
            .template
            .parameters
            .keys()
            .cloned()
            .collect::<Vec<_>>()
    };
    let names: BTreeSet<_> = before
        .into_iter()
        .chain([after])
        .flat_map(declared)
        .collect();
    let no_echo = |name: &str| {
        let hides = |version: &Version<'_>| {
            version
                .template
                .parameters
                .get(name)
                .is_some_and(|one| one.no_echo)
        };
        hides(after) || before.is_some_and(hides)
    };
    names
        .iter()
        .filter_map(|name| {
            let was = before.and_then(|version| declared_value(version, name));
            let is = declared_value(after, name);
            // CloudFormation gives the value of a secret to nobody, so two of them cannot be compared.
            let secret = no_echo(name);
            if was == is || (secret && was.is_some() && is.is_some()) {
                return None;
            }
            let change = NamedChange::of_texts(name, was.as_deref(), is.as_deref());
            let hide = |shown| {
                if secret && shown != Shown::Absent {
                    Shown::Secret
                } else {
                    shown
                }
            };
            Some(NamedChange {
                before: hide(change.before),
                after: hide(change.after),
                ..change
            })
        })
        .collect()
}

/// The parameter's value; the empty text for one that is declared and that nobody has filled yet.
fn declared_value(version: &Version<'_>, name: &str) -> Option<String> {
    version.template.parameters.get(name)?;
    let value = version.value(name).map(str::to_owned);
    Some(value.unwrap_or_else(|| format!("${{{name}}}")))
}

fn outputs(before: Option<&Version<'_>>, after: &Version<'_>) -> Vec<NamedChange> {
    let of = |version: &Version<'_>| -> BTreeMap<String, Value> {
        version
            .template
            .outputs
            .iter()
            .filter(|(_, output)| version.exists(output.condition.as_deref()))
            .filter_map(|(name, output)| Some((name.clone(), version.resolve(&output.value)?)))
            .collect()
    };
    let (old, new) = (before.map(of).unwrap_or_default(), of(after));
    let names: BTreeSet<_> = old.keys().chain(new.keys()).collect();
    names
        .into_iter()
        .filter(|name| old.get(*name) != new.get(*name))
        .map(|name| {
            let shown = |value: Option<&Value>| {
                Shown::of(masked_at(&[Step::Key(name.clone())], value.cloned()).as_ref())
            };
            NamedChange {
                name: name.clone(),
                before: shown(old.get(name)),
                after: shown(new.get(name)),
            }
        })
        .collect()
}
