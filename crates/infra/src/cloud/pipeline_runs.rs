use std::collections::BTreeMap;

use async_trait::async_trait;

use super::CloudError;
use crate::pipeline::{
    ActionRun, ApprovalWait, Declared, ExecutionSummary, PipelineState, PipelineSummary,
};

/// What a stage is run again with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetryMode {
    /// The actions that failed.
    FailedActions,
    /// All actions of the stage.
    AllActions,
}

/// CodePipeline, as far as executions go.
#[async_trait]
pub trait PipelineRuns: Send + Sync {
    /// All pipelines of the account and region.
    async fn pipelines(&self) -> Result<Vec<PipelineSummary>, CloudError>;
    /// The pipeline's structure; `None` only where the service says that there is no such pipeline.
    async fn declared(&self, pipeline: &str) -> Result<Option<Declared>, CloudError>;
    /// The newest executions first, at most `max` of them.
    async fn executions(
        &self,
        pipeline: &str,
        max: usize,
    ) -> Result<Vec<ExecutionSummary>, CloudError>;
    /// Every run of an action in that execution.
    async fn action_runs(
        &self,
        pipeline: &str,
        execution_id: &str,
    ) -> Result<Vec<ActionRun>, CloudError>;
    /// How the stages stand now.
    async fn state(&self, pipeline: &str) -> Result<PipelineState, CloudError>;
    /// Starts an execution; gives its id. `token` makes a call that is sent twice start one; `revisions` are commits by
    /// source action.
    async fn start(
        &self,
        pipeline: &str,
        variables: &BTreeMap<String, String>,
        revisions: &BTreeMap<String, String>,
        token: &str,
    ) -> Result<String, CloudError>;
    /// Answers what waits for a person.
    async fn decide(
        &self,
        pipeline: &str,
        wait: &ApprovalWait,
        approved: bool,
        summary: &str,
    ) -> Result<(), CloudError>;
    /// Runs a failed stage again; gives the execution's id.
    async fn retry(
        &self,
        pipeline: &str,
        stage: &str,
        execution_id: &str,
        mode: RetryMode,
    ) -> Result<String, CloudError>;
    /// Stops an execution: after the actions under way, or at once where they are to be abandoned.
    async fn stop(
        &self,
        pipeline: &str,
        execution_id: &str,
        abandon: bool,
        reason: &str,
    ) -> Result<(), CloudError>;
    /// Runs a stage with what an earlier, successful execution brought; gives the new execution's id.
    async fn roll_back(
        &self,
        pipeline: &str,
        stage: &str,
        target_execution_id: &str,
    ) -> Result<String, CloudError>;
}

/// What a build said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BuildLog {
    /// How the build stands, such as `FAILED`.
    pub status: String,
    /// The phases that did not succeed, each with what it says.
    pub troubles: Vec<String>,
    /// The last lines of its log, oldest first.
    pub lines: Vec<String>,
    /// A page that shows the whole log.
    pub url: Option<String>,
}

/// CodeBuild and the logs of its builds.
#[async_trait]
pub trait BuildLogs: Send + Sync {
    /// The last lines of a build's log, at most `max` of them; `None` only where there is no such build.
    async fn build_log(&self, build_id: &str, max: usize) -> Result<Option<BuildLog>, CloudError>;
}
