//! Actions of stack sets, over the project's own roll-out.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Mutex;

use stackway_infra::aws::CloudFormationStackSets;
use stackway_infra::clock::SystemClock;
use stackway_infra::cloud::stack_sets::StackSets;
use stackway_infra::flow::AllowReplace;
use stackway_infra::flow::roll_out::{
    OVERRIDES_TAG, RollOut, RollOutObserver, RollOutProgress, Unwanted, WantedStackSet,
};
use stackway_infra::stack_set::{
    Amount, AutoDeployment, CallAs, Pair, Permissions, Preferences, StackSet, StackSetAddress,
    StackSetDefinition, WantedPairs,
};
use stackway_infra::template::Template;
use stackway_pipeline_runner::{
    ErrorKind, Log, RunError, SetDefinition, SetTargets, StackSetOrder,
};

use super::{Here, error_of};
use crate::failure::{Failure, Kind};

/// The roles that CloudFormation takes where an action names none.
///
/// See [self-managed permissions](https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/stacksets-prereqs-self-managed.html).
const ADMINISTRATION: &str = "AWSCloudFormationStackSetAdministrationRole";
const EXECUTION: &str = "AWSCloudFormationStackSetExecutionRole";

impl Here<'_> {
    /// Brings a set to what the order says. What the set has beyond it stays, as CodePipeline's actions add and change
    /// instances, and remove none.
    pub(super) async fn roll_out_set(
        &self,
        order: &StackSetOrder,
        log: &Log<'_>,
    ) -> Result<BTreeMap<String, String>, RunError> {
        let sets = CloudFormationStackSets::new(&self.cloud.config);
        let address = address(&order.name);
        let standing = sets.describe_stack_set(&address).await;
        let standing = standing.map_err(|error| error_of(Failure::from(error)))?;
        let definition = match (&order.definition, &standing) {
            (Some(wanted), _) => self.definition(wanted, standing.as_ref())?,
            (None, Some(set)) => set.definition.clone(),
            (None, None) => {
                return Err(RunError::new(
                    ErrorKind::Cloud,
                    format!("there is no stack set `{}`", order.name),
                )
                .hint("an action of CloudFormationStackSet makes it"));
            }
        };
        let targets = pairs(&sets, &address, standing.as_ref(), order).await?;
        let mut definition = definition;
        definition.tags.remove(OVERRIDES_TAG);
        let wanted = WantedStackSet {
            stack: order.name.clone(),
            address: address.clone(),
            definition,
            targets,
            preferences: preferences(order.targets.as_ref()),
            allow_replace: AllowReplace::default(),
            left_regions: BTreeSet::new(),
            unwanted: Unwanted::Go,
        };
        let told = Told {
            log,
            operation: Mutex::new(String::new()),
        };
        let environment = self.settings.environment.name.to_string();
        let failed = |error| error_of(Failure::of_roll_out(error, Kind::Deploy, &environment));
        RollOut {
            sets: &sets,
            clock: &SystemClock,
            poll: self.cloud.poll_interval(),
            observer: &told,
        }
        .run(&wanted)
        .await
        .map_err(failed)?;
        let set = sets.describe_stack_set(&address).await;
        let set = set.map_err(|error| error_of(Failure::from(error)))?;
        let mut variables = BTreeMap::from([(
            "StackSetId".to_owned(),
            set.map(|set| set.id).unwrap_or_default(),
        )]);
        let operation = told.operation.into_inner().unwrap_or_default();
        if !operation.is_empty() {
            variables.insert("OperationId".to_owned(), operation);
        }
        Ok(variables)
    }

    /// Why no set can be rolled out here, where the environment has none.
    pub(super) async fn lacks_stack_sets(&self) -> Result<Option<String>, RunError> {
        let sets = CloudFormationStackSets::new(&self.cloud.config);
        match sets.describe_stack_set(&address("none")).await {
            Ok(_) => Ok(None),
            Err(error) if error.is_unknown_operation() => {
                let url = self.cloud.endpoint_url.as_deref().unwrap_or("AWS");
                Ok(Some(format!("{url} has no stack sets")))
            }
            Err(error) => Err(error_of(Failure::from(error))),
        }
    }

    fn definition(
        &self,
        wanted: &SetDefinition,
        standing: Option<&StackSet>,
    ) -> Result<StackSetDefinition, RunError> {
        let refuse = |what: String| RunError::new(ErrorKind::Definition, what);
        let template = Template::parse(&wanted.template, Path::new("template of the artifact"))
            .map_err(|error| {
                refuse("the template does not parse".to_owned()).cause(error.to_string())
            })?;
        // Defaults are written out, so that a set that tells them and one that does not compare alike.
        let mut parameters: BTreeMap<String, String> = template
            .parameters
            .iter()
            .filter_map(|(name, parameter)| Some((name.clone(), parameter.default.clone()?)))
            .collect();
        for (name, value) in &wanted.parameters {
            let before = standing.and_then(|set| set.definition.parameters.get(name));
            let value = value.as_ref().or(before).ok_or_else(|| {
                refuse(format!(
                    "parameter `{name}` has no previous value to use: the stack set is new, or never had it"
                ))
            })?;
            parameters.insert(name.clone(), value.clone());
        }
        if let Err(unfit) = template.check_parameters(&parameters) {
            let refused = refuse("the parameters of the action do not fit the template".to_owned());
            return Err(unfit
                .iter()
                .map(ToString::to_string)
                .fold(refused, RunError::cause));
        }
        let account = &self.cloud.account;
        let permissions = match (standing, wanted.service_managed) {
            (Some(set), false) if !set.definition.permissions.is_service_managed() => {
                set.definition.permissions.clone()
            }
            (_, false) => Permissions::SelfManaged {
                administration_role: format!("arn:aws:iam::{account}:role/{ADMINISTRATION}"),
                execution_role: EXECUTION.to_owned(),
            },
            (_, true) => {
                let auto = wanted.auto_deployment.as_deref().unwrap_or("Disabled");
                Permissions::ServiceManaged(AutoDeployment {
                    enabled: auto != "Disabled",
                    retain_on_removal: auto == "EnabledWithStackRetention",
                })
            }
        };
        Ok(StackSetDefinition {
            template_body: wanted.template.clone(),
            parameters,
            tags: standing
                .map(|set| set.definition.tags.clone())
                .unwrap_or_default(),
            capabilities: wanted.capabilities.clone(),
            permissions,
        })
    }
}

fn address(name: &str) -> StackSetAddress {
    StackSetAddress {
        name: name.to_owned(),
        call_as: CallAs::Caller,
    }
}

/// The pairs that stand with the values of their own, and those of the order.
async fn pairs(
    sets: &CloudFormationStackSets,
    address: &StackSetAddress,
    standing: Option<&StackSet>,
    order: &StackSetOrder,
) -> Result<WantedPairs, RunError> {
    let refused = |error| error_of(Failure::from(error));
    let mut wanted = WantedPairs::default();
    if let Some(set) = standing {
        let has_overrides =
            set.definition.tags.contains_key(OVERRIDES_TAG) || !order.overrides.is_empty();
        for instance in sets.stack_instances(address).await.map_err(refused)? {
            let target = instance.target();
            if has_overrides {
                let own = sets.instance_overrides(address, &instance.pair).await;
                let own = own.map_err(refused)?.unwrap_or_default();
                if !own.is_empty() {
                    wanted.overrides.insert(target.clone(), own);
                }
            }
            wanted.pairs.insert(target);
        }
    }
    if let Some(targets) = &order.targets {
        for (place, region) in targets
            .places
            .iter()
            .flat_map(|place| targets.regions.iter().map(move |region| (place, region)))
        {
            let pair = Pair::new(place, region);
            if !order.overrides.is_empty() {
                wanted
                    .overrides
                    .entry(pair.clone())
                    .or_default()
                    .extend(order.overrides.clone());
            }
            wanted.pairs.insert(pair);
        }
    }
    Ok(wanted)
}

fn preferences(targets: Option<&SetTargets>) -> Preferences {
    let Some(targets) = targets else {
        return Preferences::default();
    };
    let service = Preferences::default();
    Preferences {
        region_order: targets.regions.clone(),
        failure_tolerance: targets
            .failure_tolerance_percent
            .map_or(service.failure_tolerance, Amount::Percent),
        max_concurrent: targets
            .max_concurrent_percent
            .map_or(service.max_concurrent, Amount::Percent),
        ..service
    }
}

/// Progress as lines of the action's log, and the id of the last operation.
struct Told<'a> {
    log: &'a Log<'a>,
    operation: Mutex<String>,
}

impl RollOutObserver for Told<'_> {
    fn observe_roll_out(&self, stack_set: &str, progress: &RollOutProgress) {
        let text = match progress {
            RollOutProgress::Waiting { operation, .. } => {
                format!("waits for operation {} of {stack_set}", operation.id)
            }
            RollOutProgress::Began {
                action, operation, ..
            } => {
                if let Ok(mut last) = self.operation.lock() {
                    last.clone_from(operation);
                }
                format!("{action} {operation}")
            }
            RollOutProgress::Instance(result) => {
                let why = result.reason.as_deref().unwrap_or_default();
                format!("{} {:?} {why}", result.pair, result.status)
            }
            RollOutProgress::Ended(operation) => {
                format!("{} {} {}", operation.action, operation.id, operation.status)
            }
            RollOutProgress::NoChanges => format!("{stack_set} has no changes"),
            RollOutProgress::Done => format!("{stack_set} stands"),
            RollOutProgress::Started | RollOutProgress::Planned(_) => return,
        };
        // A log that is full is told of by the action's next line.
        let _ = self.log.line(text.trim_end());
    }
}
