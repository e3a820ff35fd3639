//! Drift, and the history of stacks, as a test says they are.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

use async_trait::async_trait;

use super::FakeCloud;
use crate::cloud::{
    AskedChangeSet, ChangeSetRequest, CloudError, Detection, Drift, EventsOf, OperationEvents,
};
use crate::drift::ResourceDrift;
use crate::stack::{OperationEvent, StackEvent};

impl FakeCloud {
    /// Gives a stack events that happened before the test.
    pub fn put_history(&self, stack: &str, events: impl IntoIterator<Item = StackEvent>) {
        self.with(|state| state.entry(stack).events.extend(events));
    }

    /// Tags a stack.
    pub fn put_tags(&self, stack: &str, tags: &[(&str, &str)]) {
        self.with(|state| {
            let owned = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
            state.entry(stack).stack.tags.extend(tags.iter().map(owned));
        });
    }
}

/// A scripted [`Drift`] over the stacks of a [`FakeCloud`], which records its calls.
#[derive(Debug)]
pub struct FakeDrift<'a> {
    cloud: &'a FakeCloud,
    /// How many looks a detection takes before it is complete.
    pub looks: AtomicU32,
    /// Why some resources cannot be looked at.
    pub reason: Option<String>,
    /// What every stack's detection finds.
    pub found: Vec<ResourceDrift>,
    /// Whether a reverting change set has changes; an endpoint that does not know them makes an empty one.
    pub reverts: bool,
    detections: Mutex<BTreeMap<String, u32>>,
}

impl<'a> FakeDrift<'a> {
    /// Every stack is as it was made.
    pub fn new(cloud: &'a FakeCloud) -> Self {
        Self {
            cloud,
            looks: AtomicU32::new(0),
            reason: None,
            found: Vec::new(),
            reverts: true,
            detections: Mutex::default(),
        }
    }
}

#[async_trait]
impl Drift for FakeDrift<'_> {
    async fn detect_drift(&self, stack_id: &str) -> Result<String, CloudError> {
        self.cloud
            .write("detect_drift", stack_id, |state| {
                state.existing(stack_id)?;
                Ok(format!("detection/{stack_id}"))
            })
            .await
    }

    async fn drift_detection(&self, detection_id: &str) -> Result<Detection, CloudError> {
        self.cloud
            .read("drift_detection", detection_id, |_| {
                let mut detections = self
                    .detections
                    .lock()
                    .unwrap_or_else(std::sync::PoisonError::into_inner);
                let looks = detections.entry(detection_id.to_owned()).or_default();
                *looks += 1;
                Ok(match &self.reason {
                    _ if *looks <= self.looks.load(Ordering::Relaxed) => Detection::Running,
                    Some(reason) => Detection::Failed(reason.clone()),
                    None => Detection::Complete,
                })
            })
            .await
    }

    async fn resource_drifts(&self, stack_id: &str) -> Result<Vec<ResourceDrift>, CloudError> {
        self.cloud
            .read("resource_drifts", stack_id, |_| Ok(self.found.clone()))
            .await
    }

    async fn create_reverting_change_set(
        &self,
        stack_id: &str,
        name: &str,
    ) -> Result<AskedChangeSet, CloudError> {
        self.cloud
            .write("create_reverting_change_set", stack_id, |state| {
                let fake = state.existing(stack_id)?;
                let mut request = ChangeSetRequest {
                    stack_name: fake.stack.name.clone(),
                    name: name.to_owned(),
                    create: false,
                    template_body: "deployed".to_owned(),
                    parameters: BTreeMap::new(),
                    tags: BTreeMap::new(),
                    capabilities: Vec::new(),
                };
                fake.deployed = Some(request.clone());
                if self.reverts {
                    "reverted".clone_into(&mut request.template_body);
                }
                let set = state.new_change_set(&request)?;
                Ok(AskedChangeSet {
                    id: set.id,
                    stack_id: set.stack_id,
                })
            })
            .await
    }
}

/// Scripted [`OperationEvents`]: what a service tells that knows them, or that does not (`None`), or refuses.
#[derive(Debug)]
pub struct FakeOperationEvents(pub Result<Option<Vec<OperationEvent>>, CloudError>);

#[async_trait]
impl OperationEvents for FakeOperationEvents {
    async fn failed_events(
        &self,
        of: EventsOf<'_>,
    ) -> Result<Option<Vec<OperationEvent>>, CloudError> {
        let wanted = |event: &OperationEvent| match of {
            EventsOf::Stack { stack_id, since } => {
                event.stack_id == stack_id && event.event.timestamp >= since
            }
            EventsOf::Operation(id) => event.operation_id == id,
        };
        let events = self.0.clone()?;
        Ok(events.map(|events| events.into_iter().filter(wanted).collect()))
    }
}
