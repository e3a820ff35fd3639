//! The executions of `pipeline run`, by the same words as those of CodePipeline.

use std::time::{Duration, Instant};

use comfy_table::{ContentArrangement, Table, presets};
use serde_json::json;
use stackway_infra::pipeline::{Picture, Standing};
use stackway_pipeline_runner::{Execution, Executions, Status};

use super::act::{DecideArgs, RetryArgs, StopArgs, agreed, bounded};
use super::look::{LogsArgs, Teller, WatchArgs};
use super::run as runs;
use super::{PipelineCommand, Which, background, outcome, picture, show};
use crate::failure::{Failure, Kind};
use crate::pipeline_here::{self, failure_of};
use crate::settings::Settings;
use crate::ui::{BOLD, Ui};

pub(super) async fn carry_out(
    ui: &Ui,
    settings: &Settings,
    command: &PipelineCommand,
) -> Result<(), Failure> {
    let executions = Executions::new(&pipeline_here::folder(settings));
    let find = |which: &Which| {
        executions
            .find(&which.name, which.execution.as_deref())
            .map_err(failure_of)
    };
    match command {
        PipelineCommand::List => list(ui, &executions),
        PipelineCommand::Show(args) => Err(show::nothing(args)),
        PipelineCommand::Status(args) => {
            let one = pipeline_here::picture(&find(&args.which)?);
            if ui.is_json() {
                ui.json(&picture::json(&one));
            } else {
                ui.data(picture::text(&one));
            }
            if args.exit_code {
                outcome(&one, &args.which.name)
            } else {
                Ok(())
            }
        }
        PipelineCommand::Logs(args) => logs(ui, &executions, &find(&args.which)?, args),
        PipelineCommand::Approve(args) => decide(ui, &executions, &find(&args.which)?, args, true),
        PipelineCommand::Reject(args) => decide(ui, &executions, &find(&args.which)?, args, false),
        PipelineCommand::Retry(args) => retry(ui, settings, args).await,
        PipelineCommand::Run(args) => runs::run(ui, settings, args).await,
        PipelineCommand::Watch(args) => watch(ui, &executions, args).await,
        PipelineCommand::Start(args) => background::start(ui, settings, &executions, args).await,
        PipelineCommand::Stop(args) => stop(ui, &executions, &find(&args.which)?, args).await,
        PipelineCommand::Rollback(args) => runs::roll_back(ui, settings, &executions, args).await,
    }
}

fn list(ui: &Ui, executions: &Executions) -> Result<(), Failure> {
    let mut rows = Vec::new();
    for pipeline in pipeline_here::pipelines()? {
        let all = executions.of(pipeline.name).map_err(failure_of)?;
        rows.push((
            pipeline.name,
            pipeline.execution_mode.as_str(),
            all.into_iter().next(),
        ));
    }
    if ui.is_json() {
        let rows: Vec<_> = rows
            .iter()
            .map(|(name, mode, newest)| {
                json!({
                    "name": name,
                    "mode": mode,
                    "execution": newest.as_ref().map(|one| &one.id),
                    "status": newest.as_ref().map(|one| one.status.as_str()),
                })
            })
            .collect();
        ui.json(&rows);
        return Ok(());
    }
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_header(["pipeline", "mode", "execution", "status"]);
    for (name, mode, newest) in &rows {
        let (id, status) = match newest {
            Some(one) => (one.id.as_str(), one.status.as_str()),
            None => ("-", "-"),
        };
        table.add_row([*name, *mode, id, status]);
    }
    ui.data(table.trim_fmt());
    Ok(())
}

/// The last lines of the actions that failed, or of the one that is asked for.
fn logs(
    ui: &Ui,
    executions: &Executions,
    execution: &Execution,
    args: &LogsArgs,
) -> Result<(), Failure> {
    let mut shown = 0;
    for stage in &execution.stages {
        for action in &stage.actions {
            let label = format!("{}/{}", stage.name, action.name);
            let is_wanted = match &args.action {
                Some(wanted) => *wanted == label,
                None => action.status == Status::Failed,
            };
            let path = executions.log(execution, &stage.name, &action.name);
            if !is_wanted || !path.exists() {
                continue;
            }
            let bytes = std::fs::read(&path).map_err(|error| Failure::io("read", &path, &error))?;
            let text = String::from_utf8_lossy(&bytes);
            let lines: Vec<_> = text.lines().collect();
            let from = lines.len().saturating_sub(usize::from(args.lines));
            ui.say(format!("{BOLD}{label}{BOLD:#} {}", path.display()));
            ui.data(lines[from..].join("\n"));
            shown += 1;
        }
    }
    if shown == 0 && args.action.is_some() {
        return Err(Failure::new(
            Kind::NotDeployed,
            format!("execution {} has no log of that action", execution.id),
        )
        .hint("name it as STAGE/ACTION; `pipeline status` shows them"));
    }
    if shown == 0 {
        ui.say("no action failed; name one with --action STAGE/ACTION");
    }
    Ok(())
}

fn decide(
    ui: &Ui,
    executions: &Executions,
    execution: &Execution,
    args: &DecideArgs,
    is_approved: bool,
) -> Result<(), Failure> {
    let one = pipeline_here::picture(execution);
    let waits: Vec<_> = one
        .waits()
        .filter(|wait| {
            let label = format!("{}/{}", wait.stage, wait.action);
            args.action.as_ref().is_none_or(|wanted| *wanted == label)
        })
        .collect();
    let wait = match waits.as_slice() {
        [wait] => wait,
        [] => {
            return Err(Failure::new(
                Kind::NotDeployed,
                format!("execution {} waits for no decision", execution.id),
            ));
        }
        _ => {
            return Err(Failure::new(
                Kind::CommandLine,
                format!("execution {} waits for several decisions", execution.id),
            )
            .hint("name one with --action STAGE/ACTION"));
        }
    };
    let (verb, word) = if is_approved {
        ("approve", "approved")
    } else {
        ("reject", "rejected")
    };
    let what = format!(
        "{verb} {}/{} of execution {}",
        wait.stage, wait.action, execution.id
    );
    if !agreed(ui, &what, &args.which.name, args.consent)? {
        return Ok(());
    }
    executions
        .decide(execution, &wait.stage, &wait.action, is_approved)
        .map_err(failure_of)?;
    ui.say(format!(
        "{word} {}/{} of execution {}",
        wait.stage, wait.action, execution.id
    ));
    Ok(())
}

async fn retry(ui: &Ui, settings: &Settings, args: &RetryArgs) -> Result<(), Failure> {
    if args.consent.dry_run {
        let what = format!("go on with an execution of `{}`", args.which.name);
        agreed(ui, &what, &args.which.name, args.consent)?;
        return Ok(());
    }
    if args.stage.is_some() || args.all {
        return Err(Failure::new(
            Kind::CommandLine,
            "a local execution is retried from the stage that it came to, by the actions that did not succeed",
        )
        .hint("leave out --stage and --all; `pipeline run --from STAGE` starts anew from a stage"));
    }
    let id = args.which.execution.as_deref();
    runs::retry(ui, settings, &args.which.name, id, &args.run).await
}

/// How often an execution is looked at.
const LOOK: Duration = Duration::from_millis(300);
/// How long one that is to be given up may take to end.
const PATIENCE: Duration = Duration::from_secs(10);

/// Follows an execution to its end, or to where it only waits for a person.
async fn watch(ui: &Ui, executions: &Executions, args: &WatchArgs) -> Result<(), Failure> {
    let name = &args.which.name;
    let mut id = args.which.execution.clone();
    let mut before: Option<Picture> = None;
    let look = |id: Option<&str>| executions.find(name, id).map_err(failure_of);
    look(id.as_deref())?;
    let teller = Teller::new(ui, name);
    loop {
        let shown = pipeline_here::picture(&look(id.as_deref())?);
        teller.tell(&shown, &shown.changes_since(before.as_ref()));
        let ends = match shown.standing() {
            Standing::Succeeded | Standing::Failed | Standing::Stopped => true,
            Standing::Waiting => args.until_decision,
            Standing::Running | Standing::Unknown => false,
        };
        if ends {
            return teller.end(&shown);
        }
        // A later execution is not this one.
        id = Some(shown.execution.id.clone());
        before = Some(shown);
        tokio::time::sleep(LOOK).await;
    }
}

/// Asks the process that runs the execution to stop.
async fn stop(
    ui: &Ui,
    executions: &Executions,
    execution: &Execution,
    args: &StopArgs,
) -> Result<(), Failure> {
    bounded("--message", &args.message, 200)?;
    let name = &args.which.name;
    let id = &execution.id;
    if !execution.is_running() && !execution.is_orphan() {
        ui.say(format!(
            "execution {id} of `{name}` is over already: {}",
            execution.status.as_str()
        ));
        return Ok(());
    }
    let how = if execution.is_orphan() {
        ", whose process has ended"
    } else if args.abandon {
        " at once, giving up what is under way"
    } else {
        " after the actions under way"
    };
    let what = format!("stop execution {id} of `{name}`{how}");
    if !agreed(ui, &what, name, args.consent)? {
        return Ok(());
    }
    executions
        .stop(execution, args.abandon, &args.message)
        .map_err(failure_of)?;
    if !args.abandon && execution.is_running() {
        ui.say(format!(
            "asked execution {id} to stop; `cargo xtask pipeline watch {name} --execution {id}` follows it"
        ));
        return Ok(());
    }
    let until = Instant::now() + PATIENCE;
    loop {
        let now = executions.find(name, Some(id)).map_err(failure_of)?;
        if !now.is_running() {
            ui.say(format!("execution {id} is {}", now.status.as_str()));
            return Ok(());
        }
        if Instant::now() > until {
            return Err(Failure::new(
                Kind::Pipeline,
                format!("execution {id} was asked to stop, and still runs"),
            )
            .hint(format!("end process {} by hand", now.process)));
        }
        tokio::time::sleep(LOOK).await;
    }
}
