use async_trait::async_trait;

use super::CloudError;

/// A parameter of the parameter store.
#[derive(Clone)]
pub struct Parameter {
    /// Its value, decrypted.
    pub value: String,
    /// Whether the store keeps it encrypted: a `SecureString`.
    pub is_secure: bool,
}

/// Systems Manager's parameter store.
#[async_trait]
pub trait Parameters: Send + Sync {
    /// A parameter by its name, `name:version` or `name:label`; `None` only where the store says that there is none.
    async fn parameter(&self, name: &str) -> Result<Option<Parameter>, CloudError>;
}

/// Which version of a secret.
///
/// See [`GetSecretValue`](https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SecretVersion {
    /// The secret's name or ARN.
    pub id: String,
    /// The staging label; `AWSCURRENT` where neither is named.
    pub stage: Option<String>,
    /// The version's id.
    pub version: Option<String>,
}

/// Secrets Manager.
#[async_trait]
pub trait Secrets: Send + Sync {
    /// A secret's text; `None` only where the service says that there is no such secret or version.
    async fn secret(&self, version: &SecretVersion) -> Result<Option<String>, CloudError>;
}
