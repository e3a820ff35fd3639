use clap::Args;
use comfy_table::{Cell, ContentArrangement, Table, presets};
use serde::Serialize;
use stackway_infra::aws::CloudFormationStackSets;
use stackway_infra::cloud::Stacks as _;
use stackway_infra::cloud::stack_sets::StackSets as _;
use stackway_infra::stack::Outcome;
use stackway_infra::stack_def::{GraphError, StackGraph};
use stackway_infra::stack_set::StackSetAddress;

use crate::cli::{EndpointArgs, GlobalArgs};
use crate::cloud::Cloud;
use crate::failure::{Failure, Kind};
use crate::settings::Settings;
use crate::stack_sets;
use crate::ui::Ui;

/// Show each stack of an environment and what its status means
///
/// Only reads. With `--format json`: `environment`, `account`, `region`, `endpoint_url` (an emulator's, so that any AWS
/// client can look inside; null on AWS) and `stacks`.
#[derive(Debug, Args)]
pub(crate) struct StatusArgs {
    #[command(flatten)]
    endpoint: EndpointArgs,
}

#[derive(Debug, Serialize)]
struct Report {
    environment: String,
    account: Option<String>,
    region: String,
    endpoint_url: Option<String>,
    stacks: Vec<StackReport>,
}

#[derive(Debug, Serialize)]
struct StackReport {
    name: &'static str,
    stack_name: String,
    /// Null where the stack does not exist.
    status: Option<String>,
    outcome: &'static str,
    reason: Option<String>,
    updated_at: Option<String>,
    commit: Option<String>,
    /// Whether its deletion is refused; null where the stack does not exist, and for stack sets, which have none.
    termination_protection: Option<bool>,
}

pub(crate) async fn run(ui: &Ui, global: &GlobalArgs, args: &StatusArgs) -> Result<(), Failure> {
    let settings = Settings::resolve(ui, global, &args.endpoint)?;
    let graph = StackGraph::all().map_err(graph_failure)?;
    let cloud = Cloud::for_reading(&settings).await?;
    let mut report = Report {
        environment: settings.environment.name.to_string(),
        account: cloud.as_ref().map(|cloud| cloud.account.clone()),
        region: settings.naming.region.clone(),
        endpoint_url: cloud.as_ref().and_then(|cloud| cloud.endpoint_url.clone()),
        stacks: Vec::new(),
    };
    for def in graph.deploy_order() {
        let stack_name = settings.naming.stack(def.name);
        if let (Some(cloud), Some(at)) = (&cloud, stack_sets::address(&settings, def)) {
            report
                .stacks
                .push(stack_set(cloud, &at, def.name, stack_name).await?);
            continue;
        }
        let stack = match &cloud {
            Some(cloud) => cloud.stacks.describe_stack(&stack_name).await?,
            None => None,
        };
        let stack = stack.filter(|stack| stack.status.outcome() != Outcome::Deleted);
        report.stacks.push(StackReport {
            name: def.name,
            stack_name,
            outcome: stack
                .as_ref()
                .map_or("not deployed", |stack| meaning(stack.status.outcome())),
            reason: stack.as_ref().and_then(|stack| stack.status_reason.clone()),
            updated_at: stack
                .as_ref()
                .and_then(|stack| stack.updated_at)
                .map(rfc3339),
            commit: stack
                .as_ref()
                .and_then(|stack| stack.tags.get("git-commit").cloned()),
            termination_protection: stack.as_ref().map(|stack| stack.termination_protection),
            status: stack.map(|stack| stack.status.to_string()),
        });
    }
    if ui.is_json() {
        ui.json(&report);
    } else {
        show(ui, &report);
    }
    Ok(())
}

/// A stack that is rolled out as a stack set.
async fn stack_set(
    cloud: &Cloud,
    at: &StackSetAddress,
    name: &'static str,
    stack_name: String,
) -> Result<StackReport, Failure> {
    let set = CloudFormationStackSets::new(&cloud.config)
        .describe_stack_set(at)
        .await?;
    Ok(StackReport {
        name,
        stack_name,
        outcome: set.as_ref().map_or(
            "not deployed",
            |_| "a stack set; `cargo xtask stack-set status` shows its instances",
        ),
        reason: None,
        updated_at: None,
        commit: set
            .as_ref()
            .and_then(|set| set.definition.tags.get("git-commit").cloned()),
        termination_protection: None,
        status: set.map(|set| set.status.to_string()),
    })
}

fn show(ui: &Ui, report: &Report) {
    let place = match (&report.endpoint_url, &report.account) {
        (Some(url), Some(account)) => format!("account {account} at {url}"),
        (None, Some(account)) => format!("account {account}"),
        _ => "the emulator does not run".to_owned(),
    };
    ui.say(format!(
        "environment {}, region {}, {place}",
        report.environment, report.region
    ));
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header([
        "stack",
        "status",
        "meaning",
        "updated",
        "commit",
        "protected",
    ]);
    for stack in &report.stacks {
        let commit = stack
            .commit
            .as_deref()
            .map(short_commit)
            .unwrap_or_default();
        table.add_row(vec![
            Cell::new(stack.name),
            Cell::new(stack.status.as_deref().unwrap_or("-")),
            Cell::new(stack.outcome),
            Cell::new(stack.updated_at.as_deref().unwrap_or("-")),
            Cell::new(commit),
            Cell::new(match stack.termination_protection {
                None => "-",
                Some(true) => "yes",
                Some(false) => "no",
            }),
        ]);
    }
    ui.data(table.trim_fmt());
}

fn meaning(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::InProgress => "in progress",
        Outcome::AwaitingExecution => "a change set waits; nothing is deployed",
        Outcome::Succeeded => "deployed",
        Outcome::RolledBack => "last update rolled back; as it was before",
        Outcome::Unrecoverable => "needs action",
        Outcome::Deleted => "gone",
        Outcome::Unknown => "a status that this version does not know",
    }
}

/// A time as it is shown: to the second, in UTC.
pub(crate) fn rfc3339(time: time::OffsetDateTime) -> String {
    time.replace_nanosecond(0)
        .ok()
        .and_then(|time| {
            time.format(&time::format_description::well_known::Rfc3339)
                .ok()
        })
        .unwrap_or_default()
}

fn short_commit(commit: &str) -> String {
    let (hash, dirty) = commit
        .split_once('-')
        .map_or((commit, ""), |(hash, _)| (hash, "*"));
    format!("{}{dirty}", hash.get(..8).unwrap_or(hash))
}

/// A graph that cannot be worked on.
pub(crate) fn graph_failure(error: GraphError) -> Failure {
    Failure::new(Kind::Configuration, error.to_string())
}
