//! What a deploy would do, resolved before anything acts; `--dry-run` shows it and nothing else runs.

mod inputs;

use std::collections::BTreeMap;

use comfy_table::{ContentArrangement, Table, presets};
use serde::Serialize;
use stackway_infra::config::{Environment, EnvironmentKind, StackSetPlacement};
use stackway_infra::flow::{FlowError, Outputs, StackInput, WantedStack};
use stackway_infra::naming::Naming;
use stackway_infra::stack::StackVersion;
use stackway_infra::stack_def::{Presence, STACKS, StackDef, StackGraph};
use stackway_infra::template::Template;
use stackway_infra::template_diff::Version;

use crate::cloud::Cloud;
use crate::delivery;
use crate::failure::{Failure, Kind};
use crate::package::{Architecture, Package};
use crate::settings::Settings;
use crate::stack_sets;
use crate::ui::Ui;

pub(crate) use inputs::{Inputs, Preview, code_key};

/// The stacks of a deploy with everything about them that is known from files.
pub(crate) struct DeployPlan {
    environment: String,
    is_local: bool,
    region: String,
    pseudo: BTreeMap<String, String>,
    stacks: Vec<PlannedStack>,
}

/// Parameters that say where the code of a stack is; a deploy fills them.
pub(crate) const CODE_PARAMETERS: [&str; 2] = ["CodeS3Bucket", "CodeS3Key"];

/// Parameters that switch off what the emulator has no types for.
const NOT_EMULATED: [(&str, &str); 5] = [
    ("CpuTarget", "0"),
    ("Rollout", "none"),
    ("RotationDays", "0"),
    ("SavedQueries", "false"),
    ("Traffic", "none"),
];

/// Parameters that follow another stack's of the same name, which comes later: stack, parameter, and the other.
const SAME: [(&str, &str, &str); 1] = [("automation", "Authorizer", "api")];

/// The parameters of a stack: those `given` in stackway.toml, and those that follow from the environment.
pub(crate) fn parameters(
    environment: &Environment,
    naming: &Naming,
    template: &Template,
    given: BTreeMap<String, String>,
) -> BTreeMap<String, String> {
    let mut parameters = given;
    let known = [
        ("Project", naming.project.clone()),
        ("Environment", naming.environment.clone()),
    ];
    let local = (environment.kind == EnvironmentKind::Local).then(|| {
        let host = ("Architecture", Architecture::host().as_str().to_owned());
        let missing = NOT_EMULATED.map(|(name, off)| (name, off.to_owned()));
        [host].into_iter().chain(missing)
    });
    for (name, value) in known.into_iter().chain(local.into_iter().flatten()) {
        if template.parameters.contains_key(name) {
            parameters.entry(name.to_owned()).or_insert(value);
        }
    }
    parameters
}

/// Pseudo parameters that are known without a call.
pub(crate) fn pseudo_parameters(settings: &Settings) -> BTreeMap<String, String> {
    let region = ("AWS::Region".to_owned(), settings.naming.region.clone());
    let account = match settings.environment.accounts.as_slice() {
        [one] => Some(("AWS::AccountId".to_owned(), one.to_string())),
        _ => None,
    };
    [region].into_iter().chain(account).collect()
}

/// Refuses names of stacks that there are not, and those that an environment cannot be with or without.
fn check_names(environment: &Environment) -> Result<(), Failure> {
    let refuse = |what: String, hint: String| {
        Err(Failure::new(Kind::Configuration, format!("stackway.toml {what}")).hint(hint))
    };
    let parameters = environment
        .parameters
        .keys()
        .map(|stack| ("has parameters for", stack));
    let with = (environment.with.iter()).map(|stack| ("names in `with`", stack));
    let without = (environment.without.iter()).map(|stack| ("names in `without`", stack));
    for (what, name) in parameters.chain(with).chain(without) {
        let Some(def) = STACKS.iter().find(|def| def.name == name.as_str()) else {
            let known: Vec<_> = STACKS.iter().map(|def| def.name).collect();
            return refuse(
                format!("{what} `{name}`, and no stack is called that"),
                format!("the stacks are: {}", known.join(", ")),
            );
        };
        if what.contains("without") && def.presence == Presence::Always {
            return refuse(
                format!("{what} `{name}`, which every environment has"),
                format!(
                    "remove it from `without` of [environments.{}]",
                    environment.name
                ),
            );
        }
    }
    Ok(())
}

struct PlannedStack {
    def: StackDef,
    /// Where it is rolled out, if it is a stack set.
    placement: Option<StackSetPlacement>,
    template: Template,
    input: StackInput,
}

impl DeployPlan {
    /// Reads templates and configuration, and refuses what CloudFormation would refuse later. An emulator would not:
    /// so it is done here.
    pub(crate) fn new(settings: &Settings, graph: &StackGraph) -> Result<Self, Failure> {
        check_names(&settings.environment)?;
        let mut stacks = Vec::new();
        for def in graph.deploy_order() {
            let template = settings.project.template(def)?;
            let source = settings.project.source(def, &settings.repository);
            let mut parameters = parameters(
                &settings.environment,
                &settings.naming,
                &template,
                settings.parameters(def.name),
            );
            delivery::fill(settings, &template, &mut parameters)?;
            for (stack, parameter, of) in SAME {
                let value = settings.parameters(of).remove(parameter);
                if let Some(value) = value.filter(|_| stack == def.name) {
                    parameters.entry(parameter.to_owned()).or_insert(value);
                }
            }
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
                placement: stack_sets::placement(settings, def.name).cloned(),
                template,
                input,
            };
            stack_sets::check(settings, def, planned.takes_code())?;
            planned.check_known()?;
            stacks.push(planned);
        }
        Ok(Self {
            environment: settings.environment.name.to_string(),
            is_local: settings.environment.kind == EnvironmentKind::Local,
            region: settings.naming.region.clone(),
            pseudo: pseudo_parameters(settings),
            stacks,
        })
    }

    /// The stacks that run code, each with its package.
    pub(crate) fn packages(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        self.stacks
            .iter()
            .filter(|planned| planned.takes_code())
            .filter_map(|planned| Some((planned.def.name, planned.def.package?)))
    }

    /// Whether the stack runs code from a zip that a deploy uploads.
    pub(crate) fn runs_zip(&self, stack: &StackDef) -> bool {
        self.packages().any(|(name, _)| name == stack.name)
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

    /// Where the stacks get their inputs from while they are deployed; `known` are outputs of stacks that are not part of
    /// the same flow.
    pub(crate) fn inputs<'a>(
        &'a self,
        packages: &'a BTreeMap<&'static str, Package>,
        cloud: &'a Cloud,
        known: Outputs,
    ) -> Inputs<'a> {
        Inputs {
            plan: self,
            packages,
            cloud,
            known,
            own: BTreeMap::new(),
        }
    }

    /// The stacks as a preflight looks at them, in `account`; stack sets make theirs elsewhere.
    pub(crate) fn wanted(&self, account: &str) -> Vec<WantedStack<'_>> {
        let pseudo = [
            ("AWS::AccountId", account),
            ("AWS::Region", self.region.as_str()),
            ("AWS::Partition", "aws"),
        ];
        self.stacks
            .iter()
            .filter(|planned| planned.placement.is_none())
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

    /// Where a plan gets its inputs from: the same as a deploy, without the upload. Stacks of `kept` keep the code that
    /// these parameters name.
    pub(crate) fn preview<'a>(
        &'a self,
        packages: &'a BTreeMap<&'static str, Package>,
        kept: &'a BTreeMap<&'static str, BTreeMap<String, String>>,
        known: Outputs,
    ) -> Preview<'a> {
        Preview {
            plan: self,
            packages,
            kept,
            known,
        }
    }

    /// Each stack as its template here makes it, as far as that is known from files.
    pub(crate) fn versions(
        &self,
    ) -> impl Iterator<Item = (&StackDef, &StackInput, StackVersion<'_>)> {
        self.stacks.iter().map(|planned| {
            let values = planned.input.parameters.clone().into_iter();
            let version = StackVersion {
                version: Version {
                    template: &planned.template,
                    values: values.chain(self.pseudo.clone()).collect(),
                },
                tags: &planned.input.tags,
            };
            (&planned.def, &planned.input, version)
        })
    }

    fn planned(&self, stack: &StackDef) -> Result<&PlannedStack, FlowError> {
        self.stacks
            .iter()
            .find(|planned| planned.def.name == stack.name)
            .ok_or_else(|| {
                FlowError::Input(format!("stack `{}` is not part of the plan", stack.name))
            })
    }

    /// The template of a stack, and what is known of its input from files.
    pub(crate) fn stack(&self, stack: &StackDef) -> Result<(&Template, &StackInput), FlowError> {
        self.planned(stack)
            .map(|planned| (&planned.template, &planned.input))
    }

    /// Refuses parameters that the template would not take, now that all are known.
    pub(crate) fn check(
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
            let place = planned
                .place
                .map(|place| format!("\n{place}"))
                .unwrap_or_default();
            table.add_row([
                planned.stack.to_owned(),
                planned.stack_name + &place,
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
            place: planned.placement.as_ref().map(stack_sets::place),
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
    /// Where it is rolled out, if it is a stack set.
    #[serde(skip_serializing_if = "Option::is_none")]
    place: Option<String>,
    needs: Vec<&'static str>,
    parameters: BTreeMap<&'a str, &'a str>,
    tags: &'a BTreeMap<String, String>,
    capabilities: &'a [String],
}

impl PlannedStack {
    /// Whether its parameters leave a function that takes a zip: an image is none, and what is switched off has none.
    fn takes_code(&self) -> bool {
        CODE_PARAMETERS
            .iter()
            .any(|name| self.template.uses_parameter(name, &self.input.parameters))
    }

    /// Checks what is known now; parameters that come from other stacks or an upload are checked when they are there.
    fn check_known(&self) -> Result<(), Failure> {
        let mut parameters = self.input.parameters.clone();
        let coming = self.def.needs.iter().map(|need| need.parameter);
        let upload = self
            .def
            .package
            .map(|_| CODE_PARAMETERS)
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
