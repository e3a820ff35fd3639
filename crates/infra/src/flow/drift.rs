use super::{FlowError, Progress, Tools};
use crate::cloud::{Detection, Drift};
use crate::drift::StackDrift;
use crate::stack::{ChangeSet, ChangeSetState, Outcome, Stack, StackStatus};

/// What looking for drift gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DriftFound {
    /// There is no such stack.
    Absent,
    /// CloudFormation does not detect drift in a stack of this status.
    NotNow {
        /// The status that it is in.
        status: String,
    },
    /// What every resource is like.
    Drift(StackDrift),
}

/// Looks for drift, and reverts it.
#[derive(Clone, Copy)]
pub struct DriftFinder<'a> {
    /// What the flow works with.
    pub tools: Tools<'a>,
    /// CloudFormation's detection of drift.
    pub drift: &'a dyn Drift,
}

impl DriftFinder<'_> {
    /// Detects drift in a stack and waits for the result. Nothing of the stack is changed.
    ///
    /// # Errors
    /// A call that failed. Resources that could not be looked at are part of the result.
    pub async fn find(&self, stack_name: &str) -> Result<DriftFound, FlowError> {
        let Tools {
            stacks,
            clock,
            poll,
            ..
        } = self.tools;
        let Some(stack) = stacks.describe_stack(stack_name).await? else {
            return Ok(DriftFound::Absent);
        };
        if !detects(&stack) {
            return Ok(match stack.status.outcome() {
                Outcome::Deleted => DriftFound::Absent,
                _ => DriftFound::NotNow {
                    status: stack.status.to_string(),
                },
            });
        }
        let id = self.drift.detect_drift(&stack.id).await?;
        let mut attempt = 0;
        let reason = loop {
            match self.drift.drift_detection(&id).await? {
                Detection::Complete => break None,
                Detection::Failed(reason) => break Some(reason),
                Detection::Running => {}
            }
            clock.sleep(poll.wait(attempt, clock.now())).await;
            attempt += 1;
        };
        let found = self.drift.resource_drifts(&stack.id).await?;
        let resources = stacks.stack_resources(&stack.id).await?;
        Ok(DriftFound::Drift(StackDrift::new(
            &stack.id,
            reason,
            found,
            resources.into_iter().map(|resource| {
                (
                    resource.logical_id,
                    resource.physical_id,
                    resource.resource_type,
                )
            }),
        )))
    }

    /// Asks for a change set that reverts the drift, and waits until its contents are known; `None` where it would
    /// change nothing, because the endpoint does not revert drift or cannot revert this one. Such a change set is deleted.
    ///
    /// # Errors
    /// [`FlowError::ChangeSet`] where the service could not make it.
    pub async fn propose(&self, stack: &StackDrift) -> Result<Option<ChangeSet>, FlowError> {
        let Tools {
            stacks,
            clock,
            poll,
            ..
        } = self.tools;
        let name = format!("stackway-revert-{}", clock.now().unix_timestamp_nanos());
        let asked = self
            .drift
            .create_reverting_change_set(&stack.stack_id, &name)
            .await?;
        let mut attempt = 0;
        let set = loop {
            let set = stacks
                .describe_change_set(&asked.id, &asked.stack_id)
                .await?;
            if set.state != ChangeSetState::Pending {
                break set;
            }
            clock.sleep(poll.wait(attempt, clock.now())).await;
            attempt += 1;
        };
        match &set.state {
            ChangeSetState::Ready | ChangeSetState::Pending => Ok(Some(set)),
            ChangeSetState::Empty => {
                self.discard(&set).await?;
                Ok(None)
            }
            ChangeSetState::Failed(reason) => {
                self.discard(&set).await?;
                Err(FlowError::ChangeSet {
                    stack: stack.stack_id.clone(),
                    reason: reason.clone(),
                })
            }
        }
    }

    /// Deletes a proposed change set.
    ///
    /// # Errors
    /// A call that failed.
    pub async fn discard(&self, set: &ChangeSet) -> Result<(), FlowError> {
        self.tools
            .stacks
            .delete_change_set(&set.id, &set.stack_id)
            .await?;
        Ok(())
    }

    /// Executes a proposed change set and follows it to its end. `label` is the stack's name in the project.
    ///
    /// # Errors
    /// [`FlowError::Failed`] where the stack did not end well.
    pub async fn revert(&self, label: &str, set: &ChangeSet) -> Result<(), FlowError> {
        let tools = &self.tools;
        tools.tell(label, &Progress::Started);
        let last = tools.stacks.latest_event_id(&set.stack_id).await?;
        tools
            .stacks
            .execute_change_set(&set.id, &set.stack_id)
            .await?;
        let followed = tools.follow(label, &set.stack_id, last).await?;
        let stack = followed.stack.ok_or_else(|| FlowError::Left {
            stack: label.to_owned(),
            status: "no status: it was deleted meanwhile".to_owned(),
        })?;
        if stack.status.outcome() == Outcome::Succeeded {
            tools.tell(label, &Progress::Done);
            return Ok(());
        }
        Err(Tools::failed(&stack, &followed.events))
    }
}

/// Whether CloudFormation detects drift in a stack of this status.
///
/// See [detecting drift](https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/detect-drift-stack.html).
fn detects(stack: &Stack) -> bool {
    matches!(
        stack.status.outcome(),
        Outcome::Succeeded | Outcome::RolledBack
    ) || stack.status == StackStatus::UpdateRollbackFailed
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::PollInterval;
    use crate::cloud::fake::{FakeClock, FakeCloud, FakeDrift};
    use crate::drift::{DriftStatus, ResourceDrift};
    use crate::flow::Observer;

    struct Nobody;

    impl Observer for Nobody {
        fn observe(&self, _: &str, _: &Progress) {}
    }

    fn tools<'a>(cloud: &'a FakeCloud, clock: &'a FakeClock) -> Tools<'a> {
        Tools {
            stacks: cloud,
            clock,
            poll: PollInterval::AWS,
            observer: &Nobody,
        }
    }

    fn modified(id: &str) -> ResourceDrift {
        ResourceDrift {
            logical_id: id.to_owned(),
            physical_id: id.to_owned(),
            resource_type: "AWS::Logs::LogGroup".to_owned(),
            status: DriftStatus::Modified,
            reason: None,
            differences: Vec::new(),
        }
    }

    fn cloud() -> FakeCloud {
        let cloud = FakeCloud::new();
        cloud.put_stack("api", "UPDATE_COMPLETE", &[]);
        cloud.put_resource("api", "Logs", "AWS::Logs::LogGroup", "CREATE_COMPLETE");
        cloud.put_resource("api", "Policy", "AWS::S3::BucketPolicy", "CREATE_COMPLETE");
        cloud
    }

    #[tokio::test]
    async fn a_detection_is_awaited_and_writes_nothing_else() {
        let (cloud, clock) = (cloud(), FakeClock::default());
        let mut drift = FakeDrift::new(&cloud);
        drift.looks = 3.into();
        drift.reason = Some("Failed to detect drift on resources [X]".to_owned());
        drift.found = vec![modified("Logs")];
        let finder = DriftFinder {
            tools: tools(&cloud, &clock),
            drift: &drift,
        };
        let DriftFound::Drift(found) = finder.find("api").await.unwrap() else {
            panic!("the stack is there");
        };
        assert_eq!(found.drifted().count(), 1);
        assert_eq!(found.types_not_checked(), ["AWS::S3::BucketPolicy"]);
        assert!(found.reason.is_some());
        assert_eq!(cloud.writes(), ["detect_drift api"]);
    }

    #[tokio::test]
    async fn only_a_settled_stack_is_looked_at() {
        let (cloud, clock) = (FakeCloud::new(), FakeClock::default());
        let drift = FakeDrift::new(&cloud);
        let finder = DriftFinder {
            tools: tools(&cloud, &clock),
            drift: &drift,
        };
        assert_eq!(finder.find("api").await.unwrap(), DriftFound::Absent);
        for (status, looked_at) in [
            ("CREATE_COMPLETE", true),
            ("UPDATE_ROLLBACK_COMPLETE", true),
            ("UPDATE_ROLLBACK_FAILED", true),
            ("ROLLBACK_COMPLETE", false),
            ("UPDATE_IN_PROGRESS", false),
            ("REVIEW_IN_PROGRESS", false),
            ("DELETE_FAILED", false),
            ("OF_THE_FUTURE", false),
        ] {
            cloud.put_stack("api", status, &[]);
            let found = finder.find("api").await.unwrap();
            let not_now = DriftFound::NotNow {
                status: status.to_owned(),
            };
            assert_eq!(found != not_now, looked_at, "{status}");
        }
    }

    #[tokio::test]
    async fn a_revert_is_proposed_then_executed_or_discarded() {
        for execute in [true, false] {
            let (cloud, clock) = (cloud(), FakeClock::default());
            let drift = FakeDrift::new(&cloud);
            let finder = DriftFinder {
                tools: tools(&cloud, &clock),
                drift: &drift,
            };
            let stack = StackDrift::new("id/api", None, vec![modified("Logs")], []);
            let set = finder.propose(&stack).await.unwrap().unwrap();
            let last = if execute {
                finder.revert("api", &set).await.unwrap();
                "execute_change_set api"
            } else {
                finder.discard(&set).await.unwrap();
                "delete_change_set api"
            };
            assert_eq!(cloud.writes(), ["create_reverting_change_set api", last]);
        }
    }

    #[tokio::test]
    async fn an_endpoint_that_does_not_revert_leaves_nothing_behind() {
        let (cloud, clock) = (cloud(), FakeClock::default());
        let mut drift = FakeDrift::new(&cloud);
        drift.reverts = false;
        let finder = DriftFinder {
            tools: tools(&cloud, &clock),
            drift: &drift,
        };
        let stack = StackDrift::new("id/api", None, vec![modified("Logs")], []);
        assert!(finder.propose(&stack).await.unwrap().is_none());
        assert_eq!(
            cloud.writes(),
            ["create_reverting_change_set api", "delete_change_set api"]
        );
        assert!(
            !cloud
                .standing()
                .iter()
                .any(|line| line.contains("change set"))
        );
    }
}
