//! Runs a pipeline on this machine, as CodePipeline and CodeBuild would: no account, no Docker.
//!
//! An execution is a folder that survives a crash. Whatever reaches AWS, or an emulator of it, goes through the trait
//! [`Cloud`]; whatever a person may want to see goes through [`Watcher`]. Nothing here prints, reads the environment's
//! variables, or writes outside of the folder that it is given.

pub mod artifact;
pub mod build;
mod cloud;
pub mod engine;
mod error;
mod execution;
mod hidden;
mod prune;
mod source;
mod stop;
mod variables;
mod watch;

pub use build::SecretReference;
pub use cloud::{
    Answered, Cloud, ImageOrder, Parameter, Service, SetDefinition, SetTargets, StackOrder,
    StackSetOrder, StoredArtifact,
};
pub use error::{ErrorKind, RunError};
pub use execution::{ActionRun, Execution, Executions, StageRun, Status};
pub use prune::{KEPT, Pruned};
pub use source::{Revision, SourceOrder};
pub use variables::{Namespaces, Variables};
pub use watch::{Event, Log, Watcher};
