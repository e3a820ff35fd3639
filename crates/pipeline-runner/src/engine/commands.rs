use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

use stackway_pipeline_defs::model::{
    Action, CodeBuild, Commands, CommandsRule, EnvironmentKind, EnvironmentVariable,
};

use super::{Order, Runner};
use crate::artifact::{Kept, Limits, Selection, pack, read_file, unpack};
use crate::build::{Build, Buildspec, Built, CacheRun, parameter_of, secret_of};
use crate::execution::now;
use crate::{ErrorKind, Execution, Log, RunError};

/// Holds a folder for one build at a time; across processes too.
pub(super) async fn lock(path: &Path) -> Result<File, RunError> {
    let fault = |error: std::io::Error| RunError::io("write", path, &error);
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(fault)?;
    }
    let file = File::create(path).map_err(fault)?;
    while file.try_lock().is_err() {
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    Ok(file)
}

/// A folder of a run of commands, removed when it is over.
pub(super) struct Scratch(pub(super) PathBuf);

impl Scratch {
    fn new(path: PathBuf) -> Result<Self, RunError> {
        std::fs::create_dir_all(&path).map_err(|error| RunError::io("create", &path, &error))?;
        Ok(Self(path))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

impl Runner<'_> {
    /// Runs a build of CodeBuild: the buildspec of the sources, in a folder that is the sources and the cache.
    pub(super) async fn code_build(
        &self,
        order: &Order,
        label: &str,
        action: &Action,
        build: &CodeBuild,
        execution: &Execution,
        log: &Log<'_>,
    ) -> Result<Built, RunError> {
        let primary = build.primary_source.as_deref();
        let zip = self.input(action, primary, execution)?;
        let primary = primary
            .or_else(|| action.inputs.first().map(String::as_str))
            .unwrap_or_default();
        let path = format!("buildspecs/{}.yml", build.build);
        let spec = Buildspec::parse(&path, &read_file(&zip, primary, &path)?)?;
        let root = self.executions.build(&execution.pipeline, build.build);
        let _lock = lock(&root.join("lock")).await?;
        let folder = self
            .executions
            .sources_of_build(&execution.pipeline, build.build);
        let caches = CacheRun::look(&folder, spec.cache_paths());
        for cache in &caches {
            log.line(&format!("cache {}: {}", cache.path, cache.found.as_str()))?;
        }
        let kept = Kept::new(spec.cache_paths())?;
        unpack(&zip, &folder, Limits::DEFAULT, &kept)?;
        let mut variables = self.code_build_variables(label, &folder, execution);
        for name in action.inputs.iter().filter(|name| *name != primary) {
            let folder = root.join("secondary").join(name);
            let zip = self.input(action, Some(name), execution)?;
            unpack(&zip, &folder, Limits::DEFAULT, &Kept::new(&[])?)?;
            let folder = folder.to_string_lossy().into_owned();
            variables.insert(format!("CODEBUILD_SRC_DIR_{name}"), folder);
        }
        let scratch = Scratch::new(root.join("scripts"))?;
        let outputs: Vec<_> = action.outputs.iter().map(|one| one.name.clone()).collect();
        let build = Build {
            spec: &spec,
            folder: &folder,
            scripts: &scratch.0,
            variables,
            overrides: self.environment(&build.environment, execution, log).await?,
            store: &self.store,
            outputs: &outputs,
            cloud: self.cloud,
            timeout: order.timeout,
        };
        Ok(Built {
            caches,
            ..build.run(log).await?
        })
    }

    /// Runs a Commands action in a folder that is the first input artifact and nothing else.
    pub(super) async fn commands(
        &self,
        order: &Order,
        stage: &str,
        action: &Action,
        commands: &Commands,
        execution: &Execution,
        log: &Log<'_>,
    ) -> Result<Built, RunError> {
        let label = format!("{stage}/{}", action.name);
        let work = self.work(execution, stage, &action.name)?;
        let folder = work.0.join("src");
        let zip = self.input(action, None, execution)?;
        unpack(&zip, &folder, Limits::DEFAULT, &Kept::new(&[])?)?;
        let spec = Buildspec::of_commands(&commands.commands, &commands.output_variables);
        let mut built = Build {
            spec: &spec,
            folder: &folder,
            scripts: &work.0,
            variables: self.code_build_variables(&label, &folder, execution),
            overrides: self
                .environment(&commands.environment, execution, log)
                .await?,
            store: &self.store,
            outputs: &[],
            cloud: self.cloud,
            timeout: order.timeout,
        }
        .run(log)
        .await?;
        if built.failure.is_none() {
            for output in &action.outputs {
                let selection = Selection {
                    files: &output.files,
                    ..Selection::default()
                };
                let artifact = pack(&folder, &selection, &self.store)?;
                built.artifacts.insert(output.name.clone(), artifact);
            }
        }
        Ok(built)
    }

    /// Runs the commands of a rule; gives why they failed, if they did.
    pub(super) async fn rule_commands(
        &self,
        order: &Order,
        stage: &str,
        rule: &CommandsRule,
        execution: &Execution,
        log: &Log<'_>,
    ) -> Result<Option<RunError>, RunError> {
        let variables = self.variables(execution);
        let commands: Vec<_> = rule
            .commands
            .iter()
            .map(|command| variables.text(command))
            .collect::<Result<_, _>>()?;
        let label = format!("{stage}/{}", rule.name);
        let artifact = execution.artifacts.get(&rule.input).ok_or_else(|| {
            RunError::new(
                ErrorKind::Artifact,
                format!("artifact `{}` has not been made", rule.input),
            )
        })?;
        let work = self.work(execution, stage, &rule.name)?;
        let folder = work.0.join("src");
        let zip = self.store.path(artifact)?;
        unpack(&zip, &folder, Limits::DEFAULT, &Kept::new(&[])?)?;
        let spec = Buildspec::of_commands(&commands, &[]);
        let built = Build {
            spec: &spec,
            folder: &folder,
            scripts: &work.0,
            variables: self.code_build_variables(&label, &folder, execution),
            overrides: BTreeMap::new(),
            store: &self.store,
            outputs: &[],
            cloud: self.cloud,
            timeout: order.timeout,
        }
        .run(log)
        .await?;
        Ok(built.failure)
    }

    pub(super) fn work(
        &self,
        execution: &Execution,
        stage: &str,
        name: &str,
    ) -> Result<Scratch, RunError> {
        let folder = self.executions.folder(&execution.pipeline, &execution.id);
        Scratch::new(folder.join("work").join(format!("{stage}-{name}")))
    }

    /// CodeBuild's own variables, the machine's and the cloud's.
    ///
    /// See [environment variables](https://docs.aws.amazon.com/codebuild/latest/userguide/build-env-ref-env-vars.html).
    fn code_build_variables(
        &self,
        label: &str,
        folder: &Path,
        execution: &Execution,
    ) -> BTreeMap<String, String> {
        let mut all = self.machine.clone();
        all.extend(self.cloud.environment());
        let commit = execution
            .namespaces
            .values()
            .find_map(|names| names.get("CommitId"))
            .cloned()
            .unwrap_or_default();
        let name = label.replace('/', "-");
        let id = format!("{}-{name}:{}", execution.pipeline, execution.id);
        for (name, value) in [
            ("CI", "true".to_owned()),
            ("CODEBUILD_BUILD_ID", id.clone()),
            ("CODEBUILD_BUILD_IMAGE", "this machine".to_owned()),
            ("CODEBUILD_BUILD_NUMBER", "1".to_owned()),
            ("CODEBUILD_CI", "true".to_owned()),
            (
                "CODEBUILD_INITIATOR",
                format!("codepipeline/{}", execution.pipeline),
            ),
            ("CODEBUILD_RESOLVED_SOURCE_VERSION", commit.clone()),
            ("CODEBUILD_SOURCE_VERSION", commit),
            ("CODEBUILD_SRC_DIR", folder.to_string_lossy().into_owned()),
            ("CODEBUILD_START_TIME", now().to_string()),
        ] {
            all.insert(name.to_owned(), value);
        }
        all
    }

    /// The variables that the action gives.
    async fn environment(
        &self,
        variables: &[EnvironmentVariable],
        execution: &Execution,
        log: &Log<'_>,
    ) -> Result<BTreeMap<String, String>, RunError> {
        let mut all = BTreeMap::new();
        for variable in variables {
            let text = self.variables(execution).text(&variable.value)?;
            let value = match variable.kind {
                EnvironmentKind::Plain => text,
                EnvironmentKind::ParameterStore => parameter_of(self.cloud, &text, log).await?,
                EnvironmentKind::SecretsManager => secret_of(self.cloud, &text, log).await?,
            };
            all.insert(variable.name.to_owned(), value);
        }
        Ok(all)
    }
}
