use super::ChangeSetState;

/// A change set as a list of them shows it: without what it would change.
///
/// See [`ChangeSetSummary`](https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ChangeSetSummary.html).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangeSetSummary {
    /// The change set's ARN.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The ARN of its stack.
    pub stack_id: String,
    /// Whether its contents are known yet.
    pub state: ChangeSetState,
    /// Whether it is, or can be, executed.
    pub execution: Execution,
}

/// How far the execution of a change set has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Execution {
    /// It cannot be executed: not yet, or not any more, or its status is one that this version does not know.
    Unavailable,
    /// It can be executed.
    Available,
    /// It is being executed.
    InProgress,
    /// It was executed, well or not.
    Over,
}

impl Execution {
    /// Reads an `ExecutionStatus`.
    pub fn parse(status: &str) -> Self {
        match status {
            "AVAILABLE" => Self::Available,
            "EXECUTE_IN_PROGRESS" => Self::InProgress,
            "EXECUTE_COMPLETE" | "EXECUTE_FAILED" => Self::Over,
            // OBSOLETE too: the stack has changed since.
            _ => Self::Unavailable,
        }
    }
}
