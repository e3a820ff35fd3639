//! Whole commands, as a person runs them: the binary, a real emulator process, real builds.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod automation;
mod billing;
mod container;
mod cost;
mod crates;
mod destroy;
mod endpoint;
mod image;
mod interop;
mod package;
mod pipeline_here;
mod pipelines;
mod plan;
mod reads;
mod recovery;
mod refusals;
mod regions;
mod render;
mod secrets;
mod stack_sets;
mod story;
mod trouble;
mod without_emulator;
mod workbench;
