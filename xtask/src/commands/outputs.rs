pub(crate) mod forms;

use std::collections::BTreeMap;

use clap::Args;
use stackway_infra::cloud::Stacks as _;
use stackway_infra::stack::Outcome;
use stackway_infra::stack_def::StackGraph;

use forms::Form;

use super::status::graph_failure;
use crate::cli::{EndpointArgs, GlobalArgs};
use crate::cloud::Cloud;
use crate::failure::{Failure, Kind};
use crate::settings::Settings;
use crate::ui::{BOLD, Ui};

/// Print what the stacks give: the API's address, the table's name
///
/// With `--format json`: `{"<stack>": {"<OutputKey>": "<value>"}}`. With `--as`, variables whose names stay the same:
/// docs/interop.md has them. Only reads.
#[derive(Debug, Args)]
pub(crate) struct OutputsArgs {
    /// Only these stacks
    #[arg(long = "stack", value_name = "STACK")]
    stacks: Vec<String>,
    /// As variables: for a shell, a file of them, or GitHub Actions
    #[arg(long = "as", value_name = "FORM")]
    form: Option<Form>,
    #[command(flatten)]
    endpoint: EndpointArgs,
}

/// Outputs by stack, then by key.
pub(crate) type AllOutputs = BTreeMap<&'static str, BTreeMap<String, String>>;

pub(crate) async fn run(ui: &Ui, global: &GlobalArgs, args: &OutputsArgs) -> Result<(), Failure> {
    if args.form.is_some() && ui.is_json() {
        return Err(Failure::new(
            Kind::CommandLine,
            "`--as` and `--format json` are two forms of the same outputs",
        )
        .hint("give one of them"));
    }
    let settings = Settings::resolve(ui, global, &args.endpoint)?;
    let graph = StackGraph::all()
        .and_then(|graph| graph.select(&args.stacks, false))
        .map_err(graph_failure)?;
    let not_deployed = || {
        Failure::new(
            Kind::NotDeployed,
            format!("nothing is deployed to `{}`", settings.environment.name),
        )
        .hint(format!(
            "run `cargo xtask deploy --env {}`",
            settings.environment.name
        ))
    };
    let cloud = Cloud::for_reading(&settings)
        .await?
        .ok_or_else(not_deployed)?;
    let all = of(&cloud, &settings, &graph).await?;
    if all.is_empty() {
        return Err(not_deployed());
    }
    match args.form {
        Some(form) => ui.data(form.write(&all).trim_end_matches('\n')),
        None => show(ui, &all),
    }
    Ok(())
}

/// The outputs of the stacks that are deployed.
pub(crate) async fn of(
    cloud: &Cloud,
    settings: &Settings,
    graph: &StackGraph,
) -> Result<AllOutputs, Failure> {
    let mut all = AllOutputs::new();
    for def in graph.deploy_order() {
        if let Some(stack) = cloud
            .stacks
            .describe_stack(&settings.naming.stack(def.name))
            .await?
            && stack.status.outcome() != Outcome::Deleted
        {
            all.insert(def.name, cloud.outputs(&stack));
        }
    }
    Ok(all)
}

/// Writes outputs as the format asks.
pub(crate) fn show(ui: &Ui, all: &AllOutputs) {
    if ui.is_json() {
        ui.json(all);
        return;
    }
    let width = all
        .values()
        .flat_map(BTreeMap::keys)
        .map(String::len)
        .max()
        .unwrap_or_default();
    for (stack, outputs) in all {
        ui.data(format!("{BOLD}{stack}{BOLD:#}"));
        for (key, value) in outputs {
            ui.data(format!("  {key:<width$}  {value}"));
        }
    }
}
