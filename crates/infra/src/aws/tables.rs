use async_trait::async_trait;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::describe_table::DescribeTableError;

use super::config::{SdkConfig, cloud_error};
use crate::cloud::{CloudError, Tables};
use crate::inventory::TableContents;

/// [`Tables`] on DynamoDB.
#[derive(Clone, Debug)]
pub struct DynamoDb {
    client: Client,
}

impl DynamoDb {
    /// A client for this configuration.
    pub fn new(config: &SdkConfig) -> Self {
        Self {
            client: Client::new(config),
        }
    }
}

#[async_trait]
impl Tables for DynamoDb {
    async fn table_contents(&self, name: &str) -> Result<Option<TableContents>, CloudError> {
        match self.client.describe_table().table_name(name).send().await {
            Ok(answer) => Ok(answer.table().map(|table| TableContents {
                items: table.item_count().unwrap_or_default().unsigned_abs(),
                bytes: table.table_size_bytes().unwrap_or_default().unsigned_abs(),
            })),
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
