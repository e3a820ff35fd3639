use aws_sdk_s3::Client;

use crate::aws::config::{SdkConfig, cloud_error};
use crate::cloud::CloudError;

/// With an endpoint of its own, buckets are named in the path, as an emulator wants it.
pub(super) fn client(config: &SdkConfig) -> Client {
    let settings =
        aws_sdk_s3::config::Builder::from(config).force_path_style(config.endpoint_url().is_some());
    Client::from_conf(settings.build())
}

/// All accounts share one name space: a bucket of another account (403) or region (301) is there too.
///
/// See [HeadBucket](https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadBucket.html).
pub(super) async fn is_taken(client: &Client, name: &str) -> Result<bool, CloudError> {
    match client.head_bucket().bucket(name).send().await {
        Ok(_) => Ok(true),
        Err(error) => match error
            .raw_response()
            .map(|response| response.status().as_u16())
        {
            Some(404) => Ok(false),
            Some(301 | 403) => Ok(true),
            _ => Err(cloud_error("s3:HeadBucket", &error)),
        },
    }
}
