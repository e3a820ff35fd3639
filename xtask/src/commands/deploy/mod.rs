mod remedies;
mod stage;
mod without_emulator;

use self::stage::{Done, Stage};
use std::collections::BTreeMap;

use clap::{Args, ValueEnum};
use stackway_infra::config::EnvironmentKind;
use stackway_infra::flow::{
    Agreed, AllowReplace, Deployed, Planner, Remedies, ResourceNames, WhatHappened,
};
use stackway_infra::stack_def::StackGraph;

use crate::cli::{EndpointArgs, GlobalArgs};
use crate::cloud::Cloud;
use crate::commands::outputs::{self, AllOutputs};
use crate::commands::status::graph_failure;
use crate::delivery::{self, Selection};
use crate::deploy_plan::DeployPlan;
use crate::failure::{Failure, Kind};
use crate::interrupt;
use crate::package::{self, Architecture, Host, Package};
use crate::preflight;
use crate::settings::Settings;
use crate::stack_sets::{self, Wanted};
use crate::ui::{BOLD, Ui};

/// Deploy stacks in the order of their needs, by change sets
///
/// With `--env local` it needs no account: it builds the API for this machine, starts an emulator of AWS that listens
/// on 127.0.0.1 alone, deploys the same templates to it, and prints an address that answers. With `--emulator none` it
/// makes no stacks: the API answers from this command, on `--port` or 8080, until Ctrl-C. On AWS it checks the account
/// and the region first, and asks.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag")]
pub(crate) struct DeployArgs {
    /// Only these stacks and what they need
    #[arg(long = "stack", value_name = "STACK")]
    stacks: Vec<String>,
    /// Show the plan and change nothing
    #[arg(long)]
    dry_run: bool,
    /// Let this resource be replaced or removed with its data: LogicalId, or STACK/LogicalId
    ///
    /// Without it a deploy stops before it replaces or removes a table, a bucket, a key, a repository or a secret.
    #[arg(long = "allow-replace", value_name = "RESOURCE")]
    allow_replace: Vec<String>,
    /// Remove a stack that nothing else gets out of its status, such as ROLLBACK_COMPLETE, and make it anew
    ///
    /// Without it such a stack is explained and let be; on a terminal a question is asked. A stack that holds data is
    /// removed only if --allow-replace names what it holds.
    #[arg(long)]
    recreate: bool,
    /// Undo what is left of a failed update, in UPDATE_ROLLBACK_FAILED or UPDATE_FAILED, before the deploy
    #[arg(long)]
    continue_rollback: bool,
    /// Leave this resource as it is when a rollback is continued: LogicalId, or STACK/LogicalId
    #[arg(long, value_name = "RESOURCE", requires = "continue_rollback")]
    skip: Vec<String>,
    /// Leave the stacks of stack sets in this region as they are: it is out of reach
    #[arg(long = "leave-region", value_name = "REGION")]
    leave_regions: Vec<String>,
    /// Take over this stack, which another tool made under the environment's name: it gets the environment's tags
    ///
    /// Without it a stack that lacks them stops the deploy. One whose tags say that it is another project's or environment's is
    /// never taken over.
    #[arg(long, value_name = "STACK")]
    adopt: Vec<String>,
    /// Answer the question with yes
    #[arg(long, short)]
    yes: bool,
    /// What stands in for AWS with `--env local`
    #[arg(long, default_value = "ministack", value_name = "EMULATOR")]
    emulator: EmulatorChoice,
    #[command(flatten)]
    endpoint: EndpointArgs,
}

/// What stands in for AWS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum EmulatorChoice {
    /// An emulator of CloudFormation and the rest, which needs Python
    Ministack,
    /// Nothing: no stacks, the function alone over a DynamoDB in the command, which needs cargo alone
    None,
}

impl DeployArgs {
    /// What the command line agrees to.
    fn remedies(&self) -> Result<Remedies, Failure> {
        let skip = ResourceNames::parse(&self.skip).map_err(|name| {
            Failure::new(Kind::CommandLine, format!("`{name}` names no resource"))
                .hint("give --skip LogicalId, or --skip STACK/LogicalId")
        })?;
        Ok(Remedies {
            recreate: Agreed::everywhere(self.recreate),
            continue_rollback: Agreed::everywhere(self.continue_rollback),
            skip,
        })
    }
}

pub(crate) async fn run(ui: &Ui, global: &GlobalArgs, args: &DeployArgs) -> Result<(), Failure> {
    if args.emulator == EmulatorChoice::None {
        return without_emulator::run(ui, global, args).await;
    }
    let allow_replace = AllowReplace::parse(&args.allow_replace).map_err(|name| {
        Failure::new(Kind::CommandLine, format!("`{name}` names no resource"))
            .hint("give --allow-replace LogicalId, or --allow-replace STACK/LogicalId")
    })?;
    let mut remedies = args.remedies()?;
    StackGraph::all()
        .and_then(|graph| graph.select(&args.adopt, false))
        .map_err(graph_failure)?;
    let settings = Settings::resolve(ui, global, &args.endpoint)?;
    let name = settings.environment.name.to_string();
    let selection = delivery::select(ui, &settings, &args.stacks)?;
    let plan = DeployPlan::new(&settings, &selection.graph)?;
    let left_regions = stack_sets::left_regions(&settings, &args.leave_regions)?;
    if args.dry_run {
        plan.show(ui);
        return Ok(());
    }

    // The account is known to be the right one from here on.
    let cloud = Cloud::for_writing(ui, &settings).await?;
    let (selection, delivered) = delivery::delivered(ui, &settings, &cloud, selection).await?;
    let Selection { graph, skipped } = selection;
    let plan = DeployPlan::new(&settings, &graph)?;
    let nothing = BTreeMap::new();
    let wanted = Wanted {
        settings: &settings,
        plan: &plan,
        cloud: &cloud,
        packages: &nothing,
        allow_replace: &allow_replace,
        left_regions: &left_regions,
    };
    wanted.check_accounts(graph.deploy_order())?;
    let phases = stack_sets::phases(&settings, &graph, &cloud).await?;
    preflight::before_deploy(ui, &cloud, &settings, &plan, &args.adopt).await?;
    confirm(ui, args, &settings, &cloud, &plan)?;
    let again = format!("`cargo xtask deploy --env {name}` continues");
    ui.on_interrupt("nothing was changed in any stack", again.as_str());
    let packages = packages(ui, &settings, &plan).await?;
    let wanted = Wanted {
        packages: &packages,
        ..wanted
    };
    let stop = Planner::stop_at(interrupt::next());
    // The first Ctrl-C is the deployer's, which cancels updates and shows their rollback; the second ends at once.
    ui.leave_interrupt_to_command();

    let start = std::time::Instant::now();
    let stage = Stage {
        ui,
        asks: !args.yes,
        settings: &settings,
        cloud: &cloud,
        plan: &plan,
        packages: &packages,
        wanted,
        delivered,
        allow_replace: &allow_replace,
        stop,
    };
    let Done {
        deployed,
        rolled_out,
    } = stage.perform(phases, &mut remedies).await?;
    if rolled_out.is_empty() || !deployed.is_empty() {
        summary(ui, &deployed, skipped, start.elapsed());
    }
    if !rolled_out.is_empty() {
        ui.say(stack_sets::summary(&rolled_out));
    }
    let all: AllOutputs = deployed
        .iter()
        .map(|deployed| (deployed.name, cloud.outputs(&deployed.stack)))
        .collect();
    outputs::show(ui, &all);
    delivery::after(ui, &settings, &deployed, &all);
    if let Some(url) = all.get("api").and_then(|outputs| outputs.get("ApiUrl")) {
        ui.say(format!("\n{BOLD}{url}{BOLD:#} answers: `curl {url}/`"));
    }
    Ok(())
}

/// On AWS: says where and what, and asks.
fn confirm(
    ui: &Ui,
    args: &DeployArgs,
    settings: &Settings,
    cloud: &Cloud,
    plan: &DeployPlan,
) -> Result<(), Failure> {
    if settings.environment.kind != EnvironmentKind::Aws {
        return Ok(());
    }
    let endpoint = cloud.endpoint_url.as_ref();
    ui.say(format!(
        "account {} ({}), region {}{}",
        cloud.account,
        cloud.caller_arn,
        settings.naming.region,
        endpoint
            .map(|url| format!(", at {url}"))
            .unwrap_or_default()
    ));
    plan.show(ui);
    ui.confirm(
        &format!("Deploy to account {}?", cloud.account),
        &settings.environment.name.to_string(),
        args.yes,
    )
}

pub(super) async fn packages(
    ui: &Ui,
    settings: &Settings,
    plan: &DeployPlan,
) -> Result<BTreeMap<&'static str, Package>, Failure> {
    let mut packages = BTreeMap::new();
    for (stack, name) in plan.packages() {
        let host = match settings.environment.kind {
            EnvironmentKind::Local => Host::Emulator,
            EnvironmentKind::Aws => {
                Host::Lambda(plan.architecture(stack).unwrap_or(Architecture::X86_64))
            }
        };
        let start = std::time::Instant::now();
        ui.say(format!("building {name}"));
        let package = package::build(ui, &settings.project, name, host).await?;
        ui.say(format!(
            "built {name} in {:.1} s: {} kB, sha256 {}",
            start.elapsed().as_secs_f32(),
            package.size / 1000,
            &package.sha256[..12]
        ));
        packages.insert(stack, package);
    }
    Ok(packages)
}

fn summary(ui: &Ui, deployed: &[Deployed], skipped: usize, elapsed: std::time::Duration) {
    let count = |what| {
        deployed
            .iter()
            .filter(|deployed| deployed.what == what)
            .count()
    };
    let (created, updated) = (count(WhatHappened::Created), count(WhatHappened::Updated));
    let seconds = elapsed.as_secs_f32();
    if created + updated == 0 {
        ui.say(format!(
            "no changes: {} stacks match, {skipped} skipped, in {seconds:.1} s",
            deployed.len()
        ));
    } else {
        ui.say(format!(
            "{created} created, {updated} updated, {} unchanged, {skipped} skipped, in {seconds:.1} s",
            count(WhatHappened::Unchanged)
        ));
    }
}
