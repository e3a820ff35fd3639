use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use clap::Args;
use comfy_table::{Table, presets};
use serde::Serialize;
use stackway_infra::clock::{Clock as _, SystemClock};
use stackway_infra::cloud::{CloudError, ImportRequest, Imports as _, Stacks as _};
use stackway_infra::config::EnvironmentKind;
use stackway_infra::flow::{FlowError, Importer, Planner};
use stackway_infra::preflight::is_ours;
use stackway_infra::stack::{ImportPlan, ImportTarget, ImportWish, Stack};
use stackway_infra::stack_def::{StackDef, StackGraph};
use stackway_infra::template::Template;
use stackway_infra::template_diff::Version;

use super::outputs;
use super::status::graph_failure;
use crate::cli::{EndpointArgs, GlobalArgs};
use crate::cloud::Cloud;
use crate::deploy_plan::DeployPlan;
use crate::diagnosis;
use crate::failure::{Failure, Kind};
use crate::interrupt;
use crate::progress::Display;
use crate::settings::Settings;
use crate::stack_sets;
use crate::ui::Ui;

/// Take resources that are there already into a stack, as they are
///
/// Such as a table that CDK, SAM or a person made. By a change set that imports and does nothing else; one that would do more is refused. A resource is known by the name that
/// its template gives it, or by `--id`. The deploy after it gives the stack its outputs, its tags and what is not there yet. On
/// AWS it checks the account first, and asks. docs/interop.md is its guide.
#[derive(Debug, Args)]
pub(crate) struct ImportArgs {
    /// The stack that takes them in; one that is not there is made
    #[arg(long, value_name = "STACK")]
    stack: String,
    /// Only these resources, by logical id [default: all of the template that the stack does not hold]
    #[arg(long = "resource", value_name = "LOGICAL_ID")]
    resources: Vec<String>,
    /// What a resource is known by: Table.TableName=orders
    #[arg(long = "id", value_name = "LOGICAL_ID.PROPERTY=VALUE", value_parser = identifier)]
    ids: Vec<Identifier>,
    /// Show what would be imported and change nothing
    #[arg(long)]
    dry_run: bool,
    /// Answer the question with yes
    #[arg(long, short)]
    yes: bool,
    #[command(flatten)]
    endpoint: EndpointArgs,
}

/// Resource, property, value.
type Identifier = (String, String, String);

fn identifier(text: &str) -> Result<Identifier, String> {
    (text.split_once('='))
        .and_then(|(place, value)| {
            let (id, property) = place.split_once('.')?;
            let parts = [id, property, value];
            (!parts.contains(&"")).then(|| (id.to_owned(), property.to_owned(), value.to_owned()))
        })
        .ok_or_else(|| {
            "write it as LogicalId.Property=VALUE, such as Table.TableName=orders".to_owned()
        })
}

pub(crate) async fn run(ui: &Ui, global: &GlobalArgs, args: &ImportArgs) -> Result<(), Failure> {
    let settings = Settings::resolve(ui, global, &args.endpoint)?;
    let name = settings.environment.name.to_string();
    let all = StackGraph::all().map_err(graph_failure)?;
    let graph = all
        .select(std::slice::from_ref(&args.stack), false)
        .map_err(graph_failure)?;
    let def = *graph.deploy_order().first().ok_or_else(|| {
        Failure::new(
            Kind::Configuration,
            format!("no stack is called `{}`", args.stack),
        )
    })?;
    if stack_sets::placement(&settings, def.name).is_some() {
        return Err(Failure::new(
            Kind::Configuration,
            format!("`{}` is a stack set in `{name}`, and an import is of one stack", def.name),
        )
        .hint("import into a stack, then into the stack set: `aws cloudformation import-stacks-to-stack-set`"));
    }
    let plan = DeployPlan::new(&settings, &graph)?;
    let cloud = Cloud::for_reading(&settings).await?.ok_or_else(|| {
        Failure::new(
            Kind::NotDeployed,
            "the emulator does not run, so there is nothing to import",
        )
        .hint(format!("run `cargo xtask deploy --env {name}`"))
    })?;
    let display = Display::new(ui, "imported");
    let importer = Importer {
        tools: cloud.tools(&display),
        imports: &cloud.stacks,
        control: &cloud.stacks,
        stop: Planner::stop_at(interrupt::next()),
    };
    let again = format!(
        "`cargo xtask import --env {name} --stack {}` begins again",
        def.name
    );
    ui.on_interrupt("nothing was changed", again.as_str());
    let failed = |error: FlowError| Failure::of_flow(error, Kind::Deploy, &name);
    let stack_name = settings.naming.stack(def.name);
    let standing = importer
        .stack(def.name, &stack_name)
        .await
        .map_err(failed)?;
    let wanted = Wanted {
        settings: &settings,
        plan: &plan,
        cloud: &cloud,
        def: &def,
    };
    let (import, request) = wanted.request(args, standing.as_ref()).await?;
    show(ui, &name, &stack_name, standing.is_none(), &import);
    if args.dry_run {
        return Ok(());
    }
    if settings.environment.kind == EnvironmentKind::Aws {
        ui.say(format!(
            "account {} ({}), region {}",
            cloud.account, cloud.caller_arn, settings.naming.region
        ));
        let question = format!(
            "Import into stack {stack_name} of account {}?",
            cloud.account
        );
        ui.confirm(&question, &name, args.yes)?;
    }
    ui.leave_interrupt_to_command();
    let set = importer
        .propose(&request)
        .await
        .map_err(|error| refused(failed(error)))?;
    ui.on_interrupt(
        "CloudFormation goes on with the import, and lets go of what it took if it fails",
        again.as_str(),
    );
    let ended = importer.carry_out(def.name, &set).await;
    display.clear();
    if let Err(error) = ended {
        return Err(diagnosis::explain(failed(error.clone()), &error, &cloud).await);
    }
    let ours = standing.is_some_and(|stack| is_ours(&settings.naming, &stack.tags));
    ui.say(imported(&import, &stack_name, &name, def.name, ours));
    Ok(())
}

/// What was done, and what comes next. A stack of ours has its tags already.
fn imported(plan: &ImportPlan, stack_name: &str, name: &str, stack: &str, ours: bool) -> String {
    let (count, them) = match plan.targets.len() {
        1 => ("1 resource".to_owned(), "it differs"),
        count => (format!("{count} resources"), "they differ"),
    };
    let here = format!("--env {name} --stack {stack}");
    let (adopt, gives) = if ours {
        (String::new(), "outputs")
    } else {
        (format!(" --adopt {stack}"), "its outputs and tags")
    };
    format!(
        "imported {count} into {stack_name}; `cargo xtask drift {here}` tells where {them} from the template\n\
         next: `cargo xtask deploy {here}{adopt}` gives the stack {gives}, and changes what differs"
    )
}

/// The tags that a stack was given; those of AWS itself cannot be given.
fn own_tags(stack: &Stack) -> BTreeMap<String, String> {
    let tags = stack.tags.clone().into_iter();
    tags.filter(|(key, _)| !key.starts_with("aws:")).collect()
}

/// What CloudFormation says against an import is mostly of one of two things.
fn refused(failure: Failure) -> Failure {
    failure.hint("what is imported must be there, and be held by no other stack: remove it there with DeletionPolicy Retain first")
}

/// What an import is planned from.
struct Wanted<'a> {
    settings: &'a Settings,
    plan: &'a DeployPlan,
    cloud: &'a Cloud,
    def: &'a StackDef,
}

impl Wanted<'_> {
    async fn request(
        &self,
        args: &ImportArgs,
        standing: Option<&Stack>,
    ) -> Result<(ImportPlan, ImportRequest), Failure> {
        let def = self.def;
        let (template, input) = self
            .plan
            .stack(def)
            .map_err(|error| Failure::of_flow(error, Kind::Configuration, ""))?;
        if standing.is_none() && self.plan.runs_zip(def) {
            return Err(Failure::new(
                Kind::Configuration,
                format!(
                    "`{}` runs code that a deploy uploads, so it is made anew and not imported",
                    def.name
                ),
            )
            .hint(format!(
                "run `cargo xtask deploy --env {}`",
                self.settings.environment.name
            )));
        }
        let mut parameters = input.parameters.clone();
        parameters.extend(self.needs().await?);
        if let Some(stack) = standing {
            parameters.extend(stack.parameters.clone());
        }
        let version = Version {
            template,
            values: parameters
                .clone()
                .into_iter()
                .chain(self.pseudo())
                .collect(),
        };
        let mut given: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
        for (id, property, value) in &args.ids {
            let of = given.entry(id.clone()).or_default();
            of.insert(property.clone(), value.clone());
        }
        let held = match standing {
            Some(stack) => Some(self.held(stack).await?),
            None => None,
        };
        let plan = ImportPlan::new(&ImportWish {
            version: &version,
            only: &args.resources,
            given: &given,
            names: &self.identifiers(template).await?,
            standing: held.as_ref().map(|(template, held)| (template, held)),
        })
        .map_err(|faults| {
            let what = format!("nothing can be imported into `{}` so", def.name);
            let failure = Failure::new(Kind::Configuration, what);
            let failure = faults.iter().fold(failure, |failure, fault| failure.cause(fault.to_string()));
            failure.hint("name resources with --resource, and what they are known by with --id Table.TableName=orders")
        })?;
        parameters.retain(|name, _| plan.parameters.contains(name));
        let time = SystemClock.now().unix_timestamp_nanos();
        let request = ImportRequest {
            stack_name: input.stack_name.clone(),
            name: format!("stackway-import-{time}"),
            template_body: plan.template_body.clone(),
            parameters,
            tags: standing.map(own_tags).unwrap_or_default(),
            capabilities: input.capabilities.clone(),
            targets: plan.targets.clone(),
        };
        Ok((plan, request))
    }

    /// Parameters that come from other stacks, as far as those stand.
    async fn needs(&self) -> Result<BTreeMap<String, String>, Failure> {
        let names: Vec<String> = self
            .def
            .needs
            .iter()
            .map(|need| need.stack.to_owned())
            .collect();
        if names.is_empty() {
            return Ok(BTreeMap::new());
        }
        let needed = StackGraph::all()
            .and_then(|graph| graph.select(&names, false))
            .map_err(graph_failure)?;
        let all = outputs::of(self.cloud, self.settings, &needed).await?;
        let value = |need: &stackway_infra::stack_def::Need| {
            let value = all.get(need.stack)?.get(need.output)?;
            Some((need.parameter.to_owned(), value.clone()))
        };
        Ok(self.def.needs.iter().filter_map(value).collect())
    }

    fn pseudo(&self) -> [(String, String); 3] {
        let region = &self.settings.naming.region;
        let partition = if region.starts_with("cn-") {
            "aws-cn"
        } else {
            "aws"
        };
        [
            ("AWS::AccountId", self.cloud.account.as_str()),
            ("AWS::Region", region),
            ("AWS::Partition", partition),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
    }

    /// The stack's template, and what it holds.
    async fn held(&self, stack: &Stack) -> Result<(Template, BTreeSet<String>), Failure> {
        let text = self.cloud.stacks.stack_template(&stack.id).await?;
        let template = Template::parse(&text, Path::new(&stack.name)).map_err(|error| {
            let what = format!("cannot read the template of stack `{}`", stack.name);
            Failure::new(Kind::Configuration, what).cause(error.to_string())
        })?;
        let resources = self.cloud.stacks.stack_resources(&stack.id).await?;
        let held = (resources.into_iter())
            .filter(|resource| resource.status != "DELETE_COMPLETE")
            .map(|resource| resource.logical_id);
        Ok((template, held.collect()))
    }

    /// The properties that identify each type; empty where an emulator does not say.
    async fn identifiers(
        &self,
        template: &Template,
    ) -> Result<BTreeMap<String, Vec<String>>, Failure> {
        let told = match self.cloud.stacks.resource_identifiers(&template.text).await {
            Ok(told) => told,
            Err(error) if CloudError::is_unknown_operation(&error) => Vec::new(),
            Err(error) => return Err(error.into()),
        };
        Ok(told
            .into_iter()
            .map(|told| (told.resource_type, told.names))
            .collect())
    }
}

#[derive(Debug, Serialize)]
struct Report<'a> {
    environment: &'a str,
    stack_name: &'a str,
    is_new: bool,
    resources: Vec<ResourceReport<'a>>,
    left_to_the_next_deploy: &'a [String],
}

#[derive(Debug, Serialize)]
struct ResourceReport<'a> {
    logical_id: &'a str,
    resource_type: &'a str,
    identifier: &'a BTreeMap<String, String>,
}

fn show(ui: &Ui, environment: &str, stack_name: &str, is_new: bool, plan: &ImportPlan) {
    let report = Report {
        environment,
        stack_name,
        is_new,
        resources: plan.targets.iter().map(report_of).collect(),
        left_to_the_next_deploy: &plan.left,
    };
    if ui.is_json() {
        ui.json(&report);
        return;
    }
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    for target in &plan.targets {
        let known: Vec<_> = (target.identifier.iter())
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        table.add_row([&target.logical_id, &target.resource_type, &known.join(", ")]);
    }
    let new = if is_new { ", which is made for it" } else { "" };
    ui.data(format!(
        "to import into {stack_name}{new}:\n{}",
        table.trim_fmt()
    ));
    if !plan.left.is_empty() {
        ui.data(format!("left to the next deploy: {}", plan.left.join(", ")));
    }
}

fn report_of(target: &ImportTarget) -> ResourceReport<'_> {
    ResourceReport {
        logical_id: &target.logical_id,
        resource_type: &target.resource_type,
        identifier: &target.identifier,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_next_is_said() {
        let target = ImportTarget {
            logical_id: "Table".into(),
            resource_type: "AWS::DynamoDB::Table".into(),
            identifier: BTreeMap::new(),
        };
        let plan = |count| ImportPlan {
            template_body: String::new(),
            parameters: vec![],
            targets: vec![target.clone(); count],
            left: vec![],
        };
        let said = |count, ours| imported(&plan(count), "acme-table", "dev", "table", ours);
        insta::assert_snapshot!([said(1, false), said(2, true)].join("\n\n"));
    }

    #[test]
    fn identifiers_are_read() {
        for (text, expected) in [
            (
                "Table.TableName=orders",
                Some(("Table", "TableName", "orders")),
            ),
            (
                "Topic.TopicArn=arn:aws:sns:eu-west-2:1:a=b",
                Some(("Topic", "TopicArn", "arn:aws:sns:eu-west-2:1:a=b")),
            ),
            ("Table=orders", None),
            ("Table.=orders", None),
            ("Table.TableName=", None),
            ("", None),
        ] {
            let read = identifier(text).ok();
            let read = read
                .as_ref()
                .map(|(id, name, value)| (id.as_str(), name.as_str(), value.as_str()));
            assert_eq!(read, expected, "{text}");
        }
    }
}
