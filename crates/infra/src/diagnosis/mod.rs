//! Why an operation on a stack failed: the first failing resource, its reason, and what is known of that reason. No I/O.

mod known;
mod messages;
mod operation;

use time::OffsetDateTime;

pub use known::{KnownMessage, known, known_messages, look_further};
pub use operation::{Operation, OperationKind, operations};

use crate::stack::{StackEvent, failures};

/// What is known of the last operation on a stack that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnosis {
    /// The stack's name.
    pub stack: String,
    /// The stack's ARN.
    pub stack_id: String,
    /// What was being done.
    pub operation: OperationKind,
    /// When it began.
    pub started: OffsetDateTime,
    /// The status that it ended in; `None` while it runs.
    pub ended: Option<String>,
    /// Whether a later operation on the stack has succeeded.
    pub superseded: bool,
    /// What failed by itself, the first to fail first.
    pub causes: Vec<FailedResource>,
    /// Logical ids of what was cancelled because something else failed.
    pub cancelled: Vec<String>,
    /// What could not be looked at, and why.
    pub notes: Vec<String>,
}

/// A resource that failed by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailedResource {
    /// Its name in the template.
    pub logical_id: String,
    /// Its name in its service, as far as it had one.
    pub physical_id: String,
    /// Such as `AWS::Lambda::Function`.
    pub resource_type: String,
    /// Such as `CREATE_FAILED`.
    pub status: String,
    /// CloudFormation's reason, as it is.
    pub reason: Option<String>,
    /// When it failed.
    pub at: OffsetDateTime,
    /// What is known of the reason.
    pub known: Option<&'static KnownMessage>,
    /// For a nested stack: what failed inside it.
    pub nested: Option<Box<Diagnosis>>,
}

impl FailedResource {
    /// Reads a failed event.
    pub fn of(event: &StackEvent) -> Self {
        Self {
            logical_id: event.logical_id.clone(),
            physical_id: event.physical_id.clone(),
            resource_type: event.resource_type.clone(),
            status: event.status.clone(),
            reason: event.reason.clone(),
            at: event.timestamp,
            known: event
                .reason
                .as_deref()
                .and_then(|reason| known(&event.resource_type, reason)),
            nested: None,
        }
    }

    /// The stack that this resource is, where it is a nested stack that was made.
    pub fn nested_stack_id(&self) -> Option<&str> {
        (self.resource_type == "AWS::CloudFormation::Stack" && !self.physical_id.is_empty())
            .then_some(self.physical_id.as_str())
    }

    /// The innermost failure: followed down through nested stacks, the first at each step.
    pub fn root(&self) -> &Self {
        self.nested
            .as_deref()
            .and_then(Diagnosis::first)
            .map_or(self, Self::root)
    }
}

impl Diagnosis {
    /// Reads one operation's events. `stack` is the stack's name, `superseded` whether a later operation succeeded.
    pub fn of(stack: &str, stack_id: &str, operation: &Operation<'_>, superseded: bool) -> Self {
        let failed = failures(operation.events, stack_id);
        let (cancelled, causes): (Vec<&StackEvent>, Vec<_>) =
            failed.into_iter().partition(|event| event.is_consequence());
        // A stack that names what failed in it is no cause beside them.
        let mut causes: Vec<_> = causes.into_iter().map(FailedResource::of).collect();
        if causes.is_empty() {
            causes.extend(operation.stack_failure(stack_id).map(FailedResource::of));
        }
        let mut ids: Vec<String> = Vec::new();
        for event in cancelled {
            if !event.is_stack(stack_id) && !ids.contains(&event.logical_id) {
                ids.push(event.logical_id.clone());
            }
        }
        Self {
            stack: stack.to_owned(),
            stack_id: stack_id.to_owned(),
            operation: operation.kind,
            started: operation.started,
            ended: operation.ended.map(str::to_owned),
            superseded,
            causes,
            cancelled: ids,
            notes: Vec::new(),
        }
    }

    /// What failed first, in this stack.
    pub fn first(&self) -> Option<&FailedResource> {
        self.causes.first()
    }
}

/// The last operation among `events` (a stack's whole history, oldest first) that failed, and whether a later one
/// succeeded.
pub fn last_failed<'a>(events: &'a [StackEvent], stack_id: &str) -> Option<(Operation<'a>, bool)> {
    let all = operations(events, stack_id);
    let at = all
        .iter()
        .rposition(|operation| operation.failed(stack_id))?;
    let superseded = all[at + 1..].iter().any(|later| later.ended.is_some());
    all.into_iter()
        .nth(at)
        .map(|operation| (operation, superseded))
}

#[cfg(test)]
mod tests;
