use std::collections::BTreeMap;

use clap::Args;
use futures::future::try_join_all;
use serde::Serialize;
use stackway_infra::aws::{self, CloudFormation, CloudFormationStackSets};
use stackway_infra::flow::{Diagnosed, Diagnoser, FlowError, StackSetDiagnoser};
use stackway_infra::stack_def::{STACKS, StackGraph};
use stackway_infra::stack_set::Pair;

use super::status::graph_failure;
use crate::cli::{EndpointArgs, GlobalArgs};
use crate::cloud::Cloud;
use crate::diagnosis::DiagnosisReport;
use crate::failure::{Failure, Kind};
use crate::settings::Settings;
use crate::stack_sets;
use crate::ui::{BOLD, DIM, GOOD, Ui};

/// Say why the last failed operation of each stack failed, the likely cause and the fix
///
/// Names the first resource that failed, and follows nested stacks and stack-set instances down to it. The cause and the fix come from a table
/// of known messages; a reason that is not in it is shown as it is, with where to look further. Only reads. Exits with
/// 0, whether something has failed or not; 12 where no stack is deployed.
#[derive(Debug, Args)]
pub(crate) struct DiagnoseArgs {
    /// Only these stacks
    #[arg(long = "stack", value_name = "STACK", conflicts_with = "operation")]
    stacks: Vec<String>,
    /// One operation by its id, on every stack that it touched
    #[arg(long, value_name = "ID")]
    operation: Option<String>,
    #[command(flatten)]
    endpoint: EndpointArgs,
}

#[derive(Debug, Serialize)]
struct StackReport<'a> {
    /// The stack's name in the project; null for an operation asked for by its id.
    stack: Option<&'static str>,
    stack_name: &'a str,
    /// `failed`, `nothing failed` or `not deployed`.
    state: &'static str,
    status: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    diagnosis: Option<DiagnosisReport<'a>>,
}

pub(crate) async fn run(ui: &Ui, global: &GlobalArgs, args: &DiagnoseArgs) -> Result<(), Failure> {
    let settings = Settings::resolve(ui, global, &args.endpoint)?;
    let environment = settings.environment.name.to_string();
    let graph = StackGraph::all()
        .and_then(|graph| graph.select(&args.stacks, false))
        .map_err(graph_failure)?;
    let not_deployed = || {
        Failure::new(
            Kind::NotDeployed,
            format!("nothing is deployed to `{environment}`"),
        )
        .hint(format!("run `cargo xtask deploy --env {environment}`"))
    };
    let cloud = Cloud::for_reading(&settings)
        .await?
        .ok_or_else(not_deployed)?;
    let diagnoser = Diagnoser {
        stacks: &cloud.stacks,
        operations: &cloud.stacks,
    };
    let failure = |error: FlowError| Failure::of_flow(error, Kind::Deploy, &environment);
    if let Some(operation) = &args.operation {
        let found = diagnoser
            .diagnose_operation(operation)
            .await
            .map_err(failure)?;
        let reports: Vec<_> = found
            .iter()
            .map(|diagnosis| StackReport {
                stack: None,
                stack_name: &diagnosis.stack,
                state: "failed",
                status: diagnosis.ended.as_deref(),
                diagnosis: Some(DiagnosisReport::new(diagnosis)),
            })
            .collect();
        if reports.is_empty() {
            ui.say(format!("operation {operation}: nothing has failed in it"));
        }
        show(ui, &reports);
        return Ok(());
    }
    let sets = CloudFormationStackSets::new(&cloud.config);
    let reachable = reachable(&settings, &cloud);
    let inside = |pair: &Pair| {
        let stacks = reachable.get(pair)?;
        Some(Diagnoser {
            stacks,
            operations: stacks,
        })
    };
    let of_sets = StackSetDiagnoser {
        sets: &sets,
        inside: &inside,
    };
    let names: Vec<(&'static str, String)> = graph
        .deploy_order()
        .iter()
        .map(|def| (def.name, settings.naming.stack(def.name)))
        .collect();
    let asked = graph
        .deploy_order()
        .iter()
        .zip(&names)
        .map(
            async |(def, (_, name))| match stack_sets::address(&settings, def) {
                Some(at) => of_sets.diagnose(&at).await,
                None => diagnoser.diagnose(name).await,
            },
        );
    let found = try_join_all(asked).await.map_err(failure)?;
    if found.iter().all(|found| *found == Diagnosed::Absent) {
        return Err(not_deployed());
    }
    let reports: Vec<_> = names
        .iter()
        .zip(&found)
        .map(|((stack, stack_name), found)| report(stack, stack_name, found))
        .collect();
    show(ui, &reports);
    Ok(())
}

/// Who can look into the stacks of stack sets, by account and region: those of the credentials' own account.
fn reachable(settings: &Settings, cloud: &Cloud) -> BTreeMap<Pair, CloudFormation> {
    STACKS
        .iter()
        .filter_map(|def| stack_sets::placement(settings, def.name))
        .flat_map(|placement| &placement.regions)
        .map(|region| {
            let config = aws::in_region(&cloud.config, region.as_str());
            let pair = Pair::new(cloud.account.clone(), region.as_str());
            (pair, CloudFormation::new(&config))
        })
        .collect()
}

fn report<'a>(stack: &'static str, stack_name: &'a str, found: &'a Diagnosed) -> StackReport<'a> {
    let (state, status, diagnosis) = match found {
        Diagnosed::Absent => ("not deployed", None, None),
        Diagnosed::NothingFailed { status } => ("nothing failed", Some(status.as_str()), None),
        Diagnosed::Failed(diagnosis) => (
            "failed",
            diagnosis.ended.as_deref(),
            Some(DiagnosisReport::new(diagnosis)),
        ),
    };
    StackReport {
        stack: Some(stack),
        stack_name,
        state,
        status,
        diagnosis,
    }
}

fn show(ui: &Ui, reports: &[StackReport<'_>]) {
    if ui.is_json() {
        ui.json(&reports);
        return;
    }
    for report in reports {
        let name = report.stack.unwrap_or(report.stack_name);
        let text = match (&report.diagnosis, report.status) {
            (Some(diagnosis), _) => diagnosis.text(),
            (None, Some(status)) => format!("{GOOD}nothing failed{GOOD:#} {DIM}{status}{DIM:#}"),
            (None, None) => format!("{DIM}not deployed{DIM:#}"),
        };
        ui.data(format!("{BOLD}{name:<12}{BOLD:#} {text}"));
    }
}
