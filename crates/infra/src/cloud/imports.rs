use std::collections::BTreeMap;

use async_trait::async_trait;

use super::CloudError;
use crate::stack::{ChangeSet, ImportTarget};

/// What identifies the resources of one type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourceIdentifiers {
    /// `AWS::DynamoDB::Table`.
    pub resource_type: String,
    /// Its resources in the template, by logical id.
    pub logical_ids: Vec<String>,
    /// The properties that a resource is known by: `TableName`.
    pub names: Vec<String>,
}

/// What a change set is made from that takes resources in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportRequest {
    /// The stack's name; one that is not there is made.
    pub stack_name: String,
    /// The change set's name, unique within the stack.
    pub name: String,
    /// The template: what the stack holds, and what it takes in.
    pub template_body: String,
    /// Parameter values by name.
    pub parameters: BTreeMap<String, String>,
    /// The tags that the stack has, which an import may not change; none for a new one.
    pub tags: BTreeMap<String, String>,
    /// Such as `CAPABILITY_NAMED_IAM`.
    pub capabilities: Vec<String>,
    /// What it takes in.
    pub targets: Vec<ImportTarget>,
}

/// CloudFormation's import of resources that are there already.
#[async_trait]
pub trait Imports: Send + Sync {
    /// What identifies the resources of a template, of the types that can be imported; empty where an emulator does not say.
    async fn resource_identifiers(
        &self,
        template_body: &str,
    ) -> Result<Vec<ResourceIdentifiers>, CloudError>;
    /// Asks for a change set that imports; its contents are known once
    /// [`Stacks::describe_change_set`](super::Stacks::describe_change_set) says so.
    async fn create_import(&self, request: &ImportRequest) -> Result<ChangeSet, CloudError>;
}
