use async_trait::async_trait;
use aws_sdk_cloudwatchlogs::Client;
use aws_sdk_cloudwatchlogs::operation::delete_log_group::DeleteLogGroupError;
use aws_sdk_cloudwatchlogs::operation::filter_log_events::FilterLogEventsError;
use time::OffsetDateTime;

use super::config::{SdkConfig, answered, cloud_error};
use crate::cloud::{CloudError, LogGroup, LogGroups, LogLine, LogLines};

/// [`LogGroups`] on CloudWatch Logs.
#[derive(Clone, Debug)]
pub struct Logs {
    client: Client,
}

impl Logs {
    /// A client for this configuration.
    pub fn new(config: &SdkConfig) -> Self {
        Self {
            client: Client::new(config),
        }
    }
}

#[async_trait]
impl LogGroups for Logs {
    async fn log_group(&self, name: &str) -> Result<Option<LogGroup>, CloudError> {
        // Groups are listed by prefix, in the order of their names: the one of that very name comes first.
        let answer = self
            .client
            .describe_log_groups()
            .log_group_name_prefix(name)
            .send()
            .await
            .map_err(|error| cloud_error("logs:DescribeLogGroups", &error))?;
        Ok(answer
            .log_groups()
            .iter()
            .find(|group| group.log_group_name() == Some(name))
            .map(|group| LogGroup {
                name: name.to_owned(),
                bytes: group.stored_bytes().unwrap_or_default().unsigned_abs(),
            }))
    }

    async fn delete_log_group(&self, name: &str) -> Result<(), CloudError> {
        match self
            .client
            .delete_log_group()
            .log_group_name(name)
            .send()
            .await
        {
            Ok(_) => Ok(()),
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(DeleteLogGroupError::is_resource_not_found_exception) =>
            {
                Ok(())
            }
            Err(error) => Err(cloud_error("logs:DeleteLogGroup", &error)),
        }
    }
}

#[async_trait]
impl LogLines for Logs {
    async fn log_lines(
        &self,
        group: &str,
        from: OffsetDateTime,
    ) -> Result<Option<Vec<LogLine>>, CloudError> {
        let mut pages = self
            .client
            .filter_log_events()
            .log_group_name(group)
            .start_time(from.unix_timestamp() * 1000)
            .into_paginator()
            .send();
        let mut lines = Vec::new();
        while let Some(page) = pages.next().await {
            let Some(page) = answered(
                "logs:FilterLogEvents",
                page,
                FilterLogEventsError::is_resource_not_found_exception,
            )?
            else {
                return Ok(None);
            };
            let told = page.events().iter().filter_map(|event| {
                let nanoseconds = i128::from(event.timestamp()?) * 1_000_000;
                Some(LogLine {
                    at: OffsetDateTime::from_unix_timestamp_nanos(nanoseconds).ok()?,
                    text: event.message()?.trim_end().to_owned(),
                })
            });
            lines.extend(told);
        }
        Ok(Some(lines))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::answers::answering;
    use super::*;

    #[tokio::test]
    async fn lines_are_read_to_the_last_page_and_a_group_that_is_not_there_is_none() {
        let call = "FilterLogEvents";
        let page = |text: &str| json!({"events": [{"timestamp": 1500, "message": text}]});
        let mut first = page("one\n");
        first["nextToken"] = json!("more");
        let missing = json!({"__type": "ResourceNotFoundException", "message": "no such group"});
        let denied = json!({"__type": "AccessDeniedException", "message": "not yours"});
        let (config, asked) = answering(&[
            (call, 200, first),
            (call, 200, page("two")),
            (call, 400, missing),
            (call, 400, denied),
        ]);
        let logs = Logs::new(&config);
        let from = OffsetDateTime::from_unix_timestamp(1).unwrap();
        let lines = logs.log_lines("g", from).await.unwrap().unwrap();
        let texts: Vec<_> = lines.iter().map(|line| line.text.as_str()).collect();
        assert_eq!(texts, ["one", "two"]);
        assert_eq!(lines[0].at.unix_timestamp_nanos(), 1_500_000_000);
        assert_eq!(logs.log_lines("g", from).await.unwrap(), None);
        let denied = logs.log_lines("g", from).await.unwrap_err();
        assert_eq!(denied.code(), Some("AccessDeniedException"));
        let asked = asked.lock().unwrap();
        let expected = json!({"logGroupName": "g", "startTime": 1000});
        assert_eq!(asked[0].1, expected);
        assert_eq!(asked[1].1["nextToken"], "more");
    }
}
