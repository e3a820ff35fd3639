//! The engine: stages one after the other, actions of one run order side by side, conditions, retries, rollbacks.

mod action;
mod approval;
mod commands;
mod condition;
mod function;
mod invoke;
mod order;
mod overrides;
mod rollback;
mod stack;
mod stack_set;
mod stage;
#[cfg(test)]
mod stop_tests;
pub mod support;
#[cfg(test)]
mod tests;
mod turn;
mod window;

use std::collections::BTreeMap;

pub use approval::Approval;
pub use order::Order;
pub use rollback::back_to;
use stackway_pipeline_defs::model::Pipeline;

use crate::artifact::Store;
use crate::execution::now;
use crate::{Cloud, ErrorKind, Event, Execution, Executions, RunError, Status, Watcher};

/// Runs pipelines.
pub struct Runner<'a> {
    /// All pipelines of the project: one may invoke another.
    pub pipelines: &'a [Pipeline],
    /// What actions reach.
    pub cloud: &'a dyn Cloud,
    /// Who sees what happens.
    pub watcher: &'a dyn Watcher,
    /// Where executions are kept.
    pub executions: Executions,
    /// Where artifacts are kept.
    pub store: Store,
    /// Variables of the machine that commands get: `PATH`, `HOME`.
    pub machine: BTreeMap<String, String>,
    /// The environment's name.
    pub environment: String,
}

/// What came of a run.
#[derive(Debug)]
pub struct Outcome {
    /// The executions, that which was asked for first; those that it invoked after it.
    pub executions: Vec<Execution>,
    /// Why one of them did not succeed.
    pub failure: Option<RunError>,
}

impl Runner<'_> {
    /// Runs a pipeline, and then the pipelines that it invokes.
    ///
    /// # Errors
    /// What is wrong before anything begins.
    pub async fn run(&self, order: Order) -> Result<Outcome, RunError> {
        self.preflight(&order).await?;
        let hold = self.executions.hold().await?;
        let execution = self.begin(&order)?;
        let outcome = self.go_on(vec![(order, execution)]).await;
        self.prune(hold);
        outcome
    }

    /// Removes what later runs will not ask for. That it fails is told, and is no failure of the run.
    fn prune(&self, hold: std::fs::File) {
        drop(hold);
        let names: Vec<_> = self.pipelines.iter().map(|one| one.name).collect();
        if let Err(error) = self.executions.prune(&names, &self.store) {
            let text = format!("old executions are still here: {error}");
            self.watcher.see(&Event::Note { text: &text });
        }
    }

    /// Goes on with an execution that failed, or that ended with its process, from the stage that it came to.
    ///
    /// # Errors
    /// It has nothing left to do, or is still run.
    pub async fn retry(&self, order: Order, id: Option<&str>) -> Result<Outcome, RunError> {
        self.preflight(&order).await?;
        let hold = self.executions.hold().await?;
        let mut execution = self.executions.find(&order.pipeline, id)?;
        if execution.is_running() {
            return Err(RunError::new(
                ErrorKind::Overtaken,
                format!(
                    "execution `{}` is still run by process {}",
                    execution.id, execution.process
                ),
            ));
        }
        let mut is_left = false;
        for stage in &mut execution.stages {
            if matches!(stage.status, Status::Succeeded | Status::Skipped) {
                continue;
            }
            is_left = true;
            stage.status = Status::NotStarted;
            stage.note = None;
            for action in &mut stage.actions {
                if action.status != Status::Succeeded {
                    action.status = Status::NotStarted;
                }
            }
        }
        if !is_left {
            return Err(RunError::new(
                ErrorKind::Definition,
                format!("execution `{}` has nothing to retry", execution.id),
            )
            .hint(format!(
                "start anew: `cargo xtask pipeline run {}`",
                order.pipeline
            )));
        }
        execution.ended = None;
        self.executions.forget_request(&mut execution)?;
        let outcome = self.go_on(vec![(order, execution)]).await;
        self.prune(hold);
        outcome
    }

    /// Runs a stage with what an earlier execution, in which it succeeded, had: that of the id, or the newest but for
    /// the latest one.
    ///
    /// See [stage rollback](https://docs.aws.amazon.com/codepipeline/latest/userguide/stage-rollback.html).
    ///
    /// # Errors
    /// No such stage or execution.
    pub async fn roll_back(
        &self,
        order: Order,
        stage: &str,
        to: Option<&str>,
    ) -> Result<Outcome, RunError> {
        let hold = self.executions.hold().await?;
        let outcome = self.back(&order, stage, to).await;
        self.prune(hold);
        outcome
    }

    async fn go_on(&self, mut waiting: Vec<(Order, Execution)>) -> Result<Outcome, RunError> {
        let mut done = Vec::new();
        while !waiting.is_empty() {
            let (order, mut execution) = waiting.remove(0);
            let mut invoked = Vec::new();
            let subject = execution.clone();
            let result = tokio::select! {
                result = self.execute(&order, &mut execution, &mut invoked) => result,
                // What runs ends with what is dropped: each shell takes its children with it.
                error = self.executions.abandoned(&subject) => Err(error),
            };
            execution.ended = Some(now());
            execution.status = match &result {
                Ok(status) => *status,
                Err(error) => match error.kind {
                    ErrorKind::Overtaken => Status::Superseded,
                    ErrorKind::Stopped => {
                        execution.abandon();
                        execution.stopped_for = error.causes.first().cloned();
                        Status::Stopped
                    }
                    _ => Status::Failed,
                },
            };
            // A disk that is full must not hide why the run failed.
            let saved = self.executions.save(&execution);
            let place = format!("execution `{}` of `{}`", execution.id, execution.pipeline);
            done.push(execution);
            if let Err(error) = result.and(saved) {
                let error = error.cause(format!("in {place}"));
                return Ok(Outcome {
                    executions: done,
                    failure: Some(error),
                });
            }
            for order in invoked {
                let execution = self.begin(&order)?;
                waiting.push((order, execution));
            }
        }
        Ok(Outcome {
            executions: done,
            failure: None,
        })
    }

    async fn execute(
        &self,
        order: &Order,
        execution: &mut Execution,
        invoked: &mut Vec<Order>,
    ) -> Result<Status, RunError> {
        let pipeline = self.pipeline(&order.pipeline)?;
        execution.process = std::process::id();
        execution.status = Status::InProgress;
        self.executions.save(execution)?;
        self.watcher.see(&Event::Started {
            pipeline: pipeline.name,
            id: &execution.id,
        });
        if execution.stages[0].status != Status::Succeeded {
            let _turn = self
                .turn(pipeline, pipeline.source_stage, execution)
                .await?;
            if let Err(error) = self.sources(order, pipeline, execution) {
                execution.stages[0].status = Status::Failed;
                execution.stages[0].note = Some(error.message.clone());
                return Err(error);
            }
        }
        for stage in &pipeline.stages {
            self.stage(order, pipeline, stage, execution, invoked)
                .await?;
            if order.until.as_deref() == Some(stage.name) {
                return Ok(Status::Stopped);
            }
        }
        Ok(Status::Succeeded)
    }

    pub(crate) fn pipeline(&self, name: &str) -> Result<&Pipeline, RunError> {
        named(self.pipelines, name)
    }
}

fn named<'a>(pipelines: &'a [Pipeline], name: &str) -> Result<&'a Pipeline, RunError> {
    let found = pipelines.iter().find(|pipeline| pipeline.name == name);
    found.ok_or_else(|| {
        let names: Vec<_> = pipelines.iter().map(|pipeline| pipeline.name).collect();
        RunError::new(
            ErrorKind::Definition,
            format!("there is no pipeline `{name}`"),
        )
        .hint(format!("the pipelines are: {}", names.join(", ")))
    })
}
