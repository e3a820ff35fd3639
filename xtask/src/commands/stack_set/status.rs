use clap::Args;
use comfy_table::{ContentArrangement, Table, presets};
use serde::Serialize;
use stackway_infra::aws::CloudFormationStackSets;
use stackway_infra::cloud::stack_sets::StackSets as _;
use stackway_infra::stack_set::{
    DetailedStatus, StackInstance, StackSetAddress, StackSetOperation,
};

use super::{cloud, placed};
use crate::cli::{EndpointArgs, GlobalArgs};
use crate::commands::status::rfc3339;
use crate::failure::{Failure, Kind};
use crate::progress::status_style;
use crate::settings::Settings;
use crate::stack_sets;
use crate::ui::{BOLD, DIM, Ui};

/// How many operations are shown, the newest first.
const OPERATIONS: usize = 5;

/// Show the instances of stack sets by account and region, and the latest operations
///
/// Only reads. Exits with 12 where a set that was named is not there.
#[derive(Debug, Args)]
pub(crate) struct StatusArgs {
    /// Only these stacks
    #[arg(long = "stack", value_name = "STACK")]
    stacks: Vec<String>,
    #[command(flatten)]
    endpoint: EndpointArgs,
}

#[derive(Debug, Serialize)]
struct Report {
    stack: &'static str,
    stack_set: String,
    /// Null where it is not there.
    status: Option<String>,
    drift: Option<String>,
    instances: Vec<Instance>,
    operations: Vec<Operation>,
}

#[derive(Debug, Serialize)]
struct Instance {
    account: String,
    region: String,
    /// The unit through which the account got it.
    organizational_unit: Option<String>,
    status: String,
    detailed_status: Option<String>,
    reason: Option<String>,
    drift: String,
    stack_id: Option<String>,
}

#[derive(Debug, Serialize)]
struct Operation {
    id: String,
    action: String,
    status: String,
    reason: Option<String>,
    created_at: Option<String>,
    ended_at: Option<String>,
}

impl Instance {
    fn of(instance: StackInstance) -> Self {
        Self {
            account: instance.pair.place,
            region: instance.pair.region,
            organizational_unit: instance.organizational_unit,
            status: instance.status.to_string(),
            detailed_status: instance.detailed.as_ref().map(DetailedStatus::to_string),
            reason: instance.reason,
            drift: instance.drift.to_string(),
            stack_id: instance.stack_id,
        }
    }
}

impl Operation {
    fn of(operation: StackSetOperation) -> Self {
        Self {
            id: operation.id,
            action: operation.action.to_string(),
            status: operation.status.to_string(),
            reason: operation.reason,
            created_at: operation.created_at.map(rfc3339),
            ended_at: operation.ended_at.map(rfc3339),
        }
    }
}

pub(crate) async fn run(ui: &Ui, global: &GlobalArgs, args: &StatusArgs) -> Result<(), Failure> {
    let settings = Settings::resolve(ui, global, &args.endpoint)?;
    let wanted = placed(&settings, &args.stacks)?;
    if wanted.is_empty() {
        ui.say(format!(
            "`{}` places no stack as a stack set",
            settings.environment.name
        ));
    }
    let cloud = cloud(&settings).await?;
    let client = CloudFormationStackSets::new(&cloud.config);
    let mut reports = Vec::new();
    for def in wanted {
        if let Some(at) = stack_sets::address(&settings, &def) {
            reports.push(report(&client, def.name, at).await?);
        }
    }
    if ui.is_json() {
        ui.json(&reports);
    } else {
        for report in &reports {
            show(ui, report);
        }
    }
    match reports.iter().find(|report| report.status.is_none()) {
        Some(report) if !args.stacks.is_empty() => Err(Failure::new(
            Kind::NotDeployed,
            format!("stack set `{}` is not there", report.stack_set),
        )
        .hint(format!(
            "`cargo xtask deploy --env {} --stack {}` makes it",
            settings.environment.name, report.stack
        ))),
        _ => Ok(()),
    }
}

async fn report(
    client: &CloudFormationStackSets,
    stack: &'static str,
    at: StackSetAddress,
) -> Result<Report, Failure> {
    let mut report = Report {
        stack,
        stack_set: at.name.clone(),
        status: None,
        drift: None,
        instances: Vec::new(),
        operations: Vec::new(),
    };
    if let Some(set) = client.describe_stack_set(&at).await? {
        report.status = Some(set.status.to_string());
        report.drift = Some(set.drift.status.to_string());
        let instances = client.stack_instances(&at).await?;
        report.instances = instances.into_iter().map(Instance::of).collect();
        let operations = client.operations(&at).await?;
        report.operations = operations
            .into_iter()
            .take(OPERATIONS)
            .map(Operation::of)
            .collect();
    }
    Ok(report)
}

fn show(ui: &Ui, report: &Report) {
    let status = report.status.as_deref().unwrap_or("not deployed");
    ui.data(format!(
        "{BOLD}{}{BOLD:#}  {status}  {DIM}{}{DIM:#}",
        report.stack, report.stack_set
    ));
    if report.status.is_none() {
        return;
    }
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header([
        "account",
        "region",
        "status",
        "last operation",
        "drift",
        "reason",
    ]);
    for instance in &report.instances {
        table.add_row([
            &instance.account,
            &instance.region,
            &instance.status,
            instance.detailed_status.as_deref().unwrap_or("-"),
            &instance.drift,
            instance.reason.as_deref().unwrap_or_default(),
        ]);
    }
    ui.data(table.trim_fmt());
    for operation in &report.operations {
        let style = status_style(&operation.status);
        let reason = match &operation.reason {
            Some(reason) => format!(": {reason}"),
            None => String::new(),
        };
        ui.data(format!(
            "  {DIM}{}{DIM:#} {} {style}{}{style:#}{reason} {DIM}{}{DIM:#}",
            operation.created_at.as_deref().unwrap_or("-"),
            operation.action,
            operation.status,
            operation.id
        ));
    }
}
