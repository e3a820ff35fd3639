use async_trait::async_trait;
use aws_sdk_cloudformation::types::TemplateStage;

use super::CloudFormation;
use super::cloudformation::is_missing_stack;
use super::config::cloud_error;
use crate::cloud::CloudError;
use crate::cloud::deployed::{Deployed, DeployedStacks};

#[async_trait]
impl DeployedStacks for CloudFormation {
    async fn deployed(&self, name: &str) -> Result<Option<Deployed>, CloudError> {
        let described = match self.client.describe_stacks().stack_name(name).send().await {
            Ok(described) => described,
            Err(error) if error.as_service_error().is_some_and(is_missing_stack) => {
                return Ok(None);
            }
            Err(error) => return Err(cloud_error("cloudformation:DescribeStacks", &error)),
        };
        let Some(stack) = described.stacks().first() else {
            return Ok(None);
        };
        let answer = self
            .client
            .get_template()
            .stack_name(name)
            .template_stage(TemplateStage::Original)
            .send()
            .await
            .map_err(|error| cloud_error("cloudformation:GetTemplate", &error))?;
        let parameters = (stack.parameters().iter())
            .filter_map(|parameter| {
                let value = parameter.resolved_value().or(parameter.parameter_value())?;
                Some((parameter.parameter_key()?.to_owned(), value.to_owned()))
            })
            .collect();
        Ok(Some(Deployed {
            template: answer.template_body.unwrap_or_default(),
            parameters,
        }))
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_cloudformation::Client;
    use aws_sdk_cloudformation::error::ErrorMetadata;
    use aws_sdk_cloudformation::operation::describe_stacks::{
        DescribeStacksError, DescribeStacksOutput,
    };
    use aws_sdk_cloudformation::operation::get_template::GetTemplateOutput;
    use aws_sdk_cloudformation::types::{Parameter, Stack, StackStatus};
    use aws_smithy_mocks::{RuleMode, mock, mock_client};

    use super::*;

    #[tokio::test]
    async fn template_and_parameters() {
        let described = mock!(Client::describe_stacks).then_output(|| {
            let parameter = |key: &str, value: &str| {
                Parameter::builder()
                    .parameter_key(key)
                    .parameter_value(value)
                    .build()
            };
            let stack = Stack::builder()
                .stack_name("table")
                .creation_time(aws_smithy_types::DateTime::from_secs(0))
                .stack_status(StackStatus::CreateComplete)
                .parameters(parameter("BillingMode", "PROVISIONED"))
                .build();
            DescribeStacksOutput::builder().stacks(stack).build()
        });
        let template = mock!(Client::get_template).then_output(|| {
            GetTemplateOutput::builder()
                .template_body("Resources: {}")
                .build()
        });
        let client = mock_client!(
            aws_sdk_cloudformation,
            RuleMode::MatchAny,
            &[&described, &template]
        );
        let deployed = CloudFormation { client }.deployed("table").await.unwrap();
        let deployed = deployed.unwrap();
        assert_eq!(deployed.template, "Resources: {}");
        assert_eq!(deployed.parameters["BillingMode"], "PROVISIONED");
    }

    #[tokio::test]
    async fn only_a_missing_stack_is_absent() {
        for (code, message, absent) in [
            (
                "ValidationError",
                "Stack with id table does not exist",
                true,
            ),
            ("AccessDenied", "no", false),
        ] {
            let rule = mock!(Client::describe_stacks).then_error(move || {
                let meta = ErrorMetadata::builder().code(code).message(message).build();
                DescribeStacksError::generic(meta)
            });
            let client = mock_client!(aws_sdk_cloudformation, RuleMode::MatchAny, &[&rule]);
            let answer = CloudFormation { client }.deployed("table").await;
            assert_eq!(matches!(answer, Ok(None)), absent, "{code}");
        }
    }
}
