use std::collections::BTreeMap;

use async_trait::async_trait;
use aws_sdk_kms::Client;
use aws_sdk_kms::operation::describe_key::DescribeKeyError;
use aws_sdk_kms::operation::list_resource_tags::ListResourceTagsError;
use aws_sdk_kms::operation::schedule_key_deletion::ScheduleKeyDeletionError;
use aws_sdk_kms::types as sdk;
use time::OffsetDateTime;

use super::config::{SdkConfig, answered, cloud_error};
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

    async fn key_tags(&self, id: &str) -> Result<BTreeMap<String, String>, CloudError> {
        let mut pages = self
            .client
            .list_resource_tags()
            .key_id(id)
            .into_paginator()
            .send();
        let mut tags = BTreeMap::new();
        while let Some(page) = pages.next().await {
            let Some(page) = answered(
                "kms:ListResourceTags",
                page,
                ListResourceTagsError::is_not_found_exception,
            )?
            else {
                return Ok(BTreeMap::new());
            };
            tags.extend(
                page.tags()
                    .iter()
                    .map(|tag| (tag.tag_key().to_owned(), tag.tag_value().to_owned())),
            );
        }
        Ok(tags)
    }

    async fn schedule_key_deletion(&self, id: &str, days: i32) -> Result<(), CloudError> {
        let answer = self
            .client
            .schedule_key_deletion()
            .key_id(id)
            .pending_window_in_days(days)
            .send()
            .await;
        let Err(error) = answer else {
            return Ok(());
        };
        if error
            .as_service_error()
            .is_some_and(ScheduleKeyDeletionError::is_not_found_exception)
        {
            return Ok(());
        }
        // KMS says of a key that waits already that its state is invalid, as it does of others.
        let waits = error
            .as_service_error()
            .is_some_and(ScheduleKeyDeletionError::is_kms_invalid_state_exception)
            && matches!(self.key(id).await?, Some(KeyState::PendingDeletion { .. }));
        if waits {
            return Ok(());
        }
        Err(cloud_error("kms:ScheduleKeyDeletion", &error))
    }
}
