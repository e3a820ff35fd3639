use async_trait::async_trait;
use aws_sdk_sfn::Client;
use aws_sdk_sfn::operation::describe_state_machine::DescribeStateMachineError;
use aws_sdk_sfn::types::StateMachineType;

use super::config::{SdkConfig, cloud_error};
use crate::cloud::{CloudError, MachineExecution, MachineKind, MachineStatus, StateMachines};

/// [`StateMachines`] on Step Functions.
#[derive(Clone, Debug)]
pub struct StepFunctions {
    client: Client,
}

impl StepFunctions {
    /// A client for this configuration.
    pub fn new(config: &SdkConfig) -> Self {
        Self {
            client: Client::new(config),
        }
    }
}

#[async_trait]
impl StateMachines for StepFunctions {
    async fn machine_kind(&self, machine: &str) -> Result<Option<MachineKind>, CloudError> {
        let request = self
            .client
            .describe_state_machine()
            .state_machine_arn(machine);
        match request.send().await {
            Ok(answer) => Ok(Some(match answer.r#type() {
                StateMachineType::Express => MachineKind::Express,
                _ => MachineKind::Standard,
            })),
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(DescribeStateMachineError::is_state_machine_does_not_exist) =>
            {
                Ok(None)
            }
            Err(error) => Err(cloud_error("states:DescribeStateMachine", &error)),
        }
    }

    async fn start_execution(
        &self,
        machine: &str,
        name: &str,
        input: &str,
    ) -> Result<String, CloudError> {
        let answer = self
            .client
            .start_execution()
            .state_machine_arn(machine)
            .name(name)
            .input(input)
            .send()
            .await
            .map_err(|error| cloud_error("states:StartExecution", &error))?;
        Ok(answer.execution_arn().to_owned())
    }

    async fn describe_execution(&self, execution: &str) -> Result<MachineExecution, CloudError> {
        let answer = self
            .client
            .describe_execution()
            .execution_arn(execution)
            .send()
            .await
            .map_err(|error| cloud_error("states:DescribeExecution", &error))?;
        let text = |text: Option<&str>| text.filter(|text| !text.is_empty()).map(str::to_owned);
        Ok(MachineExecution {
            status: MachineStatus::parse(answer.status().as_str()),
            error: text(answer.error()),
            cause: text(answer.cause()),
        })
    }
}
