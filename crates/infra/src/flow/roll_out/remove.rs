use std::collections::BTreeSet;

use super::{
    InstancesRequest, PLANS, RollOut, RollOutError, RollOutProgress, RolledOut, is_contention,
};
use crate::cloud::stack_sets::codes;
use crate::stack_set::{
    OperationAction, Pair, Permissions, Preferences, StackInstance, StackSetAddress, Step, products,
};

/// A stack set that is gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemovedStackSet {
    /// Its name.
    pub name: String,
    /// How many instances it had.
    pub instances: usize,
}

impl RollOut<'_> {
    /// Removes a stack set: its instances, with their stacks unless `retain_stacks`, and then the set itself.
    ///
    /// `None` where there is no such set. Whatever runs on it is waited for; killed at any point, the next run goes on.
    ///
    /// # Errors
    /// [`RollOutError::Ended`] where instances could not be deleted, with the reason of each. They are INOPERABLE then: a
    /// second run tries them again, and one with `retain_stacks` lets go of them.
    pub async fn remove(
        &self,
        at: &StackSetAddress,
        preferences: &Preferences,
        retain_stacks: bool,
    ) -> Result<Option<RemovedStackSet>, RollOutError> {
        let mut removed = None;
        let mut done = RolledOut::default();
        for _ in 0..PLANS {
            let Some(set) = self.sets.describe_stack_set(at).await? else {
                if removed.is_some() {
                    self.tell(at, &RollOutProgress::Done);
                }
                return Ok(removed);
            };
            let (in_flight, mut after) = self.in_flight(at).await?;
            if let Some(operation) = in_flight {
                self.wait_for(at, &operation).await?;
                continue;
            }
            let instances = self.sets.stack_instances(at).await?;
            let mut targets: BTreeSet<Pair> = instances.iter().map(StackInstance::target).collect();
            if matches!(set.definition.permissions, Permissions::ServiceManaged(auto) if auto.enabled)
            {
                targets.extend(self.sets.auto_deployment_targets(at).await?);
            }
            let gone = removed.get_or_insert(RemovedStackSet {
                name: at.name.clone(),
                instances: 0,
            });
            gone.instances = gone.instances.max(instances.len());
            let mut contended = false;
            for on in products(&targets) {
                let step = Step::Delete { on: on.clone() };
                let id = step.operation_id(&set.id, &set.definition, after.as_deref());
                let request = InstancesRequest {
                    preferences: preferences.within(&on.regions),
                    on,
                    overrides: std::collections::BTreeMap::new(),
                    operation_id: id.clone(),
                };
                let begun = match self
                    .sets
                    .delete_instances(at, &request, retain_stacks)
                    .await
                {
                    Ok(begun) => begun,
                    Err(error) if error.code() == Some(codes::OPERATION_ID_EXISTS) => id,
                    Err(error) if is_contention(&error) => {
                        contended = true;
                        break;
                    }
                    Err(error) => return Err(error.into()),
                };
                self.tell(
                    at,
                    &RollOutProgress::Began {
                        action: OperationAction::Delete,
                        operation: begun.clone(),
                        instances: Some(request.on.len()),
                    },
                );
                let ended = self.follow(at, &begun).await?;
                self.conclude(at, ended, &mut done)?;
                after = Some(begun);
            }
            if contended {
                continue;
            }
            match self.sets.delete_stack_set(at).await {
                Ok(()) => {}
                // An instance came in between, or failures were tolerated: they are looked at once more.
                Err(error) if error.code() == Some(codes::NOT_EMPTY) || is_contention(&error) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(RollOutError::Contended {
            stack_set: at.name.clone(),
        })
    }
}
