//! What stands in for AWS on a laptop: the embedded DynamoDB and the emulator process.
//!
//! Every listener that this crate opens, itself or through a process that it starts, is on the loopback
//! address. Nothing here reads AWS credentials, profiles or the environment of its caller.

mod embedded;

pub use embedded::{EmbeddedDynamoDb, EmbeddedError};
