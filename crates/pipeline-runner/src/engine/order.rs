use std::collections::BTreeMap;
use std::time::Duration;

use stackway_pipeline_defs::model::{Action, Pipeline, Source, Stage};

use super::{Approval, Runner};
use crate::execution::now;
use crate::{ActionRun, ErrorKind, Event, Execution, RunError, SourceOrder, StageRun, Status};

/// What is asked of a run.
#[derive(Clone, Debug, Default)]
pub struct Order {
    /// The pipeline's short name.
    pub pipeline: String,
    /// Which revision it works on.
    pub source: SourceOrder,
    /// Values of the pipeline's variables.
    pub variables: BTreeMap<String, String>,
    /// The first stage to run; what those before it made is taken from their last execution here.
    pub from: Option<String>,
    /// The last stage to run.
    pub until: Option<String>,
    /// Actions that fail without being run: `Stage/Action`.
    pub fail: Vec<String>,
    /// Rules that are not looked at, and count as held: `Stage/Rule`.
    pub skip_rules: Vec<String>,
    /// Who decides about approvals.
    pub approval: Approval,
    /// When a build is given up.
    pub timeout: Option<Duration>,
    /// The execution that invokes this one.
    pub invoked_by: Option<String>,
    /// The id that it was promised, if it was.
    pub id: Option<String>,
    /// The pipelines that led here.
    pub chain: Vec<String>,
}

fn refuse(message: String) -> RunError {
    RunError::new(ErrorKind::Definition, message)
}

impl Runner<'_> {
    /// Holds an order against its pipeline, and makes the execution's folder.
    pub(super) fn begin(&self, order: &Order) -> Result<Execution, RunError> {
        let pipeline = self.pipeline(&order.pipeline)?;
        if order.chain.iter().any(|name| name == pipeline.name) {
            return Err(
                refuse(format!("pipeline `{}` would start itself", pipeline.name)).cause(format!(
                    "{} → {}",
                    order.chain.join(" → "),
                    pipeline.name
                )),
            );
        }
        for stage in [&order.from, &order.until].into_iter().flatten() {
            if !pipeline.stages.iter().any(|one| one.name == stage) {
                let names: Vec<_> = pipeline.stages.iter().map(|stage| stage.name).collect();
                return Err(refuse(format!(
                    "pipeline `{}` has no stage `{stage}` after its source",
                    pipeline.name
                ))
                .hint(format!("its stages are: {}", names.join(", "))));
            }
        }
        let all = || {
            self.pipelines
                .iter()
                .flat_map(|pipeline| &pipeline.stages)
                .flat_map(|stage| stage.actions.iter().map(move |action| label(stage, action)))
        };
        for wanted in &order.fail {
            if !all().any(|label| label == *wanted) {
                return Err(
                    refuse(format!("there is no action `{wanted}` to fail")).hint(format!(
                        "the actions are: {}",
                        all().collect::<Vec<_>>().join(", ")
                    )),
                );
            }
        }
        for wanted in &order.skip_rules {
            let labels: Vec<_> = self.rules().collect();
            if !labels.contains(wanted) {
                return Err(refuse(format!("there is no rule `{wanted}` to skip")).hint(
                    if labels.is_empty() {
                        "no stage has a rule".to_owned()
                    } else {
                        format!("the rules are: {}", labels.join(", "))
                    },
                ));
            }
        }
        let mut execution = Execution {
            id: order.id.clone().unwrap_or_else(Execution::new_id),
            pipeline: pipeline.name.to_owned(),
            environment: self.environment.clone(),
            process: std::process::id(),
            started: now(),
            invoked_by: order.invoked_by.clone(),
            ..Execution::default()
        };
        let own = variables(pipeline, &order.variables)?;
        execution.namespaces.insert("variables".to_owned(), own);
        execution.namespaces.insert(
            "codepipeline".to_owned(),
            BTreeMap::from([("PipelineExecutionId".to_owned(), execution.id.clone())]),
        );
        execution.stages.push(StageRun {
            name: pipeline.source_stage.to_owned(),
            actions: pipeline
                .sources
                .iter()
                .map(|source| action_run(&source.name, source.source.provider()))
                .collect(),
            ..StageRun::default()
        });
        for stage in &pipeline.stages {
            execution.stages.push(StageRun {
                name: stage.name.to_owned(),
                actions: stage
                    .in_order()
                    .into_iter()
                    .map(|action| action_run(&action.name, action.provider.name()))
                    .collect(),
                ..StageRun::default()
            });
        }
        if let Some(from) = &order.from {
            self.skip_until(from, &mut execution)?;
        }
        self.executions.save(&execution)?;
        Ok(execution)
    }

    /// All rules of all pipelines: `Stage/Rule`.
    fn rules(&self) -> impl Iterator<Item = String> {
        let stages = self.pipelines.iter().flat_map(|pipeline| &pipeline.stages);
        stages.flat_map(|stage| {
            let rules = super::condition::rules(stage).into_iter();
            rules.map(|rule| format!("{}/{}", stage.name, rule.name()))
        })
    }

    /// Takes what the stages before `from` made from their last execution here.
    fn skip_until(&self, from: &str, execution: &mut Execution) -> Result<(), RunError> {
        let earlier = self.executions.of(&execution.pipeline)?;
        let before: Vec<_> = execution
            .stages
            .iter()
            .skip(1)
            .take_while(|stage| stage.name != from)
            .map(|stage| stage.name.clone())
            .collect();
        let is_done = |one: &Execution| {
            one.environment == execution.environment
                && before.iter().all(|name| {
                    one.stages.iter().any(|stage| {
                        stage.name == *name
                            && matches!(stage.status, Status::Succeeded | Status::Skipped)
                    })
                })
        };
        let found = earlier.iter().find(|one| is_done(one));
        let note = found.map_or_else(
            || "--from; no earlier execution has run it".to_owned(),
            |one| format!("--from; as in execution {}", one.id),
        );
        for stage in execution.stages.iter_mut().skip(1) {
            if stage.name == from {
                break;
            }
            stage.status = Status::Skipped;
            stage.note = Some(note.clone());
        }
        if let Some(one) = found {
            for (name, values) in &one.namespaces {
                execution
                    .namespaces
                    .entry(name.clone())
                    .or_insert_with(|| values.clone());
            }
            execution.artifacts.clone_from(&one.artifacts);
        }
        Ok(())
    }

    /// Brings the sources in.
    pub(super) fn sources(
        &self,
        order: &Order,
        pipeline: &Pipeline,
        execution: &mut Execution,
    ) -> Result<(), RunError> {
        if execution.stages[0].status == Status::Succeeded {
            return Ok(());
        }
        for (index, source) in pipeline.sources.iter().enumerate() {
            let Source::CodeConnections(repository) = &source.source else {
                return Err(refuse(format!(
                    "source `{}` is of {}, which is not taken from this machine",
                    source.name,
                    source.source.provider()
                )));
            };
            let branch = repository.branch.literal().unwrap_or_default();
            let start = now();
            let mut revision = order.source.take(&self.store, &branch)?;
            revision.variables.insert(
                "FullRepositoryName".to_owned(),
                self.variables(execution).text(&repository.repository)?,
            );
            let run = &mut execution.stages[0].actions[index];
            run.status = Status::Succeeded;
            run.runs += 1;
            run.started = Some(start);
            run.ended = Some(now());
            run.variables.clone_from(&revision.variables);
            let note = format!(
                "commit {}{}",
                revision.variables.get("CommitId").map_or("", |id| id),
                if order.source.dirty {
                    ", with the work tree"
                } else {
                    ""
                }
            );
            run.note = Some(note.clone());
            self.watcher.see(&Event::Action {
                action: &format!("{}/{}", pipeline.source_stage, source.name),
                status: Status::Succeeded,
                seconds: run.seconds().unwrap_or_default(),
                note: Some(&note),
            });
            execution
                .artifacts
                .insert(source.output.clone(), revision.artifact);
            if let Some(namespace) = &source.namespace {
                execution
                    .namespaces
                    .insert(namespace.clone(), revision.variables);
            }
        }
        execution.stages[0].status = Status::Succeeded;
        self.executions.save(execution)
    }
}

/// `Stage/Action`.
pub(super) fn label(stage: &Stage, action: &Action) -> String {
    format!("{}/{}", stage.name, action.name)
}

fn action_run(name: &str, provider: &str) -> ActionRun {
    ActionRun {
        name: name.to_owned(),
        provider: provider.to_owned(),
        ..ActionRun::default()
    }
}

/// The pipeline's variables: those that were given, and the defaults of the others.
fn variables(
    pipeline: &Pipeline,
    given: &BTreeMap<String, String>,
) -> Result<BTreeMap<String, String>, RunError> {
    let names: Vec<_> = pipeline.variables.iter().map(|one| one.name).collect();
    if let Some(name) = given.keys().find(|name| !names.contains(&name.as_str())) {
        return Err(refuse(format!(
            "pipeline `{}` has no variable `{name}`",
            pipeline.name
        ))
        .hint(if names.is_empty() {
            "it has none".to_owned()
        } else {
            format!("its variables are: {}", names.join(", "))
        }));
    }
    pipeline
        .variables
        .iter()
        .map(|variable| {
            let value = given
                .get(variable.name)
                .cloned()
                .or_else(|| variable.default.map(str::to_owned));
            let value = value.ok_or_else(|| {
                refuse(format!(
                    "pipeline `{}` needs variable `{}`: {}",
                    pipeline.name, variable.name, variable.description
                ))
                .hint(format!("give it with --var {}=VALUE", variable.name))
            })?;
            Ok((variable.name.to_owned(), value))
        })
        .collect()
}
