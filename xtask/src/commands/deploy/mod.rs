mod remedies;
mod without_emulator;

use std::collections::BTreeMap;

use clap::{Args, ValueEnum};
use stackway_infra::config::EnvironmentKind;
use stackway_infra::flow::{
    Agreed, AllowReplace, Deployed, Deployer, FlowError, Planner, Remedies, ResourceNames,
    StackInputs, Stop, WhatHappened,
};
use stackway_infra::stack_def::StackGraph;

use crate::cli::{EndpointArgs, GlobalArgs};
use crate::cloud::{Cloud, emulator};
use crate::commands::outputs::{self, AllOutputs};
use crate::delivery::{self, Selection};
use crate::deploy_plan::DeployPlan;
use crate::diagnosis;
use crate::failure::{Failure, Kind};
use crate::interrupt;
use crate::package::{self, Architecture, Host, Package};
use crate::preflight;
use crate::progress::Display;
use crate::settings::{Endpoint, Settings};
use crate::stack_sets::{self, Phase, Wanted};
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
    let settings = Settings::resolve(ui, global, &args.endpoint)?;
    let name = settings.environment.name.to_string();
    let Selection { graph, skipped } = delivery::select(ui, &settings, &args.stacks)?;
    let plan = DeployPlan::new(&settings, &graph)?;
    let phases = stack_sets::phases(&settings, &graph)?;
    if args.dry_run {
        plan.show(ui);
        return Ok(());
    }

    // The account is known to be the right one from here on.
    let cloud = Cloud::for_writing(ui, &settings).await?;
    let nothing = BTreeMap::new();
    let wanted = Wanted {
        settings: &settings,
        plan: &plan,
        cloud: &cloud,
        packages: &nothing,
        allow_replace: &allow_replace,
    };
    wanted.check_accounts(graph.deploy_order())?;
    preflight::before_deploy(ui, &cloud, &settings, &plan).await?;
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

    let stage = Stage {
        ui,
        asks: !args.yes,
        settings: &settings,
        cloud: &cloud,
        allow_replace: &allow_replace,
        stop: stop.clone(),
    };
    let start = std::time::Instant::now();
    let mut known = stack_sets::outputs_here(&settings, &cloud.account);
    let mut deployed = Vec::new();
    let mut rolled_out = Vec::new();
    for phase in &phases {
        match phase {
            Phase::Stacks(graph) => {
                ui.on_interrupt(
                    "CloudFormation goes on with the operations it has begun, and undoes those that fail or were cancelled",
                    again.as_str(),
                );
                let inputs = plan.inputs(&packages, &cloud, known.clone());
                let stands = stage.deploy(graph, &inputs, &mut remedies).await?;
                known.extend(
                    stands
                        .iter()
                        .map(|stands| (stands.name, stands.stack.outputs.clone())),
                );
                deployed.extend(stands);
            }
            Phase::Sets(sets) => {
                ui.on_interrupt(
                    "CloudFormation goes on with the stack set's operation",
                    format!("`cargo xtask stack-set stop --env {name}` stops it; the next deploy goes on from what stands"),
                );
                rolled_out.extend(tokio::select! {
                    rolled_out = wanted.roll_out(ui, sets, &known) => rolled_out?,
                    () = stop.clone() => return Err(ui.interrupted()),
                });
            }
        }
    }
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

/// What all stacks of a deploy are deployed with.
struct Stage<'a> {
    ui: &'a Ui,
    /// Whether a person may agree to what gets a stack out of a bad status.
    asks: bool,
    settings: &'a Settings,
    cloud: &'a Cloud,
    allow_replace: &'a AllowReplace,
    stop: Stop,
}

impl Stage<'_> {
    /// Deploys stacks, and again with each remedy that a person agrees to.
    async fn deploy(
        &self,
        graph: &StackGraph,
        inputs: &dyn StackInputs,
        remedies: &mut Remedies,
    ) -> Result<Vec<Deployed>, Failure> {
        let Self {
            ui,
            settings,
            cloud,
            ..
        } = self;
        loop {
            let display = Display::new(ui, "deployed");
            let result = Deployer {
                tools: cloud.tools(&display),
                control: &cloud.stacks,
                inputs,
                allow_replace: self.allow_replace,
                remedies,
                protect: settings.environment.protect,
                stop: self.stop.clone(),
            }
            .deploy(graph)
            .await;
            display.clear();
            let error = match result {
                Ok(stands) => return Ok(stands),
                Err(error) => error,
            };
            let failure = explain(
                error.clone(),
                settings.environment.name.as_str(),
                cloud,
                settings,
            );
            let failure = diagnosis::explain(failure, &error, cloud).await;
            if !self.asks || !remedies::agreed(ui, &failure, &error, remedies)? {
                return Err(failure);
            }
        }
    }
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

/// A failed deploy; an emulator of ours that died says where its log is.
fn explain(error: FlowError, name: &str, cloud: &Cloud, settings: &Settings) -> Failure {
    let failure = Failure::of_flow(error, Kind::Deploy, name);
    match settings.endpoint {
        Endpoint::Own { port } if cloud.own_emulator && failure.kind == Kind::Unreachable => {
            let log = emulator(&settings.project, port).log_path();
            Failure::new(
                Kind::Emulator,
                "the emulator stopped answering in the middle of the deploy",
            )
            .cause(format!("its log is {}", log.display()))
            .hint(format!(
                "`cargo xtask deploy --env {name}` starts it again; what it held is gone with it"
            ))
        }
        _ => failure,
    }
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
