use async_trait::async_trait;

use super::stacks::refused;
use super::{Ending, FakeCloud, State};
use crate::cloud::{CloudError, StackControl};
use crate::stack::{ChangeSetSummary, StackStatus};

impl State {
    /// Begins a rollback, which only this status allows.
    fn undo(&mut self, stack_id: &str, from: &StackStatus) -> Result<(), CloudError> {
        let fake = self.existing(stack_id)?;
        if fake.stack.status != *from {
            return Err(refused(
                "ValidationError",
                "this cannot be called from the current stack status",
            ));
        }
        let name = fake.stack.name.clone();
        fake.deploying = None;
        let last = match self.endings.get(&name) {
            Some(Ending::Fail(reason)) => {
                let reason = *reason;
                self.event(&name, "Resource", "UPDATE_FAILED", Some(reason));
                "UPDATE_ROLLBACK_FAILED"
            }
            _ => "UPDATE_ROLLBACK_COMPLETE",
        };
        self.begin(&name, "UPDATE_ROLLBACK_IN_PROGRESS", last);
        Ok(())
    }
}

#[async_trait]
impl StackControl for FakeCloud {
    async fn list_change_sets(
        &self,
        stack_name: &str,
    ) -> Result<Vec<ChangeSetSummary>, CloudError> {
        self.read("list_change_sets", stack_name, |state| {
            state.existing(stack_name)?;
            Ok(state
                .change_sets
                .iter_mut()
                .filter(|(_, set)| set.request.stack_name == stack_name)
                .map(|(id, set)| ChangeSetSummary {
                    id: id.clone(),
                    name: set.request.name.clone(),
                    stack_id: set.stack_id.clone(),
                    state: set.look(),
                    execution: set.execution,
                })
                .collect())
        })
        .await
    }

    async fn cancel_update(&self, stack_id: &str) -> Result<(), CloudError> {
        self.write("cancel_update", stack_id, |state| {
            state.undo(stack_id, &StackStatus::UpdateInProgress)
        })
        .await
    }

    async fn continue_rollback(&self, stack_id: &str, skip: &[String]) -> Result<(), CloudError> {
        self.write("continue_rollback", stack_id, |state| {
            let name = state.existing(stack_id)?.stack.name.clone();
            if !skip.is_empty() {
                // What held the rollback up is skipped.
                state.endings.insert(name, Ending::Succeed);
            }
            state.undo(stack_id, &StackStatus::UpdateRollbackFailed)
        })
        .await
    }

    async fn roll_back(&self, stack_id: &str) -> Result<(), CloudError> {
        self.write("roll_back", stack_id, |state| {
            state.undo(stack_id, &StackStatus::UpdateFailed)
        })
        .await
    }

    async fn stack_policy(&self, stack_id: &str) -> Result<Option<String>, CloudError> {
        self.read("stack_policy", stack_id, |state| {
            Ok(state.existing(stack_id)?.policy.clone())
        })
        .await
    }

    async fn set_stack_policy(&self, stack_id: &str, document: &str) -> Result<(), CloudError> {
        self.write("set_stack_policy", stack_id, |state| {
            state.existing(stack_id)?.policy = Some(document.to_owned());
            Ok(())
        })
        .await
    }

    async fn set_termination_protection(
        &self,
        stack_id: &str,
        enabled: bool,
    ) -> Result<(), CloudError> {
        self.write("set_termination_protection", stack_id, |state| {
            state.existing(stack_id)?.stack.termination_protection = enabled;
            Ok(())
        })
        .await
    }
}
