use std::fmt::Write as _;

use clap::Args;
use futures::future::try_join_all;
use serde::Serialize;
use stackway_infra::drift::{ResourceDrift, StackDrift};
use stackway_infra::flow::{DriftFinder, DriftFound, FlowError};
use stackway_infra::stack_def::StackGraph;

use super::status::graph_failure;
use crate::cli::{EndpointArgs, GlobalArgs};
use crate::cloud::Cloud;
use crate::failure::{Failure, Kind};
use crate::progress::Display;
use crate::settings::Settings;
use crate::ui::{BAD, BOLD, BUSY, DIM, GOOD, Ui};

/// Show where resources are not as their stacks made them, property by property
///
/// Starts CloudFormation's detection of drift, which reads the resources and changes nothing of them. `--revert` has the
/// service make a change set that sets them back, where it can. Exits with 1 where something has drifted or could not be
/// checked.
#[derive(Debug, Args)]
pub(crate) struct DriftArgs {
    /// Only these stacks
    #[arg(long = "stack", value_name = "STACK")]
    stacks: Vec<String>,
    /// Set drifted resources back by a change set, after asking
    #[arg(long)]
    revert: bool,
    /// Answer the question with yes
    #[arg(long, short, requires = "revert")]
    yes: bool,
    #[command(flatten)]
    endpoint: EndpointArgs,
}

#[derive(Debug, Serialize)]
struct StackReport<'a> {
    stack: &'static str,
    stack_name: &'a str,
    /// `in sync`, `drifted`, `not checked` or `not deployed`.
    state: &'static str,
    /// Why it, or part of it, was not checked.
    reason: Option<&'a str>,
    checked: usize,
    resources: Vec<ResourceReport<'a>>,
}

#[derive(Debug, Serialize)]
struct ResourceReport<'a> {
    logical_id: &'a str,
    physical_id: &'a str,
    resource_type: &'a str,
    status: String,
    reason: Option<&'a str>,
    differences: Vec<DifferenceReport<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    repair: Option<String>,
}

#[derive(Debug, Serialize)]
struct DifferenceReport<'a> {
    path: &'a str,
    expected: Option<&'a str>,
    actual: Option<&'a str>,
}

/// A stack (its name in the project, its name in CloudFormation) and what was found of it.
type Found = ((&'static str, String), DriftFound);

pub(crate) async fn run(ui: &Ui, global: &GlobalArgs, args: &DriftArgs) -> Result<(), Failure> {
    let settings = Settings::resolve(ui, global, &args.endpoint)?;
    let environment = settings.environment.name.to_string();
    let names: Vec<(&'static str, String)> = StackGraph::all()
        .and_then(|graph| graph.select(&args.stacks, false))
        .map_err(graph_failure)?
        .deploy_order()
        .iter()
        .map(|def| (def.name, settings.naming.stack(def.name)))
        .collect();
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
    let display = Display::new(ui, "reverted");
    let finder = DriftFinder {
        tools: cloud.tools(&display),
        drift: &cloud.stacks,
    };
    let failure = |error: FlowError| Failure::of_flow(error, Kind::Deploy, &environment);
    let mut found = look(&finder, &names).await.map_err(failure)?;
    if found.iter().all(|(_, found)| *found == DriftFound::Absent) {
        return Err(not_deployed());
    }
    let drifted = |found: &[Found]| {
        found
            .iter()
            .any(|(_, found)| drift(found).is_some_and(|drift| drift.drifted().count() > 0))
    };
    if args.revert && drifted(&found) {
        show(ui, &found, true);
        revert(ui, &cloud, &finder, &found, &environment, args.yes).await?;
        // What counts is how it is now.
        found = look(&finder, &names).await.map_err(failure)?;
    }
    display.clear();
    show(ui, &found, false);
    verdict(&found, &environment, args.revert)
}

async fn look(
    finder: &DriftFinder<'_>,
    names: &[(&'static str, String)],
) -> Result<Vec<Found>, FlowError> {
    let found = try_join_all(names.iter().map(|(_, name)| finder.find(name))).await?;
    Ok(names.iter().cloned().zip(found).collect())
}

fn drift(found: &DriftFound) -> Option<&StackDrift> {
    match found {
        DriftFound::Drift(drift) => Some(drift),
        _ => None,
    }
}

/// Makes a reverting change set for each drifted stack, asks once, and executes them one after the other.
async fn revert(
    ui: &Ui,
    cloud: &Cloud,
    finder: &DriftFinder<'_>,
    found: &[Found],
    environment: &str,
    yes: bool,
) -> Result<(), Failure> {
    let failure = |error: FlowError| Failure::of_flow(error, Kind::Deploy, environment);
    ui.on_interrupt(
        "no resource was changed; a change set `stackway-revert-…` may be left in a drifted stack",
        format!("`cargo xtask drift --env {environment} --revert` starts over"),
    );
    let mut proposed = Vec::new();
    for ((stack, _), found) in found {
        let Some(drift) = drift(found).filter(|drift| drift.drifted().count() > 0) else {
            continue;
        };
        match finder.propose(drift).await.map_err(failure)? {
            Some(set) => proposed.push((*stack, set)),
            None => ui.warn(format!(
                "{stack}: the service makes no reverting change set for this; see `repair` below"
            )),
        }
    }
    if proposed.is_empty() {
        return Ok(());
    }
    for (stack, set) in &proposed {
        for change in &set.changes {
            ui.say(format!(
                "{stack:<12} {} {} ({})",
                change.action, change.logical_id, change.resource_type
            ));
        }
    }
    let question = format!("Set these resources back in account {}?", cloud.account);
    if let Err(declined) = ui.confirm(&question, environment, yes) {
        for (_, set) in &proposed {
            finder.discard(set).await.map_err(failure)?;
        }
        return Err(declined);
    }
    ui.on_interrupt(
        "CloudFormation goes on with the operation it has begun",
        format!("`cargo xtask drift --env {environment}` shows what is left"),
    );
    for (stack, set) in &proposed {
        finder.revert(stack, set).await.map_err(failure)?;
    }
    Ok(())
}

fn verdict(found: &[Found], environment: &str, reverted: bool) -> Result<(), Failure> {
    let all = || found.iter().filter_map(|(_, found)| drift(found));
    let drifted: usize = all().map(|drift| drift.drifted().count()).sum();
    let failed: usize = all().map(|drift| drift.failed().count()).sum();
    let not_now = found
        .iter()
        .filter(|(_, found)| matches!(found, DriftFound::NotNow { .. }))
        .count();
    if drifted > 0 {
        let failure = Failure::new(
            Kind::Check,
            format!("{drifted} resources of `{environment}` are not as their stacks made them"),
        );
        return Err(if reverted {
            failure.hint("repair each as it says above")
        } else {
            failure.hint(format!(
                "`cargo xtask drift --env {environment} --revert` sets them back where the service can; else repair each \
                 as it says above"
            ))
        });
    }
    if failed + not_now > 0 {
        return Err(Failure::new(
            Kind::Check,
            format!(
                "{failed} resources and {not_now} stacks of `{environment}` could not be checked"
            ),
        ));
    }
    Ok(())
}

impl<'a> StackReport<'a> {
    fn new(stack: &'static str, stack_name: &'a str, found: &'a DriftFound) -> Self {
        let (state, reason, drift) = match found {
            DriftFound::Absent => ("not deployed", None, None),
            DriftFound::NotNow { status } => ("not checked", Some(status.as_str()), None),
            DriftFound::Drift(drift) => {
                let state = if drift.drifted().count() > 0 {
                    "drifted"
                } else if drift.checked() > 0 {
                    "in sync"
                } else {
                    "not checked"
                };
                (state, drift.reason.as_deref(), Some(drift))
            }
        };
        Self {
            stack,
            stack_name,
            state,
            reason,
            checked: drift.map_or(0, StackDrift::checked),
            resources: drift.map_or_else(Vec::new, |drift| {
                drift
                    .resources
                    .iter()
                    .map(|resource| ResourceReport::new(stack, resource))
                    .collect()
            }),
        }
    }

    /// As lines; what is in sync is counted alone.
    fn text(&self, drift: Option<&StackDrift>) -> String {
        let name = self.stack;
        let style = match self.state {
            "in sync" => GOOD,
            "drifted" => BAD,
            _ => BUSY,
        };
        // Writing to a string cannot fail.
        let mut head = format!("{BOLD}{name:<12}{BOLD:#} {style}{}{style:#}", self.state);
        if let Some(drift) = drift {
            let not_checked = drift.resources.len() - self.checked - drift.failed().count();
            let _ = write!(head, " {DIM}{} resources checked{DIM:#}", self.checked);
            if not_checked > 0 {
                let _ = write!(
                    head,
                    "{DIM}, {not_checked} not, of types that take no part: {}{DIM:#}",
                    drift.types_not_checked().join(", ")
                );
            }
        }
        if let Some(reason) = self.reason {
            let _ = write!(head, " {DIM}({reason}){DIM:#}");
        }
        let mut lines = vec![head];
        for resource in self
            .resources
            .iter()
            .filter(|resource| resource.repair.is_some())
        {
            lines.push(format!(
                "  {BOLD}{}{BOLD:#} ({}) {BAD}{}{BAD:#} {DIM}{}{DIM:#}",
                resource.logical_id, resource.resource_type, resource.status, resource.physical_id
            ));
            lines.extend(
                resource
                    .reason
                    .map(|reason| format!("    reason  {reason}")),
            );
            for difference in &resource.differences {
                lines.push(format!(
                    "    {}  expected {GOOD}{}{GOOD:#}  actual {BAD}{}{BAD:#}",
                    difference.path,
                    difference.expected.unwrap_or("nothing"),
                    difference.actual.unwrap_or("nothing")
                ));
            }
            lines.extend(
                resource
                    .repair
                    .iter()
                    .map(|repair| format!("    repair  {repair}")),
            );
        }
        lines.join("\n")
    }
}

impl<'a> ResourceReport<'a> {
    fn new(stack: &str, drift: &'a ResourceDrift) -> Self {
        Self {
            logical_id: &drift.logical_id,
            physical_id: &drift.physical_id,
            resource_type: &drift.resource_type,
            status: drift.status.to_string(),
            reason: drift.reason.as_deref(),
            differences: drift
                .differences
                .iter()
                .map(|difference| DifferenceReport {
                    path: &difference.path,
                    expected: difference.expected.as_deref(),
                    actual: difference.actual.as_deref(),
                })
                .collect(),
            repair: drift.repair(stack),
        }
    }
}

/// Shows what was found; `talk` puts it beside the data, for a person who is asked in a moment.
fn show(ui: &Ui, found: &[Found], talk: bool) {
    let reports: Vec<_> = found
        .iter()
        .map(|((stack, name), found)| StackReport::new(stack, name, found))
        .collect();
    if ui.is_json() && !talk {
        ui.json(&reports);
        return;
    }
    for (report, (_, found)) in reports.iter().zip(found) {
        let text = report.text(drift(found));
        if talk {
            ui.say(text);
        } else {
            ui.data(text);
        }
    }
}

#[cfg(test)]
mod tests {
    use stackway_infra::drift::{DriftStatus, PropertyDifference};

    use super::*;

    fn found() -> Vec<Found> {
        let resource =
            |id: &str, status: DriftStatus, differences: Vec<PropertyDifference>| ResourceDrift {
                logical_id: id.to_owned(),
                physical_id: format!("acme-{id}"),
                resource_type: "AWS::Logs::LogGroup".to_owned(),
                reason: (status == DriftStatus::Failed).then(|| "access denied".to_owned()),
                status,
                differences,
            };
        let drift = StackDrift::new(
            "arn",
            Some("Failed to detect drift on resources [D]".to_owned()),
            vec![
                resource("A", DriftStatus::InSync, Vec::new()),
                resource(
                    "B",
                    DriftStatus::Modified,
                    vec![
                        PropertyDifference::new("/RetentionInDays", "NOT_EQUAL", "30", "7"),
                        PropertyDifference::new("/Tags/2", "ADD", "null", "{\"Key\": \"who\"}"),
                    ],
                ),
                resource("C", DriftStatus::Deleted, Vec::new()),
                resource("D", DriftStatus::Failed, Vec::new()),
            ],
            [(
                "E".to_owned(),
                "e".to_owned(),
                "AWS::S3::BucketPolicy".to_owned(),
            )],
        );
        let name = |stack: &'static str| (stack, format!("acme-{stack}"));
        vec![
            (name("artifacts"), DriftFound::Absent),
            (
                name("table"),
                DriftFound::NotNow {
                    status: "UPDATE_IN_PROGRESS".to_owned(),
                },
            ),
            (name("api"), DriftFound::Drift(drift)),
        ]
    }

    #[test]
    fn told_as_text_and_json() {
        let found = found();
        let reports: Vec<_> = found
            .iter()
            .map(|((stack, name), found)| StackReport::new(stack, name, found))
            .collect();
        let texts: Vec<_> = reports
            .iter()
            .zip(&found)
            .map(|(report, (_, found))| {
                anstream::adapter::strip_str(&report.text(drift(found))).to_string()
            })
            .collect();
        insta::assert_snapshot!("text", texts.join("\n"));
        insta::assert_json_snapshot!("json", reports);
    }

    #[test]
    fn drift_is_a_failed_check() {
        let failure = verdict(&found(), "dev", false).unwrap_err();
        assert_eq!(failure.kind, Kind::Check);
        assert!(
            failure.message.starts_with("2 resources"),
            "{}",
            failure.message
        );
        let absent = [found().remove(0)];
        assert!(verdict(&absent, "dev", false).is_ok());
        let busy = [found().remove(1)];
        assert!(
            verdict(&busy, "dev", false)
                .unwrap_err()
                .message
                .contains("1 stacks")
        );
    }
}
