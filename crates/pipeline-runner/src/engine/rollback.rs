use stackway_pipeline_defs::model::{ExecutionMode, Pipeline, Stage};

use super::stage::place;
use super::{Order, Outcome, Runner, named};
use crate::execution::now;
use crate::{ErrorKind, Event, Execution, Executions, RunError, Status};

impl Runner<'_> {
    /// What [`Runner::roll_back`] does, while nothing is pruned.
    pub(super) async fn back(
        &self,
        order: &Order,
        stage: &str,
        to: Option<&str>,
    ) -> Result<Outcome, RunError> {
        let target = back_to(
            self.pipelines,
            &self.executions,
            &self.environment,
            &order.pipeline,
            stage,
            to,
        )?;
        let pipeline = self.pipeline(&order.pipeline)?;
        let stage = stage_of(pipeline, stage)?;
        let mut back = repetition(&target, stage);
        self.executions.save(&back)?;
        self.watcher.see(&Event::Started {
            pipeline: pipeline.name,
            id: &back.id,
        });
        let subject = back.clone();
        let result = tokio::select! {
            result = async {
                let _turn = self.turn(pipeline, stage.name, &subject).await?;
                self.repeat(order, stage, &mut back).await
            } => result,
            error = self.executions.abandoned(&subject) => Err(error),
        };
        self.close(stage, &mut back, result.as_ref().err())?;
        Ok(Outcome {
            executions: vec![back],
            failure: result.err(),
        })
    }

    /// Runs the stage again with what its last successful execution had. Gives what came of it.
    pub(super) async fn undo(
        &self,
        order: &Order,
        stage: &Stage,
        failed: &Execution,
    ) -> Result<String, RunError> {
        if self.pipeline(&failed.pipeline)?.execution_mode == ExecutionMode::Parallel {
            return Ok("a stage of a parallel pipeline cannot be rolled back".to_owned());
        }
        let earlier = self.executions.of(&failed.pipeline)?;
        let target = earlier
            .into_iter()
            .find(|one| one.id != failed.id && is_target(one, stage, &failed.environment));
        let Some(target) = target else {
            return Ok(format!(
                "stage {} is not rolled back: it has never succeeded here",
                stage.name
            ));
        };
        let text = format!(
            "rolling stage {} back to execution {}",
            stage.name, target.id
        );
        self.watcher.see(&Event::Note { text: &text });
        let mut back = repetition(&target, stage);
        let result = self.repeat(order, stage, &mut back).await;
        self.close(stage, &mut back, result.as_ref().err())?;
        result.map(|()| {
            format!(
                "stage {} was rolled back to what execution {} had",
                stage.name, target.id
            )
        })
    }

    async fn repeat(
        &self,
        order: &Order,
        stage: &Stage,
        back: &mut Execution,
    ) -> Result<(), RunError> {
        let again = Order {
            fail: Vec::new(),
            ..order.clone()
        };
        let at = place(back, stage);
        self.actions(&again, stage, back, at, &mut Vec::new()).await
    }

    fn close(
        &self,
        stage: &Stage,
        back: &mut Execution,
        error: Option<&RunError>,
    ) -> Result<(), RunError> {
        back.ended = Some(now());
        let at = place(back, stage);
        (back.status, back.stages[at].status) = match error {
            None => (Status::Succeeded, Status::Succeeded),
            Some(error) if error.kind == ErrorKind::Stopped => {
                back.abandon();
                back.stopped_for = error.causes.first().cloned();
                (Status::Stopped, Status::Stopped)
            }
            Some(_) => (Status::Failed, Status::Failed),
        };
        self.executions.save(back)
    }
}

/// The execution that a stage goes back to: that of the id, or the newest in which it succeeded, but for the latest one.
///
/// # Errors
/// No such stage or execution, or one that cannot be gone back to.
pub fn back_to(
    pipelines: &[Pipeline],
    executions: &Executions,
    environment: &str,
    pipeline: &str,
    stage: &str,
    to: Option<&str>,
) -> Result<Execution, RunError> {
    let pipeline = named(pipelines, pipeline)?;
    let stage = stage_of(pipeline, stage)?;
    if pipeline.execution_mode == ExecutionMode::Parallel {
        return Err(refuse(format!(
            "a stage of `{}` cannot be rolled back: its executions are parallel",
            pipeline.name
        )));
    }
    if let Some(id) = to {
        let one = executions.find(pipeline.name, Some(id))?;
        if is_target(&one, stage, environment) {
            return Ok(one);
        }
        return Err(refuse(format!(
            "execution `{}` cannot be gone back to: stage `{}` has not succeeded in it, or it is a rollback itself",
            one.id, stage.name
        )));
    }
    executions
        .of(pipeline.name)?
        .into_iter()
        .filter(|one| one.environment == environment)
        .skip(1)
        .find(|one| is_target(one, stage, environment))
        .ok_or_else(|| {
            refuse(format!(
                "no execution of `{}` before the newest has succeeded in stage `{}`",
                pipeline.name, stage.name
            ))
            .hint("name one with --to; `pipeline status --execution ID` shows how each stands")
        })
}

fn stage_of<'a>(pipeline: &'a Pipeline, name: &str) -> Result<&'a Stage, RunError> {
    let found = pipeline.stages.iter().find(|one| one.name == name);
    found.ok_or_else(|| {
        let names: Vec<_> = pipeline.stages.iter().map(|stage| stage.name).collect();
        refuse(format!(
            "pipeline `{}` has no stage `{name}` after its source",
            pipeline.name
        ))
        .hint(format!("its stages are: {}", names.join(", ")))
    })
}

fn refuse(text: String) -> RunError {
    RunError::new(ErrorKind::Definition, text)
}

/// Whether the stage can go back to it.
fn is_target(one: &Execution, stage: &Stage, environment: &str) -> bool {
    one.environment == environment
        && one.rollback_of.is_none()
        && one
            .stages
            .iter()
            .any(|run| run.name == stage.name && run.status == Status::Succeeded)
}

/// A new execution with what `target` had, in which the stage is yet to run.
fn repetition(target: &Execution, stage: &Stage) -> Execution {
    let mut back = Execution {
        id: Execution::new_id(),
        process: std::process::id(),
        started: now(),
        ended: None,
        status: Status::InProgress,
        rollback_of: Some(target.id.clone()),
        invoked_by: None,
        stopped_for: None,
        ..target.clone()
    };
    let at = place(&back, stage);
    for action in &mut back.stages[at].actions {
        action.status = Status::NotStarted;
    }
    back.stages[at].status = Status::InProgress;
    back
}
