//! Pipelines as they run: executions, their stages and actions, and where an execution stands.

mod execution;
mod picture;
mod status;

pub use execution::{
    ActionRun, ApprovalWait, ExecutionSummary, PipelineSummary, Revision, Trouble,
};
pub use picture::{ActionPicture, Change, Picture, PipelineState, StagePicture, StageState};
pub use status::{RunStatus, Standing};

/// A pipeline's stages and their actions, in the order in which they run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Declared {
    /// The stages.
    pub stages: Vec<DeclaredStage>,
}

/// One stage of a [`Declared`] pipeline.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeclaredStage {
    /// Its name, unique in the pipeline.
    pub name: String,
    /// Its actions, by run order.
    pub actions: Vec<DeclaredAction>,
}

/// One action of a [`DeclaredStage`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeclaredAction {
    /// Its name, unique in the stage.
    pub name: String,
    /// Who carries it out, such as `CodeBuild` or `Manual`.
    pub provider: String,
}
