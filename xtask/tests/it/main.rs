//! Whole commands, as a person runs them: the binary, a real emulator process, real builds.

mod refusals;
mod story;
mod workbench;
