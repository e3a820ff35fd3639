use futures::FutureExt;
use futures::future::{Either, select};

use super::{FlowError, Progress, Stop, Tools};
use crate::cloud::{CloudError, StackControl};
use crate::stack::{DeployAction, Outcome, Stack, StackEvent, StackStatus, failures};

/// The end of an operation: the stack as it stands (`None` once it is gone) and every event of the operation.
pub(super) struct Followed {
    pub(super) stack: Option<Stack>,
    pub(super) events: Vec<StackEvent>,
}

/// What ends the operation that is followed before its time.
#[derive(Clone, Copy)]
pub(super) struct Interrupt<'a> {
    pub(super) stop: &'a Stop,
    pub(super) control: &'a dyn StackControl,
}

impl Tools<'_> {
    pub(super) fn tell(&self, stack: &str, progress: &Progress) {
        self.observer.observe(stack, progress);
    }

    /// Streams the stack's events after `last`, until its operation is over.
    ///
    /// `stack_id` is the ARN: a deleted stack answers by it, and a new one of the same name does not.
    pub(super) async fn follow(
        &self,
        label: &str,
        stack_id: &str,
        last: Option<String>,
    ) -> Result<Followed, FlowError> {
        self.follow_until(label, stack_id, last, None).await
    }

    /// As [`Tools::follow`]; an interrupt cancels an update, whose rollback is then followed to its end. What cannot be
    /// cancelled is followed too.
    pub(super) async fn follow_until(
        &self,
        label: &str,
        stack_id: &str,
        mut last: Option<String>,
        mut interrupt: Option<Interrupt<'_>>,
    ) -> Result<Followed, FlowError> {
        let mut all = Vec::new();
        for attempt in 0.. {
            // The status is read before the events: once it is final, all of the operation's events are there.
            let stack = self.stacks.describe_stack(stack_id).await?;
            let events = match self
                .stacks
                .stack_events_since(stack_id, last.as_deref())
                .await
            {
                Ok(events) => events,
                // The history of a stack that is gone may be gone with it.
                Err(error) if stack.is_none() && error.code() == Some("ValidationError") => {
                    Vec::new()
                }
                Err(error) => return Err(error.into()),
            };
            for event in events {
                last = Some(event.id.clone());
                self.tell(label, &Progress::Event(event.clone()));
                all.push(event);
            }
            let busy = match &stack {
                Some(stack) if stack.status.outcome() == Outcome::InProgress => stack,
                _ => return Ok(Followed { stack, events: all }),
            };
            let wait = self.clock.sleep(self.poll.wait(attempt, self.clock.now()));
            match interrupt {
                None => wait.await,
                Some(Interrupt { stop, control }) => {
                    if let Either::Left(_) = select(wait, stop.clone()).await
                        && stop.clone().now_or_never().is_none()
                    {
                        continue;
                    }
                    interrupt = None;
                    self.cancel(label, busy, control).await?;
                }
            }
        }
        unreachable!("the loop ends by returning")
    }

    async fn cancel(
        &self,
        label: &str,
        stack: &Stack,
        control: &dyn StackControl,
    ) -> Result<(), FlowError> {
        let status = stack.status.to_string();
        if stack.status != StackStatus::UpdateInProgress {
            self.tell(label, &Progress::GoesOn { status });
            return Ok(());
        }
        match control.cancel_update(&stack.id).await {
            Ok(()) => self.tell(label, &Progress::Cancelled),
            // The update came to its end, or to where nothing cancels it, before the call.
            Err(error) if error.code() == Some("ValidationError") => {}
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }

    /// Waits for an operation in flight, so that this one can begin; returns the stack as it stands then.
    pub(super) async fn settled(
        &self,
        label: &str,
        name: &str,
    ) -> Result<Option<Stack>, FlowError> {
        let Some(stack) = self.stacks.describe_stack(name).await? else {
            return Ok(None);
        };
        if stack.status.outcome() != Outcome::InProgress {
            return Ok(Some(stack).filter(|stack| stack.status.outcome() != Outcome::Deleted));
        }
        self.tell(
            label,
            &Progress::Waiting {
                status: stack.status.to_string(),
            },
        );
        let last = self.stacks.latest_event_id(&stack.id).await?;
        let followed = self.follow(label, &stack.id, last).await?;
        Ok(followed
            .stack
            .filter(|stack| stack.status.outcome() != Outcome::Deleted))
    }

    /// The error for a stack that did not end well, with its failed resources.
    pub(super) fn failed(stack: &Stack, events: &[StackEvent]) -> FlowError {
        FlowError::Failed {
            stack: stack.name.clone(),
            status: stack.status.to_string(),
            failures: failures(events, &stack.id).into_iter().cloned().collect(),
        }
    }

    /// The error for a stack that takes no operation, with what led there.
    pub(super) async fn stuck(&self, label: &str, stack: &Stack) -> Result<FlowError, FlowError> {
        let events = self.stacks.stack_events_since(&stack.id, None).await?;
        // The last operation is the one that stuck: its failures are the newest.
        let start = events
            .iter()
            .rposition(|event| {
                event.is_stack(&stack.id)
                    && (event.status == "CREATE_IN_PROGRESS"
                        || event.status == "UPDATE_IN_PROGRESS"
                        || event.status == "DELETE_IN_PROGRESS")
            })
            .unwrap_or(0);
        let cause = failures(&events[start..], &stack.id)
            .first()
            .and_then(|event| {
                event
                    .reason
                    .as_ref()
                    .map(|reason| format!("{}: {reason}", event.logical_id))
            });
        let skippable = match stack.status.deploy_action() {
            DeployAction::ContinueRollback => self.not_rolled_back(&stack.id).await?,
            _ => Vec::new(),
        };
        Ok(FlowError::Stuck {
            label: label.to_owned(),
            stack: stack.name.clone(),
            status: stack.status.clone(),
            reason: cause.or_else(|| stack.status_reason.clone()),
            skippable,
        })
    }

    /// The resources of a failed rollback that can be left out of the next; logical ids.
    ///
    /// Source: <https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ContinueUpdateRollback.html>:
    /// only resources in `UPDATE_FAILED` because a rollback failed can be skipped.
    pub(super) async fn not_rolled_back(&self, stack_id: &str) -> Result<Vec<String>, CloudError> {
        let resources = self.stacks.stack_resources(stack_id).await?;
        Ok(resources
            .into_iter()
            .filter(|resource| resource.status == "UPDATE_FAILED")
            .map(|resource| resource.logical_id)
            .collect())
    }
}
