use std::collections::BTreeSet;

use async_trait::async_trait;

use super::CloudError;

/// What CloudFormation itself can say before a deploy.
#[async_trait]
pub trait StackRules: Send + Sync {
    /// What is wrong with a template; `None` where CloudFormation takes it.
    ///
    /// See [ValidateTemplate](https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ValidateTemplate.html).
    async fn template_fault(&self, body: &str) -> Result<Option<String>, CloudError>;
    /// How many stacks the account may have in the region; `None` where the service does not say.
    ///
    /// See [DescribeAccountLimits](https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeAccountLimits.html).
    async fn stack_limit(&self) -> Result<Option<u32>, CloudError>;
    /// How many stacks there are in the region, deleted ones left out.
    async fn stack_count(&self) -> Result<u32, CloudError>;
}

/// IAM, as far as asking for permissions needs it.
#[async_trait]
pub trait Permissions: Send + Sync {
    /// A role's ARN with its path.
    async fn role_arn(&self, name: &str) -> Result<String, CloudError>;
    /// The actions among `actions` that the principal's policies do not allow.
    ///
    /// See [SimulatePrincipalPolicy](https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html).
    async fn denied(
        &self,
        principal_arn: &str,
        actions: &[&str],
    ) -> Result<BTreeSet<String>, CloudError>;
}

/// The state of a connection to a source provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConnectionState {
    /// It can be used.
    Available,
    /// Nobody has authorised it at the provider yet.
    Pending,
    /// It was authorised and does not work any more, or is in a state that this version does not know.
    Broken(String),
}

/// Connections to source providers, under their present name and the one before.
#[async_trait]
pub trait Connections: Send + Sync {
    /// The state of a connection.
    async fn connection(&self, arn: &str) -> Result<ConnectionState, CloudError>;
}

/// Names that resources have.
#[async_trait]
pub trait Names: Send + Sync {
    /// Whether a resource of that type and name is there, whoever made it. For a bucket: in any account.
    async fn is_taken(&self, resource_type: &str, name: &str) -> Result<bool, CloudError>;
}
