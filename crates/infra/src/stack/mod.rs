//! What CloudFormation says of a stack: its status, its events, its change sets. No I/O.

mod action;
mod change_set;
mod change_set_name;
mod change_set_summary;
mod changes;
mod event;
mod import;
mod operation_event;
mod policy;
mod stateful;
mod status;
mod timeline;

use std::collections::BTreeMap;

use time::OffsetDateTime;

pub use action::DeployAction;
pub use change_set::{
    Access, AccessKind, Action, Attribute, Cause, ChangeSet, ChangeSetState, DescribedChange,
    DescribedDetail, Policy, PropertyChange, Replacement, ResourceChange, Shown,
    is_access_property,
};
pub use change_set_name::ChangeSetName;
pub use change_set_summary::{ChangeSetSummary, Execution};
pub use changes::{StackChanges, StackVersion};
pub use event::{StackEvent, failures};
pub use import::{ImportFault, ImportPlan, ImportTarget, ImportWish};
pub use operation_event::{OperationEvent, OperationEventKind};
pub use policy::StackPolicy;
pub use stateful::{Loss, STATEFUL_TYPES, is_stateful};
pub use status::{Outcome, StackStatus};
pub use timeline::{ResourceTimes, Span, resource_times};

/// A stack as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stack {
    /// The stack's ARN. It keeps naming this stack after its deletion, which the name does not.
    pub id: String,
    /// The stack's name.
    pub name: String,
    /// Where it is in its life.
    pub status: StackStatus,
    /// Why, where CloudFormation says so.
    pub status_reason: Option<String>,
    /// Parameter values by name; CloudFormation masks those with `NoEcho`.
    pub parameters: BTreeMap<String, String>,
    /// Output values by key.
    pub outputs: BTreeMap<String, String>,
    /// Tags by key.
    pub tags: BTreeMap<String, String>,
    /// Whether `DeleteStack` is refused.
    pub termination_protection: bool,
    /// When it last changed.
    pub updated_at: Option<OffsetDateTime>,
}

/// A resource that a stack holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StackResource {
    /// The resource's name in the template.
    pub logical_id: String,
    /// The resource's name in its service; empty where it was never made.
    pub physical_id: String,
    /// Such as `AWS::S3::Bucket`.
    pub resource_type: String,
    /// Such as `CREATE_COMPLETE`.
    pub status: String,
}
