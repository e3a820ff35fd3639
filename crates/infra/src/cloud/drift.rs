use async_trait::async_trait;

use super::CloudError;
use crate::drift::ResourceDrift;

/// How far detecting drift has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Detection {
    /// It goes on.
    Running,
    /// Every resource of a type that takes part was looked at.
    Complete,
    /// Some could not be looked at, for this reason; what was found of the others is there.
    Failed(String),
}

/// A change set that has been asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AskedChangeSet {
    /// The change set's ARN.
    pub id: String,
    /// The stack's ARN.
    pub stack_id: String,
}

/// CloudFormation's detection of drift.
#[async_trait]
pub trait Drift: Send + Sync {
    /// Starts a detection on all resources of the stack, and returns its id. It reads the resources and changes none;
    /// its result is kept with the stack.
    ///
    /// See [DetectStackDrift](https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DetectStackDrift.html).
    async fn detect_drift(&self, stack_id: &str) -> Result<String, CloudError>;
    /// How far the detection has come.
    async fn drift_detection(&self, detection_id: &str) -> Result<Detection, CloudError>;
    /// What the last detection found, resource by resource; those that it did not look at are left out.
    async fn resource_drifts(&self, stack_id: &str) -> Result<Vec<ResourceDrift>, CloudError>;
    /// Asks for a change set that brings the resources back to the stack's own template and parameters.
    ///
    /// An endpoint that does not know `REVERT_DRIFT` makes one without changes.
    ///
    /// See [drift-aware change sets](https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/drift-aware-change-sets.html).
    async fn create_reverting_change_set(
        &self,
        stack_id: &str,
        name: &str,
    ) -> Result<AskedChangeSet, CloudError>;
}
