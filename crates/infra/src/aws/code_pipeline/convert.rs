use aws_sdk_codepipeline::types as sdk;
use aws_smithy_types::DateTime;
use time::OffsetDateTime;

use crate::pipeline::{
    ActionRun, ApprovalWait, Declared, DeclaredAction, DeclaredStage, ExecutionSummary,
    PipelineSummary, Revision, RunStatus, StageState, Trouble,
};

pub(super) fn summary(pipeline: &sdk::PipelineSummary) -> PipelineSummary {
    PipelineSummary {
        name: text(pipeline.name()),
        // Pipelines of the first type have no mode; they supersede.
        mode: pipeline
            .execution_mode()
            .map_or("SUPERSEDED", sdk::ExecutionMode::as_str)
            .to_owned(),
        updated: time(pipeline.updated()),
    }
}

pub(super) fn declared(pipeline: &sdk::PipelineDeclaration) -> Declared {
    let stages = pipeline.stages().iter().map(|stage| {
        let mut actions: Vec<_> = stage.actions().iter().collect();
        actions.sort_by_key(|action| action.run_order().unwrap_or(1));
        DeclaredStage {
            name: stage.name().to_owned(),
            actions: actions
                .into_iter()
                .map(|action| DeclaredAction {
                    name: action.name().to_owned(),
                    provider: text(action.action_type_id().map(sdk::ActionTypeId::provider)),
                })
                .collect(),
        }
    });
    Declared {
        stages: stages.collect(),
    }
}

pub(super) fn execution(summary: &sdk::PipelineExecutionSummary) -> ExecutionSummary {
    let trigger = summary
        .trigger()
        .and_then(sdk::ExecutionTrigger::trigger_type);
    let revisions = summary.source_revisions().iter().map(|revision| Revision {
        action: revision.action_name().to_owned(),
        id: text(revision.revision_id()),
        summary: revision.revision_summary().map(str::to_owned),
        url: revision.revision_url().map(str::to_owned),
    });
    ExecutionSummary {
        id: text(summary.pipeline_execution_id()),
        status: status(summary.status().map(sdk::PipelineExecutionStatus::as_str)),
        status_summary: summary.status_summary().map(str::to_owned),
        trigger: text(trigger.map(sdk::TriggerType::as_str)),
        revisions: revisions.collect(),
        started: time(summary.start_time()),
        updated: time(summary.last_update_time()),
        stopped_for: summary
            .stop_trigger()
            .and_then(sdk::StopExecutionTrigger::reason)
            .map(str::to_owned),
        rollback_of: summary
            .rollback_metadata()
            .and_then(sdk::PipelineRollbackMetadata::rollback_target_pipeline_execution_id)
            .map(str::to_owned),
    }
}

pub(super) fn run(detail: &sdk::ActionExecutionDetail) -> ActionRun {
    let result = detail
        .output()
        .and_then(sdk::ActionExecutionOutput::execution_result);
    let entries = |map: Option<&std::collections::HashMap<String, String>>| {
        map.into_iter()
            .flatten()
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect()
    };
    let input = detail.input();
    ActionRun {
        stage: text(detail.stage_name()),
        action: text(detail.action_name()),
        provider: text(
            input
                .and_then(sdk::ActionExecutionInput::action_type_id)
                .map(sdk::ActionTypeId::provider),
        ),
        status: status(detail.status().map(sdk::ActionExecutionStatus::as_str)),
        started: time(detail.start_time()),
        updated: time(detail.last_update_time()),
        external_id: result
            .and_then(sdk::ActionExecutionResult::external_execution_id)
            .map(str::to_owned),
        external_url: result
            .and_then(sdk::ActionExecutionResult::external_execution_url)
            .map(str::to_owned),
        summary: result
            .and_then(sdk::ActionExecutionResult::external_execution_summary)
            .map(str::to_owned),
        trouble: result
            .and_then(sdk::ActionExecutionResult::error_details)
            .map(|error| Trouble {
                code: text(error.code()),
                message: text(error.message()),
            }),
        configuration: entries(input.and_then(sdk::ActionExecutionInput::resolved_configuration)),
        variables: entries(
            detail
                .output()
                .and_then(sdk::ActionExecutionOutput::output_variables),
        ),
    }
}

pub(super) fn stage(state: &sdk::StageState) -> StageState {
    let execution = state.latest_execution().map(|execution| {
        (
            execution.pipeline_execution_id().to_owned(),
            RunStatus::parse(execution.status().as_str()),
        )
    });
    let closed = state
        .inbound_transition_state()
        .filter(|transition| !transition.enabled())
        .map(|transition| {
            transition
                .disabled_reason()
                .unwrap_or("no reason was given")
                .to_owned()
        });
    let name = text(state.stage_name());
    let waits = state
        .action_states()
        .iter()
        .filter_map(|action| {
            let latest = action.latest_execution()?;
            // An approval's token is there while it waits, and no longer.
            let waiting = latest.status() == Some(&sdk::ActionExecutionStatus::InProgress);
            Some(ApprovalWait {
                stage: name.clone(),
                action: text(action.action_name()),
                token: latest.token().filter(|_| waiting)?.to_owned(),
                execution_id: execution.as_ref()?.0.clone(),
            })
        })
        .collect();
    StageState {
        name,
        execution,
        closed,
        waits,
    }
}

fn status(word: Option<&str>) -> RunStatus {
    RunStatus::parse(word.unwrap_or("no status"))
}

fn text(text: Option<&str>) -> String {
    text.unwrap_or_default().to_owned()
}

fn time(time: Option<&DateTime>) -> Option<OffsetDateTime> {
    OffsetDateTime::from_unix_timestamp_nanos(time?.as_nanos()).ok()
}
