use std::collections::BTreeMap;

use clap::Args;
use stackway_infra::clock::{Clock as _, SystemClock};
use stackway_infra::cloud::{PipelineRuns as _, RetryMode};
use stackway_infra::pipeline::{ApprovalWait, Picture, RunStatus};

use super::{Desk, Which, full_name};
use crate::failure::{Failure, Kind};

/// What every command that writes takes.
#[derive(Clone, Copy, Debug, Args)]
struct Consent {
    /// Say what would be done, and do nothing
    #[arg(long)]
    dry_run: bool,
    /// Answer the question with yes
    #[arg(long, short)]
    yes: bool,
}

/// See [`super::PipelineCommand::Start`].
#[derive(Debug, Args)]
pub(super) struct StartArgs {
    /// The pipeline: `application`, `deployment`, or a whole name
    #[arg(value_name = "NAME")]
    name: String,
    /// A variable of the pipeline
    #[arg(long = "var", value_name = "NAME=VALUE", value_parser = pair)]
    variables: Vec<(String, String)>,
    /// A commit in place of the branch's newest, by source action: SOURCE=COMMIT
    #[arg(long = "revision", value_name = "ACTION=COMMIT", value_parser = pair)]
    revisions: Vec<(String, String)>,
    #[command(flatten)]
    consent: Consent,
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
    consent: Consent,
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
    consent: Consent,
    #[command(flatten)]
    pub(super) run: super::run::RunOptions,
}

/// See [`super::PipelineCommand::Stop`].
#[derive(Debug, Args)]
pub(super) struct StopArgs {
    #[command(flatten)]
    which: Which,
    /// Give up the actions under way in place of waiting for them
    #[arg(long)]
    abandon: bool,
    /// Why, up to 200 characters; kept with the execution
    #[arg(
        long,
        short,
        default_value = "stopped from the terminal",
        value_name = "TEXT"
    )]
    message: String,
    #[command(flatten)]
    consent: Consent,
}

/// See [`super::PipelineCommand::Rollback`].
#[derive(Debug, Args)]
pub(super) struct RollbackArgs {
    /// The pipeline: `application`, `deployment`, or a whole name
    #[arg(value_name = "NAME")]
    name: String,
    /// The stage to run again
    #[arg(long, value_name = "STAGE")]
    stage: String,
    /// The execution to go back to [default: the latest that succeeded, before the newest]
    #[arg(long, value_name = "ID")]
    to: Option<String>,
    #[command(flatten)]
    consent: Consent,
}

pub(super) fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err(format!("`{text}` has no name and value; write NAME=VALUE")),
    }
}

impl Desk<'_> {
    /// Whether to go on: says what is to be done, and asks for the pipeline's name as it was given.
    fn agreed(&self, what: &str, word: &str, consent: Consent) -> Result<bool, Failure> {
        if consent.dry_run {
            self.ui.say(format!("would {what}; nothing was done"));
            return Ok(false);
        }
        self.ui
            .confirm(&format!("This will {what}."), word, consent.yes)?;
        Ok(true)
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
    began(desk, &args.name, &id);
    Ok(())
}

fn began(desk: &Desk<'_>, short: &str, id: &str) {
    if desk.ui.is_json() {
        desk.ui.json(&serde_json::json!({ "execution": id }));
    } else {
        desk.ui.data(id);
        desk.ui.say(format!(
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
        began(desk, &args.which.name, &id);
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
        began(desk, &args.name, &id);
    }
    Ok(())
}

fn bounded(flag: &str, text: &str, max: usize) -> Result<(), Failure> {
    let length = text.chars().count();
    if length > max {
        return Err(Failure::new(
            Kind::CommandLine,
            format!("`{flag}` has {length} characters; CodePipeline takes {max}"),
        ));
    }
    Ok(())
}
