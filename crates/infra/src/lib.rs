//! CloudFormation stacks, from `stackway.toml` and templates to a running environment and back to nothing left.
//!
//! Three layers, each importing only those before it:
//!
//! 1. Models without I/O: [`config`], [`template`], [`template_diff`], [`pipeline`], [`stack`],
//!    [`stack_def`], [`stack_set`], [`inventory`].
//! 2. Flows over small traits: [`cloud`] and [`clock`] are the traits, [`flow`] is what uses them.
//! 3. [`aws`]: the adapters, the only place that names an SDK crate.

pub mod aws;
pub mod clock;
pub mod cloud;
pub mod config;
pub mod diagnosis;
pub mod drift;
pub mod flow;
pub mod inventory;
pub mod naming;
pub mod order;
pub mod pipeline;
pub mod preflight;
pub mod stack;
pub mod stack_def;
pub mod stack_set;
pub mod template;
pub mod template_diff;
