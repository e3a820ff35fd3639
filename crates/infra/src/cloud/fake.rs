//! A cloud in memory that behaves as scripted: it records every call, takes time, fails and rolls back.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;
use time::OffsetDateTime;

use super::{ChangeSetRequest, CloudError, Objects, Stacks};
use crate::clock::Clock;
use crate::stack::{
    ChangeSet, ChangeSetState, ResourceChange, Stack, StackEvent, StackResource, StackStatus,
};

/// How the next operation on a stack ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// As asked.
    Succeed,
    /// A resource fails for this reason, and the operation is rolled back.
    Fail(&'static str),
}

/// A scripted [`Stacks`] and [`Objects`].
#[derive(Debug, Default)]
pub struct FakeCloud {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    calls: Vec<String>,
    stacks: BTreeMap<String, FakeStack>,
    change_sets: BTreeMap<String, ChangeSetRequest>,
    endings: BTreeMap<String, Ending>,
    buckets: BTreeMap<String, u64>,
    broken: Option<(&'static str, CloudError)>,
    next_event: u32,
}

#[derive(Debug)]
struct FakeStack {
    stack: Stack,
    /// What it was last deployed from.
    deployed: Option<ChangeSetRequest>,
    events: Vec<StackEvent>,
    resources: Vec<StackResource>,
    /// Statuses that it passes through, one a look.
    coming: Vec<StackStatus>,
}

impl FakeCloud {
    /// A cloud with nothing in it.
    pub fn new() -> Self {
        Self::default()
    }

    fn with<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        work(
            &mut self
                .state
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner),
        )
    }

    /// Puts a stack there, in a status, with outputs.
    pub fn put_stack(&self, name: &str, status: &str, outputs: &[(&str, &str)]) {
        self.with(|state| {
            let stack = state.entry(name);
            stack.stack.status = StackStatus::parse(status);
            stack.stack.outputs = outputs
                .iter()
                .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
                .collect();
        });
    }

    /// The statuses that a stack passes through, one each time it is looked at.
    pub fn coming(&self, name: &str, statuses: &[&str]) {
        self.with(|state| {
            state.entry(name).coming = statuses
                .iter()
                .rev()
                .map(|s| StackStatus::parse(s))
                .collect();
        });
    }

    /// The outputs of a stack that does not stand yet.
    pub fn ending(&self, name: &str, ending: Ending) {
        self.with(|state| state.endings.insert(name.to_owned(), ending));
    }

    /// Gives a stack a bucket with so many objects.
    pub fn put_bucket(&self, stack: &str, bucket: &str, objects: u64) {
        self.with(|state| {
            state.buckets.insert(bucket.to_owned(), objects);
            state.entry(stack).resources.push(StackResource {
                logical_id: "Bucket".to_owned(),
                physical_id: bucket.to_owned(),
                resource_type: "AWS::S3::Bucket".to_owned(),
                status: "CREATE_COMPLETE".to_owned(),
            });
        });
    }

    /// Fails every call of that name.
    pub fn break_call(&self, call: &'static str, error: CloudError) {
        self.with(|state| state.broken = Some((call, error)));
    }

    /// What was called, in order: the verb, then the stack or bucket.
    pub fn calls(&self) -> Vec<String> {
        self.with(|state| state.calls.clone())
    }

    /// The calls that change something.
    pub fn writes(&self) -> Vec<String> {
        let reads = [
            "describe",
            "latest",
            "stack_events",
            "stack_resources",
            "object_exists",
        ];
        self.calls()
            .into_iter()
            .filter(|call| !reads.iter().any(|read| call.starts_with(read)))
            .collect()
    }

    fn call<T>(
        &self,
        name: &'static str,
        target: &str,
        work: impl FnOnce(&mut State) -> Result<T, CloudError>,
    ) -> Result<T, CloudError> {
        self.with(|state| {
            state.calls.push(format!("{name} {}", stack_name(target)));
            match &state.broken {
                Some((broken, error)) if *broken == name => Err(error.clone()),
                _ => work(state),
            }
        })
    }
}

/// Ids are `id/<name>`.
fn stack_name(name_or_id: &str) -> &str {
    name_or_id.strip_prefix("id/").unwrap_or(name_or_id)
}

impl State {
    fn entry(&mut self, name: &str) -> &mut FakeStack {
        self.stacks
            .entry(name.to_owned())
            .or_insert_with(|| FakeStack {
                stack: Stack {
                    id: format!("id/{name}"),
                    name: name.to_owned(),
                    status: StackStatus::ReviewInProgress,
                    status_reason: None,
                    outputs: BTreeMap::new(),
                    tags: BTreeMap::new(),
                    termination_protection: false,
                    updated_at: None,
                },
                deployed: None,
                events: Vec::new(),
                resources: Vec::new(),
                coming: Vec::new(),
            })
    }

    fn event(&mut self, name: &str, logical_id: &str, status: &str, reason: Option<&str>) {
        self.next_event += 1;
        let id = format!("e{}", self.next_event);
        let is_stack = logical_id == name;
        self.entry(name).events.push(StackEvent {
            id,
            timestamp: OffsetDateTime::UNIX_EPOCH,
            logical_id: logical_id.to_owned(),
            physical_id: if is_stack {
                format!("id/{name}")
            } else {
                logical_id.to_owned()
            },
            resource_type: if is_stack {
                "AWS::CloudFormation::Stack"
            } else {
                "AWS::X::Resource"
            }
            .to_owned(),
            status: status.to_owned(),
            reason: reason.map(str::to_owned),
        });
    }
}

fn missing(operation: &'static str, name: &str) -> CloudError {
    CloudError::Refused {
        operation,
        code: "ValidationError".to_owned(),
        message: format!("Stack with id {name} does not exist"),
    }
}

#[async_trait]
impl Stacks for FakeCloud {
    async fn describe_stack(&self, name_or_id: &str) -> Result<Option<Stack>, CloudError> {
        self.call("describe_stack", name_or_id, |state| {
            let Some(fake) = state.stacks.get_mut(stack_name(name_or_id)) else {
                return Ok(None);
            };
            if let Some(next) = fake.coming.pop() {
                fake.stack.status = next;
            }
            // By its name a deleted stack is not found; by its id it is.
            let gone =
                fake.stack.status == StackStatus::DeleteComplete && !name_or_id.starts_with("id/");
            Ok((!gone).then(|| fake.stack.clone()))
        })
    }

    async fn create_change_set(&self, request: &ChangeSetRequest) -> Result<ChangeSet, CloudError> {
        self.call("create_change_set", &request.stack_name, |state| {
            let fake = state.entry(&request.stack_name);
            if request.create {
                fake.stack.status = StackStatus::ReviewInProgress;
            }
            let stack_id = fake.stack.id.clone();
            let id = format!("set/{}", request.stack_name);
            state.change_sets.insert(id.clone(), request.clone());
            Ok(ChangeSet {
                id,
                stack_id,
                state: ChangeSetState::Pending,
                changes: Vec::new(),
            })
        })
    }

    async fn describe_change_set(&self, id: &str, stack_id: &str) -> Result<ChangeSet, CloudError> {
        self.call("describe_change_set", stack_id, |state| {
            let Some(request) = state.change_sets.get(id).cloned() else {
                return Err(missing("describe", id));
            };
            let fake = state.entry(&request.stack_name);
            let same = fake.deployed.as_ref().is_some_and(|deployed| {
                (
                    &deployed.template_body,
                    &deployed.parameters,
                    &deployed.tags,
                ) == (&request.template_body, &request.parameters, &request.tags)
            });
            let change = ResourceChange {
                action: "Add".to_owned(),
                logical_id: "Resource".to_owned(),
                resource_type: "AWS::X::Resource".to_owned(),
                replacement: None,
            };
            Ok(ChangeSet {
                id: id.to_owned(),
                stack_id: stack_id.to_owned(),
                state: match request.template_body.as_str() {
                    "invalid" => ChangeSetState::Failed("Template error".to_owned()),
                    _ if same => ChangeSetState::Empty,
                    _ => ChangeSetState::Ready,
                },
                changes: vec![change],
            })
        })
    }

    async fn execute_change_set(&self, id: &str, stack_id: &str) -> Result<(), CloudError> {
        self.call("execute_change_set", stack_id, |state| {
            let Some(request) = state.change_sets.remove(id) else {
                return Err(missing("execute", id));
            };
            let name = request.stack_name.clone();
            let (doing, done, undone) = if request.create {
                ("CREATE_IN_PROGRESS", "CREATE_COMPLETE", "ROLLBACK_COMPLETE")
            } else {
                (
                    "UPDATE_IN_PROGRESS",
                    "UPDATE_COMPLETE",
                    "UPDATE_ROLLBACK_COMPLETE",
                )
            };
            state.event(&name, &name, doing, None);
            let ending = state.endings.get(&name).cloned().unwrap_or(Ending::Succeed);
            let last = match ending {
                Ending::Succeed => {
                    state.event(&name, "Resource", "CREATE_COMPLETE", None);
                    let fake = state.entry(&name);
                    fake.deployed = Some(request.clone());
                    done
                }
                Ending::Fail(reason) => {
                    state.event(
                        &name,
                        "Other",
                        "CREATE_FAILED",
                        Some("Resource creation cancelled"),
                    );
                    state.event(&name, "Resource", "CREATE_FAILED", Some(reason));
                    undone
                }
            };
            state.event(&name, &name, last, None);
            let fake = state.entry(&name);
            fake.stack.status = StackStatus::parse(doing);
            fake.coming = vec![StackStatus::parse(last), StackStatus::parse(doing)];
            Ok(())
        })
    }

    async fn delete_change_set(&self, id: &str, stack_id: &str) -> Result<(), CloudError> {
        self.call("delete_change_set", stack_id, |state| {
            state.change_sets.remove(id);
            Ok(())
        })
    }

    async fn latest_event_id(&self, stack_id: &str) -> Result<Option<String>, CloudError> {
        self.call("latest_event_id", stack_id, |state| {
            Ok(state
                .entry(stack_name(stack_id))
                .events
                .last()
                .map(|event| event.id.clone()))
        })
    }

    async fn stack_events_since(
        &self,
        stack_id: &str,
        after: Option<&str>,
    ) -> Result<Vec<StackEvent>, CloudError> {
        self.call("stack_events", stack_id, |state| {
            let events = &state.entry(stack_name(stack_id)).events;
            let start = events
                .iter()
                .position(|event| Some(event.id.as_str()) == after)
                .map_or(0, |at| at + 1);
            Ok(events[start..].to_vec())
        })
    }

    async fn stack_resources(&self, stack_id: &str) -> Result<Vec<StackResource>, CloudError> {
        self.call("stack_resources", stack_id, |state| {
            Ok(state.entry(stack_name(stack_id)).resources.clone())
        })
    }

    async fn delete_stack(&self, name_or_id: &str) -> Result<(), CloudError> {
        self.call("delete_stack", name_or_id, |state| {
            let name = stack_name(name_or_id).to_owned();
            let buckets: Vec<_> = state
                .entry(&name)
                .resources
                .iter()
                .map(|resource| resource.physical_id.clone())
                .collect();
            let full = buckets.iter().any(|bucket| {
                state
                    .buckets
                    .get(bucket)
                    .is_some_and(|objects| *objects > 0)
            });
            let last = if full {
                state.event(
                    &name,
                    "Bucket",
                    "DELETE_FAILED",
                    Some("The bucket you tried to delete is not empty"),
                );
                StackStatus::DeleteFailed
            } else {
                StackStatus::DeleteComplete
            };
            state.event(&name, &name, last.as_str(), None);
            let fake = state.entry(&name);
            fake.stack.status = StackStatus::DeleteInProgress;
            fake.coming = vec![last, StackStatus::DeleteInProgress];
            Ok(())
        })
    }
}

#[async_trait]
impl Objects for FakeCloud {
    async fn object_exists(&self, bucket: &str, _key: &str) -> Result<bool, CloudError> {
        self.call("object_exists", bucket, |_| Ok(false))
    }

    async fn put_object(&self, bucket: &str, _key: &str, _file: &Path) -> Result<(), CloudError> {
        self.call("put_object", bucket, |_| Ok(()))
    }

    async fn empty_bucket(&self, bucket: &str) -> Result<u64, CloudError> {
        self.call("empty_bucket", bucket, |state| {
            Ok(state.buckets.insert(bucket.to_owned(), 0).unwrap_or(0))
        })
    }
}

/// A clock that sleeps by moving its hands.
#[derive(Debug)]
pub struct FakeClock {
    now: Mutex<OffsetDateTime>,
}

impl Default for FakeClock {
    fn default() -> Self {
        Self {
            now: Mutex::new(OffsetDateTime::UNIX_EPOCH),
        }
    }
}

#[async_trait]
impl Clock for FakeClock {
    fn now(&self) -> OffsetDateTime {
        *self
            .now
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    async fn sleep(&self, duration: Duration) {
        *self
            .now
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner) += duration;
        tokio::task::yield_now().await;
    }
}
