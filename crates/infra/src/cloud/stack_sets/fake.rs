//! Stack sets in memory that behave as scripted: operations take time, one at a time on a set, and fail where told.

mod calls;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

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
