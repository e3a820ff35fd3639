//! An inventory as text: the plan before, and the proof after.

use rust_decimal::Decimal;

use super::{Document, Found, Lost, StackSetFound};
use crate::cloud::Cloud;
use crate::settings::Settings;
use crate::ui::{BOLD, DIM};

impl StackSetFound {
    pub(super) fn holds(&self) -> String {
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
pub(in super::super) fn plan_text(settings: &Settings, cloud: &Cloud, found: &Found) -> String {
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
    pub(super) fn text(&self, environment: &str, place: &str, region: &str) -> String {
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
            for bucket in &set.buckets {
                let holds = contents_text(&bucket.holds, Some(bucket.bytes));
                lines.push(format!(
                    "    AWS::S3::Bucket{} {DIM}{}{DIM:#}: {holds}",
                    elsewhere(&bucket.region, region),
                    bucket.name
                ));
            }
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
pub(in super::super) fn proof_text(document: &Document) -> String {
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
