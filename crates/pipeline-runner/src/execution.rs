use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use rustix::process::{Pid, test_kill_process};
use serde::{Deserialize, Serialize};

use crate::build::{CacheRun, PhaseRun, ReportSummary};
use crate::variables::Namespaces;
use crate::{ErrorKind, RunError};

/// How an execution, a stage or an action stands, in CodePipeline's words.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Status {
    /// It has not begun.
    #[default]
    NotStarted,
    /// It runs, or ended with the process that ran it.
    InProgress,
    /// It did what it is for.
    Succeeded,
    /// It did not.
    Failed,
    /// It was left out.
    Skipped,
    /// It goes on only until what is under way has ended.
    Stopping,
    /// It was ended before its end, by `pipeline stop` or `--until`.
    Stopped,
    /// It was given up while it ran.
    Abandoned,
    /// A later execution has its place.
    Superseded,
}

impl Status {
    /// CodePipeline's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotStarted => "NotStarted",
            Self::InProgress => "InProgress",
            Self::Succeeded => "Succeeded",
            Self::Failed => "Failed",
            Self::Skipped => "Skipped",
            Self::Stopping => "Stopping",
            Self::Stopped => "Stopped",
            Self::Abandoned => "Abandoned",
            Self::Superseded => "Superseded",
        }
    }
}

/// An execution, as its folder keeps it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Execution {
    /// Its id.
    pub id: String,
    /// The pipeline's short name.
    pub pipeline: String,
    /// The environment that it deploys to.
    pub environment: String,
    /// How it stands.
    pub status: Status,
    /// The process that runs it.
    pub process: u32,
    /// When it began: milliseconds since 1970.
    pub started: u64,
    /// When it ended.
    pub ended: Option<u64>,
    /// The execution that it goes back to, if it is a rollback.
    pub rollback_of: Option<String>,
    /// The execution that invoked it.
    pub invoked_by: Option<String>,
    /// Why it is to stop, or was stopped.
    #[serde(default)]
    pub stopped_for: Option<String>,
    /// Its stages, in their order.
    pub stages: Vec<StageRun>,
    /// Artifacts by name: the SHA-256 of each.
    pub artifacts: BTreeMap<String, String>,
    /// What variables stand for.
    pub namespaces: Namespaces,
}

/// A stage of an execution.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct StageRun {
    /// Its name.
    pub name: String,
    /// How it stands.
    pub status: Status,
    /// Why, where it is not what one would expect.
    pub note: Option<String>,
    /// Its actions.
    pub actions: Vec<ActionRun>,
}

/// An action of an execution.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct ActionRun {
    /// Its name.
    pub name: String,
    /// What CodePipeline calls its provider.
    pub provider: String,
    /// How it stands.
    pub status: Status,
    /// How often it was run.
    pub runs: u32,
    /// When its last run began: milliseconds since 1970.
    pub started: Option<u64>,
    /// When its last run ended.
    pub ended: Option<u64>,
    /// Why it failed, or what it waits for.
    pub note: Option<String>,
    /// Its configuration with everything filled in.
    pub configuration: BTreeMap<String, String>,
    /// What it handed on.
    pub variables: BTreeMap<String, String>,
    /// What its reports tell.
    pub reports: Vec<ReportSummary>,
    /// Where the time of its build went.
    #[serde(default)]
    pub phases: Vec<PhaseRun>,
    /// What its build found in its cache.
    #[serde(default)]
    pub caches: Vec<CacheRun>,
}

impl Execution {
    /// An id that no other execution has.
    pub fn new_id() -> String {
        uuid::Uuid::new_v4().to_string()
    }

    /// Whether it goes by what it was, and nothing runs it: its process was killed, or interrupted.
    pub fn is_orphan(&self) -> bool {
        self.is_under_way() && !lives(self.process)
    }

    /// Whether a process runs it.
    pub fn is_running(&self) -> bool {
        self.is_under_way() && lives(self.process)
    }

    fn is_under_way(&self) -> bool {
        matches!(self.status, Status::InProgress | Status::Stopping)
    }

    /// Marks what ran as given up, once nothing runs it any more.
    pub(crate) fn abandon(&mut self) {
        for stage in &mut self.stages {
            for action in &mut stage.actions {
                if action.status == Status::InProgress {
                    action.status = Status::Abandoned;
                    action.ended = Some(now());
                }
            }
            if stage.status == Status::InProgress {
                stage.status = Status::Stopped;
            }
        }
    }
}

/// Whether a process is there.
pub(crate) fn lives(process: u32) -> bool {
    i32::try_from(process)
        .ok()
        .and_then(Pid::from_raw)
        .is_some_and(|pid| test_kill_process(pid).is_ok())
}

impl ActionRun {
    /// Seconds of its last run.
    pub fn seconds(&self) -> Option<f64> {
        let milliseconds = self.ended?.saturating_sub(self.started?);
        Some(std::time::Duration::from_millis(milliseconds).as_secs_f64())
    }
}

/// Milliseconds since 1970.
pub(crate) fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map(|since| u64::try_from(since.as_millis()).unwrap_or_default())
        .unwrap_or_default()
}

/// The executions of this machine: a folder each, under `executions/<pipeline>/<id>`.
#[derive(Clone, Debug)]
pub struct Executions {
    root: PathBuf,
}

impl Executions {
    /// Those under `root`.
    pub fn new(root: &Path) -> Self {
        Self {
            root: root.to_owned(),
        }
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// The folder of an execution.
    pub fn folder(&self, pipeline: &str, id: &str) -> PathBuf {
        self.root.join("executions").join(pipeline).join(id)
    }

    /// Where a build of CodeBuild has its sources and its cache: one folder for all runs.
    pub fn sources_of_build(&self, pipeline: &str, build: &str) -> PathBuf {
        self.build(pipeline, build).join("src")
    }

    pub(crate) fn build(&self, pipeline: &str, build: &str) -> PathBuf {
        self.root.join("builds").join(format!("{pipeline}-{build}"))
    }

    /// Where an image is built: one folder for all runs, so that what is built of the same files is built once.
    pub fn sources_of_image(&self, pipeline: &str, stage: &str, action: &str) -> PathBuf {
        self.root
            .join("images")
            .join(format!("{pipeline}-{stage}-{action}"))
    }

    /// The log of an action.
    pub fn log(&self, execution: &Execution, stage: &str, action: &str) -> PathBuf {
        self.folder(&execution.pipeline, &execution.id)
            .join("logs")
            .join(format!("{stage}-{action}.log"))
    }

    /// Writes the state: whole, or not at all.
    pub fn save(&self, execution: &Execution) -> Result<(), RunError> {
        let folder = self.folder(&execution.pipeline, &execution.id);
        let logs = folder.join("logs");
        std::fs::create_dir_all(&logs).map_err(|error| RunError::io("create", &logs, &error))?;
        let path = folder.join("state.json");
        let text = serde_json::to_vec_pretty(execution).unwrap_or_default();
        let written = tempfile::NamedTempFile::new_in(&folder).and_then(|mut file| {
            file.write_all(&text)?;
            file.as_file().sync_all()?;
            file.persist(&path).map_err(|error| error.error)
        });
        written.map_err(|error| RunError::io("write", &path, &error))?;
        Ok(())
    }

    /// All of a pipeline, the newest first.
    pub fn of(&self, pipeline: &str) -> Result<Vec<Execution>, RunError> {
        let folder = self.root.join("executions").join(pipeline);
        let entries = match std::fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(RunError::io("read", &folder, &error)),
        };
        let mut all = Vec::new();
        for entry in entries.flatten() {
            let path = entry.path().join("state.json");
            let text = match std::fs::read(&path) {
                Ok(text) => text,
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
                Err(error) => return Err(RunError::io("read", &path, &error)),
            };
            let mut execution: Execution = serde_json::from_slice(&text).map_err(|error| {
                RunError::new(
                    ErrorKind::Io,
                    format!("`{}` is not the state of an execution", path.display()),
                )
                .cause(error.to_string())
                .hint("remove its folder")
            })?;
            self.see_request(&mut execution)?;
            all.push(execution);
        }
        all.sort_by(|a, b| (b.started, &b.id).cmp(&(a.started, &a.id)));
        Ok(all)
    }

    /// The execution whose id starts so; the newest where nothing is said.
    pub fn find(&self, pipeline: &str, id: Option<&str>) -> Result<Execution, RunError> {
        let wanted = id.unwrap_or_default();
        self.of(pipeline)?
            .into_iter()
            .find(|execution| execution.id.starts_with(wanted))
            .ok_or_else(|| {
                RunError::new(
                    ErrorKind::Definition,
                    format!("pipeline `{pipeline}` has no such execution here"),
                )
                .hint(format!("`cargo xtask pipeline run {pipeline}` starts one"))
            })
    }

    /// Answers an approval that waits, for the process that runs the execution.
    pub fn decide(
        &self,
        execution: &Execution,
        stage: &str,
        action: &str,
        is_approved: bool,
    ) -> Result<(), RunError> {
        let path = self.decision(execution, stage, action);
        let word = if is_approved { "approve" } else { "reject" };
        let unfinished = path.with_extension("unfinished");
        std::fs::write(&unfinished, word)
            .and_then(|()| std::fs::rename(&unfinished, &path))
            .map_err(|error| RunError::io("write", &path, &error))
    }

    pub(crate) fn decision(&self, execution: &Execution, stage: &str, action: &str) -> PathBuf {
        self.folder(&execution.pipeline, &execution.id)
            .join(format!("decision-{stage}-{action}"))
    }
}
