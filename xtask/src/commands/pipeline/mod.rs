//! `cargo xtask pipeline …`: the pipelines of an environment, from the terminal.

mod act;
mod background;
mod definition;
mod here;
mod look;
mod picture;
mod run;
mod show;
mod times;

use clap::{Args, Subcommand};
use stackway_infra::aws::{CodeBuild, CodePipeline};
use stackway_infra::clock::SystemClock;
use stackway_infra::config::EnvironmentKind;
use stackway_infra::flow::{PipelineError, PipelineWatcher};
use stackway_infra::pipeline::{Picture, RunStatus, Standing};

use crate::cli::{EndpointArgs, GlobalArgs};
use crate::cloud::Cloud;
use crate::failure::{Failure, Kind};
use crate::settings::{Endpoint, Settings};
use crate::ui::Ui;

/// Start, watch, approve, retry, stop and roll back the pipelines of an environment
///
/// NAME is `application` or `deployment`, or the whole name of a pipeline in the region. What writes asks first, or
/// takes `--yes`. With `--env local` these are the executions of `pipeline run`. docs/pipelines.md shows each by example.
#[derive(Debug, Args)]
pub(crate) struct PipelineArgs {
    #[command(subcommand)]
    command: PipelineCommand,
    #[command(flatten)]
    endpoint: EndpointArgs,
}

#[derive(Debug, Subcommand)]
enum PipelineCommand {
    /// Run a pipeline on this machine, from the local commit, without an account
    Run(run::RunArgs),
    /// List the environment's pipelines, each with its latest execution
    List,
    /// Show a pipeline's definition, or where the time of an execution went
    Show(show::ShowArgs),
    /// Show an execution: its stages, actions, times, and what waits or went wrong
    Status(look::StatusArgs),
    /// Follow an execution until it is over
    Watch(look::WatchArgs),
    /// Show the log of the builds of an execution: of those that failed, or of one action
    Logs(look::LogsArgs),
    /// Start an execution
    Start(act::StartArgs),
    /// Say yes to what waits for a person
    Approve(act::DecideArgs),
    /// Say no to what waits for a person
    Reject(act::DecideArgs),
    /// Run a failed stage again
    Retry(act::RetryArgs),
    /// Stop an execution
    Stop(act::StopArgs),
    /// Run a stage with what an earlier, successful execution brought
    Rollback(act::RollbackArgs),
}

/// Which execution.
#[derive(Clone, Debug, Args)]
struct Which {
    /// The pipeline: `application`, `deployment`, or a whole name
    #[arg(value_name = "NAME")]
    name: String,
    /// The execution's id [default: the latest]
    #[arg(long, value_name = "ID")]
    execution: Option<String>,
}

/// Everything that the subcommands work with.
struct Desk<'a> {
    ui: &'a Ui,
    settings: &'a Settings,
    cloud: Cloud,
    pipelines: CodePipeline,
    builds: CodeBuild,
}

impl Desk<'_> {
    fn watcher(&self) -> PipelineWatcher<'_> {
        PipelineWatcher {
            runs: &self.pipelines,
            clock: &SystemClock,
            poll: self.cloud.poll_interval(),
        }
    }

    async fn picture(&self, pipeline: &str, id: Option<&str>) -> Result<Picture, Failure> {
        let looked = self.watcher().picture(pipeline, id).await;
        looked.map_err(|error| self.refused(error))
    }

    fn refused(&self, error: PipelineError) -> Failure {
        let environment = &self.settings.environment.name;
        match error {
            PipelineError::Cloud(error) => error.into(),
            PipelineError::NoPipeline(_) => Failure::new(Kind::NotDeployed, error.to_string())
                .hint("see what there is with `cargo xtask pipeline list`")
                .hint(format!(
                    "bring the pipelines up with `cargo xtask deploy --env {environment} --stack delivery`"
                )),
            PipelineError::NoExecution { .. } => {
                Failure::new(Kind::NotDeployed, error.to_string())
                    .hint("start one with `cargo xtask pipeline start`")
            }
        }
    }
}

/// The pipeline's whole name: those of the project are known by what they do.
fn full_name(settings: &Settings, name: &str) -> Result<String, Failure> {
    let known = stackway_pipeline_defs::pipelines::all().map_err(|faults| {
        let failure = Failure::new(Kind::Configuration, "the pipelines are not as they must be");
        let causes = faults.iter().map(ToString::to_string);
        causes.fold(failure, Failure::cause)
    })?;
    Ok(if known.iter().any(|pipeline| pipeline.name == name) {
        settings.naming.stack(name)
    } else {
        name.to_owned()
    })
}

pub(crate) async fn run(ui: &Ui, global: &GlobalArgs, args: &PipelineArgs) -> Result<(), Failure> {
    let settings = Settings::resolve(ui, global, &args.endpoint)?;
    if let PipelineCommand::Run(args) = &args.command {
        return run::run(ui, &settings, args).await;
    }
    if let PipelineCommand::Show(args) = &args.command
        && (show::definition(ui, &settings, args)? || show::of_this_machine(ui, &settings, args)?)
    {
        return Ok(());
    }
    if settings.environment.kind == EnvironmentKind::Local
        && matches!(settings.endpoint, Endpoint::Own { .. })
    {
        return here::carry_out(ui, &settings, &args.command).await;
    }
    if let PipelineCommand::Retry(args) = &args.command {
        act::only_codepipeline(args)?;
    }
    let cloud = Cloud::for_reading(&settings)
        .await?
        .ok_or_else(|| Failure::new(Kind::NotDeployed, "nothing is deployed"))?;
    let desk = Desk {
        ui,
        settings: &settings,
        pipelines: CodePipeline::new(&cloud.config),
        builds: CodeBuild::new(&cloud.config),
        cloud,
    };
    match &args.command {
        PipelineCommand::Run(args) => run::run(ui, &settings, args).await,
        PipelineCommand::List => look::list(&desk).await,
        PipelineCommand::Show(args) => show::there(&desk, args).await,
        PipelineCommand::Status(args) => look::status(&desk, args).await,
        PipelineCommand::Watch(args) => look::watch(&desk, args).await,
        PipelineCommand::Logs(args) => look::logs(&desk, args).await,
        PipelineCommand::Start(args) => act::start(&desk, args).await,
        PipelineCommand::Approve(args) => act::decide(&desk, args, true).await,
        PipelineCommand::Reject(args) => act::decide(&desk, args, false).await,
        PipelineCommand::Retry(args) => act::retry(&desk, args).await,
        PipelineCommand::Stop(args) => act::stop(&desk, args).await,
        PipelineCommand::Rollback(args) => act::rollback(&desk, args).await,
    }
}

/// Where an execution stands, as the process's end: 0 where it succeeded or goes on.
fn outcome(picture: &Picture, short: &str) -> Result<(), Failure> {
    let id = &picture.execution.id;
    match picture.standing() {
        Standing::Running | Standing::Succeeded => Ok(()),
        Standing::Unknown => Err(Failure::new(
            Kind::Pipeline,
            format!(
                "execution {id} of `{}` is in {}, a status that this version does not know",
                picture.pipeline, picture.execution.status
            ),
        )),
        Standing::Failed => {
            let mut failure = Failure::new(
                Kind::Pipeline,
                format!("execution {id} of `{}` failed", picture.pipeline),
            );
            for stage in picture.failed() {
                let failed = stage
                    .actions
                    .iter()
                    .filter(|action| action.status == RunStatus::Failed);
                for action in failed {
                    let said = action
                        .said()
                        .unwrap_or_else(|| "no reason was given".to_owned());
                    failure = failure.cause(format!("{}/{}: {said}", stage.name, action.name));
                }
                failure = failure.hint(format!(
                    "run the stage again with `cargo xtask pipeline retry {short} --stage {}`",
                    stage.name
                ));
            }
            Err(failure.hint(format!(
                "read the build's log with `cargo xtask pipeline logs {short}`"
            )))
        }
        Standing::Stopped => {
            let failure = Failure::new(
                Kind::PipelineStopped,
                format!(
                    "execution {id} of `{}` was {}",
                    picture.pipeline,
                    picture.execution.status.to_string().to_lowercase()
                ),
            );
            Err(match &picture.execution.stopped_for {
                Some(reason) => failure.cause(reason),
                None => failure,
            })
        }
        Standing::Waiting => {
            let mut failure = Failure::new(
                Kind::PipelineWaits,
                format!(
                    "execution {id} of `{}` waits for a decision",
                    picture.pipeline
                ),
            );
            for wait in picture.waits() {
                failure = failure.cause(format!("{}/{}", wait.stage, wait.action));
            }
            Err(failure.hint(format!(
                "decide with `cargo xtask pipeline approve {short}` or `… reject {short}`"
            )))
        }
    }
}
