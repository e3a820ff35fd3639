//! What a CloudFormation template costs, known before anything is deployed.
//!
//! Pure: no file system, no network, no clock. Texts come in, reports go out.
//!
//! 1. [`template`] reads any template, [`evaluate`] resolves it under parameters.
//! 2. [`usage`] says what happens in a month, [`book`] what a unit costs and what is free.
//! 3. [`estimate`] puts them together, [`diff`] holds two estimates against each other, [`actual`] one against a bill, [`report`] writes them down.

pub mod actual;
pub mod book;
pub mod diff;
pub mod estimate;
pub mod evaluate;
pub mod report;
mod service;
pub mod template;
pub mod usage;
