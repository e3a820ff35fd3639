mod offline;

use std::collections::BTreeMap;

use clap::Args;
use stackway_infra::cloud::Stacks as _;
use stackway_infra::flow::{AllowReplace, Outputs, Plan, PlannedStack, Planner};
use stackway_infra::stack_def::StackGraph;

use super::deploy;
use super::status::graph_failure;
use crate::change_report::{self, ChangeReport, Source, StackReport, Summary, Verdict};
use crate::cli::{EndpointArgs, GlobalArgs};
use crate::cloud::Cloud;
use crate::delivery::{self, Selection};
use crate::deploy_plan::{CODE_PARAMETERS, DeployPlan};
use crate::failure::{Failure, Kind};
use crate::interrupt;
use crate::pricing::{self, PlanCost, Usage};
use crate::progress::Display;
use crate::settings::Settings;
use crate::stack_sets::{self, Wanted};
use crate::ui::Ui;

/// Show what a deploy would change, resource by resource
///
/// Makes a change set for each stack, reads it, and removes it again, with the empty stack that a new one gets by it.
/// Nothing else is written, also when it fails or is interrupted. What holds data and would be lost is named, and so is
/// every permission that is given or taken. With `--offline` it compares templates alone, and calls nothing. `--format
/// markdown` writes for a pull request; docs/plan.md describes `--format json`.
#[derive(Debug, Args)]
pub(crate) struct PlanArgs {
    /// Only these stacks and what they need
    #[arg(long = "stack", value_name = "STACK")]
    stacks: Vec<String>,
    /// Compare the templates and stackway.toml of the work tree with those of a commit; call nothing
    #[arg(long)]
    offline: bool,
    /// The commit to compare with [default: HEAD]
    #[arg(long, value_name = "REVISION", requires = "offline")]
    against: Option<String>,
    /// Leave the stacks of stack sets in this region as they are: it is out of reach
    #[arg(
        long = "leave-region",
        value_name = "REGION",
        conflicts_with = "offline"
    )]
    leave_regions: Vec<String>,
    /// Build no code: plan with what is deployed
    #[arg(long, conflicts_with = "offline")]
    no_build: bool,
    #[command(flatten)]
    endpoint: EndpointArgs,
}

pub(crate) async fn run(ui: &Ui, global: &GlobalArgs, args: &PlanArgs) -> Result<(), Failure> {
    if args.offline {
        return offline::run(ui, global, args);
    }
    let settings = Settings::resolve(ui, global, &args.endpoint)?;
    let name = settings.environment.name.to_string();
    let all = StackGraph::all()
        .and_then(|graph| graph.select(&args.stacks, true))
        .map_err(graph_failure)?;
    let selection = delivery::select(ui, &settings, &args.stacks)?;
    // A fault in a file is told before anything is reached.
    DeployPlan::new(&settings, &selection.graph)?;
    let cloud = Cloud::for_reading(&settings).await?;
    let (Selection { graph, .. }, delivered) = match &cloud {
        Some(cloud) => delivery::delivered(ui, &settings, cloud, selection).await?,
        None => (selection, Outputs::new()),
    };
    let plan = DeployPlan::new(&settings, &graph)?;
    let (single, sets) = stack_sets::split(&settings, &graph)?;
    let left_regions = stack_sets::left_regions(&settings, &args.leave_regions)?;
    let mut stack_sets = Vec::new();
    let mut failed = Vec::new();
    // Read before anything is planned: afterwards Ctrl-C is the planner's.
    let mut standing = Ok(pricing::Selection::default());
    let (mut stacks, compared) = match &cloud {
        Some(cloud) => {
            let again = format!("`cargo xtask plan --env {name}` begins anew");
            ui.on_interrupt("nothing was changed", again.as_str());
            let packages = if args.no_build {
                BTreeMap::new()
            } else {
                deploy::packages(ui, &settings, &plan).await?
            };
            let kept = if args.no_build {
                deployed_code(cloud, &settings, &plan).await?
            } else {
                BTreeMap::new()
            };
            standing = pricing::Selection::of_deployed(&settings, &all_stacks()?, cloud).await;
            ui.on_interrupt("the change sets that the plan had made are removed", again);
            let mut known = stack_sets::outputs_here(&settings, &cloud.account);
            known.extend(delivered);
            let inputs = plan.preview(&packages, &kept, known);
            let planned = planned(ui, cloud, &single, &inputs, &settings).await?;
            let mut stacks: Vec<_> = planned
                .into_iter()
                .map(|stack| report(stack, &mut failed))
                .collect();
            let wanted = Wanted {
                settings: &settings,
                plan: &plan,
                cloud,
                packages: &packages,
                allow_replace: &AllowReplace::default(),
                left_regions: &left_regions,
            };
            for def in &sets {
                let planned = wanted.planned(ui, def).await?;
                stacks.push(planned.template);
                stack_sets.push(planned.pairs);
            }
            (
                stacks,
                format!(
                    "what stands in account {} with the work tree",
                    cloud.account
                ),
            )
        }
        None => (
            from_templates(&plan),
            "nothing, as the emulator does not run, with the work tree".to_owned(),
        ),
    };
    stacks.extend(left_out(&settings, &all, &graph)?);
    let report = ChangeReport {
        environment: name.clone(),
        region: settings.naming.region.clone(),
        compared,
        summary: Summary::of(&stacks),
        stacks,
        stack_sets,
        cost: None,
    };
    show(ui, &with_cost(ui, &settings, standing, report));
    match failed.into_iter().next() {
        None => Ok(()),
        Some((stack, error)) => Err(Failure {
            hints: vec!["nothing was changed; remove the cause, then plan again".to_owned()],
            ..Failure::of_flow(error, Kind::Deploy, &name)
                .within(format!("stack `{stack}` cannot be planned"))
        }),
    }
}

/// Runs the planner until it is done or Ctrl-C comes; either way it has removed what it made.
async fn planned(
    ui: &Ui,
    cloud: &Cloud,
    graph: &StackGraph,
    inputs: &dyn stackway_infra::flow::StackInputs,
    settings: &Settings,
) -> Result<Vec<PlannedStack>, Failure> {
    let display = Display::new(ui, "planned");
    let planner = Planner {
        tools: cloud.tools(&display),
        inputs,
        protect: settings.environment.protect,
        stop: Planner::stop_at(interrupt::next()),
    };
    // From here on Ctrl-C is the planner's, which cleans up before it ends.
    ui.leave_interrupt_to_command();
    let spinner = ui.spinner("planning");
    let result = planner.plan(graph).await;
    drop(spinner);
    display.clear();
    if planner.is_stopped() {
        return Err(ui.interrupted());
    }
    result
        .map_err(|error| Failure::of_flow(error, Kind::Deploy, settings.environment.name.as_str()))
}

/// The places of the code that is deployed, by stack.
async fn deployed_code(
    cloud: &Cloud,
    settings: &Settings,
    plan: &DeployPlan,
) -> Result<BTreeMap<&'static str, BTreeMap<String, String>>, Failure> {
    let mut kept = BTreeMap::new();
    for (stack, _) in plan.packages() {
        if let Some(deployed) = cloud
            .stacks
            .describe_stack(&settings.naming.stack(stack))
            .await?
        {
            let code = deployed
                .parameters
                .into_iter()
                .filter(|(name, _)| CODE_PARAMETERS.contains(&name.as_str()));
            kept.insert(stack, code.collect());
        }
    }
    Ok(kept)
}

fn report(
    planned: PlannedStack,
    failed: &mut Vec<(&'static str, stackway_infra::flow::FlowError)>,
) -> StackReport {
    let (name, stack_name) = (planned.name, planned.stack_name.as_str());
    let mut report = match planned.plan {
        Plan::ChangeSet(changes) => StackReport::new(name, stack_name, Source::ChangeSet, changes),
        Plan::Unchanged => StackReport::without_changes(name, stack_name, Verdict::Unchanged, None),
        Plan::Template { changes, why } => {
            let mut report = StackReport::new(name, stack_name, Source::Templates, changes);
            report.notes.push(format!("no change set: {why}"));
            report
        }
        Plan::Failed(error) => {
            let report = StackReport::without_changes(
                name,
                stack_name,
                Verdict::Failed,
                Some(error.to_string()),
            );
            failed.push((name, error));
            report
        }
    };
    report.notes.extend(planned.notes);
    report
}

/// The stacks that a deploy leaves out, each with the reason.
fn left_out(
    settings: &Settings,
    all: &StackGraph,
    kept: &StackGraph,
) -> Result<Vec<StackReport>, Failure> {
    let others = all.deploy_order().iter();
    others
        .filter(|def| !kept.deploy_order().contains(def))
        .map(|def| {
            let note = delivery::left_out(settings, def)?
                .unwrap_or_else(|| "it needs what the pipeline makes".to_owned());
            let stack_name = settings.naming.stack(def.name);
            Ok(StackReport::without_changes(
                def.name,
                &stack_name,
                Verdict::LeftOut,
                Some(note),
            ))
        })
        .collect()
}

/// Where nothing stands, every stack is new.
fn from_templates(plan: &DeployPlan) -> Vec<StackReport> {
    plan.versions()
        .map(|(def, input, after)| {
            let changes = stackway_infra::stack::StackChanges::of_templates(None, &after);
            StackReport::new(def.name, &input.stack_name, Source::Templates, changes)
        })
        .collect()
}

fn all_stacks() -> Result<StackGraph, Failure> {
    StackGraph::all().map_err(graph_failure)
}

/// Tells what the plan adds to a month. A plan is no worse for it that this cannot be told, so that is only said.
fn with_cost(
    ui: &Ui,
    settings: &Settings,
    before: Result<pricing::Selection, Failure>,
    report: ChangeReport,
) -> ChangeReport {
    let changed: Vec<_> = (report.stacks.iter())
        .filter(|stack| matches!(stack.verdict, Verdict::New | Verdict::Update))
        .map(|stack| stack.stack.as_str())
        .collect();
    let cost = before.and_then(|before| {
        let planned = pricing::Selection::of_work_tree(settings, &all_stacks()?)?;
        let usage = Usage::read(None, None, None)?;
        PlanCost::of(&before, &planned, &changed, &usage)
    });
    match cost {
        Ok(cost) => report.with_cost(cost),
        Err(failure) => {
            let reasons = [&[failure.message], failure.causes.as_slice()].concat();
            ui.warn(format!(
                "what the plan costs cannot be told: {}",
                reasons.join(": ")
            ));
            report
        }
    }
}

fn show(ui: &Ui, report: &ChangeReport) {
    if ui.is_json() {
        ui.json(report);
    } else if ui.is_markdown() {
        ui.data(change_report::markdown(report));
    } else {
        ui.data(change_report::text(report, ui.is_verbose()));
    }
}
