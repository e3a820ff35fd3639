//! Stacks that an environment places over accounts or units and regions: rolled out as stack sets, after the stacks.

mod buckets;
mod display;
mod failure;
mod needs;
mod phases;
mod remove;
mod replicas;
mod report;

use std::collections::{BTreeMap, BTreeSet};

use stackway_infra::aws::{self, CloudFormationStackSets};
use stackway_infra::clock::SystemClock;
use stackway_infra::cloud::stack_sets::StackSets as _;
use stackway_infra::cloud::{Objects as _, Stacks as _};
use stackway_infra::config::{Placement, StackSetPlacement};
use stackway_infra::flow::roll_out::{
    RollOut, RollOutObserver, RolledOut, Unwanted, WantedStackSet,
};
use stackway_infra::flow::{AllowReplace, FlowError, Outputs};
use stackway_infra::order::Regions;
use stackway_infra::stack_def::{ARTIFACTS, StackDef};
use stackway_infra::stack_set::{
    Overrides, Pair, Permissions, StackSetAddress, StackSetDefinition, WantedPairs,
};

use crate::change_report::{Source, StackReport};
use crate::cloud::Cloud;
use crate::deploy_plan::{CODE_PARAMETERS, DeployPlan, code_key};
use crate::failure::{Failure, Kind};
use crate::package::Package;
use crate::settings::Settings;
use crate::ui::Ui;

pub(crate) use buckets::HeldBucket;
pub(crate) use display::RollOutDisplay;
pub(crate) use needs::{check, only, outputs_here, split};
pub(crate) use phases::{OwnValues, Phase, left_regions, phases};
pub(crate) use remove::{Standing, held, remove, standing};
pub(crate) use report::{StackSetReport, report_markdown, report_text};

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
    pub(crate) packages: &'a BTreeMap<&'static str, Package>,
    pub(crate) allow_replace: &'a AllowReplace,
    /// Regions in which every instance is left as it is.
    pub(crate) left_regions: &'a Regions,
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
        let Self { settings, plan, .. } = self;
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
        let code = plan.runs_zip(def);
        let of_pairs = needs::values_of_pairs(settings, def, placement, code);
        for need in def.needs {
            if needs::follows_from_names(settings, need) {
                continue;
            }
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
        if code {
            let key = match self.packages.get(def.name) {
                Some(package) => code_key(def, package),
                None => self.standing_key(&address).await?.unwrap_or_else(|| {
                    notes.push("the deploy builds and uploads its code".to_owned());
                    NOT_KNOWN_YET.to_owned()
                }),
            };
            parameters.insert(CODE_PARAMETERS[1].to_owned(), key);
        }
        // What an instance may have of its own, the set has to have: the first one's.
        if let Some(first) = of_pairs.values().next() {
            parameters.extend(first.clone());
        }
        let targets = with_own_values(placement.targets(), of_pairs, &parameters);
        if notes.is_empty() {
            self.check(def, &targets, &parameters)?;
        }
        let wanted = WantedStackSet {
            stack: def.name.to_owned(),
            address,
            definition: StackSetDefinition {
                template_body: input.template_body.clone(),
                parameters,
                tags: input.tags.clone(),
                capabilities: input.capabilities.clone(),
                permissions: self.permissions(placement),
            },
            targets,
            preferences: placement.preferences.clone(),
            allow_replace: self.allow_replace.clone(),
            left_regions: self.left_regions.clone(),
            unwanted: Unwanted::Go,
        };
        Ok((wanted, notes))
    }

    /// Whose roles reach the accounts.
    fn permissions(&self, placement: &StackSetPlacement) -> Permissions {
        if placement.is_service_managed() {
            return Permissions::ServiceManaged(placement.auto_deployment);
        }
        let naming = &self.settings.naming;
        let roles = naming.stack_set_roles();
        let administration = roles.administration_arn(&self.cloud.account, &naming.region);
        let given = |role: &Option<String>, own| role.clone().unwrap_or(own);
        Permissions::SelfManaged {
            administration_role: given(&placement.administration_role, administration),
            execution_role: given(&placement.execution_role, roles.execution),
        }
    }

    /// Refuses what the template would not take, for the set and for each account and region with values of its own.
    fn check(
        &self,
        def: &StackDef,
        targets: &WantedPairs,
        parameters: &BTreeMap<String, String>,
    ) -> Result<(), Failure> {
        self.plan
            .check(def, parameters)
            .map_err(|error| self.refused(error))?;
        let checked: BTreeSet<_> = targets.overrides.values().collect();
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

    /// The key of the code that the set runs.
    async fn standing_key(&self, address: &StackSetAddress) -> Result<Option<String>, Failure> {
        let client = CloudFormationStackSets::new(&self.cloud.config);
        let standing = client.describe_stack_set(address).await?;
        Ok(standing.and_then(|set| set.definition.parameters.get(CODE_PARAMETERS[1]).cloned()))
    }

    /// Refuses what would run code in another account than the credentials'; asked before anything is begun.
    pub(crate) fn check_accounts(&self, sets: &[StackDef]) -> Result<(), Failure> {
        for def in sets {
            let Some(place) = placement(self.settings, def.name) else {
                continue;
            };
            let foreign = (place.accounts.iter()).find(|one| one.as_str() != self.cloud.account);
            if self.plan.runs_zip(def)
                && let Some(account) = foreign
            {
                return Err(Failure::new(
                    Kind::Account,
                    format!(
                        "the code of stack `{}` cannot be uploaded to account {account}: the credentials are of account {}",
                        def.name, self.cloud.account
                    ),
                )
                .hint("use credentials of that account, or give the stack an image that it may pull"));
            }
        }
        Ok(())
    }

    /// Uploads the code of a set to the bucket of each of its regions.
    async fn upload(&self, def: &StackDef, wanted: &WantedStackSet) -> Result<(), Failure> {
        let Some(package) = self.packages.get(def.name) else {
            return Ok(());
        };
        let key = code_key(def, package);
        for pair in &wanted.targets.pairs {
            if self.left_regions.contains(&pair.region) {
                continue;
            }
            let bucket = (self.settings.naming)
                .output(ARTIFACTS.0, ARTIFACTS.1, &pair.place, &pair.region)
                .ok_or_else(|| {
                    self.refused(FlowError::MissingOutput {
                        stack: ARTIFACTS.0.to_owned(),
                        output: ARTIFACTS.1.to_owned(),
                        needed_by: def.name.to_owned(),
                    })
                })?;
            let objects = aws::S3::new(&aws::in_region(&self.cloud.config, &pair.region));
            if !objects.object_exists(&bucket, &key).await? {
                objects.put_object(&bucket, &key, &package.path).await?;
            }
        }
        Ok(())
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
        unwanted: Unwanted,
    ) -> Result<Vec<(&'static str, RolledOut)>, Failure> {
        let client = CloudFormationStackSets::new(&self.cloud.config);
        let environment = self.settings.environment.name.to_string();
        let mut all = Vec::new();
        for def in sets {
            let (wanted, _) = self.stack_set(def, outputs, false).await?;
            let wanted = WantedStackSet { unwanted, ..wanted };
            self.upload(def, &wanted).await?;
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
            all.push((def.name, done));
        }
        Ok(all)
    }
}

/// The targets with the values that follow from where each is; what stackway.toml gives a pair goes before them.
fn with_own_values(
    mut targets: WantedPairs,
    of_pairs: BTreeMap<Pair, Overrides>,
    common: &BTreeMap<String, String>,
) -> WantedPairs {
    for (pair, values) in of_pairs {
        let own: Overrides = values
            .into_iter()
            .filter(|(name, value)| common.get(name) != Some(value))
            .collect();
        if !own.is_empty() {
            let of_pair = targets.overrides.entry(pair).or_default();
            for (name, value) in own {
                of_pair.entry(name).or_insert(value);
            }
        }
    }
    targets
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
pub(crate) fn summary(all: &[(&'static str, RolledOut)]) -> String {
    let unchanged = all.iter().filter(|(_, done)| done.is_unchanged()).count();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for (_, done) in all {
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
