use std::collections::BTreeMap;

use stackway_pipeline_defs::model::{Action, Invocation, StateInput, StepFunctions};

use super::action::Done;
use super::{Order, Runner};
use crate::artifact::read_file;
use crate::{Execution, Log, RunError};

impl Runner<'_> {
    /// Promises an execution of the other pipeline; it begins when this one has come to its end.
    pub(super) fn invoke(
        &self,
        order: &Order,
        invocation: &Invocation,
        execution: &Execution,
    ) -> Result<Done, RunError> {
        let variables = self.variables(execution);
        let id = uuid::Uuid::new_v4().to_string();
        let mut source = order.source.clone();
        for revision in &invocation.revisions {
            if revision.kind == "COMMIT_ID" && !source.dirty {
                source.reference = Some(variables.text(&revision.value)?);
            }
        }
        let mut chain = order.chain.clone();
        chain.push(execution.pipeline.clone());
        let invoked = Order {
            pipeline: invocation.pipeline.to_owned(),
            source,
            variables: invocation
                .variables
                .iter()
                .map(|(name, value)| Ok(((*name).to_owned(), variables.text(value)?)))
                .collect::<Result<_, RunError>>()?,
            from: None,
            until: None,
            fail: order.fail.clone(),
            skip_rules: order.skip_rules.clone(),
            approval: order.approval,
            timeout: order.timeout,
            invoked_by: Some(execution.id.clone()),
            id: Some(id.clone()),
            chain,
        };
        Ok(Done {
            note: Some(format!("starts {} as {id}", invocation.pipeline)),
            variables: BTreeMap::from([("PipelineExecutionId".to_owned(), id)]),
            invoked: vec![invoked],
            ..Done::default()
        })
    }

    /// Starts a state machine, and waits for its end where it is a standard one.
    pub(super) async fn state_machine(
        &self,
        action: &Action,
        machine: &StepFunctions,
        execution: &Execution,
        log: &Log<'_>,
    ) -> Result<Done, RunError> {
        let variables = self.variables(execution);
        let arn = variables.text(&machine.arn())?;
        let input = match &machine.input {
            StateInput::Empty => "{}".to_owned(),
            StateInput::Literal(text) => variables.text(text)?,
            StateInput::File(file) => {
                let name = action.inputs.first().map_or("", String::as_str);
                read_file(&self.input(action, None, execution)?, name, file)?
            }
        };
        // CodePipeline names it after the action's execution, which is another at each run.
        let id = uuid::Uuid::new_v4().to_string();
        let name = match &machine.prefix {
            Some(prefix) => format!("{prefix}-{id}"),
            None => id,
        };
        let started = self
            .cloud
            .run_state_machine(&arn, &name, &input, log)
            .await?;
        Ok(Done {
            variables: BTreeMap::from([
                ("ExecutionArn".to_owned(), started),
                ("StateMachineArn".to_owned(), arn),
            ]),
            ..Done::default()
        })
    }
}
