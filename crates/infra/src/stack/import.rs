//! What an import takes in: resources that are there already, and the template that holds them.
//!
//! See [importing resources](https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/import-resources.html).

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use crate::template::{Resource, Template};
use crate::template_diff::Version;

/// A resource that is taken in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportTarget {
    /// What the template calls it.
    pub logical_id: String,
    /// `AWS::DynamoDB::Table`.
    pub resource_type: String,
    /// What it is known by: `TableName`, and the name.
    pub identifier: BTreeMap<String, String>,
}

/// What a person asks for, and what is known.
#[derive(Clone, Debug)]
pub struct ImportWish<'a> {
    /// The template here, with all values that are known.
    pub version: &'a Version<'a>,
    /// The resources to take in, by logical id; all that the stack does not hold where none is named.
    pub only: &'a [String],
    /// What resources are known by, where a person says so: by logical id, then by property.
    pub given: &'a BTreeMap<String, BTreeMap<String, String>>,
    /// The properties that identify each type, as CloudFormation tells; empty where it does not say.
    pub names: &'a BTreeMap<String, Vec<String>>,
    /// The stack that takes them in, if it stands: its template, and what it holds by logical id.
    pub standing: Option<(&'a Template, &'a BTreeSet<String>)>,
}

/// An import as it can be asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct ImportPlan {
    /// The template, as JSON.
    pub template_body: String,
    /// The parameters that it declares.
    pub parameters: Vec<String>,
    /// What is taken in.
    pub targets: Vec<ImportTarget>,
    /// Resources of the template that the import leaves to the next deploy.
    pub left: Vec<String>,
}

/// Why nothing can be imported.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ImportFault {
    /// The template has no such resource, or its condition switches it off.
    #[error("the template has no resource `{0}`")]
    Unknown(String),
    /// The stack holds it already.
    #[error("the stack holds `{0}` already")]
    Held(String),
    /// There is nothing that the stack does not hold.
    #[error("the stack holds every resource of its template already")]
    Nothing,
    /// CloudFormation would not know what to do with it when it leaves the stack.
    #[error("`{0}` has no DeletionPolicy, which CloudFormation asks of what is imported")]
    NoDeletionPolicy(String),
    /// Its type cannot be imported.
    #[error("`{logical_id}` is of type {resource_type}, which CloudFormation cannot import")]
    NotImportable {
        /// The resource.
        logical_id: String,
        /// Its type.
        resource_type: String,
    },
    /// It is not known which resource is meant.
    #[error("what `{logical_id}` is known by is not said: {}", names.join(", "))]
    Unidentified {
        /// The resource.
        logical_id: String,
        /// The properties that say it.
        names: Vec<String>,
    },
    /// It needs a resource that is neither held nor taken in.
    #[error(
        "`{logical_id}` refers to `{needed}`, which the stack does not hold and the import does not take in"
    )]
    Dangling {
        /// The resource.
        logical_id: String,
        /// What it needs.
        needed: String,
    },
    /// A value of the stack's is hidden, and so cannot be sent again.
    #[error(
        "parameter `{0}` of the stack is NoEcho: its value cannot be kept through an import from here"
    )]
    Hidden(String),
}

impl ImportPlan {
    /// Plans an import.
    ///
    /// A stack that stands keeps its template, to which the resources are added, since an import may change nothing else. A
    /// new one gets them alone, without outputs, which CloudFormation does not take while it imports.
    ///
    /// # Errors
    /// Every fault, so that a person hears of all at once.
    pub fn new(wish: &ImportWish<'_>) -> Result<Self, Vec<ImportFault>> {
        let template = wish.version.template;
        let nothing = BTreeSet::new();
        let held = wish.standing.map_or(&nothing, |(_, held)| held);
        let exists = |resource: &Resource| wish.version.exists(resource.condition.as_deref());
        let there: BTreeMap<&String, &Resource> = (template.resources.iter())
            .filter(|(_, resource)| exists(resource))
            .collect();
        let mut faults = Vec::new();
        for id in wish.only.iter().chain(wish.given.keys()) {
            if !there.contains_key(id) {
                faults.push(ImportFault::Unknown(id.clone()));
            } else if held.contains(id) {
                faults.push(ImportFault::Held(id.clone()));
            }
        }
        let wanted = |id: &String| {
            let named = wish.only.is_empty() || wish.only.contains(id);
            named && !held.contains(id)
        };
        let taken: BTreeMap<&String, &Resource> = (there.iter())
            .filter(|(id, _)| wanted(id))
            .map(|(id, resource)| (*id, *resource))
            .collect();
        let mut targets = Vec::new();
        for (id, resource) in &taken {
            if resource.deletion_policy.is_none() {
                faults.push(ImportFault::NoDeletionPolicy((*id).clone()));
            }
            match identified(wish, id, resource) {
                Ok(identifier) => targets.push(ImportTarget {
                    logical_id: (*id).clone(),
                    resource_type: resource.resource_type.clone(),
                    identifier,
                }),
                Err(fault) => faults.push(fault),
            }
            let known = |name: &String| held.contains(name) || taken.contains_key(name);
            let needs = needed(template, resource);
            faults.extend(needs.into_iter().filter(|name| !known(name)).map(|needed| {
                ImportFault::Dangling {
                    logical_id: (*id).clone(),
                    needed,
                }
            }));
        }
        if taken.is_empty() && faults.is_empty() {
            faults.push(ImportFault::Nothing);
        }
        if let Some((standing, _)) = wish.standing {
            let hidden = standing
                .parameters
                .iter()
                .filter(|(_, parameter)| parameter.no_echo);
            faults.extend(hidden.map(|(name, _)| ImportFault::Hidden(name.clone())));
        }
        if !faults.is_empty() {
            return Err(faults);
        }
        let left = (there.keys())
            .filter(|id| !held.contains(**id) && !taken.contains_key(*id))
            .map(|id| (*id).clone());
        let body = body(wish, &taken);
        let parameters = body["Parameters"].as_object();
        Ok(Self {
            parameters: parameters
                .map(|all| all.keys().cloned().collect())
                .unwrap_or_default(),
            template_body: body.to_string(),
            left: left.collect(),
            targets,
        })
    }
}

/// What a resource is known by: as a person says, else as its template names it.
fn identified(
    wish: &ImportWish<'_>,
    id: &str,
    resource: &Resource,
) -> Result<BTreeMap<String, String>, ImportFault> {
    let given = wish.given.get(id).cloned().unwrap_or_default();
    let Some(names) = wish.names.get(&resource.resource_type) else {
        // An emulator may not say; what a person says then counts alone.
        return if !given.is_empty() {
            Ok(given)
        } else if wish.names.is_empty() {
            Err(ImportFault::Unidentified {
                logical_id: id.to_owned(),
                names: vec!["the service does not tell which properties".to_owned()],
            })
        } else {
            Err(ImportFault::NotImportable {
                logical_id: id.to_owned(),
                resource_type: resource.resource_type.clone(),
            })
        };
    };
    let mut identifier = given;
    for name in names {
        if identifier.contains_key(name) {
            continue;
        }
        let written = resource.properties.get(name);
        let resolved = written.and_then(|value| wish.version.resolve(value));
        // What only CloudFormation can resolve is not known here.
        let known = resolved.as_ref().and_then(Value::as_str);
        if let Some(value) = known.filter(|value| !value.contains("${")) {
            identifier.insert(name.clone(), value.to_owned());
        }
    }
    let missing: Vec<String> = (names.iter())
        .filter(|name| !identifier.contains_key(*name))
        .cloned()
        .collect();
    if missing.is_empty() {
        Ok(identifier)
    } else {
        Err(ImportFault::Unidentified {
            logical_id: id.to_owned(),
            names: missing,
        })
    }
}

/// The resources of the template that a resource names.
fn needed(template: &Template, resource: &Resource) -> BTreeSet<String> {
    let used = template.depends_on(&resource.properties);
    let first = |name: &String| name.split('.').next().unwrap_or_default().to_owned();
    let all = used
        .iter()
        .map(first)
        .chain(resource.depends_on.iter().cloned());
    all.filter(|name| template.resources.contains_key(name))
        .collect()
}

fn body(wish: &ImportWish<'_>, taken: &BTreeMap<&String, &Resource>) -> Value {
    let here = wish.version.template.document();
    let mut body = match wish.standing {
        Some((standing, _)) => standing.document(),
        None => json!({"AWSTemplateFormatVersion": "2010-09-09"}),
    };
    let mut add = |section: &str, wanted: &dyn Fn(&String) -> bool| {
        let entries = here[section].as_object().into_iter().flatten();
        let entries: Vec<_> = entries.filter(|(name, _)| wanted(name)).collect();
        if entries.is_empty() {
            return;
        }
        if body[section].is_null() {
            body[section] = Value::Object(Map::new());
        }
        for (name, value) in entries {
            // What the stack has stays as it has it.
            if body[section].get(name).is_none() {
                body[section][name] = value.clone();
            }
        }
    };
    for section in ["Parameters", "Mappings", "Conditions"] {
        add(section, &|_| true);
    }
    add("Resources", &|name| taken.contains_key(name));
    body
}
