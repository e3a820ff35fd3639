use std::collections::BTreeSet;

use clap::Args;
use comfy_table::{ContentArrangement, Table, presets};
use serde::Serialize;
use stackway_infra::aws::CloudFormationStackSets;
use stackway_infra::cloud::stack_sets::StackSets as _;
use stackway_infra::config::StackSetPlacement;
use stackway_infra::stack_set::CallAs;

use super::{cloud, placed};
use crate::cli::{EndpointArgs, GlobalArgs};
use crate::failure::Failure;
use crate::settings::Settings;
use crate::stack_sets;
use crate::ui::Ui;

/// List the stack sets of the environment, and those that it places and that are not there
///
/// Only reads.
#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// Also the sets of other projects and environments
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    endpoint: EndpointArgs,
}

#[derive(Debug, Serialize)]
struct Row {
    stack_set: String,
    /// The stack's name in the project; null where the set is none of this environment's.
    stack: Option<String>,
    /// Null where it is not there.
    status: Option<String>,
    service_managed: bool,
    call_as: String,
    /// Where stackway.toml places it; null where it does not.
    place: Option<String>,
}

pub(crate) async fn run(ui: &Ui, global: &GlobalArgs, args: &ListArgs) -> Result<(), Failure> {
    let settings = Settings::resolve(ui, global, &args.endpoint)?;
    let wanted = placed(&settings, &[])?;
    let cloud = cloud(&settings).await?;
    let client = CloudFormationStackSets::new(&cloud.config);
    let addresses: Vec<_> = wanted
        .iter()
        .filter_map(|def| stack_sets::address(&settings, def))
        .collect();
    let mut callers: BTreeSet<_> = addresses.iter().map(|at| at.call_as).collect();
    if callers.is_empty() {
        callers.insert(CallAs::Caller);
    }
    let prefix = settings.naming.stack("");
    let mut rows = Vec::new();
    for call_as in callers {
        for set in client.stack_sets(call_as).await? {
            let stack = set.address.name.strip_prefix(&prefix).map(str::to_owned);
            if stack.is_none() && !args.all {
                continue;
            }
            let place = stack
                .as_deref()
                .and_then(|stack| stack_sets::placement(&settings, stack));
            rows.push(Row {
                stack_set: set.address.name,
                place: place.map(stack_sets::place),
                stack,
                status: Some(set.status.to_string()),
                service_managed: set.service_managed,
                call_as: call_as.to_string(),
            });
        }
    }
    for (def, at) in wanted.iter().zip(addresses) {
        if rows.iter().all(|row| row.stack_set != at.name) {
            let placement = stack_sets::placement(&settings, def.name);
            rows.push(Row {
                stack_set: at.name,
                stack: Some(def.name.to_owned()),
                status: None,
                service_managed: placement.is_some_and(StackSetPlacement::is_service_managed),
                call_as: at.call_as.to_string(),
                place: placement.map(stack_sets::place),
            });
        }
    }
    if ui.is_json() {
        ui.json(&rows);
        return Ok(());
    }
    if rows.is_empty() {
        ui.say(format!(
            "`{}` has no stack set, and places no stack as one",
            settings.environment.name
        ));
        return Ok(());
    }
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(["stack", "stack set", "status", "permissions", "placed as"]);
    for row in &rows {
        table.add_row([
            row.stack.as_deref().unwrap_or("-"),
            &row.stack_set,
            row.status.as_deref().unwrap_or("not deployed"),
            if row.service_managed {
                "service-managed"
            } else {
                "self-managed"
            },
            row.place
                .as_deref()
                .unwrap_or("nothing: stackway.toml does not place it"),
        ]);
    }
    ui.data(table.trim_fmt());
    Ok(())
}
