//! What is shipped: a static executable of the API, in the zip that Lambda takes and in an image, with its symbols apart.
//!
//! `deploy`, `package` and the benchmarks build through here, so that what is measured is what is shipped.

mod artifacts;
mod build;
mod digest;
mod image;
mod paths;
mod symbols;
mod target;
#[cfg(test)]
mod tests;
mod verify;
mod zip;

use std::path::PathBuf;

pub(crate) use artifacts::Artifacts;
pub(crate) use build::{cargo_release, local_binary, release_binary};
pub(crate) use image::{engine_is_missing, load};
pub(crate) use paths::target_dir;
pub(crate) use target::{Architecture, Libc, Target};
pub(crate) use zip::{Effort, Package, unpack};

use stackway_infra::config::Config;
use stackway_infra::stack_def::STACKS;

use crate::failure::{Failure, Kind};
use crate::project::Project;
use crate::ui::Ui;
use artifacts::Recipe;
use build::Build;
use image::Labels;

/// Where a package will run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Host {
    /// On this machine, in an emulator that starts it as a process: built fast.
    Emulator,
    /// On Lambda.
    Lambda(Architecture),
}

/// Builds `package` for `host` and zips it. What goes to AWS leaves its symbols beside the zip.
pub(crate) async fn build(
    ui: &Ui,
    project: &Project,
    package: &str,
    host: Host,
) -> Result<Package, Failure> {
    let output = project.state_dir().join("package");
    let Host::Lambda(architecture) = host else {
        let binary = local_binary(ui, project, package).await?;
        return archive(binary, output.join(format!("{package}.zip")), Effort::Fast).await;
    };
    let target = Target::resolve(ui, project, architecture, Libc::Auto).await?;
    let build = Build {
        project,
        package,
        profile: build::RELEASE,
        target: &target,
        elsewhere: None,
    };
    let recipe = Recipe {
        effort: Effort::Best,
        labels: None,
    };
    let (artifacts, _) = Artifacts::make(ui, &build, &recipe, &output).await?;
    ui.detail(format!("symbols: {}", artifacts.symbols.path.display()));
    Ok(artifacts.zip)
}

/// Zips an executable as `cargo xtask package` does.
pub(crate) async fn archive_release(binary: PathBuf, zip: PathBuf) -> Result<Package, Failure> {
    archive(binary, zip, Effort::Best).await
}

/// Zips an executable: work for a processor, so not on the async runtime.
pub(crate) async fn archive(
    binary: PathBuf,
    zip: PathBuf,
    effort: Effort,
) -> Result<Package, Failure> {
    tokio::task::spawn_blocking(move || zip::archive(&binary, &zip, effort))
        .await
        .map_err(|error| Failure::new(Kind::Io, format!("cannot make the zip: {error}")))?
}

/// What `cargo xtask package` is asked for.
pub(crate) struct Order<'a> {
    pub(crate) package: &'a str,
    pub(crate) profile: &'a str,
    pub(crate) architecture: Architecture,
    pub(crate) libc: Libc,
    pub(crate) image: bool,
    /// The folder to write to.
    pub(crate) output: PathBuf,
    /// Whether to build a clone too, and to fail where it makes other bytes.
    pub(crate) verify: bool,
}

/// Builds a package, and everything that it is handed on as.
pub(crate) async fn make(
    ui: &Ui,
    project: &Project,
    order: &Order<'_>,
) -> Result<Artifacts, Failure> {
    if order.verify {
        verify::check_committed(project).await?;
    }
    if build::has_flags_of_the_caller() {
        ui.warn("RUSTFLAGS or CFLAGS is set: the package's bytes depend on it");
    }
    let target = Target::resolve(ui, project, order.architecture, order.libc).await?;
    let labels = order
        .image
        .then(|| labels(project, order.package))
        .transpose()?;
    let build = Build {
        project,
        package: order.package,
        profile: order.profile,
        target: &target,
        elsewhere: None,
    };
    let recipe = Recipe {
        effort: if order.profile == build::RELEASE {
            Effort::Best
        } else {
            Effort::Fast
        },
        labels: labels.as_ref(),
    };
    let (artifacts, _) = Artifacts::make(ui, &build, &recipe, &order.output).await?;
    if order.verify {
        ui.say("building a clone in another folder");
        verify::build_again(ui, &build, &recipe, &artifacts).await?;
    }
    Ok(artifacts)
}

/// What the image says of itself. Its revision is the last commit that changed what the stack is made of: any later one
/// would make another image of the same code.
fn labels(project: &Project, package: &str) -> Result<Labels, Failure> {
    let config = Config::load(&project.path("stackway.toml"))
        .map_err(|error| Failure::new(Kind::Configuration, error.to_string()))?;
    let mut labels = Labels::from([
        ("licenses", env!("CARGO_PKG_LICENSE").to_owned()),
        ("source", config.project.repository.clone()),
        ("title", package.to_owned()),
        ("version", env!("CARGO_PKG_VERSION").to_owned()),
    ]);
    let stack = STACKS.iter().find(|def| def.package == Some(package));
    if let Some(commit) = stack.and_then(|def| project.source(def, "").commit) {
        labels.insert("revision", commit);
    }
    Ok(labels)
}
