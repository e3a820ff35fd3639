//! A cloud in memory that behaves as scripted: it records every call, takes time, fails and rolls back.

mod clock;
mod control;
mod drift;
mod faults;
mod holdings;
mod imports;
mod pipeline_runs;
mod stacks;
mod unowned;

pub use clock::FakeClock;
pub use drift::{FakeDrift, FakeOperationEvents};
pub use faults::{Call, Case, Effect, Ended, Fault, Faults, for_each_fault};
pub use pipeline_runs::{FakePipelines, Look};

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;

use super::{ChangeSetRequest, CloudError, Objects};
use crate::inventory::BucketContents;
use crate::stack::{ResourceChange, StackResource, StackStatus};

use holdings::{FakeBucket, Held};
use stacks::{FakeSet, FakeStack};

/// How the next operations on a stack end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Ending {
    /// As asked.
    #[default]
    Succeed,
    /// A resource fails for this reason, and the operation is rolled back.
    Fail(&'static str),
    /// The resource of that logical id is replaced, if the stack's policy lets it.
    Replace(&'static str),
}

/// A scripted [`Stacks`](super::Stacks), [`StackControl`](super::StackControl) and [`Objects`].
#[derive(Debug, Default)]
pub struct FakeCloud {
    state: Mutex<State>,
    faults: Faults,
}

#[derive(Debug, Default)]
struct State {
    /// By name.
    stacks: BTreeMap<String, FakeStack>,
    /// Deleted stacks whose name is another's by now, by id.
    graves: BTreeMap<String, FakeStack>,
    /// By id.
    change_sets: BTreeMap<String, FakeSet>,
    endings: BTreeMap<String, Ending>,
    changes: BTreeMap<String, Vec<ResourceChange>>,
    buckets: BTreeMap<String, FakeBucket>,
    held: Held,
    broken: Option<(&'static str, CloudError)>,
    next_event: u32,
}

impl FakeCloud {
    /// A cloud with nothing in it.
    pub fn new() -> Self {
        Self::default()
    }

    /// A cloud with nothing in it whose calls go through `faults`.
    pub fn with_faults(faults: &Faults) -> Self {
        Self {
            faults: faults.clone(),
            ..Self::default()
        }
    }

    fn with<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        work(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Puts a stack there, in a status, with outputs.
    pub fn put_stack(&self, name: &str, status: &str, outputs: &[(&str, &str)]) {
        self.with(|state| {
            let stack = &mut state.entry(name).stack;
            stack.status = StackStatus::parse(status);
            stack.outputs = outputs
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

    /// How operations on the stack end from now on.
    pub fn ending(&self, name: &str, ending: Ending) {
        self.with(|state| state.endings.insert(name.to_owned(), ending));
    }

    /// What the next change sets of a stack hold.
    pub fn put_changes(&self, name: &str, changes: Vec<ResourceChange>) {
        self.with(|state| state.changes.insert(name.to_owned(), changes));
    }

    /// Gives a stack a resource.
    pub fn put_resource(&self, stack: &str, logical_id: &str, resource_type: &str, status: &str) {
        self.with(|state| {
            state.entry(stack).resources.push(StackResource {
                logical_id: logical_id.to_owned(),
                physical_id: format!("{stack}-{logical_id}"),
                resource_type: resource_type.to_owned(),
                status: status.to_owned(),
            });
        });
    }

    /// Records an event of a stack, as an operation that ended before the test would have.
    pub fn put_event(&self, stack: &str, logical_id: &str, status: &str, reason: Option<&str>) {
        self.with(|state| state.event(stack, logical_id, status, reason));
    }

    /// Gives a stack a bucket with so many objects.
    pub fn put_bucket(&self, stack: &str, bucket: &str, objects: u64) {
        self.with(|state| {
            state
                .buckets
                .insert(bucket.to_owned(), FakeBucket::of(objects, &[]));
            state.entry(stack).resources.push(StackResource {
                logical_id: "Bucket".to_owned(),
                physical_id: bucket.to_owned(),
                resource_type: "AWS::S3::Bucket".to_owned(),
                status: "CREATE_COMPLETE".to_owned(),
            });
        });
    }

    /// Leaves a change set behind, as a run does that was killed before it executed it.
    pub fn put_change_set(&self, request: &ChangeSetRequest) {
        self.with(|state| state.new_change_set(request))
            .expect("a test puts change sets where they can be");
    }

    /// Fails every call of that name.
    pub fn break_call(&self, call: &'static str, error: CloudError) {
        self.with(|state| state.broken = Some((call, error)));
    }

    /// What was called, in order: the verb, then the stack or bucket.
    pub fn calls(&self) -> Vec<String> {
        self.faults
            .calls()
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    /// The calls that change something.
    pub fn writes(&self) -> Vec<String> {
        self.faults.writes()
    }

    /// Everything that stands, a line each: stacks, what they are deployed from and how they are protected, and change
    /// sets that were not executed. Looking does not let time pass.
    pub fn standing(&self) -> Vec<String> {
        self.with(|state| state.standing())
    }

    async fn read<T: Send>(
        &self,
        verb: &'static str,
        target: &str,
        mut work: impl FnMut(&mut State) -> Result<T, CloudError> + Send,
    ) -> Result<T, CloudError> {
        let work = || self.with(|state| state.intact(verb).and_then(|()| work(state)));
        self.faults
            .read(verb, stacks::stack_name(target), work)
            .await
    }

    async fn write<T: Send>(
        &self,
        verb: &'static str,
        target: &str,
        mut work: impl FnMut(&mut State) -> Result<T, CloudError> + Send,
    ) -> Result<T, CloudError> {
        let work = || self.with(|state| state.intact(verb).and_then(|()| work(state)));
        self.faults
            .write(verb, stacks::stack_name(target), work)
            .await
    }
}

impl State {
    fn intact(&self, verb: &str) -> Result<(), CloudError> {
        match &self.broken {
            Some((broken, error)) if *broken == verb => Err(error.clone()),
            _ => Ok(()),
        }
    }
}

#[async_trait]
impl Objects for FakeCloud {
    async fn object_exists(&self, bucket: &str, _key: &str) -> Result<bool, CloudError> {
        self.read("object_exists", bucket, |_| Ok(false)).await
    }

    async fn put_object(&self, bucket: &str, _key: &str, _file: &Path) -> Result<(), CloudError> {
        self.write("put_object", bucket, |_| Ok(())).await
    }

    async fn bucket_contents(&self, bucket: &str) -> Result<Option<BucketContents>, CloudError> {
        self.read("bucket_contents", bucket, |state| {
            Ok(state.buckets.get(bucket).map(|bucket| BucketContents {
                versions: bucket.objects,
                bytes: bucket.objects * 10,
                ..BucketContents::default()
            }))
        })
        .await
    }

    async fn bucket_tags(&self, bucket: &str) -> Result<BTreeMap<String, String>, CloudError> {
        self.read("bucket_tags", bucket, |state| {
            let bucket = state.buckets.get(bucket);
            Ok(bucket.map(|bucket| bucket.tags.clone()).unwrap_or_default())
        })
        .await
    }

    async fn empty_bucket(&self, bucket: &str) -> Result<u64, CloudError> {
        self.write("empty_bucket", bucket, |state| {
            let objects = state.buckets.get_mut(bucket).map(|b| &mut b.objects);
            Ok(objects.map(std::mem::take).unwrap_or_default())
        })
        .await
    }

    async fn delete_bucket(&self, bucket: &str) -> Result<(), CloudError> {
        self.write("delete_bucket", bucket, |state| {
            if state.buckets.get(bucket).is_some_and(|b| b.objects > 0) {
                return Err(stacks::refused("BucketNotEmpty", "the bucket is not empty"));
            }
            state.buckets.remove(bucket);
            Ok(())
        })
        .await
    }
}
