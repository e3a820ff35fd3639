//! What a stack was last deployed from.

use std::collections::BTreeMap;

use async_trait::async_trait;

use super::CloudError;

/// What a stack was last deployed from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deployed {
    /// Its template, as it was sent.
    pub template: String,
    /// Its parameters; CloudFormation masks those with `NoEcho`.
    pub parameters: BTreeMap<String, String>,
}

/// CloudFormation's memory of what it was sent. It only reads.
#[async_trait]
pub trait DeployedStacks: Send + Sync {
    /// What the stack was last deployed from; `None` only where CloudFormation says that there is no such stack.
    async fn deployed(&self, name: &str) -> Result<Option<Deployed>, CloudError>;
}
