use clap::Args;

use super::cloud;
use crate::cli::{EndpointArgs, GlobalArgs};
use crate::failure::Failure;
use crate::settings::Settings;
use crate::stack_sets;
use crate::ui::{BOLD, DIM, Ui};

/// Remove stack sets of the environment: their instances with their stacks, and then the sets
///
/// Also those that stackway.toml no longer places. Sets of other projects and environments are told apart by their tags,
/// and stay. With `--retain-stacks` the stacks stay in their accounts, with what they hold, and only leave the set: the way
/// out where an account can no longer be reached.
#[derive(Debug, Args)]
pub(crate) struct RemoveArgs {
    /// Only the sets of these stacks
    #[arg(long = "stack", value_name = "STACK")]
    stacks: Vec<String>,
    /// Leave the stacks where they are
    #[arg(long)]
    retain_stacks: bool,
    /// Show what would be removed and change nothing
    #[arg(long)]
    dry_run: bool,
    /// Answer the question with yes
    #[arg(long, short)]
    yes: bool,
    #[command(flatten)]
    endpoint: EndpointArgs,
}

pub(crate) async fn run(ui: &Ui, global: &GlobalArgs, args: &RemoveArgs) -> Result<(), Failure> {
    let settings = Settings::resolve(ui, global, &args.endpoint)?;
    let environment = settings.environment.name.to_string();
    let cloud = cloud(&settings).await?;
    let sets = if args.retain_stacks {
        stack_sets::standing(&settings, &cloud, &args.stacks, &[]).await?
    } else {
        stack_sets::held(&settings, &cloud, &args.stacks, &[]).await?
    };
    if sets.is_empty() {
        ui.say(format!("no stack set of `{environment}` is there"));
        return Ok(());
    }
    let stacks = if args.retain_stacks {
        "whose stacks stay"
    } else {
        "with their stacks and what these hold"
    };
    for set in &sets {
        ui.say(format!(
            "{BOLD}{}{BOLD:#}  {} instances, {stacks} {DIM}{}{DIM:#}",
            set.stack,
            set.instances.len(),
            set.address.name
        ));
        for instance in &set.instances {
            ui.say(format!("  {instance}"));
        }
        for bucket in &set.buckets {
            ui.say(format!(
                "  bucket {} in {}: {} versions of objects, {} bytes",
                bucket.name, bucket.pair.region, bucket.contents.versions, bucket.contents.bytes
            ));
        }
    }
    if args.dry_run {
        return Ok(());
    }
    ui.confirm("Remove these?", &environment, args.yes)?;
    ui.on_interrupt(
        "CloudFormation goes on with the operation that it has begun",
        format!("`cargo xtask stack-set remove --env {environment}` continues"),
    );
    let removed = stack_sets::remove(ui, &settings, &cloud, &sets, args.retain_stacks).await?;
    let left = stack_sets::standing(&settings, &cloud, &args.stacks, &[]).await?;
    let instances: usize = removed.iter().map(|set| set.instances).sum();
    ui.say(format!(
        "removed {} stack sets with {instances} instances; {} left",
        removed.len(),
        left.len()
    ));
    Ok(())
}
