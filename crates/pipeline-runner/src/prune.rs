use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::time::Duration;

use crate::artifact::Store;
use crate::{Execution, Executions, RunError, Status};

/// How many executions are kept of a pipeline in an environment, beside those that later ones need.
pub const KEPT: usize = 20;

const LOOK: Duration = Duration::from_millis(50);

/// What was removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pruned {
    /// Executions.
    pub executions: usize,
    /// Artifacts that no execution refers to.
    pub artifacts: usize,
}

impl Executions {
    /// Keeps what is there from being pruned, for as long as the value is held.
    ///
    /// # Errors
    /// The lock cannot be made.
    pub(crate) async fn hold(&self) -> Result<File, RunError> {
        let (file, path) = self.lock()?;
        loop {
            match file.try_lock_shared() {
                Ok(()) => return Ok(file),
                // Somebody prunes, which is soon over.
                Err(std::fs::TryLockError::WouldBlock) => tokio::time::sleep(LOOK).await,
                Err(std::fs::TryLockError::Error(error)) => {
                    return Err(RunError::io("lock", &path, &error));
                }
            }
        }
    }

    fn lock(&self) -> Result<(File, std::path::PathBuf), RunError> {
        let folder = self.root().join("locks");
        std::fs::create_dir_all(&folder)
            .map_err(|error| RunError::io("create", &folder, &error))?;
        let path = folder.join("kept.lock");
        let file = File::create(&path).map_err(|error| RunError::io("write", &path, &error))?;
        Ok((file, path))
    }

    /// Removes old executions, and the artifacts that none refers to, unless any execution runs here.
    ///
    /// The newest [`KEPT`] of each pipeline and environment stay; so do the ones that a rollback or `--from` would go
    /// back to: the newest in which a stage succeeded.
    ///
    /// # Errors
    /// A folder cannot be read or removed.
    pub fn prune(&self, pipelines: &[&str], store: &Store) -> Result<Pruned, RunError> {
        let (file, _) = self.lock()?;
        if file.try_lock().is_err() {
            return Ok(Pruned::default());
        }
        let mut pruned = Pruned::default();
        let mut referred = BTreeSet::new();
        for pipeline in pipelines {
            let all = self.of(pipeline)?;
            let kept = kept(&all);
            for execution in all {
                if kept.contains(&execution.id) || execution.is_running() {
                    referred.extend(execution.artifacts.into_values());
                    continue;
                }
                let folder = self.folder(pipeline, &execution.id);
                std::fs::remove_dir_all(&folder)
                    .map_err(|error| RunError::io("remove", &folder, &error))?;
                pruned.executions += 1;
            }
        }
        pruned.artifacts = store.keep(&referred)?;
        Ok(pruned)
    }
}

/// The ids of those that stay.
fn kept(newest_first: &[Execution]) -> BTreeSet<String> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let mut succeeded = BTreeSet::new();
    let mut kept = BTreeSet::new();
    for execution in newest_first {
        let environment = execution.environment.as_str();
        let count = counts.entry(environment).or_default();
        *count += 1;
        let mut is_first_of_a_stage = false;
        if execution.rollback_of.is_none() {
            for stage in &execution.stages {
                is_first_of_a_stage |= stage.status == Status::Succeeded
                    && succeeded.insert((environment, stage.name.as_str()));
            }
        }
        if *count <= KEPT || is_first_of_a_stage {
            kept.insert(execution.id.clone());
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::StageRun;

    fn execution(number: u64, status: Status) -> Execution {
        Execution {
            id: format!("e{number:02}"),
            pipeline: "p".to_owned(),
            environment: "local".to_owned(),
            status,
            started: number,
            stages: vec![StageRun {
                name: "S".to_owned(),
                status,
                ..StageRun::default()
            }],
            ..Execution::default()
        }
    }

    #[tokio::test]
    async fn what_is_old_goes_and_what_is_needed_stays() {
        let folder = tempfile::tempdir().unwrap();
        let executions = Executions::new(folder.path());
        let store = Store::open(&folder.path().join("artifacts")).unwrap();
        let artifact = |text: &str| {
            let file = folder.path().join("file");
            std::fs::write(&file, text).unwrap();
            store.take(&file).unwrap()
        };
        let (old, needed, loose) = (artifact("old"), artifact("needed"), artifact("loose"));
        for number in 0..24 {
            let mut one = execution(number, Status::Failed);
            if number == 1 {
                one = execution(number, Status::Succeeded);
                one.artifacts.insert("A".to_owned(), needed.clone());
            } else if number == 0 {
                one.artifacts.insert("A".to_owned(), old.clone());
            } else if number == 2 {
                // Of this process, so that it runs.
                one.status = Status::InProgress;
                one.process = std::process::id();
            }
            executions.save(&one).unwrap();
        }

        // While one runs nothing is removed.
        let hold = executions.hold().await.unwrap();
        assert_eq!(executions.prune(&["p"], &store).unwrap(), Pruned::default());
        drop(hold);

        let pruned = executions.prune(&["p"], &store).unwrap();
        assert_eq!((pruned.executions, pruned.artifacts), (2, 2));
        let left: Vec<_> = executions
            .of("p")
            .unwrap()
            .into_iter()
            .map(|one| one.id)
            .collect();
        assert_eq!(left.len(), 22);
        assert_eq!(left[20..], ["e02", "e01"]);
        assert!(store.path(&needed).is_ok());
        assert!(store.path(&old).is_err() && store.path(&loose).is_err());
    }
}
