//! CloudFormation's stack sets, in the project's verbs.
//!
//! Every call names a [`StackSetAddress`], which says as whom it is made: a set of a delegated administrator answers to
//! no other. Every list is read to its end.

#[cfg(any(test, feature = "test-support"))]
pub mod fake;

use async_trait::async_trait;

use super::CloudError;
use crate::stack_set::{
    CallAs, InstanceDrift, OperationResult, Overrides, Pair, Preferences, Product, StackInstance,
    StackSet, StackSetAddress, StackSetDefinition, StackSetOperation, StackSetSummary,
};

/// An operation on some instances of a set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstancesRequest {
    /// The accounts or units, each with each region.
    pub on: Product,
    /// The values that they have in place of the set's: all of them, so that what is left out goes back to the set's.
    pub overrides: Overrides,
    /// How to go over them.
    pub preferences: Preferences,
    /// The operation's id. A call that is delivered twice begins one operation.
    pub operation_id: String,
}

/// A change of what a set is made from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StackSetUpdate {
    /// What it is made from now.
    pub definition: StackSetDefinition,
    /// The instances that follow at once; the others are marked as outdated where the definition differs. `None`: all
    /// of them, and auto-deployment is switched as the definition says, which the service refuses beside targets.
    pub on: Option<Product>,
    /// How to go over them.
    pub preferences: Preferences,
    /// The operation's id. A call that is delivered twice begins one operation.
    pub operation_id: String,
}

/// Errors of the service that flows act upon, by their codes.
pub mod codes {
    /// Another operation is under way, and the set takes one at a time.
    pub const OPERATION_IN_PROGRESS: &str = "OperationInProgressException";
    /// The operation of that id was begun before.
    pub const OPERATION_ID_EXISTS: &str = "OperationIdAlreadyExistsException";
    /// Another operation came in between.
    pub const STALE_REQUEST: &str = "StaleRequestException";
    /// There is no such set.
    pub const NOT_FOUND: &str = "StackSetNotFoundException";
    /// There is no such instance.
    pub const INSTANCE_NOT_FOUND: &str = "StackInstanceNotFoundException";
    /// There is no such operation.
    pub const OPERATION_NOT_FOUND: &str = "OperationNotFoundException";
    /// A set of that name is there.
    pub const NAME_EXISTS: &str = "NameAlreadyExistsException";
    /// The set still has instances.
    pub const NOT_EMPTY: &str = "StackSetNotEmptyException";
}

/// CloudFormation's stack sets.
#[async_trait]
pub trait StackSets: Send + Sync {
    /// The set; `None` only where CloudFormation says that there is none.
    async fn describe_stack_set(
        &self,
        at: &StackSetAddress,
    ) -> Result<Option<StackSet>, CloudError>;
    /// Every active set of the account, or those of the organisation that a delegated administrator sees.
    async fn stack_sets(&self, call_as: CallAs) -> Result<Vec<StackSetSummary>, CloudError>;
    /// Makes a set without instances. A call with the same token twice makes one.
    async fn create_stack_set(
        &self,
        at: &StackSetAddress,
        definition: &StackSetDefinition,
        token: &str,
    ) -> Result<(), CloudError>;
    /// Changes the set and lets instances follow; returns the operation's id.
    async fn update_stack_set(
        &self,
        at: &StackSetAddress,
        update: &StackSetUpdate,
    ) -> Result<String, CloudError>;
    /// Deletes a set that has no instance. One that is gone is no error.
    async fn delete_stack_set(&self, at: &StackSetAddress) -> Result<(), CloudError>;

    /// Every instance of the set, without the values of its own.
    async fn stack_instances(&self, at: &StackSetAddress)
    -> Result<Vec<StackInstance>, CloudError>;
    /// The values that an instance has in place of the set's; `None` where there is no such instance.
    async fn instance_overrides(
        &self,
        at: &StackSetAddress,
        pair: &Pair,
    ) -> Result<Option<Overrides>, CloudError>;
    /// The units and regions that auto-deployment watches, with or without accounts in them.
    async fn auto_deployment_targets(&self, at: &StackSetAddress) -> Result<Vec<Pair>, CloudError>;
    /// Makes instances; those that are there already stay. Returns the operation's id.
    async fn create_instances(
        &self,
        at: &StackSetAddress,
        request: &InstancesRequest,
    ) -> Result<String, CloudError>;
    /// Gives instances values of their own; returns the operation's id.
    async fn update_instances(
        &self,
        at: &StackSetAddress,
        request: &InstancesRequest,
    ) -> Result<String, CloudError>;
    /// Takes instances out of the set, with their stacks unless `retain_stacks`; returns the operation's id.
    async fn delete_instances(
        &self,
        at: &StackSetAddress,
        request: &InstancesRequest,
        retain_stacks: bool,
    ) -> Result<String, CloudError>;

    /// The operations on the set that are not forgotten yet, newest first.
    async fn operations(&self, at: &StackSetAddress) -> Result<Vec<StackSetOperation>, CloudError>;
    /// One operation; `None` where there is no such.
    async fn describe_operation(
        &self,
        at: &StackSetAddress,
        operation_id: &str,
    ) -> Result<Option<StackSetOperation>, CloudError>;
    /// How far an operation is with each instance.
    async fn operation_results(
        &self,
        at: &StackSetAddress,
        operation_id: &str,
    ) -> Result<Vec<OperationResult>, CloudError>;
    /// Asks an operation to stop: instances whose turn has not come are left out.
    async fn stop_operation(
        &self,
        at: &StackSetAddress,
        operation_id: &str,
    ) -> Result<(), CloudError>;

    /// Begins a comparison of every instance with its template; returns the operation's id.
    async fn detect_drift(
        &self,
        at: &StackSetAddress,
        preferences: &Preferences,
        operation_id: &str,
    ) -> Result<String, CloudError>;
    /// What a comparison found in one instance.
    async fn instance_drift(
        &self,
        at: &StackSetAddress,
        pair: &Pair,
        operation_id: &str,
    ) -> Result<InstanceDrift, CloudError>;
}
