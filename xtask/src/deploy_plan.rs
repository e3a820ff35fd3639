//! What a deploy would do, resolved before anything acts; `--dry-run` shows it and nothing else runs.

use std::collections::BTreeMap;

use async_trait::async_trait;
use comfy_table::{ContentArrangement, Table, presets};
use serde::Serialize;
use stackway_infra::cloud::Objects as _;
use stackway_infra::config::{EnvironmentKind, Placement};
use stackway_infra::flow::{FlowError, StackInput, StackInputs, WantedStack};
use stackway_infra::stack_def::{ARTIFACTS, StackDef, StackGraph};
use stackway_infra::template::Template;

use crate::cloud::Cloud;
use crate::delivery;
use crate::failure::{Failure, Kind};
use crate::package::{Architecture, Package};
use crate::settings::Settings;
use crate::ui::Ui;

/// The stacks of a deploy with everything about them that is known from files.
pub(crate) struct DeployPlan {
    environment: String,
    region: String,
    stacks: Vec<PlannedStack>,
}

struct PlannedStack {
    def: StackDef,
    template: Template,
    input: StackInput,
}

impl DeployPlan {
    /// Reads templates and configuration, and refuses what CloudFormation would refuse later. An emulator would not:
    /// so it is done here.
    pub(crate) fn new(settings: &Settings, graph: &StackGraph) -> Result<Self, Failure> {
        for stack in settings.environment.parameters.keys() {
            let known = stackway_infra::stack_def::STACKS.iter().map(|def| def.name);
            if !known.clone().any(|name| name == stack.as_str()) {
                return Err(Failure::new(
                    Kind::Configuration,
                    format!(
                        "stackway.toml has parameters for `{stack}`, and no stack is called that"
                    ),
                )
                .hint(format!(
                    "the stacks are: {}",
                    known.collect::<Vec<_>>().join(", ")
                )));
            }
        }
        let mut stacks = Vec::new();
        for def in graph.deploy_order() {
            if *settings.environment.placement(def.name) != Placement::Stack {
                return Err(Failure::new(
                    Kind::Configuration,
                    format!(
                        "stack `{}` is placed as a stack set, which `deploy` cannot do yet",
                        def.name
                    ),
                )
                .hint("remove its `place` from stackway.toml"));
            }
            let template = settings.project.template(def)?;
            let source = settings.project.source(def, &settings.repository);
            let mut parameters = settings.parameters(def.name);
            let known = [
                ("Project", settings.naming.project.clone()),
                ("Environment", settings.naming.environment.clone()),
            ];
            let host = (settings.environment.kind == EnvironmentKind::Local)
                .then(|| ("Architecture", Architecture::host().as_str().to_owned()));
            for (name, value) in known.into_iter().chain(host) {
                if template.parameters.contains_key(name) {
                    parameters.entry(name.to_owned()).or_insert(value);
                }
            }
            delivery::fill(settings, &template, &mut parameters)?;
            let input = StackInput {
                stack_name: settings.naming.stack(def.name),
                template_body: template.text.clone(),
                tags: settings
                    .naming
                    .tags(def.name, &source, &settings.environment.tags),
                capabilities: template
                    .capabilities()
                    .iter()
                    .map(ToString::to_string)
                    .collect(),
                parameters,
            };
            let planned = PlannedStack {
                def: *def,
                template,
                input,
            };
            planned.check_known()?;
            stacks.push(planned);
        }
        Ok(Self {
            environment: settings.environment.name.to_string(),
            region: settings.naming.region.clone(),
            stacks,
        })
    }

    /// The stacks that run code, each with its package.
    pub(crate) fn packages(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        self.stacks
            .iter()
            .filter(|planned| !planned.takes_image())
            .filter_map(|planned| Some((planned.def.name, planned.def.package?)))
    }

    /// The architecture that the stack's parameters, or its template's defaults, name.
    pub(crate) fn architecture(&self, stack: &str) -> Option<Architecture> {
        let planned = self
            .stacks
            .iter()
            .find(|planned| planned.def.name == stack)?;
        let given = planned.input.parameters.get("Architecture").cloned();
        let default = || {
            planned
                .template
                .parameters
                .get("Architecture")
                .and_then(|parameter| parameter.default.clone())
        };
        Architecture::parse(&given.or_else(default)?)
    }

    /// Where the stacks get their inputs from while they are deployed.
    pub(crate) fn inputs<'a>(
        &'a self,
        packages: &'a BTreeMap<&'static str, Package>,
        cloud: &'a Cloud,
    ) -> Inputs<'a> {
        Inputs {
            plan: self,
            packages,
            cloud,
        }
    }

    /// The stacks as a preflight looks at them, in `account`.
    pub(crate) fn wanted(&self, account: &str) -> Vec<WantedStack<'_>> {
        let pseudo = [
            ("AWS::AccountId", account),
            ("AWS::Region", self.region.as_str()),
            ("AWS::Partition", "aws"),
        ];
        self.stacks
            .iter()
            .map(|planned| {
                let mut values = planned.input.parameters.clone();
                values.extend(pseudo.map(|(name, value)| (name.to_owned(), value.to_owned())));
                WantedStack {
                    label: planned.def.name,
                    stack_name: planned.input.stack_name.clone(),
                    template: &planned.template,
                    values,
                }
            })
            .collect()
    }

    /// Shows the plan as the format asks.
    pub(crate) fn show(&self, ui: &Ui) {
        if ui.is_json() {
            ui.json(&self.report());
            return;
        }
        let mut table = Table::new();
        table
            .load_style(presets::NOTHING)
            .set_content_arrangement(ContentArrangement::Dynamic);
        table.set_header(["stack", "name", "needs", "parameters"]);
        for planned in self.report().stacks {
            let parameters: Vec<_> = planned
                .parameters
                .iter()
                .map(|(name, value)| format!("{name}={value}"))
                .collect();
            table.add_row([
                planned.stack.to_owned(),
                planned.stack_name,
                planned.needs.join(", "),
                parameters.join("\n"),
            ]);
        }
        ui.data(format!(
            "to deploy to `{}` in {}, in this order:\n{}",
            self.environment,
            self.region,
            table.trim_fmt()
        ));
    }

    fn report(&self) -> PlanReport<'_> {
        let stacks = self.stacks.iter().map(|planned| PlannedReport {
            stack: planned.def.name,
            stack_name: planned.input.stack_name.clone(),
            needs: planned.def.needed_stacks().into_iter().collect(),
            parameters: planned
                .input
                .parameters
                .iter()
                .map(|(name, value)| {
                    let secret = planned
                        .template
                        .parameters
                        .get(name)
                        .is_some_and(|parameter| parameter.no_echo);
                    (name.as_str(), if secret { "****" } else { value.as_str() })
                })
                .collect(),
            tags: &planned.input.tags,
            capabilities: &planned.input.capabilities,
        });
        PlanReport {
            environment: &self.environment,
            region: &self.region,
            stacks: stacks.collect(),
        }
    }
}

#[derive(Debug, Serialize)]
struct PlanReport<'a> {
    environment: &'a str,
    region: &'a str,
    stacks: Vec<PlannedReport<'a>>,
}

#[derive(Debug, Serialize)]
struct PlannedReport<'a> {
    stack: &'static str,
    stack_name: String,
    needs: Vec<&'static str>,
    parameters: BTreeMap<&'a str, &'a str>,
    tags: &'a BTreeMap<String, String>,
    capabilities: &'a [String],
}

impl PlannedStack {
    fn takes_image(&self) -> bool {
        self.input
            .parameters
            .get("PackageType")
            .is_some_and(|kind| kind == "Image")
    }

    /// Checks what is known now; parameters that come from other stacks or an upload are checked when they are there.
    fn check_known(&self) -> Result<(), Failure> {
        let mut parameters = self.input.parameters.clone();
        let coming = self.def.needs.iter().map(|need| need.parameter);
        let upload = self
            .def
            .package
            .map(|_| ["CodeS3Bucket", "CodeS3Key"])
            .into_iter()
            .flatten();
        let coming: Vec<_> = coming.chain(upload).collect();
        for name in &coming {
            if parameters.remove(*name).is_some() {
                return Err(Failure::new(
                    Kind::Configuration,
                    format!("stackway.toml gives `{}` a value for `{name}`, which the deploy fills itself", self.def.name),
                )
                .hint("remove it from stackway.toml"));
            }
        }
        let faults = self
            .template
            .check_parameters(&parameters)
            .err()
            .unwrap_or_default();
        let faults: Vec<_> = faults
            .into_iter()
            .filter(|fault| !coming.contains(&fault.parameter()))
            .collect();
        if faults.is_empty() {
            return Ok(());
        }
        let mut failure = Failure::new(
            Kind::Configuration,
            format!(
                "the parameters of stack `{}` do not fit its template",
                self.def.name
            ),
        );
        for fault in &faults {
            failure = failure.cause(fault.to_string());
        }
        Err(failure.hint(format!(
            "correct [environments.<name>.parameters.{0}] in stackway.toml, or cloudformation/{0}.yaml",
            self.def.name
        )))
    }
}

/// [`StackInputs`] from a plan: what files say, and what packages become once they are uploaded.
pub(crate) struct Inputs<'a> {
    plan: &'a DeployPlan,
    packages: &'a BTreeMap<&'static str, Package>,
    cloud: &'a Cloud,
}

impl Inputs<'_> {
    fn planned(&self, stack: &StackDef) -> Result<&PlannedStack, FlowError> {
        self.plan
            .stacks
            .iter()
            .find(|planned| planned.def.name == stack.name)
            .ok_or_else(|| {
                FlowError::Input(format!("stack `{}` is not part of the plan", stack.name))
            })
    }
}

#[async_trait]
impl StackInputs for Inputs<'_> {
    fn input(&self, stack: &StackDef) -> Result<StackInput, FlowError> {
        Ok(self.planned(stack)?.input.clone())
    }

    async fn prepare(
        &self,
        stack: &StackDef,
        outputs: &BTreeMap<&'static str, BTreeMap<String, String>>,
    ) -> Result<BTreeMap<String, String>, FlowError> {
        let Some(package) = self.packages.get(stack.name) else {
            return Ok(BTreeMap::new());
        };
        let bucket = outputs
            .get(ARTIFACTS.0)
            .and_then(|outputs| outputs.get(ARTIFACTS.1))
            .ok_or_else(|| FlowError::MissingOutput {
                stack: ARTIFACTS.0.to_owned(),
                output: ARTIFACTS.1.to_owned(),
                needed_by: stack.name.to_owned(),
            })?;
        // Named by its contents: the same code is uploaded once, and changes no parameter.
        let key = format!("{}/{}.zip", stack.name, package.sha256);
        if !self.cloud.objects.object_exists(bucket, &key).await? {
            self.cloud
                .objects
                .put_object(bucket, &key, &package.path)
                .await?;
        }
        Ok(BTreeMap::from([
            ("CodeS3Bucket".to_owned(), bucket.clone()),
            ("CodeS3Key".to_owned(), key),
        ]))
    }

    fn check(
        &self,
        stack: &StackDef,
        parameters: &BTreeMap<String, String>,
    ) -> Result<(), FlowError> {
        let template = &self.planned(stack)?.template;
        // What a condition switches off must not be referred to; that is known only with all values at hand.
        let mut faults: Vec<_> = template
            .check_conditions(parameters)
            .iter()
            .map(ToString::to_string)
            .collect();
        if let Err(unfit) = template.check_parameters(parameters) {
            faults.extend(unfit.iter().map(ToString::to_string));
        }
        if faults.is_empty() {
            return Ok(());
        }
        Err(FlowError::Input(format!(
            "the parameters of stack `{}` do not fit its template: {}",
            stack.name,
            faults.join("; ")
        )))
    }
}
