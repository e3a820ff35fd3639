//! From what `DescribeChangeSet` says of a resource to the model.

use std::collections::BTreeSet;

use serde_json::Value;

use super::resource::{
    Action, Attribute, Cause, Policy, PropertyChange, Replacement, ResourceChange, Shown,
};
use crate::template_diff::{Step, differences, masked, masked_at, path_text};

/// A resource of a change set in the service's own words.
///
/// See [ResourceChange](https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ResourceChange.html).
#[derive(Clone, Debug, Default)]
pub struct DescribedChange {
    /// `Action`.
    pub action: String,
    /// `LogicalResourceId`.
    pub logical_id: String,
    /// `ResourceType`.
    pub resource_type: String,
    /// `PhysicalResourceId`.
    pub physical_id: Option<String>,
    /// `Replacement`: `True`, `False` or `Conditional`.
    pub replacement: Option<String>,
    /// `PolicyAction`.
    pub policy: Option<String>,
    /// `Scope`.
    pub scope: Vec<String>,
    /// `Details`.
    pub details: Vec<DescribedDetail>,
    /// `BeforeContext`: JSON as text, with `Properties` and the other keys of a declaration.
    pub before_context: Option<String>,
    /// `AfterContext`.
    pub after_context: Option<String>,
}

/// One reason for a change in the service's own words. The service gives more than one for a property that a template
/// and a parameter change together.
///
/// See [ResourceChangeDetail](https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ResourceChangeDetail.html).
#[derive(Clone, Debug, Default)]
pub struct DescribedDetail {
    /// `Target.Attribute`.
    pub attribute: String,
    /// `Target.Name`: the property, without what is below it.
    pub name: Option<String>,
    /// `Target.Path`: a JSON pointer such as `/Properties/Environment/Variables/LEVEL`.
    pub path: Option<String>,
    /// `Target.BeforeValue`: JSON as text, or text.
    pub before: Option<String>,
    /// `Target.AfterValue`.
    pub after: Option<String>,
    /// `Target.RequiresRecreation`.
    pub recreation: Option<String>,
    /// Whether `Evaluation` is `Dynamic`.
    pub dynamic: bool,
    /// `ChangeSource`.
    pub source: Option<String>,
    /// `CausingEntity`.
    pub causing_entity: Option<String>,
}

impl From<DescribedChange> for ResourceChange {
    fn from(described: DescribedChange) -> Self {
        let context = |text: &Option<String>| -> Option<Value> {
            serde_json::from_str(text.as_deref()?).ok()
        };
        let (before, after) = (
            context(&described.before_context),
            context(&described.after_context),
        );
        let action = Action::parse(&described.action);
        let mut properties = match (&before, &after) {
            (Some(before), Some(after)) => of_contexts(before, after, &described.details),
            _ => Vec::new(),
        };
        // What the contexts do not tell, the details may: values that are known later are alike in both.
        for told in of_details(&described.details) {
            let known = |known: &PropertyChange| {
                known.attribute == told.attribute
                    && (known.path == told.path
                        || is_below(&known.path, &told.path)
                        || is_below(&told.path, &known.path))
            };
            if !properties.iter().any(known) {
                properties.push(told);
            }
        }
        let declared = |context: Option<Value>| {
            context.and_then(|mut one| one.get_mut("Properties").map(|inner| masked(inner.take())))
        };
        Self {
            physical_id: described.physical_id.filter(|id| !id.is_empty()),
            replacement: described
                .replacement
                .as_deref()
                .map(Replacement::parse)
                .unwrap_or_default(),
            policy: described.policy.as_deref().map(Policy::parse),
            scope: described
                .scope
                .iter()
                .map(|scope| Attribute::parse(scope))
                .collect(),
            properties,
            before: declared(before),
            after: declared(after),
            ..Self::new(action, &described.logical_id, &described.resource_type)
        }
    }
}

/// Whether `path` leads into what `above` leads to.
fn is_below(path: &str, above: &str) -> bool {
    above.is_empty()
        || path
            .strip_prefix(above)
            .is_some_and(|rest| rest.starts_with(['.', '[']))
}

fn of_contexts(before: &Value, after: &Value, details: &[DescribedDetail]) -> Vec<PropertyChange> {
    differences(before, after)
        .into_iter()
        .map(|found| {
            let path = path_text(&found.path);
            let (attribute, path) = match path.split_once(['.', '[']) {
                Some((attribute, _)) => {
                    (attribute, path[attribute.len()..].trim_start_matches('.'))
                }
                None => (path.as_str(), ""),
            };
            let attribute = Attribute::parse(attribute);
            let property = path.split(['.', '[']).next().unwrap_or_default();
            // The tags of a resource are a property of it, and an attribute of their own in the details.
            let of_tags = |detail: &&DescribedDetail| {
                detail.attribute == "Tags" && property.starts_with("Tags")
            };
            let reasons: Vec<_> = details
                .iter()
                .filter(|detail| {
                    of_tags(detail)
                        || (Attribute::parse(&detail.attribute) == attribute
                            && detail.name.as_deref().is_none_or(|name| name == property))
                })
                .collect();
            let attribute = if reasons.iter().any(of_tags) {
                Attribute::Tags
            } else {
                attribute
            };
            let steps: Vec<Step> = found.path.into_iter().skip(1).collect();
            PropertyChange {
                attribute,
                path: path.to_owned(),
                before: Shown::of(masked_at(&steps, found.before).as_ref()),
                after: Shown::of(masked_at(&steps, found.after).as_ref()),
                recreation: recreation(&reasons),
                dynamic: !reasons.is_empty() && reasons.iter().all(|reason| reason.dynamic),
                causes: causes(&reasons),
            }
        })
        .collect()
}

/// One change for each place that the details name.
fn of_details(details: &[DescribedDetail]) -> Vec<PropertyChange> {
    let mut places: Vec<(&str, Vec<String>)> = Vec::new();
    let place = |detail: &DescribedDetail| -> Vec<String> {
        match (&detail.path, &detail.name) {
            (Some(path), _) if !path.is_empty() => path
                .split('/')
                .skip(1)
                .map(|part| part.replace("~1", "/").replace("~0", "~"))
                .skip_while(|part| part == "Properties" || *part == detail.attribute)
                .collect(),
            (_, Some(name)) => vec![name.clone()],
            _ => Vec::new(),
        }
    };
    for detail in details {
        let one = (detail.attribute.as_str(), place(detail));
        if !places.contains(&one) {
            places.push(one);
        }
    }
    let mut changes = Vec::new();
    for (attribute, keys) in places {
        let reasons: Vec<_> = details
            .iter()
            .filter(|detail| detail.attribute == attribute && place(detail) == keys)
            .collect();
        let value = |text: fn(&DescribedDetail) -> Option<&String>| {
            reasons
                .iter()
                .find_map(|reason| text(reason))
                .map(|text| parsed(text))
        };
        let (before, after) = (
            value(|one| one.before.as_ref()),
            value(|one| one.after.as_ref()),
        );
        let start: Vec<_> = keys.iter().map(|key| step(key)).collect();
        let change = |steps: &[Step], before: Shown, after: Shown| PropertyChange {
            attribute: Attribute::parse(attribute),
            path: path_text(steps),
            before,
            after,
            recreation: recreation(&reasons),
            dynamic: reasons.iter().all(|reason| reason.dynamic),
            causes: causes(&reasons),
        };
        let (before, after) = match (before, after) {
            (None, None) => {
                changes.push(change(&start, Shown::NotGiven, Shown::NotGiven));
                continue;
            }
            values => values,
        };
        let (before, after) = (
            before.filter(|one| !one.is_null()),
            after.filter(|one| !one.is_null()),
        );
        let found = match (&before, &after) {
            (Some(before), Some(after)) => differences(before, after),
            _ => Vec::new(),
        };
        if found.is_empty() {
            let shown = |value: Option<Value>| Shown::of(masked_at(&start, value).as_ref());
            changes.push(change(&start, shown(before), shown(after)));
        }
        for one in found {
            let steps: Vec<_> = start.iter().cloned().chain(one.path).collect();
            let shown = |value: Option<Value>| Shown::of(masked_at(&steps, value).as_ref());
            changes.push(change(&steps, shown(one.before), shown(one.after)));
        }
    }
    changes
}

fn step(key: &str) -> Step {
    match key.parse() {
        Ok(at) => Step::Item {
            name: None,
            before: Some(at),
            after: Some(at),
        },
        Err(_) => Step::Key(key.to_owned()),
    }
}

/// The service writes lists and objects as JSON, texts and numbers as they are.
fn parsed(text: &str) -> Value {
    let structured = text.starts_with(['{', '[']) || text == "null";
    structured
        .then(|| serde_json::from_str(text).ok())
        .flatten()
        .unwrap_or_else(|| Value::String(text.to_owned()))
}

fn recreation(reasons: &[&DescribedDetail]) -> Replacement {
    reasons
        .iter()
        .filter_map(|reason| {
            let asked = Replacement::parse(reason.recreation.as_deref()?);
            // `Always` in an evaluation that is not done yet is a maybe.
            Some(if reason.dynamic {
                asked.min(Replacement::Conditional)
            } else {
                asked
            })
        })
        .max()
        .unwrap_or_default()
}

fn causes(reasons: &[&DescribedDetail]) -> Vec<Cause> {
    let entity = |reason: &DescribedDetail| reason.causing_entity.clone().unwrap_or_default();
    let cause = |reason: &&DescribedDetail| match reason.source.as_deref() {
        Some("ParameterReference") => Some(Cause::Parameter(entity(reason))),
        Some("ResourceReference") => Some(Cause::Resource(entity(reason))),
        Some("ResourceAttribute") => Some(Cause::Attribute(entity(reason))),
        Some("Automatic") => Some(Cause::NestedStack),
        Some("DirectModification") => Some(Cause::Template),
        Some("NoModification") => None,
        Some(other) => Some(Cause::Unknown(other.to_owned())),
        None if reason.attribute == "Tags" => Some(Cause::StackTags),
        None => None,
    };
    let mut found: BTreeSet<_> = reasons.iter().filter_map(cause).collect();
    // Beside a reference, a direct modification that is not evaluated yet says only that there is an expression.
    let unsure =
        |reason: &&&DescribedDetail| reason.source.as_deref() == Some("DirectModification");
    if found.len() > 1 && reasons.iter().filter(unsure).all(|reason| reason.dynamic) {
        found.remove(&Cause::Template);
    }
    found.into_iter().collect()
}
