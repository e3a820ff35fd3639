use futures::stream::{FuturesUnordered, StreamExt};
use stackway_pipeline_defs::model::{
    Action, BeforeEntry, OnFailure, OnSuccess, Pipeline, RetryMode, Stage,
};

use super::action::Done;
use super::order::label;
use super::{Order, Runner};
use crate::execution::now;
use crate::{ErrorKind, Event, Execution, RunError, Status, Variables};

impl Runner<'_> {
    pub(super) fn variables<'a>(&'a self, execution: &'a Execution) -> Variables<'a> {
        Variables {
            namespaces: &execution.namespaces,
            cloud: self.cloud,
        }
    }

    /// Runs a stage with its conditions, and what is to be done about its failure.
    pub(super) async fn stage(
        &self,
        order: &Order,
        pipeline: &Pipeline,
        stage: &Stage,
        execution: &mut Execution,
        invoked: &mut Vec<Order>,
    ) -> Result<(), RunError> {
        let at = place(execution, stage);
        match execution.stages[at].status {
            Status::Succeeded => return Ok(()),
            Status::Skipped => {
                self.tell(stage.name, execution, at);
                return Ok(());
            }
            _ => {}
        }
        let _turn = self.turn(pipeline, stage.name, execution).await?;
        if let Some(condition) = &stage.before_entry
            && let Some(why) = self
                .broken(order, stage.name, &condition.rules(), execution)
                .await?
        {
            let status = match condition {
                BeforeEntry::Skip(_) => Status::Skipped,
                BeforeEntry::Fail(_) => Status::Failed,
            };
            self.settle(execution, at, status, Some(why.clone()))?;
            return match condition {
                BeforeEntry::Skip(_) => Ok(()),
                BeforeEntry::Fail(_) => Err(condition_failed(stage, "entry", &why)),
            };
        }
        self.settle(execution, at, Status::InProgress, None)?;
        let mut result = self.actions(order, stage, execution, at, invoked).await;
        if result
            .as_ref()
            .is_err_and(|error| error.kind == ErrorKind::Stopped)
        {
            self.settle(execution, at, Status::Stopped, None)?;
            return result;
        }
        if let (Err(error), Some(OnFailure::Retry(mode))) = (&result, &stage.on_failure)
            && error.kind != ErrorKind::Rejected
        {
            let text = format!(
                "stage {} failed and is tried once more: {error}",
                stage.name
            );
            self.watcher.see(&Event::Note { text: &text });
            for action in &mut execution.stages[at].actions {
                if *mode == RetryMode::AllActions || action.status != Status::Succeeded {
                    action.status = Status::NotStarted;
                }
            }
            result = self.actions(order, stage, execution, at, invoked).await;
        }
        let mut goes_back = match (&result, &stage.on_failure) {
            (Err(_), Some(OnFailure::Rollback)) => true,
            (Err(_), Some(OnFailure::RollbackUnless(rules))) => self
                .broken(order, stage.name, rules, execution)
                .await?
                .is_some(),
            _ => false,
        };
        if let (Ok(()), Some(condition)) = (&result, &stage.on_success)
            && let Some(why) = self
                .broken(order, stage.name, condition.rules(), execution)
                .await?
        {
            goes_back = matches!(condition, OnSuccess::Rollback(_));
            result = Err(condition_failed(stage, "success", &why));
        }
        let Err(mut error) = result else {
            return self.settle(execution, at, Status::Succeeded, None);
        };
        self.settle(execution, at, Status::Failed, Some(error.message.clone()))?;
        if goes_back {
            error = match self.undo(order, stage, execution).await {
                Ok(told) => error.cause(told),
                Err(second) => error.cause(format!("and its rollback failed: {second}")),
            };
        }
        // What there is to do about a full disk is no matter of logs.
        if error.kind == ErrorKind::Io && error.hint.is_some() {
            return Err(error);
        }
        Err(error.hint(format!(
            "`cargo xtask pipeline logs {0} --execution {1}` shows what it wrote; `pipeline retry {0}` goes on from stage {2}",
            execution.pipeline,
            &execution.id[..8.min(execution.id.len())],
            stage.name
        )))
    }

    /// Runs the actions that have not succeeded yet: those of one run order side by side.
    pub(super) async fn actions(
        &self,
        order: &Order,
        stage: &Stage,
        execution: &mut Execution,
        at: usize,
        invoked: &mut Vec<Order>,
    ) -> Result<(), RunError> {
        let actions = stage.in_order();
        for group in actions.chunk_by(|a, b| a.run_order == b.run_order) {
            self.executions.may_go_on(execution)?;
            let mut running = FuturesUnordered::new();
            for action in group {
                let run = run_of(execution, at, action);
                if execution.stages[at].actions[run].status == Status::Succeeded {
                    continue;
                }
                let one = &mut execution.stages[at].actions[run];
                one.status = Status::InProgress;
                one.runs += 1;
                one.started = Some(now());
                one.ended = None;
                one.note = None;
            }
            self.executions.save(execution)?;
            for action in group {
                let run = run_of(execution, at, action);
                if execution.stages[at].actions[run].status == Status::Succeeded {
                    continue;
                }
                let inputs = execution.clone();
                running.push(async move {
                    let label = label(stage, action);
                    self.watcher.see(&Event::Action {
                        action: &label,
                        status: Status::InProgress,
                        seconds: 0.0,
                        note: None,
                    });
                    (*action, self.action(order, stage, action, &inputs).await)
                });
            }
            let mut failure = None;
            while let Some((action, done)) = running.next().await {
                let error = self.take(stage, action, execution, at, done, invoked)?;
                if let Some(error) = error {
                    failure.get_or_insert(error);
                }
            }
            if let Some(error) = failure {
                return Err(error);
            }
        }
        Ok(())
    }

    /// Keeps what an action brought.
    fn take(
        &self,
        stage: &Stage,
        action: &Action,
        execution: &mut Execution,
        at: usize,
        done: Done,
        invoked: &mut Vec<Order>,
    ) -> Result<Option<RunError>, RunError> {
        let label = label(stage, action);
        let index = run_of(execution, at, action);
        let run = &mut execution.stages[at].actions[index];
        run.ended = Some(now());
        run.configuration = done.configuration;
        run.variables.clone_from(&done.variables);
        run.reports = done.reports;
        run.phases = done.phases;
        run.caches = done.caches;
        run.status = match &done.failure {
            None => Status::Succeeded,
            Some(_) => Status::Failed,
        };
        run.note = done
            .failure
            .as_ref()
            .map(|error| error.message.clone())
            .or(done.note);
        self.watcher.see(&Event::Action {
            action: &label,
            status: run.status,
            seconds: run.seconds().unwrap_or_default(),
            note: run.note.as_deref(),
        });
        execution.artifacts.extend(done.artifacts);
        if done.failure.is_none() {
            if let Some(namespace) = &action.namespace {
                execution
                    .namespaces
                    .insert(namespace.clone(), done.variables);
            }
            invoked.extend(done.invoked);
        }
        self.executions.save(execution)?;
        Ok(done.failure.map(|mut error| {
            error.message = format!("action `{label}` failed: {}", error.message);
            error
        }))
    }

    fn settle(
        &self,
        execution: &mut Execution,
        at: usize,
        status: Status,
        note: Option<String>,
    ) -> Result<(), RunError> {
        execution.stages[at].status = status;
        execution.stages[at].note = note;
        let name = execution.stages[at].name.clone();
        self.tell(&name, execution, at);
        self.executions.save(execution)
    }

    fn tell(&self, name: &str, execution: &Execution, at: usize) {
        self.watcher.see(&Event::Stage {
            pipeline: &execution.pipeline,
            stage: name,
            status: execution.stages[at].status,
            note: execution.stages[at].note.as_deref(),
        });
    }
}

fn condition_failed(stage: &Stage, what: &str, why: &str) -> RunError {
    RunError::new(
        ErrorKind::Failed,
        format!(
            "the {what} condition of stage `{}` does not hold",
            stage.name
        ),
    )
    .cause(why)
}

/// Where the stage is in the execution: an execution has all stages of its pipeline, as it was when it began.
pub(super) fn place(execution: &Execution, stage: &Stage) -> usize {
    execution
        .stages
        .iter()
        .position(|run| run.name == stage.name)
        .unwrap_or_default()
}

fn run_of(execution: &Execution, at: usize, action: &Action) -> usize {
    execution.stages[at]
        .actions
        .iter()
        .position(|run| run.name == action.name)
        .unwrap_or_default()
}
