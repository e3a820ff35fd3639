//! Stack sets: what there is, how it stands, whether it has drifted; stopping an operation; the roles that sets need.

mod drift;
mod list;
mod remove;
mod roles;
mod status;
mod stop;

use clap::{Args, Subcommand};
use stackway_infra::stack_def::{STACKS, StackDef};

use crate::cli::GlobalArgs;
use crate::cloud::Cloud;
use crate::failure::{Failure, Kind};
use crate::settings::Settings;
use crate::stack_sets;
use crate::ui::Ui;

/// Look at stack sets, stop or remove them, and make the roles that they need
///
/// `deploy` rolls stack sets out, `plan` shows what that would do, and `destroy` removes them. docs/stack-sets.md tells
/// how a stack becomes one.
#[derive(Debug, Args)]
pub(crate) struct StackSetArgs {
    #[command(subcommand)]
    what: StackSetCommand,
}

#[derive(Debug, Subcommand)]
enum StackSetCommand {
    List(list::ListArgs),
    Status(status::StatusArgs),
    Drift(drift::DriftArgs),
    Stop(stop::StopArgs),
    Remove(remove::RemoveArgs),
    Roles(roles::RolesArgs),
}

pub(crate) async fn run(ui: &Ui, global: &GlobalArgs, args: &StackSetArgs) -> Result<(), Failure> {
    match &args.what {
        StackSetCommand::List(args) => list::run(ui, global, args).await,
        StackSetCommand::Status(args) => status::run(ui, global, args).await,
        StackSetCommand::Drift(args) => drift::run(ui, global, args).await,
        StackSetCommand::Stop(args) => stop::run(ui, global, args).await,
        StackSetCommand::Remove(args) => remove::run(ui, global, args).await,
        StackSetCommand::Roles(args) => roles::run(ui, global, args).await,
    }
}

/// The stacks that the environment places as stack sets: those named, or all.
fn placed(settings: &Settings, names: &[String]) -> Result<Vec<StackDef>, Failure> {
    let all: Vec<_> = STACKS
        .iter()
        .filter(|def| stack_sets::placement(settings, def.name).is_some())
        .copied()
        .collect();
    for name in names {
        if !all.iter().any(|def| def.name == name) {
            let known: Vec<_> = all.iter().map(|def| def.name).collect();
            let hint = if known.is_empty() {
                format!(
                    "place it with `place = \"stack-set\"` under [environments.{}.stacks.{name}] in stackway.toml",
                    settings.environment.name
                )
            } else {
                format!("those that are: {}", known.join(", "))
            };
            return Err(Failure::new(
                Kind::CommandLine,
                format!(
                    "no stack of `{}` that is called `{name}` is placed as a stack set",
                    settings.environment.name
                ),
            )
            .hint(hint));
        }
    }
    Ok(all
        .into_iter()
        .filter(|def| names.is_empty() || names.iter().any(|name| name == def.name))
        .collect())
}

/// The cloud to look at; a failure where the project's own emulator would be it.
async fn cloud(settings: &Settings) -> Result<Cloud, Failure> {
    Cloud::for_reading(settings).await?.ok_or_else(|| {
        Failure::new(
            Kind::NotDeployed,
            format!(
                "`{}` has no stack sets: its emulator has none, and does not run",
                settings.environment.name
            ),
        )
        .hint("name an environment on AWS with --env, or an endpoint that has them with --endpoint-url")
    })
}
