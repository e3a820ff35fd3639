use std::time::Duration;

use stackway_pipeline_defs::model::{Action, ManualApproval};

use super::Runner;
use crate::{ErrorKind, Event, Execution, RunError};

/// Who decides about manual approvals.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Approval {
    /// A person: on this terminal, or by `pipeline approve` from another.
    #[default]
    Ask,
    /// All are approved.
    Approve,
    /// All are rejected.
    Reject,
}

const LOOK: Duration = Duration::from_millis(250);
/// Seven days, which is what CodePipeline gives.
const WEEK: Duration = Duration::from_hours(7 * 24);

impl Runner<'_> {
    /// Waits for the decision; gives what it says of it.
    pub(super) async fn approval(
        &self,
        who: Approval,
        stage: &str,
        action: &Action,
        approval: &ManualApproval,
        execution: &Execution,
    ) -> Result<String, RunError> {
        let comment = match &approval.comment {
            Some(comment) => self.variables(execution).text(comment)?,
            None => format!("Go on with `{}`?", execution.pipeline),
        };
        let label = format!("{stage}/{}", action.name);
        let rejected = || {
            RunError::new(ErrorKind::Rejected, format!("`{label}` was rejected"))
                .cause(comment.clone())
        };
        match who {
            Approval::Approve => return Ok(format!("approved with --approve: {comment}")),
            Approval::Reject => return Err(rejected()),
            Approval::Ask => {}
        }
        self.watcher.see(&Event::Approval {
            pipeline: &execution.pipeline,
            id: &execution.id,
            action: &label,
            comment: &comment,
        });
        let here = async {
            match self.watcher.ask(&comment).await {
                Some(answer) => answer,
                None => std::future::pending().await,
            }
        };
        let is_approved = tokio::select! {
            answer = here => answer,
            answer = self.decided(stage, action, execution) => answer?,
        };
        if is_approved {
            Ok(format!("approved: {comment}"))
        } else {
            Err(rejected())
        }
    }

    /// Waits for the answer that `pipeline approve` or `pipeline reject` leaves.
    async fn decided(
        &self,
        stage: &str,
        action: &Action,
        execution: &Execution,
    ) -> Result<bool, RunError> {
        let path = self.executions.decision(execution, stage, &action.name);
        let wait = action
            .timeout_minutes
            .map_or(WEEK, |minutes| Duration::from_secs(u64::from(minutes) * 60));
        let look = async {
            loop {
                if let Ok(word) = std::fs::read_to_string(&path) {
                    // An answer is for one wait: a retry asks again.
                    let _ = std::fs::remove_file(&path);
                    return word == "approve";
                }
                tokio::time::sleep(LOOK).await;
            }
        };
        tokio::time::timeout(wait, look).await.map_err(|_| {
            RunError::new(
                ErrorKind::Waiting,
                format!("nobody decided about `{stage}/{}` in time", action.name),
            )
            .hint("retry the execution, and approve it")
        })
    }
}
