use async_trait::async_trait;
use aws_sdk_cloudformation::types::{EventFilter, EventType, OperationEvent as SdkEvent};
use time::OffsetDateTime;

use super::{CloudFormation, text, time};
use crate::aws::config::cloud_error;
use crate::cloud::{CloudError, EventsOf, OperationEvents};
use crate::stack::{OperationEvent, OperationEventKind, StackEvent};

#[async_trait]
impl OperationEvents for CloudFormation {
    async fn failed_events(
        &self,
        of: EventsOf<'_>,
    ) -> Result<Option<Vec<OperationEvent>>, CloudError> {
        let (call, since) = match of {
            EventsOf::Stack { stack_id, since } => {
                (self.client.describe_events().stack_name(stack_id), since)
            }
            EventsOf::Operation(id) => (
                self.client.describe_events().operation_id(id),
                OffsetDateTime::UNIX_EPOCH,
            ),
        };
        let mut pages = call
            .filters(EventFilter::builder().failed_events(true).build())
            .into_paginator()
            .send();
        let mut events = Vec::new();
        // Newest first, as a stack's own events.
        'pages: while let Some(page) = pages.next().await {
            let page = match page {
                Ok(page) => page,
                Err(error) => {
                    let error = cloud_error("cloudformation:DescribeEvents", &error);
                    return if error.is_unknown_operation() {
                        Ok(None)
                    } else {
                        Err(error)
                    };
                }
            };
            for event in page.operation_events() {
                let event = operation_event(event);
                if event.event.timestamp < since {
                    break 'pages;
                }
                events.push(event);
            }
        }
        events.reverse();
        Ok(Some(events))
    }
}

fn operation_event(event: &SdkEvent) -> OperationEvent {
    let reason = |text: Option<&str>| text.filter(|text| !text.is_empty()).map(str::to_owned);
    let (kind, said) = match event.event_type() {
        Some(EventType::ValidationError) => (
            OperationEventKind::Validation {
                name: text(event.validation_name()),
                path: reason(event.validation_path()),
            },
            event.validation_status_reason(),
        ),
        Some(EventType::HookInvocationError) => (
            OperationEventKind::Hook {
                name: text(event.hook_type()),
            },
            event.hook_status_reason(),
        ),
        _ => (OperationEventKind::Resource, None),
    };
    let status = event
        .resource_status()
        .map(|status| status.as_str().to_owned())
        .unwrap_or_default();
    OperationEvent {
        operation_id: text(event.operation_id()),
        stack_id: text(event.stack_id()),
        kind,
        event: StackEvent {
            id: text(event.event_id()),
            timestamp: time(event.timestamp().or(event.start_time()))
                .unwrap_or(OffsetDateTime::UNIX_EPOCH),
            logical_id: text(event.logical_resource_id()),
            physical_id: text(event.physical_resource_id()),
            resource_type: text(event.resource_type()),
            status,
            reason: reason(said.or(event.resource_status_reason())),
        },
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_cloudformation::Client;
    use aws_sdk_cloudformation::error::ErrorMetadata;
    use aws_sdk_cloudformation::operation::describe_events::{
        DescribeEventsError, DescribeEventsOutput,
    };
    use aws_sdk_cloudformation::primitives::DateTime;
    use aws_smithy_mocks::{RuleMode, mock, mock_client};

    use super::*;

    fn adapter(rule: &aws_smithy_mocks::Rule) -> CloudFormation {
        CloudFormation::from_client(mock_client!(
            aws_sdk_cloudformation,
            RuleMode::MatchAny,
            &[rule]
        ))
    }

    const OF: EventsOf<'_> = EventsOf::Stack {
        stack_id: "arn:s",
        since: OffsetDateTime::UNIX_EPOCH,
    };

    #[tokio::test]
    async fn what_a_validation_said_is_kept() {
        let event = |seconds, kind: EventType| {
            SdkEvent::builder()
                .operation_id("op")
                .stack_id("arn:s")
                .logical_resource_id("Bucket")
                .event_type(kind)
                .timestamp(DateTime::from_secs(seconds))
        };
        let failed = event(9, EventType::ValidationError)
            .validation_name("NAME_CONFLICT_VALIDATION")
            .validation_path("/Resources/Bucket")
            .validation_status_reason("the name is taken");
        let output = DescribeEventsOutput::builder()
            .operation_events(failed.build())
            .operation_events(event(-5, EventType::ProvisioningError).build())
            .build();
        let rule = mock!(Client::describe_events)
            .match_requests(|request| {
                request.stack_name() == Some("arn:s")
                    && request.filters().and_then(EventFilter::failed_events) == Some(true)
            })
            .then_output(move || output.clone());
        let events = adapter(&rule).failed_events(OF).await.unwrap().unwrap();
        assert_eq!(events.len(), 1, "older ones are left out");
        assert_eq!(
            events[0].kind,
            OperationEventKind::Validation {
                name: "NAME_CONFLICT_VALIDATION".to_owned(),
                path: Some("/Resources/Bucket".to_owned()),
            }
        );
        assert_eq!(events[0].event.reason.as_deref(), Some("the name is taken"));
    }

    #[tokio::test]
    async fn only_an_unknown_call_is_not_there() {
        for (code, absent) in [
            ("InvalidAction", true),
            ("AccessDenied", false),
            ("Throttling", false),
        ] {
            let rule = mock!(Client::describe_events).then_error(move || {
                DescribeEventsError::generic(ErrorMetadata::builder().code(code).build())
            });
            match adapter(&rule).failed_events(OF).await {
                Ok(events) => assert!(absent && events.is_none(), "{code}"),
                Err(error) => assert!(!absent && error.code() == Some(code), "{code}"),
            }
        }
    }
}
