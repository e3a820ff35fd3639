use std::fs::File;
use std::path::PathBuf;
use std::time::Duration;

use stackway_pipeline_defs::model::{ExecutionMode, Pipeline};

use super::Runner;
use crate::execution::lives;
use crate::{ErrorKind, Event, Execution, RunError};

/// How often a run that waits looks again.
const LOOK: Duration = Duration::from_millis(200);

/// The right to run: a lock that ends with the value, and with the process.
pub(super) struct Turn {
    _lock: Option<File>,
}

/// A note that a run waits; gone with it.
struct Waits(PathBuf);

impl Drop for Waits {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

impl Runner<'_> {
    /// Waits for the turn of an execution, as its pipeline's mode has it: queued ones go in the order of their start, a
    /// newer one that waits takes the place of an older one, parallel ones do not wait.
    ///
    /// # Errors
    /// A newer one has its place, or a person has stopped it.
    pub(super) async fn turn(
        &self,
        pipeline: &Pipeline,
        execution: &Execution,
    ) -> Result<Turn, RunError> {
        if pipeline.execution_mode == ExecutionMode::Parallel {
            return Ok(Turn { _lock: None });
        }
        let locks = self.executions.root().join("locks");
        let name = format!("{}-{}", pipeline.name, self.environment);
        let waiting = locks.join(format!("{name}-waiting"));
        std::fs::create_dir_all(&waiting)
            .map_err(|error| RunError::io("create", &waiting, &error))?;
        let mine = format!("{:020}-{}", execution.started, execution.id);
        let note = Waits(waiting.join(&mine));
        std::fs::write(&note.0, std::process::id().to_string())
            .map_err(|error| RunError::io("write", &note.0, &error))?;
        let path = locks.join(format!("{name}.lock"));
        let lock = File::create(&path).map_err(|error| RunError::io("write", &path, &error))?;
        let mut is_told = false;
        loop {
            self.executions.may_go_on(execution)?;
            let others = self.others(&waiting, &mine);
            let is_newest = others.iter().all(|other| *other < mine);
            let is_oldest = others.iter().all(|other| *other > mine);
            let may_try = match pipeline.execution_mode {
                ExecutionMode::Superseded if !is_newest => {
                    return Err(RunError::new(
                        ErrorKind::Overtaken,
                        format!(
                            "a newer execution of `{}` has taken the place of this one",
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
                let text = format!("waits for another execution of `{}`", pipeline.name);
                self.watcher.see(&Event::Note { text: &text });
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// The other runs that wait, by the time of their start; those whose process is gone are forgotten.
    #[expect(clippy::unused_self, reason = "belongs to the turn of a runner")]
    fn others(&self, folder: &std::path::Path, mine: &str) -> Vec<String> {
        let Ok(entries) = std::fs::read_dir(folder) else {
            return Vec::new();
        };
        let mut all = Vec::new();
        for entry in entries.flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if name == mine {
                continue;
            }
            let process = std::fs::read_to_string(entry.path())
                .ok()
                .and_then(|text| text.parse().ok());
            match process {
                Some(process) if !lives(process) => {
                    let _ = std::fs::remove_file(entry.path());
                }
                // One that is being written has no number yet.
                _ => all.push(name),
            }
        }
        all
    }
}
