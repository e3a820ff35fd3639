//! Builds, as CodeBuild runs them.

mod buildspec;
mod cache;
mod descendants;
mod report;
mod run;
mod secret;
mod shell;
#[cfg(test)]
mod tests;

pub use buildspec::Buildspec;
pub use cache::{CacheRun, Found};
pub use report::ReportSummary;
pub use run::{Build, Built, CommandRun, PhaseRun};
pub(crate) use run::{parameter_of, secret_of};
pub use secret::SecretReference;
pub(crate) use shell::TIMEOUT;
