//! A local execution in the words and pictures of CodePipeline's.

use stackway_infra::pipeline::{
    ActionPicture, ApprovalWait, ExecutionSummary, Picture, Revision, RunStatus, StagePicture,
    Trouble,
};
use stackway_pipeline_runner::{Execution, Status};
use time::OffsetDateTime;

/// The execution as `pipeline status` shows one.
pub(crate) fn picture(execution: &Execution) -> Picture {
    let revisions = execution
        .stages
        .first()
        .into_iter()
        .flat_map(|stage| &stage.actions)
        .filter_map(|action| {
            Some(Revision {
                action: action.name.clone(),
                id: action.variables.get("CommitId")?.clone(),
                summary: action.variables.get("CommitMessage").cloned(),
                url: None,
            })
        })
        .collect();
    let is_orphan = execution.is_orphan();
    let stages = execution
        .stages
        .iter()
        .map(|stage| StagePicture {
            name: stage.name.clone(),
            status: status(stage.status, is_orphan),
            closed: None,
            actions: stage
                .actions
                .iter()
                .map(|action| {
                    let waits = action.provider == "Manual"
                        && action.status == Status::InProgress
                        && !is_orphan;
                    ActionPicture {
                        name: action.name.clone(),
                        provider: action.provider.clone(),
                        status: status(action.status, is_orphan),
                        runs: usize::try_from(action.runs).unwrap_or_default(),
                        started: action.started.and_then(time),
                        updated: action.ended.and_then(time),
                        external_id: None,
                        external_url: None,
                        summary: action
                            .note
                            .clone()
                            .filter(|_| action.status != Status::Failed),
                        trouble: (action.status == Status::Failed).then(|| Trouble {
                            code: "JobFailed".to_owned(),
                            message: action.note.clone().unwrap_or_default(),
                        }),
                        wait: waits.then(|| ApprovalWait {
                            stage: stage.name.clone(),
                            action: action.name.clone(),
                            token: String::new(),
                            execution_id: execution.id.clone(),
                        }),
                    }
                })
                .collect(),
        })
        .collect();
    Picture {
        pipeline: execution.pipeline.clone(),
        execution: ExecutionSummary {
            id: execution.id.clone(),
            status: status(execution.status, is_orphan),
            status_summary: None,
            trigger: match &execution.invoked_by {
                Some(id) => format!("execution {id}"),
                None => "`pipeline run`".to_owned(),
            },
            revisions,
            started: time(execution.started),
            updated: execution.ended.and_then(time),
            stopped_for: execution
                .stopped_for
                .clone()
                .or_else(|| is_orphan.then(|| "its process has ended".to_owned())),
            rollback_of: execution.rollback_of.clone(),
        },
        stages,
    }
}

fn status(status: Status, is_orphan: bool) -> RunStatus {
    match status {
        Status::InProgress | Status::Stopping if is_orphan => RunStatus::Stopped,
        Status::NotStarted => RunStatus::NotStarted,
        other => RunStatus::parse(other.as_str()),
    }
}

fn time(milliseconds: u64) -> Option<OffsetDateTime> {
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(milliseconds) * 1_000_000).ok()
}
