//! What a roll-out would do, pair by pair, as a person, a machine or a pull request reads it.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use anstyle::Style;
use serde::Serialize;
use stackway_infra::flow::roll_out::{RollOutPlan, WantedStackSet};
use stackway_infra::stack_set::{
    ConcurrencyMode, Pair, Permissions, RegionConcurrency, UpdateCause, steps,
};

use super::display::planned;
use crate::change_report::GuardedReport;
use crate::ui::{BAD, BOLD, BUSY, DIM, GOOD};

/// One stack set of a plan.
#[derive(Debug, Serialize)]
pub(crate) struct StackSetReport {
    /// Its stack's name in the project.
    pub(crate) stack: String,
    /// Its name in CloudFormation.
    pub(crate) stack_set: String,
    /// `new`, `update` or `unchanged`.
    pub(crate) verdict: &'static str,
    /// Who makes its stacks, and how operations go over them.
    pub(crate) how: Vec<String>,
    /// What the set is made from that changes.
    pub(crate) changes: Vec<String>,
    /// Every account or unit with each region, in that order.
    pub(crate) pairs: Vec<PairReport>,
    /// The operations, in their order.
    pub(crate) operations: Vec<StepReport>,
    /// Resources whose loss stops the roll-out.
    pub(crate) guarded: Vec<GuardedReport>,
    /// What a reader should know of it.
    pub(crate) notes: Vec<String>,
    /// In a line.
    pub(crate) summary: String,
}

/// What becomes of a pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum PairAction {
    /// It is made.
    Create,
    /// It is updated.
    Update,
    /// It is updated, as its stack is behind.
    Outdated,
    /// It goes, with its stack.
    Delete,
    /// It stays as it is.
    Leave,
    /// It takes no operation until somebody acts.
    Inoperable,
}

impl PairAction {
    fn name(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Outdated => "outdated",
            Self::Delete => "delete",
            Self::Leave => "leave",
            Self::Inoperable => "inoperable",
        }
    }

    fn sign(self) -> (&'static str, Style) {
        match self {
            Self::Create => ("+", GOOD),
            Self::Update | Self::Outdated => ("~", BUSY),
            Self::Delete => ("-", BAD),
            Self::Leave => ("=", DIM),
            Self::Inoperable => ("!", BAD),
        }
    }
}

/// One pair of a [`StackSetReport`].
#[derive(Debug, Serialize)]
pub(crate) struct PairReport {
    /// The account, or the organizational unit.
    pub(crate) place: String,
    pub(crate) region: String,
    pub(crate) action: PairAction,
    /// Why, where that does not follow from the action.
    pub(crate) why: Option<String>,
}

/// One operation of a [`StackSetReport`].
#[derive(Debug, Serialize)]
pub(crate) struct StepReport {
    pub(crate) action: String,
    /// The accounts or units; empty: whatever there is.
    pub(crate) places: Vec<String>,
    pub(crate) regions: Vec<String>,
}

impl StackSetReport {
    pub(crate) fn new(plan: &RollOutPlan, wanted: &WantedStackSet, notes: Vec<String>) -> Self {
        let verdict = match (&plan.set_id, plan.is_empty()) {
            (None, _) => "new",
            (Some(_), true) => "unchanged",
            (Some(_), false) => "update",
        };
        let mut notes = notes;
        if let Some(operation) = &plan.in_flight {
            notes.push(format!(
                "{} is {} ({}): it has its turn first, and the plan may change with it",
                operation.action, operation.status, operation.id
            ));
        }
        let operations = if verdict == "unchanged" {
            Vec::new()
        } else {
            steps(&plan.pairs, &plan.changes)
        };
        let operations = operations.iter().map(|step| {
            let on = step.on();
            StepReport {
                action: step.action().to_string(),
                places: on.iter().flat_map(|on| on.places.iter().cloned()).collect(),
                regions: on
                    .iter()
                    .flat_map(|on| on.regions.iter().cloned())
                    .collect(),
            }
        });
        Self {
            stack: wanted.stack.clone(),
            stack_set: wanted.address.name.clone(),
            verdict,
            how: how(wanted),
            changes: plan.changes.iter().map(ToString::to_string).collect(),
            pairs: pairs(plan),
            operations: operations.collect(),
            guarded: plan.losses(wanted).iter().map(GuardedReport::of).collect(),
            notes,
            summary: planned(plan),
        }
    }

    /// The pairs of one place that meet the same, together: action, place, why, regions.
    fn lines(&self) -> Vec<(PairAction, &str, Option<&str>, String)> {
        let mut together: BTreeMap<_, Vec<&str>> = BTreeMap::new();
        for pair in &self.pairs {
            together
                .entry((pair.action, pair.place.as_str(), pair.why.as_deref()))
                .or_default()
                .push(&pair.region);
        }
        together
            .into_iter()
            .map(|((action, place, why), regions)| (action, place, why, regions.join(" ")))
            .collect()
    }
}

fn pairs(plan: &RollOutPlan) -> Vec<PairReport> {
    let row = |pair: &Pair, action, why| PairReport {
        place: pair.place.clone(),
        region: pair.region.clone(),
        action,
        why,
    };
    let of = &plan.pairs;
    let create = of
        .create
        .iter()
        .map(|(pair, why)| row(pair, PairAction::Create, why.clone()));
    let update = of.update.iter().map(|(pair, cause)| match cause {
        UpdateCause::Definition => row(pair, PairAction::Update, None),
        UpdateCause::Overrides => row(
            pair,
            PairAction::Update,
            Some("other values of its own".to_owned()),
        ),
        UpdateCause::Outdated(why) => row(pair, PairAction::Outdated, Some(why.clone())),
    });
    let delete = of
        .delete
        .iter()
        .map(|pair| row(pair, PairAction::Delete, None));
    let leave = of
        .leave
        .iter()
        .map(|pair| row(pair, PairAction::Leave, None));
    let stuck = of
        .stuck
        .iter()
        .map(|(pair, why)| row(pair, PairAction::Inoperable, Some(why.clone())));
    let mut pairs: Vec<_> = create
        .chain(update)
        .chain(delete)
        .chain(leave)
        .chain(stuck)
        .collect();
    pairs.sort_by(|a, b| (&a.place, &a.region).cmp(&(&b.place, &b.region)));
    pairs
}

fn how(wanted: &WantedStackSet) -> Vec<String> {
    let mut how = vec![match &wanted.definition.permissions {
        Permissions::SelfManaged {
            administration_role,
            execution_role,
        } => {
            format!("self-managed: {administration_role} takes `{execution_role}` in each account")
        }
        Permissions::ServiceManaged(auto) => format!(
            "service-managed, called as {}; auto-deployment {}",
            wanted.address.call_as,
            match (auto.enabled, auto.retain_on_removal) {
                (false, _) => "off",
                (true, true) => "on, and an account that leaves keeps its stack",
                (true, false) => "on, and an account that leaves loses its stack",
            }
        ),
    }];
    let preferences = &wanted.preferences;
    let mut over = format!(
        "{} at once ({}), {} may fail in a region; regions {}",
        preferences.max_concurrent,
        match preferences.concurrency_mode {
            ConcurrencyMode::Strict => "strict",
            ConcurrencyMode::Soft => "soft",
        },
        preferences.failure_tolerance,
        match preferences.region_concurrency {
            RegionConcurrency::Sequential => "one after another",
            RegionConcurrency::Parallel => "all at once",
        },
    );
    if !preferences.region_order.is_empty() {
        let _ = write!(over, ", first {}", preferences.region_order.join(", "));
    }
    how.push(over);
    how
}

/// The report for a terminal, without a line's end after it.
pub(crate) fn report_text(report: &StackSetReport) -> String {
    let style = match report.verdict {
        "new" => GOOD,
        "update" => BUSY,
        _ => DIM,
    };
    let mut text = format!(
        "{BOLD}{}{BOLD:#}  {style}stack set, {}{style:#}  {DIM}{}{DIM:#}",
        report.stack, report.verdict, report.stack_set
    );
    for line in report.how.iter().chain(&report.notes) {
        let _ = write!(text, "\n  {line}");
    }
    for (action, place, why, regions) in report.lines() {
        let (sign, style) = action.sign();
        let _ = write!(
            text,
            "\n    {style}{sign} {:<10}{style:#} {place}  {regions}",
            action.name()
        );
        if let Some(why) = why {
            let _ = write!(text, "  {DIM}{why}{DIM:#}");
        }
    }
    for guarded in &report.guarded {
        let _ = write!(
            text,
            "\n  {BAD}stops the roll-out:{BAD:#} {}",
            guarded.sentence()
        );
        for cause in &guarded.causes {
            let _ = write!(text, "\n    {cause}");
        }
    }
    for (number, step) in report.operations.iter().enumerate() {
        let _ = write!(text, "\n  {}. {}", number + 1, step_text(step));
    }
    let _ = write!(text, "\n  {}", report.summary);
    text
}

fn step_text(step: &StepReport) -> String {
    if step.places.is_empty() {
        return format!("{} of the set", step.action);
    }
    format!(
        "{} {} in {}",
        step.action,
        step.places.join(" "),
        step.regions.join(" ")
    )
}

/// The report as GitHub's markdown.
pub(crate) fn report_markdown(report: &StackSetReport) -> String {
    let mut text = format!(
        "\n### {}: stack set, {}\n\n`{}`: {}\n\n",
        report.stack, report.verdict, report.stack_set, report.summary
    );
    for note in &report.notes {
        let _ = writeln!(text, "- {note}");
    }
    for guarded in &report.guarded {
        let _ = writeln!(
            text,
            "- **stops the roll-out**: {} ({})",
            guarded.sentence(),
            guarded.causes.join("; ")
        );
    }
    text += "\n| plan | account or unit | regions | why |\n| --- | --- | --- | --- |\n";
    for (action, place, why, regions) in report.lines() {
        let _ = writeln!(
            text,
            "| {} | {place} | {regions} | {} |",
            action.name(),
            why.unwrap_or_default()
                .replace('|', "\\|")
                .replace('\n', " ")
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> StackSetReport {
        let pair = |place: &str, region: &str, action, why: Option<&str>| PairReport {
            place: place.to_owned(),
            region: region.to_owned(),
            action,
            why: why.map(str::to_owned),
        };
        let both = ["eu-west-1", "eu-west-2"];
        let of = |place, action| both.map(|region| pair(place, region, action, None));
        let mut pairs = Vec::new();
        pairs.extend(of("111111111111", PairAction::Leave));
        pairs.extend(of("222222222222", PairAction::Update));
        pairs.extend(of("333333333333", PairAction::Create));
        pairs.extend(of("444444444444", PairAction::Delete));
        pairs.push(pair(
            "555555555555",
            "eu-west-1",
            PairAction::Outdated,
            Some("FAILED: a table of this name exists"),
        ));
        pairs.push(pair(
            "555555555555",
            "eu-west-2",
            PairAction::Inoperable,
            Some("INOPERABLE: the role cannot be assumed"),
        ));
        StackSetReport {
            stack: "table".to_owned(),
            stack_set: "stackway-eu-west-2-dev-table".to_owned(),
            verdict: "update",
            how: vec!["self-managed".to_owned()],
            changes: vec!["template".to_owned()],
            pairs,
            operations: vec![
                StepReport {
                    action: "UPDATE".to_owned(),
                    places: vec!["222222222222".to_owned()],
                    regions: both.map(str::to_owned).to_vec(),
                },
                StepReport {
                    action: "UPDATE".to_owned(),
                    places: Vec::new(),
                    regions: Vec::new(),
                },
            ],
            guarded: vec![GuardedReport {
                logical_id: "Table".to_owned(),
                resource_type: "AWS::DynamoDB::Table".to_owned(),
                loss: "would be removed",
                fate: Some("deleted with its data"),
                causes: vec!["instances go: 444444444444/eu-west-1".to_owned()],
            }],
            notes: vec!["TableName is known once `table` stands".to_owned()],
            summary: "instances: 2 to create".to_owned(),
        }
    }

    #[test]
    fn every_pair_is_told_by_what_becomes_of_it() {
        let text = anstream::adapter::strip_str(&report_text(&report())).to_string();
        insta::assert_snapshot!([text, report_markdown(&report())].join("\n---\n"));
    }
}
