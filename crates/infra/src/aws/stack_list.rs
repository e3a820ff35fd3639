use async_trait::async_trait;
use aws_sdk_cloudformation::types::{DeletionMode, StackStatus as SdkStatus};

use super::CloudFormation;
use super::cloudformation::{stack, text};
use super::config::cloud_error;
use crate::cloud::{CloudError, StackList};
use crate::stack::{Outcome, Stack};

#[async_trait]
impl StackList for CloudFormation {
    async fn stacks(&self) -> Result<Vec<Stack>, CloudError> {
        let mut pages = self.client.describe_stacks().into_paginator().send();
        let mut stacks = Vec::new();
        while let Some(page) = pages.next().await {
            let page =
                page.map_err(|error| cloud_error("cloudformation:DescribeStacks", &error))?;
            stacks.extend(page.stacks().iter().map(stack));
        }
        // AWS lists none that is deleted; an emulator may.
        stacks.retain(|stack| stack.status.outcome() != Outcome::Deleted);
        Ok(stacks)
    }

    async fn deleted_stacks(&self) -> Result<Vec<(String, String)>, CloudError> {
        let mut pages = self
            .client
            .list_stacks()
            .stack_status_filter(SdkStatus::DeleteComplete)
            .into_paginator()
            .send();
        let mut stacks = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| cloud_error("cloudformation:ListStacks", &error))?;
            stacks.extend(
                page.stack_summaries()
                    .iter()
                    .filter(|stack| stack.stack_status() == Some(&SdkStatus::DeleteComplete))
                    .map(|stack| (text(stack.stack_name()), text(stack.stack_id()))),
            );
        }
        Ok(stacks)
    }

    async fn force_delete_stack(&self, stack_id: &str) -> Result<(), CloudError> {
        self.client
            .delete_stack()
            .stack_name(stack_id)
            .deletion_mode(DeletionMode::ForceDeleteStack)
            .send()
            .await
            .map_err(|error| cloud_error("cloudformation:DeleteStack", &error))?;
        Ok(())
    }
}
