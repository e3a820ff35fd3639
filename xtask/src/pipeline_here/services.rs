//! The services that actions and builds read and call, beside CloudFormation.

use stackway_infra::aws::{CloudWatch, Lambda, SecretsManager, Ssm, StepFunctions};
use stackway_infra::clock::SystemClock;
use stackway_infra::cloud::{
    Alarms as _, CloudError, FunctionCalls as _, MachineStatus, Parameters as _, SecretVersion,
    Secrets as _,
};
use stackway_infra::config::EnvironmentKind;
use stackway_infra::flow::{MachineRun, MachineRunner};
use stackway_pipeline_runner::{Answered, ErrorKind, Log, Parameter, RunError, SecretReference};

use super::{Here, error_of};
use crate::failure::Failure;

fn refused(error: CloudError) -> RunError {
    error_of(Failure::from(error))
}

fn missing(what: String) -> RunError {
    RunError::new(ErrorKind::Cloud, format!("there is no {what}"))
        .hint("make it in the environment that the pipeline runs against, then retry the execution")
}

impl Here<'_> {
    pub(super) async fn parameter_of_store(&self, name: &str) -> Result<Parameter, RunError> {
        let found = Ssm::new(&self.cloud.config).parameter(name).await;
        let found = found.map_err(refused)?;
        let parameter = found.ok_or_else(|| missing(format!("parameter `{name}`")))?;
        Ok(Parameter {
            value: parameter.value,
            is_secret: parameter.is_secure,
        })
    }

    pub(super) async fn secret_text(&self, wanted: &SecretReference) -> Result<String, RunError> {
        let version = SecretVersion {
            id: wanted.id.clone(),
            stage: wanted.version_stage.clone(),
            version: wanted.version_id.clone(),
        };
        let found = SecretsManager::new(&self.cloud.config)
            .secret(&version)
            .await;
        found.map_err(refused)?.ok_or_else(|| {
            let of = (version.stage.or(version.version))
                .map(|version| format!(" in version `{version}`"));
            missing(format!(
                "text of secret `{}`{}",
                wanted.id,
                of.unwrap_or_default()
            ))
        })
    }

    /// Starts an execution of a state machine and waits for its end, where its kind has one to wait for.
    pub(super) async fn run_machine(
        &self,
        machine: &str,
        name: &str,
        input: &str,
        log: &Log<'_>,
    ) -> Result<String, RunError> {
        let runner = MachineRunner {
            machines: &StepFunctions::new(&self.cloud.config),
            clock: &SystemClock,
            poll: self.cloud.poll_interval(),
        };
        log.line(&format!("starts {machine} as {name}"))?;
        match runner.run(machine, name, input).await.map_err(refused)? {
            MachineRun::Missing => Err(missing(format!("state machine `{machine}`"))),
            MachineRun::Started { execution } => {
                log.line("an express machine is not waited for")?;
                Ok(execution)
            }
            MachineRun::Ended { execution, result } => {
                let word = match result.status {
                    MachineStatus::Ended(word) => word,
                    MachineStatus::Running | MachineStatus::Succeeded => {
                        log.line(&format!("{execution} succeeded"))?;
                        return Ok(execution);
                    }
                };
                let error = RunError::new(
                    ErrorKind::Failed,
                    format!("execution `{execution}` ended in {word}"),
                );
                let why: Vec<_> = [result.error, result.cause].into_iter().flatten().collect();
                Err(if why.is_empty() {
                    error
                } else {
                    error.cause(why.join(": "))
                })
            }
        }
    }

    pub(super) async fn call(&self, function: &str, event: &str) -> Result<Answered, RunError> {
        let called = Lambda::new(&self.cloud.config).call(function, event).await;
        let answer = called.map_err(refused)?;
        let answer = answer.ok_or_else(|| missing(format!("function `{function}`")))?;
        Ok(Answered {
            document: answer.document,
            is_error: answer.is_error,
        })
    }

    /// Why no alarm can be looked at here: an emulator may not answer in the protocol of CloudWatch's SDK, so that its
    /// answer has no code.
    pub(super) async fn lacks_alarms(&self) -> Result<Option<String>, RunError> {
        let is_local = self.settings.environment.kind == EnvironmentKind::Local;
        match CloudWatch::new(&self.cloud.config)
            .alarm_state("none")
            .await
        {
            Ok(_) => Ok(None),
            Err(error)
                if error.is_unknown_operation()
                    || (is_local && error.code() == Some("Unknown")) =>
            {
                let url = self.cloud.endpoint_url.as_deref().unwrap_or("AWS");
                Ok(Some(format!("{url} tells no alarms")))
            }
            Err(error) => Err(refused(error)),
        }
    }

    pub(super) async fn state_of_alarm(&self, name: &str) -> Result<String, RunError> {
        let found = CloudWatch::new(&self.cloud.config).alarm_state(name).await;
        let found = found.map_err(refused)?;
        found.ok_or_else(|| missing(format!("alarm `{name}`")))
    }
}
