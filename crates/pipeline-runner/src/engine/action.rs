use std::collections::BTreeMap;

use stackway_pipeline_defs::model::{Action, ArtifactPath, EcrBuildAndPublish, Provider, Stage};

use super::order::label;
use super::{Order, Runner};
use crate::artifact::{Kept, Limits, read_file, unpack};
use crate::build::{Built, CacheRun, PhaseRun, ReportSummary};
use crate::{ErrorKind, Execution, ImageOrder, Log, RunError};

/// What an action brought.
#[derive(Debug, Default)]
pub(super) struct Done {
    pub(super) configuration: BTreeMap<String, String>,
    pub(super) variables: BTreeMap<String, String>,
    pub(super) artifacts: BTreeMap<String, String>,
    pub(super) reports: Vec<ReportSummary>,
    pub(super) phases: Vec<PhaseRun>,
    pub(super) caches: Vec<CacheRun>,
    pub(super) invoked: Vec<Order>,
    pub(super) note: Option<String>,
    pub(super) failure: Option<RunError>,
}

impl From<Built> for Done {
    fn from(built: Built) -> Self {
        let reports: Vec<_> = built.reports.iter().map(ReportSummary::text).collect();
        Self {
            variables: built.exported,
            artifacts: built.artifacts,
            reports: built.reports,
            phases: built.phases,
            caches: built.caches,
            note: (!reports.is_empty()).then(|| reports.join("; ")),
            failure: built.failure,
            ..Self::default()
        }
    }
}

impl Runner<'_> {
    /// Runs an action with what the execution has.
    pub(super) async fn action(
        &self,
        order: &Order,
        stage: &Stage,
        action: &Action,
        execution: &Execution,
    ) -> Done {
        let variables = self.variables(execution);
        let mut configuration = BTreeMap::new();
        for (key, text) in action.provider.configuration() {
            // One that cannot be resolved fails the action below, by its name.
            if let Ok(text) = variables.text(&text) {
                configuration.insert(key.to_owned(), text);
            }
        }
        let mut done = match self.carry_out(order, stage, action, execution).await {
            Ok(done) => done,
            Err(error) => Done {
                failure: Some(error),
                ..Done::default()
            },
        };
        done.configuration = configuration;
        done
    }

    async fn carry_out(
        &self,
        order: &Order,
        stage: &Stage,
        action: &Action,
        execution: &Execution,
    ) -> Result<Done, RunError> {
        let label = label(stage, action);
        if order.fail.contains(&label) {
            return Err(RunError::new(
                ErrorKind::Failed,
                format!("told to fail with --fail {label}"),
            ));
        }
        let path = self.executions.log(execution, stage.name, &action.name);
        let log = Log::open(&label, &path, self.watcher)?;
        match &action.provider {
            Provider::CodeBuild(build) => {
                let run = self.code_build(order, &label, action, build, execution, &log);
                run.await.map(Done::from)
            }
            Provider::Commands(commands) => {
                let run = self.commands(order, stage.name, action, commands, execution, &log);
                run.await.map(Done::from)
            }
            Provider::EcrBuildAndPublish(image) => {
                self.image(stage, action, image, execution, &log).await
            }
            Provider::ManualApproval(approval) => {
                let told = self
                    .approval(order.approval, stage.name, action, approval, execution)
                    .await?;
                log.line(&told)?;
                Ok(Done {
                    note: Some(told),
                    ..Done::default()
                })
            }
            Provider::CloudFormation(stack) => {
                self.stack(stage.name, action, stack, execution, &log).await
            }
            Provider::Invocation(invocation) => self.invoke(order, invocation, execution),
            Provider::StepFunctions(machine) => {
                self.state_machine(action, machine, execution, &log).await
            }
            Provider::LambdaInvoke(invoke) => {
                self.lambda(order, action, invoke, execution, &log).await
            }
            Provider::StackSet(set) => self.stack_set(action, set, execution, &log).await,
            Provider::StackInstances(instances) => {
                self.stack_instances(action, instances, execution, &log)
                    .await
            }
            // Refused before anything begins.
            Provider::LambdaDeploy(_) | Provider::Ecs(_) => Err(RunError::new(
                ErrorKind::Definition,
                format!("{} does not run on this machine", action.provider.name()),
            )),
        }
    }

    async fn image(
        &self,
        stage: &Stage,
        action: &Action,
        image: &EcrBuildAndPublish,
        execution: &Execution,
        log: &Log<'_>,
    ) -> Result<Done, RunError> {
        let variables = self.variables(execution);
        let folder =
            self.executions
                .sources_of_image(&execution.pipeline, stage.name, &action.name);
        let _lock = super::commands::lock(&folder.with_extension("lock")).await?;
        let kept = Kept::new(&["target/**/*".to_owned()])?;
        let zip = self.input(action, None, execution)?;
        unpack(&zip, &folder, Limits::DEFAULT, &kept)?;
        let tags = image
            .tags
            .iter()
            .map(|tag| variables.text(tag))
            .collect::<Result<_, _>>()?;
        let order = ImageOrder {
            repository: variables.text(&image.repository)?,
            source: &folder,
            docker_file: image.docker_file.clone(),
            tags,
        };
        Ok(Done {
            variables: self.cloud.publish(&order, log).await?,
            ..Done::default()
        })
    }

    /// The zip of an input artifact: of `name`, or of the first one.
    pub(super) fn input(
        &self,
        action: &Action,
        name: Option<&str>,
        execution: &Execution,
    ) -> Result<std::path::PathBuf, RunError> {
        let name = name
            .or_else(|| action.inputs.first().map(String::as_str))
            .unwrap_or_default();
        let artifact = execution.artifacts.get(name).ok_or_else(|| {
            RunError::new(
                ErrorKind::Artifact,
                format!("artifact `{name}` has not been made"),
            )
            .hint("run the stage that makes it, or start without --from")
        })?;
        self.store.path(artifact)
    }

    /// The text of a file of an artifact.
    pub(super) fn file(
        &self,
        action: &Action,
        file: &ArtifactPath,
        execution: &Execution,
    ) -> Result<String, RunError> {
        let path = self.variables(execution).text(&file.path)?;
        let zip = self.input(action, Some(&file.artifact), execution)?;
        read_file(&zip, &file.artifact, &path)
    }
}
