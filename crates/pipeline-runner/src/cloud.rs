use std::collections::BTreeMap;
use std::path::Path;

use async_trait::async_trait;
use stackway_pipeline_defs::model::Resource;

use crate::build::SecretReference;
use crate::{ErrorKind, Log, RunError};

/// A stack as an action wants it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StackOrder {
    /// The stack's name.
    pub stack: String,
    /// The action's mode: `CREATE_UPDATE`, `REPLACE_ON_FAILURE`, `DELETE_ONLY`, `CHANGE_SET_REPLACE` or
    /// `CHANGE_SET_EXECUTE`.
    pub mode: String,
    /// The template's text; empty where the mode needs none.
    pub template: String,
    /// Parameters; overrides have beaten those of the template configuration.
    pub parameters: BTreeMap<String, String>,
    /// Tags of the template configuration.
    pub tags: BTreeMap<String, String>,
    /// Capabilities.
    pub capabilities: Vec<String>,
    /// The change set's name, for the modes that have one.
    pub change_set: Option<String>,
    /// The stack policy's document of the template configuration.
    pub policy: Option<String>,
}

/// Where AWS finds an artifact.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StoredArtifact {
    /// The bucket's name.
    pub bucket: String,
    /// The object's key.
    pub key: String,
    /// The object's address.
    pub url: String,
}

/// An image as an action wants it.
#[derive(Clone, Debug)]
pub struct ImageOrder<'a> {
    /// The repository's name.
    pub repository: String,
    /// The unpacked input artifact.
    pub source: &'a Path,
    /// The folder of the Dockerfile in it.
    pub docker_file: Option<String>,
    /// Tags.
    pub tags: Vec<String>,
}

/// A parameter of the parameter store.
#[derive(Clone)]
pub struct Parameter {
    /// Its value.
    pub value: String,
    /// Whether the store keeps it encrypted.
    pub is_secret: bool,
}

/// What a run needs of AWS, or of what stands in for it.
#[async_trait]
pub trait Cloud: Send + Sync {
    /// What the environment calls a resource.
    fn value(&self, resource: Resource) -> Result<String, RunError>;

    /// Variables for commands: the region, and where calls go.
    fn environment(&self) -> BTreeMap<String, String>;

    /// Puts an artifact where stacks can read it.
    async fn keep(
        &self,
        zip: &Path,
        sha256: &str,
        log: &Log<'_>,
    ) -> Result<StoredArtifact, RunError> {
        let _ = (zip, log);
        Err(not_here(&format!("a bucket for artifact `{sha256}`")))
    }

    /// Does to a stack what the order's mode says; gives its outputs.
    async fn deploy(
        &self,
        order: &StackOrder,
        log: &Log<'_>,
    ) -> Result<BTreeMap<String, String>, RunError>;

    /// Builds and publishes an image, or what stands in for one; gives the action's variables.
    async fn publish(
        &self,
        order: &ImageOrder<'_>,
        log: &Log<'_>,
    ) -> Result<BTreeMap<String, String>, RunError>;

    /// A parameter of the parameter store.
    async fn parameter(&self, name: &str) -> Result<Parameter, RunError> {
        Err(not_here(&format!("parameter `{name}`")))
    }

    /// The whole text of a secret, of the version that is named.
    async fn secret(&self, reference: &SecretReference) -> Result<String, RunError> {
        Err(not_here(&format!("secret `{}`", reference.id)))
    }

    /// Runs a state machine to its end; gives the execution's ARN.
    async fn run_state_machine(
        &self,
        machine: &str,
        input: &str,
        log: &Log<'_>,
    ) -> Result<String, RunError> {
        let _ = (input, log);
        Err(not_here(&format!("state machine `{machine}`")))
    }
}

fn not_here(what: &str) -> RunError {
    RunError::new(ErrorKind::Cloud, format!("{what} cannot be reached here"))
        .hint("run the pipeline against an environment that has it")
}
