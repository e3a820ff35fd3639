use async_trait::async_trait;

use super::CloudError;
use crate::stack::ChangeSetSummary;

/// CloudFormation's ways to resume, cancel, undo and protect.
#[async_trait]
pub trait StackControl: Send + Sync {
    /// The stack's change sets that there are; `stack_name` is its name and not its ARN.
    async fn list_change_sets(&self, stack_name: &str)
    -> Result<Vec<ChangeSetSummary>, CloudError>;
    /// Cancels an update, which is then rolled back. Refused in every status but `UPDATE_IN_PROGRESS`.
    async fn cancel_update(&self, stack_id: &str) -> Result<(), CloudError>;
    /// Goes on with the rollback of an update in `UPDATE_ROLLBACK_FAILED`; resources in `skip` (logical ids) are taken
    /// as rolled back whatever they are.
    async fn continue_rollback(&self, stack_id: &str, skip: &[String]) -> Result<(), CloudError>;
    /// Rolls a stack in `UPDATE_FAILED` back to its last stable state.
    async fn roll_back(&self, stack_id: &str) -> Result<(), CloudError>;
    /// The stack policy's document, if there is one.
    async fn stack_policy(&self, stack_id: &str) -> Result<Option<String>, CloudError>;
    /// Sets the stack policy.
    async fn set_stack_policy(&self, stack_id: &str, document: &str) -> Result<(), CloudError>;
    /// Makes `DeleteStack` refused, or possible.
    async fn set_termination_protection(
        &self,
        stack_id: &str,
        enabled: bool,
    ) -> Result<(), CloudError>;
}
