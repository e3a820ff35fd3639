use std::collections::BTreeMap;

use async_trait::async_trait;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::delete_table::DeleteTableError;
use aws_sdk_dynamodb::operation::describe_table::DescribeTableError;
use aws_sdk_dynamodb::operation::list_tags_of_resource::ListTagsOfResourceError;
use aws_sdk_dynamodb::operation::update_table::UpdateTableError;
use aws_sdk_dynamodb::types::{TableDescription, TableStatus};

use super::config::{SdkConfig, answered, cloud_error, in_region};
use crate::cloud::{CloudError, Tables};
use crate::inventory::TableContents;

/// [`Tables`] on DynamoDB.
#[derive(Clone, Debug)]
pub struct DynamoDb {
    client: Client,
    config: SdkConfig,
}

impl DynamoDb {
    /// A client for this configuration.
    pub fn new(config: &SdkConfig) -> Self {
        Self {
            client: Client::new(config),
            config: config.clone(),
        }
    }

    /// The table's clients in the regions of its replicas, this one's first.
    async fn everywhere(&self, name: &str) -> Result<Vec<Client>, CloudError> {
        let table = self.describe(name).await?;
        let replicas = table.and_then(|table| table.replicas).unwrap_or_default();
        let here = self.config.region().map(AsRef::as_ref);
        let elsewhere = replicas
            .iter()
            .filter_map(|replica| replica.region_name())
            .filter(|region| Some(*region) != here)
            .map(|region| Client::new(&in_region(&self.config, region)));
        Ok([self.client.clone()].into_iter().chain(elsewhere).collect())
    }

    async fn describe(&self, name: &str) -> Result<Option<TableDescription>, CloudError> {
        match self.client.describe_table().table_name(name).send().await {
            Ok(answer) => Ok(answer.table),
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(DescribeTableError::is_resource_not_found_exception) =>
            {
                Ok(None)
            }
            Err(error) => Err(cloud_error("dynamodb:DescribeTable", &error)),
        }
    }
}

#[async_trait]
impl Tables for DynamoDb {
    async fn table_contents(&self, name: &str) -> Result<Option<TableContents>, CloudError> {
        let table = self.describe(name).await?;
        Ok(table.map(|table| TableContents {
            items: table.item_count().unwrap_or_default().unsigned_abs(),
            bytes: table.table_size_bytes().unwrap_or_default().unsigned_abs(),
            deletion_protection: table.deletion_protection_enabled() == Some(true),
            deleting: table.table_status() == Some(&TableStatus::Deleting),
        }))
    }

    async fn table_tags(&self, name: &str) -> Result<BTreeMap<String, String>, CloudError> {
        let table = self.describe(name).await?;
        let Some(arn) = table.and_then(|table| table.table_arn) else {
            return Ok(BTreeMap::new());
        };
        let mut tags = BTreeMap::new();
        let mut token = None;
        loop {
            let answer = self
                .client
                .list_tags_of_resource()
                .resource_arn(&arn)
                .set_next_token(token)
                .send()
                .await;
            let Some(page) = answered(
                "dynamodb:ListTagsOfResource",
                answer,
                ListTagsOfResourceError::is_resource_not_found_exception,
            )?
            else {
                return Ok(BTreeMap::new());
            };
            tags.extend(
                page.tags()
                    .iter()
                    .map(|tag| (tag.key().to_owned(), tag.value().to_owned())),
            );
            token = page.next_token;
            if token.is_none() {
                return Ok(tags);
            }
        }
    }

    async fn lift_table_protection(&self, name: &str) -> Result<(), CloudError> {
        // Each replica has a protection of its own.
        for client in self.everywhere(name).await? {
            let answer = client
                .update_table()
                .table_name(name)
                .deletion_protection_enabled(false)
                .send()
                .await;
            match answer {
                Ok(_) => {}
                Err(error)
                    if error
                        .as_service_error()
                        .is_some_and(UpdateTableError::is_resource_not_found_exception) => {}
                Err(error) => return Err(cloud_error("dynamodb:UpdateTable", &error)),
            }
        }
        Ok(())
    }

    async fn delete_table(&self, name: &str) -> Result<bool, CloudError> {
        use DeleteTableError as Delete;
        let answer = self.client.delete_table().table_name(name).send().await;
        let Err(error) = answer else {
            return Ok(true);
        };
        match error.as_service_error() {
            Some(Delete::ResourceNotFoundException(_)) => Ok(true),
            Some(Delete::ResourceInUseException(_)) => Ok(false),
            _ => Err(cloud_error("dynamodb:DeleteTable", &error)),
        }
    }
}
