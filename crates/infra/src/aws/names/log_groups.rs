use aws_sdk_cloudwatchlogs::Client;

use crate::aws::config::cloud_error;
use crate::cloud::CloudError;

/// Groups are listed by prefix, in the order of their names: the one of that very name comes first.
pub(super) async fn is_taken(client: &Client, name: &str) -> Result<bool, CloudError> {
    let answer = client
        .describe_log_groups()
        .log_group_name_prefix(name)
        .send()
        .await
        .map_err(|error| cloud_error("logs:DescribeLogGroups", &error))?;
    Ok(answer
        .log_groups()
        .iter()
        .any(|group| group.log_group_name() == Some(name)))
}
