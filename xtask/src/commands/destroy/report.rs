//! What a destroy found, removed and left: as text and as JSON.

mod leftover;
mod text;

pub(super) use text::{plan_text, proof_text};

use serde::Serialize;
use stackway_infra::flow::Destroyed;
use stackway_infra::inventory::{Contents, Inventory};

use self::leftover::LeftoverFound;
use crate::cloud::Cloud;
use crate::failure::{Failure, Kind};
use crate::settings::Settings;
use crate::stack_sets::{HeldBucket, Standing};

/// The document that `destroy --format json` prints; docs/destroy.md describes it.
#[derive(Debug, Serialize)]
pub(super) struct Document {
    environment: String,
    region: String,
    account: Option<String>,
    endpoint_url: Option<String>,
    found: Found,
    /// Null where nothing was removed.
    removed: Option<Removed>,
    /// What the second look found; null where there was none.
    left: Option<Found>,
}

#[derive(Debug, Default, Serialize)]
struct Removed {
    stacks: Vec<String>,
    resources: usize,
    leftovers: usize,
}

/// An inventory, as it is told.
#[derive(Debug, Serialize)]
pub(super) struct Found {
    count: usize,
    stack_sets: Vec<StackSetFound>,
    stacks: Vec<StackFound>,
    pipelines: Vec<String>,
    leftovers: Vec<LeftoverFound>,
    /// What is lost with all of it.
    lost: Vec<Lost>,
    lost_bytes: u64,
    not_looked_for: Vec<&'static str>,
}

#[derive(Debug, Serialize)]
struct StackSetFound {
    name: String,
    /// Where it is administered; null where that is the environment's region.
    region: Option<String>,
    /// Accounts and regions.
    instances: Vec<String>,
    /// What is in them and is emptied first, in the account of the credentials.
    buckets: Vec<BucketFound>,
}

#[derive(Debug, Serialize)]
struct BucketFound {
    name: String,
    region: String,
    holds: Vec<Lost>,
    bytes: u64,
}

#[derive(Debug, Serialize)]
struct StackFound {
    name: String,
    region: String,
    status: String,
    evidence: Vec<String>,
    termination_protection: bool,
    resources: Vec<ResourceFound>,
}

#[derive(Debug, Serialize)]
struct ResourceFound {
    r#type: String,
    id: String,
    holds: Vec<Lost>,
    bytes: Option<u64>,
}

#[derive(Clone, Debug, Serialize)]
struct Lost {
    count: u64,
    what: &'static str,
}

impl BucketFound {
    fn new(bucket: &HeldBucket) -> Self {
        let contents = Contents::from(bucket.contents);
        Self {
            name: bucket.name.clone(),
            region: bucket.pair.region.clone(),
            holds: lost(Some(&contents)),
            bytes: bucket.contents.bytes,
        }
    }
}

impl Document {
    pub(super) fn plan(settings: &Settings, cloud: Option<&Cloud>, found: Found) -> Self {
        Self {
            environment: settings.environment.name.to_string(),
            region: settings.naming.region.clone(),
            account: cloud.map(|cloud| cloud.account.clone()),
            endpoint_url: cloud.and_then(|cloud| cloud.endpoint_url.clone()),
            found,
            removed: None,
            left: None,
        }
    }

    /// Adds what was removed.
    pub(super) fn removed(&mut self, destroyed: &Destroyed) {
        let removed = self.removed.get_or_insert_default();
        let names = destroyed.removed.iter().map(|one| one.stack_name.clone());
        removed.stacks.extend(names);
        removed.resources += destroyed
            .removed
            .iter()
            .map(|one| one.resources)
            .sum::<usize>();
        removed.leftovers += destroyed.leftovers;
    }

    /// What the second look found.
    pub(super) fn is_left(&mut self, left: Found) {
        self.left = Some(left);
    }

    /// The failure that something is left which somebody could remove.
    pub(super) fn failure(&self, environment: &str) -> Option<Failure> {
        let left = self.left.as_ref().unwrap_or(&self.found);
        let left_over = left.leftovers.iter().filter(|one| one.removable != "waits");
        let stacks = left
            .stacks
            .iter()
            .map(|stack| format!("stack {}: {}", stack.name, stack.status));
        let names: Vec<_> = (left.stack_sets.iter())
            .map(|set| format!("stack set {}: {}", set.name, set.holds()))
            .chain(stacks)
            .chain(left_over.map(|one| format!("{} {}: {}", one.kind, one.id, one.why)))
            .collect();
        if names.is_empty() {
            return None;
        }
        let mut failure = Failure::new(
            Kind::Destroy,
            match names.len() {
                1 => format!("1 thing of `{environment}` is left that could be removed"),
                count => {
                    format!("{count} things of `{environment}` are left that could be removed")
                }
            },
        );
        for name in names {
            failure = failure.cause(name);
        }
        Some(failure.hint(format!(
            "remove by hand what `destroy` cannot, then run `cargo xtask destroy --env {environment}` again"
        )))
    }
}

impl Found {
    pub(super) fn new(inventory: &Inventory, sets: &[Standing], region: &str) -> Self {
        let stacks = inventory.stacks.iter().map(|found| StackFound {
            name: found.stack.name.clone(),
            region: region.to_owned(),
            status: found.stack.status.to_string(),
            evidence: found.evidence.iter().map(ToString::to_string).collect(),
            termination_protection: found.stack.termination_protection,
            resources: found
                .resources
                .iter()
                .map(|found| ResourceFound {
                    r#type: found.resource.resource_type.clone(),
                    id: found.resource.physical_id.clone(),
                    holds: lost(found.contents.as_ref()),
                    bytes: found.contents.as_ref().and_then(|contents| contents.bytes),
                })
                .collect(),
        });
        let held = inventory
            .stacks
            .iter()
            .flat_map(|stack| &stack.resources)
            .filter_map(|found| found.contents.as_ref())
            .chain(
                inventory
                    .leftovers
                    .iter()
                    .map(|leftover| &leftover.contents),
            );
        let mut all: Vec<Lost> = Vec::new();
        let mut lost_bytes = 0;
        let of_sets: Vec<_> = sets.iter().flat_map(|set| &set.buckets).collect();
        let of_sets: Vec<_> = of_sets
            .into_iter()
            .map(|bucket| Contents::from(bucket.contents))
            .collect();
        for contents in held.chain(&of_sets) {
            lost_bytes += contents.bytes.unwrap_or_default();
            add_lost(&mut all, lost(Some(contents)));
        }
        Self {
            count: inventory.count() + sets.len(),
            stack_sets: sets
                .iter()
                .map(|set| StackSetFound {
                    name: set.address.name.clone(),
                    region: set.region.clone(),
                    instances: set.instances.clone(),
                    buckets: set.buckets.iter().map(BucketFound::new).collect(),
                })
                .collect(),
            stacks: stacks.collect(),
            pipelines: inventory
                .pipelines
                .iter()
                .map(|one| one.name.clone())
                .collect(),
            leftovers: inventory
                .leftovers
                .iter()
                .map(|leftover| LeftoverFound::new(leftover, region))
                .collect(),
            lost: all,
            lost_bytes,
            not_looked_for: inventory.not_offered.iter().map(|one| one.what).collect(),
        }
    }

    /// Adds the stacks of another region.
    pub(super) fn add(&mut self, other: Self) {
        self.count += other.count;
        // What a pipeline made goes before what made the pipeline.
        self.stacks.splice(0..0, other.stacks);
        add_lost(&mut self.lost, other.lost);
        self.lost_bytes += other.lost_bytes;
    }

    fn keys(&self) -> usize {
        self.stacks
            .iter()
            .flat_map(|stack| &stack.resources)
            .filter(|resource| resource.r#type == "AWS::KMS::Key")
            .count()
    }
}

fn add_lost(all: &mut Vec<Lost>, more: Vec<Lost>) {
    for one in more {
        match all.iter_mut().find(|known| known.what == one.what) {
            Some(known) => known.count += one.count,
            None => all.push(one),
        }
    }
}

fn lost(contents: Option<&Contents>) -> Vec<Lost> {
    contents
        .into_iter()
        .flat_map(|contents| &contents.counts)
        .map(|&(count, what)| Lost { count, what })
        .collect()
}

#[cfg(test)]
mod tests;
