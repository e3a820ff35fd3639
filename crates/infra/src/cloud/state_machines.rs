use async_trait::async_trait;

use super::CloudError;

/// Step Functions.
#[async_trait]
pub trait StateMachines: Send + Sync {
    /// The state machine's kind; `None` only where the service says that there is no such machine.
    async fn machine_kind(&self, machine: &str) -> Result<Option<MachineKind>, CloudError>;
    /// Starts an execution; gives its ARN. The same name with the same input is the same execution.
    async fn start_execution(
        &self,
        machine: &str,
        name: &str,
        input: &str,
    ) -> Result<String, CloudError>;
    /// The execution as it stands.
    async fn describe_execution(&self, execution: &str) -> Result<MachineExecution, CloudError>;
}

/// What a state machine is made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MachineKind {
    /// Its executions are kept, and can be asked about.
    Standard,
    /// Its executions are gone with their end.
    Express,
}

/// An execution of a state machine.
///
/// See [`DescribeExecution`](https://docs.aws.amazon.com/step-functions/latest/apireference/API_DescribeExecution.html).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MachineExecution {
    /// How it stands.
    pub status: MachineStatus,
    /// The error's name, where it failed.
    pub error: Option<String>,
    /// Why, where it failed.
    pub cause: Option<String>,
}

/// How an execution of a state machine stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MachineStatus {
    /// It has not ended.
    Running,
    /// It did what it is for.
    Succeeded,
    /// It ended otherwise, by this word of the service.
    Ended(String),
}

impl MachineStatus {
    /// Reads the service's word.
    pub fn parse(text: &str) -> Self {
        match text {
            "RUNNING" | "PENDING_REDRIVE" => Self::Running,
            "SUCCEEDED" => Self::Succeeded,
            other => Self::Ended(other.to_owned()),
        }
    }
}
