use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::execution::now;
use crate::{ErrorKind, Execution, Executions, RunError, Status};

/// How often a run looks whether it is to give up.
const LOOK: Duration = Duration::from_millis(250);

/// What a person has asked of an execution that another process runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Request {
    /// At once, giving up what is under way; else when that has ended.
    abandon: bool,
    reason: String,
}

impl Executions {
    /// Asks the process that runs the execution to stop: once the actions under way have ended, or at once where they
    /// are to be abandoned. An execution that nothing runs is stopped here and now.
    ///
    /// See [stop an execution](https://docs.aws.amazon.com/codepipeline/latest/userguide/pipelines-stop.html).
    ///
    /// # Errors
    /// The request cannot be written.
    pub fn stop(&self, execution: &Execution, abandon: bool, reason: &str) -> Result<(), RunError> {
        if execution.is_orphan() {
            let mut stopped = execution.clone();
            stopped.abandon();
            stopped.status = Status::Stopped;
            stopped.stopped_for = Some(reason.to_owned());
            stopped.ended = Some(now());
            return self.save(&stopped);
        }
        let request = Request {
            abandon,
            reason: reason.to_owned(),
        };
        let path = self.request(execution);
        let unfinished = path.with_extension("unfinished");
        std::fs::write(
            &unfinished,
            serde_json::to_vec(&request).unwrap_or_default(),
        )
        .and_then(|()| std::fs::rename(&unfinished, &path))
        .map_err(|error| RunError::io("write", &path, &error))
    }

    fn request(&self, execution: &Execution) -> PathBuf {
        self.folder(&execution.pipeline, &execution.id)
            .join("stop.json")
    }

    fn requested(&self, execution: &Execution) -> Result<Option<Request>, RunError> {
        let path = self.request(execution);
        match std::fs::read(&path) {
            Ok(text) => serde_json::from_slice(&text)
                .map(Some)
                .map_err(|error| RunError::io("read", &path, &error.into())),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(RunError::io("read", &path, &error)),
        }
    }

    /// Shows an execution that runs as one that stops, where somebody has asked for that.
    pub(crate) fn see_request(&self, execution: &mut Execution) -> Result<(), RunError> {
        if execution.status == Status::InProgress
            && let Some(request) = self.requested(execution)?
        {
            execution.status = Status::Stopping;
            execution.stopped_for = Some(request.reason);
        }
        Ok(())
    }

    /// Forgets what was asked of an earlier run of the execution.
    pub(crate) fn forget_request(&self, execution: &mut Execution) -> Result<(), RunError> {
        execution.stopped_for = None;
        let path = self.request(execution);
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(RunError::io("remove", &path, &error))
            }
            _ => Ok(()),
        }
    }

    /// Between two steps of an execution: whether the next one may begin.
    ///
    /// # Errors
    /// Somebody has asked it to stop.
    pub(crate) fn may_go_on(&self, execution: &Execution) -> Result<(), RunError> {
        match self.requested(execution)? {
            None => Ok(()),
            Some(request) => Err(stopped(execution, &request.reason)),
        }
    }

    /// Comes to its end where the execution is to be given up at once, and never else.
    pub(crate) async fn abandoned(&self, execution: &Execution) -> RunError {
        loop {
            // One that cannot be read is told by the next step.
            if let Ok(Some(request)) = self.requested(execution)
                && request.abandon
            {
                return stopped(execution, &request.reason);
            }
            tokio::time::sleep(LOOK).await;
        }
    }
}

fn stopped(execution: &Execution, reason: &str) -> RunError {
    RunError::new(
        ErrorKind::Stopped,
        format!(
            "execution `{}` of `{}` was stopped",
            execution.id, execution.pipeline
        ),
    )
    .cause(reason)
    .hint(format!(
        "`cargo xtask pipeline retry {} --execution {}` goes on from where it was stopped",
        execution.pipeline, execution.id
    ))
}
