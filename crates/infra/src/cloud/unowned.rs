//! What can be left of an environment without a stack, beside what [`holdings`](super::holdings) has.

use std::collections::BTreeMap;

use async_trait::async_trait;
use time::OffsetDateTime;

use super::CloudError;

/// A parameter of the Parameter Store, without its value, which nothing here reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldParameter {
    /// Its name.
    pub name: String,
    /// Whether it is of the tier that costs.
    pub advanced: bool,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
}

/// The Parameter Store, as far as removing needs it.
#[async_trait]
pub trait HeldParameters: Send + Sync {
    /// The parameter of that name; `None` only where there is none.
    async fn held_parameter(&self, name: &str) -> Result<Option<HeldParameter>, CloudError>;
    /// Deletes these; those that are gone are fine.
    async fn delete_parameters(&self, names: &[String]) -> Result<(), CloudError>;
}

/// A secret, without its value, which nothing here reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldSecret {
    /// When its deletion was asked for, where it waits for that.
    pub deleted_on: Option<OffsetDateTime>,
    /// The regions that hold copies of it, which go before it.
    pub replicas: Vec<String>,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
}

/// Secrets Manager, as far as removing needs it.
#[async_trait]
pub trait HeldSecrets: Send + Sync {
    /// The secret of that name or ARN; `None` only where there is none.
    async fn held_secret(&self, id: &str) -> Result<Option<HeldSecret>, CloudError>;
    /// Takes the copies of a secret out of these regions.
    async fn remove_replicas(&self, id: &str, regions: &[String]) -> Result<(), CloudError>;
    /// Lets the secret be deleted in so many days, 7 to 30; one that waits already, or is gone, is fine.
    async fn schedule_secret_deletion(&self, id: &str, days: i32) -> Result<(), CloudError>;
}

/// A Lambda function.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Function {
    /// Its published versions.
    pub versions: Vec<String>,
    /// Its aliases.
    pub aliases: Vec<String>,
    /// The bytes of its code, in all versions.
    pub bytes: u64,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
}

/// Lambda, as far as removing needs it.
#[async_trait]
pub trait Functions: Send + Sync {
    /// The function of that name; `None` only where there is none.
    async fn function(&self, name: &str) -> Result<Option<Function>, CloudError>;
    /// Deletes the function with its versions and aliases; one that is gone is fine.
    async fn delete_function(&self, name: &str) -> Result<(), CloudError>;
    /// Deletes one published version; one that is gone is fine.
    async fn delete_version(&self, name: &str, version: &str) -> Result<(), CloudError>;
    /// Deletes an alias; one that is gone is fine.
    async fn delete_alias(&self, name: &str, alias: &str) -> Result<(), CloudError>;
}

/// Resources of any type, by the words of CloudFormation.
#[async_trait]
pub trait AnyResource: Send + Sync {
    /// Whether the resource of that type and id is there; `None` where its type cannot be looked at so.
    async fn is_there(&self, resource_type: &str, id: &str) -> Result<Option<bool>, CloudError>;
}
