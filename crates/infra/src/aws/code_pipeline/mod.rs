mod convert;
mod stacks;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use async_trait::async_trait;
use aws_sdk_codepipeline::Client;
use aws_sdk_codepipeline::operation::get_pipeline::GetPipelineError;
use aws_sdk_codepipeline::types as sdk;

use super::config::{SdkConfig, cloud_error};
use crate::cloud::{CloudError, PipelineRuns, RetryMode};
use crate::pipeline::{
    ActionRun, ApprovalWait, Declared, ExecutionSummary, PipelineState, PipelineSummary,
};

/// CodePipeline's limit on the entries of a page, and on what a person says to an approval, in characters.
///
/// See [PutApprovalResult](https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_ApprovalResult.html) and
/// [ListActionExecutions](https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_ListActionExecutions.html).
const PAGE: i32 = 100;

/// [`PipelineRuns`] on CodePipeline.
#[derive(Clone, Debug)]
pub struct CodePipeline {
    client: Client,
}

impl CodePipeline {
    /// A client for this configuration.
    pub fn new(config: &SdkConfig) -> Self {
        Self {
            client: Client::new(config),
        }
    }
}

impl CodePipeline {
    /// The pipeline as it was declared; `None` only where the service says that there is none.
    async fn pipeline(&self, name: &str) -> Result<Option<sdk::PipelineDeclaration>, CloudError> {
        match self.client.get_pipeline().name(name).send().await {
            Ok(answer) => Ok(answer.pipeline),
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(GetPipelineError::is_pipeline_not_found_exception) =>
            {
                Ok(None)
            }
            Err(error) => Err(cloud_error("codepipeline:GetPipeline", &error)),
        }
    }

    async fn stage_states(&self, pipeline: &str) -> Result<Vec<sdk::StageState>, CloudError> {
        let answer = self
            .client
            .get_pipeline_state()
            .name(pipeline)
            .send()
            .await
            .map_err(|error| cloud_error("codepipeline:GetPipelineState", &error))?;
        Ok(answer.stage_states.unwrap_or_default())
    }
}

/// What a call hands back is named by the service; an answer without it is refused as what it is.
fn given(operation: &'static str, id: Option<&str>) -> Result<String, CloudError> {
    id.map(str::to_owned).ok_or_else(|| CloudError::Refused {
        operation,
        code: "NoId".to_owned(),
        message: "the answer names no execution".to_owned(),
    })
}

#[async_trait]
impl PipelineRuns for CodePipeline {
    async fn pipelines(&self) -> Result<Vec<PipelineSummary>, CloudError> {
        let mut pages = self.client.list_pipelines().into_paginator().send();
        let mut all = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| cloud_error("codepipeline:ListPipelines", &error))?;
            all.extend(page.pipelines().iter().map(convert::summary));
        }
        Ok(all)
    }

    async fn declared(&self, pipeline: &str) -> Result<Option<Declared>, CloudError> {
        Ok(self
            .pipeline(pipeline)
            .await?
            .as_ref()
            .map(convert::declared))
    }

    async fn executions(
        &self,
        pipeline: &str,
        max: usize,
    ) -> Result<Vec<ExecutionSummary>, CloudError> {
        let page_size = i32::try_from(max).unwrap_or(PAGE).clamp(1, PAGE);
        let mut pages = self
            .client
            .list_pipeline_executions()
            .pipeline_name(pipeline)
            .max_results(page_size)
            .into_paginator()
            .send();
        let mut all = Vec::new();
        while all.len() < max
            && let Some(page) = pages.next().await
        {
            let page =
                page.map_err(|error| cloud_error("codepipeline:ListPipelineExecutions", &error))?;
            all.extend(
                page.pipeline_execution_summaries()
                    .iter()
                    .map(convert::execution),
            );
        }
        all.truncate(max);
        Ok(all)
    }

    async fn action_runs(
        &self,
        pipeline: &str,
        execution_id: &str,
    ) -> Result<Vec<ActionRun>, CloudError> {
        let filter = sdk::ActionExecutionFilter::builder()
            .pipeline_execution_id(execution_id)
            .build();
        let mut pages = self
            .client
            .list_action_executions()
            .pipeline_name(pipeline)
            .filter(filter)
            .max_results(PAGE)
            .into_paginator()
            .send();
        let mut all = Vec::new();
        while let Some(page) = pages.next().await {
            let page =
                page.map_err(|error| cloud_error("codepipeline:ListActionExecutions", &error))?;
            all.extend(page.action_execution_details().iter().map(convert::run));
        }
        Ok(all)
    }

    async fn state(&self, pipeline: &str) -> Result<PipelineState, CloudError> {
        let stages = self.stage_states(pipeline).await?;
        Ok(PipelineState {
            stages: stages.iter().map(convert::stage).collect(),
        })
    }

    async fn start(
        &self,
        pipeline: &str,
        variables: &BTreeMap<String, String>,
        revisions: &BTreeMap<String, String>,
        token: &str,
    ) -> Result<String, CloudError> {
        const OPERATION: &str = "codepipeline:StartPipelineExecution";
        let mut call = self
            .client
            .start_pipeline_execution()
            .name(pipeline)
            .client_request_token(token);
        for (name, value) in variables {
            let variable = sdk::PipelineVariable::builder().name(name).value(value);
            call = call.variables(incomplete(OPERATION, variable.build())?);
        }
        for (action, commit) in revisions {
            let revision = sdk::SourceRevisionOverride::builder()
                .action_name(action)
                .revision_type(sdk::SourceRevisionType::CommitId)
                .revision_value(commit);
            call = call.source_revisions(incomplete(OPERATION, revision.build())?);
        }
        let answer = call
            .send()
            .await
            .map_err(|error| cloud_error(OPERATION, &error))?;
        given(OPERATION, answer.pipeline_execution_id())
    }

    async fn decide(
        &self,
        pipeline: &str,
        wait: &ApprovalWait,
        approved: bool,
        summary: &str,
    ) -> Result<(), CloudError> {
        const OPERATION: &str = "codepipeline:PutApprovalResult";
        let status = if approved {
            sdk::ApprovalStatus::Approved
        } else {
            sdk::ApprovalStatus::Rejected
        };
        let result = sdk::ApprovalResult::builder()
            .status(status)
            .summary(summary)
            .build();
        self.client
            .put_approval_result()
            .pipeline_name(pipeline)
            .stage_name(&wait.stage)
            .action_name(&wait.action)
            .token(&wait.token)
            .result(incomplete(OPERATION, result)?)
            .send()
            .await
            .map(drop)
            .map_err(|error| cloud_error(OPERATION, &error))
    }

    async fn retry(
        &self,
        pipeline: &str,
        stage: &str,
        execution_id: &str,
        mode: RetryMode,
    ) -> Result<String, CloudError> {
        const OPERATION: &str = "codepipeline:RetryStageExecution";
        let mode = match mode {
            RetryMode::FailedActions => sdk::StageRetryMode::FailedActions,
            RetryMode::AllActions => sdk::StageRetryMode::AllActions,
        };
        let answer = self
            .client
            .retry_stage_execution()
            .pipeline_name(pipeline)
            .stage_name(stage)
            .pipeline_execution_id(execution_id)
            .retry_mode(mode)
            .send()
            .await
            .map_err(|error| cloud_error(OPERATION, &error))?;
        given(OPERATION, answer.pipeline_execution_id())
    }

    async fn stop(
        &self,
        pipeline: &str,
        execution_id: &str,
        abandon: bool,
        reason: &str,
    ) -> Result<(), CloudError> {
        self.client
            .stop_pipeline_execution()
            .pipeline_name(pipeline)
            .pipeline_execution_id(execution_id)
            .abandon(abandon)
            .reason(reason)
            .send()
            .await
            .map(drop)
            .map_err(|error| cloud_error("codepipeline:StopPipelineExecution", &error))
    }

    async fn roll_back(
        &self,
        pipeline: &str,
        stage: &str,
        target_execution_id: &str,
    ) -> Result<String, CloudError> {
        const OPERATION: &str = "codepipeline:RollbackStage";
        let answer = self
            .client
            .rollback_stage()
            .pipeline_name(pipeline)
            .stage_name(stage)
            .target_pipeline_execution_id(target_execution_id)
            .send()
            .await
            .map_err(|error| cloud_error(OPERATION, &error))?;
        given(OPERATION, Some(answer.pipeline_execution_id()))
    }
}

/// The SDK refuses to build what lacks a field; ours are all there.
fn incomplete<T>(
    operation: &'static str,
    built: Result<T, aws_smithy_types::error::operation::BuildError>,
) -> Result<T, CloudError> {
    built.map_err(|error| CloudError::Refused {
        operation,
        code: "Incomplete".to_owned(),
        message: error.to_string(),
    })
}
