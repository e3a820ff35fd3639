//! In which order stacks, stack sets and replicas come to regions, and leave them.
//!
//! A region is won from the bottom: first the copies of what one stack keeps for all regions, then the stacks of sets that
//! need them. It is given up from the top, the other way. So nothing ever runs in a region that lacks what it needs.

use std::collections::{BTreeMap, BTreeSet};

use crate::stack_def::{StackDef, StackGraph};

/// Parameters that name the regions to which a stack copies what it holds, one each.
pub const REPLICA_REGIONS: [&str; 3] = ["ReplicaRegion1", "ReplicaRegion2", "ReplicaRegion3"];

/// A stack that others need in their own region, and that copies what it holds there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Copying {
    /// The stack.
    pub stack: &'static str,
    /// The parameter, and its value, without which it holds nothing that others need.
    pub holds_with: Option<(&'static str, &'static str)>,
    /// The parameter, and its value, without which it makes no copies. It is decided when the stack is made.
    pub copies_with: Option<(&'static str, &'static str)>,
}

/// The stacks that copy what they hold.
pub const COPYING: [Copying; 2] = [
    Copying {
        stack: "table",
        holds_with: None,
        copies_with: Some(("Global", "true")),
    },
    Copying {
        stack: "secrets",
        holds_with: Some(("ApiToken", "true")),
        copies_with: None,
    },
];

impl Copying {
    /// The entry of a stack; `None` where it copies nothing.
    pub fn of(stack: &str) -> Option<Self> {
        COPYING
            .iter()
            .find(|copying| copying.stack == stack)
            .copied()
    }

    /// Whether a stack with these parameters holds what others need in their region.
    pub fn holds(&self, parameters: &BTreeMap<String, String>) -> bool {
        is_set(self.holds_with, parameters)
    }

    /// Whether a stack with these parameters can make copies.
    pub fn copies(&self, parameters: &BTreeMap<String, String>) -> bool {
        is_set(self.copies_with, parameters)
    }
}

fn is_set(
    needed: Option<(&'static str, &'static str)>,
    parameters: &BTreeMap<String, String>,
) -> bool {
    needed.is_none_or(|(name, value)| parameters.get(name).is_some_and(|given| given == value))
}

/// Names of regions.
pub type Regions = BTreeSet<String>;

/// The regions that the parameters of a stack name for copies.
pub fn replica_regions(parameters: &BTreeMap<String, String>) -> Regions {
    let named = REPLICA_REGIONS
        .iter()
        .filter_map(|name| parameters.get(*name));
    named.filter(|region| !region.is_empty()).cloned().collect()
}

/// The parameters that name these regions for copies, each in its place in `wanted` where it has one there.
///
/// # Errors
/// [`TooManyReplicas`] where there are more regions than parameters.
pub fn replica_parameters(
    regions: &Regions,
    wanted: &BTreeMap<String, String>,
) -> Result<BTreeMap<String, String>, TooManyReplicas> {
    if regions.len() > REPLICA_REGIONS.len() {
        return Err(TooManyReplicas(regions.clone()));
    }
    let own_place = |name: &&str| {
        wanted
            .get(*name)
            .filter(|region| regions.contains(*region))
            .cloned()
    };
    let placed: Regions = REPLICA_REGIONS.iter().filter_map(own_place).collect();
    let mut others = regions.difference(&placed).cloned();
    let names = REPLICA_REGIONS.iter();
    Ok(names
        .map(|name| {
            let region = own_place(name).or_else(|| others.next());
            ((*name).to_owned(), region.unwrap_or_default())
        })
        .collect())
}

/// More regions at once than a stack copies to.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "copies in {} regions would stand at once, and there can be {}: {}",
    .0.len(), REPLICA_REGIONS.len(), .0.iter().map(String::as_str).collect::<Vec<_>>().join(", ")
)]
pub struct TooManyReplicas(pub Regions);

/// The copies of what a stack holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Replicas {
    /// Where they are; `None` where the stack is not there yet.
    pub standing: Option<Regions>,
    /// Where they are to be.
    pub wanted: Regions,
}

impl Replicas {
    /// The regions that the stack is deployed with at first: those that it has, so that nothing leaves before its turn, or
    /// all of them where it is new.
    pub fn at_first(&self) -> &Regions {
        self.standing.as_ref().unwrap_or(&self.wanted)
    }

    /// What the stack is deployed with after that, so that each deploy adds one region: more than one is refused.
    ///
    /// <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-dynamodb-globaltable.html>
    pub fn grown(&self) -> Vec<Regions> {
        let mut now = self.at_first().clone();
        let new: Vec<_> = self.wanted.difference(&now).cloned().collect();
        let add = |region| {
            now.insert(region);
            now.clone()
        };
        new.into_iter().map(add).collect()
    }

    /// What it is deployed with at last, so that each deploy takes one region away.
    pub fn shrunk(&self) -> Vec<Regions> {
        let Some(standing) = &self.standing else {
            return Vec::new();
        };
        let mut now: Regions = standing.union(&self.wanted).cloned().collect();
        let old = standing.difference(&self.wanted);
        let remove = |region| {
            now.remove(region);
            now.clone()
        };
        old.map(remove).collect()
    }
}

/// What is done at once, after all that comes before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Turn {
    /// Stacks, by their needs; those that copy to other regions with [`Replicas::at_first`].
    Stacks(Vec<StackDef>),
    /// One stack again, with copies in these regions.
    Replicas(StackDef, Regions),
    /// Stack sets, one after another: what stays is updated, what is new is made, and nothing leaves.
    Sets(Vec<StackDef>),
    /// Stack sets, one after another: instances that are no longer wanted leave.
    Leave(Vec<StackDef>),
}

/// The turns of a deploy: each after what it needs, and what leaves a region before what it needs there.
///
/// `is_placed` says which stacks are stack sets, `replicas` those of the others that copy to other regions.
pub fn turns(
    graph: &StackGraph,
    is_placed: impl Fn(&str) -> bool,
    replicas: &BTreeMap<&'static str, Replicas>,
) -> Vec<Turn> {
    let mut waiting = graph.deploy_order().to_vec();
    let chosen: BTreeSet<_> = waiting.iter().map(|def| def.name).collect();
    let mut standing = BTreeSet::new();
    let mut turns = Vec::new();
    let mut leaving = Vec::new();
    let mut sets = false;
    while !waiting.is_empty() {
        let mut now = Vec::new();
        // In deploy order, so that one pass finds whatever the turn's own stacks make possible.
        waiting.retain(|def| {
            let mut needed = def.needed_stacks().into_iter();
            let ready = needed.all(|need| !chosen.contains(need) || standing.contains(need));
            let taken = ready && is_placed(def.name) == sets;
            if taken {
                standing.insert(def.name);
                now.push(*def);
            }
            !taken
        });
        if sets && !now.is_empty() {
            leaving.push(Turn::Leave(now.iter().rev().copied().collect()));
            turns.push(Turn::Sets(now));
        } else if !now.is_empty() {
            let copying: Vec<_> = now
                .iter()
                .filter_map(|def| Some((*def, replicas.get(def.name)?)))
                .collect();
            turns.push(Turn::Stacks(now));
            for (def, replicas) in copying {
                let of_stack = |regions| Turn::Replicas(def, regions);
                turns.extend(replicas.grown().into_iter().map(of_stack));
                leaving.extend(replicas.shrunk().into_iter().rev().map(of_stack));
            }
        }
        sets = !sets;
    }
    turns.extend(leaving.into_iter().rev());
    turns
}

#[cfg(test)]
mod tests;
