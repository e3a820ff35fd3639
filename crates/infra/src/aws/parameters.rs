use async_trait::async_trait;
use aws_sdk_ssm::Client;
use aws_sdk_ssm::operation::get_parameter::GetParameterError;
use aws_sdk_ssm::types::ParameterType;

use super::config::{SdkConfig, cloud_error};
use crate::cloud::{CloudError, Parameter, Parameters};

/// [`Parameters`] on Systems Manager.
#[derive(Clone, Debug)]
pub struct Ssm {
    pub(super) client: Client,
}

impl Ssm {
    /// A client for this configuration.
    pub fn new(config: &SdkConfig) -> Self {
        Self {
            client: Client::new(config),
        }
    }
}

#[async_trait]
impl Parameters for Ssm {
    async fn parameter(&self, name: &str) -> Result<Option<Parameter>, CloudError> {
        let request = self.client.get_parameter().name(name).with_decryption(true);
        match request.send().await {
            Ok(answer) => Ok(answer.parameter().map(|parameter| Parameter {
                value: parameter.value().unwrap_or_default().to_owned(),
                is_secure: parameter.r#type() == Some(&ParameterType::SecureString),
            })),
            Err(error)
                if error.as_service_error().is_some_and(|error| {
                    matches!(
                        error,
                        GetParameterError::ParameterNotFound(_)
                            | GetParameterError::ParameterVersionNotFound(_)
                    )
                }) =>
            {
                Ok(None)
            }
            Err(error) => Err(cloud_error("ssm:GetParameter", &error)),
        }
    }
}
