//! Pipelines as data: what they are, and what AWS would refuse of them.
//!
//! A definition is a [`Draft`](model::Draft), which [`Draft::check`](model::Draft::check) turns into a
//! [`Pipeline`](model::Pipeline) or into faults that name stage and action. Nothing here does I/O.

pub mod check;
pub mod model;
pub mod pipelines;
pub mod tree;
