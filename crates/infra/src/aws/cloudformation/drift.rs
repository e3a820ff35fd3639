use async_trait::async_trait;
use aws_sdk_cloudformation::types::{
    self as sdk, ChangeSetType, DeploymentMode, StackDriftDetectionStatus,
};

use super::{CloudFormation, text};
use crate::aws::config::cloud_error;
use crate::cloud::{AskedChangeSet, CloudError, Detection, Drift};
use crate::drift::{DriftStatus, PropertyDifference, ResourceDrift};

#[async_trait]
impl Drift for CloudFormation {
    async fn detect_drift(&self, stack_id: &str) -> Result<String, CloudError> {
        let answer = self
            .client
            .detect_stack_drift()
            .stack_name(stack_id)
            .send()
            .await
            .map_err(|error| cloud_error("cloudformation:DetectStackDrift", &error))?;
        Ok(text(answer.stack_drift_detection_id()))
    }

    async fn drift_detection(&self, detection_id: &str) -> Result<Detection, CloudError> {
        let operation = "cloudformation:DescribeStackDriftDetectionStatus";
        let answer = self
            .client
            .describe_stack_drift_detection_status()
            .stack_drift_detection_id(detection_id)
            .send()
            .await
            .map_err(|error| cloud_error(operation, &error))?;
        match answer.detection_status() {
            Some(StackDriftDetectionStatus::DetectionComplete) => Ok(Detection::Complete),
            Some(StackDriftDetectionStatus::DetectionInProgress) => Ok(Detection::Running),
            Some(StackDriftDetectionStatus::DetectionFailed) => {
                Ok(Detection::Failed(text(answer.detection_status_reason())))
            }
            other => Err(CloudError::Refused {
                operation,
                code: "UnknownStatus".to_owned(),
                message: format!(
                    "the detection is in a status that this version does not know: {}",
                    other.map_or("none", StackDriftDetectionStatus::as_str)
                ),
            }),
        }
    }

    async fn resource_drifts(&self, stack_id: &str) -> Result<Vec<ResourceDrift>, CloudError> {
        let mut pages = self
            .client
            .describe_stack_resource_drifts()
            .stack_name(stack_id)
            .into_paginator()
            .send();
        let mut all = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| {
                cloud_error("cloudformation:DescribeStackResourceDrifts", &error)
            })?;
            all.extend(page.stack_resource_drifts().iter().map(resource_drift));
        }
        Ok(all)
    }

    async fn create_reverting_change_set(
        &self,
        stack_id: &str,
        name: &str,
    ) -> Result<AskedChangeSet, CloudError> {
        // The stack's own template, parameters, tags and capabilities: nothing but the drift may change.
        let described = self
            .client
            .describe_stacks()
            .stack_name(stack_id)
            .send()
            .await
            .map_err(|error| cloud_error("cloudformation:DescribeStacks", &error))?;
        let stack = described.stacks().first();
        let parameters = stack.map(sdk::Stack::parameters).unwrap_or_default();
        let same = |parameter: &sdk::Parameter| {
            sdk::Parameter::builder()
                .set_parameter_key(parameter.parameter_key().map(str::to_owned))
                .use_previous_value(true)
                .build()
        };
        let answer = self
            .client
            .create_change_set()
            .stack_name(stack_id)
            .change_set_name(name)
            .change_set_type(ChangeSetType::Update)
            .use_previous_template(true)
            .deployment_mode(DeploymentMode::RevertDrift)
            .set_parameters(Some(parameters.iter().map(same).collect()))
            .set_tags(stack.map(|stack| stack.tags().to_vec()))
            .set_capabilities(stack.map(|stack| stack.capabilities().to_vec()))
            .send()
            .await
            .map_err(|error| cloud_error("cloudformation:CreateChangeSet", &error))?;
        Ok(AskedChangeSet {
            id: text(answer.id()),
            stack_id: text(answer.stack_id()),
        })
    }
}

fn resource_drift(drift: &sdk::StackResourceDrift) -> ResourceDrift {
    let difference = |difference: &sdk::PropertyDifference| {
        PropertyDifference::new(
            &text(difference.property_path()),
            difference
                .difference_type()
                .map_or("NOT_EQUAL", sdk::DifferenceType::as_str),
            &text(difference.expected_value()),
            &text(difference.actual_value()),
        )
    };
    ResourceDrift {
        logical_id: text(drift.logical_resource_id()),
        physical_id: text(drift.physical_resource_id()),
        resource_type: text(drift.resource_type()),
        status: DriftStatus::parse(
            drift
                .stack_resource_drift_status()
                .map_or("UNKNOWN", sdk::StackResourceDriftStatus::as_str),
        ),
        reason: drift
            .drift_status_reason()
            .filter(|reason| !reason.is_empty())
            .map(str::to_owned),
        differences: drift
            .property_differences()
            .iter()
            .map(difference)
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_cloudformation::Client;
    use aws_sdk_cloudformation::operation::create_change_set::CreateChangeSetOutput;
    use aws_sdk_cloudformation::operation::describe_stack_resource_drifts::DescribeStackResourceDriftsOutput;
    use aws_sdk_cloudformation::operation::describe_stacks::DescribeStacksOutput;
    use aws_smithy_mocks::{RuleMode, mock, mock_client};

    use super::*;

    #[tokio::test]
    async fn a_reverting_change_set_keeps_everything_else() {
        let stack = sdk::Stack::builder()
            .stack_name("s")
            .creation_time(aws_sdk_cloudformation::primitives::DateTime::from_secs(0))
            .stack_status(sdk::StackStatus::CreateComplete)
            .parameters(
                sdk::Parameter::builder()
                    .parameter_key("A")
                    .parameter_value("1")
                    .build(),
            )
            .tags(sdk::Tag::builder().key("k").value("v").build())
            .capabilities(sdk::Capability::CapabilityIam)
            .build();
        let described = DescribeStacksOutput::builder().stacks(stack).build();
        let describe = mock!(Client::describe_stacks).then_output(move || described.clone());
        let create = mock!(Client::create_change_set)
            .match_requests(|request| {
                request.deployment_mode() == Some(&DeploymentMode::RevertDrift)
                    && request.use_previous_template() == Some(true)
                    && request.template_body().is_none()
                    && request.parameters().len() == 1
                    && request.parameters()[0].use_previous_value() == Some(true)
                    && request.parameters()[0].parameter_value().is_none()
                    && request.tags().len() == 1
                    && request.capabilities() == [sdk::Capability::CapabilityIam]
            })
            .then_output(|| {
                CreateChangeSetOutput::builder()
                    .id("set")
                    .stack_id("arn:s")
                    .build()
            });
        let adapter = CloudFormation::from_client(mock_client!(
            aws_sdk_cloudformation,
            RuleMode::MatchAny,
            &[&describe, &create]
        ));
        let asked = adapter
            .create_reverting_change_set("arn:s", "n")
            .await
            .unwrap();
        assert_eq!(
            (asked.id.as_str(), asked.stack_id.as_str()),
            ("set", "arn:s")
        );
    }

    #[tokio::test]
    async fn every_page_of_drift_is_read() {
        let drift = |id: &str, status| {
            sdk::StackResourceDrift::builder()
                .stack_id("arn:s")
                .logical_resource_id(id)
                .resource_type("AWS::Logs::LogGroup")
                .stack_resource_drift_status(status)
                .timestamp(aws_sdk_cloudformation::primitives::DateTime::from_secs(0))
        };
        let difference = sdk::PropertyDifference::builder()
            .property_path("/RetentionInDays")
            .expected_value("30")
            .actual_value("7")
            .difference_type(sdk::DifferenceType::NotEqual)
            .build();
        let first = DescribeStackResourceDriftsOutput::builder()
            .stack_resource_drifts(drift("A", sdk::StackResourceDriftStatus::InSync).build())
            .next_token("more")
            .build();
        let second = DescribeStackResourceDriftsOutput::builder()
            .stack_resource_drifts(
                drift("B", sdk::StackResourceDriftStatus::Modified)
                    .property_differences(difference)
                    .build(),
            )
            .build();
        let one = mock!(Client::describe_stack_resource_drifts)
            .match_requests(|request| request.next_token().is_none())
            .then_output(move || first.clone());
        let two = mock!(Client::describe_stack_resource_drifts)
            .match_requests(|request| request.next_token() == Some("more"))
            .then_output(move || second.clone());
        let adapter = CloudFormation::from_client(mock_client!(
            aws_sdk_cloudformation,
            RuleMode::MatchAny,
            &[&one, &two]
        ));
        let drifts = adapter.resource_drifts("arn:s").await.unwrap();
        assert_eq!(drifts.len(), 2);
        assert_eq!(drifts[1].status, DriftStatus::Modified);
        assert_eq!(
            drifts[1].differences,
            [PropertyDifference::new(
                "/RetentionInDays",
                "NOT_EQUAL",
                "30",
                "7"
            )]
        );
    }
}
