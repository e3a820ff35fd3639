//! The ways out for a stack that takes no change set, each taken only once a person has agreed.

use std::collections::BTreeSet;

use futures::FutureExt;
use futures::future::{Either, select};

use super::{Deployer, not_begun};
use crate::flow::{FlowError, Guarded, Progress, ResourceNames, Tools};
use crate::stack::{DeployAction, Loss, Outcome, Stack, StackResource, is_stateful};
use crate::stack_def::StackDef;

/// What a person has agreed to, for stacks that take no change set.
#[derive(Clone, Debug, Default)]
pub struct Remedies {
    /// To remove a stack that nothing else gets out of its status, and to make it anew.
    pub recreate: Agreed,
    /// To undo what is left of a failed update.
    pub continue_rollback: Agreed,
    /// The resources that the undoing leaves as they are.
    pub skip: ResourceNames,
}

/// For which stacks a person has agreed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Agreed {
    everywhere: bool,
    stacks: BTreeSet<String>,
}

impl Agreed {
    /// For every stack, or for none yet.
    pub fn everywhere(everywhere: bool) -> Self {
        Self {
            everywhere,
            stacks: BTreeSet::new(),
        }
    }

    /// For this stack (its name in the project) too.
    pub fn add(&mut self, stack: &str) {
        self.stacks.insert(stack.to_owned());
    }

    fn includes(&self, stack: &str) -> bool {
        self.everywhere || self.stacks.contains(stack)
    }
}

impl Deployer<'_> {
    /// Brings the stack to where it takes a change set: waits for whoever works on it, and takes the ways out that are
    /// agreed to. `None` where there is no stack then.
    ///
    /// # Errors
    /// [`FlowError::Stuck`] where nobody has agreed, or where there is no way out.
    pub(super) async fn ready(
        &self,
        def: &StackDef,
        stack_name: &str,
    ) -> Result<Option<Stack>, FlowError> {
        let settled = self.tools.settled(def.name, stack_name).boxed();
        let stack = match select(settled, self.stop.clone()).await {
            Either::Left((stack, _)) => stack?,
            Either::Right(_) => return Err(not_begun(def)),
        };
        let Some(stack) = stack else {
            return Ok(None);
        };
        let agreed = match stack.status.deploy_action() {
            // An operation has ended by now; one that came after it is left to the change set's own answer.
            DeployAction::Create | DeployAction::Update | DeployAction::Wait => {
                return Ok(Some(stack));
            }
            DeployAction::Recreate => &self.remedies.recreate,
            DeployAction::ContinueRollback | DeployAction::RollBack => {
                &self.remedies.continue_rollback
            }
            DeployAction::Stop => return Err(self.tools.stuck(def.name, &stack).await?),
        };
        if !agreed.includes(def.name) {
            return Err(self.tools.stuck(def.name, &stack).await?);
        }
        self.go_on(def)?;
        if stack.status.deploy_action() == DeployAction::Recreate {
            self.remove(def, &stack).await?;
            return Ok(None);
        }
        self.undo(def, &stack).await
    }

    /// Removes the stack, unless it holds data that nobody has agreed to lose.
    async fn remove(&self, def: &StackDef, stack: &Stack) -> Result<(), FlowError> {
        let tools = &self.tools;
        let resources = tools.stacks.stack_resources(&stack.id).await?;
        let guarded: Vec<_> = resources
            .iter()
            .filter(|resource| holds_data(resource))
            .filter(|resource| !self.allow_replace.allows(def.name, &resource.logical_id))
            .map(|resource| Guarded {
                logical_id: resource.logical_id.clone(),
                resource_type: resource.resource_type.clone(),
                physical_id: Some(resource.physical_id.clone()),
                loss: Loss::WithStack,
                fate: None,
                causes: vec![format!("{} can only be removed", stack.status)],
            })
            .collect();
        if !guarded.is_empty() {
            return Err(FlowError::Guarded {
                stack: def.name.to_owned(),
                guarded,
            });
        }
        let status = stack.status.to_string();
        tools.tell(def.name, &Progress::Removing { status });
        let last = tools.stacks.latest_event_id(&stack.id).await?;
        tools.stacks.delete_stack(&stack.id).await?;
        let followed = tools
            .follow_until(def.name, &stack.id, last, Some(self.interrupt()))
            .await?;
        match followed.stack {
            Some(stack) if stack.status.outcome() != Outcome::Deleted => {
                Err(Tools::failed(&stack, &followed.events))
            }
            _ => Ok(()),
        }
    }

    /// Undoes what is left of a failed update.
    async fn undo(&self, def: &StackDef, stack: &Stack) -> Result<Option<Stack>, FlowError> {
        let tools = &self.tools;
        let failed = tools.not_rolled_back(&stack.id).await?;
        let continues = stack.status.deploy_action() == DeployAction::ContinueRollback;
        let skip = self.remedies.skip.of_stack(def.name);
        if let Some(other) = skip.iter().find(|id| !continues || !failed.contains(id)) {
            return Err(FlowError::NotSkippable {
                stack: def.name.to_owned(),
                logical_id: other.clone(),
                failed: if continues { failed } else { Vec::new() },
            });
        }
        tools.tell(def.name, &Progress::Undoing { skip: skip.clone() });
        let last = tools.stacks.latest_event_id(&stack.id).await?;
        if continues {
            self.control.continue_rollback(&stack.id, &skip).await?;
        } else {
            self.control.roll_back(&stack.id).await?;
        }
        let followed = tools
            .follow_until(def.name, &stack.id, last, Some(self.interrupt()))
            .await?;
        match followed.stack {
            Some(stack) if stack.status.outcome() == Outcome::RolledBack => Ok(Some(stack)),
            Some(stack) if stack.status.outcome() != Outcome::Deleted => {
                Err(Tools::failed(&stack, &followed.events))
            }
            _ => Ok(None),
        }
    }
}

/// Whether the stack's deletion takes data with it. A resource whose creation failed holds none, and one that was left
/// out of a deletion is the stack's no more.
fn holds_data(resource: &StackResource) -> bool {
    is_stateful(&resource.resource_type)
        && !resource.physical_id.is_empty()
        && !matches!(
            resource.status.as_str(),
            "DELETE_COMPLETE" | "DELETE_SKIPPED" | "CREATE_FAILED"
        )
}
