use clap::Args;
use stackway_infra::cloud::PipelineRuns as _;
use stackway_pipeline_runner::{Execution, Executions};

use super::definition::Definition;
use super::times::Times;
use super::{Desk, full_name};
use crate::commands::render::site;
use crate::failure::{Failure, Kind};
use crate::pipeline_here::{self, failure_of};
use crate::settings::Settings;
use crate::ui::Ui;

/// How many of a pipeline's newest executions are searched for one id.
const SEARCHED: usize = 1_000;

/// See [`super::PipelineCommand::Show`].
#[derive(Debug, Args)]
pub(super) struct ShowArgs {
    /// A pipeline, `application` or `deployment`; or an execution's id, or how it begins
    #[arg(value_name = "NAME|EXECUTION")]
    what: String,
}

/// Shows the definition, if a pipeline is named; tells whether one is.
pub(super) fn definition(ui: &Ui, settings: &Settings, args: &ShowArgs) -> Result<bool, Failure> {
    let pipelines = pipeline_here::pipelines()?;
    let found = pipelines
        .iter()
        .find(|one| one.name == args.what || settings.naming.stack(one.name) == args.what);
    let Some(pipeline) = found else {
        return Ok(false);
    };
    let shown = Definition {
        pipeline,
        site: &site(settings)?,
    };
    if ui.is_json() {
        ui.json(&shown.json());
    } else {
        ui.data(shown.text());
    }
    Ok(true)
}

/// Shows where the time of an execution of this machine went, if it is one; tells whether it is. One that deployed to AWS
/// is too.
pub(super) fn of_this_machine(
    ui: &Ui,
    settings: &Settings,
    args: &ShowArgs,
) -> Result<bool, Failure> {
    let executions = Executions::new(&pipeline_here::folder(settings));
    let mut found: Vec<Execution> = Vec::new();
    for pipeline in pipeline_here::pipelines()? {
        let all = executions.of(pipeline.name).map_err(failure_of)?;
        found.extend(all.into_iter().filter(|one| one.id.starts_with(&args.what)));
    }
    match found.as_slice() {
        [execution] => {
            tell(
                ui,
                &Times {
                    picture: &pipeline_here::picture(execution),
                    execution: Some(execution),
                },
            );
            Ok(true)
        }
        [] => Ok(false),
        several => {
            let failure = Failure::new(
                Kind::CommandLine,
                format!("{} executions begin with `{}`", several.len(), args.what),
            );
            Err(several.iter().fold(failure, |failure, one| {
                failure.cause(format!("{} of {}", one.id, one.pipeline))
            }))
        }
    }
}

/// Shows where the time of an execution of CodePipeline went.
pub(super) async fn there(desk: &Desk<'_>, args: &ShowArgs) -> Result<(), Failure> {
    for pipeline in pipeline_here::pipelines()? {
        let name = full_name(desk.settings, pipeline.name)?;
        if desk.pipelines.declared(&name).await?.is_none() {
            continue;
        }
        let all = desk.pipelines.executions(&name, SEARCHED).await?;
        if let Some(one) = all.into_iter().find(|one| one.id.starts_with(&args.what)) {
            let picture = desk.picture(&name, Some(&one.id)).await?;
            tell(
                desk.ui,
                &Times {
                    picture: &picture,
                    execution: None,
                },
            );
            return Ok(());
        }
    }
    Err(nothing(args))
}

fn tell(ui: &Ui, times: &Times<'_>) {
    if ui.is_json() {
        ui.json(&times.json());
    } else {
        ui.data(times.text());
    }
}

pub(super) fn nothing(args: &ShowArgs) -> Failure {
    Failure::new(
        Kind::NotDeployed,
        format!("`{}` is neither a pipeline nor an execution", args.what),
    )
    .hint("`cargo xtask pipeline list` has the pipelines, each with its latest execution")
}
