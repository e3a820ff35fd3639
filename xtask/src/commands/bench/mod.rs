//! What is measured, one file each.

pub(crate) mod api;
pub(crate) mod cost;
pub(crate) mod deploy;
pub(crate) mod destroy;
pub(crate) mod instructions;
pub(crate) mod load;
pub(crate) mod stack_set;

use clap::{Args, Subcommand};

use crate::failure::Failure;
use crate::ui::Ui;

/// Measure the API, and plans of stack sets, on this machine
#[derive(Debug, Args)]
pub(crate) struct BenchArgs {
    #[command(subcommand)]
    what: Bench,
}

#[derive(Debug, Subcommand)]
enum Bench {
    Api(api::ApiArgs),
    Cost(cost::CostBenchArgs),
    Deploy(deploy::DeployBenchArgs),
    Destroy(destroy::DestroyBenchArgs),
    Instructions(instructions::InstructionsArgs),
    Load(load::LoadArgs),
    StackSet(stack_set::StackSetArgs),
}

pub(crate) async fn run(ui: &Ui, args: &BenchArgs) -> Result<(), Failure> {
    match &args.what {
        Bench::Api(args) => api::run(ui, args).await,
        Bench::Cost(args) => cost::run(ui, args).await,
        Bench::Deploy(args) => deploy::run(ui, args).await,
        Bench::Destroy(args) => destroy::run(ui, args).await,
        Bench::Instructions(args) => instructions::run(ui, args).await,
        Bench::Load(args) => load::run(ui, args).await,
        Bench::StackSet(args) => stack_set::run(ui, args).await,
    }
}
