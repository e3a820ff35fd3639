use std::fs::File;
use std::io::ErrorKind as IoKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use stackway_pipeline_defs::model::{ExecutionMode, Pipeline};

use super::Runner;
use crate::{ErrorKind, Event, Execution, RunError};

/// How often a run that waits looks again.
const LOOK: Duration = Duration::from_millis(200);

/// The right to be in a stage: a lock that ends with the value, and with the process.
pub(super) struct Turn {
    _lock: Option<File>,
}

/// A run that waits before a stage: a file that is locked as long as it waits, so that one of a run that was killed is
/// known by its lock, which is gone.
struct Wait {
    path: PathBuf,
    _lock: File,
}

impl Wait {
    /// The file is locked before it has the name that others look for.
    fn new(folder: &Path, name: &str) -> Result<Self, RunError> {
        let path = folder.join(name);
        let fault = |error: std::io::Error| RunError::io("write", &path, &error);
        let unfinished = tempfile::Builder::new()
            .prefix(UNFINISHED)
            .tempfile_in(folder)
            .map_err(fault)?;
        unfinished.as_file().lock().map_err(fault)?;
        let lock = unfinished
            .persist(&path)
            .map_err(|error| fault(error.error))?;
        Ok(Self { path, _lock: lock })
    }
}

/// What the names of files start with that do not count yet.
const UNFINISHED: &str = ".";

impl Drop for Wait {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

impl Runner<'_> {
    /// Waits for the turn of an execution in a stage, as its pipeline's mode has it: a stage holds one execution at a
    /// time. Queued ones enter in the order of their start; of those that wait before a stage, the newest takes the place
    /// of the others; parallel ones do not wait.
    ///
    /// See [how executions work](https://docs.aws.amazon.com/codepipeline/latest/userguide/concepts-how-it-works.html).
    ///
    /// # Errors
    /// A newer one has its place, or a person has stopped it.
    pub(super) async fn turn(
        &self,
        pipeline: &Pipeline,
        stage: &str,
        execution: &Execution,
    ) -> Result<Turn, RunError> {
        if pipeline.execution_mode == ExecutionMode::Parallel {
            return Ok(Turn { _lock: None });
        }
        let locks = self
            .executions
            .root()
            .join("locks")
            .join(format!("{}-{}", pipeline.name, self.environment));
        let waiting = locks.join(format!("{stage}-waiting"));
        std::fs::create_dir_all(&waiting)
            .map_err(|error| RunError::io("create", &waiting, &error))?;
        let mine = format!("{:020}-{}", execution.started, execution.id);
        let _wait = Wait::new(&waiting, &mine)?;
        let path = locks.join(format!("{stage}.lock"));
        let lock = File::create(&path).map_err(|error| RunError::io("write", &path, &error))?;
        let mut is_told = false;
        loop {
            self.executions.may_go_on(execution)?;
            let others = others(&waiting, &mine)?;
            let is_newest = others.iter().all(|other| *other < mine);
            let is_oldest = others.iter().all(|other| *other > mine);
            let may_try = match pipeline.execution_mode {
                ExecutionMode::Superseded if !is_newest => {
                    return Err(RunError::new(
                        ErrorKind::Overtaken,
                        format!(
                            "a newer execution of `{}` has taken the place of this one before stage {stage}",
                            pipeline.name
                        ),
                    ));
                }
                ExecutionMode::Superseded | ExecutionMode::Parallel => true,
                ExecutionMode::Queued => is_oldest,
            };
            if may_try && lock.try_lock().is_ok() {
                return Ok(Turn { _lock: Some(lock) });
            }
            if !is_told {
                is_told = true;
                let text = format!(
                    "waits before stage {stage}: another execution of `{}` is in it",
                    pipeline.name
                );
                self.watcher.see(&Event::Note { text: &text });
            }
            tokio::time::sleep(LOOK).await;
        }
    }
}

/// The other runs that wait before a stage, by the time of their start; those whose process is gone are forgotten.
fn others(folder: &Path, mine: &str) -> Result<Vec<String>, RunError> {
    let read = |error: std::io::Error| RunError::io("read", folder, &error);
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(read)? {
        let entry = entry.map_err(read)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name == mine || name.starts_with(UNFINISHED) {
            continue;
        }
        let file = match File::open(entry.path()) {
            Ok(file) => file,
            // It got its turn meanwhile.
            Err(error) if error.kind() == IoKind::NotFound => continue,
            Err(error) => return Err(read(error)),
        };
        if file.try_lock_shared().is_ok() {
            let _ = std::fs::remove_file(entry.path());
        } else {
            all.push(name);
        }
    }
    Ok(all)
}
