//! Stacks that an environment places over accounts or units and regions: rolled out as stack sets, after the stacks.

mod display;
mod failure;
mod remove;
mod report;

use std::collections::{BTreeMap, BTreeSet};

use stackway_infra::aws::CloudFormationStackSets;
use stackway_infra::clock::SystemClock;
use stackway_infra::cloud::Stacks as _;
use stackway_infra::config::{Placement, StackSetPlacement};
use stackway_infra::flow::roll_out::{RollOut, RollOutObserver, RolledOut, WantedStackSet};
use stackway_infra::flow::{AllowReplace, FlowError};
use stackway_infra::stack_def::{StackDef, StackGraph};
use stackway_infra::stack_set::{Permissions, StackSetAddress, StackSetDefinition};

use crate::change_report::{Source, StackReport};
use crate::cloud::Cloud;
use crate::commands::status::graph_failure;
use crate::deploy_plan::DeployPlan;
use crate::failure::{Failure, Kind};
use crate::settings::Settings;
use crate::ui::Ui;

pub(crate) use display::RollOutDisplay;
pub(crate) use remove::{Standing, remove, standing};
pub(crate) use report::{StackSetReport, report_markdown, report_text};

/// Outputs by stack (its name in the project), then by key.
pub(crate) type Outputs = BTreeMap<&'static str, BTreeMap<String, String>>;

/// What a plan writes for a value that a stack gives once it stands.
const NOT_KNOWN_YET: &str = "known-once-it-stands";

/// The placement of a stack that is rolled out as a stack set.
pub(crate) fn placement<'a>(settings: &'a Settings, stack: &str) -> Option<&'a StackSetPlacement> {
    match settings.environment.placement(stack) {
        Placement::StackSet(placement) => Some(placement),
        _ => None,
    }
}

/// Where a stack set is placed, in a line.
pub(crate) fn place(placement: &StackSetPlacement) -> String {
    let (count, what) = if placement.is_service_managed() {
        (placement.organizational_units.len(), "units")
    } else {
        (placement.accounts.len(), "accounts")
    };
    let regions: Vec<_> = placement.regions.iter().map(ToString::to_string).collect();
    format!("stack set over {count} {what} in {}", regions.join(", "))
}

/// The stacks of a graph that are deployed as stacks, and those that are rolled out as stack sets.
pub(crate) fn split(
    settings: &Settings,
    graph: &StackGraph,
) -> Result<(StackGraph, Vec<StackDef>), Failure> {
    let (sets, stacks): (Vec<_>, Vec<_>) = graph
        .deploy_order()
        .iter()
        .copied()
        .partition(|def| placement(settings, def.name).is_some());
    let stacks = StackGraph::new(&stacks).map_err(graph_failure)?;
    Ok((stacks, sets))
}

/// Refuses a placement that cannot work: what a set would have to give to another stack, or to take from one region.
pub(crate) fn check_placement(
    settings: &Settings,
    graph: &StackGraph,
    def: &StackDef,
) -> Result<(), Failure> {
    if placement(settings, def.name).is_none() {
        return Ok(());
    }
    let refuse = |why: String| {
        Err(Failure::new(
            Kind::Configuration,
            format!("stack `{}` is placed as a stack set: {why}", def.name),
        ))
    };
    if let Some(needing) = graph.dependents(def.name).first() {
        return refuse(format!(
            "`{needing}` needs an output of it, and each of its stacks has its own"
        ))
        .map_err(|failure| {
            failure.hint(format!(
                "deploy it alone (`--stack {}`), or remove its `place` from stackway.toml",
                def.name
            ))
        });
    }
    if def.package.is_some() {
        return refuse(
            "the code of its function has to be in a bucket of the function's own region"
                .to_owned(),
        )
        .map_err(|failure| failure.hint("remove its `place` from stackway.toml"));
    }
    Ok(())
}

/// Where the set of a stack is, and as whom it is called.
pub(crate) fn address(settings: &Settings, def: &StackDef) -> Option<StackSetAddress> {
    Some(StackSetAddress {
        name: settings.naming.stack(def.name),
        call_as: placement(settings, def.name)?.call_as,
    })
}

/// What the sets of a deploy or a plan are made from.
pub(crate) struct Wanted<'a> {
    pub(crate) settings: &'a Settings,
    pub(crate) plan: &'a DeployPlan,
    pub(crate) cloud: &'a Cloud,
    pub(crate) allow_replace: &'a AllowReplace,
}

impl Wanted<'_> {
    /// The set of a stack as it is to be. Outputs that no needed stack gives yet are an error, or, where `looking`, a
    /// stand-in with a note.
    pub(crate) async fn stack_set(
        &self,
        def: &StackDef,
        outputs: &Outputs,
        looking: bool,
    ) -> Result<(WantedStackSet, Vec<String>), Failure> {
        let Self {
            settings,
            plan,
            cloud,
            ..
        } = self;
        let (Some(placement), Some(address)) =
            (placement(settings, def.name), address(settings, def))
        else {
            return Err(Failure::new(
                Kind::Configuration,
                format!("stack `{}` is not placed as a stack set", def.name),
            ));
        };
        let (template, input) = plan.stack(def).map_err(|error| self.refused(error))?;
        // Defaults are written out, so that a set that tells them and one that does not compare alike.
        let mut parameters: BTreeMap<String, String> = template
            .parameters
            .iter()
            .filter_map(|(name, parameter)| Some((name.clone(), parameter.default.clone()?)))
            .collect();
        parameters.extend(input.parameters.clone());
        let mut notes = Vec::new();
        for need in def.needs {
            let value = match outputs.get(need.stack).and_then(|of| of.get(need.output)) {
                Some(value) => Some(value.clone()),
                None => self.standing_output(need.stack, need.output).await?,
            };
            let value = match value {
                Some(value) => value,
                None if looking => {
                    notes.push(format!(
                        "{} is known once `{}` stands",
                        need.parameter, need.stack
                    ));
                    NOT_KNOWN_YET.to_owned()
                }
                None => {
                    return Err(Failure::new(
                        Kind::Configuration,
                        format!(
                            "stack `{}` has no output `{}`, which `{}` needs",
                            need.stack, need.output, def.name
                        ),
                    )
                    .hint(format!("deploy `{}` first", need.stack)));
                }
            };
            parameters.insert(need.parameter.to_owned(), value);
        }
        if notes.is_empty() {
            self.check(def, placement, &parameters)?;
        }
        let permissions = if placement.is_service_managed() {
            Permissions::ServiceManaged(placement.auto_deployment)
        } else {
            let roles = settings.naming.stack_set_roles();
            Permissions::SelfManaged {
                administration_role: placement.administration_role.clone().unwrap_or_else(|| {
                    roles.administration_arn(&cloud.account, &settings.naming.region)
                }),
                execution_role: placement.execution_role.clone().unwrap_or(roles.execution),
            }
        };
        let wanted = WantedStackSet {
            stack: def.name.to_owned(),
            address,
            definition: StackSetDefinition {
                template_body: input.template_body.clone(),
                parameters,
                tags: input.tags.clone(),
                capabilities: input.capabilities.clone(),
                permissions,
            },
            targets: placement.targets(),
            preferences: placement.preferences.clone(),
            allow_replace: self.allow_replace.clone(),
        };
        Ok((wanted, notes))
    }

    /// Refuses what the template would not take, for the set and for each account and region with values of its own.
    fn check(
        &self,
        def: &StackDef,
        placement: &StackSetPlacement,
        parameters: &BTreeMap<String, String>,
    ) -> Result<(), Failure> {
        self.plan
            .check(def, parameters)
            .map_err(|error| self.refused(error))?;
        let checked: BTreeSet<_> = placement.overrides.values().collect();
        for own in checked {
            let mut merged = parameters.clone();
            merged.extend(own.clone());
            self.plan.check(def, &merged).map_err(|error| {
                self.refused(error).hint(format!(
                    "correct `overrides` of [environments.{}.stacks.{}] in stackway.toml",
                    self.settings.environment.name, def.name
                ))
            })?;
        }
        Ok(())
    }

    fn refused(&self, error: FlowError) -> Failure {
        let name = self.settings.environment.name.to_string();
        Failure::of_flow(error, Kind::Configuration, &name)
    }

    async fn standing_output(&self, stack: &str, output: &str) -> Result<Option<String>, Failure> {
        let name = self.settings.naming.stack(stack);
        let standing = self.cloud.stacks.describe_stack(&name).await?;
        Ok(standing.and_then(|stack| stack.outputs.get(output).cloned()))
    }

    /// What a roll-out of the set would do. Only reads.
    pub(crate) async fn planned(&self, ui: &Ui, def: &StackDef) -> Result<PlannedSet, Failure> {
        let client = CloudFormationStackSets::new(&self.cloud.config);
        let environment = self.settings.environment.name.to_string();
        let (wanted, notes) = self.stack_set(def, &Outputs::new(), true).await?;
        let display = RollOutDisplay::new(ui, def.name, "planned");
        let plan = roll_out(&client, self.cloud, &display)
            .plan(&wanted)
            .await
            .map_err(|error| Failure::of_roll_out(error, Kind::Deploy, &environment))?;
        let mut template = StackReport::new(
            def.name,
            &wanted.address.name,
            Source::Templates,
            plan.template_changes(&wanted).unwrap_or_default(),
        );
        template
            .notes
            .push("the same in each stack of its stack set".to_owned());
        Ok(PlannedSet {
            template,
            pairs: StackSetReport::new(&plan, &wanted, notes),
        })
    }

    /// Rolls the sets out, one after another. The first that fails ends it: what it failed for may well fail the next.
    pub(crate) async fn roll_out(
        &self,
        ui: &Ui,
        sets: &[StackDef],
        outputs: &Outputs,
    ) -> Result<Vec<RolledOut>, Failure> {
        let client = CloudFormationStackSets::new(&self.cloud.config);
        let environment = self.settings.environment.name.to_string();
        let mut all = Vec::new();
        for def in sets {
            let (wanted, _) = self.stack_set(def, outputs, false).await?;
            let display = RollOutDisplay::new(ui, def.name, "rolled out");
            let result = roll_out(&client, self.cloud, &display).run(&wanted).await;
            display.clear();
            let done =
                result.map_err(|error| Failure::of_roll_out(error, Kind::Deploy, &environment))?;
            for result in &done.tolerated {
                ui.warn(format!(
                    "{}: {} {}, which is tolerated: {}",
                    def.name,
                    result.pair,
                    result.status,
                    result.reason.as_deref().unwrap_or("no reason given")
                ));
            }
            all.push(done);
        }
        Ok(all)
    }
}

/// A stack set in a plan.
pub(crate) struct PlannedSet {
    /// What changes in each of its stacks.
    pub(crate) template: StackReport,
    /// What becomes of each account and region.
    pub(crate) pairs: StackSetReport,
}

/// The flow over these calls.
pub(crate) fn roll_out<'a>(
    client: &'a CloudFormationStackSets,
    cloud: &Cloud,
    observer: &'a dyn RollOutObserver,
) -> RollOut<'a> {
    RollOut {
        sets: client,
        clock: &SystemClock,
        poll: cloud.poll_interval(),
        observer,
    }
}

/// What was rolled out, in a line.
pub(crate) fn summary(all: &[RolledOut]) -> String {
    let unchanged = all.iter().filter(|done| done.is_unchanged()).count();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for done in all {
        for (verb, count) in &done.instances {
            *counts.entry(verb).or_default() += count;
        }
    }
    let mut parts: Vec<_> = counts
        .iter()
        .map(|(verb, count)| format!("{count} instances {verb}"))
        .collect();
    if unchanged > 0 {
        parts.push(format!("{unchanged} unchanged"));
    }
    format!("stack sets: {}", parts.join(", "))
}
