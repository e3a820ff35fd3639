//! What changes in stacks, as a person, a machine or a pull request reads it.
//!
//! One report, three renders: `serde` writes it for machines, [`text()`] for a terminal, [`markdown()`] for a pull request.
//! The last two draw the same [`document`]. docs/plan.md describes the JSON.

mod document;
mod markdown;
#[cfg(test)]
mod tests;
mod text;
mod value;

use serde::Serialize;
use stackway_infra::flow::{AllowReplace, Guarded};
use stackway_infra::stack::{Access, Action, Replacement, StackChanges};

use crate::pricing::{PlanCost, StackCost};
use crate::stack_sets::StackSetReport;

pub(crate) use markdown::markdown;
pub(crate) use text::{stack_text, text};

/// What a plan or a comparison found.
#[derive(Debug, Serialize)]
pub(crate) struct ChangeReport {
    pub(crate) environment: String,
    pub(crate) region: String,
    /// What was compared, such as `the work tree with HEAD`.
    pub(crate) compared: String,
    pub(crate) stacks: Vec<StackReport>,
    /// Where the stacks that are rolled out as stack sets stand, and are wanted.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) stack_sets: Vec<StackSetReport>,
    pub(crate) summary: Summary,
    /// What it adds to a month; `None` where that was not asked for, or could not be told.
    pub(crate) cost: Option<PlanCost>,
}

/// One stack of a [`ChangeReport`].
#[derive(Debug, Serialize)]
pub(crate) struct StackReport {
    /// Its name in the project.
    pub(crate) stack: String,
    /// Its name in CloudFormation.
    pub(crate) stack_name: String,
    pub(crate) verdict: Verdict,
    /// Where the changes were read from.
    pub(crate) source: Source,
    /// What a reader should know of it.
    pub(crate) notes: Vec<String>,
    pub(crate) counts: Counts,
    /// Resources whose loss stops a deploy.
    pub(crate) guarded: Vec<GuardedReport>,
    /// Permissions and network rules that are given and taken.
    pub(crate) access: Vec<Access>,
    /// What it adds to a month, where that is told.
    pub(crate) cost: Option<StackCost>,
    #[serde(flatten)]
    pub(crate) changes: StackChanges,
}

/// What happens to a stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Verdict {
    /// It is made.
    New,
    /// It is changed.
    Update,
    /// It stays as it is.
    Unchanged,
    /// It could not be planned.
    Failed,
    /// Somebody else deploys it.
    LeftOut,
}

/// Where changes were read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Source {
    /// CloudFormation's change set.
    ChangeSet,
    /// The templates alone.
    Templates,
}

/// How many resources meet what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Counts {
    pub(crate) add: usize,
    pub(crate) change: usize,
    pub(crate) replace: usize,
    pub(crate) may_replace: usize,
    pub(crate) remove: usize,
    pub(crate) import: usize,
    /// Resources of which the stack's tags alone change.
    pub(crate) retag: usize,
}

/// All of it in numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Summary {
    pub(crate) new: usize,
    pub(crate) update: usize,
    pub(crate) unchanged: usize,
    pub(crate) failed: usize,
    pub(crate) left_out: usize,
    pub(crate) resources: Counts,
}

/// A resource whose loss stops a deploy.
#[derive(Debug, Serialize)]
pub(crate) struct GuardedReport {
    pub(crate) logical_id: String,
    pub(crate) resource_type: String,
    /// Such as `would be replaced`.
    pub(crate) loss: &'static str,
    /// What becomes of it, such as `kept, outside of the stack`.
    pub(crate) fate: Option<&'static str>,
    pub(crate) causes: Vec<String>,
}

impl GuardedReport {
    pub(crate) fn of(guarded: &Guarded) -> Self {
        Self {
            logical_id: guarded.logical_id.clone(),
            resource_type: guarded.resource_type.clone(),
            loss: guarded.loss.verb(),
            fate: guarded.fate,
            causes: guarded.causes.clone(),
        }
    }

    /// In a line.
    pub(crate) fn sentence(&self) -> String {
        let fate = self
            .fate
            .map(|fate| format!("; what is there is {fate}"))
            .unwrap_or_default();
        format!(
            "{} ({}) {}{fate}",
            self.logical_id, self.resource_type, self.loss
        )
    }
}

impl Counts {
    fn of(changes: &StackChanges) -> Self {
        let mut counts = Self::default();
        for change in &changes.resources {
            let count = match (&change.action, change.replacement) {
                (Action::Add, _) => &mut counts.add,
                (Action::Remove, _) => &mut counts.remove,
                (Action::Import, _) => &mut counts.import,
                (Action::Modify, Replacement::Always) => &mut counts.replace,
                (Action::Modify, Replacement::Conditional) => &mut counts.may_replace,
                _ if change.is_tags_alone() => &mut counts.retag,
                _ => &mut counts.change,
            };
            *count += 1;
        }
        counts
    }

    fn plus(self, other: Self) -> Self {
        Self {
            add: self.add + other.add,
            change: self.change + other.change,
            replace: self.replace + other.replace,
            may_replace: self.may_replace + other.may_replace,
            remove: self.remove + other.remove,
            import: self.import + other.import,
            retag: self.retag + other.retag,
        }
    }

    /// In a line, without what is seldom and none.
    pub(crate) fn sentence(self) -> String {
        let mut parts = vec![format!(
            "{} to add, {} to change, {} to replace",
            self.add, self.change, self.replace
        )];
        if self.may_replace > 0 {
            parts.push(format!("{} that may be replaced", self.may_replace));
        }
        parts.push(format!("{} to remove", self.remove));
        if self.import > 0 {
            parts.push(format!("{} to import", self.import));
        }
        if self.retag > 0 {
            parts.push(format!("{} to tag", self.retag));
        }
        parts.join(", ")
    }
}

impl StackReport {
    /// A stack with its changes.
    pub(crate) fn new(
        stack: &str,
        stack_name: &str,
        source: Source,
        changes: StackChanges,
    ) -> Self {
        let verdict = match (changes.is_new, changes.is_empty()) {
            (true, _) => Verdict::New,
            (false, true) => Verdict::Unchanged,
            (false, false) => Verdict::Update,
        };
        let guarded = Guarded::all(stack, &changes, &AllowReplace::default());
        Self {
            stack: stack.to_owned(),
            stack_name: stack_name.to_owned(),
            verdict,
            source,
            notes: Vec::new(),
            counts: Counts::of(&changes),
            guarded: guarded.iter().map(GuardedReport::of).collect(),
            access: changes
                .resources
                .iter()
                .flat_map(stackway_infra::stack::ResourceChange::access)
                .collect(),
            cost: None,
            changes,
        }
    }

    /// A stack of which nothing is planned.
    pub(crate) fn without_changes(
        stack: &str,
        stack_name: &str,
        verdict: Verdict,
        note: Option<String>,
    ) -> Self {
        let mut report = Self::new(
            stack,
            stack_name,
            Source::ChangeSet,
            StackChanges::default(),
        );
        report.verdict = verdict;
        report.notes.extend(note);
        report
    }
}

impl ChangeReport {
    /// Tells what the plan adds to a month, beside each stack that it knows of and in all.
    pub(crate) fn with_cost(mut self, cost: PlanCost) -> Self {
        for stack in &mut self.stacks {
            if !matches!(stack.verdict, Verdict::Failed | Verdict::LeftOut) {
                stack.cost = cost.of_stack(&stack.stack);
            }
        }
        self.cost = Some(cost);
        self
    }

    /// The stack's cost in lines: what it adds, and what has no price. None where it stays as it is and costs the same.
    fn cost_lines(&self, stack: &StackReport) -> Vec<String> {
        let (Some(all), Some(cost)) = (&self.cost, &stack.cost) else {
            return Vec::new();
        };
        if stack.verdict == Verdict::Unchanged && cost.month.is_none() {
            return Vec::new();
        }
        let mut lines = vec![format!("cost: {}", cost.month.phrase(&all.currency))];
        lines.extend((cost.not_priced.iter()).map(|missing| format!("not priced: {missing}")));
        lines
    }
}

impl Summary {
    pub(crate) fn of(stacks: &[StackReport]) -> Self {
        let mut summary = Self::default();
        for stack in stacks {
            let count = match stack.verdict {
                Verdict::New => &mut summary.new,
                Verdict::Update => &mut summary.update,
                Verdict::Unchanged => &mut summary.unchanged,
                Verdict::Failed => &mut summary.failed,
                Verdict::LeftOut => &mut summary.left_out,
            };
            *count += 1;
            summary.resources = summary.resources.plus(stack.counts);
        }
        summary
    }

    /// In a line.
    pub(crate) fn sentence(&self) -> String {
        let stacks = [
            (self.new, "new"),
            (self.update, "to update"),
            (self.unchanged, "unchanged"),
            (self.failed, "that cannot be planned"),
            (self.left_out, "left out"),
        ];
        let parts: Vec<_> = stacks
            .iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, what)| format!("{count} {what}"))
            .collect();
        format!(
            "stacks: {}; resources: {}",
            parts.join(", "),
            self.resources.sentence()
        )
    }
}
