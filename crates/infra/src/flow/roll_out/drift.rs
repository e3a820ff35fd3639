use futures::stream::{StreamExt as _, TryStreamExt as _};

use super::{RollOut, RollOutError, RollOutProgress};
use crate::stack_set::{
    DriftStatus, InstanceDrift, OperationAction, OperationOutcome, Preferences, SetDrift,
    StackSetAddress,
};

/// How many instances are asked for their differences at once.
const AT_ONCE: usize = 8;

/// What a drift detection found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DriftReport {
    /// Over the whole set.
    pub set: SetDrift,
    /// The instances that have drifted, each with what differs.
    pub instances: Vec<InstanceDrift>,
}

impl RollOut<'_> {
    /// Compares every instance with its template; `None` where there is no such set.
    ///
    /// This begins an operation on the set, and changes no stack.
    ///
    /// # Errors
    /// [`RollOutError::Ended`] where the detection does not succeed.
    pub async fn drift(
        &self,
        at: &StackSetAddress,
        preferences: &Preferences,
    ) -> Result<Option<DriftReport>, RollOutError> {
        if self.sets.describe_stack_set(at).await?.is_none() {
            return Ok(None);
        }
        if let (Some(operation), _) = self.in_flight(at).await? {
            self.wait_for(at, &operation).await?;
        }
        let id = format!("stackway-drift-{}", self.clock.now().unix_timestamp_nanos());
        let begun = self.sets.detect_drift(at, preferences, &id).await?;
        self.tell(
            at,
            &RollOutProgress::Began {
                action: OperationAction::DetectDrift,
                operation: begun.clone(),
                instances: None,
            },
        );
        let ended = self.follow(at, &begun).await?;
        if ended.operation.status.outcome() != OperationOutcome::Succeeded {
            return Err(RollOutError::ended(at, ended.operation, ended.results));
        }
        let Some(set) = self.sets.describe_stack_set(at).await? else {
            return Ok(None);
        };
        let drifted = self.sets.stack_instances(at).await?;
        let looks = drifted
            .iter()
            .filter(|instance| instance.drift == DriftStatus::Drifted)
            .map(|instance| self.sets.instance_drift(at, &instance.pair, &begun));
        let instances = futures::stream::iter(looks)
            .buffered(AT_ONCE)
            .try_collect()
            .await?;
        Ok(Some(DriftReport {
            set: set.drift,
            instances,
        }))
    }
}
