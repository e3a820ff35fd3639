//! Where the time of an execution went: as a person reads it, and as JSON.

use serde_json::{Value, json};
use stackway_infra::pipeline::{ActionPicture, Picture, StagePicture};
use stackway_pipeline_runner::{ActionRun, Execution};
use time::OffsetDateTime;

use super::picture;
use crate::ui::{BOLD, BUSY, DIM};

/// The widest bar.
const WIDTH: usize = 24;
/// Commands that took less are left out of what people read.
const WORTH_TELLING: u64 = 1_000;
/// What CodePipeline calls a manual approval.
const MANUAL: &str = "Manual";

/// An execution, and what this machine knows of it beyond the picture.
pub(super) struct Times<'a> {
    pub(super) picture: &'a Picture,
    pub(super) execution: Option<&'a Execution>,
}

/// Seconds from the first moment to the last.
fn between(from: Option<OffsetDateTime>, to: Option<OffsetDateTime>) -> Option<f64> {
    from.zip(to)
        .map(|(from, to)| (to - from).as_seconds_f64().max(0.0))
}

fn of_action(action: &ActionPicture) -> Option<f64> {
    between(action.started, action.updated)
}

/// From the start of its first action to the end of its last: actions may run side by side.
fn of_stage(stage: &StagePicture) -> Option<f64> {
    let from = stage.actions.iter().filter_map(|one| one.started).min();
    let to = stage.actions.iter().filter_map(|one| one.updated).max();
    between(from, to)
}

/// `850 ms`, `12.3 s`, `3 min 5 s`.
fn shown(seconds: f64) -> String {
    let milliseconds = std::time::Duration::from_secs_f64(seconds).as_millis();
    match milliseconds {
        0..1_000 => format!("{milliseconds} ms"),
        1_000..60_000 => format!("{seconds:.1} s"),
        _ => {
            let whole = milliseconds / 1_000;
            format!("{} min {} s", whole / 60, whole % 60)
        }
    }
}

fn bar(seconds: f64, longest: f64) -> String {
    let longest = longest.max(f64::MIN_POSITIVE);
    let full = u32::try_from(WIDTH).map_or(0.0, f64::from);
    // As many marks as the share of the longest stage, compared as numbers of marks.
    let count = (1..=WIDTH)
        .take_while(|count| {
            let marks = u32::try_from(*count).map_or(full, f64::from);
            marks - 0.5 <= seconds / longest * full
        })
        .count();
    "█".repeat(count)
}

impl Times<'_> {
    fn run(&self, stage: &str, action: &str) -> Option<&ActionRun> {
        self.execution?
            .stages
            .iter()
            .find(|one| one.name == stage)?
            .actions
            .iter()
            .find(|one| one.name == action)
    }

    /// The execution's picture, then a line for each stage and action with the time that it took.
    pub(super) fn text(&self) -> String {
        let longest = self
            .picture
            .stages
            .iter()
            .filter_map(of_stage)
            .fold(0.0, f64::max);
        let mut lines = vec![
            picture::text(self.picture),
            String::new(),
            format!("{BOLD}where the time went{BOLD:#}"),
        ];
        for stage in &self.picture.stages {
            let Some(seconds) = of_stage(stage) else {
                continue;
            };
            lines.push(format!(
                "  {:<20} {:>12}  {BUSY}{}{BUSY:#}",
                stage.name,
                shown(seconds),
                bar(seconds, longest)
            ));
            for action in &stage.actions {
                lines.extend(self.action(stage, action));
            }
        }
        lines.join("\n")
    }

    fn action(&self, stage: &StagePicture, action: &ActionPicture) -> Vec<String> {
        let Some(seconds) = of_action(action) else {
            return Vec::new();
        };
        let waited = if action.provider == MANUAL {
            " waited for a person"
        } else {
            ""
        };
        let mut lines = vec![format!(
            "    {:<18} {:>12}  {DIM}{}{waited}{DIM:#}",
            action.name,
            shown(seconds),
            action.provider
        )];
        let Some(run) = self.run(&stage.name, &action.name) else {
            return lines;
        };
        for cache in &run.caches {
            lines.push(format!(
                "      {DIM}cache {}: {}{DIM:#}",
                cache.path,
                cache.found.as_str()
            ));
        }
        let seconds = |milliseconds| std::time::Duration::from_millis(milliseconds).as_secs_f64();
        // Commands alone have one phase, which says nothing.
        let has_phases = !run.caches.is_empty();
        for phase in &run.phases {
            if has_phases {
                lines.push(format!(
                    "      {:<16} {:>12}",
                    phase.name,
                    shown(seconds(phase.milliseconds))
                ));
            }
            for command in &phase.commands {
                if command.milliseconds >= WORTH_TELLING {
                    lines.push(format!(
                        "        {:>27}  {DIM}{}{DIM:#}",
                        shown(seconds(command.milliseconds)),
                        command.command
                    ));
                }
            }
        }
        lines
    }

    /// The picture's JSON with `seconds`, and `phases` and `caches` where this machine ran it.
    pub(super) fn json(&self) -> Value {
        let mut all = picture::json(self.picture);
        let execution = &self.picture.execution;
        all["seconds"] = json!(between(execution.started, execution.updated));
        for (index, stage) in self.picture.stages.iter().enumerate() {
            all["stages"][index]["seconds"] = json!(of_stage(stage));
            for (at, action) in stage.actions.iter().enumerate() {
                let told = &mut all["stages"][index]["actions"][at];
                told["seconds"] = json!(of_action(action));
                if let Some(run) = self.run(&stage.name, &action.name) {
                    told["phases"] = json!(run.phases);
                    told["caches"] = json!(run.caches);
                    told["reports"] = json!(run.reports);
                }
            }
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use stackway_pipeline_runner::build::{CacheRun, CommandRun, Found, PhaseRun};
    use stackway_pipeline_runner::{StageRun, Status};

    use super::*;

    fn execution() -> Execution {
        let action = |name: &str, provider: &str, from: u64, to: u64| ActionRun {
            name: name.to_owned(),
            provider: provider.to_owned(),
            status: Status::Succeeded,
            runs: 1,
            started: Some(1_767_225_600_000 + from),
            ended: Some(1_767_225_600_000 + to),
            ..ActionRun::default()
        };
        let stage = |name: &str, actions: Vec<ActionRun>| StageRun {
            name: name.to_owned(),
            status: Status::Succeeded,
            actions,
            ..StageRun::default()
        };
        let command = |command: &str, milliseconds| CommandRun {
            command: command.to_owned(),
            milliseconds,
            status: 0,
        };
        let mut test = action("Test", "CodeBuild", 300, 90_300);
        test.caches = vec![
            CacheRun {
                path: "/root/.cargo/registry/**/*".to_owned(),
                found: Found::OfTheMachine,
            },
            CacheRun {
                path: "target/**/*".to_owned(),
                found: Found::Hit,
            },
        ];
        test.phases = vec![PhaseRun {
            name: "build".to_owned(),
            milliseconds: 89_900,
            commands: vec![
                command("cargo fmt --all --check", 900),
                command("cargo clippy --workspace", 9_000),
                command("cargo llvm-cov nextest", 80_000),
            ],
        }];
        Execution {
            id: "7f3a".to_owned(),
            pipeline: "application".to_owned(),
            status: Status::Succeeded,
            started: 1_767_225_600_000,
            ended: Some(1_767_225_600_000 + 130_000),
            stages: vec![
                stage(
                    "Source",
                    vec![action("Repository", "CodeStarSourceConnection", 0, 250)],
                ),
                stage("Test", vec![test]),
                stage(
                    "Approval",
                    vec![action("Approve", "Manual", 90_300, 130_000)],
                ),
                StageRun {
                    name: "Deploy".to_owned(),
                    actions: vec![ActionRun {
                        name: "Stack".to_owned(),
                        provider: "CloudFormation".to_owned(),
                        ..ActionRun::default()
                    }],
                    ..StageRun::default()
                },
            ],
            ..Execution::default()
        }
    }

    #[test]
    fn what_people_and_machines_read_of_times() {
        let execution = execution();
        let picture = crate::pipeline_here::picture(&execution);
        let times = Times {
            picture: &picture,
            execution: Some(&execution),
        };
        insta::assert_snapshot!(anstream::adapter::strip_str(&times.text()).to_string());
        let json = times.json();
        assert_eq!(json["seconds"], 130.0);
        assert_eq!(json["stages"][1]["seconds"], 90.0);
        let test = &json["stages"][1]["actions"][0];
        assert_eq!(test["caches"][1]["found"], "hit");
        assert_eq!(test["phases"][0]["commands"][2]["milliseconds"], 80_000);
        assert!(json["stages"][3]["seconds"].is_null());
    }

    #[test]
    fn times_are_told_in_units_that_people_use() {
        for (seconds, expected) in [
            (0.85, "850 ms"),
            (12.34, "12.3 s"),
            (59.99, "60.0 s"),
            (185.0, "3 min 5 s"),
        ] {
            assert_eq!(shown(seconds), expected);
        }
    }
}
