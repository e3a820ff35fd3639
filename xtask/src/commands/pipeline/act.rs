use std::collections::BTreeMap;

use clap::Args;
use stackway_infra::clock::{Clock as _, SystemClock};
use stackway_infra::cloud::{PipelineRuns as _, RetryMode};
use stackway_infra::pipeline::{ApprovalWait, Picture, RunStatus};

use super::{Desk, Which, full_name};
use crate::failure::{Failure, Kind};
use crate::ui::Ui;

/// What every command that writes takes.
#[derive(Clone, Copy, Debug, Args)]
pub(super) struct Consent {
    /// Say what would be done, and do nothing
    #[arg(long)]
    pub(super) dry_run: bool,
    /// Answer the question with yes
    #[arg(long, short)]
    yes: bool,
}

/// See [`super::PipelineCommand::Start`].
#[derive(Debug, Args)]
pub(super) struct StartArgs {
    /// The pipeline: `application`, `deployment`, or a whole name
    #[arg(value_name = "NAME")]
    pub(super) name: String,
    /// A variable of the pipeline
    #[arg(long = "var", value_name = "NAME=VALUE", value_parser = pair)]
    pub(super) variables: Vec<(String, String)>,
    /// A commit in place of the branch's newest, by source action: SOURCE=COMMIT
    #[arg(long = "revision", value_name = "ACTION=COMMIT", value_parser = pair)]
    pub(super) revisions: Vec<(String, String)>,
    #[command(flatten)]
    pub(super) consent: Consent,
}

/// See [`super::PipelineCommand::Approve`] and [`super::PipelineCommand::Reject`].
#[derive(Debug, Args)]
pub(super) struct DecideArgs {
    #[command(flatten)]
    pub(super) which: Which,
    /// The action, where several wait: STAGE/ACTION
    #[arg(long, value_name = "STAGE/ACTION")]
    pub(super) action: Option<String>,
    /// Why, up to 512 characters; kept with the execution
    #[arg(long, short, default_value = "", value_name = "TEXT")]
    pub(super) message: String,
    #[command(flatten)]
    pub(super) consent: Consent,
}

/// See [`super::PipelineCommand::Retry`].
#[derive(Debug, Args)]
pub(super) struct RetryArgs {
    #[command(flatten)]
    pub(super) which: Which,
    /// The stage [default: the one that failed]
    #[arg(long, value_name = "STAGE")]
    pub(super) stage: Option<String>,
    /// Run all actions of the stage, not those alone that failed
    #[arg(long)]
    pub(super) all: bool,
    #[command(flatten)]
    pub(super) consent: Consent,
    #[command(flatten)]
    pub(super) run: super::run::RunOptions,
}

/// See [`super::PipelineCommand::Stop`].
#[derive(Debug, Args)]
pub(super) struct StopArgs {
    #[command(flatten)]
    pub(super) which: Which,
    /// Give up the actions under way in place of waiting for them
    #[arg(long)]
    pub(super) abandon: bool,
    /// Why, up to 200 characters; kept with the execution
    #[arg(
        long,
        short,
        default_value = "stopped from the terminal",
        value_name = "TEXT"
    )]
    pub(super) message: String,
    #[command(flatten)]
    pub(super) consent: Consent,
}

/// See [`super::PipelineCommand::Rollback`].
#[derive(Debug, Args)]
pub(super) struct RollbackArgs {
    /// The pipeline: `application`, `deployment`, or a whole name
    #[arg(value_name = "NAME")]
    pub(super) name: String,
    /// The stage to run again
    #[arg(long, value_name = "STAGE")]
    pub(super) stage: String,
    /// The execution to go back to [default: the latest that succeeded, before the newest]
    #[arg(long, value_name = "ID")]
    pub(super) to: Option<String>,
    #[command(flatten)]
    pub(super) consent: Consent,
}

pub(super) fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err(format!("`{text}` has no name and value; write NAME=VALUE")),
    }
}

/// Whether to go on: says what is to be done, and asks for the pipeline's name as it was given.
pub(super) fn agreed(ui: &Ui, what: &str, word: &str, consent: Consent) -> Result<bool, Failure> {
    if consent.dry_run {
        ui.say(format!("would {what}; nothing was done"));
        return Ok(false);
    }
    ui.confirm(&format!("This will {what}."), word, consent.yes)?;
    Ok(true)
}

impl Desk<'_> {
    fn agreed(&self, what: &str, word: &str, consent: Consent) -> Result<bool, Failure> {
        agreed(self.ui, what, word, consent)
    }
}

pub(super) async fn start(desk: &Desk<'_>, args: &StartArgs) -> Result<(), Failure> {
    let name = full_name(desk.settings, &args.name)?;
    let variables: BTreeMap<_, _> = args.variables.iter().cloned().collect();
    let revisions: BTreeMap<_, _> = args.revisions.iter().cloned().collect();
    let declared = desk.pipelines.declared(&name).await?;
    if declared.is_none() {
        return Err(desk.refused(stackway_infra::flow::PipelineError::NoPipeline(name)));
    }
    if !desk.agreed(&format!("start `{name}`"), &args.name, args.consent)? {
        return Ok(());
    }
    // One call of this command starts one execution, however often the SDK sends it.
    let token = format!(
        "{}-{}",
        std::process::id(),
        SystemClock.now().unix_timestamp_nanos()
    );
    let id = desk
        .pipelines
        .start(&name, &variables, &revisions, &token)
        .await?;
    began(desk.ui, &args.name, &id);
    Ok(())
}

pub(super) fn began(ui: &Ui, short: &str, id: &str) {
    if ui.is_json() {
        ui.json(&serde_json::json!({ "execution": id }));
    } else {
        ui.data(id);
        ui.say(format!(
            "follow it with `cargo xtask pipeline watch {short} --execution {id}`"
        ));
    }
}

pub(super) async fn decide(
    desk: &Desk<'_>,
    args: &DecideArgs,
    approved: bool,
) -> Result<(), Failure> {
    // https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_ApprovalResult.html
    bounded("--message", &args.message, 512)?;
    let name = full_name(desk.settings, &args.which.name)?;
    let shown = desk.picture(&name, args.which.execution.as_deref()).await?;
    let wait = the_wait(&shown, args.action.as_deref())?;
    let verb = if approved { "approve" } else { "reject" };
    let what = format!(
        "{verb} {}/{} of execution {} of `{name}`",
        wait.stage, wait.action, wait.execution_id
    );
    if desk.agreed(&what, &args.which.name, args.consent)? {
        desk.pipelines
            .decide(&name, wait, approved, &args.message)
            .await?;
        desk.ui.say(format!(
            "{verb}{} {}/{}",
            if approved { "d" } else { "ed" },
            wait.stage,
            wait.action
        ));
    }
    Ok(())
}

/// What waits; where several do, the one that was named.
fn the_wait<'a>(shown: &'a Picture, named: Option<&str>) -> Result<&'a ApprovalWait, Failure> {
    let waits: Vec<_> = shown
        .waits()
        .filter(|wait| named.is_none_or(|named| format!("{}/{}", wait.stage, wait.action) == named))
        .collect();
    match waits.as_slice() {
        [wait] => Ok(wait),
        [] => Err(Failure::new(
            Kind::NotDeployed,
            format!(
                "nothing of execution {} of `{}` waits for a decision{}",
                shown.execution.id,
                shown.pipeline,
                named
                    .map(|named| format!(" at {named}"))
                    .unwrap_or_default()
            ),
        )
        .cause(format!("the execution is in {}", shown.execution.status))),
        several => {
            let all: Vec<_> = several
                .iter()
                .map(|wait| format!("{}/{}", wait.stage, wait.action))
                .collect();
            Err(
                Failure::new(Kind::CommandLine, "several actions wait for a decision")
                    .hint(format!("name one with `--action`: {}", all.join(", "))),
            )
        }
    }
}

/// Refuses what only a run of this machine can keep to: CodePipeline asks for approvals itself, and a build has the
/// timeout of its project.
pub(super) fn only_codepipeline(args: &RetryArgs) -> Result<(), Failure> {
    let run = &args.run;
    let given: Vec<_> = [
        ("--approve", run.approve),
        ("--reject", run.reject),
        ("--timeout", run.timeout.is_some()),
        ("--no-docker", run.no_docker),
    ]
    .into_iter()
    .filter_map(|(flag, is_given)| is_given.then_some(flag))
    .collect();
    if given.is_empty() {
        return Ok(());
    }
    Err(Failure::new(
        Kind::CommandLine,
        format!(
            "{} is for executions of this machine; CodePipeline runs this one",
            given.join(", ")
        ),
    )
    .hint("leave it out; `cargo xtask pipeline approve` or `reject` decides what waits")
    .hint("a build's timeout is parameter BuildTimeoutMinutes of stack `delivery`"))
}

pub(super) async fn retry(desk: &Desk<'_>, args: &RetryArgs) -> Result<(), Failure> {
    let name = full_name(desk.settings, &args.which.name)?;
    let shown = desk.picture(&name, args.which.execution.as_deref()).await?;
    let stage = match &args.stage {
        Some(stage) => stage.clone(),
        None => shown
            .failed()
            .next()
            .map(|stage| stage.name.clone())
            .ok_or_else(|| {
                Failure::new(
                    Kind::NotDeployed,
                    format!(
                        "no stage of execution {} of `{name}` failed",
                        shown.execution.id
                    ),
                )
                .cause(format!("the execution is in {}", shown.execution.status))
            })?,
    };
    let mode = if args.all {
        RetryMode::AllActions
    } else {
        RetryMode::FailedActions
    };
    let id = &shown.execution.id;
    let what = format!("run stage `{stage}` of execution {id} of `{name}` again");
    if desk.agreed(&what, &args.which.name, args.consent)? {
        let id = desk.pipelines.retry(&name, &stage, id, mode).await?;
        began(desk.ui, &args.which.name, &id);
    }
    Ok(())
}

pub(super) async fn stop(desk: &Desk<'_>, args: &StopArgs) -> Result<(), Failure> {
    // https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_StopPipelineExecution.html
    bounded("--message", &args.message, 200)?;
    let name = full_name(desk.settings, &args.which.name)?;
    let shown = desk.picture(&name, args.which.execution.as_deref()).await?;
    let id = &shown.execution.id;
    if shown.execution.status.is_over() {
        desk.ui.say(format!(
            "execution {id} of `{name}` is over already: {}",
            shown.execution.status
        ));
        return Ok(());
    }
    let how = if args.abandon {
        "at once, giving up what is under way"
    } else {
        "after the actions under way"
    };
    if desk.agreed(
        &format!("stop execution {id} of `{name}` {how}"),
        &args.which.name,
        args.consent,
    )? {
        desk.pipelines
            .stop(&name, id, args.abandon, &args.message)
            .await?;
        desk.ui.say(format!("asked execution {id} to stop"));
    }
    Ok(())
}

pub(super) async fn rollback(desk: &Desk<'_>, args: &RollbackArgs) -> Result<(), Failure> {
    let name = full_name(desk.settings, &args.name)?;
    let target = if let Some(id) = &args.to {
        id.clone()
    } else {
        let executions = desk.pipelines.executions(&name, 100).await?;
        // A rollback cannot go to a rollback.
        executions
            .into_iter()
            .skip(1)
            .find(|one| one.status == RunStatus::Succeeded && one.rollback_of.is_none())
            .map(|one| one.id)
            .ok_or_else(|| {
                Failure::new(
                    Kind::NotDeployed,
                    format!("`{name}` has no earlier execution that succeeded"),
                )
                .hint("name one with `--to`, or repair what failed and run `cargo xtask pipeline retry`")
            })?
    };
    let what = format!(
        "run stage `{}` of `{name}` with what execution {target} brought",
        args.stage
    );
    if desk.agreed(&what, &args.name, args.consent)? {
        let id = desk
            .pipelines
            .roll_back(&name, &args.stage, &target)
            .await?;
        began(desk.ui, &args.name, &id);
    }
    Ok(())
}

pub(super) fn bounded(flag: &str, text: &str, max: usize) -> Result<(), Failure> {
    let length = text.chars().count();
    if length > max {
        return Err(Failure::new(
            Kind::CommandLine,
            format!("`{flag}` has {length} characters; CodePipeline takes {max}"),
        ));
    }
    Ok(())
}
