//! The services that actions and builds read and call, beside CloudFormation.

use stackway_infra::aws::{SecretsManager, Ssm};
use stackway_infra::cloud::{CloudError, Parameters as _, SecretVersion, Secrets as _};
use stackway_pipeline_runner::{ErrorKind, Parameter, RunError, SecretReference};

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
}
