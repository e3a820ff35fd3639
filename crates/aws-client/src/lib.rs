//! The little of AWS that the project's functions share: one pool of connections that trusts few roots, the endpoints
//! of the public regions, credentials, and signed calls of the JSON protocols.
//!
//! A function that makes three calls in a month has no use for an SDK crate a service.
//! docs/decisions/0008-signed-calls.md has the reasons.

pub mod address;
mod credentials;
pub mod endpoint;
pub mod function;
mod http;
mod json;
mod kept;
mod plain;

pub use crate::http::{Connections, TrustRoots};
pub use credentials::{ContainerEndpoint, CredentialSource};
pub use json::{
    CODE_DEPLOY, CallError, Client, LAMBDA, PARAMETERS, SECRETS_MANAGER, Service, Settings,
};
pub use plain::{Plain, Reply};
