//! What an environment holds beside its stacks: one small trait a service.

use std::collections::BTreeMap;

use async_trait::async_trait;

use super::CloudError;
use crate::inventory::{KeyState, RepositoryContents, TableContents};
use crate::stack::Stack;

/// All stacks, as `destroy` looks for them.
#[async_trait]
pub trait StackList: Send + Sync {
    /// Every stack of the account and region that is not deleted.
    async fn stacks(&self) -> Result<Vec<Stack>, CloudError>;
    /// Deleted stacks that CloudFormation still tells of (90 days), as name and id.
    async fn deleted_stacks(&self) -> Result<Vec<(String, String)>, CloudError>;
    /// Deletes a stack in `DELETE_FAILED` whatever becomes of its resources: those that cannot be deleted stay.
    async fn force_delete_stack(&self, stack_id: &str) -> Result<(), CloudError>;
}

/// ECR, as far as removing needs it.
#[async_trait]
pub trait Images: Send + Sync {
    /// What the repository holds; `None` only where ECR says that there is none.
    async fn repository_contents(
        &self,
        name: &str,
    ) -> Result<Option<RepositoryContents>, CloudError>;
    /// Whether the repository holds the image: `:` and a tag, or `@` and a digest.
    async fn has_image(&self, name: &str, image: &str) -> Result<bool, CloudError>;
    /// The repository's tags.
    async fn repository_tags(&self, name: &str) -> Result<BTreeMap<String, String>, CloudError>;
    /// Deletes every image; returns how many. A repository that is gone counts as empty.
    async fn empty_repository(&self, name: &str) -> Result<u64, CloudError>;
    /// Deletes an empty repository; one that is gone is fine.
    async fn delete_repository(&self, name: &str) -> Result<(), CloudError>;
}

/// DynamoDB, as far as telling what will be lost, and removing what no stack owns, needs it.
#[async_trait]
pub trait Tables: Send + Sync {
    /// What the table holds; `None` only where DynamoDB says that there is none.
    async fn table_contents(&self, name: &str) -> Result<Option<TableContents>, CloudError>;
    /// The table's tags; none where there is no such table.
    async fn table_tags(&self, name: &str) -> Result<BTreeMap<String, String>, CloudError>;
    /// Switches the table's deletion protection off; a table that is gone is fine.
    async fn lift_table_protection(&self, name: &str) -> Result<(), CloudError>;
    /// Begins the table's deletion; false where something else is under way on it. One that is gone is fine.
    async fn delete_table(&self, name: &str) -> Result<bool, CloudError>;
}

/// A log group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogGroup {
    /// Its name.
    pub name: String,
    /// The bytes that are stored.
    pub bytes: u64,
}

/// CloudWatch Logs, as far as removing needs it.
#[async_trait]
pub trait LogGroups: Send + Sync {
    /// The log group of exactly that name; `None` only where there is none.
    async fn log_group(&self, name: &str) -> Result<Option<LogGroup>, CloudError>;
    /// Deletes it with all it holds; one that is gone is fine.
    async fn delete_log_group(&self, name: &str) -> Result<(), CloudError>;
}

/// A group of test reports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportGroup {
    /// Its ARN.
    pub arn: String,
    /// Its name.
    pub name: String,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
}

/// CodeBuild's report groups.
#[async_trait]
pub trait ReportGroups: Send + Sync {
    /// Every report group of the account and region.
    async fn report_groups(&self) -> Result<Vec<ReportGroup>, CloudError>;
    /// Deletes a group with its reports; one that is gone is fine.
    async fn delete_report_group(&self, arn: &str) -> Result<(), CloudError>;
}

/// KMS, as far as telling what remains, and letting go of what no stack owns, needs it.
#[async_trait]
pub trait Keys: Send + Sync {
    /// How a key stands; `None` only where KMS says that there is none.
    async fn key(&self, id: &str) -> Result<Option<KeyState>, CloudError>;
    /// The key's tags; none where there is no such key.
    async fn key_tags(&self, id: &str) -> Result<BTreeMap<String, String>, CloudError>;
    /// Lets the key be deleted in so many days, 7 to 30; one that waits already, or is gone, is fine.
    async fn schedule_key_deletion(&self, id: &str, days: i32) -> Result<(), CloudError>;
}

/// The Resource Groups Tagging API.
#[async_trait]
pub trait Tagged: Send + Sync {
    /// The ARNs of all resources of the region with these tags.
    async fn tagged(&self, project: &str, environment: &str) -> Result<Vec<String>, CloudError>;
}

/// A stack or a stack set that a pipeline's action makes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Made {
    /// Its name.
    pub name: String,
    /// Whether it is a stack set.
    pub is_set: bool,
    /// Where it is, if the action says so; else where the pipeline is.
    pub region: Option<String>,
}

impl Made {
    /// A stack where the pipeline is.
    pub fn stack(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            is_set: false,
            region: None,
        }
    }
}

/// What a pipeline makes, and how it is kept from making more.
#[async_trait]
pub trait PipelineStacks: Send + Sync {
    /// The stacks and stack sets in the declaration: in actions' configuration and in the variables' defaults. `None`
    /// only where there is no such pipeline.
    async fn declared_stacks(&self, pipeline: &str) -> Result<Option<Vec<Made>>, CloudError>;
    /// The stacks and stack sets that runs of its actions were given, with all variables filled in.
    async fn deployed_stacks(&self, pipeline: &str) -> Result<Vec<Made>, CloudError>;
    /// The stages, in order, each with whether its inbound transition is open.
    async fn stages(&self, pipeline: &str) -> Result<Vec<(String, bool)>, CloudError>;
    /// Lets nothing into the stage any more.
    async fn close_stage(
        &self,
        pipeline: &str,
        stage: &str,
        reason: &str,
    ) -> Result<(), CloudError>;
    /// The executions under way, by id.
    async fn running(&self, pipeline: &str) -> Result<Vec<String>, CloudError>;
    /// Stops an execution, abandoning the actions under way; one that is over is fine.
    async fn abandon(
        &self,
        pipeline: &str,
        execution_id: &str,
        reason: &str,
    ) -> Result<(), CloudError>;
}
