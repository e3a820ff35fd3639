use clap::{Args, CommandFactory};
use clap_complete::Shell;

use crate::cli::Cli;
use crate::ui::Ui;

/// Print a completion script for a shell
#[derive(Debug, Args)]
pub(crate) struct CompletionsArgs {
    /// The shell to complete in
    shell: Shell,
}

pub(crate) fn run(ui: &Ui, args: &CompletionsArgs) {
    let mut script = Vec::new();
    // A shell completes the words after `cargo-xtask`: cargo hands `cargo xtask` on to it by its own completion.
    clap_complete::generate(
        args.shell,
        &mut Cli::command().bin_name("cargo-xtask"),
        "cargo-xtask",
        &mut script,
    );
    ui.data(String::from_utf8_lossy(&script).trim_end());
}
