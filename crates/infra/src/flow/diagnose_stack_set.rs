use std::collections::BTreeMap;

use time::OffsetDateTime;

use super::{Diagnosed, Diagnoser, FlowError};
use crate::cloud::stack_sets::StackSets;
use crate::diagnosis::{Diagnosis, FailedResource, OperationKind, known};
use crate::stack_set::{
    OperationAction, OperationOutcome, OperationResult, Pair, ResultStatus, StackSetAddress,
    StackSetOperation,
};

/// How many instances are followed down: what fails in many is mostly one thing.
const FOLLOWED: usize = 5;

/// Finds out why an operation on a stack set failed, instance by instance. It only reads.
#[derive(Clone, Copy)]
pub struct StackSetDiagnoser<'a> {
    /// CloudFormation's stack sets.
    pub sets: &'a dyn StackSets,
    /// Who can look into a stack of that account and region; `None` where these credentials do not reach it.
    pub inside: &'a (dyn Fn(&Pair) -> Option<Diagnoser<'a>> + Send + Sync),
}

impl StackSetDiagnoser<'_> {
    /// Diagnoses the last operation on a set that failed or was stopped. Each instance that failed is a cause; where its
    /// stack can be read, it is followed down to the resource.
    ///
    /// # Errors
    /// A lookup that failed.
    pub async fn diagnose(&self, at: &StackSetAddress) -> Result<Diagnosed, FlowError> {
        let Some(set) = self.sets.describe_stack_set(at).await? else {
            return Ok(Diagnosed::Absent);
        };
        let operations = self.sets.operations(at).await?;
        let last = operations.iter().position(|operation| {
            kind(&operation.action).is_some()
                && matches!(
                    operation.status.outcome(),
                    OperationOutcome::Failed | OperationOutcome::Stopped
                )
        });
        let Some((index, operation)) = last.and_then(|at| Some((at, operations.get(at)?))) else {
            return Ok(Diagnosed::NothingFailed {
                status: set.status.to_string(),
            });
        };
        // Newest first: those before it are later.
        let superseded = operations[..index].iter().any(|later| {
            kind(&later.action).is_some() && later.status.outcome() == OperationOutcome::Succeeded
        });
        let results = self.sets.operation_results(at, &operation.id).await?;
        let stacks: BTreeMap<Pair, String> = self
            .sets
            .stack_instances(at)
            .await?
            .into_iter()
            .filter_map(|instance| Some((instance.pair, instance.stack_id?)))
            .collect();
        let mut diagnosis = Diagnosis {
            stack: set.name,
            stack_id: set.id,
            operation: kind(&operation.action).unwrap_or(OperationKind::Update),
            started: time_of(operation),
            ended: Some(operation.status.to_string()),
            superseded,
            causes: Vec::new(),
            cancelled: Vec::new(),
            notes: operation.reason.iter().cloned().collect(),
        };
        let mut unread = 0;
        for result in &results {
            match result.status {
                ResultStatus::Cancelled => diagnosis.cancelled.push(result.pair.to_string()),
                ResultStatus::Failed => {
                    let stack_id = stacks.get(&result.pair).map(String::as_str);
                    let mut failed = failed_instance(result, stack_id, operation);
                    match (stack_id, (self.inside)(&result.pair)) {
                        (Some(stack_id), Some(inside)) if diagnosis.causes.len() < FOLLOWED => {
                            if let Diagnosed::Failed(inner) = inside.diagnose(stack_id).await? {
                                failed.nested = Some(Box::new(inner));
                            }
                        }
                        (Some(_), None) => unread += 1,
                        _ => {}
                    }
                    diagnosis.causes.push(failed);
                }
                _ => {}
            }
        }
        if unread > 0 {
            diagnosis.notes.push(format!(
                "{unread} stacks are in accounts that these credentials do not reach: `aws cloudformation \
                 describe-stack-events` with credentials of theirs shows more"
            ));
        }
        Ok(Diagnosed::Failed(diagnosis))
    }
}

/// What an operation does to stacks; `None` where it changes none.
fn kind(action: &OperationAction) -> Option<OperationKind> {
    match action {
        OperationAction::Create => Some(OperationKind::Create),
        OperationAction::Update => Some(OperationKind::Update),
        OperationAction::Delete => Some(OperationKind::Delete),
        OperationAction::DetectDrift | OperationAction::Unknown(_) => None,
    }
}

fn time_of(operation: &StackSetOperation) -> OffsetDateTime {
    operation.created_at.unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

/// An instance that failed, as the operation's results tell it.
fn failed_instance(
    result: &OperationResult,
    stack_id: Option<&str>,
    operation: &StackSetOperation,
) -> FailedResource {
    let reason = result.reason.clone();
    let resource_type = reason.as_deref().and_then(named_type);
    FailedResource {
        logical_id: result.pair.to_string(),
        physical_id: stack_id.unwrap_or_default().to_owned(),
        resource_type: "stack instance".to_owned(),
        status: result.status.to_string(),
        at: operation.ended_at.unwrap_or_else(|| time_of(operation)),
        known: reason
            .as_deref()
            .and_then(|reason| known(resource_type.unwrap_or_default(), reason)),
        reason,
        nested: None,
    }
}

/// The type of the resource that a reason names: `ResourceLogicalId:…, ResourceType:AWS::S3::Bucket, …`.
fn named_type(reason: &str) -> Option<&str> {
    let (_, rest) = reason.split_once("ResourceType:")?;
    rest.split(',').next().map(str::trim)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::clock::PollInterval;
    use crate::cloud::fake::FakeClock;
    use crate::cloud::stack_sets::fake::FakeStackSets;
    use crate::flow::AllowReplace;
    use crate::flow::roll_out::{
        RollOut, RollOutObserver, RollOutProgress, Unwanted, WantedStackSet,
    };
    use crate::stack_set::{CallAs, Permissions, Preferences, StackSetDefinition, WantedPairs};

    struct Silent;

    impl RollOutObserver for Silent {
        fn observe_roll_out(&self, _: &str, _: &RollOutProgress) {}
    }

    fn wanted() -> WantedStackSet {
        WantedStackSet {
            stack: "table".to_owned(),
            address: StackSetAddress {
                name: "set".to_owned(),
                call_as: CallAs::Caller,
            },
            definition: StackSetDefinition {
                template_body: "one".to_owned(),
                parameters: BTreeMap::new(),
                tags: BTreeMap::new(),
                capabilities: Vec::new(),
                permissions: Permissions::SelfManaged {
                    administration_role: "a".to_owned(),
                    execution_role: "e".to_owned(),
                },
            },
            targets: WantedPairs {
                pairs: [Pair::new("1", "a"), Pair::new("2", "a")].into(),
                overrides: BTreeMap::new(),
            },
            preferences: Preferences::default(),
            allow_replace: AllowReplace::default(),
            left_regions: BTreeSet::new(),
            unwanted: Unwanted::Go,
        }
    }

    #[tokio::test]
    async fn a_failed_operation_is_told_by_instance() {
        let (sets, clock) = (FakeStackSets::new(), FakeClock::default());
        let diagnoser = StackSetDiagnoser {
            sets: &sets,
            inside: &|_| None,
        };
        let roll_out = RollOut {
            sets: &sets,
            clock: &clock,
            poll: PollInterval::AWS,
            observer: &Silent,
        };
        let set = wanted();
        let at = &set.address;
        assert_eq!(diagnoser.diagnose(at).await.unwrap(), Diagnosed::Absent);
        sets.fail(
            &Pair::new("1", "a"),
            "ResourceLogicalId:Table, ResourceType:AWS::DynamoDB::Table, ResourceStatusReason:Table already exists: t.",
        );
        roll_out.run(&set).await.unwrap_err();
        let Diagnosed::Failed(found) = diagnoser.diagnose(at).await.unwrap() else {
            panic!("something has failed");
        };
        assert_eq!(found.operation, OperationKind::Create);
        assert_eq!(found.ended.as_deref(), Some("FAILED"));
        assert_eq!(found.cancelled, ["2/a"]);
        let [cause] = found.causes.as_slice() else {
            panic!("one instance has failed: {found:?}");
        };
        assert_eq!(cause.logical_id, "1/a");
        assert!(cause.known.is_some(), "{cause:?}");
        assert!(!found.superseded);

        sets.mend();
        roll_out.run(&set).await.unwrap();
        let Diagnosed::Failed(found) = diagnoser.diagnose(at).await.unwrap() else {
            panic!("it stays told");
        };
        assert!(found.superseded);
    }

    #[test]
    fn a_reason_names_the_type() {
        for (reason, expected) in [
            (
                "ResourceLogicalId:B, ResourceType:AWS::S3::Bucket, ResourceStatusReason:x",
                Some("AWS::S3::Bucket"),
            ),
            ("Account 1 should have the role", None),
        ] {
            assert_eq!(named_type(reason), expected);
        }
    }
}
