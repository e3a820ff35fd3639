//! A CloudFormation action: each of its modes over the project's own flows.

use std::collections::BTreeMap;
use std::path::Path;

use async_trait::async_trait;
use stackway_infra::cloud::{StackControl as _, Stacks as _};
use stackway_infra::flow::{
    AllowReplace, Deployer, FlowError, Observer, Planner, Progress, Remedies, StackAction,
    StackInput, StackInputs,
};
use stackway_infra::stack::{ChangeSetState, Replacement, ResourceChange, Stack};
use stackway_infra::stack_def::{Presence, StackDef, StackGraph};
use stackway_infra::template::Template;
use stackway_pipeline_defs::pipelines::STACK;
use stackway_pipeline_runner::{ErrorKind, Log, RunError, StackOrder};

use super::{Here, error_of};
use crate::failure::{Failure, Kind};

impl Here<'_> {
    /// Does to the stack what the order's mode says; gives its outputs, none where there is no stack.
    pub(super) async fn stack_action(
        &self,
        order: &StackOrder,
        log: &Log<'_>,
    ) -> Result<BTreeMap<String, String>, RunError> {
        let lines = Lines(log);
        let action = StackAction {
            tools: self.cloud.tools(&lines),
            control: &self.cloud.stacks,
            stop: Planner::stop_at(std::future::pending()),
        };
        let name = order.stack.as_str();
        let change_set = order.change_set.as_deref().unwrap_or_default();
        let refused = |error| self.refused(error);
        let stack = match order.mode.as_str() {
            "CHANGE_SET_REPLACE" => {
                let one = self.input_of(order, log).await?;
                if order.policy.is_some() {
                    log.line("the stack policy of the template configuration is left out: a change set has none")?;
                }
                let (before, set) = action
                    .replace_change_set(&one.input, change_set)
                    .await
                    .map_err(refused)?;
                for change in &set.changes {
                    log.line(&line_of(change))?;
                }
                if set.state == ChangeSetState::Empty {
                    log.line(&format!("change set {change_set} would change nothing"))?;
                }
                before
            }
            "CHANGE_SET_EXECUTE" => {
                let stack = action.execute_change_set(name, change_set).await;
                Some(stack.map_err(refused)?)
            }
            "DELETE_ONLY" => {
                if !action.delete(name).await.map_err(refused)? {
                    log.line(&format!("there is no stack {name}: nothing to delete"))?;
                }
                None
            }
            "REPLACE_ON_FAILURE" => {
                action.delete_failed(name).await.map_err(refused)?;
                Some(self.create_or_update(order, log).await?)
            }
            "CREATE_UPDATE" => Some(self.create_or_update(order, log).await?),
            other => {
                return Err(RunError::new(
                    ErrorKind::Definition,
                    format!("action mode `{other}` is not carried out here"),
                ));
            }
        };
        Ok(stack
            .map(|stack| self.cloud.outputs(&stack))
            .unwrap_or_default())
    }

    async fn create_or_update(&self, order: &StackOrder, log: &Log<'_>) -> Result<Stack, RunError> {
        let one = self.input_of(order, log).await?;
        let def = StackDef {
            name: STACK,
            summary: "what a pipeline deploys",
            needs: &[],
            package: None,
            presence: Presence::Always,
            outputs: &[],
        };
        let graph = StackGraph::new(&[def])
            .map_err(|error| RunError::new(ErrorKind::Definition, error.to_string()))?;
        let lines = Lines(log);
        let protect = self.settings.environment.protect;
        let deployed = Deployer {
            tools: self.cloud.tools(&lines),
            control: &self.cloud.stacks,
            inputs: &one,
            allow_replace: &AllowReplace::default(),
            remedies: &Remedies::default(),
            protect,
            stop: Planner::stop_at(std::future::pending()),
        }
        .deploy(&graph)
        .await
        .map_err(|error| self.refused(error))?;
        let stack = deployed.into_iter().next().map(|deployed| deployed.stack);
        let stack = match stack {
            Some(stack) => stack,
            None => self.standing(&order.stack).await?,
        };
        match &order.policy {
            Some(_) if protect => {
                log.line("the stack policy of the template configuration is left out: `protect` sets one")?;
            }
            Some(policy) => {
                let set = self.cloud.stacks.set_stack_policy(&stack.id, policy).await;
                set.map_err(|error| self.refused(error.into()))?;
                log.line("the stack policy of the template configuration is set")?;
            }
            None => {}
        }
        Ok(stack)
    }

    async fn standing(&self, name: &str) -> Result<Stack, RunError> {
        let found = self.cloud.stacks.describe_stack(name).await;
        found
            .map_err(|error| self.refused(error.into()))?
            .ok_or_else(|| RunError::new(ErrorKind::Cloud, format!("there is no stack `{name}`")))
    }

    /// What the stack is made from, held against its template.
    async fn input_of(&self, order: &StackOrder, log: &Log<'_>) -> Result<OneStack, RunError> {
        let path = Path::new("template of the artifact");
        let template = Template::parse(&order.template, path).map_err(|error| {
            RunError::new(ErrorKind::Definition, "the template does not parse")
                .cause(error.to_string())
        })?;
        let faults = template.check();
        if !faults.is_empty() {
            let refused = RunError::new(
                ErrorKind::Definition,
                "the template is not one that CloudFormation would take",
            );
            let faults = faults.iter().map(ToString::to_string);
            return Err(faults.fold(refused, RunError::cause));
        }
        let mut parameters = order.parameters.clone();
        self.code(&mut parameters, log).await?;
        let one = OneStack {
            input: StackInput {
                stack_name: order.stack.clone(),
                template_body: order.template.clone(),
                parameters,
                tags: order.tags.clone(),
                capabilities: order.capabilities.clone(),
            },
            template,
        };
        one.fits().map_err(|error| self.refused(error))?;
        Ok(one)
    }

    fn refused(&self, error: FlowError) -> RunError {
        let name = self.settings.environment.name.to_string();
        error_of(Failure::of_flow(error, Kind::Deploy, &name))
    }
}

/// A change of a change set, in a line.
fn line_of(change: &ResourceChange) -> String {
    let replacement = match change.replacement {
        Replacement::Never => "",
        Replacement::Conditional => " (may be replaced)",
        Replacement::Always => " (replaced)",
    };
    format!(
        "{} {} {}{replacement}",
        change.action, change.logical_id, change.resource_type
    )
}

/// The input of the one stack that an action deploys.
struct OneStack {
    input: StackInput,
    template: Template,
}

impl OneStack {
    fn fits(&self) -> Result<(), FlowError> {
        let parameters = &self.input.parameters;
        let mut faults: Vec<_> = self
            .template
            .check_conditions(parameters)
            .iter()
            .map(ToString::to_string)
            .collect();
        if let Err(unfit) = self.template.check_parameters(parameters) {
            faults.extend(unfit.iter().map(ToString::to_string));
        }
        if faults.is_empty() {
            return Ok(());
        }
        Err(FlowError::Input(format!(
            "the parameters of the action do not fit the template: {}",
            faults.join("; ")
        )))
    }
}

#[async_trait]
impl StackInputs for OneStack {
    fn input(&self, _: &StackDef) -> Result<StackInput, FlowError> {
        Ok(self.input.clone())
    }

    async fn prepare(
        &self,
        _: &StackDef,
        _: &BTreeMap<&'static str, BTreeMap<String, String>>,
    ) -> Result<BTreeMap<String, String>, FlowError> {
        Ok(BTreeMap::new())
    }

    fn check(&self, _: &StackDef, _: &BTreeMap<String, String>) -> Result<(), FlowError> {
        // Held against the template as it was read.
        Ok(())
    }
}

/// A stack's progress as lines of the action's log.
struct Lines<'a>(&'a Log<'a>);

impl Observer for Lines<'_> {
    fn observe(&self, stack: &str, progress: &Progress) {
        let text = match progress {
            Progress::Event(event) => format!(
                "{} {} {}{}",
                event.status,
                event.logical_id,
                event.resource_type,
                event
                    .reason
                    .as_ref()
                    .map(|reason| format!(": {reason}"))
                    .unwrap_or_default()
            ),
            Progress::Waiting { status } => format!("{stack} is in {status}: waits for its end"),
            Progress::NoChanges => format!("{stack} has no changes"),
            Progress::Done => format!("{stack} stands"),
            Progress::Adopted => format!("{stack}: goes on with a change set of an earlier run"),
            Progress::Cancelled => format!("{stack}: the update is cancelled"),
            Progress::GoesOn { status } => format!("{stack} is in {status}, which goes on"),
            Progress::Protected => format!("{stack} is protected"),
            Progress::Started
            | Progress::ChangeSet(_)
            | Progress::Emptied { .. }
            | Progress::Removing { .. }
            | Progress::Undoing { .. }
            | Progress::Removal(_) => return,
        };
        // A log that is full is told of by the action's next line.
        let _ = self.0.line(&text);
    }
}
