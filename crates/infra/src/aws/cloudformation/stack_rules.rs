use async_trait::async_trait;
use aws_sdk_cloudformation::types::StackStatus as SdkStatus;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use super::CloudFormation;
use crate::aws::config::cloud_error;
use crate::cloud::{CloudError, StackRules};

#[async_trait]
impl StackRules for CloudFormation {
    async fn template_fault(&self, body: &str) -> Result<Option<String>, CloudError> {
        match self
            .client
            .validate_template()
            .template_body(body)
            .send()
            .await
        {
            Ok(_) => Ok(None),
            Err(error) => match error.as_service_error() {
                Some(fault) if fault.code() == Some("ValidationError") => Ok(Some(
                    fault.message().unwrap_or("no reason given").to_owned(),
                )),
                _ => Err(cloud_error("cloudformation:ValidateTemplate", &error)),
            },
        }
    }

    async fn stack_limit(&self) -> Result<Option<u32>, CloudError> {
        let mut pages = self
            .client
            .describe_account_limits()
            .into_paginator()
            .items()
            .send();
        let mut limit = None;
        while let Some(item) = pages.next().await {
            let item =
                item.map_err(|error| cloud_error("cloudformation:DescribeAccountLimits", &error))?;
            if item.name() == Some("StackLimit") {
                limit = item.value().and_then(|value| u32::try_from(value).ok());
            }
        }
        Ok(limit)
    }

    async fn stack_count(&self) -> Result<u32, CloudError> {
        let mut pages = self.client.list_stacks().into_paginator().items().send();
        let mut count = 0;
        while let Some(stack) = pages.next().await {
            let stack = stack.map_err(|error| cloud_error("cloudformation:ListStacks", &error))?;
            // Deleted stacks are listed for 90 days, and count for nothing.
            if stack.stack_status() != Some(&SdkStatus::DeleteComplete) {
                count += 1;
            }
        }
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_cloudformation::Client;
    use aws_sdk_cloudformation::error::ErrorMetadata;
    use aws_sdk_cloudformation::operation::describe_account_limits::DescribeAccountLimitsOutput;
    use aws_sdk_cloudformation::operation::list_stacks::ListStacksOutput;
    use aws_sdk_cloudformation::operation::validate_template::ValidateTemplateError;
    use aws_sdk_cloudformation::types::{AccountLimit, StackSummary};
    use aws_smithy_mocks::{RuleMode, mock, mock_client};

    use super::*;

    #[tokio::test]
    async fn only_a_validation_error_is_the_template_s_fault() {
        for (code, fault) in [("ValidationError", true), ("AccessDenied", false)] {
            let rule = mock!(Client::validate_template).then_error(move || {
                let error = ErrorMetadata::builder().code(code).message("why").build();
                ValidateTemplateError::generic(error)
            });
            let adapter = CloudFormation::from_client(mock_client!(
                aws_sdk_cloudformation,
                RuleMode::MatchAny,
                &[&rule]
            ));
            match adapter.template_fault("{}").await {
                Ok(said) => assert!(fault && said.as_deref() == Some("why"), "{code}"),
                Err(error) => assert!(!fault && error.code() == Some(code), "{code}"),
            }
        }
    }

    #[tokio::test]
    async fn deleted_stacks_count_for_nothing() {
        let stack = |status| {
            StackSummary::builder()
                .stack_name("s")
                .stack_status(status)
                .creation_time(aws_sdk_cloudformation::primitives::DateTime::from_secs(0))
                .build()
        };
        let stacks = ListStacksOutput::builder()
            .stack_summaries(stack(SdkStatus::CreateComplete))
            .stack_summaries(stack(SdkStatus::DeleteComplete))
            .stack_summaries(stack(SdkStatus::DeleteFailed))
            .build();
        let limit = |name, value| AccountLimit::builder().name(name).value(value).build();
        let limits = DescribeAccountLimitsOutput::builder()
            .account_limits(limit("StackOutputsLimit", 200))
            .account_limits(limit("StackLimit", 2_000))
            .build();
        let list = mock!(Client::list_stacks).then_output(move || stacks.clone());
        let describe = mock!(Client::describe_account_limits).then_output(move || limits.clone());
        let adapter = CloudFormation::from_client(mock_client!(
            aws_sdk_cloudformation,
            RuleMode::MatchAny,
            &[&list, &describe]
        ));
        assert_eq!(adapter.stack_count().await.unwrap(), 2);
        assert_eq!(adapter.stack_limit().await.unwrap(), Some(2_000));
    }
}
