//! What a destroy found, removed and left: as text and as JSON.

mod leftover;

use rust_decimal::Decimal;
use serde::Serialize;
use stackway_infra::flow::Destroyed;
use stackway_infra::inventory::{Contents, Inventory};

use self::leftover::LeftoverFound;
use crate::cloud::Cloud;
use crate::failure::{Failure, Kind};
use crate::settings::Settings;
use crate::stack_sets::Standing;
use crate::ui::{BOLD, DIM};

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
        for contents in held {
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

impl StackSetFound {
    fn holds(&self) -> String {
        match self.instances.as_slice() {
            [] => "no instances".to_owned(),
            all => format!("{} instances: {}", all.len(), all.join(", ")),
        }
    }
}

fn size(bytes: u64) -> String {
    let units = ["bytes", "kB", "MB", "GB", "TB"];
    let mut value = Decimal::from(bytes);
    let mut unit = 0;
    while value >= Decimal::from(1_000) && unit + 1 < units.len() {
        value /= Decimal::from(1_000);
        unit += 1;
    }
    format!("{} {}", value.round_dp(1).normalize(), units[unit])
}

/// Where something is, if that is not where the rest is.
fn elsewhere(there: &str, here: &str) -> String {
    if there == here {
        String::new()
    } else {
        format!(" in {there}")
    }
}

fn contents_text(holds: &[Lost], bytes: Option<u64>) -> String {
    let mut parts: Vec<_> = holds
        .iter()
        .map(|one| format!("{} {}", one.count, one.what))
        .collect();
    if let Some(bytes) = bytes.filter(|bytes| *bytes > 0) {
        parts.push(size(bytes));
    }
    parts.join(", ")
}

/// What would be removed, for a person.
pub(super) fn plan_text(settings: &Settings, cloud: &Cloud, found: &Found) -> String {
    let place = cloud
        .endpoint_url
        .as_ref()
        .map(|url| format!(" at {url}"))
        .unwrap_or_default();
    let place = format!(
        "account {}{place}, region {}",
        cloud.account, settings.naming.region
    );
    found.text(
        &settings.environment.name.to_string(),
        &place,
        &settings.naming.region,
    )
}

impl Found {
    fn text(&self, environment: &str, place: &str, region: &str) -> String {
        let mut lines = Vec::new();
        if self.count == 0 {
            lines.push(format!("nothing of `{environment}` is in {place}"));
        } else {
            lines.push(format!(
                "{BOLD}to remove{BOLD:#} from {place}, in this order:"
            ));
        }
        for pipeline in &self.pipelines {
            lines.push(format!(
                "  pipeline {pipeline}: stopped, and nothing starts it"
            ));
        }
        for set in &self.stack_sets {
            let there = set.region.as_deref().unwrap_or(region);
            let there = elsewhere(there, region);
            lines.push(format!("  stack set {}{there}: {}", set.name, set.holds()));
        }
        for stack in &self.stacks {
            let protected = if stack.termination_protection {
                ", termination protection is on"
            } else {
                ""
            };
            lines.push(format!(
                "  {}{} {DIM}{}, found {}{DIM:#}{protected}",
                stack.name,
                elsewhere(&stack.region, region),
                stack.status,
                stack.evidence.join(", ")
            ));
            for resource in &stack.resources {
                let id = if resource.id.is_empty() {
                    "not made"
                } else {
                    &resource.id
                };
                let holds = contents_text(&resource.holds, resource.bytes);
                let holds = if holds.is_empty() {
                    holds
                } else {
                    format!(": {holds}")
                };
                lines.push(format!("    {} {DIM}{id}{DIM:#}{holds}", resource.r#type));
            }
        }
        lines.extend(self.leftover_lines());
        if !self.lost.is_empty() || self.lost_bytes > 0 {
            lines.push(format!(
                "{BOLD}lost with it{BOLD:#}: {}",
                contents_text(&self.lost, Some(self.lost_bytes))
            ));
        }
        match self.keys() {
            0 => {}
            1 => lines.push(KEY_WAITS.replace("{}", "1 key goes")),
            keys => lines.push(KEY_WAITS.replace("{}", &format!("{keys} keys go"))),
        }
        if !self.not_looked_for.is_empty() {
            lines.push(format!(
                "not looked for, as the endpoint does not offer it: {}",
                self.not_looked_for.join(", ")
            ));
        }
        lines.join("\n")
    }

    fn leftover_lines(&self) -> impl Iterator<Item = String> {
        self.leftovers.iter().map(|one| {
            let holds = contents_text(&one.holds, one.bytes);
            let holds = if holds.is_empty() {
                holds
            } else {
                format!(", holds {holds}")
            };
            let cost = one.cost_a_month.as_ref().map_or_else(
                || "what it costs is not known".to_owned(),
                |cost| format!("{cost} USD a month"),
            );
            format!(
                "  {} {} {DIM}{}; {cost}{DIM:#}{holds}",
                one.kind, one.id, one.why
            )
        })
    }
}

/// See [ScheduleKeyDeletion](https://docs.aws.amazon.com/kms/latest/APIReference/API_ScheduleKeyDeletion.html).
const KEY_WAITS: &str = "cannot be removed now: {} 7 to 30 days after the stack, as KMS wants it, and costs nothing until then";

/// What was removed, and what the second look found.
pub(super) fn proof_text(document: &Document) -> String {
    let mut lines = Vec::new();
    if let Some(removed) = &document.removed {
        let leftovers = match removed.leftovers {
            0 => String::new(),
            count => format!(" and {count} things that no stack owned"),
        };
        lines.push(format!(
            "removed {} stacks with {} resources{leftovers}",
            removed.stacks.len(),
            removed.resources
        ));
    }
    if let Some(left) = &document.left {
        lines.push(format!(
            "looked for everything again: {BOLD}{} left{BOLD:#}",
            left.count
        ));
        for set in &left.stack_sets {
            lines.push(format!("  stack set {}: {}", set.name, set.holds()));
        }
        for stack in &left.stacks {
            lines.push(format!(
                "  stack {}{} {DIM}{}{DIM:#}",
                stack.name,
                elsewhere(&stack.region, &document.region),
                stack.status
            ));
        }
        lines.extend(left.leftover_lines());
        if !left.not_looked_for.is_empty() {
            lines.push(format!(
                "{} not looked for, as the endpoint does not offer them: {}",
                left.not_looked_for.len(),
                left.not_looked_for.join(", ")
            ));
        }
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests;
