//! What stops a deploy before its change set is executed: the loss of a resource that holds data.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::{Deployer, FlowError, Progress, StackInput};
use crate::stack::{ChangeSet, Loss, ResourceChange, Stack, StackChanges, StackVersion};
use crate::stack_def::StackDef;
use crate::template::Template;
use crate::template_diff::Version;

/// Resources that a person has named, as `LogicalId` or `stack/LogicalId`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ResourceNames(BTreeSet<(Option<String>, String)>);

/// The resources whose replacement or removal a person has agreed to.
pub type AllowReplace = ResourceNames;

impl ResourceNames {
    /// Reads the names.
    ///
    /// # Errors
    /// The first name that is neither `LogicalId` nor `stack/LogicalId`.
    pub fn parse(names: &[String]) -> Result<Self, String> {
        let logical =
            |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
        names
            .iter()
            .map(|name| {
                let (stack, id) = match name.split_once('/') {
                    Some((stack, id)) => (Some(stack.to_owned()), id),
                    None => (None, name.as_str()),
                };
                let good = logical(id) && stack.as_ref().is_none_or(|stack| !stack.is_empty());
                good.then(|| (stack, id.to_owned()))
                    .ok_or_else(|| name.clone())
            })
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// Whether the resource of that stack (its name in the project) is named.
    pub fn allows(&self, stack: &str, logical_id: &str) -> bool {
        [None, Some(stack.to_owned())]
            .into_iter()
            .any(|stack| self.0.contains(&(stack, logical_id.to_owned())))
    }

    /// The logical ids that are named for that stack, or for any.
    pub fn of_stack(&self, stack: &str) -> Vec<String> {
        self.0
            .iter()
            .filter(|(of, _)| of.as_deref().is_none_or(|of| of == stack))
            .map(|(_, id)| id.clone())
            .collect()
    }
}

/// A resource that a deploy would take away from its stack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guarded {
    /// Its name in the template.
    pub logical_id: String,
    /// Such as `AWS::DynamoDB::Table`.
    pub resource_type: String,
    /// Its name in its service.
    pub physical_id: Option<String>,
    /// How it would be taken away.
    pub loss: Loss,
    /// What becomes of it, where that is known.
    pub fate: Option<&'static str>,
    /// The properties that ask for a replacement, each with what makes it change.
    pub causes: Vec<String>,
}

impl Guarded {
    fn of(change: &ResourceChange) -> Option<Self> {
        let loss = change.loss()?;
        let mut causes: Vec<String> = Vec::new();
        for property in change.replacing() {
            let made_by: Vec<_> = property.causes.iter().map(ToString::to_string).collect();
            let place = property.place();
            let cause = if made_by.is_empty() {
                place
            } else {
                format!("{place} changes, by {}", made_by.join(" and "))
            };
            if !causes.contains(&cause) {
                causes.push(cause);
            }
        }
        if loss == Loss::Removal {
            causes
                .push("the template no longer has it, or its condition no longer holds".to_owned());
        }
        Some(Self {
            logical_id: change.logical_id.clone(),
            resource_type: change.resource_type.clone(),
            physical_id: change.physical_id.clone(),
            loss,
            fate: change.fate(),
            causes,
        })
    }

    /// The losses of a stack that nobody has agreed to.
    pub fn all(stack: &str, changes: &StackChanges, allowed: &AllowReplace) -> Vec<Self> {
        changes
            .losses()
            .filter(|change| !allowed.allows(stack, &change.logical_id))
            .filter_map(Self::of)
            .collect()
    }
}

/// A template of a stack that stands; `None` where this version cannot read it, as one made by another tool.
pub(super) fn deployed_template(text: &str) -> Option<Template> {
    Template::parse(text, Path::new("the deployed template")).ok()
}

/// What a change set changes, completed from the template that is deployed and the one that is wanted.
pub(super) fn changes(
    set: ChangeSet,
    before: Option<(&Stack, Option<&Template>)>,
    input: &StackInput,
) -> StackChanges {
    let is_new = before.is_none();
    let Some(wanted) = deployed_template(&input.template_body) else {
        return StackChanges {
            is_new,
            resources: set.changes,
            ..StackChanges::default()
        };
    };
    let stack_id = set.stack_id.clone();
    let version = |template, parameters: &BTreeMap<String, String>| Version {
        template,
        values: parameters
            .clone()
            .into_iter()
            .chain(Version::of_arn(&stack_id))
            .collect(),
    };
    let after = StackVersion {
        version: version(&wanted, &input.parameters),
        tags: &input.tags,
    };
    let before = before.and_then(|(stack, template)| {
        Some(StackVersion {
            version: version(template?, &stack.parameters),
            tags: &stack.tags,
        })
    });
    StackChanges {
        is_new,
        ..StackChanges::of_change_set(set, before.as_ref(), &after)
    }
}

impl Deployer<'_> {
    /// Shows what the change set changes, and stops where it takes a resource with its data away that is not named in
    /// [`Deployer::allow_replace`]; the change set is deleted then. Returns what is lost and allowed, by logical id.
    pub(super) async fn review(
        &self,
        def: &StackDef,
        input: &StackInput,
        before: Option<&Stack>,
        set: &ChangeSet,
    ) -> Result<BTreeSet<String>, FlowError> {
        let stacks = self.tools.stacks;
        let reviewed = async {
            let template = match before {
                Some(stack) => deployed_template(&stacks.stack_template(&stack.id).await?),
                None => None,
            };
            let changes = changes(
                set.clone(),
                before.map(|stack| (stack, template.as_ref())),
                input,
            );
            let guarded = Guarded::all(def.name, &changes, self.allow_replace);
            let allowed = changes
                .losses()
                .map(|change| change.logical_id.clone())
                .collect();
            self.tools
                .tell(def.name, &Progress::ChangeSet(Box::new(changes)));
            if guarded.is_empty() {
                return Ok(allowed);
            }
            Err(FlowError::Guarded {
                stack: def.name.to_owned(),
                guarded,
            })
        }
        .await;
        if reviewed.is_err() {
            stacks.delete_change_set(&set.id, &set.stack_id).await?;
        }
        reviewed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_are_allowed() {
        let names = |names: &[&str]| {
            AllowReplace::parse(
                &names
                    .iter()
                    .map(|name| (*name).to_owned())
                    .collect::<Vec<_>>(),
            )
        };
        let allowed = names(&["Table", "artifacts/Key"]).unwrap();
        for (stack, id, expected) in [
            ("table", "Table", true),
            ("other", "Table", true),
            ("artifacts", "Key", true),
            ("other", "Key", false),
            ("table", "Other", false),
        ] {
            assert_eq!(allowed.allows(stack, id), expected, "{stack} {id}");
        }
        for bad in ["", "a/b/c", "/Table", "table/", "My-Table"] {
            assert_eq!(names(&[bad]), Err(bad.to_owned()));
        }
    }
}
