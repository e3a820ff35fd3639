//! Shows a roll-out by account and region: bars on a terminal, plain lines elsewhere.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use stackway_infra::flow::roll_out::{RollOutObserver, RollOutPlan, RollOutProgress};
use stackway_infra::stack_set::{OperationResult, Pair, ResultStatus};

use crate::progress::status_style;
use crate::ui::{BUSY, DIM, GOOD, Ui};

/// The most bars of instances that are drawn at once.
const BARS: usize = 10;

/// A [`RollOutObserver`] that talks to the person.
pub(crate) struct RollOutDisplay<'a> {
    ui: &'a Ui,
    label: &'a str,
    done: &'static str,
    start: Instant,
    bars: Option<MultiProgress>,
    state: Mutex<Drawn>,
}

/// What is drawn at the moment.
#[derive(Default)]
struct Drawn {
    /// How far the operation is over all its instances.
    whole: Option<ProgressBar>,
    /// The instances under way.
    running: BTreeMap<Pair, ProgressBar>,
}

impl<'a> RollOutDisplay<'a> {
    /// `label` is what the set is called here; `done` says what has happened to it at its end.
    pub(crate) fn new(ui: &'a Ui, label: &'a str, done: &'static str) -> Self {
        Self {
            ui,
            label,
            done,
            start: Instant::now(),
            bars: ui.draws().then(MultiProgress::new),
            state: Mutex::default(),
        }
    }

    fn line(&self, text: &str) {
        let text = format!("{:<12} {text}", self.label);
        match &self.bars {
            // A drawn bar must not be written through.
            Some(bars) => bars.suspend(|| self.ui.say(text)),
            None => self.ui.say(text),
        }
    }

    fn drawn(&self) -> std::sync::MutexGuard<'_, Drawn> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A bar for an operation on so many instances.
    fn begin(&self, what: &str, instances: Option<usize>) {
        let Some(bars) = &self.bars else { return };
        let bar = match instances {
            Some(count) => ProgressBar::new(count as u64).with_style(
                ProgressStyle::with_template("{prefix:<12} {msg} {bar:30} {pos}/{len} {elapsed}")
                    .unwrap_or_else(|_| ProgressStyle::default_bar()),
            ),
            None => ProgressBar::new_spinner().with_style(
                ProgressStyle::with_template("{prefix:<12} {spinner} {msg} {pos} {elapsed}")
                    .unwrap_or_else(|_| ProgressStyle::default_spinner()),
            ),
        };
        let bar = bars.add(
            bar.with_prefix(self.label.to_owned())
                .with_message(what.to_owned()),
        );
        bar.enable_steady_tick(Duration::from_millis(120));
        if let Some(before) = self.drawn().whole.replace(bar) {
            before.finish_and_clear();
        }
    }

    fn instance(&self, result: &OperationResult) {
        let OperationResult {
            pair,
            status,
            reason,
        } = result;
        let is_failure = matches!(status, ResultStatus::Failed | ResultStatus::Cancelled);
        // What waits is drawn by the whole, and would be a line an instance here.
        if *status != ResultStatus::Pending && (self.bars.is_none() || status.is_final()) {
            let style = status_style(status.as_str());
            let reason = match reason {
                Some(reason) if is_failure => format!(": {reason}"),
                _ => String::new(),
            };
            self.line(&format!(
                "{} {:<14} {style}{status}{style:#}{reason}",
                pair.place, pair.region
            ));
        }
        let Some(bars) = &self.bars else { return };
        let mut drawn = self.drawn();
        if status.is_final() {
            if let Some(bar) = drawn.running.remove(pair) {
                bar.finish_and_clear();
            }
            if let Some(whole) = &drawn.whole {
                whole.inc(1);
            }
        } else if *status == ResultStatus::Running && drawn.running.len() < BARS {
            let style = ProgressStyle::with_template("  {spinner} {prefix} {msg} {elapsed}")
                .unwrap_or_else(|_| ProgressStyle::default_spinner());
            let bar = bars.add(
                ProgressBar::new_spinner()
                    .with_style(style)
                    .with_prefix(format!("{} {:<14}", pair.place, pair.region))
                    .with_message(status.as_str().to_owned()),
            );
            bar.enable_steady_tick(Duration::from_millis(120));
            drawn.running.insert(pair.clone(), bar);
        }
    }

    /// Takes away what is drawn; called before anything else is said.
    pub(crate) fn clear(&self) {
        let drawn = std::mem::take(&mut *self.drawn());
        for bar in drawn.running.into_values().chain(drawn.whole) {
            bar.finish_and_clear();
        }
        if let Some(bars) = &self.bars {
            let _ = bars.clear();
        }
    }
}

impl RollOutObserver for RollOutDisplay<'_> {
    fn observe_roll_out(&self, _: &str, progress: &RollOutProgress) {
        let seconds = || self.start.elapsed().as_secs_f32();
        match progress {
            RollOutProgress::Started => self.begin("looking at the stack set", None),
            RollOutProgress::Waiting { operation, own } => {
                let whose = if *own {
                    "of an earlier run"
                } else {
                    "of somebody else"
                };
                self.line(&format!(
                    "{BUSY}{}{BUSY:#} {whose} is {}: waiting for it to end ({})",
                    operation.action, operation.status, operation.id
                ));
                self.begin("waiting", None);
            }
            RollOutProgress::Planned(plan) => self.line(&planned(plan)),
            RollOutProgress::Began {
                action,
                operation,
                instances,
            } => {
                let count = match instances {
                    Some(1) => " of 1 instance".to_owned(),
                    Some(count) => format!(" of {count} instances"),
                    None => String::new(),
                };
                self.line(&format!(
                    "{BUSY}{action}{BUSY:#}{count} begins {DIM}{operation}{DIM:#}"
                ));
                self.begin(action.as_str(), *instances);
            }
            RollOutProgress::Instance(result) => self.instance(result),
            RollOutProgress::Ended(operation) => {
                let style = status_style(operation.status.as_str());
                self.line(&format!(
                    "{} {style}{}{style:#} {DIM}after {:.1} s{DIM:#}",
                    operation.action,
                    operation.status,
                    seconds()
                ));
            }
            RollOutProgress::NoChanges => {
                self.clear();
                self.line(&format!("{DIM}no changes in {:.1} s{DIM:#}", seconds()));
            }
            RollOutProgress::Done => {
                self.clear();
                self.line(&format!(
                    "{GOOD}{}{GOOD:#} {DIM}in {:.1} s{DIM:#}",
                    self.done,
                    seconds()
                ));
            }
        }
    }
}

/// A plan in a line.
pub(super) fn planned(plan: &RollOutPlan) -> String {
    let pairs = &plan.pairs;
    let mut text = format!(
        "instances: {} to create, {} to update, {} to delete, {} to leave",
        pairs.create.len(),
        pairs.update.len(),
        pairs.delete.len(),
        pairs.leave.len()
    );
    if !pairs.stuck.is_empty() {
        let _ = write!(text, ", {} that take no operation", pairs.stuck.len());
    }
    if !plan.changes.is_empty() {
        let changes: Vec<_> = plan.changes.iter().map(ToString::to_string).collect();
        let _ = write!(text, "; the set's {} change", changes.join(", "));
    }
    text
}
