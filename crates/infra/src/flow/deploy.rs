use std::collections::BTreeMap;

use async_trait::async_trait;
use futures::stream::{FuturesUnordered, StreamExt};

use super::{AllowReplace, FlowError, Progress, Tools};
use crate::cloud::ChangeSetRequest;
use crate::stack::{ChangeSet, ChangeSetState, Outcome, Stack, StackStatus};
use crate::stack_def::{StackDef, StackGraph};

/// Outputs by stack (its name in the project), then by key.
type Outputs = BTreeMap<&'static str, BTreeMap<String, String>>;

/// What one stack is deployed from.
#[derive(Clone, Debug)]
pub struct StackInput {
    /// The stack's name in CloudFormation.
    pub stack_name: String,
    /// The template.
    pub template_body: String,
    /// Parameters that are known before any stack stands.
    pub parameters: BTreeMap<String, String>,
    /// Tags.
    pub tags: BTreeMap<String, String>,
    /// Capabilities that the template asks for.
    pub capabilities: Vec<String>,
}

/// Gives a stack's input when its turn has come.
#[async_trait]
pub trait StackInputs: Send + Sync {
    /// What is known from the start.
    fn input(&self, stack: &StackDef) -> Result<StackInput, FlowError>;
    /// Parameters that need work first, such as an upload to `artifact_bucket`; asked once the needed stacks stand.
    async fn prepare(
        &self,
        stack: &StackDef,
        outputs: &Outputs,
    ) -> Result<BTreeMap<String, String>, FlowError>;
    /// Refuses parameter values that the template would not take; asked with all of them, before the first call.
    fn check(
        &self,
        stack: &StackDef,
        parameters: &BTreeMap<String, String>,
    ) -> Result<(), FlowError>;
}

/// How a deploy ended for one stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhatHappened {
    /// It was not there before.
    Created,
    /// It was changed.
    Updated,
    /// It already matched.
    Unchanged,
}

/// A stack that stands as its template says.
#[derive(Clone, Debug)]
pub struct Deployed {
    /// Its name in the project.
    pub name: &'static str,
    /// How it came to stand.
    pub what: WhatHappened,
    /// The stack.
    pub stack: Stack,
}

/// Deploys stacks by change sets, in the order of their needs, side by side where they do not depend on each other.
#[derive(Clone, Copy)]
pub struct Deployer<'a> {
    /// What the flow works with.
    pub tools: Tools<'a>,
    /// Where inputs come from.
    pub inputs: &'a dyn StackInputs,
    /// The resources that may be replaced or removed with their data.
    pub allow_replace: &'a AllowReplace,
}

impl Deployer<'_> {
    /// Deploys every stack of the graph.
    ///
    /// A failed stack stops those that need it; what runs beside it is brought to its end, so that nothing is left
    /// half done.
    ///
    /// # Errors
    /// The first failure in deploy order; the others ride along in [`FlowError::Several`].
    pub async fn deploy(&self, graph: &StackGraph) -> Result<Vec<Deployed>, FlowError> {
        let mut waiting: Vec<StackDef> = graph.deploy_order().to_vec();
        let chosen: Vec<_> = waiting.iter().map(|def| def.name).collect();
        let mut outputs = Outputs::new();
        let mut running = FuturesUnordered::new();
        let mut done = Vec::new();
        let mut failed: BTreeMap<usize, FlowError> = BTreeMap::new();
        loop {
            // Stacks that were not chosen stand already, or their outputs will be missed by name.
            let ready = |def: &StackDef, done: &[Deployed]| {
                def.needed_stacks().iter().all(|need| {
                    !chosen.contains(need) || done.iter().any(|deployed| deployed.name == *need)
                })
            };
            if failed.is_empty() {
                let (now, later): (Vec<_>, Vec<_>) =
                    waiting.into_iter().partition(|def| ready(def, &done));
                waiting = later;
                for def in now {
                    let outputs = outputs.clone();
                    running.push(async move { (def, self.deploy_stack(&def, &outputs).await) });
                }
            }
            let Some((def, result)) = running.next().await else {
                break;
            };
            match result {
                Ok(deployed) => {
                    outputs.insert(def.name, deployed.stack.outputs.clone());
                    done.push(deployed);
                }
                Err(error) => {
                    failed.insert(
                        chosen
                            .iter()
                            .position(|name| *name == def.name)
                            .unwrap_or(usize::MAX),
                        error,
                    );
                }
            }
        }
        let mut failed = failed.into_values();
        match (failed.next(), failed.collect::<Vec<_>>()) {
            (None, _) => {
                done.sort_by_key(|deployed| chosen.iter().position(|name| *name == deployed.name));
                Ok(done)
            }
            (Some(error), others) if others.is_empty() => Err(error),
            (Some(first), others) => Err(FlowError::Several {
                first: Box::new(first),
                others,
            }),
        }
    }

    async fn deploy_stack(&self, def: &StackDef, outputs: &Outputs) -> Result<Deployed, FlowError> {
        let tools = &self.tools;
        tools.tell(def.name, &Progress::Started);
        let mut input = self.inputs.input(def)?;
        for need in def.needs {
            let value = outputs
                .get(need.stack)
                .and_then(|outputs| outputs.get(need.output))
                .ok_or_else(|| FlowError::MissingOutput {
                    stack: need.stack.to_owned(),
                    output: need.output.to_owned(),
                    needed_by: def.name.to_owned(),
                })?;
            input
                .parameters
                .insert(need.parameter.to_owned(), value.clone());
        }
        input
            .parameters
            .extend(self.inputs.prepare(def, outputs).await?);
        self.inputs.check(def, &input.parameters)?;

        let before = tools.settled(def.name, &input.stack_name).await?;
        let create = match &before {
            None => true,
            Some(stack) => self.takes_create(stack).await?,
        };
        let wanted = input.clone();
        let Some(change_set) = self.change_set(def, input, create, before.as_ref()).await? else {
            tools.tell(def.name, &Progress::NoChanges);
            let stack = before.ok_or_else(|| {
                FlowError::Input("an empty change set for a new stack".to_owned())
            })?;
            return Ok(Deployed {
                name: def.name,
                what: WhatHappened::Unchanged,
                stack,
            });
        };
        let standing = before.as_ref().filter(|_| !create);
        self.review(def, &wanted, standing, &change_set).await?;
        let last = tools.stacks.latest_event_id(&change_set.stack_id).await?;
        tools
            .stacks
            .execute_change_set(&change_set.id, &change_set.stack_id)
            .await?;
        let followed = tools.follow(def.name, &change_set.stack_id, last).await?;
        let stack = followed.stack.ok_or_else(|| FlowError::Left {
            stack: def.name.to_owned(),
            status: "no status: it was deleted during the deploy".to_owned(),
        })?;
        match stack.status.outcome() {
            Outcome::Succeeded => {
                tools.tell(def.name, &Progress::Done);
                let what = if create {
                    WhatHappened::Created
                } else {
                    WhatHappened::Updated
                };
                Ok(Deployed {
                    name: def.name,
                    what,
                    stack,
                })
            }
            _ => Err(Tools::failed(&stack, &followed.events)),
        }
    }

    /// Whether the stack's change set is one that creates it; an error where it takes none.
    async fn takes_create(&self, stack: &Stack) -> Result<bool, FlowError> {
        match stack.status.outcome() {
            Outcome::AwaitingExecution => Ok(true),
            Outcome::Succeeded | Outcome::RolledBack => Ok(false),
            Outcome::Unrecoverable | Outcome::Unknown | Outcome::InProgress | Outcome::Deleted => {
                Err(self.tools.stuck(stack).await?)
            }
        }
    }

    /// Creates a change set and waits until its contents are known; `None` if the stack already matches.
    ///
    /// An empty or failed change set is deleted, because they count towards a quota; a failed one of a new stack takes
    /// the stack's empty shell with it.
    async fn change_set(
        &self,
        def: &StackDef,
        input: StackInput,
        create: bool,
        before: Option<&Stack>,
    ) -> Result<Option<ChangeSet>, FlowError> {
        let Tools {
            stacks,
            clock,
            poll,
            ..
        } = self.tools;
        let request = ChangeSetRequest {
            name: format!("stackway-{}", clock.now().unix_timestamp_nanos()),
            create,
            template_body: input.template_body,
            parameters: input.parameters,
            tags: input.tags,
            capabilities: input.capabilities,
            stack_name: input.stack_name.clone(),
        };
        let asked = stacks.create_change_set(&request).await?;
        let mut attempt = 0;
        let set = loop {
            let set = stacks
                .describe_change_set(&asked.id, &asked.stack_id)
                .await?;
            if set.state != ChangeSetState::Pending {
                break set;
            }
            clock.sleep(poll.wait(attempt, clock.now())).await;
            attempt += 1;
        };
        match set.state {
            ChangeSetState::Pending | ChangeSetState::Ready => Ok(Some(set)),
            ChangeSetState::Empty
                if before.is_some_and(|stack| stack.status != StackStatus::ReviewInProgress) =>
            {
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
                    stack: input.stack_name,
                    reason,
                })
            }
        }
    }
}
