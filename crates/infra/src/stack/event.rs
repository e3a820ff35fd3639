use time::OffsetDateTime;

/// One line of a stack's history.
///
/// See [`StackEvent`](https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_StackEvent.html).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StackEvent {
    /// Unique within the stack; events are kept by it, since times repeat.
    pub id: String,
    /// When CloudFormation recorded it.
    pub timestamp: OffsetDateTime,
    /// The resource's name in the template; the stack's own name for the stack itself.
    pub logical_id: String,
    /// The resource's name in its service; the stack's id for the stack itself.
    pub physical_id: String,
    /// Such as `AWS::DynamoDB::Table`.
    pub resource_type: String,
    /// Such as `CREATE_COMPLETE`.
    pub status: String,
    /// Why, where CloudFormation says so.
    pub reason: Option<String>,
}

impl StackEvent {
    /// Whether the event is about the stack and not about one of its resources.
    pub fn is_stack(&self, stack_id: &str) -> bool {
        self.resource_type == "AWS::CloudFormation::Stack" && self.physical_id == stack_id
    }

    /// Whether a resource failed.
    pub fn is_failure(&self) -> bool {
        self.status.ends_with("_FAILED")
    }

    /// Whether the failure follows from another: CloudFormation cancels what runs beside a failure.
    pub fn is_consequence(&self) -> bool {
        self.reason.as_deref().is_some_and(|reason| {
            reason.contains("cancelled")
                || reason.contains("canceled")
                || reason.starts_with("The following resource(s) failed")
        })
    }
}

/// The failures among `events` (oldest first), root causes before what they took down with them.
pub fn failures<'a>(events: &'a [StackEvent], stack_id: &str) -> Vec<&'a StackEvent> {
    let failed = || {
        events
            .iter()
            .filter(|event| event.is_failure() && !event.is_stack(stack_id))
    };
    let causes = failed().filter(|event| !event.is_consequence());
    let consequences = failed().filter(|event| event.is_consequence());
    let mut all: Vec<_> = causes.chain(consequences).collect();
    if all.is_empty() {
        // A stack can fail on its own, for instance where a role may not be assumed.
        all = events.iter().filter(|event| event.is_failure()).collect();
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(logical_id: &str, status: &str, reason: &str) -> StackEvent {
        StackEvent {
            id: format!("{logical_id}-{status}"),
            timestamp: OffsetDateTime::UNIX_EPOCH,
            logical_id: logical_id.to_owned(),
            physical_id: logical_id.to_owned(),
            resource_type: if logical_id == "stack" {
                "AWS::CloudFormation::Stack"
            } else {
                "AWS::X::Y"
            }
            .to_owned(),
            status: status.to_owned(),
            reason: (!reason.is_empty()).then(|| reason.to_owned()),
        }
    }

    #[track_caller]
    fn check(events: &[StackEvent], expected: &[&str]) {
        let found: Vec<_> = failures(events, "stack")
            .iter()
            .map(|event| event.logical_id.as_str())
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn root_causes_come_first() {
        check(&[event("A", "CREATE_COMPLETE", "")], &[]);
        check(
            &[
                event("B", "CREATE_FAILED", "Resource creation cancelled"),
                event("A", "CREATE_FAILED", "a bucket with this name exists"),
                event(
                    "stack",
                    "CREATE_FAILED",
                    "The following resource(s) failed to create: [A, B].",
                ),
            ],
            &["A", "B"],
        );
        check(
            &[event(
                "stack",
                "DELETE_FAILED",
                "Role is invalid or cannot be assumed",
            )],
            &["stack"],
        );
    }
}
