mod change_sets;
mod protection;
mod remedies;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use async_trait::async_trait;
use futures::FutureExt;
use futures::stream::{FuturesUnordered, StreamExt};

pub use remedies::{Agreed, Remedies};

use super::follow::Interrupt;
use super::{AllowReplace, FlowError, Progress, Stop, Tools};
use crate::cloud::StackControl;
use crate::stack::{ChangeSet, DeployAction, Outcome, Stack};
use crate::stack_def::{StackDef, StackGraph};

/// Outputs by stack (its name in the project), then by key.
pub type Outputs = BTreeMap<&'static str, BTreeMap<String, String>>;

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
    /// Outputs of stacks that are not part of the flow: those of an earlier one, and of stack sets as this account and
    /// region have them. None unless they are given.
    fn known(&self) -> Outputs {
        Outputs::new()
    }
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
///
/// It can be killed at any point: the next run waits for the operation under way, executes the change set that was made
/// of the same content, and removes the others that were left.
#[derive(Clone)]
pub struct Deployer<'a> {
    /// What the flow works with.
    pub tools: Tools<'a>,
    /// What cancels, undoes and protects.
    pub control: &'a dyn StackControl,
    /// Where inputs come from.
    pub inputs: &'a dyn StackInputs,
    /// The resources that may be replaced or removed with their data.
    pub allow_replace: &'a AllowReplace,
    /// What a person has agreed to, for stacks that take no change set.
    pub remedies: &'a Remedies,
    /// Whether stacks are protected: against their deletion, and what holds data against its replacement and removal.
    pub protect: bool,
    /// Ends the deploy: updates are cancelled, and nothing more is begun.
    pub stop: Stop,
}

impl Deployer<'_> {
    /// Deploys every stack of the graph.
    ///
    /// A failed stack stops those that need it; what runs beside it is brought to its end, so that nothing is left
    /// half done.
    ///
    /// # Errors
    /// The first failure in deploy order; the others ride along in [`FlowError::Several`]. After a stop,
    /// [`FlowError::Interrupted`] with what stands.
    pub async fn deploy(&self, graph: &StackGraph) -> Result<Vec<Deployed>, FlowError> {
        let mut waiting: Vec<StackDef> = graph.deploy_order().to_vec();
        let chosen: Vec<_> = waiting.iter().map(|def| def.name).collect();
        let place = |stack: &str| chosen.iter().position(|name| *name == stack);
        let mut outputs = self.inputs.known();
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
            if failed.is_empty() && !self.is_stopped() {
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
                    failed.insert(place(def.name).unwrap_or(usize::MAX), error);
                }
            }
        }
        if self.is_stopped() && done.len() < chosen.len() {
            let stacks = chosen.iter().enumerate().map(|(place, name)| {
                let deployed = done.iter().find(|deployed| deployed.name == *name);
                let what = match (deployed, failed.get(&place)) {
                    (Some(deployed), _) => deployed.stack.status.to_string(),
                    (None, Some(FlowError::Interrupted { .. }) | None) => "not begun".to_owned(),
                    (None, Some(FlowError::Failed { status, .. })) => status.clone(),
                    (None, Some(error)) => error.to_string(),
                };
                ((*name).to_owned(), what)
            });
            return Err(FlowError::Interrupted {
                stacks: stacks.collect(),
            });
        }
        let mut failed = failed.into_values();
        match (failed.next(), failed.collect::<Vec<_>>()) {
            (None, _) => {
                done.sort_by_key(|deployed| place(deployed.name));
                Ok(done)
            }
            (Some(error), others) if others.is_empty() => Err(error),
            (Some(first), others) => Err(FlowError::Several {
                first: Box::new(first),
                others,
            }),
        }
    }

    fn is_stopped(&self) -> bool {
        self.stop.clone().now_or_never().is_some()
    }

    /// An error once a stop was asked for: what changes something is begun no more.
    fn go_on(&self, def: &StackDef) -> Result<(), FlowError> {
        if self.is_stopped() {
            return Err(not_begun(def));
        }
        Ok(())
    }

    fn interrupt(&self) -> Interrupt<'_> {
        Interrupt {
            stop: &self.stop,
            control: self.control,
        }
    }

    async fn deploy_stack(&self, def: &StackDef, outputs: &Outputs) -> Result<Deployed, FlowError> {
        let tools = &self.tools;
        tools.tell(def.name, &Progress::Started);
        let input = self.complete(def, outputs).await?;
        let before = self.ready(def, &input.stack_name).await?;
        self.go_on(def)?;
        let Some(change_set) = self.change_set(def, &input, before.as_ref()).await? else {
            let stack = before.ok_or_else(|| {
                FlowError::Input("an empty change set for a new stack".to_owned())
            })?;
            let stack = self.protected(def, stack).await?;
            tools.tell(def.name, &Progress::NoChanges);
            return Ok(Deployed {
                name: def.name,
                what: WhatHappened::Unchanged,
                stack,
            });
        };
        let standing = before.filter(|stack| stack.status.deploy_action() == DeployAction::Update);
        let lost = self
            .review(def, &input, standing.as_ref(), &change_set)
            .await?;
        self.go_on(def)?;
        if let Some(stack) = &standing {
            self.set_policy(stack, &lost).await?;
        }
        let ended = self.execute(def, &change_set).await;
        let stack = match (ended, &standing) {
            (Ok(stack), _) => self.protected(def, stack).await?,
            (Err(error), None) => return Err(error),
            // What was let through for this update is not let through for the next.
            (Err(first), Some(stack)) => {
                return Err(match self.set_policy(stack, &[].into()).await {
                    Ok(_) => first,
                    Err(error) => FlowError::Several {
                        first: Box::new(first),
                        others: vec![error],
                    },
                });
            }
        };
        tools.tell(def.name, &Progress::Done);
        let what = if standing.is_none() {
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

    /// The stack's input with all its parameters.
    async fn complete(&self, def: &StackDef, outputs: &Outputs) -> Result<StackInput, FlowError> {
        let mut input = self.inputs.input(def)?;
        for need in def.needs {
            if need.if_there && !outputs.contains_key(need.stack) {
                continue;
            }
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
        Ok(input)
    }

    /// Executes the change set and follows it to its end; a stack that does not end well is an error.
    async fn execute(&self, def: &StackDef, set: &ChangeSet) -> Result<Stack, FlowError> {
        let tools = &self.tools;
        let last = tools.stacks.latest_event_id(&set.stack_id).await?;
        self.begin(set).await?;
        let followed = tools
            .follow_until(def.name, &set.stack_id, last, Some(self.interrupt()))
            .await?;
        let stack = followed.stack.ok_or_else(|| FlowError::Left {
            stack: def.name.to_owned(),
            status: "no status: it was deleted during the deploy".to_owned(),
        })?;
        match stack.status.outcome() {
            Outcome::Succeeded => Ok(stack),
            _ => Err(Tools::failed(&stack, &followed.events)),
        }
    }
}

/// The end of a stack whose operation was not begun, as a stop was asked for.
fn not_begun(def: &StackDef) -> FlowError {
    FlowError::Interrupted {
        stacks: vec![(def.name.to_owned(), "not begun".to_owned())],
    }
}
