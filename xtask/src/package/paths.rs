//! Where sources and results lie, and the names that stand for these folders in a binary: the same source must make the
//! same bytes in any folder.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use tokio::process::Command;

use super::target;
use crate::failure::{Failure, Kind};
use crate::process;
use crate::project::Project;

/// Folders of this machine, as cargo sees them.
pub(super) struct Paths {
    pub(super) target_dir: PathBuf,
    /// A folder, and what stands for it. Of those that fit a path the last counts.
    remaps: Vec<(PathBuf, String)>,
}

#[derive(Deserialize)]
struct Metadata {
    workspace_root: PathBuf,
    target_directory: PathBuf,
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    manifest_path: PathBuf,
    source: Option<String>,
}

impl Paths {
    /// Asks cargo. `prepare` gives the command the variables that the build will have.
    pub(super) async fn find(
        project: &Project,
        triple: &str,
        prepare: impl FnOnce(&mut Command),
    ) -> Result<Self, Failure> {
        let mut command = process::cargo(project.root());
        command.args(["metadata", "--locked", "--format-version", "1"]);
        command.args(["--filter-platform", triple]);
        prepare(&mut command);
        let metadata = parse(&process::read("read the workspace", &mut command).await?)?;
        let sysroot = target::rustc(project, &["--print", "sysroot"]).await?;
        let version = target::rustc(project, &["-vV"]).await?;
        let commit = version
            .lines()
            .find_map(|line| line.strip_prefix("commit-hash: "))
            .unwrap_or("unknown");

        // Registries by themselves: the folder of a mirror, or of vendored sources, has another name.
        let registries: BTreeSet<_> = metadata
            .packages
            .iter()
            .filter(|package| {
                package
                    .source
                    .as_ref()
                    .is_some_and(|source| source.starts_with("registry+"))
            })
            .filter_map(|package| Some(package.manifest_path.parent()?.parent()?.to_owned()))
            .collect();
        let named = |name: &str| {
            let name = name.to_owned();
            move |folder| (folder, name.clone())
        };
        let folders = registries
            .into_iter()
            .map(named("/crates"))
            .chain(cargo_home().map(named("/cargo")))
            .chain([
                // As the compiler itself calls the standard library's sources where they are not installed.
                (
                    Path::new(sysroot.trim()).join("lib/rustlib/src/rust"),
                    format!("/rustc/{commit}"),
                ),
                (metadata.workspace_root, "/source".to_owned()),
                (metadata.target_directory.clone(), "/target".to_owned()),
            ]);
        Ok(Self {
            target_dir: metadata.target_directory,
            remaps: remaps(folders),
        })
    }

    /// For rustc.
    pub(super) fn rust_flags(&self) -> impl Iterator<Item = String> {
        self.remaps
            .iter()
            .map(|(from, to)| format!("--remap-path-prefix={}={to}", from.display()))
    }

    /// For the C code of dependencies; quoted as a shell would.
    pub(super) fn c_flags(&self) -> String {
        let flags = self.remaps.iter().map(|(from, to)| {
            let flag = format!("-ffile-prefix-map={}={to}", from.display());
            format!("'{}'", flag.replace('\'', r"'\''"))
        });
        flags.collect::<Vec<_>>().join(" ")
    }
}

/// Each folder by both of its names where links lead to it: a compiler's working folder is named without links. The longest
/// come last, since a folder may be inside another.
fn remaps(folders: impl Iterator<Item = (PathBuf, String)>) -> Vec<(PathBuf, String)> {
    let mut remaps = Vec::new();
    for (folder, name) in folders {
        if let Some(real) = folder.canonicalize().ok().filter(|real| *real != folder) {
            remaps.push((real, name.clone()));
        }
        remaps.push((folder, name));
    }
    remaps.sort_by_key(|(folder, _)| folder.as_os_str().len());
    remaps
}

/// The folder that cargo builds into, without a look at dependencies.
pub(crate) async fn target_dir(project: &Project) -> Result<PathBuf, Failure> {
    let mut command = process::cargo(project.root());
    command.args(["metadata", "--no-deps", "--format-version", "1"]);
    Ok(parse(&process::read("read the workspace", &mut command).await?)?.target_directory)
}

pub(super) fn cargo_home() -> Option<PathBuf> {
    std::env::var_os("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(|| Some(std::env::home_dir()?.join(".cargo")))
}

fn parse(metadata: &str) -> Result<Metadata, Failure> {
    serde_json::from_str(metadata).map_err(|error| {
        Failure::new(
            Kind::Tool,
            "`cargo metadata` says what this command cannot read",
        )
        .cause(error.to_string())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn a_folder_has_one_name_by_whatever_path() {
        let folder = tempfile::tempdir().unwrap();
        let real = folder.path().canonicalize().unwrap().join("a-longer-name");
        let link = folder.path().canonicalize().unwrap().join("link");
        std::fs::create_dir(&real).unwrap();
        std::os::unix::fs::symlink(&real, &link).unwrap();
        let inner = (real.join("target"), "/target".to_owned());
        let found = remaps([inner.clone(), (link.clone(), "/source".to_owned())].into_iter());
        let source = "/source".to_owned();
        assert_eq!(found, [(link, source.clone()), (real, source), inner]);
    }

    #[test]
    fn flags_survive_odd_folders() {
        let paths = Paths {
            target_dir: PathBuf::new(),
            remaps: vec![(PathBuf::from("/it's here"), "/source".to_owned())],
        };
        assert_eq!(
            paths.c_flags(),
            r"'-ffile-prefix-map=/it'\''s here=/source'"
        );
        assert_eq!(
            paths.rust_flags().collect::<Vec<_>>(),
            ["--remap-path-prefix=/it's here=/source"]
        );
    }
}
