//! `cargo xtask`: the one command of Stackway, and the only crate that talks to a person.
//!
//! `main` parses, sets up, dispatches and exits; nothing else exits the process.

mod checks;
mod cli;
mod cloud;
mod commands;
mod deploy_plan;
mod failure;
mod load;
mod package;
mod process;
mod progress;
mod project;
mod settings;
mod ui;

use std::process::ExitCode;

use clap::Parser;

use crate::cli::Cli;
use crate::failure::{Failure, Kind};
use crate::ui::Ui;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let ui = Ui::new(&cli.global);
    match run(cli, &ui) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            ui.failure(&failure);
            ExitCode::from(failure.kind.exit_code())
        }
    }
}

fn run(cli: Cli, ui: &Ui) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| Failure::new(Kind::Io, format!("cannot start: {error}")))?;
    let result = runtime.block_on(async {
        tokio::select! {
            result = commands::run(cli, ui) => result,
            _ = tokio::signal::ctrl_c() => Err(ui.interrupted()),
        }
    });
    // Work on blocking threads (a build, an upload) must not hold up the answer to Ctrl-C.
    runtime.shutdown_background();
    result
}
