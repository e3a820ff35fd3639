//! What stops a roll-out before its first operation: the loss of resources that hold data, in any instance.

use std::collections::{BTreeMap, BTreeSet};

use super::{RollOutPlan, WantedStackSet};
use crate::flow::Guarded;
use crate::flow::guard::deployed_template;
use crate::stack::{Loss, Policy, StackChanges, StackVersion, is_stateful};
use crate::stack_set::{Overrides, Pair, StackSetDefinition};
use crate::template::Template;
use crate::template_diff::Version;

/// How many instances are named where many meet the same.
const NAMED: usize = 5;

impl RollOutPlan {
    /// What the update changes in each stack that follows, by the templates alone: a stack set has no change sets.
    ///
    /// Values that single instances have of their own are left out. `None` where either template cannot be read.
    pub fn template_changes(&self, wanted: &WantedStackSet) -> Option<StackChanges> {
        let after = deployed_template(&wanted.definition.template_body)?;
        let definition = wanted.definition(self);
        let after = version(&definition, &after, &Overrides::new());
        let Some(standing) = &self.standing else {
            return Some(StackChanges::of_templates(None, &after));
        };
        let before = deployed_template(&standing.template_body)?;
        let before = version(standing, &before, &Overrides::new());
        Some(StackChanges::of_templates(Some(&before), &after))
    }

    /// The losses of this roll-out that nobody has agreed to: what the new template takes away, and what goes with the
    /// instances that are no longer wanted.
    pub fn losses(&self, wanted: &WantedStackSet) -> Vec<Guarded> {
        let allowed = &wanted.allow_replace;
        let Some(standing) = &self.standing else {
            return Vec::new();
        };
        let Some(before) = deployed_template(&standing.template_body) else {
            return Vec::new();
        };
        let mut losses: BTreeMap<String, Guarded> = BTreeMap::new();
        let stays = !self.pairs.update.is_empty() || !self.pairs.leave.is_empty();
        if let Some(after) = deployed_template(&wanted.definition.template_body)
            && stays
        {
            for own in self.own_values(wanted) {
                let after = version(&wanted.definition, &after, own.1);
                let before = version(standing, &before, own.0);
                let changes = StackChanges::of_templates(Some(&before), &after);
                for lost in Guarded::all(&wanted.stack, &changes, allowed) {
                    losses.entry(lost.logical_id.clone()).or_insert(lost);
                }
            }
        }
        if !self.pairs.delete.is_empty() {
            let cause = going(&self.pairs.delete);
            for (logical_id, resource_type) in before.resource_types(&standing.parameters) {
                if !is_stateful(&resource_type) || allowed.allows(&wanted.stack, &logical_id) {
                    continue;
                }
                let lost = Guarded {
                    fate: fate(&before, &logical_id),
                    logical_id: logical_id.clone(),
                    resource_type,
                    physical_id: None,
                    loss: Loss::Removal,
                    causes: Vec::new(),
                };
                let lost = losses.entry(logical_id).or_insert(lost);
                lost.causes.push(cause.clone());
            }
        }
        losses.into_values().collect()
    }

    /// The values that instances have in place of the set's, before and after: each combination once, with that of the
    /// instances that have none.
    fn own_values<'a>(
        &'a self,
        wanted: &'a WantedStackSet,
    ) -> BTreeSet<(&'a Overrides, &'a Overrides)> {
        static NONE: Overrides = Overrides::new();
        let of = |pair| {
            (
                self.overridden.get(pair).unwrap_or(&NONE),
                wanted.targets.overrides.get(pair).unwrap_or(&NONE),
            )
        };
        let stay = self.pairs.update.keys().chain(&self.pairs.leave);
        stay.map(of).collect()
    }
}

fn version<'a>(
    definition: &'a StackSetDefinition,
    template: &'a Template,
    own: &Overrides,
) -> StackVersion<'a> {
    let mut values = definition.parameters.clone();
    values.extend(own.clone());
    StackVersion {
        version: Version { template, values },
        tags: &definition.tags,
    }
}

fn fate(template: &Template, logical_id: &str) -> Option<&'static str> {
    let policy = template
        .resources
        .get(logical_id)?
        .deletion_policy
        .as_deref();
    let policy = match policy {
        Some("Retain" | "RetainExceptOnCreate") => Policy::Retain,
        Some("Snapshot") => Policy::Snapshot,
        _ => Policy::Delete,
    };
    Some(policy.fate())
}

fn going(pairs: &BTreeSet<Pair>) -> String {
    let named: Vec<_> = pairs.iter().take(NAMED).map(ToString::to_string).collect();
    let more = match pairs.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!(
        "instances that stackway.toml no longer wants go: {}{more}",
        named.join(", ")
    )
}
