use aws_sdk_ecr::Client;
use aws_sdk_ecr::operation::describe_repositories::DescribeRepositoriesError;

use crate::aws::config::cloud_error;
use crate::cloud::CloudError;

pub(super) async fn is_taken(client: &Client, name: &str) -> Result<bool, CloudError> {
    match client
        .describe_repositories()
        .repository_names(name)
        .send()
        .await
    {
        Ok(_) => Ok(true),
        Err(error)
            if error
                .as_service_error()
                .is_some_and(DescribeRepositoriesError::is_repository_not_found_exception) =>
        {
            Ok(false)
        }
        Err(error) => Err(cloud_error("ecr:DescribeRepositories", &error)),
    }
}
