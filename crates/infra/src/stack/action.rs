use super::StackStatus;

/// What a deploy does with a stack that it finds in a status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeployAction {
    /// Make a change set that creates the stack.
    Create,
    /// Make a change set that updates the stack.
    Update,
    /// Wait for the operation under way, and look again.
    Wait,
    /// Only a deletion gets out: explain, and remove the stack if a person says so.
    Recreate,
    /// The undoing of an update is stuck: explain, and finish it if a person says so (`ContinueUpdateRollback`).
    ContinueRollback,
    /// A failed update stands half done: explain, and undo it if a person says so (`RollbackStack`).
    RollBack,
    /// Nothing that a deploy could do: explain.
    Stop,
}

impl StackStatus {
    /// What a deploy does in this status.
    ///
    /// Which operation a status allows is from
    /// [Stack status codes](https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/view-stack-events.html),
    /// [`ContinueUpdateRollback`](https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ContinueUpdateRollback.html)
    /// and [`RollbackStack`](https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_RollbackStack.html).
    pub fn deploy_action(&self) -> DeployAction {
        match self {
            Self::ReviewInProgress | Self::DeleteComplete => DeployAction::Create,
            Self::CreateComplete
            | Self::UpdateComplete
            | Self::UpdateRollbackComplete
            | Self::ImportComplete
            | Self::ImportRollbackComplete => DeployAction::Update,
            Self::CreateInProgress
            | Self::RollbackInProgress
            | Self::DeleteInProgress
            | Self::UpdateInProgress
            | Self::UpdateCompleteCleanupInProgress
            | Self::UpdateRollbackInProgress
            | Self::UpdateRollbackCompleteCleanupInProgress
            | Self::ImportInProgress
            | Self::ImportRollbackInProgress => DeployAction::Wait,
            Self::CreateFailed
            | Self::RollbackFailed
            | Self::RollbackComplete
            | Self::DeleteFailed => DeployAction::Recreate,
            Self::UpdateRollbackFailed => DeployAction::ContinueRollback,
            Self::UpdateFailed => DeployAction::RollBack,
            // Its resources were there before the stack: neither removing nor updating it is ours to choose.
            Self::ImportRollbackFailed | Self::Unknown(_) => DeployAction::Stop,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stack::Outcome;

    #[test]
    fn every_status_has_one_action() {
        use DeployAction::{ContinueRollback, Create, Recreate, RollBack, Stop, Update, Wait};
        let cases = [
            ("CREATE_COMPLETE", Update),
            ("CREATE_FAILED", Recreate),
            ("CREATE_IN_PROGRESS", Wait),
            ("DELETE_COMPLETE", Create),
            ("DELETE_FAILED", Recreate),
            ("DELETE_IN_PROGRESS", Wait),
            ("IMPORT_COMPLETE", Update),
            ("IMPORT_IN_PROGRESS", Wait),
            ("IMPORT_ROLLBACK_COMPLETE", Update),
            ("IMPORT_ROLLBACK_FAILED", Stop),
            ("IMPORT_ROLLBACK_IN_PROGRESS", Wait),
            ("REVIEW_IN_PROGRESS", Create),
            ("ROLLBACK_COMPLETE", Recreate),
            ("ROLLBACK_FAILED", Recreate),
            ("ROLLBACK_IN_PROGRESS", Wait),
            ("UPDATE_COMPLETE", Update),
            ("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", Wait),
            ("UPDATE_FAILED", RollBack),
            ("UPDATE_IN_PROGRESS", Wait),
            ("UPDATE_ROLLBACK_COMPLETE", Update),
            ("UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS", Wait),
            ("UPDATE_ROLLBACK_FAILED", ContinueRollback),
            ("UPDATE_ROLLBACK_IN_PROGRESS", Wait),
        ];
        assert_eq!(cases.len(), 23);
        for (wire, action) in cases {
            let status = StackStatus::parse(wire);
            assert_eq!(status.deploy_action(), action, "{wire}");
            // An action and what everybody else calls the status must not contradict each other.
            let outcomes: &[Outcome] = match action {
                Create => &[Outcome::AwaitingExecution, Outcome::Deleted],
                Update => &[Outcome::Succeeded, Outcome::RolledBack],
                Wait => &[Outcome::InProgress],
                Recreate | ContinueRollback | RollBack | Stop => &[Outcome::Unrecoverable],
            };
            assert!(outcomes.contains(&status.outcome()), "{wire}");
        }
        assert_eq!(
            StackStatus::parse("TELEPORT_COMPLETE").deploy_action(),
            Stop
        );
    }
}
