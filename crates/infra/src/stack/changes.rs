use std::collections::BTreeMap;

use serde::Serialize;

use super::{ChangeSet, ResourceChange};
use crate::template_diff::{NamedChange, TemplateDiff, Version};

/// Everything that changes in one stack: resources, and what the stack itself has.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct StackChanges {
    /// Whether the stack is made.
    pub is_new: bool,
    /// Resources, in the order in which they are told.
    pub resources: Vec<ResourceChange>,
    /// Effective parameters.
    pub parameters: Vec<NamedChange>,
    /// Tags of the stack, which CloudFormation hands on to its resources.
    pub tags: Vec<NamedChange>,
    /// Outputs, as expressions.
    pub outputs: Vec<NamedChange>,
}

/// A stack as a template, parameters and tags make it.
#[derive(Clone, Debug)]
pub struct StackVersion<'a> {
    /// The template with the values of its parameters.
    pub version: Version<'a>,
    /// The stack's tags.
    pub tags: &'a BTreeMap<String, String>,
}

impl StackChanges {
    /// What the templates alone tell; without `before`, the stack is new.
    pub fn of_templates(before: Option<&StackVersion<'_>>, after: &StackVersion<'_>) -> Self {
        let none = BTreeMap::new();
        let TemplateDiff {
            resources,
            parameters,
            outputs,
        } = TemplateDiff::new(before.map(|before| &before.version), &after.version);
        Self {
            is_new: before.is_none(),
            resources,
            parameters,
            tags: NamedChange::of_maps(before.map_or(&none, |before| before.tags), after.tags),
            outputs,
        }
    }

    /// What a change set tells of the resources, and the templates of the rest.
    pub fn of_change_set(
        set: ChangeSet,
        before: Option<&StackVersion<'_>>,
        after: &StackVersion<'_>,
    ) -> Self {
        let set = set.explained(before.map(|before| &before.version), &after.version);
        Self {
            resources: set.changes,
            ..Self::of_templates(before, after)
        }
    }

    /// Whether nothing changes.
    pub fn is_empty(&self) -> bool {
        self.resources.is_empty()
            && self.parameters.is_empty()
            && self.tags.is_empty()
            && self.outputs.is_empty()
    }

    /// The changes that take a resource with its data away from the stack.
    pub fn losses(&self) -> impl Iterator<Item = &ResourceChange> {
        self.resources
            .iter()
            .filter(|change| change.loss().is_some())
    }
}
