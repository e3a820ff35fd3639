use std::fmt;

use time::OffsetDateTime;

use super::Pair;

/// What an operation does to instances.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OperationAction {
    /// Makes stacks.
    Create,
    /// Updates stacks.
    Update,
    /// Deletes stacks.
    Delete,
    /// Compares stacks with their templates; changes nothing.
    DetectDrift,
    /// An action of the future.
    Unknown(String),
}

impl OperationAction {
    /// Reads the service's name for it.
    pub fn parse(text: &str) -> Self {
        match text {
            "CREATE" => Self::Create,
            "UPDATE" => Self::Update,
            "DELETE" => Self::Delete,
            "DETECT_DRIFT" => Self::DetectDrift,
            other => Self::Unknown(other.to_owned()),
        }
    }

    /// The service's name for it.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Create => "CREATE",
            Self::Update => "UPDATE",
            Self::Delete => "DELETE",
            Self::DetectDrift => "DETECT_DRIFT",
            Self::Unknown(name) => name,
        }
    }
}

impl fmt::Display for OperationAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The status of an operation on a stack set.
///
/// See [StackSetOperation](https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_StackSetOperation.html).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OperationStatus {
    /// It waits for others on the same set, where managed execution is on.
    Queued,
    /// It is under way.
    Running,
    /// It was asked to stop; instances under way go on.
    Stopping,
    /// Each instance succeeded, or no more failed than was tolerated.
    Succeeded,
    /// More instances failed than was tolerated.
    Failed,
    /// It was stopped.
    Stopped,
    /// A status of the future.
    Unknown(String),
}

/// What a status means for those who wait for the operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OperationOutcome {
    /// It is not over.
    InProgress,
    /// It did what it was to do.
    Succeeded,
    /// It did not.
    Failed,
    /// Somebody stopped it: it did a part.
    Stopped,
    /// Not known; nothing is guessed.
    Unknown,
}

/// Every status, with the service's name for it and its one meaning.
const STATUSES: [(OperationStatus, &str, OperationOutcome); 6] = [
    (
        OperationStatus::Queued,
        "QUEUED",
        OperationOutcome::InProgress,
    ),
    (
        OperationStatus::Running,
        "RUNNING",
        OperationOutcome::InProgress,
    ),
    (
        OperationStatus::Stopping,
        "STOPPING",
        OperationOutcome::InProgress,
    ),
    (
        OperationStatus::Succeeded,
        "SUCCEEDED",
        OperationOutcome::Succeeded,
    ),
    (OperationStatus::Failed, "FAILED", OperationOutcome::Failed),
    (
        OperationStatus::Stopped,
        "STOPPED",
        OperationOutcome::Stopped,
    ),
];

impl OperationStatus {
    /// Reads the service's name for it.
    pub fn parse(text: &str) -> Self {
        STATUSES
            .iter()
            .find(|(_, name, _)| *name == text)
            .map_or_else(
                || Self::Unknown(text.to_owned()),
                |(status, ..)| status.clone(),
            )
    }

    /// The service's name for it.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Unknown(name) => name,
            known => STATUSES
                .iter()
                .find(|(status, ..)| status == known)
                .map_or("UNKNOWN", |(_, name, _)| name),
        }
    }

    /// What it means, once for the whole project.
    pub fn outcome(&self) -> OperationOutcome {
        STATUSES
            .iter()
            .find(|(status, ..)| status == self)
            .map_or(OperationOutcome::Unknown, |(.., outcome)| *outcome)
    }
}

impl fmt::Display for OperationStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An operation on a stack set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StackSetOperation {
    /// Its id, which whoever began it could choose.
    pub id: String,
    /// What it does.
    pub action: OperationAction,
    /// Its status.
    pub status: OperationStatus,
    /// Why, where the service says so.
    pub reason: Option<String>,
    /// When it was asked for.
    pub created_at: Option<OffsetDateTime>,
    /// When it ended, at the latest look.
    pub ended_at: Option<OffsetDateTime>,
}

/// How far an operation is with one instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ResultStatus {
    /// Its turn has not come.
    Pending,
    /// It is under way.
    Running,
    /// It ended well.
    Succeeded,
    /// It failed, or the account's gate refused it.
    Failed,
    /// It was stopped, or failures elsewhere stopped it before its turn.
    Cancelled,
    /// A status of the future.
    Unknown(String),
}

impl ResultStatus {
    /// Reads the service's name for it.
    pub fn parse(text: &str) -> Self {
        match text {
            "PENDING" => Self::Pending,
            "RUNNING" => Self::Running,
            "SUCCEEDED" => Self::Succeeded,
            "FAILED" => Self::Failed,
            "CANCELLED" => Self::Cancelled,
            other => Self::Unknown(other.to_owned()),
        }
    }

    /// The service's name for it.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Pending => "PENDING",
            Self::Running => "RUNNING",
            Self::Succeeded => "SUCCEEDED",
            Self::Failed => "FAILED",
            Self::Cancelled => "CANCELLED",
            Self::Unknown(name) => name,
        }
    }

    /// Whether nothing more will come of it.
    pub fn is_final(&self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Cancelled)
    }
}

impl fmt::Display for ResultStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What an operation did to one instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OperationResult {
    /// The instance's account and region.
    pub pair: Pair,
    /// How far it is.
    pub status: ResultStatus,
    /// Why, where the service says so.
    pub reason: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_has_one_name_and_one_meaning() {
        for (status, name, outcome) in &STATUSES {
            assert_eq!(&OperationStatus::parse(name), status);
            assert_eq!(status.as_str(), *name);
            assert_eq!(status.outcome(), *outcome);
        }
        let future = OperationStatus::parse("PAUSED");
        assert_eq!(
            (future.as_str(), future.outcome()),
            ("PAUSED", OperationOutcome::Unknown)
        );
    }

    #[test]
    fn actions_and_results_keep_their_names() {
        for name in ["CREATE", "UPDATE", "DELETE", "DETECT_DRIFT", "MOVE"] {
            assert_eq!(OperationAction::parse(name).as_str(), name);
        }
        for (name, is_final) in [
            ("PENDING", false),
            ("RUNNING", false),
            ("SUCCEEDED", true),
            ("FAILED", true),
            ("CANCELLED", true),
            ("LOST", false),
        ] {
            let status = ResultStatus::parse(name);
            assert_eq!((status.as_str(), status.is_final()), (name, is_final));
        }
    }
}
