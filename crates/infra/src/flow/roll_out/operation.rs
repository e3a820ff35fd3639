use std::collections::BTreeMap;

use super::{Ended, RollOut, RollOutError, RollOutProgress};
use crate::stack_set::{
    OPERATION_PREFIX, OperationOutcome, Pair, ResultStatus, StackSetAddress, StackSetOperation,
};

/// Looks at an operation that the service does not know yet, before it is taken for lost.
const LOOKS_FOR_NEW: u32 = 10;

impl RollOut<'_> {
    /// Waits until an operation is over, and tells of each instance as it moves.
    pub(super) async fn follow(
        &self,
        at: &StackSetAddress,
        operation_id: &str,
    ) -> Result<Ended, RollOutError> {
        let mut seen: BTreeMap<Pair, ResultStatus> = BTreeMap::new();
        for attempt in 0.. {
            // The operation is read before its results: once it is over, all of them are final.
            match self.sets.describe_operation(at, operation_id).await? {
                Some(operation) => {
                    let results = self.sets.operation_results(at, operation_id).await?;
                    for result in &results {
                        if seen.get(&result.pair) != Some(&result.status) {
                            seen.insert(result.pair.clone(), result.status.clone());
                            self.tell(at, &RollOutProgress::Instance(result.clone()));
                        }
                    }
                    if operation.status.outcome() != OperationOutcome::InProgress {
                        return Ok(Ended { operation, results });
                    }
                }
                // It was begun a moment ago, and not every part of the service has heard.
                None if attempt < LOOKS_FOR_NEW => {}
                None => {
                    return Err(RollOutError::Lost {
                        stack_set: at.name.clone(),
                        operation: operation_id.to_owned(),
                    });
                }
            }
            self.clock
                .sleep(self.poll.wait(attempt, self.clock.now()))
                .await;
        }
        unreachable!("the loop ends by returning")
    }

    /// Gives an operation that was under way already its turn, whatever becomes of it: what it left undone is seen by
    /// the plan that follows.
    pub(super) async fn wait_for(
        &self,
        at: &StackSetAddress,
        operation: &StackSetOperation,
    ) -> Result<(), RollOutError> {
        self.tell(
            at,
            &RollOutProgress::Waiting {
                operation: operation.clone(),
                own: operation.id.starts_with(OPERATION_PREFIX),
            },
        );
        let ended = self.follow(at, &operation.id).await?;
        self.tell(at, &RollOutProgress::Ended(ended.operation));
        Ok(())
    }

    /// The operation under way, if any, and the newest operation's id.
    pub(super) async fn in_flight(
        &self,
        at: &StackSetAddress,
    ) -> Result<(Option<StackSetOperation>, Option<String>), RollOutError> {
        let operations = self.sets.operations(at).await?;
        let last = operations.first().map(|operation| operation.id.clone());
        // The oldest has its turn first, where others are queued behind it.
        let running = operations
            .into_iter()
            .rev()
            .find(|operation| operation.status.outcome() == OperationOutcome::InProgress);
        Ok((running, last))
    }

    /// The operation that is under way; `None` where none is, or no such set. Only reads.
    ///
    /// # Errors
    /// Where a call fails.
    pub async fn under_way(
        &self,
        at: &StackSetAddress,
    ) -> Result<Option<StackSetOperation>, RollOutError> {
        match self.sets.describe_stack_set(at).await? {
            Some(_) => Ok(self.in_flight(at).await?.0),
            None => Ok(None),
        }
    }

    /// Asks the operation under way to stop, and waits until it has; `None` where none is.
    ///
    /// # Errors
    /// Where a call fails. That the operation ends in STOPPED is what was asked for.
    pub async fn stop(
        &self,
        at: &StackSetAddress,
    ) -> Result<Option<StackSetOperation>, RollOutError> {
        let (Some(operation), _) = self.in_flight(at).await? else {
            return Ok(None);
        };
        self.sets.stop_operation(at, &operation.id).await?;
        let ended = self.follow(at, &operation.id).await?;
        self.tell(at, &RollOutProgress::Ended(ended.operation.clone()));
        Ok(Some(ended.operation))
    }
}
