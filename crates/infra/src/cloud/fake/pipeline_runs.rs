use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;

use crate::cloud::{CloudError, PipelineRuns, RetryMode};
use crate::pipeline::{
    ActionRun, ApprovalWait, Declared, ExecutionSummary, PipelineState, PipelineSummary,
};

/// What one look at an execution finds.
pub type Look = (ExecutionSummary, Vec<ActionRun>, PipelineState);

/// A scripted [`PipelineRuns`]: one pipeline with one execution, which is a look further each time that it is asked for.
/// The last look stays.
#[derive(Debug, Default)]
pub struct FakePipelines {
    /// The pipeline's name.
    pub name: String,
    /// Its structure.
    pub declared: Declared,
    looks: Mutex<VecDeque<Result<Look, CloudError>>>,
    calls: Mutex<Vec<String>>,
}

impl FakePipelines {
    /// A pipeline whose execution is found as the looks say, one after the other.
    pub fn new(name: &str, declared: Declared, looks: Vec<Result<Look, CloudError>>) -> Self {
        Self {
            name: name.to_owned(),
            declared,
            looks: Mutex::new(looks.into()),
            calls: Mutex::default(),
        }
    }

    /// The calls that write, as text, in their order.
    pub fn calls(&self) -> Vec<String> {
        self.calls
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn call(&self, text: String) {
        self.calls
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(text);
    }

    fn now<T>(&self, part: impl FnOnce(&Look) -> T, on: bool) -> Result<Option<T>, CloudError> {
        let mut looks = self.looks.lock().unwrap_or_else(PoisonError::into_inner);
        let told = match looks.front() {
            None => Ok(None),
            Some(Ok(look)) => Ok(Some(part(look))),
            Some(Err(error)) => Err(error.clone()),
        };
        if (on || told.is_err()) && looks.len() > 1 {
            looks.pop_front();
        }
        told
    }
}

#[async_trait]
impl PipelineRuns for FakePipelines {
    async fn pipelines(&self) -> Result<Vec<PipelineSummary>, CloudError> {
        Ok(vec![PipelineSummary {
            name: self.name.clone(),
            mode: "QUEUED".to_owned(),
            updated: None,
        }])
    }

    async fn declared(&self, pipeline: &str) -> Result<Option<Declared>, CloudError> {
        Ok((pipeline == self.name).then(|| self.declared.clone()))
    }

    async fn executions(&self, _: &str, max: usize) -> Result<Vec<ExecutionSummary>, CloudError> {
        let execution = self.now(|look| look.0.clone(), false)?;
        Ok(execution.into_iter().take(max).collect())
    }

    async fn action_runs(&self, _: &str, _: &str) -> Result<Vec<ActionRun>, CloudError> {
        Ok(self.now(|look| look.1.clone(), false)?.unwrap_or_default())
    }

    async fn state(&self, _: &str) -> Result<PipelineState, CloudError> {
        Ok(self.now(|look| look.2.clone(), true)?.unwrap_or_default())
    }

    async fn start(
        &self,
        pipeline: &str,
        variables: &BTreeMap<String, String>,
        revisions: &BTreeMap<String, String>,
        _: &str,
    ) -> Result<String, CloudError> {
        self.call(format!("start {pipeline} {variables:?} {revisions:?}"));
        Ok("started".to_owned())
    }

    async fn decide(
        &self,
        pipeline: &str,
        wait: &ApprovalWait,
        approved: bool,
        summary: &str,
    ) -> Result<(), CloudError> {
        let (stage, action) = (&wait.stage, &wait.action);
        self.call(format!(
            "decide {pipeline} {stage}/{action} {approved} {summary}"
        ));
        Ok(())
    }

    async fn retry(
        &self,
        pipeline: &str,
        stage: &str,
        execution_id: &str,
        mode: RetryMode,
    ) -> Result<String, CloudError> {
        self.call(format!("retry {pipeline} {stage} {execution_id} {mode:?}"));
        Ok(execution_id.to_owned())
    }

    async fn stop(
        &self,
        pipeline: &str,
        execution_id: &str,
        abandon: bool,
        reason: &str,
    ) -> Result<(), CloudError> {
        self.call(format!("stop {pipeline} {execution_id} {abandon} {reason}"));
        Ok(())
    }

    async fn roll_back(
        &self,
        pipeline: &str,
        stage: &str,
        target_execution_id: &str,
    ) -> Result<String, CloudError> {
        self.call(format!(
            "roll back {pipeline} {stage} {target_execution_id}"
        ));
        Ok("rollback".to_owned())
    }
}
