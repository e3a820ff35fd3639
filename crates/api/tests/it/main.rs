//! The service as its clients meet it.

mod client;
mod compat;
mod errors;
mod operation;
mod process;
mod stores;
mod v1;
