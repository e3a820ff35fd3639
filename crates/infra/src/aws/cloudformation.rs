mod drift;
mod imports;
mod operation_events;
mod stack_rules;

use std::collections::BTreeMap;

use async_trait::async_trait;
use aws_sdk_cloudformation::Client;
use aws_sdk_cloudformation::operation::create_change_set::CreateChangeSetOutput;
use aws_sdk_cloudformation::types::{self as sdk, ChangeSetType};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use time::OffsetDateTime;

use super::change_set::resource_change;
use super::config::{SdkConfig, cloud_error};
use crate::cloud::{ChangeSetRequest, CloudError, Stacks};
use crate::stack::{
    ChangeSet, ChangeSetName, ChangeSetState, Stack, StackEvent, StackResource, StackStatus,
};

/// [`Stacks`] on CloudFormation.
#[derive(Clone, Debug)]
pub struct CloudFormation {
    pub(super) client: Client,
}

impl CloudFormation {
    /// A client for this configuration.
    pub fn new(config: &SdkConfig) -> Self {
        Self {
            client: Client::new(config),
        }
    }

    /// A client that a test made.
    #[cfg(test)]
    pub(super) fn from_client(client: Client) -> Self {
        Self { client }
    }
}

#[async_trait]
impl Stacks for CloudFormation {
    async fn describe_stack(&self, name_or_id: &str) -> Result<Option<Stack>, CloudError> {
        match self
            .client
            .describe_stacks()
            .stack_name(name_or_id)
            .send()
            .await
        {
            Ok(answer) => Ok(answer.stacks().first().map(stack)),
            // The one way in which CloudFormation says that there is no such stack; any other failure is a failure.
            Err(error) if error.as_service_error().is_some_and(is_missing_stack) => Ok(None),
            Err(error) => Err(cloud_error("cloudformation:DescribeStacks", &error)),
        }
    }

    async fn create_change_set(&self, request: &ChangeSetRequest) -> Result<ChangeSet, CloudError> {
        let parameter = |(name, value): (&String, &String)| {
            sdk::Parameter::builder()
                .parameter_key(name)
                .parameter_value(value)
                .build()
        };
        let tag =
            |(key, value): (&String, &String)| sdk::Tag::builder().key(key).value(value).build();
        let kind = if request.create {
            ChangeSetType::Create
        } else {
            ChangeSetType::Update
        };
        let answer = self
            .client
            .create_change_set()
            .stack_name(&request.stack_name)
            .change_set_name(&request.name)
            .client_token(token_of_request(&request.name))
            .change_set_type(kind)
            .template_body(&request.template_body)
            .set_parameters(Some(request.parameters.iter().map(parameter).collect()))
            .set_tags(Some(request.tags.iter().map(tag).collect()))
            .set_capabilities(Some(
                request
                    .capabilities
                    .iter()
                    .map(|name| name.as_str().into())
                    .collect(),
            ))
            .send()
            .await
            .map_err(|error| cloud_error("cloudformation:CreateChangeSet", &error))?;
        Ok(asked(&answer))
    }

    async fn describe_change_set(&self, id: &str, stack_id: &str) -> Result<ChangeSet, CloudError> {
        let mut pages = self
            .client
            .describe_change_set()
            .change_set_name(id)
            .stack_name(stack_id)
            .include_property_values(true)
            .into_paginator()
            .send();
        let mut set = ChangeSet {
            id: id.to_owned(),
            stack_id: stack_id.to_owned(),
            state: ChangeSetState::Pending,
            changes: Vec::new(),
        };
        while let Some(page) = pages.next().await {
            let page =
                page.map_err(|error| cloud_error("cloudformation:DescribeChangeSet", &error))?;
            let status = page.status().map_or("UNKNOWN", |status| status.as_str());
            set.state = ChangeSetState::parse(status, page.status_reason());
            set.changes.extend(
                page.changes()
                    .iter()
                    .filter_map(|change| change.resource_change().map(resource_change)),
            );
        }
        Ok(set)
    }

    async fn execute_change_set(&self, id: &str, stack_id: &str) -> Result<(), CloudError> {
        self.client
            .execute_change_set()
            .change_set_name(id)
            .stack_name(stack_id)
            .client_request_token(token_of_change_set(id))
            .send()
            .await
            .map_err(|error| cloud_error("cloudformation:ExecuteChangeSet", &error))?;
        Ok(())
    }

    async fn delete_change_set(&self, id: &str, stack_id: &str) -> Result<(), CloudError> {
        self.client
            .delete_change_set()
            .change_set_name(id)
            .stack_name(stack_id)
            .send()
            .await
            .map_err(|error| cloud_error("cloudformation:DeleteChangeSet", &error))?;
        Ok(())
    }

    async fn latest_event_id(&self, stack_id: &str) -> Result<Option<String>, CloudError> {
        let answer = self
            .client
            .describe_stack_events()
            .stack_name(stack_id)
            .send()
            .await
            .map_err(|error| cloud_error("cloudformation:DescribeStackEvents", &error))?;
        Ok(answer
            .stack_events()
            .first()
            .and_then(|event| event.event_id())
            .map(str::to_owned))
    }

    async fn stack_events_since(
        &self,
        stack_id: &str,
        after: Option<&str>,
    ) -> Result<Vec<StackEvent>, CloudError> {
        let mut pages = self
            .client
            .describe_stack_events()
            .stack_name(stack_id)
            .into_paginator()
            .send();
        let mut events = Vec::new();
        // Newest first: read until the event that was seen before.
        'pages: while let Some(page) = pages.next().await {
            let page =
                page.map_err(|error| cloud_error("cloudformation:DescribeStackEvents", &error))?;
            for event in page.stack_events() {
                if after.is_some() && event.event_id() == after {
                    break 'pages;
                }
                events.push(stack_event(event));
            }
        }
        events.reverse();
        Ok(events)
    }

    async fn stack_template(&self, stack_id: &str) -> Result<String, CloudError> {
        let answer = self
            .client
            .get_template()
            .stack_name(stack_id)
            .template_stage(sdk::TemplateStage::Original)
            .send()
            .await
            .map_err(|error| cloud_error("cloudformation:GetTemplate", &error))?;
        Ok(text(answer.template_body()))
    }

    async fn stack_resources(&self, stack_id: &str) -> Result<Vec<StackResource>, CloudError> {
        let mut pages = self
            .client
            .list_stack_resources()
            .stack_name(stack_id)
            .into_paginator()
            .send();
        let mut resources = Vec::new();
        while let Some(page) = pages.next().await {
            let page =
                page.map_err(|error| cloud_error("cloudformation:ListStackResources", &error))?;
            resources.extend(page.stack_resource_summaries().iter().map(|resource| {
                StackResource {
                    logical_id: text(resource.logical_resource_id()),
                    physical_id: text(resource.physical_resource_id()),
                    resource_type: text(resource.resource_type()),
                    status: resource
                        .resource_status()
                        .map(|status| status.as_str().to_owned())
                        .unwrap_or_default(),
                }
            }));
        }
        Ok(resources)
    }

    async fn delete_stack(&self, name_or_id: &str) -> Result<(), CloudError> {
        self.client
            .delete_stack()
            .stack_name(name_or_id)
            .client_request_token(new_token("delete"))
            .send()
            .await
            .map_err(|error| cloud_error("cloudformation:DeleteStack", &error))?;
        Ok(())
    }
}

/// A token that CloudFormation knows a repeated request by, for one call: the SDK's repetitions carry the same one. A
/// later call of ours is another operation, as a deletion after one that failed is.
pub(super) fn new_token(what: &str) -> String {
    format!(
        "stackway-{what}-{}",
        OffsetDateTime::now_utc().unix_timestamp_nanos()
    )
}

/// A change set that was asked for: its contents are not known yet.
fn asked(answer: &CreateChangeSetOutput) -> ChangeSet {
    ChangeSet {
        id: answer.id().unwrap_or_default().to_owned(),
        stack_id: answer.stack_id().unwrap_or_default().to_owned(),
        state: ChangeSetState::Pending,
        changes: Vec::new(),
    }
}

/// A name of ours is unique, so a repeated request is the same one. Another may be made again and again.
fn token_of_request(name: &str) -> String {
    match ChangeSetName::parse(name) {
        Some(_) => name.to_owned(),
        None => new_token("change-set"),
    }
}

/// A change set is executed once, whichever run asks for it. Its ARN ends in its UUID.
fn token_of_change_set(id: &str) -> String {
    format!("stackway-execute-{}", id.rsplit('/').next().unwrap_or(id))
}

pub(super) fn is_missing_stack(error: &impl ProvideErrorMetadata) -> bool {
    error.code() == Some("ValidationError")
        && error
            .message()
            .is_some_and(|message| message.contains("does not exist"))
}

pub(super) fn text(value: Option<&str>) -> String {
    value.unwrap_or_default().to_owned()
}

fn time(value: Option<&aws_smithy_types::DateTime>) -> Option<OffsetDateTime> {
    value.and_then(|time| OffsetDateTime::from_unix_timestamp_nanos(time.as_nanos()).ok())
}

pub(super) fn stack(stack: &sdk::Stack) -> Stack {
    let parameters = stack.parameters().iter().map(|parameter| {
        let key = text(parameter.parameter_key());
        (key, text(parameter.parameter_value()))
    });
    let outputs = stack
        .outputs()
        .iter()
        .map(|output| (text(output.output_key()), text(output.output_value())));
    let tags = stack
        .tags()
        .iter()
        .map(|tag| (text(tag.key()), text(tag.value())));
    Stack {
        id: text(stack.stack_id()),
        name: text(stack.stack_name()),
        status: StackStatus::parse(
            stack
                .stack_status()
                .map_or("UNKNOWN", |status| status.as_str()),
        ),
        status_reason: stack
            .stack_status_reason()
            .filter(|reason| !reason.is_empty())
            .map(str::to_owned),
        parameters: parameters.collect(),
        outputs: outputs.collect::<BTreeMap<_, _>>(),
        tags: tags.collect(),
        termination_protection: stack.enable_termination_protection().unwrap_or_default(),
        updated_at: time(stack.last_updated_time().or(stack.creation_time())),
    }
}

fn stack_event(event: &sdk::StackEvent) -> StackEvent {
    StackEvent {
        id: text(event.event_id()),
        timestamp: time(event.timestamp()).unwrap_or(OffsetDateTime::UNIX_EPOCH),
        logical_id: text(event.logical_resource_id()),
        physical_id: text(event.physical_resource_id()),
        resource_type: text(event.resource_type()),
        status: event
            .resource_status()
            .map(|status| status.as_str().to_owned())
            .unwrap_or_default(),
        reason: event
            .resource_status_reason()
            .filter(|reason| !reason.is_empty())
            .map(str::to_owned),
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_cloudformation::error::ErrorMetadata;
    use aws_sdk_cloudformation::operation::describe_stack_events::DescribeStackEventsOutput;
    use aws_sdk_cloudformation::operation::describe_stacks::DescribeStacksError;
    use aws_smithy_mocks::{RuleMode, mock, mock_client};

    use super::*;

    fn describe_error(code: &'static str, message: &'static str) -> CloudFormation {
        let rule = mock!(Client::describe_stacks).then_error(move || {
            DescribeStacksError::generic(
                ErrorMetadata::builder().code(code).message(message).build(),
            )
        });
        CloudFormation::from_client(mock_client!(
            aws_sdk_cloudformation,
            RuleMode::MatchAny,
            &[&rule]
        ))
    }

    #[tokio::test]
    async fn only_a_missing_stack_is_absent() {
        let missing = describe_error("ValidationError", "Stack with id table does not exist");
        assert_eq!(missing.describe_stack("table").await.unwrap(), None);

        for (code, message) in [
            (
                "ValidationError",
                "1 validation error detected: Value '!' at 'stackName' failed",
            ),
            (
                "AccessDenied",
                "User is not authorized; the role does not exist",
            ),
            ("Throttling", "Rate exceeded"),
        ] {
            let error = describe_error(code, message)
                .describe_stack("table")
                .await
                .unwrap_err();
            assert_eq!(error.code(), Some(code));
        }
    }

    #[tokio::test]
    async fn events_come_oldest_first_and_only_new_ones() {
        let event = |id: &str| {
            sdk::StackEvent::builder()
                .event_id(id)
                .stack_id("s")
                .stack_name("s")
                .build()
        };
        let page = |ids: &[&str], next: Option<&str>| {
            DescribeStackEventsOutput::builder()
                .set_stack_events(Some(ids.iter().map(|id| event(id)).collect()))
                .set_next_token(next.map(str::to_owned))
                .build()
        };
        let (first, second) = (
            page(&["e5", "e4"], Some("more")),
            page(&["e3", "e2"], Some("never read")),
        );
        let one = mock!(Client::describe_stack_events)
            .match_requests(|request| request.next_token().is_none())
            .then_output(move || first.clone());
        let two = mock!(Client::describe_stack_events)
            .match_requests(|request| request.next_token() == Some("more"))
            .then_output(move || second.clone());
        let adapter = CloudFormation::from_client(mock_client!(
            aws_sdk_cloudformation,
            RuleMode::MatchAny,
            &[&one, &two]
        ));
        let events = adapter.stack_events_since("s", Some("e2")).await.unwrap();
        let ids: Vec<_> = events.iter().map(|event| event.id.as_str()).collect();
        assert_eq!(ids, ["e3", "e4", "e5"]);
    }
}
