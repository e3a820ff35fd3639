/// How CloudFormation would treat a resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourceChange {
    /// `Add`, `Modify`, `Remove`, `Import` or `Dynamic`.
    pub action: String,
    /// The resource's name in the template.
    pub logical_id: String,
    /// Such as `AWS::S3::Bucket`.
    pub resource_type: String,
    /// Whether the resource is made anew: `True`, `False` or `Conditional`; `None` where it does not apply.
    pub replacement: Option<String>,
}

/// A change set that has been asked for.
///
/// See [`DescribeChangeSet`](https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeChangeSet.html).
#[derive(Clone, Debug, PartialEq, Eq)]
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_change_set_is_not_a_failure() {
        let cases = [
            ("CREATE_PENDING", None, ChangeSetState::Pending),
            ("CREATE_IN_PROGRESS", None, ChangeSetState::Pending),
            ("CREATE_COMPLETE", None, ChangeSetState::Ready),
            (
                "FAILED",
                Some(
                    "The submitted information didn't contain changes. Submit different information to create a change set.",
                ),
                ChangeSetState::Empty,
            ),
            (
                "FAILED",
                Some("No updates are to be performed."),
                ChangeSetState::Empty,
            ),
            (
                "FAILED",
                Some("Transform failed"),
                ChangeSetState::Failed("Transform failed".to_owned()),
            ),
        ];
        for (status, reason, expected) in cases {
            assert_eq!(
                ChangeSetState::parse(status, reason),
                expected,
                "{status} {reason:?}"
            );
        }
    }
}
