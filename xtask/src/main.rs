//! `cargo xtask`: the one command of Stackway, and the only crate that talks to a person.
//!
//! `main` parses, sets up, dispatches and exits; nothing else exits the process.

mod aws_cli;
mod cdk;
mod change_report;
mod checks;
mod cli;
mod cloud;
mod commands;
mod contract;
mod dashboard;
mod delivery;
mod deploy_plan;
mod diagnosis;
mod failure;
mod gantt;
mod html;
mod interrupt;
mod load;
mod local_api;
mod node_tools;
mod package;
mod pipeline_checks;
mod pipeline_here;
mod policy;
mod preflight;
mod pricing;
mod process;
mod progress;
mod project;
mod rendering;
mod settings;
mod stack_sets;
mod stopwatch;
mod ui;

use std::process::ExitCode;
use std::time::Duration;

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

/// How long the end of the process waits for tasks to end.
const SHUTDOWN: Duration = Duration::from_millis(200);

fn run(cli: Cli, ui: &Ui) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| Failure::new(Kind::Io, format!("cannot start: {error}")))?;
    let result = runtime.block_on(async {
        tokio::select! {
            result = commands::run(cli, ui) => result,
            () = interrupted(ui) => Err(ui.interrupted()),
        }
    });
    // Tasks end here, and with them the processes that they hold. Work on blocking threads (an upload, a zip) must not
    // hold up the answer to Ctrl-C.
    runtime.shutdown_timeout(SHUTDOWN);
    result
}

/// Returns at Ctrl-C. A command that ends by itself has the first; a second one does not wait for it.
async fn interrupted(ui: &Ui) {
    interrupt::next().await;
    if ui.interrupt_is_left_to_command() {
        interrupt::next().await;
    }
}
