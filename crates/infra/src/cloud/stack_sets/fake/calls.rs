//! What the fake answers to each call.

use async_trait::async_trait;

use super::{
    BTreeSet, CallAs, CloudError, DetailedStatus, DriftStatus, FakeStackSets, InstanceDrift,
    InstanceStatus, InstancesRequest, OperationAction, OperationOutcome, OperationResult,
    OperationStatus, Overrides, Pair, Permissions, Preferences, SetDrift, StackInstance, StackSet,
    StackSetAddress, StackSetDefinition, StackSetOperation, StackSetSummary, StackSetUpdate,
    StackSets, codes, instance, new_set, refused,
};

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
