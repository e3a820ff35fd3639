//! What a deploy has to do with the pipelines: which stacks are theirs, and what a person has to do once.

use std::collections::{BTreeMap, BTreeSet};

use stackway_infra::cloud::Stacks as _;
use stackway_infra::config::{Delivery, EnvironmentKind};
use stackway_infra::flow::{Deployed, Outputs, WhatHappened};
use stackway_infra::stack_def::{DELIVERED, DELIVERY, Presence, StackDef, StackGraph};
use stackway_infra::template::Template;

use crate::cloud::Cloud;
use crate::commands::outputs::AllOutputs;
use crate::commands::status::graph_failure;
use crate::failure::{Failure, Kind};
use crate::settings::{Endpoint, Settings};
use crate::stack_sets;
use crate::ui::{BOLD, Ui};

/// Types that the emulator does not know. It refuses a whole template that has one.
const NOT_EMULATED: [&str; 7] = [
    "AWS::Budgets::Budget",
    "AWS::CE::AnomalyMonitor",
    "AWS::CE::AnomalySubscription",
    "AWS::CodeBuild::ReportGroup",
    "AWS::CodeConnections::Connection",
    "AWS::CodePipeline::Pipeline",
    "AWS::IAM::OIDCProvider",
];

/// The stacks of a deploy.
pub(crate) struct Selection {
    pub(crate) graph: StackGraph,
    /// How many of those that were asked for are left out, each of them said by name.
    pub(crate) skipped: usize,
}

/// The stacks to deploy. A pipeline's environment leaves what runs code to the pipeline; others have none.
pub(crate) fn select(ui: &Ui, settings: &Settings, names: &[String]) -> Result<Selection, Failure> {
    let graph = StackGraph::all()
        .and_then(|graph| graph.select(names, true))
        .map_err(graph_failure)?;
    let mut kept: Vec<StackDef> = Vec::new();
    let mut skipped = 0;
    for def in graph.deploy_order() {
        match left_out(settings, def)? {
            Some(reason) => {
                skipped += 1;
                ui.say(format!("{}: skipped: {reason}", def.name));
            }
            None => kept.push(*def),
        }
    }
    Ok(Selection {
        graph: stack_sets::only(&graph, &kept)?,
        skipped,
    })
}

/// The outputs of the stack that is left to the pipeline, where a stack of the selection needs them. A stack that needs what is
/// not there yet is left out: the first deploy makes the pipeline, and the pipeline that stack.
pub(crate) async fn delivered(
    ui: &Ui,
    settings: &Settings,
    cloud: &Cloud,
    selection: Selection,
) -> Result<(Selection, Outputs), Failure> {
    let Selection { graph, mut skipped } = selection;
    if !needs_delivered(&graph) {
        return Ok((Selection { graph, skipped }, Outputs::new()));
    }
    let name = settings.naming.stack(DELIVERED);
    let stack = cloud.stacks.describe_stack(&name).await?;
    let outputs = stack.map(|stack| stack.outputs).unwrap_or_default();
    let mut kept = Vec::new();
    for def in graph.deploy_order() {
        match waits_for(def, &outputs) {
            None => kept.push(*def),
            Some(output) => {
                skipped += 1;
                ui.say(format!(
                    "{}: skipped: it needs `{output}` of `{DELIVERED}`, which the pipeline makes; deploy again once it stands",
                    def.name
                ));
            }
        }
    }
    let graph = stack_sets::only(&graph, &kept)?;
    Ok((
        Selection { graph, skipped },
        Outputs::from([(DELIVERED, outputs)]),
    ))
}

/// Whether a stack of the graph needs the stack that a pipeline deploys, and that stack is not of the graph.
fn needs_delivered(graph: &StackGraph) -> bool {
    let stacks = graph.deploy_order();
    stacks.iter().all(|def| def.name != DELIVERED)
        && (stacks.iter()).any(|def| def.needed_stacks().contains(DELIVERED))
}

/// The first output of the delivered stack that this one needs and that is not there.
fn waits_for(def: &StackDef, outputs: &BTreeMap<String, String>) -> Option<&'static str> {
    let needs = def.needs.iter();
    needs
        .filter(|need| need.stack == DELIVERED && !need.if_there)
        .map(|need| need.output)
        .find(|output| !outputs.contains_key(*output))
}

/// The stacks that the environment has, whoever deploys them.
pub(crate) fn of_environment(settings: &Settings) -> Result<StackGraph, Failure> {
    let all = StackGraph::all().map_err(graph_failure)?;
    let stacks = all.deploy_order().iter().copied();
    let kept: Vec<_> = stacks.filter(|def| settings.environment.has(def)).collect();
    stack_sets::only(&all, &kept)
}

/// Why a stack is not deployed.
pub(crate) fn left_out(settings: &Settings, def: &StackDef) -> Result<Option<String>, Failure> {
    let name = &settings.environment.name;
    if !settings.environment.has(def) {
        let table = format!("[environments.{name}]");
        return Ok(Some(match def.presence {
            Presence::OnRequest => format!("it is there on request: add it to `with` of {table}"),
            Presence::Offered | Presence::Always => format!("`without` of {table} names it"),
        }));
    }
    if matches!(settings.endpoint, Endpoint::Own { .. })
        && settings.environment.kind == EnvironmentKind::Local
        && stack_sets::placement(settings, def.name).is_some()
    {
        return Ok(Some(
            "it is placed as a stack set, and the emulator has none".to_owned(),
        ));
    }
    if settings.environment.kind == EnvironmentKind::Local {
        let template = settings.project.template(def)?;
        let types: BTreeSet<_> = template
            .resources
            .values()
            .map(|resource| resource.resource_type.as_str())
            .collect();
        let missing: Vec<_> = NOT_EMULATED
            .into_iter()
            .filter(|one| types.contains(one))
            .collect();
        if !missing.is_empty() {
            return Ok(Some(format!("the emulator has no {}", missing.join(", "))));
        }
    }
    Ok(match settings.environment.delivery {
        Delivery::Pipeline if def.name == DELIVERED => Some(format!(
            "left to the pipeline, which owns it in `{name}` (delivery = \"pipeline\")"
        )),
        Delivery::Direct if def.name == DELIVERY => {
            Some(format!("`{name}` has no pipelines (delivery = \"direct\")"))
        }
        _ => None,
    })
}

/// Gives a template what it asks for of the repository.
pub(crate) fn fill(
    settings: &Settings,
    template: &Template,
    parameters: &mut BTreeMap<String, String>,
) -> Result<(), Failure> {
    let name = "RepositoryId";
    if template.parameters.contains_key(name) && !parameters.contains_key(name) {
        parameters.insert(name.to_owned(), repository_id(&settings.repository)?);
    }
    Ok(())
}

/// Says what a person has to do before the pipelines run.
pub(crate) fn after(ui: &Ui, settings: &Settings, deployed: &[Deployed], outputs: &AllOutputs) {
    let Some(stack) = deployed.iter().find(|stack| stack.name == DELIVERY) else {
        return;
    };
    let output = |name: &str| {
        outputs
            .get(DELIVERY)
            .and_then(|outputs| outputs.get(name))
            .map_or("", String::as_str)
    };
    let console = console(&settings.naming.region);
    let pipeline = output("ApplicationPipelineName");
    if stack.what == WhatHappened::Created {
        ui.say(format!(
            "\nthe connection to the repository waits until a person authorises it, once:\n  \
             {BOLD}{console}/settings/connections{BOLD:#} ({})\n\
             then a push to the delivered branch starts `{pipeline}`",
            output("ConnectionArn")
        ));
    } else {
        ui.say(format!(
            "\na push to the delivered branch starts `{pipeline}`: {console}/codepipeline/pipelines/{pipeline}/view"
        ));
    }
}

/// The developer tools' console of a region.
fn console(region: &str) -> String {
    let domain = if region.starts_with("cn-") {
        "console.amazonaws.cn"
    } else if region.starts_with("us-gov-") {
        "console.amazonaws-us-gov.com"
    } else {
        "console.aws.amazon.com"
    };
    format!("https://{region}.{domain}/codesuite")
}

/// `owner/name` of a repository's address: `https://github.com/owner/name`, `git@github.com:owner/name.git`.
pub(crate) fn repository_id(repository: &str) -> Result<String, Failure> {
    let path = match repository.split_once("://") {
        Some((_, rest)) => rest.split_once('/').map(|(_, path)| path),
        None => repository.split_once(':').map(|(_, path)| path),
    };
    let path = path.unwrap_or_default().trim_matches('/');
    let path = path.strip_suffix(".git").unwrap_or(path);
    let word = |word: &str| {
        let fits = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
        !word.is_empty() && word.bytes().all(fits)
    };
    if path.contains('/') && path.split('/').all(word) {
        return Ok(path.to_owned());
    }
    Err(Failure::new(
        Kind::Configuration,
        format!("`{repository}` does not tell the repository's owner and name"),
    )
    .hint("set `repository` under [project] of stackway.toml to https://HOST/OWNER/NAME"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(repository: &str, expected: Option<&str>) {
        assert_eq!(
            repository_id(repository).ok().as_deref(),
            expected,
            "{repository}"
        );
    }

    #[test]
    fn addresses_tell_owner_and_name() {
        for (repository, expected) in [
            ("https://github.com/example/stackway", "example/stackway"),
            (
                "https://github.com/example/stackway.git",
                "example/stackway",
            ),
            ("https://gitlab.com/group/sub/name/", "group/sub/name"),
            ("git@github.com:example/stackway.git", "example/stackway"),
            ("ssh://git@github.com/example/stackway", "example/stackway"),
        ] {
            check(repository, Some(expected));
        }
        for none in [
            "",
            "stackway",
            "https://github.com",
            "https://github.com/example",
            "https://github.com/a b/c",
        ] {
            check(none, None);
        }
    }

    #[test]
    fn what_needs_the_pipeline_s_stack_waits_for_all_that_it_gives() {
        let all = StackGraph::all().unwrap();
        assert!(!needs_delivered(&all), "it is there itself");
        let names = ["table", "container", "github"].map(str::to_owned);
        let without = all.select(&names, false).unwrap();
        assert!(needs_delivered(&without));
        let [table, container, github] = without.deploy_order() else {
            panic!("{without:?}");
        };
        let outputs = |names: &[&str]| {
            let values = names
                .iter()
                .map(|name| ((*name).to_owned(), "x".to_owned()));
            values.collect::<BTreeMap<_, _>>()
        };
        let old = outputs(&["ApiUrl", "ApiId"]);
        for (def, there, expected) in [
            (table, outputs(&[]), None),
            (github, outputs(&[]), None),
            (container, outputs(&[]), Some("ApiId")),
            (container, old, Some("Authorizer")),
            (
                container,
                outputs(&["ApiId", "Authorizer", "AuthorizerId"]),
                None,
            ),
        ] {
            assert_eq!(waits_for(def, &there), expected, "{}", def.name);
        }
    }

    #[test]
    fn the_console_is_the_region_s() {
        assert_eq!(
            console("eu-west-2"),
            "https://eu-west-2.console.aws.amazon.com/codesuite"
        );
        assert_eq!(
            console("cn-north-1"),
            "https://cn-north-1.console.amazonaws.cn/codesuite"
        );
    }
}
