//! Shows what a flow does: a spinner a stack on a terminal, plain lines elsewhere.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use anstyle::Style;
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use stackway_infra::flow::{Observer, Progress, Removal};
use stackway_infra::stack::StackEvent;

use crate::change_report::{Source, StackReport, stack_text};
use crate::ui::{BAD, BUSY, DIM, GOOD, Ui};

/// An [`Observer`] that talks to the person.
pub(crate) struct Display<'a> {
    ui: &'a Ui,
    done: &'static str,
    bars: Option<MultiProgress>,
    stacks: Mutex<BTreeMap<String, (Instant, Option<ProgressBar>)>>,
}

impl<'a> Display<'a> {
    /// `done` says what has happened to a stack at its end, such as `deployed`.
    pub(crate) fn new(ui: &'a Ui, done: &'static str) -> Self {
        Self {
            ui,
            done,
            bars: ui.draws().then(MultiProgress::new),
            stacks: Mutex::default(),
        }
    }

    fn line(&self, text: &str) {
        match &self.bars {
            // A drawn bar must not be written through.
            Some(bars) => bars.suspend(|| self.ui.say(text)),
            None => self.ui.say(text),
        }
    }

    fn begin(&self, stack: &str) {
        let bar = self.bars.as_ref().map(|bars| {
            let style = ProgressStyle::with_template("{spinner} {prefix:<12} {wide_msg} {elapsed}")
                .unwrap_or_else(|_| ProgressStyle::default_spinner());
            let bar = bars.add(
                ProgressBar::new_spinner()
                    .with_style(style)
                    .with_prefix(stack.to_owned()),
            );
            bar.enable_steady_tick(Duration::from_millis(120));
            bar.set_message("looking at the stack");
            bar
        });
        if let Ok(mut stacks) = self.stacks.lock() {
            stacks.insert(stack.to_owned(), (Instant::now(), bar));
        }
    }

    fn message(&self, stack: &str, message: String) {
        if let Ok(stacks) = self.stacks.lock()
            && let Some((_, Some(bar))) = stacks.get(stack)
        {
            bar.set_message(message);
        }
    }

    fn end(&self, stack: &str, style: Style, what: &str) {
        let entry = self
            .stacks
            .lock()
            .ok()
            .and_then(|mut stacks| stacks.remove(stack));
        let seconds = entry
            .as_ref()
            .map_or(0.0, |(start, _)| start.elapsed().as_secs_f32());
        if let Some((_, Some(bar))) = entry {
            bar.finish_and_clear();
        }
        self.line(&format!(
            "{stack:<12} {style}{what}{style:#} {DIM}in {seconds:.1} s{DIM:#}"
        ));
    }

    /// Takes away what is drawn; called before anything else is said.
    pub(crate) fn clear(&self) {
        if let Some(bars) = &self.bars {
            let _ = bars.clear();
        }
    }
}

impl Observer for Display<'_> {
    fn observe(&self, stack: &str, progress: &Progress) {
        match progress {
            Progress::Started => self.begin(stack),
            Progress::Waiting { status } => {
                self.line(&format!(
                    "{stack:<12} is in {status}: waiting for that operation to end"
                ));
            }
            Progress::Adopted => self.line(&format!(
                "{stack:<12} goes on with the change set that an earlier run made of the same content"
            )),
            Progress::Removing { status } => self.line(&format!(
                "{stack:<12} {BUSY}removing it{BUSY:#}: nothing else gets it out of {status}"
            )),
            Progress::Undoing { skip } => {
                let skipped = match skip.as_slice() {
                    [] => String::new(),
                    skip => format!("; {} stay as they are", skip.join(", ")),
                };
                self.line(&format!(
                    "{stack:<12} {BUSY}undoing{BUSY:#} what is left of the last update{skipped}"
                ));
            }
            Progress::Cancelled => self.line(&format!(
                "{stack:<12} {BUSY}cancelled{BUSY:#}: CloudFormation rolls the update back; Ctrl-C again leaves it to that"
            )),
            Progress::GoesOn { status } => self.line(&format!(
                "{stack:<12} is in {status}, which cannot be cancelled: it goes on to its end; Ctrl-C again leaves it to that"
            )),
            Progress::Protected => self.line(&format!(
                "{stack:<12} protected: it cannot be deleted, nor what holds data replaced or removed"
            )),
            Progress::ChangeSet(changes) => {
                let changes = changes.as_ref().clone();
                let mut report = StackReport::new(stack, "", Source::ChangeSet, changes);
                // The deploy itself says where it stops, and what was allowed.
                report.guarded.clear();
                self.line(&stack_text(&report, self.ui.is_verbose()));
            }
            Progress::Event(event) => {
                self.line(&event_line(stack, event));
                self.message(stack, format!("{} {}", event.logical_id, event.status));
            }
            Progress::Emptied { bucket, objects } => {
                self.line(&format!(
                    "{stack:<12} emptied bucket {bucket}: {objects} objects and versions"
                ));
            }
            Progress::Removal(removal) => {
                self.line(&format!("{stack:<12} {}", removal_line(removal)));
            }
            Progress::NoChanges => self.end(stack, DIM, "no changes"),
            Progress::Done => self.end(stack, GOOD, self.done),
        }
    }
}

fn removal_line(removal: &Removal) -> String {
    match removal {
        Removal::ProtectionLifted => "termination protection is switched off".to_owned(),
        Removal::TableProtectionLifted { table } => {
            format!("deletion protection of table {table} is switched off")
        }
        Removal::PipelineStopped { executions } => {
            format!("closed every stage and stopped {executions} executions")
        }
        Removal::ImagesDeleted { repository, images } => {
            format!("emptied repository {repository}: {images} images")
        }
        Removal::Repeated { resources } => format!(
            "could not delete {}: removing what stands in the way, then again",
            resources.join(", ")
        ),
        Removal::Forced { resources } => {
            format!("deleted by force; these stay: {}", resources.join(", "))
        }
        Removal::Gone(kind) => format!("{} removed", kind.singular()),
        Removal::Scheduled { kind, days } => format!(
            "{} is deleted in {days} days; until then that can be called off",
            kind.singular()
        ),
    }
}

fn event_line(stack: &str, event: &StackEvent) -> String {
    let style = status_style(&event.status);
    let time = event.timestamp.time();
    let mut line = format!(
        "{stack:<12} {DIM}{:02}:{:02}:{:02}{DIM:#} {style}{:<28}{style:#} {} {DIM}{}{DIM:#}",
        time.hour(),
        time.minute(),
        time.second(),
        event.status,
        event.logical_id,
        event.resource_type
    );
    if let Some(reason) = &event.reason {
        line += &[": ", reason].concat();
    }
    line
}

/// The colour of a resource's or a stack's status: by its outcome.
pub(crate) fn status_style(status: &str) -> Style {
    if status.contains("FAILED") || status.contains("ROLLBACK") {
        BAD
    } else if status.ends_with("COMPLETE") {
        GOOD
    } else {
        BUSY
    }
}
