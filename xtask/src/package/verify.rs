//! Builds a package again from a clone in another folder, and holds the bytes against the first ones.

use std::path::Path;

use tokio::process::Command;

use super::artifacts::{Artifacts, Recipe};
use super::build::{Build, Elsewhere};
use super::paths::cargo_home;
use crate::failure::{Failure, Kind};
use crate::process;
use crate::project::Project;
use crate::ui::Ui;

/// Refuses a work tree whose clone would be another source.
pub(super) async fn check_committed(project: &Project) -> Result<(), Failure> {
    let mut command = Command::new("git");
    command
        .args(["status", "--porcelain", "--untracked-files=no"])
        .current_dir(project.root());
    let changed = process::read("compare the work tree with its commit", &mut command).await?;
    if changed.trim().is_empty() {
        return Ok(());
    }
    Err(Failure::new(
        Kind::Check,
        "the work tree differs from its commit, and `--verify` builds a clone of the commit",
    )
    .cause(changed.trim_end().to_owned())
    .hint("commit the changes first, or run it without `--verify`"))
}

/// Makes everything again, where every folder has another name, and compares.
pub(super) async fn build_again(
    ui: &Ui,
    build: &Build<'_>,
    recipe: &Recipe<'_>,
    first: &Artifacts,
) -> Result<(), Failure> {
    let folder = tempfile::tempdir()
        .map_err(|error| Failure::io("create", &std::env::temp_dir(), &error))?;
    // A name of another length: an offset that depends on a path would move.
    let clone = folder.path().join("a clone of the source");
    let mut command = Command::new("git");
    command
        .args(["clone", "--quiet", "--no-hardlinks"])
        .arg(build.project.root())
        .arg(&clone);
    process::run(ui, "clone the source", &mut command).await?;
    let elsewhere = Elsewhere {
        cargo_home: other_cargo_home(&folder.path().join("home"))?,
        target_dir: folder.path().join("out"),
    };
    let project = Project::at(clone);
    let again = Build {
        project: &project,
        package: build.package,
        profile: build.profile,
        target: build.target,
        elsewhere: Some(elsewhere),
    };
    let labels = recipe
        .labels
        .map(|_| super::labels(&project, build.package))
        .transpose()?;
    let recipe = &Recipe {
        effort: recipe.effort,
        labels: labels.as_ref(),
    };
    let (second, _) = Artifacts::make(ui, &again, recipe, &folder.path().join("result")).await?;

    let different: Vec<_> = first
        .files()
        .zip(second.files())
        .filter(|(one, other)| one.sha256 != other.sha256)
        .map(|(one, other)| {
            format!(
                "{}: {} of {} bytes, and {} of {} bytes in the clone",
                one.path.display(),
                &one.sha256[..12],
                one.size,
                &other.sha256[..12],
                other.size
            )
        })
        .collect();
    if different.is_empty() {
        return Ok(());
    }
    let kept = folder.keep();
    let mut failure = Failure::new(
        Kind::Check,
        "the same source makes other bytes in another folder",
    );
    for line in different {
        failure = failure.cause(line);
    }
    Err(failure.hint(format!(
        "compare with what is in {} (diffoscope shows where), then remove that folder",
        kept.display()
    )))
}

/// Cargo's folder under another name, with what it has downloaded.
#[cfg(unix)]
fn other_cargo_home(home: &Path) -> Result<std::path::PathBuf, Failure> {
    std::fs::create_dir(home).map_err(|error| Failure::io("create", home, &error))?;
    let entries = cargo_home().and_then(|usual| std::fs::read_dir(usual).ok());
    for entry in entries.into_iter().flatten().flatten() {
        let link = home.join(entry.file_name());
        std::os::unix::fs::symlink(entry.path(), &link)
            .map_err(|error| Failure::io("create", &link, &error))?;
    }
    Ok(home.to_owned())
}
