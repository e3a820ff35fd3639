use async_trait::async_trait;
use aws_sdk_secretsmanager::operation::delete_secret::DeleteSecretError;
use aws_sdk_secretsmanager::operation::describe_secret::DescribeSecretError;
use time::OffsetDateTime;

use super::SecretsManager;
use super::config::cloud_error;
use crate::cloud::{CloudError, HeldSecret, HeldSecrets};

#[async_trait]
impl HeldSecrets for SecretsManager {
    async fn held_secret(&self, id: &str) -> Result<Option<HeldSecret>, CloudError> {
        let answer = match self.client.describe_secret().secret_id(id).send().await {
            Ok(answer) => answer,
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(DescribeSecretError::is_resource_not_found_exception) =>
            {
                return Ok(None);
            }
            Err(error) => return Err(cloud_error("secretsmanager:DescribeSecret", &error)),
        };
        Ok(Some(HeldSecret {
            deleted_on: answer
                .deleted_date()
                .and_then(|date| OffsetDateTime::from_unix_timestamp_nanos(date.as_nanos()).ok()),
            replicas: answer
                .replication_status()
                .iter()
                .filter_map(|replica| replica.region())
                .map(str::to_owned)
                .collect(),
            tags: answer
                .tags()
                .iter()
                .filter_map(|tag| Some((tag.key()?.to_owned(), tag.value()?.to_owned())))
                .collect(),
        }))
    }

    async fn remove_replicas(&self, id: &str, regions: &[String]) -> Result<(), CloudError> {
        self.client
            .remove_regions_from_replication()
            .secret_id(id)
            .set_remove_replica_regions(Some(regions.to_vec()))
            .send()
            .await
            .map(drop)
            .map_err(|error| cloud_error("secretsmanager:RemoveRegionsFromReplication", &error))
    }

    async fn schedule_secret_deletion(&self, id: &str, days: i32) -> Result<(), CloudError> {
        let answer = self
            .client
            .delete_secret()
            .secret_id(id)
            .recovery_window_in_days(days.into())
            .send()
            .await;
        let Err(error) = answer else {
            return Ok(());
        };
        match error.as_service_error() {
            Some(DeleteSecretError::ResourceNotFoundException(_)) => return Ok(()),
            // What waits already is refused in the words that others are refused in too.
            Some(DeleteSecretError::InvalidRequestException(_)) => {
                let secret = self.held_secret(id).await?;
                if secret.is_none_or(|secret| secret.deleted_on.is_some()) {
                    return Ok(());
                }
            }
            _ => {}
        }
        Err(cloud_error("secretsmanager:DeleteSecret", &error))
    }
}
