//! Pipelines on this machine: what the runner needs of the project, of its environment and of the person.

mod cloud;
mod image;
mod machine;
mod picture;
mod screen;
mod services;
mod stack;
mod stack_set;
#[cfg(test)]
mod tests;
mod warm;

use std::path::PathBuf;

use stackway_pipeline_defs::model::Pipeline;
use stackway_pipeline_runner::{ErrorKind, RunError};

pub(crate) use cloud::{Here, site_of};
pub(crate) use machine::variables;
pub(crate) use picture::picture;
pub(crate) use screen::Screen;
pub(crate) use warm::warm;

use crate::failure::{Failure, Kind};
use crate::settings::Settings;

/// Where executions are kept. STACKWAY_STATE_DIR moves it, so that tests have a place of their own.
pub(crate) fn folder(settings: &Settings) -> PathBuf {
    std::env::var_os("STACKWAY_STATE_DIR")
        .map_or_else(|| settings.project.state_dir(), PathBuf::from)
        .join("pipelines")
}

/// The project's pipelines.
pub(crate) fn pipelines() -> Result<Vec<Pipeline>, Failure> {
    stackway_pipeline_defs::pipelines::all().map_err(|faults| {
        let failure = Failure::new(Kind::Configuration, "the pipelines are not as they must be");
        let causes = faults.iter().map(ToString::to_string);
        causes.fold(failure, Failure::cause)
    })
}

/// An error of the runner as a failure of the command.
pub(crate) fn failure_of(error: RunError) -> Failure {
    let kind = match error.kind {
        ErrorKind::Definition => Kind::Configuration,
        ErrorKind::Artifact | ErrorKind::Failed | ErrorKind::Rejected => Kind::Pipeline,
        ErrorKind::Waiting => Kind::PipelineWaits,
        ErrorKind::Overtaken | ErrorKind::Stopped => Kind::PipelineStopped,
        ErrorKind::Tool => Kind::Tool,
        ErrorKind::Io => Kind::Io,
        ErrorKind::Cloud => Kind::Deploy,
    };
    let failure = Failure::new(kind, error.message);
    let failure = error.causes.into_iter().fold(failure, Failure::cause);
    match error.hint {
        Some(hint) => failure.hint(hint),
        None => failure,
    }
}

/// A failure of the project's own tools as an error of the runner.
fn error_of(failure: Failure) -> RunError {
    let mut error = RunError::new(ErrorKind::Cloud, failure.message);
    error.causes = failure.causes;
    error.hint = failure.hints.into_iter().next();
    error
}
