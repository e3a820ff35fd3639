//! What the flows ask of a cloud, in the project's own verbs. The adapters in [`crate::aws`] answer with AWS;
//! a scripted fake answers in tests.

mod alarms;
pub mod billing;
mod drift;
#[cfg(any(test, feature = "test-support"))]
pub mod fake;
mod function_calls;
mod holdings;
mod imports;
mod log_lines;
mod metric_data;
mod operation_events;
mod pipeline_runs;
mod preflight;
mod secrets;
mod stack_control;
pub mod stack_sets;
mod state_machines;
mod unowned;

use std::collections::BTreeMap;
use std::path::Path;

use async_trait::async_trait;

pub use alarms::Alarms;
pub use drift::{AskedChangeSet, Detection, Drift};
pub use function_calls::{FunctionAnswer, FunctionCalls};
pub use holdings::{
    Images, Keys, LogGroup, LogGroups, Made, PipelineStacks, ReportGroup, ReportGroups, StackList,
    Tables, Tagged,
};
pub use imports::{ImportRequest, Imports, ResourceIdentifiers};
pub use log_lines::{LogLine, LogLines};
pub use metric_data::{AlarmState, MetricData, MetricPoint, MetricQuery, MetricSeries};
pub use operation_events::{EventsOf, OperationEvents};
pub use pipeline_runs::{BuildLog, BuildLogs, PipelineRuns, RetryMode};
pub use preflight::{ConnectionState, Connections, Names, Permissions, StackRules};
pub use secrets::{Parameter, Parameters, SecretVersion, Secrets};
pub use stack_control::StackControl;
pub use state_machines::{MachineExecution, MachineKind, MachineStatus, StateMachines};
pub use unowned::{
    AnyResource, Function, Functions, HeldParameter, HeldParameters, HeldSecret, HeldSecrets,
};

use crate::inventory::BucketContents;
use crate::stack::{ChangeSet, Stack, StackEvent, StackResource};

/// What a change set is made from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangeSetRequest {
    /// The stack's name.
    pub stack_name: String,
    /// The change set's name, unique within the stack.
    pub name: String,
    /// Whether the stack is new: `CREATE` in place of `UPDATE`.
    pub create: bool,
    /// The template, up to 51,200 bytes.
    pub template_body: String,
    /// Parameter values by name; those left out keep the template's default.
    pub parameters: BTreeMap<String, String>,
    /// Tags by key, which CloudFormation hands on to every resource.
    pub tags: BTreeMap<String, String>,
    /// Such as `CAPABILITY_NAMED_IAM`.
    pub capabilities: Vec<String>,
}

/// CloudFormation's stacks.
#[async_trait]
pub trait Stacks: Send + Sync {
    /// The stack of that name or ARN; `None` only where CloudFormation says that there is none.
    async fn describe_stack(&self, name_or_id: &str) -> Result<Option<Stack>, CloudError>;
    /// Asks for a change set; its contents are known once [`Stacks::describe_change_set`] says so.
    async fn create_change_set(&self, request: &ChangeSetRequest) -> Result<ChangeSet, CloudError>;
    /// The change set as it stands, with all its changes.
    async fn describe_change_set(&self, id: &str, stack_id: &str) -> Result<ChangeSet, CloudError>;
    /// Starts what the change set holds.
    async fn execute_change_set(&self, id: &str, stack_id: &str) -> Result<(), CloudError>;
    /// Deletes a change set that has not been executed.
    async fn delete_change_set(&self, id: &str, stack_id: &str) -> Result<(), CloudError>;
    /// The newest event's id, if there is one.
    async fn latest_event_id(&self, stack_id: &str) -> Result<Option<String>, CloudError>;
    /// The events after the one named (all where `None`), oldest first.
    async fn stack_events_since(
        &self,
        stack_id: &str,
        after: Option<&str>,
    ) -> Result<Vec<StackEvent>, CloudError>;
    /// The template that the stack was last deployed from, as it was sent.
    async fn stack_template(&self, stack_id: &str) -> Result<String, CloudError>;
    /// What the stack holds.
    async fn stack_resources(&self, stack_id: &str) -> Result<Vec<StackResource>, CloudError>;
    /// Starts the deletion of a stack.
    async fn delete_stack(&self, name_or_id: &str) -> Result<(), CloudError>;
}

/// S3, as far as deploying and removing needs it.
#[async_trait]
pub trait Objects: Send + Sync {
    /// Whether the object is there.
    async fn object_exists(&self, bucket: &str, key: &str) -> Result<bool, CloudError>;
    /// Stores the file as an object, encrypted as the bucket says.
    async fn put_object(&self, bucket: &str, key: &str, file: &Path) -> Result<(), CloudError>;
    /// What the bucket holds; `None` only where S3 says that there is no such bucket.
    async fn bucket_contents(&self, bucket: &str) -> Result<Option<BucketContents>, CloudError>;
    /// The bucket's tags.
    async fn bucket_tags(&self, bucket: &str) -> Result<BTreeMap<String, String>, CloudError>;
    /// Removes every object, version, delete marker and unfinished upload; returns how many. A bucket that is gone
    /// counts as empty.
    async fn empty_bucket(&self, bucket: &str) -> Result<u64, CloudError>;
    /// Deletes an empty bucket; one that is gone is fine.
    async fn delete_bucket(&self, bucket: &str) -> Result<(), CloudError>;
}

/// Who is calling.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The account's 12 digits.
    pub account: String,
    /// The caller's ARN.
    pub arn: String,
}

/// STS, as far as knowing the account needs it.
#[async_trait]
pub trait Identity: Send + Sync {
    /// The account and principal that the credentials belong to.
    async fn caller(&self) -> Result<Caller, CloudError>;
}

/// A call to AWS, or to what stands in for it, that did not succeed.
#[derive(Clone, Debug, thiserror::Error)]
pub enum CloudError {
    /// Nothing answered: no connection, a time-out, no credentials to sign with.
    #[error("{operation}: {message}")]
    Unreachable {
        /// The service and operation, such as `cloudformation:DescribeStacks`.
        operation: &'static str,
        /// What went wrong on the way, in full.
        message: String,
    },
    /// There are no credentials, or they could not be loaded.
    #[error("{operation}: {message}")]
    Credentials {
        /// The service and operation.
        operation: &'static str,
        /// What the credentials chain said.
        message: String,
    },
    /// The service answered with an error.
    #[error("{operation}: {code}: {message}")]
    Refused {
        /// The service and operation.
        operation: &'static str,
        /// The service's error code, such as `AccessDenied`.
        code: String,
        /// The service's message.
        message: String,
    },
    /// A file could not be read.
    #[error("cannot read `{path}`: {message}")]
    File {
        /// The file.
        path: String,
        /// Why.
        message: String,
    },
}

impl CloudError {
    /// The service's error code, where a service answered.
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Refused { code, .. } => Some(code),
            _ => None,
        }
    }

    /// Whether the same call may succeed a little later: nothing answered, the service was at fault, or it had been
    /// asked too often. The SDK has repeated the call by then.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Unreachable { .. } => true,
            Self::Refused { code, .. } => matches!(
                code.as_str(),
                "Throttling"
                    | "ThrottlingException"
                    | "RequestLimitExceeded"
                    | "RequestThrottled"
                    | "TooManyRequestsException"
                    | "SlowDown"
                    | "InternalFailure"
                    | "InternalError"
                    | "InternalServerError"
                    | "ServiceUnavailable"
                    | "ServiceUnavailableException"
            ),
            Self::Credentials { .. } | Self::File { .. } => false,
        }
    }

    /// Whether the endpoint does not know the operation at all: an emulator that lacks it. AWS never says so of an
    /// operation that it has.
    pub fn is_unknown_operation(&self) -> bool {
        let Self::Refused { code, message, .. } = self else {
            return false;
        };
        matches!(
            code.as_str(),
            "InvalidAction" | "NotImplemented" | "UnknownOperation" | "UnknownOperationException"
        ) || message.starts_with("Unknown action")
            || (code == "InternalFailure" && message.contains("not implemented"))
    }
}
