use clap::Args;
use serde::Serialize;
use stackway_infra::aws::CloudFormationStackSets;
use stackway_infra::flow::roll_out::DriftReport;

use super::{cloud, placed};
use crate::cli::{EndpointArgs, GlobalArgs};
use crate::failure::{Failure, Kind};
use crate::settings::Settings;
use crate::stack_sets::{self, RollOutDisplay};
use crate::ui::{BAD, BOLD, DIM, GOOD, Ui};

/// Compare every instance of stack sets with its template
///
/// Begins a drift detection, which is an operation on the set and changes no stack, and waits for it.
#[derive(Debug, Args)]
pub(crate) struct DriftArgs {
    /// Only these stacks
    #[arg(long = "stack", value_name = "STACK")]
    stacks: Vec<String>,
    /// Exit with 1 where an instance has drifted
    #[arg(long)]
    exit_code: bool,
    #[command(flatten)]
    endpoint: EndpointArgs,
}

#[derive(Debug, Serialize)]
struct Report {
    stack: &'static str,
    stack_set: String,
    /// Null where the set is not there.
    status: Option<String>,
    drifted: u32,
    in_sync: u32,
    failed: u32,
    instances: Vec<Instance>,
}

#[derive(Debug, Serialize)]
struct Instance {
    account: String,
    region: String,
    resources: Vec<DriftedResource>,
}

#[derive(Debug, Serialize)]
struct DriftedResource {
    logical_id: String,
    physical_id: String,
    resource_type: String,
    status: String,
    differences: Vec<Difference>,
}

#[derive(Debug, Serialize)]
struct Difference {
    path: String,
    expected: String,
    actual: String,
}

impl Report {
    fn new(stack: &'static str, stack_set: String, found: Option<DriftReport>) -> Self {
        let set = found.as_ref().map(|found| found.set.clone());
        let counts = set.clone().unwrap_or_default();
        let instances = found.into_iter().flat_map(|found| found.instances);
        Self {
            stack,
            stack_set,
            status: set.map(|set| set.status.to_string()),
            drifted: counts.drifted,
            in_sync: counts.in_sync,
            failed: counts.failed,
            instances: instances
                .map(|instance| Instance {
                    account: instance.pair.place,
                    region: instance.pair.region,
                    resources: instance
                        .resources
                        .into_iter()
                        .map(|resource| DriftedResource {
                            logical_id: resource.logical_id,
                            physical_id: resource.physical_id,
                            resource_type: resource.resource_type,
                            status: resource.status,
                            differences: resource
                                .differences
                                .into_iter()
                                .map(|(path, expected, actual)| Difference {
                                    path,
                                    expected,
                                    actual,
                                })
                                .collect(),
                        })
                        .collect(),
                })
                .collect(),
        }
    }
}

pub(crate) async fn run(ui: &Ui, global: &GlobalArgs, args: &DriftArgs) -> Result<(), Failure> {
    let settings = Settings::resolve(ui, global, &args.endpoint)?;
    let environment = settings.environment.name.to_string();
    let wanted = placed(&settings, &args.stacks)?;
    let cloud = cloud(&settings).await?;
    let client = CloudFormationStackSets::new(&cloud.config);
    ui.on_interrupt(
        "the drift detection goes on in CloudFormation, and changes nothing",
        format!("`cargo xtask stack-set drift --env {environment}` begins anew"),
    );
    let mut reports = Vec::new();
    for def in wanted {
        let (Some(at), Some(placement)) = (
            stack_sets::address(&settings, &def),
            stack_sets::placement(&settings, def.name),
        ) else {
            continue;
        };
        let display = RollOutDisplay::new(ui, def.name, "compared");
        let found = stack_sets::roll_out(&client, &cloud, &display)
            .drift(&at, &placement.preferences)
            .await;
        display.clear();
        let found =
            found.map_err(|error| Failure::of_roll_out(error, Kind::Deploy, &environment))?;
        reports.push(Report::new(def.name, at.name, found));
    }
    if ui.is_json() {
        ui.json(&reports);
    } else {
        for report in &reports {
            show(ui, report);
        }
    }
    let drifted: u32 = reports.iter().map(|report| report.drifted).sum();
    if args.exit_code && drifted > 0 {
        return Err(
            Failure::new(Kind::Check, format!("{drifted} instances have drifted"))
                .hint("put back what was changed by hand, or take it into the template and deploy"),
        );
    }
    Ok(())
}

fn show(ui: &Ui, report: &Report) {
    let Some(status) = &report.status else {
        ui.data(format!(
            "{BOLD}{}{BOLD:#}  not deployed  {DIM}{}{DIM:#}",
            report.stack, report.stack_set
        ));
        return;
    };
    let style = if report.drifted > 0 { BAD } else { GOOD };
    ui.data(format!(
        "{BOLD}{}{BOLD:#}  {style}{status}{style:#}  {} drifted, {} as the template says, {} that could not be compared",
        report.stack, report.drifted, report.in_sync, report.failed
    ));
    for instance in &report.instances {
        ui.data(format!("  {} {}", instance.account, instance.region));
        for resource in &instance.resources {
            ui.data(format!(
                "    {} {BAD}{}{BAD:#} {DIM}{} {}{DIM:#}",
                resource.logical_id, resource.status, resource.resource_type, resource.physical_id
            ));
            for difference in &resource.differences {
                ui.data(format!(
                    "      {}: {} in the template, {} there",
                    difference.path, difference.expected, difference.actual
                ));
            }
        }
    }
}
