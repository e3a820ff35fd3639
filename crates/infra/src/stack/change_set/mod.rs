//! A change set: what CloudFormation would do to a stack, resource by resource and property by property.

mod access;
mod described;
mod explain;
mod resource;
#[cfg(test)]
mod tests;

pub use access::{Access, AccessKind, is_access_property};
pub use described::{DescribedChange, DescribedDetail};
pub use resource::{
    Action, Attribute, Cause, Policy, PropertyChange, Replacement, ResourceChange, Shown,
};

/// A change set that has been asked for.
///
/// See [`DescribeChangeSet`](https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeChangeSet.html).
#[derive(Clone, Debug, PartialEq)]
pub struct ChangeSet {
    /// The change set's ARN.
    pub id: String,
    /// The ARN of its stack.
    pub stack_id: String,
    /// Whether its contents are known yet.
    pub state: ChangeSetState,
    /// What it would do, resource by resource.
    pub changes: Vec<ResourceChange>,
}

/// How far a change set has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChangeSetState {
    /// Its contents are still being worked out.
    Pending,
    /// It can be executed.
    Ready,
    /// It would change nothing.
    Empty,
    /// It cannot be executed, for this reason.
    Failed(String),
}

impl ChangeSetState {
    /// Reads a change set's `Status` and `StatusReason`.
    ///
    /// The service reports an empty change set as a failure and tells it from others in words alone:
    /// "The submitted information didn't contain changes." and "No updates are to be performed."
    pub fn parse(status: &str, reason: Option<&str>) -> Self {
        let reason = reason.unwrap_or_default();
        match status {
            "CREATE_PENDING" | "CREATE_IN_PROGRESS" => Self::Pending,
            "CREATE_COMPLETE" => Self::Ready,
            "FAILED"
                if reason.contains("didn't contain changes")
                    || reason.contains("No updates are to be performed") =>
            {
                Self::Empty
            }
            "FAILED" => Self::Failed(reason.to_owned()),
            other => Self::Failed(format!("unexpected change set status {other}: {reason}")),
        }
    }
}
