//! What a pipeline's CloudFormation action does to one stack, beside creating and updating it.

use futures::future::{Either, select};

use super::follow::Interrupt;
use super::{FlowError, Progress, StackInput, Stop, Tools};
use crate::cloud::{ChangeSetRequest, StackControl};
use crate::stack::{
    ChangeSet, ChangeSetState, ChangeSetSummary, DeployAction, Execution, Outcome, Stack,
    StackStatus,
};

/// Carries out the modes of CodePipeline's CloudFormation action that [`Deployer`](super::Deployer) does not.
///
/// See [the action's modes](https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-CloudFormation.html).
#[derive(Clone)]
pub struct StackAction<'a> {
    /// What the flow works with.
    pub tools: Tools<'a>,
    /// What lists change sets.
    pub control: &'a dyn StackControl,
    /// Ends it: nothing more is begun.
    pub stop: Stop,
}

impl StackAction<'_> {
    /// `CHANGE_SET_REPLACE`: makes a change set of this name; one that is there already is deleted first.
    ///
    /// A change set that would change nothing stays: [`StackAction::execute_change_set`] looks for it, and takes it away.
    ///
    /// # Errors
    /// The stack takes no change set in its status, or the change set cannot be made.
    pub async fn replace_change_set(
        &self,
        input: &StackInput,
        name: &str,
    ) -> Result<(Option<Stack>, ChangeSet), FlowError> {
        let stacks = self.tools.stacks;
        let label = &input.stack_name;
        let before = self.tools.settled(label, &input.stack_name).await?;
        let mut create = true;
        if let Some(stack) = &before {
            create = match stack.status.deploy_action() {
                DeployAction::Create => true,
                DeployAction::Update | DeployAction::Wait => false,
                _ => return Err(self.tools.stuck(label, stack).await?),
            };
            for set in self.named(&stack.name, name).await? {
                // One that is still being made cannot be deleted yet.
                self.described(&pending_set(&set)).await?;
                stacks.delete_change_set(&set.id, &set.stack_id).await?;
            }
        }
        let request = ChangeSetRequest {
            name: name.to_owned(),
            create,
            stack_name: input.stack_name.clone(),
            template_body: input.template_body.clone(),
            parameters: input.parameters.clone(),
            tags: input.tags.clone(),
            capabilities: input.capabilities.clone(),
        };
        let asked = stacks.create_change_set(&request).await?;
        let set = self.described(&asked).await?;
        let reason = match &set.state {
            ChangeSetState::Pending | ChangeSetState::Ready => return Ok((before, set)),
            ChangeSetState::Empty if !create => return Ok((before, set)),
            ChangeSetState::Empty => "the template holds no resource".to_owned(),
            ChangeSetState::Failed(reason) => reason.clone(),
        };
        stacks.delete_change_set(&set.id, &set.stack_id).await?;
        // The empty shell that the change set made, and none that stood before.
        if before.is_none() {
            stacks.delete_stack(&set.stack_id).await?;
        }
        Err(FlowError::ChangeSet {
            stack: input.stack_name.clone(),
            reason,
        })
    }

    /// `CHANGE_SET_EXECUTE`: executes the change set of this name, and follows it to its end. One that would change
    /// nothing is deleted; one that a run that was killed has begun is followed.
    ///
    /// # Errors
    /// There is no such stack or change set, it cannot be executed, or the operation fails.
    pub async fn execute_change_set(
        &self,
        stack_name: &str,
        name: &str,
    ) -> Result<Stack, FlowError> {
        let tools = &self.tools;
        let stack = tools.stacks.describe_stack(stack_name).await?;
        let stack = stack
            .filter(|stack| stack.status.outcome() != Outcome::Deleted)
            .ok_or_else(|| FlowError::Input(format!("there is no stack `{stack_name}`")))?;
        let last = tools.stacks.latest_event_id(&stack.id).await?;
        let Some(set) = self.named(&stack.name, name).await?.into_iter().next() else {
            return Err(FlowError::Input(format!(
                "stack `{stack_name}` has no change set `{name}`: an action with CHANGE_SET_REPLACE makes it"
            )));
        };
        let cannot = |reason: &str| FlowError::ChangeSet {
            stack: stack_name.to_owned(),
            reason: reason.to_owned(),
        };
        match set.execution {
            Execution::InProgress | Execution::Over => {
                tools.tell(stack_name, &Progress::Adopted);
            }
            Execution::Available | Execution::Unavailable => {
                let described = self.described(&pending_set(&set)).await?;
                match described.state {
                    ChangeSetState::Ready if set.execution == Execution::Available => {
                        tools
                            .stacks
                            .execute_change_set(&set.id, &set.stack_id)
                            .await?;
                    }
                    ChangeSetState::Empty => {
                        tools
                            .stacks
                            .delete_change_set(&set.id, &set.stack_id)
                            .await?;
                        tools.tell(stack_name, &Progress::NoChanges);
                        return Ok(stack);
                    }
                    ChangeSetState::Failed(reason) => return Err(cannot(&reason)),
                    ChangeSetState::Ready | ChangeSetState::Pending => {
                        return Err(cannot("the stack has changed since it was made"));
                    }
                }
            }
        }
        let interrupt = Interrupt {
            stop: &self.stop,
            control: self.control,
        };
        let followed = tools
            .follow_until(stack_name, &stack.id, last, Some(interrupt))
            .await?;
        let stack = followed.stack.ok_or_else(|| FlowError::Left {
            stack: stack_name.to_owned(),
            status: "no status: it was deleted meanwhile".to_owned(),
        })?;
        match stack.status.outcome() {
            Outcome::Succeeded => {
                tools.tell(stack_name, &Progress::Done);
                Ok(stack)
            }
            _ => Err(Tools::failed(&stack, &followed.events)),
        }
    }

    /// `DELETE_ONLY`: deletes the stack; `false` where there is none.
    ///
    /// # Errors
    /// It is protected, or cannot be deleted.
    pub async fn delete(&self, stack_name: &str) -> Result<bool, FlowError> {
        match self.tools.settled(stack_name, stack_name).await? {
            Some(stack) => self.remove(&stack).await.map(|()| true),
            None => Ok(false),
        }
    }

    /// The first half of `REPLACE_ON_FAILURE`: deletes the stack if it is in one of the states that CodePipeline counts as
    /// failed. The second is a deploy.
    ///
    /// # Errors
    /// It is protected, or cannot be deleted.
    pub async fn delete_failed(&self, stack_name: &str) -> Result<bool, FlowError> {
        let Some(stack) = self.tools.settled(stack_name, stack_name).await? else {
            return Ok(false);
        };
        if !is_failed(&stack.status) {
            return Ok(false);
        }
        let status = stack.status.to_string();
        self.tools.tell(stack_name, &Progress::Removing { status });
        self.remove(&stack).await.map(|()| true)
    }

    async fn remove(&self, stack: &Stack) -> Result<(), FlowError> {
        if stack.termination_protection {
            return Err(FlowError::Protected {
                stacks: vec![stack.name.clone()],
                tables: Vec::new(),
            });
        }
        let tools = &self.tools;
        let last = tools.stacks.latest_event_id(&stack.id).await?;
        tools.stacks.delete_stack(&stack.id).await?;
        let followed = tools.follow(&stack.name, &stack.id, last).await?;
        match followed.stack {
            Some(stack) if stack.status.outcome() != Outcome::Deleted => {
                Err(Tools::failed(&stack, &followed.events))
            }
            _ => {
                tools.tell(&stack.name, &Progress::Done);
                Ok(())
            }
        }
    }

    async fn named(&self, stack: &str, name: &str) -> Result<Vec<ChangeSetSummary>, FlowError> {
        let mut sets = self.control.list_change_sets(stack).await?;
        sets.retain(|set| set.name == name);
        Ok(sets)
    }

    async fn described(&self, asked: &ChangeSet) -> Result<ChangeSet, FlowError> {
        self.tools
            .described(asked, &self.stop)
            .await?
            .ok_or_else(|| FlowError::Interrupted { stacks: Vec::new() })
    }
}

impl Tools<'_> {
    /// The change set once its contents are known; `None` after a stop.
    pub(super) async fn described(
        &self,
        asked: &ChangeSet,
        stop: &Stop,
    ) -> Result<Option<ChangeSet>, FlowError> {
        for attempt in 0.. {
            let set = self
                .stacks
                .describe_change_set(&asked.id, &asked.stack_id)
                .await?;
            if set.state != ChangeSetState::Pending {
                return Ok(Some(set));
            }
            let wait = self.clock.sleep(self.poll.wait(attempt, self.clock.now()));
            if let Either::Right(_) = select(wait, stop.clone()).await {
                break;
            }
        }
        Ok(None)
    }
}

/// To be described.
pub(super) fn pending_set(set: &ChangeSetSummary) -> ChangeSet {
    ChangeSet {
        id: set.id.clone(),
        stack_id: set.stack_id.clone(),
        state: ChangeSetState::Pending,
        changes: Vec::new(),
    }
}

/// The states that CodePipeline replaces a stack in.
///
/// See [the configuration](https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/continuous-delivery-codepipeline-action-reference.html).
fn is_failed(status: &StackStatus) -> bool {
    matches!(
        status,
        StackStatus::RollbackComplete
            | StackStatus::RollbackFailed
            | StackStatus::CreateFailed
            | StackStatus::DeleteFailed
            | StackStatus::UpdateRollbackFailed
    )
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::cloud::fake::Ending;
    use crate::flow::tests::Bench;

    fn action(bench: &Bench) -> StackAction<'_> {
        StackAction {
            tools: bench.tools(),
            control: &bench.cloud,
            stop: bench.stop.clone(),
        }
    }

    fn input(template: &str) -> StackInput {
        StackInput {
            stack_name: "side".to_owned(),
            template_body: template.to_owned(),
            parameters: BTreeMap::new(),
            tags: BTreeMap::new(),
            capabilities: Vec::new(),
        }
    }

    fn side(bench: &Bench) -> Vec<String> {
        let standing = bench.cloud.standing().into_iter();
        standing.filter(|line| !line.starts_with("base ")).collect()
    }

    #[tokio::test]
    async fn a_change_set_is_made_anew_and_executed_later() {
        let bench = Bench::new();
        for template in ["one", "two"] {
            let (before, set) = action(&bench)
                .replace_change_set(&input(template), "release")
                .await
                .unwrap();
            assert!(before.is_none_or(|stack| stack.status == StackStatus::ReviewInProgress));
            assert_eq!(set.state, ChangeSetState::Ready);
        }
        assert_eq!(side(&bench)[1..], ["change set of side"]);
        let stack = action(&bench).execute_change_set("side", "release").await;
        assert_eq!(stack.unwrap().status, StackStatus::CreateComplete);
        assert!(side(&bench)[0].starts_with("side CREATE_COMPLETE from two"));
    }

    #[tokio::test]
    async fn a_change_set_without_a_change_is_taken_away_by_its_execution() {
        let bench = Bench::new();
        bench.deploy("one", &["side"]).await.unwrap();
        let (_, set) = action(&bench)
            .replace_change_set(&input("one"), "release")
            .await
            .unwrap();
        assert_eq!(set.state, ChangeSetState::Empty);
        let stack = action(&bench).execute_change_set("side", "release").await;
        assert_eq!(stack.unwrap().status, StackStatus::CreateComplete);
        assert_eq!(side(&bench).len(), 1, "{:?}", side(&bench));
        let error = action(&bench).execute_change_set("side", "release").await;
        let error = error.unwrap_err().to_string();
        assert!(error.contains("no change set `release`"), "{error}");
        let error = action(&bench).execute_change_set("none", "release").await;
        assert_eq!(error.unwrap_err().to_string(), "there is no stack `none`");
    }

    #[tokio::test]
    async fn a_change_set_that_fails_leaves_nothing() {
        let bench = Bench::new();
        let error = action(&bench)
            .replace_change_set(&input("invalid"), "release")
            .await
            .unwrap_err();
        assert!(error.to_string().contains("Template error"), "{error}");
        assert!(!bench.cloud.standing().concat().contains("change set"));
    }

    #[tokio::test]
    async fn an_operation_that_fails_is_an_error() {
        let bench = Bench::new();
        bench.cloud.ending("side", Ending::Fail("no room"));
        action(&bench)
            .replace_change_set(&input("one"), "release")
            .await
            .unwrap();
        let error = action(&bench)
            .execute_change_set("side", "release")
            .await
            .unwrap_err();
        let FlowError::Failed { failures, .. } = error else {
            panic!("{error}")
        };
        assert_eq!(failures[0].reason.as_deref(), Some("no room"));
    }

    #[tokio::test]
    async fn stacks_are_deleted_and_failed_ones_replaced() {
        let bench = Bench::new();
        assert!(!action(&bench).delete("side").await.unwrap());
        for (status, replaced) in [
            ("ROLLBACK_COMPLETE", true),
            ("ROLLBACK_FAILED", true),
            ("CREATE_FAILED", true),
            ("DELETE_FAILED", true),
            ("UPDATE_ROLLBACK_FAILED", true),
            ("UPDATE_ROLLBACK_COMPLETE", false),
            ("CREATE_COMPLETE", false),
        ] {
            let bench = Bench::new();
            bench.cloud.put_stack("side", status, &[]);
            let done = action(&bench).delete_failed("side").await.unwrap();
            assert_eq!(done, replaced, "{status}");
            assert_eq!(action(&bench).delete("side").await.unwrap(), !replaced);
        }
    }
}
