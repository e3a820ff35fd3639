use std::path::Path;

use clap::Args;
use stackway_infra::cloud::Stacks as _;
use stackway_infra::flow::StackInput;
use stackway_infra::stack::{StackChanges, StackVersion};
use stackway_infra::stack_def::StackDef;
use stackway_infra::template::Template;
use stackway_infra::template_diff::Version;

use super::status::graph_failure;
use crate::change_report::{self, ChangeReport, Source, StackReport, Summary, Verdict};
use crate::cli::{EndpointArgs, GlobalArgs};
use crate::cloud::Cloud;
use crate::delivery::{self, Selection};
use crate::deploy_plan::{CODE_PARAMETERS, DeployPlan};
use crate::failure::{Failure, Kind};
use crate::settings::Settings;
use crate::stack_sets;
use crate::ui::Ui;

/// Compare the templates here with those that are deployed
///
/// Resources, parameters, tags and outputs, by the templates and the environment's parameters. Only reads; the code of
/// a function is not compared, since that would build it: `plan` does. Exits with 0 whether or not they differ, unless
/// `--exit-code` is given. docs/plan.md describes `--format json`.
#[derive(Debug, Args)]
pub(crate) struct DiffArgs {
    /// Only these stacks
    #[arg(long = "stack", value_name = "STACK")]
    stacks: Vec<String>,
    /// Exit with 1 where something differs
    #[arg(long)]
    exit_code: bool,
    #[command(flatten)]
    endpoint: EndpointArgs,
}

pub(crate) async fn run(ui: &Ui, global: &GlobalArgs, args: &DiffArgs) -> Result<(), Failure> {
    let settings = Settings::resolve(ui, global, &args.endpoint)?;
    let Selection { graph, .. } = delivery::select(ui, &settings, &args.stacks)?;
    let graph = graph.select(&args.stacks, false).map_err(graph_failure)?;
    let plan = DeployPlan::new(&settings, &graph)?;
    let cloud = Cloud::for_reading(&settings).await?;
    let mut stacks = Vec::new();
    for (def, input, after) in plan.versions() {
        if stack_sets::placement(&settings, def.name).is_some() {
            ui.say(format!(
                "{}: placed as a stack set, which `cargo xtask plan` compares",
                def.name
            ));
            continue;
        }
        stacks.push(match &cloud {
            Some(cloud) => compared(cloud, &settings, def, input, after).await?,
            None => not_deployed(def, input, &after),
        });
    }
    let differ = stacks
        .iter()
        .filter(|stack| stack.verdict != Verdict::Unchanged)
        .count();
    let all = stacks.len();
    let report = ChangeReport {
        environment: settings.environment.name.to_string(),
        region: settings.naming.region.clone(),
        compared: "what is deployed with the work tree, by templates alone".to_owned(),
        cost: None,
        summary: Summary::of(&stacks),
        stacks,
        stack_sets: Vec::new(),
    };
    if ui.is_json() {
        ui.json(&report);
    } else {
        ui.data(change_report::text(&report, ui.is_verbose()));
    }
    if args.exit_code && differ > 0 {
        let name = &settings.environment.name;
        return Err(Failure::new(
            Kind::Check,
            format!("{differ} of {all} stacks differ from what is deployed"),
        )
        .hint(format!(
            "`cargo xtask plan --env {name}` shows what a deploy would do"
        )));
    }
    Ok(())
}

/// One stack against what is deployed of it.
async fn compared(
    cloud: &Cloud,
    settings: &Settings,
    def: &StackDef,
    input: &StackInput,
    mut after: StackVersion<'_>,
) -> Result<StackReport, Failure> {
    let Some((stack, text)) = cloud.deployed(&input.stack_name).await? else {
        return Ok(not_deployed(def, input, &after));
    };
    let template = match Template::parse(&text, Path::new("the deployed template")) {
        Ok(template) => template,
        Err(error) => {
            let note = Some(format!(
                "this version cannot read what is deployed: {error}"
            ));
            return Ok(StackReport::without_changes(
                def.name,
                &input.stack_name,
                Verdict::Failed,
                note,
            ));
        }
    };
    let code = stack
        .parameters
        .iter()
        .filter(|(name, _)| CODE_PARAMETERS.contains(&name.as_str()));
    after
        .version
        .values
        .extend(code.map(|(name, value)| (name.clone(), value.clone())));
    let placed = stack_sets::outputs_here(settings, &cloud.account);
    for need in def.needs {
        let mut value = placed
            .get(need.stack)
            .and_then(|of| of.get(need.output))
            .cloned();
        if value.is_none() {
            let needed = cloud
                .stacks
                .describe_stack(&settings.naming.stack(need.stack))
                .await?;
            value = needed.and_then(|needed| needed.outputs.get(need.output).cloned());
        }
        if let Some(value) = value {
            after
                .version
                .values
                .insert(need.parameter.to_owned(), value);
        }
    }
    let pseudo = Version::of_arn(&stack.id);
    after.version.values.extend(pseudo.clone());
    let before = StackVersion {
        version: Version {
            template: &template,
            values: stack.parameters.clone().into_iter().chain(pseudo).collect(),
        },
        tags: &stack.tags,
    };
    let changes = StackChanges::of_templates(Some(&before), &after);
    Ok(StackReport::new(
        def.name,
        &input.stack_name,
        Source::Templates,
        changes,
    ))
}

fn not_deployed(def: &StackDef, input: &StackInput, after: &StackVersion<'_>) -> StackReport {
    let changes = StackChanges::of_templates(None, after);
    let mut report = StackReport::new(def.name, &input.stack_name, Source::Templates, changes);
    report.notes.push("it is not deployed".to_owned());
    report
}
