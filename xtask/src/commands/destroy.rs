use clap::Args;
use stackway_infra::flow::{DestroyPlan, Destroyer};
use stackway_infra::stack_def::StackGraph;

use super::status::graph_failure;
use crate::cli::{EndpointArgs, GlobalArgs};
use crate::cloud::{Cloud, emulator, emulator_failure};
use crate::failure::{Failure, Kind};
use crate::progress::Display;
use crate::settings::{Endpoint, Settings};
use crate::ui::{BOLD, DIM, Ui};

/// Remove the stacks, dependents first, and prove that nothing is left
///
/// Shows its plan and asks. What `deploy --env local` started on this machine needs no question, and is stopped at the
/// end.
#[derive(Debug, Args)]
pub(crate) struct DestroyArgs {
    /// Only these stacks
    #[arg(long = "stack", value_name = "STACK")]
    stacks: Vec<String>,
    /// Show the plan and change nothing
    #[arg(long)]
    dry_run: bool,
    /// Answer the question with yes
    #[arg(long, short)]
    yes: bool,
    #[command(flatten)]
    endpoint: EndpointArgs,
}

pub(crate) async fn run(ui: &Ui, global: &GlobalArgs, args: &DestroyArgs) -> Result<(), Failure> {
    let settings = Settings::resolve(ui, global, &args.endpoint)?;
    let name = settings.environment.name.to_string();
    let all = StackGraph::all().map_err(graph_failure)?;
    let graph = all.select(&args.stacks, false).map_err(graph_failure)?;
    let Some(cloud) = Cloud::for_reading(&settings).await? else {
        ui.say(format!(
            "nothing is deployed to `{name}`: the emulator does not run"
        ));
        return Ok(());
    };
    let display = Display::new(ui, "removed");
    let destroyer = Destroyer {
        tools: cloud.tools(&display),
        objects: &cloud.objects,
    };
    let failed = |error| Failure::of_flow(error, Kind::Destroy, &name);
    let plan = destroyer
        .plan(&graph, |stack| settings.naming.stack(stack))
        .await
        .map_err(failed)?;
    show(ui, &cloud, &settings, &plan);
    if args.dry_run {
        return Ok(());
    }
    if !plan.removals.is_empty() {
        ui.confirm(
            &format!("Remove these from account {}?", cloud.account),
            &name,
            args.yes || cloud.own_emulator,
        )?;
        ui.on_interrupt(
            "CloudFormation goes on with the deletion it has begun",
            format!("`cargo xtask destroy --env {name}` continues"),
        );
        let removed = destroyer.destroy(&plan).await.map_err(|error| {
            display.clear();
            failed(error)
        })?;
        let resources: usize = removed.iter().map(|removed| removed.resources).sum();
        ui.say(format!(
            "removed {} stacks with {resources} resources; each was looked for again and is gone",
            removed.len()
        ));
    }
    if cloud.own_emulator && args.stacks.is_empty() {
        stop_emulator(ui, &settings).await?;
    }
    Ok(())
}

async fn stop_emulator(ui: &Ui, settings: &Settings) -> Result<(), Failure> {
    let Endpoint::Own { port } = settings.endpoint else {
        return Ok(());
    };
    if emulator(&settings.project, port)
        .stop()
        .await
        .map_err(emulator_failure)?
    {
        ui.say("stopped the emulator");
    }
    Ok(())
}

fn show(ui: &Ui, cloud: &Cloud, settings: &Settings, plan: &DestroyPlan) {
    if plan.removals.is_empty() {
        ui.say(format!(
            "no stack of `{}` is deployed",
            settings.environment.name
        ));
        return;
    }
    let place = cloud
        .endpoint_url
        .as_ref()
        .map(|url| format!(" at {url}"))
        .unwrap_or_default();
    ui.say(format!(
        "{BOLD}to remove{BOLD:#} from account {}{place}, region {}, in this order:",
        cloud.account, settings.naming.region
    ));
    for removal in &plan.removals {
        ui.say(format!(
            "  {} {DIM}{}{DIM:#}",
            removal.stack.name, removal.stack.status
        ));
        for resource in &removal.resources {
            let name = if resource.physical_id.is_empty() {
                "not made"
            } else {
                &resource.physical_id
            };
            ui.say(format!(
                "    {} {DIM}{}{DIM:#}",
                resource.resource_type, name
            ));
        }
    }
}
