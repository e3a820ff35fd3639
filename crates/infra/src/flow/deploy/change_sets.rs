//! Making a change set, or finding the one that an earlier run left.

use std::fmt::Write as _;

use sha2::{Digest, Sha256};

use super::{Deployer, StackInput, not_begun};
use crate::cloud::{ChangeSetRequest, CloudError};
use crate::flow::stack_action::pending_set;
use crate::flow::{FlowError, Progress};
use crate::stack::{
    ChangeSet, ChangeSetName, ChangeSetState, ChangeSetSummary, DeployAction, Execution, Stack,
};
use crate::stack_def::StackDef;

impl Deployer<'_> {
    /// A change set whose contents are known; `None` if the stack already matches.
    ///
    /// An empty or failed change set is deleted, because they count towards a quota; a failed one of a new stack takes
    /// the stack's empty shell with it.
    pub(super) async fn change_set(
        &self,
        def: &StackDef,
        input: &StackInput,
        before: Option<&Stack>,
    ) -> Result<Option<ChangeSet>, FlowError> {
        let stacks = self.tools.stacks;
        let create =
            before.is_none_or(|stack| stack.status.deploy_action() == DeployAction::Create);
        let name = ChangeSetName::new(&digest(input), self.tools.clock.now());
        let left = match before {
            Some(stack) => self.left_behind(&name, stack).await?,
            None => None,
        };
        let asked = match left {
            Some(set) => {
                self.tools.tell(def.name, &Progress::Adopted);
                set
            }
            None => self.ask(input, create, &name).await?,
        };
        let set = self.described(def, &asked).await?;
        match set.state {
            ChangeSetState::Pending | ChangeSetState::Ready => Ok(Some(set)),
            ChangeSetState::Empty if !create => {
                stacks.delete_change_set(&set.id, &set.stack_id).await?;
                Ok(None)
            }
            ChangeSetState::Empty | ChangeSetState::Failed(_) => {
                stacks.delete_change_set(&set.id, &set.stack_id).await?;
                if create {
                    stacks.delete_stack(&set.stack_id).await?;
                }
                let reason = match set.state {
                    ChangeSetState::Failed(reason) => reason,
                    _ => format!("the template of `{}` holds no resource", def.name),
                };
                Err(FlowError::ChangeSet {
                    stack: input.stack_name.clone(),
                    reason,
                })
            }
        }
    }

    /// The change set of the same content that an earlier run has left, if it can still be executed. The others of
    /// earlier deploys are deleted; those of anybody else are let be.
    async fn left_behind(
        &self,
        name: &ChangeSetName,
        stack: &Stack,
    ) -> Result<Option<ChangeSet>, FlowError> {
        let mut found = None;
        for set in self.control.list_change_sets(&stack.name).await? {
            let Some(other) = ChangeSetName::parse(&set.name) else {
                continue;
            };
            let pending = set.state == ChangeSetState::Pending;
            match set.execution {
                // Whether somebody executes it is theirs to follow; what is over is no change set any more.
                Execution::InProgress | Execution::Over => {}
                _ if found.is_none() && other.same_content(name) && is_usable(&set) => {
                    found = Some(pending_set(&set));
                }
                // It is being made: it cannot be deleted yet, and may be another run's.
                _ if pending => {}
                Execution::Available | Execution::Unavailable => {
                    self.tools
                        .stacks
                        .delete_change_set(&set.id, &set.stack_id)
                        .await?;
                }
            }
        }
        Ok(found)
    }

    async fn ask(
        &self,
        input: &StackInput,
        create: bool,
        name: &ChangeSetName,
    ) -> Result<ChangeSet, FlowError> {
        let request = ChangeSetRequest {
            name: name.to_string(),
            create,
            stack_name: input.stack_name.clone(),
            template_body: input.template_body.clone(),
            parameters: input.parameters.clone(),
            tags: input.tags.clone(),
            capabilities: input.capabilities.clone(),
        };
        match self.tools.stacks.create_change_set(&request).await {
            Ok(set) => Ok(set),
            // A request whose first answer was lost was carried out all the same.
            Err(error) if is_code(&error, "AlreadyExists") => {
                let sets = self.control.list_change_sets(&input.stack_name).await?;
                sets.iter()
                    .find(|set| set.name == request.name)
                    .map(pending_set)
                    .ok_or_else(|| error.into())
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn described(&self, def: &StackDef, asked: &ChangeSet) -> Result<ChangeSet, FlowError> {
        let described = self.tools.described(asked, &self.stop).await?;
        // The next run adopts the change set.
        described.ok_or_else(|| not_begun(def))
    }

    /// Begins the execution. One that has begun already, by a request whose first answer was lost, is as good.
    pub(super) async fn begin(&self, set: &ChangeSet) -> Result<(), FlowError> {
        let stacks = self.tools.stacks;
        let error = match stacks.execute_change_set(&set.id, &set.stack_id).await {
            Ok(()) => return Ok(()),
            Err(error) => error,
        };
        if is_code(&error, "InvalidChangeSetStatus")
            && let Some(stack) = stacks.describe_stack(&set.stack_id).await?
        {
            let sets = self.control.list_change_sets(&stack.name).await?;
            let begun = |other: &ChangeSetSummary| {
                other.id == set.id
                    && matches!(other.execution, Execution::InProgress | Execution::Over)
            };
            if sets.iter().any(begun) {
                return Ok(());
            }
        }
        Err(error.into())
    }
}

/// Error codes come with and without `Exception` at their end.
fn is_code(error: &CloudError, code: &str) -> bool {
    error
        .code()
        .is_some_and(|found| found.strip_suffix("Exception").unwrap_or(found) == code)
}

/// Whether it can be executed, or may turn out so.
fn is_usable(set: &ChangeSetSummary) -> bool {
    set.state == ChangeSetState::Pending || set.execution == Execution::Available
}

/// What a change set is made from, as 64 hexadecimal digits. Each part's length stands before it, so that no two
/// inputs run together to the same bytes.
pub(super) fn digest(input: &StackInput) -> String {
    let mut hasher = Sha256::new();
    let mut part = |text: &str| {
        hasher.update(text.len().to_le_bytes());
        hasher.update(text);
    };
    part(&input.template_body);
    for map in [&input.parameters, &input.tags] {
        part(&map.len().to_string());
        for (key, value) in map {
            part(key);
            part(value);
        }
    }
    for capability in &input.capabilities {
        part(capability);
    }
    hasher
        .finalize()
        .iter()
        .fold(String::new(), |mut hex, byte| {
            let _ = write!(hex, "{byte:02x}");
            hex
        })
}
