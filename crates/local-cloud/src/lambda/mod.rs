//! A Lambda function on this machine, under Lambda's conditions.
//!
//! [`RuntimeApi`] is the interface that a function's process polls for events; [`Function`] starts that process as Lambda
//! would, gives it one event at a time, and starts another where it ends, overruns its time or is replaced.

mod function;
mod gateway;
mod runtime_api;

pub use self::function::{Function, FunctionConfig, FunctionProcess};
pub use self::gateway::Gateway;
pub use self::runtime_api::{Invocation, InvokeError, RuntimeApi};
