//! What stands in for AWS on a laptop: the embedded DynamoDB, Lambda's side of a function, and the emulator process.
//!
//! Every listener that this crate opens, itself or through a process that it starts, is on the loopback
//! address. Nothing here reads AWS credentials or profiles, and the emulator inherits none.

mod embedded;
mod emulator;
pub mod lambda;
mod moto;
mod python_tools;

pub use embedded::{EmbeddedDynamoDb, EmbeddedError};
pub use emulator::{
    DEFAULT_PORT, Emulator, EmulatorError, MINISTACK_VERSION, Requirements, RunningEmulator,
};
pub use moto::Moto;
pub use python_tools::PythonTools;
