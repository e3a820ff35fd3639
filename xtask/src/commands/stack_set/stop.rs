use clap::Args;
use stackway_infra::aws::CloudFormationStackSets;

use super::{cloud, placed};
use crate::cli::{EndpointArgs, GlobalArgs};
use crate::failure::{Failure, Kind};
use crate::settings::Settings;
use crate::stack_sets::{self, RollOutDisplay};
use crate::ui::Ui;

/// Stop the operation that is under way on stack sets, whoever began it
///
/// Instances whose turn has not come are left as they are; those under way go on to their end, and it waits for them. The
/// next deploy does what is left.
#[derive(Debug, Args)]
pub(crate) struct StopArgs {
    /// Only these stacks
    #[arg(long = "stack", value_name = "STACK")]
    stacks: Vec<String>,
    /// Show what would be stopped and change nothing
    #[arg(long)]
    dry_run: bool,
    /// Answer the question with yes
    #[arg(long, short)]
    yes: bool,
    #[command(flatten)]
    endpoint: EndpointArgs,
}

pub(crate) async fn run(ui: &Ui, global: &GlobalArgs, args: &StopArgs) -> Result<(), Failure> {
    let settings = Settings::resolve(ui, global, &args.endpoint)?;
    let environment = settings.environment.name.to_string();
    let wanted = placed(&settings, &args.stacks)?;
    let cloud = cloud(&settings).await?;
    let client = CloudFormationStackSets::new(&cloud.config);
    let failed = |error| Failure::of_roll_out(error, Kind::Deploy, &environment);
    let mut running = Vec::new();
    for def in wanted {
        let Some(at) = stack_sets::address(&settings, &def) else {
            continue;
        };
        let display = RollOutDisplay::new(ui, def.name, "stopped");
        let operation = stack_sets::roll_out(&client, &cloud, &display)
            .under_way(&at)
            .await
            .map_err(failed)?;
        match operation {
            Some(operation) => {
                ui.say(format!(
                    "{}: {} is {} ({})",
                    def.name, operation.action, operation.status, operation.id
                ));
                running.push((def, at));
            }
            None => ui.say(format!("{}: no operation is under way", def.name)),
        }
    }
    if args.dry_run || running.is_empty() {
        return Ok(());
    }
    ui.confirm("Stop?", &environment, args.yes)?;
    for (def, at) in running {
        let display = RollOutDisplay::new(ui, def.name, "stopped");
        let stopped = stack_sets::roll_out(&client, &cloud, &display)
            .stop(&at)
            .await;
        display.clear();
        match stopped.map_err(failed)? {
            Some(operation) => ui.say(format!(
                "{}: {} ended in {}; `cargo xtask deploy --env {environment}` does what is left",
                def.name, operation.action, operation.status
            )),
            None => ui.say(format!("{}: it had ended by itself", def.name)),
        }
    }
    Ok(())
}
