use futures::future::BoxFuture;
use time::OffsetDateTime;

use super::FlowError;
use crate::cloud::{CloudError, EventsOf, OperationEvents, Stacks};
use crate::diagnosis::{Diagnosis, FailedResource, Operation, OperationKind, last_failed};
use crate::stack::{OperationEvent, OperationEventKind, Outcome, StackEvent};

/// How deep nested stacks are followed. CloudFormation itself has no limit; a project of more is hard to find one's way
/// in already.
const DEPTH: u32 = 10;

/// What looking at a stack gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Diagnosed {
    /// There is no such stack.
    Absent,
    /// Nothing has failed in its history, as far as CloudFormation keeps it (90 days).
    NothingFailed {
        /// The status that it is in.
        status: String,
    },
    /// The last operation that failed, and why.
    Failed(Diagnosis),
}

/// Finds out why an operation failed. It only reads.
#[derive(Clone, Copy)]
pub struct Diagnoser<'a> {
    /// CloudFormation's stacks.
    pub stacks: &'a dyn Stacks,
    /// Its events by operation.
    pub operations: &'a dyn OperationEvents,
}

impl Diagnoser<'_> {
    /// Diagnoses the last operation on a stack that failed.
    ///
    /// # Errors
    /// A lookup that failed. Events by operation are an addition: where they may not be read, the diagnosis says so.
    pub async fn diagnose(&self, name_or_id: &str) -> Result<Diagnosed, FlowError> {
        let Some(stack) = self.stacks.describe_stack(name_or_id).await? else {
            return Ok(Diagnosed::Absent);
        };
        if stack.status.outcome() == Outcome::Deleted && name_or_id != stack.id {
            return Ok(Diagnosed::Absent);
        }
        let found = self.history(&stack.name, &stack.id, None, DEPTH).await?;
        Ok(found.map_or_else(
            || Diagnosed::NothingFailed {
                status: stack.status.to_string(),
            },
            Diagnosed::Failed,
        ))
    }

    /// Diagnoses one operation by its id, on every stack that it touched.
    ///
    /// # Errors
    /// A lookup that failed; an endpoint that does not know events by operation.
    pub async fn diagnose_operation(&self, operation: &str) -> Result<Vec<Diagnosis>, FlowError> {
        let events = self
            .operations
            .failed_events(EventsOf::Operation(operation))
            .await?
            .ok_or_else(|| {
                FlowError::Input(
                    "this endpoint does not know events by operation (cloudformation:DescribeEvents)"
                        .to_owned(),
                )
            })?;
        let mut stacks: Vec<&str> = Vec::new();
        for event in &events {
            if !stacks.contains(&event.stack_id.as_str()) {
                stacks.push(&event.stack_id);
            }
        }
        let mut all = Vec::new();
        for stack_id in stacks {
            let own: Vec<_> = events
                .iter()
                .filter(|event| event.stack_id == stack_id)
                .collect();
            let plain: Vec<StackEvent> = own.iter().map(|event| event.event.clone()).collect();
            let begun = plain
                .first()
                .map_or(OffsetDateTime::UNIX_EPOCH, |event| event.timestamp);
            let kind = plain.iter().find_map(|event| kind_of(&event.status));
            let operation = Operation {
                kind: kind.unwrap_or(OperationKind::Update),
                started: begun,
                ended: None,
                events: &plain,
            };
            let mut diagnosis = Diagnosis::of(name_of(stack_id), stack_id, &operation, false);
            let own: Vec<_> = own.into_iter().cloned().collect();
            add_checks(&mut diagnosis, &own);
            self.follow_down(&mut diagnosis, DEPTH).await?;
            all.push(diagnosis);
        }
        Ok(all)
    }

    /// Why `stack_id` failed, looking at what happened from `since` on.
    fn history<'b>(
        &'b self,
        name: &'b str,
        stack_id: &'b str,
        since: Option<OffsetDateTime>,
        depth: u32,
    ) -> BoxFuture<'b, Result<Option<Diagnosis>, FlowError>> {
        Box::pin(async move {
            let events = self.stacks.stack_events_since(stack_id, None).await?;
            let from = since.map_or(0, |since| {
                events
                    .iter()
                    .position(|event| event.timestamp >= since)
                    .unwrap_or(events.len())
            });
            let Some((operation, superseded)) = last_failed(&events[from..], stack_id) else {
                return Ok(None);
            };
            let mut diagnosis = Diagnosis::of(name, stack_id, &operation, superseded);
            if depth == DEPTH {
                self.look_closer(&mut diagnosis, operation.events).await?;
            }
            self.follow_down(&mut diagnosis, depth).await?;
            Ok(Some(diagnosis))
        })
    }

    /// Adds what validations and hooks said, where the service tells.
    async fn look_closer(
        &self,
        diagnosis: &mut Diagnosis,
        events: &[StackEvent],
    ) -> Result<(), FlowError> {
        let of = EventsOf::Stack {
            stack_id: &diagnosis.stack_id,
            since: diagnosis.started,
        };
        let until = events.last().map(|event| event.timestamp);
        match self.operations.failed_events(of).await {
            Ok(Some(found)) => {
                let inside: Vec<_> = found
                    .into_iter()
                    .filter(|event| until.is_none_or(|until| event.event.timestamp <= until))
                    .collect();
                add_checks(diagnosis, &inside);
            }
            Ok(None) => {}
            // The permission is newer than many policies; the stack's own events say most of it.
            Err(error @ CloudError::Refused { .. }) => diagnosis.notes.push(format!(
                "what validations and hooks said was not read: {error}"
            )),
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }

    /// Looks into the nested stacks among the causes.
    async fn follow_down(&self, diagnosis: &mut Diagnosis, depth: u32) -> Result<(), FlowError> {
        let since = diagnosis.started;
        let mut notes = Vec::new();
        for failed in &mut diagnosis.causes {
            let Some(stack_id) = failed.nested_stack_id().map(str::to_owned) else {
                continue;
            };
            if stack_id == diagnosis.stack_id {
                continue;
            }
            if depth == 0 {
                notes.push(format!(
                    "`{}` lies too deep to be followed",
                    failed.logical_id
                ));
                continue;
            }
            let inner = self.history(name_of(&stack_id), &stack_id, Some(since), depth - 1);
            match inner.await {
                Ok(found) => failed.nested = found.map(Box::new),
                // The history of a nested stack that was rolled back away may be gone with it.
                Err(FlowError::Cloud(error)) if error.code() == Some("ValidationError") => notes
                    .push(format!(
                        "the events of `{}` are gone: {error}",
                        failed.logical_id
                    )),
                Err(error) => return Err(error),
            }
        }
        diagnosis.notes.append(&mut notes);
        Ok(())
    }
}

/// Validations and hooks fail before any resource: they come first.
fn add_checks(diagnosis: &mut Diagnosis, events: &[OperationEvent]) {
    let mut checks = Vec::new();
    for event in events {
        let said = event.event.reason.as_deref().unwrap_or("no reason given");
        let (name, said) = match &event.kind {
            OperationEventKind::Resource => continue,
            OperationEventKind::Validation { name, path } => (
                name,
                path.as_ref()
                    .map_or_else(|| said.to_owned(), |path| format!("{said} (at {path})")),
            ),
            OperationEventKind::Hook { name } => (name, said.to_owned()),
        };
        let mut failed = FailedResource::of(&event.event);
        failed.status = format!("{name} failed");
        failed.reason = Some(said);
        checks.push(failed);
    }
    if !checks.is_empty() {
        // What the stack says then is that they failed.
        diagnosis
            .causes
            .retain(|cause| cause.physical_id != diagnosis.stack_id);
        checks.append(&mut diagnosis.causes);
        diagnosis.causes = checks;
    }
}

fn kind_of(status: &str) -> Option<OperationKind> {
    match status.split('_').next() {
        Some("CREATE") => Some(OperationKind::Create),
        Some("DELETE") => Some(OperationKind::Delete),
        Some("IMPORT") => Some(OperationKind::Import),
        Some("UPDATE") => Some(OperationKind::Update),
        _ => None,
    }
}

/// The stack's name in its ARN: `arn:aws:cloudformation:<region>:<account>:stack/<name>/<id>`.
fn name_of(stack_id: &str) -> &str {
    stack_id.split('/').nth(1).unwrap_or(stack_id)
}

#[cfg(test)]
mod tests {
    use time::Duration;

    use super::*;
    use crate::cloud::fake::{FakeCloud, FakeOperationEvents};

    /// An event of stack `stack`; `id` is a resource, the stack itself, or `name=stack` for a nested stack.
    fn event(stack: &str, second: i64, id: &str, status: &str, reason: &str) -> StackEvent {
        let (logical_id, nested) = id
            .split_once('=')
            .map_or((id, None), |(id, of)| (id, Some(of)));
        let of = nested.or((id == stack).then_some(stack));
        StackEvent {
            id: format!("{stack}{second}{id}{status}"),
            timestamp: OffsetDateTime::UNIX_EPOCH + Duration::seconds(second),
            logical_id: logical_id.to_owned(),
            physical_id: of.map_or_else(|| logical_id.to_owned(), |of| format!("id/{of}")),
            resource_type: if of.is_some() {
                "AWS::CloudFormation::Stack"
            } else {
                "AWS::S3::Bucket"
            }
            .to_owned(),
            status: status.to_owned(),
            reason: (!reason.is_empty()).then(|| reason.to_owned()),
        }
    }

    /// A stack whose creation failed because of a nested stack, in which one more nested stack failed because of a bucket.
    fn nested() -> FakeCloud {
        let cloud = FakeCloud::new();
        for (stack, failed, reason) in [
            (
                "outer",
                "Middle=middle",
                "Embedded stack arn was not successfully created",
            ),
            (
                "middle",
                "Inner=inner",
                "Embedded stack arn was not successfully created",
            ),
            (
                "inner",
                "Bucket",
                "The requested bucket name is not available.",
            ),
        ] {
            cloud.put_stack(stack, "ROLLBACK_COMPLETE", &[]);
            cloud.put_history(
                stack,
                [
                    event(stack, 10, stack, "CREATE_IN_PROGRESS", "User Initiated"),
                    event(stack, 20, failed, "CREATE_FAILED", reason),
                    event(
                        stack,
                        21,
                        "Other",
                        "CREATE_FAILED",
                        "Resource creation cancelled",
                    ),
                    event(
                        stack,
                        22,
                        stack,
                        "ROLLBACK_IN_PROGRESS",
                        "The following resource(s) failed to create: [X].",
                    ),
                    event(stack, 30, stack, "ROLLBACK_COMPLETE", ""),
                ],
            );
        }
        cloud
    }

    async fn diagnose(
        cloud: &FakeCloud,
        operations: &FakeOperationEvents,
        stack: &str,
    ) -> Diagnosed {
        let diagnoser = Diagnoser {
            stacks: cloud,
            operations,
        };
        let found = diagnoser.diagnose(stack).await.unwrap();
        assert_eq!(cloud.writes(), [""; 0], "diagnosing only reads");
        found
    }

    #[track_caller]
    fn failed(found: Diagnosed) -> Diagnosis {
        match found {
            Diagnosed::Failed(diagnosis) => diagnosis,
            other => panic!("{other:?}"),
        }
    }

    fn refused(code: &str) -> CloudError {
        CloudError::Refused {
            operation: "cloudformation:DescribeEvents",
            code: code.to_owned(),
            message: "no".to_owned(),
        }
    }

    #[tokio::test]
    async fn nested_stacks_are_followed_down_to_the_resource() {
        let diagnosis = failed(diagnose(&nested(), &FakeOperationEvents(Ok(None)), "outer").await);
        assert_eq!(diagnosis.cancelled, ["Other"]);
        let first = diagnosis.first().unwrap();
        assert_eq!(first.logical_id, "Middle");
        let root = first.root();
        assert_eq!(root.logical_id, "Bucket");
        assert_eq!(root.known.unwrap().id, "s3-bucket-of-another-account");
        assert!(diagnosis.notes.is_empty());
    }

    #[tokio::test]
    async fn what_has_not_failed_is_told_apart_from_what_is_not_there() {
        let cloud = FakeCloud::new();
        cloud.put_stack("fine", "CREATE_COMPLETE", &[]);
        cloud.put_history(
            "fine",
            [
                event("fine", 1, "fine", "CREATE_IN_PROGRESS", ""),
                event("fine", 2, "fine", "CREATE_COMPLETE", ""),
            ],
        );
        let none = FakeOperationEvents(Ok(None));
        let status = "CREATE_COMPLETE".to_owned();
        assert_eq!(
            diagnose(&cloud, &none, "fine").await,
            Diagnosed::NothingFailed { status }
        );
        assert_eq!(diagnose(&cloud, &none, "gone").await, Diagnosed::Absent);
        cloud.break_call("stack_events", refused("Throttling"));
        let diagnoser = Diagnoser {
            stacks: &cloud,
            operations: &none,
        };
        assert!(
            diagnoser.diagnose("fine").await.is_err(),
            "a failed lookup is not an absence"
        );
    }

    fn validation(second: i64) -> OperationEvent {
        OperationEvent {
            operation_id: "op".to_owned(),
            stack_id: "id/inner".to_owned(),
            kind: OperationEventKind::Validation {
                name: "NAME_CONFLICT_VALIDATION".to_owned(),
                path: Some("/Resources/Bucket".to_owned()),
            },
            event: event(
                "inner",
                second,
                "Bucket",
                "CREATE_FAILED",
                "the name is taken",
            ),
        }
    }

    #[tokio::test]
    async fn what_a_validation_said_comes_first() {
        let told = FakeOperationEvents(Ok(Some(vec![
            validation(5),
            validation(15),
            validation(99),
        ])));
        let cloud = nested();
        let diagnosis = failed(diagnose(&cloud, &told, "inner").await);
        let first = diagnosis.first().unwrap();
        assert_eq!(
            first.reason.as_deref(),
            Some("the name is taken (at /Resources/Bucket)")
        );
        assert_eq!(first.status, "NAME_CONFLICT_VALIDATION failed");
        assert_eq!(
            diagnosis.causes.len(),
            2,
            "that of this operation alone, and the resource"
        );

        let diagnoser = Diagnoser {
            stacks: &cloud,
            operations: &told,
        };
        let by_id = diagnoser.diagnose_operation("op").await.unwrap();
        assert_eq!(by_id.len(), 1);
        assert_eq!(
            (by_id[0].stack.as_str(), by_id[0].causes.len()),
            ("inner", 6)
        );
        assert!(
            diagnoser
                .diagnose_operation("other")
                .await
                .unwrap()
                .is_empty()
        );
        let unknown = FakeOperationEvents(Ok(None));
        let diagnoser = Diagnoser {
            stacks: &cloud,
            operations: &unknown,
        };
        assert!(diagnoser.diagnose_operation("op").await.is_err());
    }

    #[tokio::test]
    async fn events_by_operation_that_may_not_be_read_are_a_note() {
        let denied = FakeOperationEvents(Err(refused("AccessDenied")));
        let diagnosis = failed(diagnose(&nested(), &denied, "inner").await);
        assert_eq!(diagnosis.first().unwrap().logical_id, "Bucket");
        assert!(
            diagnosis.notes[0].contains("AccessDenied"),
            "{:?}",
            diagnosis.notes
        );
    }
}
