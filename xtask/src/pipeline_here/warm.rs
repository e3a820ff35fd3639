//! The first cache of a build: what cargo has compiled of other people's crates for this repository.
//!
//! A crate of a registry is compiled to the same file names in any folder, so a build that has no cache yet need not
//! compile it once more. What belongs to the workspace itself has names of its folder, and stays where it is.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use stackway_pipeline_defs::model::{Pipeline, Provider};
use stackway_pipeline_runner::Executions;

use crate::failure::{Failure, Kind};
use crate::package;
use crate::project::Project;
use crate::ui::Ui;

/// What cargo compiles into, under its own folder: for tests, and for the function on an emulator.
const PROFILES: [&str; 2] = ["debug", "local"];
/// The cache path of a build that keeps cargo's folder.
const CACHED: &str = "target/**/*";

#[derive(Deserialize)]
struct Lock {
    package: Vec<Locked>,
}

#[derive(Deserialize)]
struct Locked {
    name: String,
    source: Option<String>,
}

/// Gives each build of a pipeline, and of those that it invokes, what the repository has, where it has no cache yet.
pub(crate) async fn warm(
    ui: &Ui,
    project: &Project,
    executions: &Executions,
    pipelines: &[Pipeline],
    first: &str,
) -> Result<(), Failure> {
    let cold: Vec<_> = reached(pipelines, first)
        .into_iter()
        .flat_map(|pipeline| folders(executions, pipeline))
        .map(|folder| folder.join("target"))
        .filter(|target| !target.exists())
        .collect();
    if cold.is_empty() {
        return Ok(());
    }
    let from = package::target_dir(project).await?;
    let own = own_packages(&project.path("Cargo.lock"))?;
    for to in cold {
        let (from, own, shown) = (from.clone(), own.clone(), to.clone());
        let count = tokio::task::spawn_blocking(move || copy(&from, &to, &own))
            .await
            .map_err(|error| Failure::new(Kind::Io, format!("cannot fill a cache: {error}")))?
            .map_err(|error| Failure::io("fill", &shown, &error))?;
        if count > 0 {
            ui.detail(format!(
                "{} starts with {count} files that cargo has compiled for this repository",
                shown.display()
            ));
        }
    }
    Ok(())
}

/// The pipeline of this name, and those that it invokes.
fn reached<'a>(pipelines: &'a [Pipeline], first: &str) -> Vec<&'a Pipeline> {
    let mut reached: Vec<&Pipeline> = Vec::new();
    let mut names = vec![first];
    while let Some(name) = names.pop() {
        let found = pipelines.iter().find(|one| one.name == name);
        let Some(pipeline) = found.filter(|one| reached.iter().all(|old| old.name != one.name))
        else {
            continue;
        };
        reached.push(pipeline);
        let actions = pipeline.stages.iter().flat_map(|stage| &stage.actions);
        names.extend(actions.filter_map(|action| match &action.provider {
            Provider::Invocation(invocation) => Some(invocation.pipeline),
            _ => None,
        }));
    }
    reached
}

/// The folders in which cargo builds for the pipeline.
fn folders(executions: &Executions, pipeline: &Pipeline) -> Vec<PathBuf> {
    let builds = pipeline
        .builds
        .iter()
        .filter(|build| build.buildspec.cache.iter().any(|path| path == CACHED))
        .map(|build| executions.sources_of_build(pipeline.name, build.name));
    let images = pipeline.stages.iter().flat_map(|stage| {
        stage
            .actions
            .iter()
            .filter(|action| matches!(action.provider, Provider::EcrBuildAndPublish(_)))
            .map(|action| executions.sources_of_image(pipeline.name, stage.name, &action.name))
    });
    builds.chain(images).collect()
}

/// The packages that no registry has.
fn own_packages(lock: &Path) -> Result<BTreeSet<String>, Failure> {
    let text = std::fs::read_to_string(lock).map_err(|error| Failure::io("read", lock, &error))?;
    let lock: Lock = toml::from_str(&text).map_err(|error| {
        Failure::new(Kind::Configuration, "Cargo.lock cannot be read").cause(error.to_string())
    })?;
    Ok(lock
        .package
        .into_iter()
        .filter(|package| package.source.is_none())
        .map(|package| package.name)
        .collect())
}

/// Fills `to`, whole or not at all; gives how many files it got.
fn copy(from: &Path, to: &Path, own: &BTreeSet<String>) -> std::io::Result<usize> {
    let Some(folder) = to.parent() else {
        return Ok(0);
    };
    std::fs::create_dir_all(folder)?;
    let unfinished = tempfile::Builder::new()
        .prefix(".cache-")
        .tempdir_in(folder.parent().unwrap_or(folder))?;
    let mut count = 0;
    for profile in PROFILES {
        let (from, to) = (from.join(profile), unfinished.path().join(profile));
        if !from.is_dir() {
            continue;
        }
        for (name, path) in entries(&from.join("deps"))? {
            let is_compiled = path.extension().is_some_and(|ending| {
                ["d", "rlib", "rmeta", "so"]
                    .iter()
                    .any(|one| ending == *one)
            });
            let crate_name = name.strip_prefix("lib").unwrap_or(&name);
            if is_compiled && !is_own(crate_name, own) {
                count += place(&path, &to.join("deps").join(&name))?;
            }
        }
        for kind in [".fingerprint", "build"] {
            for (name, path) in entries(&from.join(kind))? {
                if !is_own(&name, own) {
                    count += place(&path, &to.join(kind).join(&name))?;
                }
            }
        }
    }
    if count > 0 {
        match std::fs::rename(unfinished.path(), to) {
            Ok(()) => {
                let _ = unfinished.keep();
            }
            // Another run was first.
            Err(_) if to.exists() => return Ok(0),
            Err(error) => return Err(error),
        }
    }
    Ok(count)
}

fn entries(folder: &Path) -> std::io::Result<Vec<(String, PathBuf)>> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    entries
        .map(|entry| {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            Ok((name, entry.path()))
        })
        .collect()
}

/// Whether `stackway_api-0123….rlib` or `stackway-api-0123…` is of the workspace.
fn is_own(name: &str, own: &BTreeSet<String>) -> bool {
    let stem = name.rsplit_once('-').map_or(name, |(stem, _)| stem);
    own.contains(&stem.replace('_', "-"))
}

/// Copies a file with its time, by which cargo knows what is fresh; gives how many files that were.
///
/// What the compiler wrote is linked where that can be: it is gigabytes, and both cargo and the compiler replace such a
/// file, and never change it.
fn place(from: &Path, to: &Path) -> std::io::Result<usize> {
    // Cargo's own work goes on meanwhile, and a file may be gone.
    let about = match std::fs::metadata(from) {
        Ok(about) => about,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(0),
        Err(error) => return Err(error),
    };
    if about.is_dir() {
        let mut count = 0;
        std::fs::create_dir_all(to)?;
        for (name, path) in entries(from)? {
            count += place(&path, &to.join(name))?;
        }
        return Ok(count);
    }
    if let Some(folder) = to.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let is_output = from
        .extension()
        .is_some_and(|ending| ["rlib", "rmeta", "so"].iter().any(|one| ending == *one));
    if is_output && std::fs::hard_link(from, to).is_ok() {
        return Ok(1);
    }
    match std::fs::copy(from, to) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(0),
        copied => copied?,
    };
    if let Ok(time) = about.modified() {
        std::fs::File::options()
            .append(true)
            .open(to)?
            .set_modified(time)?;
    }
    Ok(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cache_begins_with_what_is_not_of_the_workspace() {
        let folder = tempfile::tempdir().unwrap();
        let from = folder.path().join("from");
        let write = |name: &str| {
            let path = from.join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, name).unwrap();
            path
        };
        let compiled = [
            "debug/deps/libserde_json-0a.rlib",
            "debug/deps/serde_json-0a.d",
            "debug/.fingerprint/serde_json-0a/lib-serde_json",
            "debug/build/ring-0b/output",
        ];
        let left_out = [
            "debug/deps/libmy_crate-0c.rlib",
            "debug/deps/my_crate-0d",
            "debug/.fingerprint/my-crate-0c/lib-my_crate",
            "debug/build/my-crate-0c/output",
            "debug/incremental/x",
            "release/deps/libserde_json-0e.rlib",
        ];
        let old = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000);
        for name in compiled.iter().chain(&left_out) {
            let file = std::fs::File::options()
                .append(true)
                .open(write(name))
                .unwrap();
            file.set_modified(old).unwrap();
        }
        let to = folder.path().join("build/src/target");
        let own = BTreeSet::from(["my-crate".to_owned()]);
        assert_eq!(copy(&from, &to, &own).unwrap(), compiled.len());
        for name in compiled {
            let about = to.join(name).metadata().unwrap();
            assert_eq!(about.modified().unwrap(), old, "{name}");
        }
        for name in left_out {
            assert!(!to.join(name).exists(), "{name}");
        }
        // One that is there is left as it is.
        assert_eq!(copy(&from, &to, &own).unwrap(), 0);
    }

    #[test]
    fn what_a_pipeline_builds_is_told_with_what_it_invokes() {
        let pipelines = stackway_pipeline_defs::pipelines::all().unwrap();
        let executions = Executions::new(Path::new("/x"));
        for (first, expected) in [("application", 2), ("deployment", 0)] {
            let count = reached(&pipelines, first)
                .into_iter()
                .map(|one| folders(&executions, one).len())
                .sum::<usize>();
            assert_eq!(count, expected, "{first}");
        }
        assert_eq!(reached(&pipelines, "application").len(), 2);
    }

    #[test]
    fn packages_without_a_registry_are_the_workspace() {
        let lock = Project::locate().unwrap().path("Cargo.lock");
        let own = own_packages(&lock).unwrap();
        assert!(own.contains("xtask") && own.contains("stackway-api"));
        assert!(!own.contains("serde"));
    }
}
