//! The CRUD API that Stackway deploys.
//!
//! The parts know each other in one direction only: `domain` knows nothing, `store` knows `domain`, `routes` know
//! both, and `main` alone reads the environment and chooses the store and the host (Lambda, or a plain HTTP server).

pub mod cursor;
pub mod domain;
pub mod health_check;
pub mod lambda;
pub mod logging;
pub mod metrics;
mod observe;
mod problem;
pub mod routes;
pub mod settings;
pub mod store;
pub mod token;
pub mod trace;

pub use problem::Problem;
pub use routes::{Features, openapi, router, service};
