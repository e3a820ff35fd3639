use crate::clock::{Clock, PollInterval};
use crate::cloud::{CloudError, PipelineRuns};
use crate::pipeline::{Change, Declared, Picture, Standing};

/// How many calls in a row may fail for a while before watching is given up.
const PATIENCE: u32 = 5;

/// Why an execution could not be looked at.
#[derive(Clone, Debug, thiserror::Error)]
pub enum PipelineError {
    /// There is no such pipeline.
    #[error("there is no pipeline `{0}`")]
    NoPipeline(String),
    /// The pipeline has not run, or not so.
    #[error("pipeline `{pipeline}` has no execution {}", .id.as_deref().unwrap_or("yet"))]
    NoExecution {
        /// The pipeline's name.
        pipeline: String,
        /// The id that was asked for; without one, the latest.
        id: Option<String>,
    },
    /// A call did not succeed.
    #[error(transparent)]
    Cloud(#[from] CloudError),
}

/// Looks at executions of pipelines. Only reads.
#[derive(Clone, Copy)]
pub struct PipelineWatcher<'a> {
    /// CodePipeline.
    pub runs: &'a dyn PipelineRuns,
    /// Time.
    pub clock: &'a dyn Clock,
    /// How often to ask.
    pub poll: PollInterval,
}

/// How many of the newest executions are searched for one id.
const EXECUTIONS_MAX: usize = 1_000;

impl PipelineWatcher<'_> {
    /// The execution of that id, or the latest, with everything that has come of it.
    ///
    /// # Errors
    /// Where there is no such pipeline or execution, and where a call fails.
    pub async fn picture(
        &self,
        pipeline: &str,
        id: Option<&str>,
    ) -> Result<Picture, PipelineError> {
        let declared = self.declared(pipeline).await?;
        self.look(pipeline, &declared, id).await
    }

    /// Tells `observe` everything that changes, from the beginning, until the execution is over, or, where
    /// `until_decision`, until it only waits for a person.
    ///
    /// A call that fails for a while is repeated; five in a row end it.
    ///
    /// # Errors
    /// As [`PipelineWatcher::picture`].
    pub async fn watch(
        &self,
        pipeline: &str,
        id: Option<&str>,
        until_decision: bool,
        observe: &(dyn Fn(&Picture, &[Change]) + Send + Sync),
    ) -> Result<Picture, PipelineError> {
        let declared = self.declared(pipeline).await?;
        let mut id = id.map(str::to_owned);
        let mut before: Option<Picture> = None;
        let (mut quiet, mut failures) = (0, 0);
        loop {
            match self.look(pipeline, &declared, id.as_deref()).await {
                Ok(picture) => {
                    failures = 0;
                    let changes = picture.changes_since(before.as_ref());
                    quiet = if changes.is_empty() { quiet + 1 } else { 0 };
                    observe(&picture, &changes);
                    let ends = match picture.standing() {
                        Standing::Succeeded | Standing::Failed | Standing::Stopped => true,
                        Standing::Waiting => until_decision,
                        Standing::Running | Standing::Unknown => false,
                    };
                    if ends {
                        return Ok(picture);
                    }
                    // A later execution is not this one.
                    id = Some(picture.execution.id.clone());
                    before = Some(picture);
                }
                Err(PipelineError::Cloud(error)) if error.is_transient() => {
                    failures += 1;
                    if failures >= PATIENCE {
                        return Err(error.into());
                    }
                }
                Err(error) => return Err(error),
            }
            let wait = self.poll.wait(quiet + failures, self.clock.now());
            self.clock.sleep(wait).await;
        }
    }

    async fn declared(&self, pipeline: &str) -> Result<Declared, PipelineError> {
        self.runs
            .declared(pipeline)
            .await?
            .ok_or_else(|| PipelineError::NoPipeline(pipeline.to_owned()))
    }

    async fn look(
        &self,
        pipeline: &str,
        declared: &Declared,
        id: Option<&str>,
    ) -> Result<Picture, PipelineError> {
        let max = if id.is_some() { EXECUTIONS_MAX } else { 1 };
        let execution = self
            .runs
            .executions(pipeline, max)
            .await?
            .into_iter()
            .find(|execution| id.is_none_or(|id| execution.id == id))
            .ok_or_else(|| PipelineError::NoExecution {
                pipeline: pipeline.to_owned(),
                id: id.map(str::to_owned),
            })?;
        let runs = self.runs.action_runs(pipeline, &execution.id).await?;
        let state = self.runs.state(pipeline).await?;
        Ok(Picture::new(pipeline, declared, execution, &runs, &state))
    }
}
