//! CloudFormation's stacks and change sets, as far as flows can tell.

use std::collections::BTreeMap;

use async_trait::async_trait;
use time::OffsetDateTime;

use super::{Ending, FakeCloud, State};
use crate::cloud::{ChangeSetRequest, CloudError, Stacks};
use crate::stack::{
    Action, ChangeSet, ChangeSetState, DeployAction, Execution, ImportTarget, Outcome,
    ResourceChange, Stack, StackEvent, StackResource, StackStatus,
};

#[derive(Debug)]
pub(super) struct FakeStack {
    pub(super) stack: Stack,
    /// What it was last deployed from.
    pub(super) deployed: Option<ChangeSetRequest>,
    /// What the update or creation under way would deploy, if it ends well.
    pub(super) deploying: Option<ChangeSetRequest>,
    pub(super) events: Vec<StackEvent>,
    pub(super) resources: Vec<StackResource>,
    pub(super) policy: Option<String>,
    /// Statuses that it passes through, one a look; the next one last.
    pub(super) coming: Vec<StackStatus>,
}

#[derive(Debug)]
pub(super) struct FakeSet {
    pub(super) request: ChangeSetRequest,
    /// What it takes in, if it is an import.
    pub(super) imports: Vec<ImportTarget>,
    pub(super) stack_id: String,
    /// What it will turn out to be.
    pub(super) state: ChangeSetState,
    /// Whether it has been looked at: it is pending until then.
    pub(super) seen: bool,
    pub(super) execution: Execution,
}

impl FakeSet {
    /// What a look at it finds.
    pub(super) fn look(&mut self) -> ChangeSetState {
        if std::mem::replace(&mut self.seen, true) {
            self.state.clone()
        } else {
            ChangeSetState::Pending
        }
    }
}

/// Ids are `id/<name>`, and `id/<name>#<n>` for the stacks after it of that name.
pub(super) fn stack_name(name_or_id: &str) -> &str {
    let name = name_or_id.strip_prefix("id/").unwrap_or(name_or_id);
    name.split('#').next().unwrap_or(name)
}

pub(super) fn refused(code: &str, message: &str) -> CloudError {
    CloudError::Refused {
        operation: "fake:CloudFormation",
        code: code.to_owned(),
        message: message.to_owned(),
    }
}

impl State {
    pub(super) fn entry(&mut self, name: &str) -> &mut FakeStack {
        self.stacks
            .entry(name.to_owned())
            .or_insert_with(|| FakeStack {
                stack: Stack {
                    id: format!("id/{name}"),
                    name: name.to_owned(),
                    status: StackStatus::ReviewInProgress,
                    status_reason: None,
                    parameters: BTreeMap::new(),
                    outputs: BTreeMap::new(),
                    tags: BTreeMap::new(),
                    termination_protection: false,
                    updated_at: None,
                },
                deployed: None,
                deploying: None,
                events: Vec::new(),
                resources: Vec::new(),
                policy: None,
                coming: Vec::new(),
            })
    }

    /// By its name a deleted stack is not found; by its id it is.
    pub(super) fn find(&mut self, name_or_id: &str) -> Option<&mut FakeStack> {
        if name_or_id.starts_with("id/") {
            if self.graves.contains_key(name_or_id) {
                return self.graves.get_mut(name_or_id);
            }
            return self
                .stacks
                .get_mut(stack_name(name_or_id))
                .filter(|fake| fake.stack.id == name_or_id);
        }
        self.stacks
            .get_mut(name_or_id)
            .filter(|fake| fake.stack.status != StackStatus::DeleteComplete)
    }

    pub(super) fn existing(&mut self, name_or_id: &str) -> Result<&mut FakeStack, CloudError> {
        self.find(name_or_id).ok_or_else(|| {
            refused(
                "ValidationError",
                &format!("Stack with id {name_or_id} does not exist"),
            )
        })
    }

    /// Lets the stack take its next step.
    fn step(&mut self, name_or_id: &str) {
        let Some(fake) = self.find(name_or_id) else {
            return;
        };
        let Some(next) = fake.coming.pop() else {
            return;
        };
        fake.stack.status = next;
        if !fake.coming.is_empty() {
            return;
        }
        let (name, status) = (fake.stack.name.clone(), fake.stack.status.clone());
        let deploying = fake.deploying.take();
        if deploying.is_some() && status.outcome() == Outcome::Succeeded {
            if let Some(request) = &deploying {
                fake.stack.parameters.clone_from(&request.parameters);
                fake.stack.tags.clone_from(&request.tags);
            }
            fake.deployed = deploying;
        }
        if status == StackStatus::DeleteComplete {
            fake.deployed = None;
            let mut gone = Vec::new();
            for resource in &mut fake.resources {
                if resource.status != "DELETE_SKIPPED" {
                    "DELETE_COMPLETE".clone_into(&mut resource.status);
                    gone.push(resource.physical_id.clone());
                }
            }
            for id in gone {
                self.held.remove(&mut self.buckets, &id);
            }
        }
        for set in self.change_sets.values_mut() {
            if set.request.stack_name == name && set.execution == Execution::InProgress {
                set.execution = Execution::Over;
            }
        }
        let status = status.to_string();
        self.event(&name, &name, &status, None);
    }

    /// Begins an operation that passes through these statuses.
    pub(super) fn begin(&mut self, name: &str, doing: &str, last: &str) {
        self.event(name, name, doing, None);
        let fake = self.entry(name);
        fake.stack.status = StackStatus::parse(doing);
        fake.coming = vec![StackStatus::parse(last), StackStatus::parse(doing)];
    }

    pub(super) fn event(
        &mut self,
        name: &str,
        logical_id: &str,
        status: &str,
        reason: Option<&str>,
    ) {
        self.next_event += 1;
        let id = format!("e{}", self.next_event);
        let fake = self.entry(name);
        let is_stack = logical_id == name;
        let of_kind =
            |of_stack: &str, other: &str| if is_stack { of_stack } else { other }.to_owned();
        fake.events.push(StackEvent {
            id,
            timestamp: OffsetDateTime::UNIX_EPOCH,
            logical_id: logical_id.to_owned(),
            physical_id: of_kind(&fake.stack.id, logical_id),
            resource_type: of_kind("AWS::CloudFormation::Stack", "AWS::X::Resource"),
            status: status.to_owned(),
            reason: reason.map(str::to_owned),
        });
    }

    pub(super) fn new_change_set(
        &mut self,
        request: &ChangeSetRequest,
    ) -> Result<ChangeSet, CloudError> {
        let name = &request.stack_name;
        let id = format!("set/{name}/{}", request.name);
        if self.change_sets.contains_key(&id) {
            return Err(refused(
                "AlreadyExistsException",
                "a change set of that name exists",
            ));
        }
        let status = self.find(name).map(|fake| fake.stack.status.clone());
        let action = status
            .as_ref()
            .map_or(DeployAction::Create, StackStatus::deploy_action);
        match (request.create, action) {
            (true, DeployAction::Create) | (false, DeployAction::Update) => {}
            (true, _) => return Err(refused("AlreadyExistsException", "the stack exists")),
            (false, _) => {
                return Err(refused(
                    "ValidationError",
                    &format!("the stack is in {status:?} and can not be updated"),
                ));
            }
        }
        if status.is_none() {
            self.bear(name);
        }
        let fake = self.entry(name);
        let same = fake.deployed.as_ref().is_some_and(|deployed| {
            (
                &deployed.template_body,
                &deployed.parameters,
                &deployed.tags,
            ) == (&request.template_body, &request.parameters, &request.tags)
        });
        let state = match request.template_body.as_str() {
            "invalid" => ChangeSetState::Failed("Template error".to_owned()),
            _ if same => ChangeSetState::Empty,
            _ => ChangeSetState::Ready,
        };
        let stack_id = fake.stack.id.clone();
        let set = FakeSet {
            request: request.clone(),
            imports: Vec::new(),
            stack_id: stack_id.clone(),
            execution: match state {
                ChangeSetState::Ready => Execution::Available,
                _ => Execution::Unavailable,
            },
            state,
            seen: false,
        };
        self.change_sets.insert(id.clone(), set);
        Ok(ChangeSet {
            id,
            stack_id,
            state: ChangeSetState::Pending,
            changes: Vec::new(),
        })
    }

    /// An empty shell of that name, in the place of a stack that is gone.
    fn bear(&mut self, name: &str) {
        let Some(old) = self.stacks.remove(name) else {
            self.entry(name);
            return;
        };
        let outputs = old.stack.outputs.clone();
        let id = old.stack.id.clone();
        self.graves.insert(id, old);
        let generation = self
            .graves
            .keys()
            .filter(|id| stack_name(id) == name)
            .count();
        let fake = self.entry(name);
        fake.stack.outputs = outputs;
        fake.stack.id = format!("id/{name}#{generation}");
    }

    /// Where the operation of this change set ends; its resources' events are recorded.
    fn operate(&mut self, request: &ChangeSetRequest) -> bool {
        let name = &request.stack_name;
        let ending = self.endings.get(name).cloned().unwrap_or_default();
        let policy = self.entry(name).policy.clone().unwrap_or_default();
        match ending {
            Ending::Fail(reason) => {
                self.event(
                    name,
                    "Other",
                    "CREATE_FAILED",
                    Some("Resource creation cancelled"),
                );
                self.event(name, "Resource", "CREATE_FAILED", Some(reason));
                false
            }
            Ending::Replace(id)
                if policy.contains("Deny") && !policy.contains(&format!("/{id}\"")) =>
            {
                self.event(
                    name,
                    id,
                    "UPDATE_FAILED",
                    Some("Action denied by stack policy"),
                );
                false
            }
            Ending::Succeed | Ending::Replace(_) => {
                self.event(name, "Resource", "CREATE_COMPLETE", None);
                true
            }
        }
    }

    pub(super) fn standing(&self) -> Vec<String> {
        let stacks = self.stacks.values().map(|fake| {
            let from = fake
                .deployed
                .as_ref()
                .map_or("nothing", |request| request.template_body.as_str());
            format!(
                "{} {} from {from}, termination protection {}, policy {}",
                fake.stack.name,
                fake.stack.status,
                fake.stack.termination_protection,
                fake.policy.as_deref().unwrap_or("none")
            )
        });
        let sets = self
            .change_sets
            .values()
            .filter(|set| set.execution != Execution::Over)
            .map(|set| format!("change set of {}", set.request.stack_name));
        stacks.chain(sets).collect()
    }
}

#[async_trait]
impl Stacks for FakeCloud {
    async fn describe_stack(&self, name_or_id: &str) -> Result<Option<Stack>, CloudError> {
        self.read("describe_stack", name_or_id, |state| {
            state.step(name_or_id);
            Ok(state.find(name_or_id).map(|fake| fake.stack.clone()))
        })
        .await
    }

    async fn create_change_set(&self, request: &ChangeSetRequest) -> Result<ChangeSet, CloudError> {
        self.write("create_change_set", &request.stack_name, |state| {
            state.new_change_set(request)
        })
        .await
    }

    async fn describe_change_set(&self, id: &str, stack_id: &str) -> Result<ChangeSet, CloudError> {
        self.read("describe_change_set", stack_id, |state| {
            let set = state
                .change_sets
                .get_mut(id)
                .ok_or_else(|| refused("ChangeSetNotFound", "there is no such change set"))?;
            let scripted = state.changes.get(&set.request.stack_name).cloned();
            let one = || ResourceChange::new(Action::Add, "Resource", "AWS::X::Resource");
            let imports: Vec<_> = (set.imports.iter())
                .map(|target| {
                    ResourceChange::new(Action::Import, &target.logical_id, &target.resource_type)
                })
                .collect();
            let usual = if imports.is_empty() {
                vec![one()]
            } else {
                imports
            };
            Ok(ChangeSet {
                id: id.to_owned(),
                stack_id: set.stack_id.clone(),
                state: set.look(),
                changes: scripted.unwrap_or(usual),
            })
        })
        .await
    }

    async fn execute_change_set(&self, id: &str, stack_id: &str) -> Result<(), CloudError> {
        self.write("execute_change_set", stack_id, |state| {
            let set = state
                .change_sets
                .get_mut(id)
                .ok_or_else(|| refused("ChangeSetNotFound", "there is no such change set"))?;
            if set.execution != Execution::Available {
                return Err(refused(
                    "InvalidChangeSetStatus",
                    "the change set cannot be executed",
                ));
            }
            set.execution = Execution::InProgress;
            let request = set.request.clone();
            let is_import = !set.imports.is_empty();
            let name = request.stack_name.clone();
            state
                .change_sets
                .retain(|other, set| other == id || set.request.stack_name != name);
            let (doing, done, undone) = if is_import {
                (
                    "IMPORT_IN_PROGRESS",
                    "IMPORT_COMPLETE",
                    "IMPORT_ROLLBACK_COMPLETE",
                )
            } else if request.create {
                ("CREATE_IN_PROGRESS", "CREATE_COMPLETE", "ROLLBACK_COMPLETE")
            } else {
                (
                    "UPDATE_IN_PROGRESS",
                    "UPDATE_COMPLETE",
                    "UPDATE_ROLLBACK_COMPLETE",
                )
            };
            state.begin(&name, doing, done);
            let ends_well = state.operate(&request);
            let fake = state.entry(&name);
            fake.deploying = Some(request);
            if !ends_well {
                fake.coming[0] = StackStatus::parse(undone);
            }
            Ok(())
        })
        .await
    }

    async fn delete_change_set(&self, id: &str, stack_id: &str) -> Result<(), CloudError> {
        self.write("delete_change_set", stack_id, |state| {
            let stack = stack_name(stack_id);
            state.change_sets.retain(|key, set| {
                let named = set.request.name == id && set.request.stack_name == stack;
                key != id && !named
            });
            Ok(())
        })
        .await
    }

    async fn stack_template(&self, stack_id: &str) -> Result<String, CloudError> {
        self.read("stack_template", stack_id, |state| {
            let deployed = &state.existing(stack_id)?.deployed;
            let body = deployed
                .as_ref()
                .map(|request| request.template_body.clone());
            Ok(body.unwrap_or_default())
        })
        .await
    }

    async fn latest_event_id(&self, stack_id: &str) -> Result<Option<String>, CloudError> {
        self.read("latest_event_id", stack_id, |state| {
            let events = &state.existing(stack_id)?.events;
            Ok(events.last().map(|event| event.id.clone()))
        })
        .await
    }

    async fn stack_events_since(
        &self,
        stack_id: &str,
        after: Option<&str>,
    ) -> Result<Vec<StackEvent>, CloudError> {
        self.read("stack_events", stack_id, |state| {
            let events = &state.existing(stack_id)?.events;
            let start = events
                .iter()
                .position(|event| Some(event.id.as_str()) == after)
                .map_or(0, |at| at + 1);
            Ok(events[start..].to_vec())
        })
        .await
    }

    async fn stack_resources(&self, stack_id: &str) -> Result<Vec<StackResource>, CloudError> {
        self.read("stack_resources", stack_id, |state| {
            Ok(state.existing(stack_id)?.resources.clone())
        })
        .await
    }

    async fn delete_stack(&self, name_or_id: &str) -> Result<(), CloudError> {
        self.write("delete_stack", name_or_id, |state| {
            let Some(fake) = state.find(name_or_id) else {
                return Ok(());
            };
            if matches!(
                fake.stack.status,
                StackStatus::DeleteInProgress | StackStatus::DeleteComplete
            ) {
                return Ok(());
            }
            if fake.stack.termination_protection {
                return Err(refused(
                    "ValidationError",
                    "the stack cannot be deleted while TerminationProtection is enabled",
                ));
            }
            let name = fake.stack.name.clone();
            let holds: Vec<_> = fake
                .resources
                .iter()
                .filter(|resource| resource.status != "DELETE_SKIPPED")
                .map(|resource| resource.physical_id.clone())
                .collect();
            let full: Vec<_> = holds
                .into_iter()
                .filter(|id| state.held.is_full(&state.buckets, id))
                .collect();
            for resource in &mut state.entry(&name).resources {
                if full.contains(&resource.physical_id) {
                    "DELETE_FAILED".clone_into(&mut resource.status);
                }
            }
            state
                .change_sets
                .retain(|_, set| set.request.stack_name != name);
            if full.is_empty() {
                state.begin(&name, "DELETE_IN_PROGRESS", "DELETE_COMPLETE");
            } else {
                state.begin(&name, "DELETE_IN_PROGRESS", "DELETE_FAILED");
                let reason = "The bucket you tried to delete is not empty";
                state.event(&name, "Bucket", "DELETE_FAILED", Some(reason));
            }
            Ok(())
        })
        .await
    }
}
