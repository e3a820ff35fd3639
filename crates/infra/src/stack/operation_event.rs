use super::StackEvent;

/// One event of an operation, with what [`StackEvent`] does not have: what validations and hooks said.
///
/// See [`OperationEvent`](https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_OperationEvent.html).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OperationEvent {
    /// The operation's id, the same for all of its events.
    pub operation_id: String,
    /// The ARN of the stack that it is about.
    pub stack_id: String,
    /// What kind of event it is.
    pub kind: OperationEventKind,
    /// What a stack's event says. For a validation or a hook the reason is the one that it gave.
    pub event: StackEvent,
}

/// What an [`OperationEvent`] tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OperationEventKind {
    /// The stack or a resource went from one status to another, or failed to.
    Resource,
    /// CloudFormation's own validation, before the deployment, found something.
    Validation {
        /// The validation's name, such as `NAME_CONFLICT_VALIDATION`.
        name: String,
        /// Where in the template: `/Resources/Bucket/Properties/BucketName`.
        path: Option<String>,
    },
    /// A hook refused a resource.
    Hook {
        /// The hook's type.
        name: String,
    },
}
