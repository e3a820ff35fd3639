use async_trait::async_trait;
use aws_sdk_cloudformation::types as sdk;

use super::CloudFormation;
use super::cloudformation::new_token;
use super::config::cloud_error;
use crate::cloud::{CloudError, StackControl};
use crate::stack::{ChangeSetState, ChangeSetSummary, Execution};

#[async_trait]
impl StackControl for CloudFormation {
    async fn list_change_sets(
        &self,
        stack_name: &str,
    ) -> Result<Vec<ChangeSetSummary>, CloudError> {
        let mut pages = self
            .client
            .list_change_sets()
            .stack_name(stack_name)
            .into_paginator()
            .send();
        let mut sets = Vec::new();
        while let Some(page) = pages.next().await {
            let page =
                page.map_err(|error| cloud_error("cloudformation:ListChangeSets", &error))?;
            sets.extend(page.summaries().iter().map(summary));
        }
        Ok(sets)
    }

    async fn cancel_update(&self, stack_id: &str) -> Result<(), CloudError> {
        self.client
            .cancel_update_stack()
            .stack_name(stack_id)
            .client_request_token(new_token("cancel"))
            .send()
            .await
            .map_err(|error| cloud_error("cloudformation:CancelUpdateStack", &error))?;
        Ok(())
    }

    async fn continue_rollback(&self, stack_id: &str, skip: &[String]) -> Result<(), CloudError> {
        self.client
            .continue_update_rollback()
            .stack_name(stack_id)
            .client_request_token(new_token("continue"))
            .set_resources_to_skip((!skip.is_empty()).then(|| skip.to_vec()))
            .send()
            .await
            .map_err(|error| cloud_error("cloudformation:ContinueUpdateRollback", &error))?;
        Ok(())
    }

    async fn roll_back(&self, stack_id: &str) -> Result<(), CloudError> {
        self.client
            .rollback_stack()
            .stack_name(stack_id)
            .client_request_token(new_token("roll-back"))
            .send()
            .await
            .map_err(|error| cloud_error("cloudformation:RollbackStack", &error))?;
        Ok(())
    }

    async fn stack_policy(&self, stack_id: &str) -> Result<Option<String>, CloudError> {
        let answer = self
            .client
            .get_stack_policy()
            .stack_name(stack_id)
            .send()
            .await
            .map_err(|error| cloud_error("cloudformation:GetStackPolicy", &error))?;
        Ok(answer
            .stack_policy_body()
            .filter(|body| !body.is_empty())
            .map(str::to_owned))
    }

    async fn set_stack_policy(&self, stack_id: &str, document: &str) -> Result<(), CloudError> {
        self.client
            .set_stack_policy()
            .stack_name(stack_id)
            .stack_policy_body(document)
            .send()
            .await
            .map_err(|error| cloud_error("cloudformation:SetStackPolicy", &error))?;
        Ok(())
    }

    async fn set_termination_protection(
        &self,
        stack_id: &str,
        enabled: bool,
    ) -> Result<(), CloudError> {
        self.client
            .update_termination_protection()
            .stack_name(stack_id)
            .enable_termination_protection(enabled)
            .send()
            .await
            .map_err(|error| cloud_error("cloudformation:UpdateTerminationProtection", &error))?;
        Ok(())
    }
}

fn summary(set: &sdk::ChangeSetSummary) -> ChangeSetSummary {
    let text = |value: Option<&str>| value.unwrap_or_default().to_owned();
    ChangeSetSummary {
        id: text(set.change_set_id()),
        name: text(set.change_set_name()),
        stack_id: text(set.stack_id()),
        state: ChangeSetState::parse(
            set.status().map_or("UNKNOWN", |status| status.as_str()),
            set.status_reason(),
        ),
        execution: Execution::parse(
            set.execution_status()
                .map_or("UNKNOWN", |status| status.as_str()),
        ),
    }
}
