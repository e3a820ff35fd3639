use async_trait::async_trait;
use aws_sdk_cloudwatchlogs::Client;
use aws_sdk_cloudwatchlogs::operation::delete_log_group::DeleteLogGroupError;

use super::config::{SdkConfig, cloud_error};
use crate::cloud::{CloudError, LogGroup, LogGroups};

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
