use async_trait::async_trait;
use aws_sdk_cloudcontrol::Client;

use super::config::{SdkConfig, cloud_error};
use crate::cloud::{AnyResource, CloudError};

/// [`AnyResource`] on the Cloud Control API.
#[derive(Clone, Debug)]
pub struct CloudControl {
    client: Client,
}

impl CloudControl {
    /// A client for this configuration.
    pub fn new(config: &SdkConfig) -> Self {
        Self {
            client: Client::new(config),
        }
    }
}

#[async_trait]
impl AnyResource for CloudControl {
    async fn is_there(&self, resource_type: &str, id: &str) -> Result<Option<bool>, CloudError> {
        let answer = self
            .client
            .get_resource()
            .type_name(resource_type)
            .identifier(id)
            .send()
            .await;
        let Err(error) = answer else {
            return Ok(Some(true));
        };
        let error = cloud_error("cloudformation:GetResource", &error);
        match error.code() {
            Some("ResourceNotFoundException") => Ok(Some(false)),
            // The type has no handler that reads, or names its resources by more than CloudFormation's one id.
            Some(
                "UnsupportedActionException"
                | "TypeNotFoundException"
                | "ValidationException"
                | "InvalidRequestException",
            ) => Ok(None),
            _ => Err(error),
        }
    }
}
