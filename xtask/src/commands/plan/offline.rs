//! `plan --offline`: the work tree against a commit, without a call.

use std::path::Path;

use stackway_infra::config::Config;
use stackway_infra::stack::{StackChanges, StackVersion};
use stackway_infra::template::Template;
use stackway_infra::template_diff::Version;

use super::{PlanArgs, all_stacks, show, with_cost};
use crate::change_report::{ChangeReport, Source, StackReport, Summary};
use crate::cli::GlobalArgs;
use crate::delivery::{self, Selection};
use crate::deploy_plan::{DeployPlan, parameters, pseudo_parameters};
use crate::failure::{Failure, Kind};
use crate::project::Revision;
use crate::settings::Settings;
use crate::ui::Ui;

pub(super) fn run(ui: &Ui, global: &GlobalArgs, args: &PlanArgs) -> Result<(), Failure> {
    let settings = Settings::resolve_without_endpoint(global)?;
    let Selection { graph, .. } = delivery::select(ui, &settings, &args.stacks)?;
    let plan = DeployPlan::new(&settings, &graph)?;
    let against = args.against.as_deref().unwrap_or("HEAD");
    let revision = settings.project.revision(against)?;
    let environment = environment_at(ui, &settings, &revision)?;
    let mut stacks = Vec::new();
    for (def, input, mut after) in plan.versions() {
        after.tags = &settings.environment.tags;
        let template = template_at(&revision, def.name)?;
        let before = template.as_ref().map(|template| {
            let given = environment
                .parameters
                .get(def.name)
                .cloned()
                .unwrap_or_default();
            let parameters = parameters(&environment, &settings.naming, template, given);
            StackVersion {
                version: Version {
                    template,
                    values: parameters
                        .into_iter()
                        .chain(pseudo_parameters(&settings))
                        .collect(),
                },
                tags: &environment.tags,
            }
        });
        let changes = StackChanges::of_templates(before.as_ref(), &after);
        let mut report = StackReport::new(def.name, &input.stack_name, Source::Templates, changes);
        if def.package.is_some() {
            let files = revision.changed_files(&def.code())?;
            if files > 0 {
                report.notes.push(format!(
                    "its code may change: {files} of its source files differ"
                ));
            }
        }
        stacks.push(report);
    }
    let before = || crate::pricing::Selection::of_revision(&settings, &all_stacks()?, &revision);
    show(
        ui,
        &with_cost(
            ui,
            &settings,
            before(),
            ChangeReport {
                environment: settings.environment.name.to_string(),
                region: settings.naming.region.clone(),
                compared: format!(
                    "{against} ({}) with the work tree, by templates alone",
                    revision.short()
                ),
                summary: Summary::of(&stacks),
                stacks,
                stack_sets: Vec::new(),
                cost: None,
            },
        ),
    );
    Ok(())
}

/// The environment as the commit's stackway.toml has it; today's where the commit has none that this version reads.
fn environment_at(
    ui: &Ui,
    settings: &Settings,
    revision: &Revision,
) -> Result<stackway_infra::config::Environment, Failure> {
    let Some(text) = revision.file("stackway.toml")? else {
        return Ok(settings.environment.clone());
    };
    let name = settings.environment.name.to_string();
    let found = Config::parse(&text, Path::new("stackway.toml"))
        .and_then(|config| config.environment(&name).cloned());
    Ok(found.unwrap_or_else(|error| {
        ui.warn(format!(
            "the commit's parameters are taken from today's stackway.toml, since its own cannot be used: {error}"
        ));
        settings.environment.clone()
    }))
}

fn template_at(revision: &Revision, stack: &str) -> Result<Option<Template>, Failure> {
    let file = format!("cloudformation/{stack}.yaml");
    let Some(text) = revision.file(&file)? else {
        return Ok(None);
    };
    Template::parse(&text, Path::new(&file))
        .map(Some)
        .map_err(|error| {
            Failure::new(
                Kind::Configuration,
                format!("cannot use `{file}` of {}", revision.short()),
            )
            .cause(error.to_string())
            .hint("name another commit with --against")
        })
}
