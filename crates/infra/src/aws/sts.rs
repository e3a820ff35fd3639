use async_trait::async_trait;
use aws_sdk_sts::Client;

use super::config::{SdkConfig, cloud_error};
use crate::cloud::{Caller, CloudError, Identity};

/// [`Identity`] on STS.
#[derive(Clone, Debug)]
pub struct Sts {
    client: Client,
}

impl Sts {
    /// A client for this configuration.
    pub fn new(config: &SdkConfig) -> Self {
        Self {
            client: Client::new(config),
        }
    }
}

#[async_trait]
impl Identity for Sts {
    async fn caller(&self) -> Result<Caller, CloudError> {
        let answer = self
            .client
            .get_caller_identity()
            .send()
            .await
            .map_err(|error| cloud_error("sts:GetCallerIdentity", &error))?;
        Ok(Caller {
            account: answer.account().unwrap_or_default().to_owned(),
            arn: answer.arn().unwrap_or_default().to_owned(),
        })
    }
}
