use std::collections::{BTreeSet, HashMap};

use async_trait::async_trait;
use aws_sdk_codepipeline::operation::disable_stage_transition::DisableStageTransitionError;
use aws_sdk_codepipeline::operation::stop_pipeline_execution::StopPipelineExecutionError;
use aws_sdk_codepipeline::types as sdk;

use super::{CodePipeline, PAGE};
use crate::aws::config::{answered, cloud_error};
use crate::cloud::{CloudError, Made, PipelineStacks};

/// The configuration key and the pipeline variable that name a stack.
const STACK_NAME: &str = "StackName";

/// What an action of this provider and configuration makes; `None` for one that makes nothing, and where the name is
/// filled in only when the pipeline runs: its runs tell it then.
///
/// See the action references of
/// [CloudFormation](https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-CloudFormation.html) and
/// [stack sets](https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-StackSets.html).
fn made(
    provider: &str,
    configuration: Option<&HashMap<String, String>>,
    region: Option<&str>,
) -> Option<Made> {
    let (key, is_set) = match provider {
        "CloudFormation" => (STACK_NAME, false),
        "CloudFormationStackSet" | "CloudFormationStackInstances" => ("StackSetName", true),
        _ => return None,
    };
    let name = configuration?.get(key)?;
    (!name.is_empty() && !name.contains("#{")).then(|| Made {
        name: name.clone(),
        is_set,
        region: region
            .filter(|region| !region.is_empty())
            .map(str::to_owned),
    })
}

#[async_trait]
impl PipelineStacks for CodePipeline {
    async fn declared_stacks(&self, pipeline: &str) -> Result<Option<Vec<Made>>, CloudError> {
        let Some(declared) = self.pipeline(pipeline).await? else {
            return Ok(None);
        };
        let configured = declared
            .stages()
            .iter()
            .flat_map(sdk::StageDeclaration::actions)
            .filter_map(|action| {
                let provider = action.action_type_id()?.provider();
                made(provider, action.configuration(), action.region())
            });
        let variables = declared
            .variables()
            .iter()
            .filter(|variable| variable.name() == STACK_NAME)
            .filter_map(|variable| variable.default_value())
            .filter(|name| !name.is_empty())
            .map(Made::stack);
        let all: BTreeSet<_> = configured.chain(variables).collect();
        Ok(Some(all.into_iter().collect()))
    }

    async fn deployed_stacks(&self, pipeline: &str) -> Result<Vec<Made>, CloudError> {
        let mut pages = self
            .client
            .list_action_executions()
            .pipeline_name(pipeline)
            .max_results(PAGE)
            .into_paginator()
            .send();
        let mut all = BTreeSet::new();
        while let Some(page) = pages.next().await {
            let page =
                page.map_err(|error| cloud_error("codepipeline:ListActionExecutions", &error))?;
            all.extend(page.action_execution_details().iter().filter_map(|run| {
                let input = run.input()?;
                let provider = input.action_type_id()?.provider();
                made(provider, input.resolved_configuration(), input.region())
            }));
        }
        Ok(all.into_iter().collect())
    }

    async fn stages(&self, pipeline: &str) -> Result<Vec<(String, bool)>, CloudError> {
        let stages = self.stage_states(pipeline).await?;
        Ok(stages
            .iter()
            .map(|stage| {
                let open = stage
                    .inbound_transition_state()
                    .is_none_or(sdk::TransitionState::enabled);
                (stage.stage_name().unwrap_or_default().to_owned(), open)
            })
            .collect())
    }

    async fn close_stage(
        &self,
        pipeline: &str,
        stage: &str,
        reason: &str,
    ) -> Result<(), CloudError> {
        let answer = self
            .client
            .disable_stage_transition()
            .pipeline_name(pipeline)
            .stage_name(stage)
            .transition_type(sdk::StageTransitionType::Inbound)
            .reason(reason)
            .send()
            .await;
        answered(
            "codepipeline:DisableStageTransition",
            answer,
            DisableStageTransitionError::is_pipeline_not_found_exception,
        )
        .map(drop)
    }

    async fn running(&self, pipeline: &str) -> Result<Vec<String>, CloudError> {
        let mut pages = self
            .client
            .list_pipeline_executions()
            .pipeline_name(pipeline)
            .max_results(PAGE)
            .into_paginator()
            .send();
        let mut running = Vec::new();
        while let Some(page) = pages.next().await {
            let page =
                page.map_err(|error| cloud_error("codepipeline:ListPipelineExecutions", &error))?;
            running.extend(
                page.pipeline_execution_summaries()
                    .iter()
                    .filter(|one| one.status() == Some(&sdk::PipelineExecutionStatus::InProgress))
                    .filter_map(|one| one.pipeline_execution_id())
                    .map(str::to_owned),
            );
        }
        Ok(running)
    }

    async fn abandon(
        &self,
        pipeline: &str,
        execution_id: &str,
        reason: &str,
    ) -> Result<(), CloudError> {
        use StopPipelineExecutionError as Stop;
        let answer = self
            .client
            .stop_pipeline_execution()
            .pipeline_name(pipeline)
            .pipeline_execution_id(execution_id)
            .abandon(true)
            .reason(reason)
            .send()
            .await;
        match answer {
            Ok(_) => Ok(()),
            Err(error)
                if error.as_service_error().is_some_and(|error| {
                    matches!(
                        error,
                        Stop::DuplicatedStopRequestException(_)
                            | Stop::PipelineExecutionNotStoppableException(_)
                            | Stop::PipelineNotFoundException(_)
                    )
                }) =>
            {
                Ok(())
            }
            Err(error) => Err(cloud_error("codepipeline:StopPipelineExecution", &error)),
        }
    }
}
