//! Holds no code.
//!
//! Cargo builds a dependency once for each set of features, and the set depends on what is built: `cargo xtask`, one
//! package's tests and the whole workspace's tests would each build every SDK crate of their own. This crate names the
//! features that the tests of all switch on, so that the three share one build.
//!
//! `infra` and `xtask` depend on it; `api` and what is measured beside it do not, since their features are chosen for
//! what is shipped.
