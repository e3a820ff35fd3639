//! What is measured, one file each.

pub(crate) mod load;

use clap::{Args, Subcommand};

use crate::failure::Failure;
use crate::ui::Ui;

/// Measure the API on this machine
#[derive(Debug, Args)]
pub(crate) struct BenchArgs {
    #[command(subcommand)]
    what: Bench,
}

#[derive(Debug, Subcommand)]
enum Bench {
    Load(load::LoadArgs),
}

pub(crate) async fn run(ui: &Ui, args: &BenchArgs) -> Result<(), Failure> {
    match &args.what {
        Bench::Load(args) => load::run(ui, args).await,
    }
}
