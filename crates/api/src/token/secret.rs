//! The token in Secrets Manager.

use std::{
    fmt,
    time::{Duration, SystemTime},
};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use stackway_aws_client::{Client, Connections, CredentialSource, SECRETS_MANAGER, Settings};

use super::{Stage, Token, TokenError, TokenSource, Version};

/// How long one try to read the secret may take. A client waits for it.
const TIMEOUT: Duration = Duration::from_millis(1400);

/// What Secrets Manager says where no version has a label, or where there is no such secret.
const NOT_FOUND: &str = "ResourceNotFoundException";

/// A secret, and how to reach it.
#[derive(Clone)]
pub struct SecretSettings {
    /// Its name or ARN.
    pub secret: String,
    /// How long the token that a rotation has replaced counts, from when its successor was made.
    pub grace: Duration,
    /// The region, which every request is signed for.
    pub region: String,
    /// Another address than the region's own: an emulator.
    pub endpoint_url: Option<String>,
    /// What requests are signed with.
    pub credentials: CredentialSource,
    /// What requests go through.
    pub connections: Connections,
}

impl fmt::Debug for SecretSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecretSettings")
            .field("secret", &self.secret)
            .field("grace", &self.grace)
            .finish_non_exhaustive()
    }
}

/// Reads a secret's versions by signed calls.
pub(super) struct Secret {
    client: Client,
    name: String,
}

impl Secret {
    pub(super) fn new(settings: SecretSettings) -> Self {
        Self {
            client: Client::new(Settings {
                region: settings.region,
                endpoint_url: settings.endpoint_url,
                credentials: settings.credentials,
                connections: settings.connections,
                timeout: TIMEOUT,
            }),
            name: settings.secret,
        }
    }
}

/// <https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html>
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct GetSecretValue<'a> {
    secret_id: &'a str,
    version_stage: &'static str,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SecretValue {
    secret_string: Option<String>,
    /// Seconds since 1970.
    created_date: f64,
}

#[async_trait]
impl TokenSource for Secret {
    async fn version(&self, stage: Stage) -> Result<Option<Version>, TokenError> {
        let version_stage = match stage {
            Stage::Current => "AWSCURRENT",
            Stage::Previous => "AWSPREVIOUS",
            Stage::Pending => "AWSPENDING",
        };
        let input = GetSecretValue {
            secret_id: &self.name,
            version_stage,
        };
        let fault = |what: &dyn fmt::Display| TokenError(format!("secret `{}`: {what}", self.name));
        let called = self
            .client
            .call::<SecretValue>(SECRETS_MANAGER, "GetSecretValue", &input);
        let value = match called.await {
            Ok(value) => value,
            Err(error) if error.code() == Some(NOT_FOUND) => return Ok(None),
            Err(error) => return Err(fault(&error)),
        };
        let token = value
            .secret_string
            .ok_or_else(|| fault(&format_args!("{version_stage} is no text")))?;
        let token = Token::new(token)
            .map_err(|what| fault(&format_args!("the token in {version_stage} {what}")))?;
        let created = Duration::try_from_secs_f64(value.created_date)
            .map_err(|error| fault(&format_args!("the date of {version_stage}: {error}")))?;
        Ok(Some(Version {
            token,
            created: SystemTime::UNIX_EPOCH + created,
        }))
    }
}
