//! What is shipped: a static executable of the API, in the zip that Lambda takes and in an image, with its symbols apart.
//!
//! `deploy`, `package` and the benchmarks build through here, so that what is measured is what is shipped.

mod build;
mod digest;
mod paths;
mod symbols;
mod target;
mod zip;

pub(crate) use build::{Binary, has_flags_of_the_caller, local_binary, release_binary};
pub(crate) use target::{Architecture, Libc};
pub(crate) use zip::{Effort, Package};

use crate::failure::{Failure, Kind};
use crate::project::Project;
use crate::ui::Ui;

/// Where a package will run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Host {
    /// On this machine, in an emulator that starts it as a process: built fast.
    Emulator,
    /// On Lambda.
    Lambda(Architecture),
}

/// Builds `package` for `host` and zips it.
pub(crate) async fn build(
    ui: &Ui,
    project: &Project,
    package: &str,
    host: Host,
) -> Result<Package, Failure> {
    let (binary, effort) = match host {
        Host::Emulator => (local_binary(ui, project, package).await?, Effort::Fast),
        Host::Lambda(architecture) => {
            let binary = release_binary(ui, project, package, Libc::Auto, architecture).await?;
            (binary.path, Effort::Best)
        }
    };
    let zip = project
        .state_dir()
        .join("package")
        .join(format!("{package}.zip"));
    archive(binary, zip, effort).await
}

/// Zips an executable: work for a processor, so not on the async runtime.
pub(crate) async fn archive(
    binary: std::path::PathBuf,
    zip: std::path::PathBuf,
    effort: Effort,
) -> Result<Package, Failure> {
    tokio::task::spawn_blocking(move || zip::archive(&binary, &zip, effort))
        .await
        .map_err(|error| Failure::new(Kind::Io, format!("cannot make the zip: {error}")))?
}
