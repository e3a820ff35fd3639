use async_trait::async_trait;
use aws_sdk_kms::Client;
use aws_sdk_kms::operation::describe_key::DescribeKeyError;
use aws_sdk_kms::types as sdk;
use time::OffsetDateTime;

use super::config::{SdkConfig, cloud_error};
use crate::cloud::{CloudError, Keys};
use crate::inventory::KeyState;

/// [`Keys`] on KMS.
#[derive(Clone, Debug)]
pub struct Kms {
    client: Client,
}

impl Kms {
    /// A client for this configuration.
    pub fn new(config: &SdkConfig) -> Self {
        Self {
            client: Client::new(config),
        }
    }
}

#[async_trait]
impl Keys for Kms {
    async fn key(&self, id: &str) -> Result<Option<KeyState>, CloudError> {
        let answer = match self.client.describe_key().key_id(id).send().await {
            Ok(answer) => answer,
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(DescribeKeyError::is_not_found_exception) =>
            {
                return Ok(None);
            }
            Err(error) => return Err(cloud_error("kms:DescribeKey", &error)),
        };
        Ok(answer.key_metadata().map(|key| match key.key_state() {
            Some(sdk::KeyState::PendingDeletion | sdk::KeyState::PendingReplicaDeletion) => {
                KeyState::PendingDeletion {
                    on: key.deletion_date().and_then(|date| {
                        OffsetDateTime::from_unix_timestamp_nanos(date.as_nanos()).ok()
                    }),
                }
            }
            _ => KeyState::InUse,
        }))
    }
}
