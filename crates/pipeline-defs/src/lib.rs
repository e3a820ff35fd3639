//! Pipelines as data: what they are, what AWS would refuse of them, and every form they are written in.
//!
//! A definition is a [`Draft`](model::Draft), which [`Draft::check`](model::Draft::check) turns into a
//! [`Pipeline`](model::Pipeline) or into faults that name stage and action. Only a checked pipeline can be rendered.
//! Nothing here does I/O: renderers return [`RenderedFile`](render::RenderedFile)s, and whoever called writes or compares
//! them.

pub mod check;
pub mod model;
pub mod pipelines;
pub mod render;
pub mod tree;
