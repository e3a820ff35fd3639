//! Rolls a stack set out over its pairs, and takes it back.
//!
//! Works over [`StackSets`] alone. Every operation is awaited, with what it does to each instance; one that ends in
//! FAILED or STOPPED is an error with each instance's reason.

mod buckets;
mod drift;
mod error;
#[cfg(test)]
mod fault_tests;
mod guard;
mod operation;
mod plan;
mod progress;
mod remove;
#[cfg(test)]
mod tests;

pub use buckets::buckets_of_stack;
pub use drift::DriftReport;
pub use error::RollOutError;
pub use plan::{OVERRIDES_TAG, RollOutPlan, Unwanted, WantedStackSet};
pub use progress::{RollOutObserver, RollOutProgress};
pub use remove::RemovedStackSet;

use std::collections::BTreeMap;

use crate::clock::{Clock, PollInterval};
use crate::cloud::CloudError;
use crate::cloud::stack_sets::{InstancesRequest, StackSetUpdate, StackSets, codes};
use crate::stack_set::{
    OperationAction, OperationOutcome, OperationResult, Preferences, ResultStatus, StackSetAddress,
    StackSetOperation, Step, steps,
};

/// How often a roll-out begins anew because somebody else's operation came in between.
const PLANS: usize = 10;

/// Rolls stack sets out.
#[derive(Clone, Copy)]
pub struct RollOut<'a> {
    /// CloudFormation's stack sets.
    pub sets: &'a dyn StackSets,
    /// Time.
    pub clock: &'a dyn Clock,
    /// How often to ask.
    pub poll: PollInterval,
    /// Where progress goes.
    pub observer: &'a dyn RollOutObserver,
}

/// What a roll-out did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RolledOut {
    /// Whether the set was not there before.
    pub created: bool,
    /// Instances by what was done to them, and how many.
    pub instances: BTreeMap<&'static str, usize>,
    /// Instances that failed, within what is tolerated; they are outdated, and the next roll-out tries them again.
    pub tolerated: Vec<OperationResult>,
    /// How many instances stay for now that are not wanted; see [`Unwanted::Stay`].
    pub kept: usize,
}

impl RolledOut {
    /// Whether nothing had to be done.
    pub fn is_unchanged(&self) -> bool {
        !self.created && self.instances.is_empty() && self.tolerated.is_empty() && self.kept == 0
    }
}

/// The end of an operation.
struct Ended {
    operation: StackSetOperation,
    results: Vec<OperationResult>,
}

impl RollOut<'_> {
    /// Brings the set to what is wanted.
    ///
    /// Whatever runs on it already is waited for: an operation of an earlier run that was killed is adopted so, and one of
    /// somebody else's has its turn. Killed at any point, the next run goes on from what stands.
    ///
    /// # Errors
    /// [`RollOutError::Guarded`] before anything is changed where data would be lost and nobody agreed to that,
    /// [`RollOutError::Ended`] where an operation does not succeed, [`RollOutError::Stuck`] where all else is done and
    /// instances are left that take no operation.
    pub async fn run(&self, wanted: &WantedStackSet) -> Result<RolledOut, RollOutError> {
        let at = &wanted.address;
        self.tell(at, &RollOutProgress::Started);
        let mut done = RolledOut::default();
        for _ in 0..PLANS {
            let mut plan = self.plan(wanted).await?;
            if let Some(operation) = &plan.in_flight {
                self.wait_for(at, operation).await?;
                continue;
            }
            let Some(set_id) = plan.set_id.clone() else {
                done.created |= self.create_set(wanted).await?;
                continue;
            };
            let guarded = plan.losses(wanted);
            if !guarded.is_empty() {
                return Err(RollOutError::Guarded {
                    stack_set: at.name.clone(),
                    stack: wanted.stack.clone(),
                    guarded,
                });
            }
            if wanted.unwanted == Unwanted::Stay {
                done.kept = plan.pairs.delete.len();
                plan.pairs.delete.clear();
            }
            if !plan.is_empty() {
                self.tell(at, &RollOutProgress::Planned(Box::new(plan.clone())));
            }
            if !self.perform(wanted, &plan, &set_id, &mut done).await? {
                continue;
            }
            if !plan.pairs.stuck.is_empty() {
                return Err(RollOutError::Stuck {
                    stack_set: at.name.clone(),
                    pairs: plan.pairs.stuck,
                });
            }
            let progress = if done.is_unchanged() {
                RollOutProgress::NoChanges
            } else {
                RollOutProgress::Done
            };
            self.tell(at, &progress);
            return Ok(done);
        }
        Err(RollOutError::Contended {
            stack_set: at.name.clone(),
        })
    }

    /// Does the plan's steps; `false` where somebody else's operation came in between, so that the plan no longer holds.
    async fn perform(
        &self,
        wanted: &WantedStackSet,
        plan: &RollOutPlan,
        set_id: &str,
        done: &mut RolledOut,
    ) -> Result<bool, RollOutError> {
        let mut after = plan.last_operation.clone();
        for step in steps(&plan.pairs, &plan.changes) {
            let id = step.operation_id(set_id, &wanted.definition(plan), after.as_deref());
            let begun = match self.begin(wanted, plan, &step, &id).await {
                Ok(begun) => begun,
                // The same call got there before, and its answer was lost.
                Err(error) if error.code() == Some(codes::OPERATION_ID_EXISTS) => id,
                Err(error) if is_contention(&error) => return Ok(false),
                Err(error) => return Err(error.into()),
            };
            self.tell(
                &wanted.address,
                &RollOutProgress::Began {
                    action: step.action(),
                    operation: begun.clone(),
                    instances: step.on().map(crate::stack_set::Product::len),
                },
            );
            let ended = self.follow(&wanted.address, &begun).await?;
            self.conclude(&wanted.address, ended, done)?;
            after = Some(begun);
        }
        Ok(true)
    }

    async fn create_set(&self, wanted: &WantedStackSet) -> Result<bool, RollOutError> {
        let token = format!("stackway-{}", self.clock.now().unix_timestamp_nanos());
        let definition = wanted.new_definition();
        match self
            .sets
            .create_stack_set(&wanted.address, &definition, &token)
            .await
        {
            Ok(()) => Ok(true),
            // Somebody made it since: it is looked at like any other.
            Err(error) if error.code() == Some(codes::NAME_EXISTS) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    async fn begin(
        &self,
        wanted: &WantedStackSet,
        plan: &RollOutPlan,
        step: &Step,
        id: &str,
    ) -> Result<String, CloudError> {
        let at = &wanted.address;
        let within = |on: &crate::stack_set::Product| wanted.preferences.within(&on.regions);
        let request = |on: &crate::stack_set::Product, overrides| InstancesRequest {
            on: on.clone(),
            overrides,
            preferences: within(on),
            operation_id: id.to_owned(),
        };
        match step {
            Step::Update { on } => {
                let update = StackSetUpdate {
                    definition: wanted.definition(plan),
                    on: on.clone(),
                    preferences: on.as_ref().map_or_else(
                        // An order may name the regions of instances alone, and these are not the wanted ones.
                        || Preferences {
                            region_order: Vec::new(),
                            ..wanted.preferences.clone()
                        },
                        within,
                    ),
                    operation_id: id.to_owned(),
                };
                self.sets.update_stack_set(at, &update).await
            }
            Step::Override { on, overrides } => {
                let request = request(on, overrides.clone());
                self.sets.update_instances(at, &request).await
            }
            Step::Create { on, overrides } => {
                let request = request(on, overrides.clone());
                self.sets.create_instances(at, &request).await
            }
            Step::Delete { on } => {
                let request = request(on, BTreeMap::new());
                self.sets.delete_instances(at, &request, false).await
            }
        }
    }

    /// Counts what an operation did; an error where it did not succeed.
    fn conclude(
        &self,
        at: &StackSetAddress,
        ended: Ended,
        done: &mut RolledOut,
    ) -> Result<(), RollOutError> {
        let Ended { operation, results } = ended;
        self.tell(at, &RollOutProgress::Ended(operation.clone()));
        if operation.status.outcome() != OperationOutcome::Succeeded {
            return Err(RollOutError::ended(at, operation, results));
        }
        let verb = match operation.action {
            OperationAction::Create => "created",
            OperationAction::Delete => "deleted",
            _ => "updated",
        };
        for result in results {
            match result.status {
                ResultStatus::Failed | ResultStatus::Cancelled => done.tolerated.push(result),
                _ => *done.instances.entry(verb).or_default() += 1,
            }
        }
        Ok(())
    }

    fn tell(&self, at: &StackSetAddress, progress: &RollOutProgress) {
        self.observer.observe_roll_out(&at.name, progress);
    }
}

/// Whether another operation came in between.
fn is_contention(error: &CloudError) -> bool {
    matches!(
        error.code(),
        Some(codes::OPERATION_IN_PROGRESS | codes::STALE_REQUEST)
    )
}
