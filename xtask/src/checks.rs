//! Checks of the tree: run one after the other, each passed, failed or skipped by name, and told at the end.

use std::future::Future;
use std::time::{Duration, Instant};

use serde::Serialize;
use stackway_local_cloud::{PythonTools, Requirements};

use crate::cloud::emulator_failure;
use crate::failure::{Failure, Kind};
use crate::project::Project;
use crate::ui::{BAD, BUSY, DIM, GOOD, Ui};

/// How a check ended.
#[derive(Clone, Debug)]
pub(crate) enum Outcome {
    Passed,
    Failed(Failure),
    Skipped(String),
}

#[derive(Clone, Debug, Serialize)]
struct Line {
    check: &'static str,
    result: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    seconds: f32,
}

/// The checks of one run.
pub(crate) struct Checks<'a> {
    ui: &'a Ui,
    only: &'a [String],
    lines: Vec<Line>,
}

impl<'a> Checks<'a> {
    /// `known` are all names; `only` those to run, or all where it is empty.
    pub(crate) fn new(ui: &'a Ui, known: &[&str], only: &'a [String]) -> Result<Self, Failure> {
        match only.iter().find(|name| !known.contains(&name.as_str())) {
            None => Ok(Self {
                ui,
                only,
                lines: Vec::new(),
            }),
            Some(name) => Err(Failure::new(
                Kind::Configuration,
                format!("no check is called `{name}`"),
            )
            .hint(format!("the checks are: {}", known.join(", ")))),
        }
    }

    /// Runs a check if it was asked for. One that fails does not stop the next: a person wants to see all of them.
    pub(crate) async fn run(
        &mut self,
        name: &'static str,
        what: &str,
        check: impl Future<Output = Outcome>,
    ) {
        if !self.only.is_empty() && !self.only.iter().any(|only| only == name) {
            return;
        }
        self.ui.say(format!("{name:<14} {DIM}{what}{DIM:#}"));
        let start = Instant::now();
        let outcome = check.await;
        self.record(name, outcome, start.elapsed());
    }

    fn record(&mut self, name: &'static str, outcome: Outcome, elapsed: Duration) {
        let seconds = elapsed.as_secs_f32();
        let (result, reason) = match outcome {
            Outcome::Passed => {
                self.ui.say(format!(
                    "{name:<14} {GOOD}passed{GOOD:#} {DIM}in {seconds:.1} s{DIM:#}"
                ));
                ("passed", None)
            }
            Outcome::Failed(failure) => {
                self.ui.failure(&failure);
                self.ui.say(format!(
                    "{name:<14} {BAD}failed{BAD:#} {DIM}in {seconds:.1} s{DIM:#}"
                ));
                ("failed", Some(failure.message))
            }
            Outcome::Skipped(reason) => {
                self.ui
                    .say(format!("{name:<14} {BUSY}skipped{BUSY:#}: {reason}"));
                ("skipped", Some(reason))
            }
        };
        self.lines.push(Line {
            check: name,
            result,
            reason,
            seconds,
        });
    }

    /// Tells what ran, what was skipped and why; fails if a check did.
    pub(crate) fn finish(self) -> Result<(), Failure> {
        let count = |result| {
            self.lines
                .iter()
                .filter(|line| line.result == result)
                .count()
        };
        let (passed, failed, skipped) = (count("passed"), count("failed"), count("skipped"));
        if self.ui.is_json() {
            self.ui.json(&self.lines);
        } else {
            self.ui.data("");
            for line in &self.lines {
                let reason = line
                    .reason
                    .as_ref()
                    .map(|reason| format!(": {reason}"))
                    .unwrap_or_default();
                self.ui.data(format!(
                    "  {:<14} {} in {:.1} s{reason}",
                    line.check, line.result, line.seconds
                ));
            }
            self.ui.data(format!(
                "{passed} passed, {failed} failed, {skipped} skipped"
            ));
        }
        if failed == 0 {
            return Ok(());
        }
        let names: Vec<_> = self
            .lines
            .iter()
            .filter(|l| l.result == "failed")
            .map(|l| l.check)
            .collect();
        Err(Failure::new(
            Kind::Check,
            format!(
                "{failed} of {} checks failed: {}",
                self.lines.len(),
                names.join(", ")
            ),
        ))
    }
}

impl From<Result<(), Failure>> for Outcome {
    fn from(result: Result<(), Failure>) -> Self {
        match result {
            Ok(()) => Self::Passed,
            Err(failure) => Self::Failed(failure),
        }
    }
}

/// The linters that come as Python packages, installed once.
pub(crate) async fn python_tools(ui: &Ui, project: &Project) -> Result<PythonTools, Failure> {
    let requirements = Requirements {
        name: "the linters",
        text: include_str!("../python-tools-requirements.txt"),
    };
    let tools = PythonTools::new(project.state_dir().join("python-tools"), requirements);
    tools
        .install(&|text: &str| ui.say(text))
        .await
        .map_err(emulator_failure)?;
    Ok(tools)
}
