use std::fmt;

use time::OffsetDateTime;

use crate::stack::{Outcome, StackEvent, StackStatus};

/// What an operation does to a stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OperationKind {
    /// Makes the stack.
    Create,
    /// Changes it.
    Update,
    /// Removes it.
    Delete,
    /// Takes resources in that exist already.
    Import,
    /// Undoes a failed operation, asked for by itself.
    Rollback,
}

impl OperationKind {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Delete => "delete",
            Self::Import => "import",
            Self::Rollback => "rollback",
        }
    }

    fn begun_by(status: &str) -> Option<Self> {
        match status {
            "CREATE_IN_PROGRESS" => Some(Self::Create),
            "UPDATE_IN_PROGRESS" => Some(Self::Update),
            "DELETE_IN_PROGRESS" => Some(Self::Delete),
            "IMPORT_IN_PROGRESS" => Some(Self::Import),
            "ROLLBACK_IN_PROGRESS"
            | "UPDATE_ROLLBACK_IN_PROGRESS"
            | "IMPORT_ROLLBACK_IN_PROGRESS" => Some(Self::Rollback),
            _ => None,
        }
    }
}

impl fmt::Display for OperationKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One operation in a stack's history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation<'a> {
    /// What it does.
    pub kind: OperationKind,
    /// When it began.
    pub started: OffsetDateTime,
    /// The status that it ended in; `None` while it runs.
    pub ended: Option<&'a str>,
    /// Its events, oldest first.
    pub events: &'a [StackEvent],
}

impl<'a> Operation<'a> {
    /// Whether it did not do what it was asked: a resource failed, or the stack ended elsewhere than wanted.
    pub fn failed(&self, stack_id: &str) -> bool {
        match self
            .ended
            .map(|status| StackStatus::parse(status).outcome())
        {
            // A rollback that ends well has done what it was asked, when it was asked for by itself.
            Some(Outcome::RolledBack) => self.kind != OperationKind::Rollback,
            Some(Outcome::Succeeded | Outcome::Deleted) => false,
            // An empty shell after a rolled back creation can only be deleted; the rollback itself went well.
            Some(Outcome::Unrecoverable) => {
                self.kind != OperationKind::Rollback || self.ended != Some("ROLLBACK_COMPLETE")
            }
            Some(_) | None => self
                .events
                .iter()
                .any(|event| event.is_failure() && !event.is_stack(stack_id)),
        }
    }

    /// The event in which the stack itself says why, where no resource does.
    pub(super) fn stack_failure(&self, stack_id: &str) -> Option<&'a StackEvent> {
        let own = || self.events.iter().filter(|event| event.is_stack(stack_id));
        own()
            .find(|event| event.status.contains("ROLLBACK_IN_PROGRESS") && event.reason.is_some())
            .or_else(|| own().find(|event| event.is_failure()))
    }
}

/// Splits a stack's history (oldest first) into its operations.
///
/// The rollback of a failed operation belongs to it; one that is asked for once the operation has ended stands by
/// itself.
pub fn operations<'a>(events: &'a [StackEvent], stack_id: &str) -> Vec<Operation<'a>> {
    let mut starts: Vec<(usize, OperationKind)> = Vec::new();
    let mut running = false;
    for (index, event) in events.iter().enumerate() {
        if !event.is_stack(stack_id) {
            continue;
        }
        match OperationKind::begun_by(&event.status) {
            Some(OperationKind::Rollback) if running => {}
            Some(kind) => {
                // An event may be told twice; the operation is the same.
                let same = running && starts.last().is_some_and(|(_, last)| *last == kind);
                if !same {
                    starts.push((index, kind));
                }
                running = true;
            }
            None => running = StackStatus::parse(&event.status).outcome() == Outcome::InProgress,
        }
    }
    let ends = starts.iter().skip(1).map(|(index, _)| *index);
    let ends: Vec<usize> = ends.chain([events.len()]).collect();
    starts
        .iter()
        .zip(ends)
        .map(|((start, kind), end)| {
            let events = &events[*start..end];
            let ended = events
                .iter()
                .rev()
                .find(|event| event.is_stack(stack_id))
                .map(|event| event.status.as_str())
                .filter(|status| StackStatus::parse(status).outcome() != Outcome::InProgress);
            Operation {
                kind: *kind,
                started: events[0].timestamp,
                ended,
                events,
            }
        })
        .collect()
}
