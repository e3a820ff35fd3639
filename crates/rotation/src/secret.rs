//! The calls of Secrets Manager that a rotation makes.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};
use stackway_aws_client::{Client, SECRETS_MANAGER};

use crate::RotationError;

pub(crate) const CURRENT: &str = "AWSCURRENT";
pub(crate) const PENDING: &str = "AWSPENDING";

/// What Secrets Manager says where a version has no value yet.
const NOT_FOUND: &str = "ResourceNotFoundException";

/// Letters and digits alone, as an `Authorization` header carries them: 64 of 62 kinds are 381 bits.
const TOKEN_LENGTH: u32 = 64;

/// The labels of each version, by its id.
pub(crate) type Labels = BTreeMap<String, Vec<String>>;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Description {
    #[serde(default)]
    version_ids_to_stages: Labels,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SecretValue {
    secret_string: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Password {
    random_password: String,
}

/// One secret.
pub(crate) struct Secret<'a> {
    client: &'a Client,
    id: &'a str,
}

impl<'a> Secret<'a> {
    pub(crate) fn new(client: &'a Client, id: &'a str) -> Self {
        Self { client, id }
    }

    /// <https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_DescribeSecret.html>
    pub(crate) async fn labels(&self) -> Result<Labels, RotationError> {
        let input = json!({ "SecretId": self.id });
        let description: Description = self
            .client
            .call(SECRETS_MANAGER, "DescribeSecret", &input)
            .await?;
        Ok(description.version_ids_to_stages)
    }

    /// The value of the pending version; none where it has none yet.
    async fn value(&self, version: &str) -> Result<Option<SecretValue>, RotationError> {
        let input = json!({
            "SecretId": self.id,
            "VersionId": version,
            "VersionStage": PENDING,
        });
        let called = self.client.call(SECRETS_MANAGER, "GetSecretValue", &input);
        match called.await {
            Ok(value) => Ok(Some(value)),
            Err(error) if error.code() == Some(NOT_FOUND) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    pub(crate) async fn pending(&self, version: &str) -> Result<String, RotationError> {
        self.value(version)
            .await?
            .and_then(|value| value.secret_string)
            .ok_or_else(|| RotationError::NoText {
                secret: self.id.to_owned(),
                version: version.to_owned(),
            })
    }

    /// Makes a new token, unless the version has one.
    pub(crate) async fn make_pending(&self, version: &str) -> Result<(), RotationError> {
        if self.value(version).await?.is_some() {
            return Ok(());
        }
        let input = json!({ "PasswordLength": TOKEN_LENGTH, "ExcludePunctuation": true });
        let password: Password = self
            .client
            .call(SECRETS_MANAGER, "GetRandomPassword", &input)
            .await?;
        let input = json!({
            "SecretId": self.id,
            "ClientRequestToken": version,
            "SecretString": password.random_password,
            "VersionStages": [PENDING],
        });
        let _: Value = self
            .client
            .call(SECRETS_MANAGER, "PutSecretValue", &input)
            .await?;
        Ok(())
    }

    /// Moves the label; Secrets Manager gives AWSPREVIOUS to the version that had it.
    ///
    /// <https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_UpdateSecretVersionStage.html>
    pub(crate) async fn make_current(
        &self,
        version: &str,
        current: &str,
    ) -> Result<(), RotationError> {
        let input = json!({
            "SecretId": self.id,
            "VersionStage": CURRENT,
            "MoveToVersionId": version,
            "RemoveFromVersionId": current,
        });
        let _: Value = self
            .client
            .call(SECRETS_MANAGER, "UpdateSecretVersionStage", &input)
            .await?;
        Ok(())
    }
}
