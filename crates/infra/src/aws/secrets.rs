use async_trait::async_trait;
use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::operation::get_secret_value::GetSecretValueError;

use super::config::{SdkConfig, cloud_error};
use crate::cloud::{CloudError, SecretVersion, Secrets};

/// [`Secrets`] on Secrets Manager.
#[derive(Clone, Debug)]
pub struct SecretsManager {
    pub(super) client: Client,
}

impl SecretsManager {
    /// A client for this configuration.
    pub fn new(config: &SdkConfig) -> Self {
        Self {
            client: Client::new(config),
        }
    }
}

#[async_trait]
impl Secrets for SecretsManager {
    async fn secret(&self, version: &SecretVersion) -> Result<Option<String>, CloudError> {
        let request = self
            .client
            .get_secret_value()
            .secret_id(&version.id)
            .set_version_stage(version.stage.clone())
            .set_version_id(version.version.clone());
        match request.send().await {
            // A secret of bytes has no text, and is no value of a variable.
            Ok(answer) => Ok(answer.secret_string().map(str::to_owned)),
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(GetSecretValueError::is_resource_not_found_exception) =>
            {
                Ok(None)
            }
            Err(error) => Err(cloud_error("secretsmanager:GetSecretValue", &error)),
        }
    }
}
