//! Stack sets in memory that behave as scripted: operations take time, one at a time on a set, and fail where told.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use async_trait::async_trait;
use time::{Duration, OffsetDateTime};

use super::{InstancesRequest, StackSetUpdate, StackSets, codes};
use crate::cloud::CloudError;
use crate::cloud::fake::Faults;
use crate::stack_set::{
    Amount, CallAs, DetailedStatus, DriftStatus, InstanceDrift, InstanceStatus, OperationAction,
    OperationOutcome, OperationResult, OperationStatus, Overrides, Pair, Permissions, Preferences,
    Product, ResultStatus, SetDrift, StackInstance, StackSet, StackSetAddress, StackSetDefinition,
    StackSetOperation, StackSetStatus, StackSetSummary,
};

/// How the verbs of calls that change something begin.
const WRITES: [&str; 5] = ["create", "update", "delete", "stop", "detect"];

/// A scripted [`StackSets`].
#[derive(Debug, Default)]
pub struct FakeStackSets {
    state: Mutex<State>,
    faults: Faults,
}

#[derive(Debug, Default)]
struct State {
    calls: Vec<String>,
    sets: BTreeMap<StackSetAddress, FakeSet>,
    /// The accounts of each organizational unit.
    units: BTreeMap<String, Vec<String>>,
    /// Instances that every operation fails for, with the reason.
    failing: BTreeMap<Pair, &'static str>,
    drifted: BTreeMap<Pair, InstanceDrift>,
    broken: Option<(&'static str, CloudError)>,
    clock: i64,
}

#[derive(Debug)]
struct FakeSet {
    set: StackSet,
    token: String,
    instances: BTreeMap<Pair, FakeInstance>,
    watched: BTreeSet<Pair>,
    operations: Vec<FakeOperation>,
}

#[derive(Debug)]
struct FakeInstance {
    instance: StackInstance,
    overrides: Overrides,
}

#[derive(Debug)]
struct FakeOperation {
    operation: StackSetOperation,
    results: Vec<OperationResult>,
    overrides: Option<Overrides>,
    retain: bool,
    tolerance: Amount,
    /// Looks that it takes before it works on an instance, or ends where it has none.
    looks: u32,
}

impl FakeStackSets {
    /// No sets at all.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same with its calls recorded, and one of them at fault, as `faults` says.
    #[must_use]
    pub fn with_faults(mut self, faults: &Faults) -> Self {
        self.faults = faults.clone();
        self
    }

    fn with<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        work(
            &mut self
                .state
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner),
        )
    }

    /// Puts accounts into an organizational unit.
    pub fn put_unit(&self, unit: &str, accounts: &[&str]) {
        let accounts = accounts.iter().map(|name| (*name).to_owned()).collect();
        self.with(|state| state.units.insert(unit.to_owned(), accounts));
    }

    /// Puts a set there, with instances that match it.
    pub fn put_set(&self, at: &StackSetAddress, definition: &StackSetDefinition, pairs: &[Pair]) {
        self.with(|state| {
            let mut set = new_set(at, definition, "put");
            for pair in pairs {
                set.instances.insert(pair.clone(), instance(pair, None));
            }
            state.sets.insert(at.clone(), set);
        });
    }

    /// Changes an instance: its status, its detailed status, and whether it has a stack.
    pub fn put_status(&self, at: &StackSetAddress, pair: &Pair, status: &str, detailed: &str) {
        self.with(|state| {
            if let Some(entry) = state
                .sets
                .get_mut(at)
                .and_then(|set| set.instances.get_mut(pair))
            {
                entry.instance.status = InstanceStatus::parse(status);
                entry.instance.detailed = Some(DetailedStatus::parse(detailed));
            }
        });
    }

    /// Lets every operation fail for an instance, until [`FakeStackSets::mend`].
    pub fn fail(&self, pair: &Pair, reason: &'static str) {
        self.with(|state| state.failing.insert(pair.clone(), reason));
    }

    /// Lets operations succeed again for every instance.
    pub fn mend(&self) {
        self.with(|state| state.failing.clear());
    }

    /// Lets an instance drift, so that the next detection finds it.
    pub fn drift(&self, drift: InstanceDrift) {
        self.with(|state| state.drifted.insert(drift.pair.clone(), drift));
    }

    /// An operation of somebody else's, which ends after so many looks.
    pub fn begin_foreign(&self, at: &StackSetAddress, status: &str, looks: u32) {
        self.with(|state| {
            let mut operation = state.operation("theirs", OperationAction::Update);
            operation.operation.status = OperationStatus::parse(status);
            operation.looks = looks;
            if let Some(set) = state.sets.get_mut(at) {
                set.operations.push(operation);
            }
        });
    }

    /// Fails every call of that name.
    pub fn break_call(&self, call: &'static str, error: CloudError) {
        self.with(|state| state.broken = Some((call, error)));
    }

    /// What was called, in order.
    pub fn calls(&self) -> Vec<String> {
        self.with(|state| state.calls.clone())
    }

    /// The calls that change something.
    pub fn writes(&self) -> Vec<String> {
        self.calls()
            .into_iter()
            .filter(|call| WRITES.iter().any(|write| call.starts_with(write)))
            .collect()
    }

    /// The instances of a set that match it, each with the values of its own.
    pub fn standing(&self, at: &StackSetAddress) -> BTreeMap<Pair, Overrides> {
        self.with(|state| {
            let set = state.sets.get(at);
            let instances = set
                .into_iter()
                .flat_map(|set| &set.instances)
                .filter(|(_, entry)| entry.instance.status == InstanceStatus::Current);
            instances
                .map(|(pair, entry)| (pair.clone(), entry.overrides.clone()))
                .collect()
        })
    }

    /// What a set is made from.
    pub fn definition(&self, at: &StackSetAddress) -> Option<StackSetDefinition> {
        self.with(|state| state.sets.get(at).map(|set| set.set.definition.clone()))
    }

    /// The operations that were begun on a set, oldest first.
    pub fn begun(&self, at: &StackSetAddress) -> Vec<StackSetOperation> {
        self.with(|state| {
            let set = state.sets.get(at);
            set.into_iter()
                .flat_map(|set| &set.operations)
                .map(|operation| operation.operation.clone())
                .collect()
        })
    }

    async fn call<T: Send>(
        &self,
        name: &'static str,
        target: &str,
        mut work: impl FnMut(&mut State) -> Result<T, CloudError> + Send,
    ) -> Result<T, CloudError> {
        let work = || {
            self.with(|state| {
                state.calls.push(format!("{name} {target}"));
                match &state.broken {
                    Some((broken, error)) if *broken == name => Err(error.clone()),
                    _ => work(state),
                }
            })
        };
        if WRITES.iter().any(|write| name.starts_with(write)) {
            self.faults.write(name, target, work).await
        } else {
            self.faults.read(name, target, work).await
        }
    }
}

fn new_set(at: &StackSetAddress, definition: &StackSetDefinition, token: &str) -> FakeSet {
    FakeSet {
        set: StackSet {
            name: at.name.clone(),
            id: format!("{}:1", at.name),
            status: StackSetStatus::Active,
            definition: definition.clone(),
            drift: SetDrift::default(),
        },
        token: token.to_owned(),
        instances: BTreeMap::new(),
        watched: BTreeSet::new(),
        operations: Vec::new(),
    }
}

fn instance(pair: &Pair, unit: Option<&str>) -> FakeInstance {
    FakeInstance {
        instance: StackInstance {
            pair: pair.clone(),
            organizational_unit: unit.map(str::to_owned),
            stack_id: Some(format!("arn:{pair}")),
            status: InstanceStatus::Current,
            detailed: Some(DetailedStatus::Succeeded),
            reason: None,
            drift: DriftStatus::NotChecked,
        },
        overrides: Overrides::new(),
    }
}

fn refused(code: &str, message: &str) -> CloudError {
    CloudError::Refused {
        operation: "cloudformation:StackSets",
        code: code.to_owned(),
        message: message.to_owned(),
    }
}

impl State {
    fn operation(&mut self, id: &str, action: OperationAction) -> FakeOperation {
        self.clock += 1;
        FakeOperation {
            operation: StackSetOperation {
                id: id.to_owned(),
                action,
                status: OperationStatus::Running,
                reason: None,
                created_at: Some(OffsetDateTime::UNIX_EPOCH + Duration::seconds(self.clock)),
                ended_at: None,
            },
            results: Vec::new(),
            overrides: None,
            retain: false,
            tolerance: Amount::Count(0),
            looks: 1,
        }
    }

    fn set(&mut self, at: &StackSetAddress) -> Result<&mut FakeSet, CloudError> {
        self.sets
            .get_mut(at)
            .ok_or_else(|| refused(codes::NOT_FOUND, &format!("StackSet {} not found", at.name)))
    }

    /// The accounts of a product, each with its region and the unit that it comes through.
    fn expand(&self, product: &Product) -> Vec<(Pair, Option<String>)> {
        product
            .pairs()
            .flat_map(|pair| match self.units.get(&pair.place) {
                Some(accounts) => accounts
                    .iter()
                    .map(|account| (Pair::new(account, &pair.region), Some(pair.place.clone())))
                    .collect(),
                None => vec![(pair, None)],
            })
            .collect()
    }

    /// Begins an operation, or refuses it as the service would.
    fn begin(
        &mut self,
        at: &StackSetAddress,
        id: &str,
        action: OperationAction,
        pairs: Vec<Pair>,
        preferences: &Preferences,
    ) -> Result<&mut FakeOperation, CloudError> {
        let mut operation = self.operation(id, action);
        operation.tolerance = preferences.failure_tolerance;
        operation.results = pairs
            .into_iter()
            .map(|pair| OperationResult {
                pair,
                status: ResultStatus::Pending,
                reason: None,
            })
            .collect();
        let set = self.set(at)?;
        if set
            .operations
            .iter()
            .any(|operation| operation.operation.id == id)
        {
            return Err(refused(
                codes::OPERATION_ID_EXISTS,
                "The specified operation ID already exists.",
            ));
        }
        if set
            .operations
            .iter()
            .any(|operation| operation.operation.status.outcome() == OperationOutcome::InProgress)
        {
            return Err(refused(
                codes::OPERATION_IN_PROGRESS,
                "Another operation is in progress.",
            ));
        }
        set.operations.push(operation);
        set.operations
            .last_mut()
            .ok_or_else(|| refused(codes::NOT_FOUND, "no operation"))
    }

    /// Lets an operation do a bit of its work: one instance a look.
    fn advance(&mut self, at: &StackSetAddress, id: &str) {
        let (failing, drifted) = (self.failing.clone(), self.drifted.clone());
        let Some(set) = self.sets.get_mut(at) else {
            return;
        };
        let Some(running) = set
            .operations
            .iter_mut()
            .find(|operation| operation.operation.id == id)
        else {
            return;
        };
        if running.operation.status.outcome() != OperationOutcome::InProgress {
            return;
        }
        if running.operation.status == OperationStatus::Stopping {
            cancel(running, OperationStatus::Stopped);
            return;
        }
        running.looks = running.looks.saturating_sub(1);
        if running.looks > 0 {
            return;
        }
        running.operation.status = OperationStatus::Running;
        let next = running
            .results
            .iter_mut()
            .find(|result| !result.status.is_final());
        if let Some(result) = next {
            match failing.get(&result.pair) {
                // A stack that stays is not touched, so nothing can fail.
                Some(reason) if !running.retain => {
                    result.status = ResultStatus::Failed;
                    result.reason = Some((*reason).to_owned());
                }
                _ => result.status = ResultStatus::Succeeded,
            }
            let result = result.clone();
            settle(set, id, &result, &drifted);
        }
        let Some(running) = set
            .operations
            .iter_mut()
            .find(|operation| operation.operation.id == id)
        else {
            return;
        };
        let failed = running
            .results
            .iter()
            .filter(|result| result.status == ResultStatus::Failed)
            .count();
        let tolerated = match running.tolerance {
            Amount::Count(count) => count as usize,
            Amount::Percent(percent) => running.results.len() * usize::from(percent) / 100,
        };
        if failed > tolerated {
            cancel(running, OperationStatus::Failed);
        } else if running
            .results
            .iter()
            .all(|result| result.status.is_final())
        {
            cancel(running, OperationStatus::Succeeded);
        }
    }
}

/// Ends an operation: instances whose turn has not come are cancelled.
fn cancel(running: &mut FakeOperation, status: OperationStatus) {
    running.operation.status = status;
    for result in &mut running.results {
        if !result.status.is_final() {
            result.status = ResultStatus::Cancelled;
            result.reason = Some("Cancelled since failure tolerance has exceeded".to_owned());
        }
    }
}

/// What the end of an operation on one instance leaves of it.
fn settle(
    set: &mut FakeSet,
    id: &str,
    result: &OperationResult,
    drifted: &BTreeMap<Pair, InstanceDrift>,
) {
    let Some(running) = set
        .operations
        .iter()
        .find(|operation| operation.operation.id == id)
    else {
        return;
    };
    let failed = result.status == ResultStatus::Failed;
    if running.operation.action == OperationAction::Delete && !failed {
        set.instances.remove(&result.pair);
        return;
    }
    let Some(entry) = set.instances.get_mut(&result.pair) else {
        return;
    };
    let instance = &mut entry.instance;
    instance.reason.clone_from(&result.reason);
    match (&running.operation.action, failed) {
        (OperationAction::DetectDrift, _) => {
            instance.reason = None;
            instance.drift = if drifted.contains_key(&result.pair) {
                set.set.drift.drifted += 1;
                DriftStatus::Drifted
            } else {
                set.set.drift.in_sync += 1;
                DriftStatus::InSync
            };
        }
        (OperationAction::Delete, _) => {
            instance.status = InstanceStatus::Inoperable;
            instance.detailed = Some(DetailedStatus::Inoperable);
        }
        (_, true) => {
            instance.status = InstanceStatus::Outdated;
            instance.detailed = Some(DetailedStatus::Failed);
        }
        (_, false) => {
            instance.status = InstanceStatus::Current;
            instance.detailed = Some(DetailedStatus::Succeeded);
            instance.stack_id = Some(format!("arn:{}", result.pair));
            if let Some(overrides) = &running.overrides {
                entry.overrides.clone_from(overrides);
            }
        }
    }
}

#[async_trait]
impl StackSets for FakeStackSets {
    async fn describe_stack_set(
        &self,
        at: &StackSetAddress,
    ) -> Result<Option<StackSet>, CloudError> {
        self.call("describe_stack_set", &at.name, |state| {
            Ok(state.sets.get(at).map(|set| set.set.clone()))
        })
        .await
    }

    async fn stack_sets(&self, call_as: CallAs) -> Result<Vec<StackSetSummary>, CloudError> {
        self.call("stack_sets", &call_as.to_string(), |state| {
            let seen = state.sets.iter().filter(|(at, _)| at.call_as == call_as);
            Ok(seen
                .map(|(at, set)| StackSetSummary {
                    address: at.clone(),
                    id: set.set.id.clone(),
                    status: set.set.status.clone(),
                    service_managed: set.set.definition.permissions.is_service_managed(),
                })
                .collect())
        })
        .await
    }

    async fn create_stack_set(
        &self,
        at: &StackSetAddress,
        definition: &StackSetDefinition,
        token: &str,
    ) -> Result<(), CloudError> {
        self.call("create_stack_set", &at.name, |state| {
            match state.sets.get(at) {
                Some(set) if set.token == token => Ok(()),
                Some(_) => Err(refused(
                    codes::NAME_EXISTS,
                    "The specified name is already in use.",
                )),
                None => {
                    let set = new_set(at, definition, token);
                    state.sets.insert(at.clone(), set);
                    Ok(())
                }
            }
        })
        .await
    }

    async fn update_stack_set(
        &self,
        at: &StackSetAddress,
        update: &StackSetUpdate,
    ) -> Result<String, CloudError> {
        self.call("update_stack_set", &at.name, |state| {
            let there: BTreeSet<_> = state.set(at)?.instances.keys().cloned().collect();
            let pairs: Vec<Pair> = match &update.on {
                None => there.iter().cloned().collect(),
                Some(product) => state
                    .expand(product)
                    .into_iter()
                    .map(|(at, _)| at)
                    .collect(),
            };
            if let Some(missing) = pairs.iter().find(|pair| !there.contains(pair)) {
                return Err(refused(
                    codes::INSTANCE_NOT_FOUND,
                    &format!("There is no instance in {missing}"),
                ));
            }
            let id = &update.operation_id;
            state.begin(at, id, OperationAction::Update, pairs, &update.preferences)?;
            let set = state.set(at)?;
            let mut definition = update.definition.clone();
            if update.on.is_some() {
                // Auto-deployment stays as it is beside targets.
                definition.permissions = set.set.definition.permissions.clone();
            }
            if set.set.definition != definition {
                for entry in set.instances.values_mut() {
                    if entry.instance.status == InstanceStatus::Current {
                        entry.instance.status = InstanceStatus::Outdated;
                        entry.instance.detailed = Some(DetailedStatus::Pending);
                    }
                }
            }
            set.set.definition = definition;
            Ok(id.clone())
        })
        .await
    }

    async fn delete_stack_set(&self, at: &StackSetAddress) -> Result<(), CloudError> {
        self.call("delete_stack_set", &at.name, |state| {
            let Some(set) = state.sets.get(at) else {
                return Ok(());
            };
            if !set.instances.is_empty() {
                return Err(refused(codes::NOT_EMPTY, "StackSet is not empty"));
            }
            state.sets.remove(at);
            Ok(())
        })
        .await
    }

    async fn stack_instances(
        &self,
        at: &StackSetAddress,
    ) -> Result<Vec<StackInstance>, CloudError> {
        self.call("stack_instances", &at.name, |state| {
            let entries = state.set(at)?.instances.values();
            Ok(entries.map(|entry| entry.instance.clone()).collect())
        })
        .await
    }

    async fn instance_overrides(
        &self,
        at: &StackSetAddress,
        pair: &Pair,
    ) -> Result<Option<Overrides>, CloudError> {
        self.call("instance_overrides", &pair.to_string(), |state| {
            let entry = state.set(at)?.instances.get(pair);
            Ok(entry.map(|entry| entry.overrides.clone()))
        })
        .await
    }

    async fn auto_deployment_targets(&self, at: &StackSetAddress) -> Result<Vec<Pair>, CloudError> {
        self.call("auto_deployment_targets", &at.name, |state| {
            Ok(state.set(at)?.watched.iter().cloned().collect())
        })
        .await
    }

    async fn create_instances(
        &self,
        at: &StackSetAddress,
        request: &InstancesRequest,
    ) -> Result<String, CloudError> {
        self.call("create_instances", &at.name, |state| {
            let targets = state.expand(&request.on);
            let id = &request.operation_id;
            let pairs = targets.iter().map(|(pair, _)| pair.clone()).collect();
            let operation =
                state.begin(at, id, OperationAction::Create, pairs, &request.preferences)?;
            operation.overrides = Some(request.overrides.clone());
            let set = state.set(at)?;
            for (pair, unit) in targets {
                set.instances.entry(pair.clone()).or_insert_with(|| {
                    let mut entry = instance(&pair, unit.as_deref());
                    entry.instance.status = InstanceStatus::Outdated;
                    entry.instance.detailed = Some(DetailedStatus::Pending);
                    entry.instance.stack_id = None;
                    entry
                });
            }
            if matches!(set.set.definition.permissions, Permissions::ServiceManaged(auto) if auto.enabled)
            {
                set.watched.extend(request.on.pairs());
            }
            Ok(id.clone())
        })
        .await
    }

    async fn update_instances(
        &self,
        at: &StackSetAddress,
        request: &InstancesRequest,
    ) -> Result<String, CloudError> {
        self.call("update_instances", &at.name, |state| {
            let pairs = state.expand(&request.on).into_iter().map(|(at, _)| at);
            let (id, pairs) = (&request.operation_id, pairs.collect());
            let operation =
                state.begin(at, id, OperationAction::Update, pairs, &request.preferences)?;
            operation.overrides = Some(request.overrides.clone());
            Ok(id.clone())
        })
        .await
    }

    async fn delete_instances(
        &self,
        at: &StackSetAddress,
        request: &InstancesRequest,
        retain_stacks: bool,
    ) -> Result<String, CloudError> {
        self.call("delete_instances", &at.name, |state| {
            let pairs = state.expand(&request.on).into_iter().map(|(at, _)| at);
            let (id, pairs) = (&request.operation_id, pairs.collect());
            let operation =
                state.begin(at, id, OperationAction::Delete, pairs, &request.preferences)?;
            operation.retain = retain_stacks;
            let set = state.set(at)?;
            for pair in request.on.pairs() {
                set.watched.remove(&pair);
            }
            Ok(id.clone())
        })
        .await
    }

    async fn operations(&self, at: &StackSetAddress) -> Result<Vec<StackSetOperation>, CloudError> {
        self.call("operations", &at.name, |state| {
            let operations = state.set(at)?.operations.iter().rev();
            Ok(operations
                .map(|operation| operation.operation.clone())
                .collect())
        })
        .await
    }

    async fn describe_operation(
        &self,
        at: &StackSetAddress,
        operation_id: &str,
    ) -> Result<Option<StackSetOperation>, CloudError> {
        self.call("describe_operation", operation_id, |state| {
            state.advance(at, operation_id);
            let mut operations = state.set(at)?.operations.iter();
            Ok(operations
                .find(|operation| operation.operation.id == operation_id)
                .map(|operation| operation.operation.clone()))
        })
        .await
    }

    async fn operation_results(
        &self,
        at: &StackSetAddress,
        operation_id: &str,
    ) -> Result<Vec<OperationResult>, CloudError> {
        self.call("operation_results", operation_id, |state| {
            let mut operations = state.set(at)?.operations.iter();
            Ok(operations
                .find(|operation| operation.operation.id == operation_id)
                .map(|operation| operation.results.clone())
                .unwrap_or_default())
        })
        .await
    }

    async fn stop_operation(
        &self,
        at: &StackSetAddress,
        operation_id: &str,
    ) -> Result<(), CloudError> {
        self.call("stop_operation", operation_id, |state| {
            let operations = &mut state.set(at)?.operations;
            match operations.iter_mut().find(|operation| {
                operation.operation.id == operation_id
                    && operation.operation.status.outcome() == OperationOutcome::InProgress
            }) {
                Some(operation) => {
                    operation.operation.status = OperationStatus::Stopping;
                    Ok(())
                }
                None => Err(refused(
                    codes::OPERATION_NOT_FOUND,
                    "no such operation is under way",
                )),
            }
        })
        .await
    }

    async fn detect_drift(
        &self,
        at: &StackSetAddress,
        preferences: &Preferences,
        operation_id: &str,
    ) -> Result<String, CloudError> {
        self.call("detect_drift", &at.name, |state| {
            let set = state.set(at)?;
            set.set.drift = SetDrift::default();
            let pairs = set.instances.keys().cloned().collect();
            let action = OperationAction::DetectDrift;
            state.begin(at, operation_id, action, pairs, preferences)?;
            Ok(operation_id.to_owned())
        })
        .await
    }

    async fn instance_drift(
        &self,
        _at: &StackSetAddress,
        pair: &Pair,
        _operation_id: &str,
    ) -> Result<InstanceDrift, CloudError> {
        self.call("instance_drift", &pair.to_string(), |state| {
            Ok(state.drifted.get(pair).cloned().unwrap_or(InstanceDrift {
                pair: pair.clone(),
                status: DriftStatus::InSync,
                resources: Vec::new(),
            }))
        })
        .await
    }
}
