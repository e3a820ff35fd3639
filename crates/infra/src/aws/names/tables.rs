use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::describe_table::DescribeTableError;

use crate::aws::config::cloud_error;
use crate::cloud::CloudError;

pub(super) async fn is_taken(client: &Client, name: &str) -> Result<bool, CloudError> {
    match client.describe_table().table_name(name).send().await {
        Ok(_) => Ok(true),
        Err(error)
            if error
                .as_service_error()
                .is_some_and(DescribeTableError::is_resource_not_found_exception) =>
        {
            Ok(false)
        }
        Err(error) => Err(cloud_error("dynamodb:DescribeTable", &error)),
    }
}
