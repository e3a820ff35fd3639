//! The service as its clients meet it.
#![expect(
    clippy::unwrap_used,
    reason = "a helper of a test fails the test, as the test itself would"
)]

mod client;
mod compat;
mod errors;
mod events;
mod gateway;
mod lambda;
mod linear;
mod operation;
mod process;
mod stores;
mod telemetry;
mod token;
mod v1;
