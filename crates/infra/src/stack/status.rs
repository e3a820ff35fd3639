use std::fmt;

/// The status of a stack, as CloudFormation reports it.
///
/// All 23 values of
/// [`StackStatus`](https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_Stack.html)
/// are here; one that AWS adds later is kept as [`StackStatus::Unknown`], never guessed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum StackStatus {
    /// The stack is being created.
    CreateInProgress,
    /// The creation failed, and nothing was rolled back.
    CreateFailed,
    /// The stack was created.
    CreateComplete,
    /// A failed creation is being undone.
    RollbackInProgress,
    /// A failed creation could not be undone.
    RollbackFailed,
    /// A failed creation was undone: the stack is empty and can only be deleted.
    RollbackComplete,
    /// The stack is being deleted.
    DeleteInProgress,
    /// The deletion failed: some resources are left.
    DeleteFailed,
    /// The stack is gone.
    DeleteComplete,
    /// The stack is being updated.
    UpdateInProgress,
    /// The update succeeded; what it replaced is being removed.
    UpdateCompleteCleanupInProgress,
    /// The stack was updated.
    UpdateComplete,
    /// The update failed, and nothing was rolled back.
    UpdateFailed,
    /// A failed update is being undone.
    UpdateRollbackInProgress,
    /// A failed update could not be undone.
    UpdateRollbackFailed,
    /// A failed update was undone; what it made is being removed.
    UpdateRollbackCompleteCleanupInProgress,
    /// A failed update was undone: the stack is as it was before.
    UpdateRollbackComplete,
    /// Only a change set exists: the stack is an empty shell.
    ReviewInProgress,
    /// Resources are being imported.
    ImportInProgress,
    /// Resources were imported.
    ImportComplete,
    /// A failed import is being undone.
    ImportRollbackInProgress,
    /// A failed import could not be undone.
    ImportRollbackFailed,
    /// A failed import was undone.
    ImportRollbackComplete,
    /// A status that this version does not know.
    Unknown(String),
}

/// What a [`StackStatus`] means for whoever waits for the stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// An operation is under way.
    InProgress,
    /// Nothing runs: a change set waits to be executed.
    AwaitingExecution,
    /// The last operation did what it was asked.
    Succeeded,
    /// The last operation failed and the stack is as it was before it.
    RolledBack,
    /// The stack takes no update until somebody acts.
    Unrecoverable,
    /// The stack is gone.
    Deleted,
    /// The status is not one that this version knows.
    Unknown,
}

/// Every known status with its name on the wire and its one meaning.
const STATUSES: [(StackStatus, &str, Outcome); 23] = {
    use Outcome::{AwaitingExecution, Deleted, InProgress, RolledBack, Succeeded, Unrecoverable};
    use StackStatus as S;
    [
        (S::CreateInProgress, "CREATE_IN_PROGRESS", InProgress),
        (S::CreateFailed, "CREATE_FAILED", Unrecoverable),
        (S::CreateComplete, "CREATE_COMPLETE", Succeeded),
        (S::RollbackInProgress, "ROLLBACK_IN_PROGRESS", InProgress),
        (S::RollbackFailed, "ROLLBACK_FAILED", Unrecoverable),
        (S::RollbackComplete, "ROLLBACK_COMPLETE", Unrecoverable),
        (S::DeleteInProgress, "DELETE_IN_PROGRESS", InProgress),
        (S::DeleteFailed, "DELETE_FAILED", Unrecoverable),
        (S::DeleteComplete, "DELETE_COMPLETE", Deleted),
        (S::UpdateInProgress, "UPDATE_IN_PROGRESS", InProgress),
        (
            S::UpdateCompleteCleanupInProgress,
            "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS",
            InProgress,
        ),
        (S::UpdateComplete, "UPDATE_COMPLETE", Succeeded),
        (S::UpdateFailed, "UPDATE_FAILED", Unrecoverable),
        (
            S::UpdateRollbackInProgress,
            "UPDATE_ROLLBACK_IN_PROGRESS",
            InProgress,
        ),
        (
            S::UpdateRollbackFailed,
            "UPDATE_ROLLBACK_FAILED",
            Unrecoverable,
        ),
        (
            S::UpdateRollbackCompleteCleanupInProgress,
            "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS",
            InProgress,
        ),
        (
            S::UpdateRollbackComplete,
            "UPDATE_ROLLBACK_COMPLETE",
            RolledBack,
        ),
        (S::ReviewInProgress, "REVIEW_IN_PROGRESS", AwaitingExecution),
        (S::ImportInProgress, "IMPORT_IN_PROGRESS", InProgress),
        (S::ImportComplete, "IMPORT_COMPLETE", Succeeded),
        (
            S::ImportRollbackInProgress,
            "IMPORT_ROLLBACK_IN_PROGRESS",
            InProgress,
        ),
        (
            S::ImportRollbackFailed,
            "IMPORT_ROLLBACK_FAILED",
            Unrecoverable,
        ),
        (
            S::ImportRollbackComplete,
            "IMPORT_ROLLBACK_COMPLETE",
            RolledBack,
        ),
    ]
};

impl StackStatus {
    /// Reads a status from its name on the wire.
    pub fn parse(name: &str) -> Self {
        STATUSES
            .iter()
            .find(|(_, wire, _)| *wire == name)
            .map_or_else(
                || Self::Unknown(name.to_owned()),
                |(status, ..)| status.clone(),
            )
    }

    /// The status's name on the wire.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Unknown(name) => name,
            known => STATUSES
                .iter()
                .find(|(status, ..)| status == known)
                .map_or("UNKNOWN", |(_, wire, _)| wire),
        }
    }

    /// What the status means, once for the whole project.
    pub fn outcome(&self) -> Outcome {
        STATUSES
            .iter()
            .find(|(status, ..)| status == self)
            .map_or(Outcome::Unknown, |(.., outcome)| *outcome)
    }
}

impl fmt::Display for StackStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_has_one_name_and_one_meaning() {
        for (status, wire, outcome) in &STATUSES {
            assert_eq!(&StackStatus::parse(wire), status);
            assert_eq!(status.as_str(), *wire);
            assert_eq!(status.outcome(), *outcome);
            // The names alone must not decide: these two end in IN_PROGRESS and mean different things.
            assert_eq!(
                *outcome == Outcome::InProgress,
                wire.ends_with("IN_PROGRESS") && *wire != "REVIEW_IN_PROGRESS",
                "{wire}"
            );
        }
        let names: std::collections::BTreeSet<_> =
            STATUSES.iter().map(|(_, wire, _)| wire).collect();
        assert_eq!(names.len(), STATUSES.len());
    }

    #[test]
    fn a_status_of_the_future_is_unknown() {
        let status = StackStatus::parse("TELEPORT_COMPLETE");
        assert_eq!(status.outcome(), Outcome::Unknown);
        assert_eq!(status.to_string(), "TELEPORT_COMPLETE");
    }
}
