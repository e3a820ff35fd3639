//! Measures Lambda bootstraps under one host, over one database, in one run.
//!
//! A [`Stage`] is the world of a function: an embedded DynamoDB with twenty items, and the same behind TLS 1.3. A
//! [`Scenario`] is an event with the answer that it must get. [`measure()`] times them; [`counted`] runs them for a tool
//! that counts instructions.

pub mod counted;
mod direct;
mod measure;
mod plan;
mod scenario;
mod stage;

pub use measure::measure;
pub use plan::{Cold, Direct, Figures, Plan, Report, Side, SideReport, Spread, Warm};
pub use scenario::Scenario;
pub use stage::Stage;

use stackway_local_cloud::{EmbeddedError, lambda::InvokeError};

/// Why nothing was measured.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// The embedded DynamoDB did not start.
    #[error("the embedded DynamoDB: {0}")]
    Database(#[from] EmbeddedError),
    /// A side did not answer.
    #[error("`{side}` at {scenario}: {source}")]
    Invoke {
        /// The side's name.
        side: String,
        /// The scenario's name.
        scenario: &'static str,
        /// Why.
        source: InvokeError,
    },
    /// A side gave another answer than the scenario asks for: its time would be that of something else.
    #[error("`{side}` at {scenario} answered {answer}")]
    Wrong {
        /// The side's name.
        side: String,
        /// The scenario's name.
        scenario: &'static str,
        /// The answer, cut to a line.
        answer: String,
    },
    /// The direct call to the database failed.
    #[error("the direct call to DynamoDB: {0}")]
    Direct(String),
    /// The certificate for TLS could not be made.
    #[error("the local certificate: {0}")]
    Certificate(String),
    /// A file or a socket.
    #[error("{0}")]
    Io(#[from] std::io::Error),
}
