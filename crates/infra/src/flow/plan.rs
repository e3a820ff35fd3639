//! What a deploy would change: change sets that are made, read and removed again. Nothing else is written.

use std::collections::BTreeMap;

use futures::FutureExt;
use futures::future::{BoxFuture, Either, Shared, join_all, select};

use super::guard::{changes, deployed_template};
use super::{FlowError, StackInput, StackInputs, Tools};
use crate::cloud::{ChangeSetRequest, CloudError};
use crate::stack::{
    ChangeSet, ChangeSetState, Outcome, Stack, StackChanges, StackStatus, StackVersion,
};
use crate::stack_def::{ARTIFACTS, StackDef, StackGraph};
use crate::template_diff::Version;

/// Comes to its end once the plan is to be given up; what was made is removed before the flow returns.
pub type Stop = Shared<BoxFuture<'static, ()>>;

/// What a deploy would do with one stack.
#[derive(Clone, Debug)]
pub struct PlannedStack {
    /// Its name in the project.
    pub name: &'static str,
    /// Its name in CloudFormation.
    pub stack_name: String,
    /// What would change.
    pub plan: Plan,
    /// What a reader should know of it.
    pub notes: Vec<String>,
}

/// What is known of a stack's changes, and from where.
#[derive(Clone, Debug)]
pub enum Plan {
    /// CloudFormation says so.
    ChangeSet(StackChanges),
    /// CloudFormation found nothing to change.
    Unchanged,
    /// No change set could be made yet, for this reason; the templates say so.
    Template {
        /// What they tell.
        changes: StackChanges,
        /// Why there is no change set.
        why: String,
    },
    /// The plan failed, and nothing is left of it.
    Failed(FlowError),
}

/// Plans stacks, each from what stands now.
#[derive(Clone)]
pub struct Planner<'a> {
    /// What the flow works with.
    pub tools: Tools<'a>,
    /// Where inputs come from; they must not write.
    pub inputs: &'a dyn StackInputs,
    /// Whether a deploy protects the stacks.
    pub protect: bool,
    /// Gives the plan up.
    pub stop: Stop,
}

impl Planner<'_> {
    /// Plans every stack of the graph, side by side.
    ///
    /// A stack that cannot be planned is told as such, and does not stop the others.
    ///
    /// # Errors
    /// Where the stacks that stand cannot be looked up.
    pub async fn plan(&self, graph: &StackGraph) -> Result<Vec<PlannedStack>, FlowError> {
        let mut standing = BTreeMap::new();
        for def in graph.deploy_order() {
            let name = self.inputs.input(def)?.stack_name;
            let stack = self.tools.stacks.describe_stack(&name).await?;
            standing.insert(
                def.name,
                stack.filter(|stack| stack.status.outcome() != Outcome::Deleted),
            );
        }
        let plans = graph
            .deploy_order()
            .iter()
            .map(|def| self.plan_stack(def, &standing));
        let mut planned: Vec<PlannedStack> = join_all(plans).await;
        note_replaced_needs(graph, &mut planned);
        Ok(planned)
    }

    async fn plan_stack(
        &self,
        def: &StackDef,
        standing: &BTreeMap<&'static str, Option<Stack>>,
    ) -> PlannedStack {
        let mut planned = PlannedStack {
            name: def.name,
            stack_name: String::new(),
            plan: Plan::Unchanged,
            notes: Vec::new(),
        };
        let plan = async {
            let input = self.inputs.input(def)?;
            planned.stack_name.clone_from(&input.stack_name);
            self.of_stack(def, input, standing).await
        };
        planned.plan = plan.await.unwrap_or_else(Plan::Failed);
        let stands = standing.get(def.name).and_then(Option::as_ref);
        if self.protect && !stands.is_some_and(|stack| stack.termination_protection) {
            planned.notes.push(
                "the deploy protects it against its deletion, and what holds data against replacement and removal"
                    .to_owned(),
            );
        }
        planned
    }

    async fn of_stack(
        &self,
        def: &StackDef,
        mut input: StackInput,
        standing: &BTreeMap<&'static str, Option<Stack>>,
    ) -> Result<Plan, FlowError> {
        let stack = standing.get(def.name).and_then(Option::as_ref);
        let mut outputs = self.inputs.known();
        outputs.extend(
            standing
                .iter()
                .filter_map(|(name, stack)| Some((*name, stack.as_ref()?.outputs.clone()))),
        );
        let bucket = def.package.map(|_| ARTIFACTS);
        let output =
            |stack: &str, key: &str| outputs.get(stack).and_then(|outputs| outputs.get(key));
        let needed = def.needs.iter().map(|need| (need.stack, need.output));
        let missing: Vec<_> = needed
            .chain(bucket)
            .filter(|(stack, key)| standing.contains_key(stack) && output(stack, key).is_none())
            .map(|(stack, key)| format!("{key} of `{stack}`"))
            .collect();
        for need in def.needs {
            if let Some(value) = output(need.stack, need.output) {
                input
                    .parameters
                    .insert(need.parameter.to_owned(), value.clone());
            }
        }
        if !missing.is_empty() {
            let why = format!(
                "it needs {}, which does not stand yet",
                missing.join(" and ")
            );
            return self.of_templates(input, stack, why).await;
        }
        input
            .parameters
            .extend(self.inputs.prepare(def, &outputs).await?);
        self.inputs.check(def, &input.parameters)?;
        match stack.map(|stack| stack.status.outcome()) {
            None => self.of_change_set(def, input, None, true).await,
            Some(Outcome::AwaitingExecution) => self.of_change_set(def, input, None, false).await,
            Some(Outcome::Succeeded | Outcome::RolledBack) => {
                self.of_change_set(def, input, stack, false).await
            }
            Some(
                Outcome::InProgress | Outcome::Unrecoverable | Outcome::Unknown | Outcome::Deleted,
            ) => {
                let status = stack
                    .map(|stack| stack.status.to_string())
                    .unwrap_or_default();
                let why = format!("it is in {status}, and takes no change set");
                self.of_templates(input, stack, why).await
            }
        }
    }

    /// Without a change set: what the templates tell. Parameters that are not known yet stay references.
    async fn of_templates(
        &self,
        input: StackInput,
        stack: Option<&Stack>,
        why: String,
    ) -> Result<Plan, FlowError> {
        let holds = |stack: &&Stack| {
            !matches!(
                stack.status,
                StackStatus::ReviewInProgress
                    | StackStatus::RollbackComplete
                    | StackStatus::CreateFailed
            )
        };
        let stack = stack.filter(holds);
        let deployed = match stack {
            Some(stack) => deployed_template(&self.tools.stacks.stack_template(&stack.id).await?),
            None => None,
        };
        let wanted = deployed_template(&input.template_body).ok_or_else(|| {
            FlowError::Input(format!(
                "the template of `{}` cannot be read",
                input.stack_name
            ))
        })?;
        let pseudo = stack
            .map(|stack| Version::of_arn(&stack.id))
            .unwrap_or_default();
        let values = |parameters: &BTreeMap<String, String>| {
            parameters
                .clone()
                .into_iter()
                .chain(pseudo.clone())
                .collect()
        };
        let before = stack
            .zip(deployed.as_ref())
            .map(|(stack, template)| StackVersion {
                version: Version {
                    template,
                    values: values(&stack.parameters),
                },
                tags: &stack.tags,
            });
        let after = StackVersion {
            version: Version {
                template: &wanted,
                values: values(&input.parameters),
            },
            tags: &input.tags,
        };
        let changes = StackChanges::of_templates(before.as_ref(), &after);
        Ok(Plan::Template { changes, why })
    }

    /// Makes a change set, reads it, and removes it again, with the shell that a new stack gets by it.
    async fn of_change_set(
        &self,
        def: &StackDef,
        input: StackInput,
        stack: Option<&Stack>,
        makes_shell: bool,
    ) -> Result<Plan, FlowError> {
        let Tools { stacks, clock, .. } = self.tools;
        let deployed = match stack {
            Some(stack) => deployed_template(&stacks.stack_template(&stack.id).await?),
            None => None,
        };
        if self.is_stopped() {
            return Err(stopped());
        }
        let request = ChangeSetRequest {
            name: format!("stackway-plan-{}", clock.now().unix_timestamp_nanos()),
            create: stack.is_none(),
            stack_name: input.stack_name.clone(),
            template_body: input.template_body.clone(),
            parameters: input.parameters.clone(),
            tags: input.tags.clone(),
            capabilities: input.capabilities.clone(),
        };
        let described = match stacks.create_change_set(&request).await {
            Ok(asked) => self.described(&asked).await,
            Err(error) => Err(error.into()),
        };
        // Also after an error: a request whose answer was lost may have been carried out.
        let removed = self.remove(&request, makes_shell).await;
        let set = described?;
        removed?;
        match &set.state {
            ChangeSetState::Ready => {
                let before = stack.map(|stack| (stack, deployed.as_ref()));
                Ok(Plan::ChangeSet(changes(set, before, &input)))
            }
            ChangeSetState::Empty if stack.is_some() => Ok(Plan::Unchanged),
            ChangeSetState::Failed(reason) => Err(FlowError::ChangeSet {
                stack: input.stack_name,
                reason: reason.clone(),
            }),
            ChangeSetState::Empty | ChangeSetState::Pending => Err(FlowError::ChangeSet {
                stack: input.stack_name,
                reason: format!("the template of `{}` holds no resource", def.name),
            }),
        }
    }

    async fn described(&self, asked: &ChangeSet) -> Result<ChangeSet, FlowError> {
        let Tools {
            stacks,
            clock,
            poll,
            ..
        } = self.tools;
        for attempt in 0.. {
            let set = stacks
                .describe_change_set(&asked.id, &asked.stack_id)
                .await?;
            if set.state != ChangeSetState::Pending {
                return Ok(set);
            }
            let wait = clock.sleep(poll.wait(attempt, clock.now()));
            if let Either::Right(_) = select(wait, self.stop.clone()).await {
                break;
            }
        }
        Err(stopped())
    }

    /// Gives the plan up when `future` ends, which is asked once at once, so that it can begin to listen.
    pub fn stop_at(future: impl Future<Output = ()> + Send + 'static) -> Stop {
        let stop = future.boxed().shared();
        let _ = stop.clone().now_or_never();
        stop
    }

    /// Whether the plan was given up.
    pub fn is_stopped(&self) -> bool {
        self.stop.clone().now_or_never().is_some()
    }

    /// Removes the change set, and the stack that was made for it alone; what is not there is removed already.
    async fn remove(&self, request: &ChangeSetRequest, makes_shell: bool) -> Result<(), FlowError> {
        let Tools {
            stacks,
            clock,
            poll,
            ..
        } = self.tools;
        match stacks
            .delete_change_set(&request.name, &request.stack_name)
            .await
        {
            Err(error) if !is_absence(&error) => return Err(error.into()),
            _ => {}
        }
        if !makes_shell {
            return Ok(());
        }
        let Some(shell) = stacks.describe_stack(&request.stack_name).await? else {
            return Ok(());
        };
        // Somebody else may have begun to deploy it since.
        if shell.status != StackStatus::ReviewInProgress {
            return Ok(());
        }
        stacks.delete_stack(&shell.id).await?;
        for attempt in 0.. {
            match stacks.describe_stack(&shell.id).await? {
                Some(stack) if stack.status.outcome() != Outcome::Deleted => {
                    if stack.status == StackStatus::DeleteFailed {
                        return Err(FlowError::Left {
                            stack: stack.name,
                            status: stack.status.to_string(),
                        });
                    }
                }
                _ => break,
            }
            clock.sleep(poll.wait(attempt, clock.now())).await;
        }
        Ok(())
    }
}

fn stopped() -> FlowError {
    FlowError::Input("the plan was given up".to_owned())
}

/// Whether a deletion was refused as there is nothing to delete.
fn is_absence(error: &CloudError) -> bool {
    match error {
        CloudError::Refused { code, message, .. } => {
            matches!(
                code.as_str(),
                "ChangeSetNotFound" | "ChangeSetNotFoundException"
            ) || (code == "ValidationError" && message.contains("does not exist"))
        }
        _ => false,
    }
}

/// Says of a stack whose parameters come from one that replaces resources that more may follow.
fn note_replaced_needs(graph: &StackGraph, planned: &mut [PlannedStack]) {
    let replacing: Vec<&'static str> = planned
        .iter()
        .filter(|stack| match &stack.plan {
            Plan::ChangeSet(changes) | Plan::Template { changes, .. } => changes
                .resources
                .iter()
                .any(|change| change.replacement != crate::stack::Replacement::Never),
            Plan::Unchanged | Plan::Failed(_) => false,
        })
        .map(|stack| stack.name)
        .collect();
    for def in graph.deploy_order() {
        let Some(stack) = planned.iter_mut().find(|stack| stack.name == def.name) else {
            continue;
        };
        for need in def
            .needs
            .iter()
            .filter(|need| replacing.contains(&need.stack))
        {
            stack.notes.push(format!(
                "takes {} from `{}`, where resources may be replaced: planned with the value that stands",
                need.parameter, need.stack
            ));
        }
    }
}

#[cfg(test)]
mod tests;
