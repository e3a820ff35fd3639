use clap::Args;
use comfy_table::{Table, presets};
use indicatif::ProgressBar;
use serde::Serialize;
use stackway_infra::cloud::{BuildLogs as _, PipelineRuns as _};
use stackway_infra::pipeline::{Change, Picture, RunStatus};

use super::{Desk, Which, full_name, outcome, picture};
use crate::commands::status::rfc3339;
use crate::failure::{Failure, Kind};
use crate::progress::status_style;
use crate::ui::{BOLD, DIM, Ui};

/// See [`super::PipelineCommand::Status`].
#[derive(Debug, Args)]
pub(super) struct StatusArgs {
    #[command(flatten)]
    pub(super) which: Which,
    /// Exit with 14 where it failed, 15 where it was stopped, 16 where it waits for a decision
    #[arg(long)]
    pub(super) exit_code: bool,
}

/// See [`super::PipelineCommand::Watch`].
#[derive(Debug, Args)]
pub(super) struct WatchArgs {
    #[command(flatten)]
    pub(super) which: Which,
    /// End where nothing goes on but what waits for a person, with exit code 16
    #[arg(long)]
    pub(super) until_decision: bool,
}

/// See [`super::PipelineCommand::Logs`].
#[derive(Debug, Args)]
pub(super) struct LogsArgs {
    #[command(flatten)]
    pub(super) which: Which,
    /// This action, whether it failed or not: STAGE/ACTION
    #[arg(long, value_name = "STAGE/ACTION")]
    pub(super) action: Option<String>,
    /// The last so many lines of each log, up to 10,000
    #[arg(long, default_value_t = 100, value_name = "COUNT", value_parser = clap::value_parser!(u16).range(1..=10_000))]
    pub(super) lines: u16,
}

#[derive(Serialize)]
struct Listed {
    name: String,
    mode: String,
    execution: Option<String>,
    status: Option<String>,
    updated: Option<String>,
}

pub(super) async fn list(desk: &Desk<'_>) -> Result<(), Failure> {
    let prefix = desk.settings.naming.stack("");
    let mut listed = Vec::new();
    for pipeline in desk.pipelines.pipelines().await? {
        if !pipeline.name.starts_with(&prefix) {
            continue;
        }
        let latest = desk.pipelines.executions(&pipeline.name, 1).await?.pop();
        listed.push(Listed {
            name: pipeline.name,
            mode: pipeline.mode,
            status: latest.as_ref().map(|one| one.status.to_string()),
            updated: latest.as_ref().and_then(|one| one.updated).map(rfc3339),
            execution: latest.map(|one| one.id),
        });
    }
    if desk.ui.is_json() {
        desk.ui.json(&listed);
        return Ok(());
    }
    if listed.is_empty() {
        let environment = &desk.settings.environment.name;
        desk.ui.say(format!(
            "`{environment}` has no pipelines; bring them up with `cargo xtask deploy --env {environment} --stack delivery`"
        ));
        return Ok(());
    }
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(["pipeline", "mode", "latest execution", "status", "updated"]);
    for one in &listed {
        let or_dash = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
        table.add_row([
            one.name.clone(),
            one.mode.clone(),
            or_dash(&one.execution),
            or_dash(&one.status),
            or_dash(&one.updated),
        ]);
    }
    desk.ui.data(table.trim_fmt());
    Ok(())
}

pub(super) async fn status(desk: &Desk<'_>, args: &StatusArgs) -> Result<(), Failure> {
    let name = full_name(desk.settings, &args.which.name)?;
    let shown = desk.picture(&name, args.which.execution.as_deref()).await?;
    show(desk, &shown);
    if args.exit_code {
        return outcome(&shown, &args.which.name);
    }
    Ok(())
}

fn show(desk: &Desk<'_>, shown: &Picture) {
    if desk.ui.is_json() {
        desk.ui.json(&picture::json(shown));
    } else {
        desk.ui.data(picture::text(shown));
    }
}

#[derive(Serialize)]
struct Event<'a> {
    pipeline: &'a str,
    execution: &'a str,
    stage: Option<&'a str>,
    action: Option<&'a str>,
    status: String,
    waits: bool,
    said: Option<&'a str>,
}

pub(super) async fn watch(desk: &Desk<'_>, args: &WatchArgs) -> Result<(), Failure> {
    let name = full_name(desk.settings, &args.which.name)?;
    let id = args.which.execution.as_deref();
    let teller = Teller::new(desk.ui, &args.which.name);
    let ended = desk
        .watcher()
        .watch(&name, id, args.until_decision, &|shown, changes| {
            teller.tell(shown, changes);
        })
        .await
        .map_err(|error| desk.refused(error))?;
    let ended_well = teller.end(&ended);
    if ended_well.is_err() && !desk.ui.is_json() {
        failed_logs(desk, &ended, 20).await?;
    }
    ended_well
}

/// Tells what changes in an execution that is watched.
pub(super) struct Teller<'a> {
    ui: &'a Ui,
    /// The pipeline, as it was named.
    name: &'a str,
    spinner: Option<ProgressBar>,
}

impl<'a> Teller<'a> {
    pub(super) fn new(ui: &'a Ui, name: &'a str) -> Self {
        ui.on_interrupt(
            "watching ended; the execution goes on",
            "run it again to go on watching",
        );
        Self {
            ui,
            name,
            spinner: ui.spinner(&format!("watching `{name}`")),
        }
    }

    pub(super) fn tell(&self, shown: &Picture, changes: &[Change]) {
        let say = |text: &str| match &self.spinner {
            Some(spinner) => spinner.suspend(|| self.ui.say(text)),
            None => self.ui.say(text),
        };
        for change in changes {
            if self.ui.is_json() {
                self.ui.json_line(&Event {
                    pipeline: &shown.pipeline,
                    execution: &shown.execution.id,
                    stage: change.stage.as_deref(),
                    action: change.action.as_deref(),
                    status: change.status.to_string(),
                    waits: change.waits,
                    said: change.said.as_deref(),
                });
            } else {
                say(&line(change));
            }
            if change.waits {
                say(&format!(
                    "decide from another terminal: `cargo xtask pipeline approve {0}` or `… reject {0}`",
                    self.name
                ));
            }
        }
    }

    /// The whole picture, and the process's end.
    pub(super) fn end(self, ended: &Picture) -> Result<(), Failure> {
        drop(self.spinner);
        if !self.ui.is_json() {
            self.ui.data(picture::text(ended));
        }
        outcome(ended, self.name)
    }
}

fn line(change: &Change) -> String {
    let place = match (&change.stage, &change.action) {
        (Some(stage), Some(action)) => format!("{stage}/{action}"),
        (Some(stage), None) => stage.clone(),
        _ => "execution".to_owned(),
    };
    let word = change.status.to_string();
    let style = status_style(&word.to_uppercase());
    let word = if change.waits {
        "waits for a person"
    } else {
        &word
    };
    let said = change
        .said
        .as_ref()
        .map(|said| format!(": {said}"))
        .unwrap_or_default();
    format!("{place:<32} {style}{word}{style:#}{said}")
}

pub(super) async fn logs(desk: &Desk<'_>, args: &LogsArgs) -> Result<(), Failure> {
    let name = full_name(desk.settings, &args.which.name)?;
    let shown = desk.picture(&name, args.which.execution.as_deref()).await?;
    let lines = usize::from(args.lines);
    let Some(wanted) = &args.action else {
        if failed_logs(desk, &shown, lines).await? == 0 {
            desk.ui.say(
                "no build of this execution failed; name an action with `--action STAGE/ACTION`",
            );
        }
        return Ok(());
    };
    let (stage, action) = wanted.split_once('/').ok_or_else(|| {
        Failure::new(
            Kind::CommandLine,
            format!("`{wanted}` is not an action; write STAGE/ACTION, such as Test/UnitTests"),
        )
    })?;
    let found = shown
        .stages
        .iter()
        .filter(|one| one.name == stage)
        .flat_map(|one| &one.actions)
        .find(|one| one.name == action);
    let there = found.ok_or_else(|| {
        let all: Vec<_> = shown
            .stages
            .iter()
            .flat_map(|stage| {
                stage
                    .actions
                    .iter()
                    .map(|one| format!("{}/{}", stage.name, one.name))
            })
            .collect();
        Failure::new(
            Kind::CommandLine,
            format!("`{name}` has no action `{wanted}`"),
        )
        .hint(format!("there are: {}", all.join(", ")))
    })?;
    let build = there
        .external_id
        .as_deref()
        .filter(|_| there.provider == "CodeBuild");
    match build {
        Some(build) => show_log(desk, wanted, build, lines).await,
        None => Err(Failure::new(
            Kind::NotDeployed,
            format!(
                "`{wanted}` has no build's log: it is of {} and in {}",
                there.provider, there.status
            ),
        )),
    }
}

/// Shows the logs of the builds that failed; gives how many.
async fn failed_logs(desk: &Desk<'_>, shown: &Picture, lines: usize) -> Result<usize, Failure> {
    let mut count = 0;
    for stage in &shown.stages {
        for action in &stage.actions {
            let failed = action.status == RunStatus::Failed && action.provider == "CodeBuild";
            if let Some(build) = action.external_id.as_deref().filter(|_| failed) {
                show_log(
                    desk,
                    &format!("{}/{}", stage.name, action.name),
                    build,
                    lines,
                )
                .await?;
                count += 1;
            }
        }
    }
    Ok(count)
}

#[derive(Serialize)]
struct Log<'a> {
    action: &'a str,
    build: &'a str,
    status: &'a str,
    troubles: &'a [String],
    lines: &'a [String],
    url: Option<&'a str>,
}

async fn show_log(desk: &Desk<'_>, action: &str, build: &str, lines: usize) -> Result<(), Failure> {
    let Some(log) = desk.builds.build_log(build, lines).await? else {
        desk.ui
            .warn(format!("{action}: CodeBuild no longer knows build {build}"));
        return Ok(());
    };
    if desk.ui.is_json() {
        desk.ui.json(&Log {
            action,
            build,
            status: &log.status,
            troubles: &log.troubles,
            lines: &log.lines,
            url: log.url.as_deref(),
        });
        return Ok(());
    }
    desk.ui.data(format!(
        "{BOLD}{action}{BOLD:#} {DIM}build {build}, {}{DIM:#}",
        log.status
    ));
    for trouble in &log.troubles {
        desk.ui.data(format!("  {trouble}"));
    }
    for line in &log.lines {
        desk.ui.data(format!("  {DIM}|{DIM:#} {line}"));
    }
    if let Some(url) = &log.url {
        desk.ui.data(format!("  the whole log: {url}"));
    }
    Ok(())
}
