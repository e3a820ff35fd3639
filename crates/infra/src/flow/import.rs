//! Taking resources that are there into a stack: a change set that does that and nothing else, then its execution.

use super::follow::Interrupt;
use super::{FlowError, Progress, Stop, Tools};
use crate::cloud::{ImportRequest, Imports, StackControl};
use crate::stack::{Action, ChangeSet, ChangeSetState, DeployAction, Outcome, Stack};

/// Imports resources into one stack.
#[derive(Clone)]
pub struct Importer<'a> {
    /// What the flow works with.
    pub tools: Tools<'a>,
    /// What makes change sets that import.
    pub imports: &'a dyn Imports,
    /// What follows need.
    pub control: &'a dyn StackControl,
    /// Ends it: nothing more is begun.
    pub stop: Stop,
}

impl Importer<'_> {
    /// The stack that takes resources in, once it is at rest; `None` where it is not there.
    ///
    /// # Errors
    /// The stack is in a status in which it takes nothing.
    pub async fn stack(&self, label: &str, name: &str) -> Result<Option<Stack>, FlowError> {
        let Some(stack) = self.tools.settled(label, name).await? else {
            return Ok(None);
        };
        match stack.status.deploy_action() {
            DeployAction::Create => Ok(None),
            DeployAction::Update => Ok(Some(stack)),
            _ => Err(self.tools.stuck(label, &stack).await?),
        }
    }

    /// Makes the change set, and holds it to what was asked for: these resources are imported, and nothing else changes.
    ///
    /// # Errors
    /// CloudFormation refuses it, or it would do something else; then nothing of it is left.
    pub async fn propose(&self, request: &ImportRequest) -> Result<ChangeSet, FlowError> {
        let asked = self.imports.create_import(request).await?;
        let described = self.tools.described(&asked, &self.stop).await;
        let set = match described {
            Ok(Some(set)) => set,
            Ok(None) => {
                self.withdraw(&asked).await?;
                return Err(FlowError::Interrupted {
                    stacks: vec![(request.stack_name.clone(), "not begun".to_owned())],
                });
            }
            Err(error) => return Err(error),
        };
        let reason = match &set.state {
            ChangeSetState::Failed(reason) => Some(reason.clone()),
            ChangeSetState::Empty | ChangeSetState::Pending => {
                Some("it would import nothing".to_owned())
            }
            ChangeSetState::Ready => unwanted(request, &set),
        };
        match reason {
            None => Ok(set),
            Some(reason) => {
                self.withdraw(&set).await?;
                Err(FlowError::ChangeSet {
                    stack: request.stack_name.clone(),
                    reason,
                })
            }
        }
    }

    /// Deletes a change set that is not executed, and the empty shell that it made of a new stack.
    ///
    /// # Errors
    /// A call fails.
    pub async fn withdraw(&self, set: &ChangeSet) -> Result<(), FlowError> {
        let stacks = self.tools.stacks;
        stacks.delete_change_set(&set.id, &set.stack_id).await?;
        let stack = stacks.describe_stack(&set.stack_id).await?;
        if stack.is_some_and(|stack| stack.status.outcome() == Outcome::AwaitingExecution) {
            stacks.delete_stack(&set.stack_id).await?;
        }
        Ok(())
    }

    /// Executes it and follows it to its end.
    ///
    /// # Errors
    /// The import fails; CloudFormation then lets go of what it took, which stays as it was.
    pub async fn carry_out(&self, label: &str, set: &ChangeSet) -> Result<Stack, FlowError> {
        let tools = &self.tools;
        let last = tools.stacks.latest_event_id(&set.stack_id).await?;
        tools
            .stacks
            .execute_change_set(&set.id, &set.stack_id)
            .await?;
        let interrupt = Interrupt {
            stop: &self.stop,
            control: self.control,
        };
        let followed = tools
            .follow_until(label, &set.stack_id, last, Some(interrupt))
            .await?;
        let stack = followed.stack.ok_or_else(|| FlowError::Left {
            stack: label.to_owned(),
            status: "no status: it was deleted during the import".to_owned(),
        })?;
        if stack.status.outcome() != Outcome::Succeeded {
            return Err(Tools::failed(&stack, &followed.events));
        }
        tools.tell(label, &Progress::Done);
        Ok(stack)
    }
}

/// What a change set does beside what was asked for.
fn unwanted(request: &ImportRequest, set: &ChangeSet) -> Option<String> {
    let wanted = |id: &str| request.targets.iter().any(|target| target.logical_id == id);
    let other = (set.changes.iter())
        .find(|change| change.action != Action::Import || !wanted(&change.logical_id));
    if let Some(other) = other {
        return Some(format!(
            "it would do something else too: {:?} {}",
            other.action, other.logical_id
        ));
    }
    let imported = |id: &str| set.changes.iter().any(|change| change.logical_id == id);
    let missing = request
        .targets
        .iter()
        .find(|target| !imported(&target.logical_id));
    missing.map(|target| format!("it would not import {}", target.logical_id))
}
