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

/// A stack set as an action wants it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StackSetOrder {
    /// The set's name.
    pub name: String,
    /// What it is made from; `None` where only its instances are meant.
    pub definition: Option<SetDefinition>,
    /// Where it is to have instances, beside those that it has.
    pub targets: Option<SetTargets>,
    /// Values that these instances have in place of the set's.
    pub overrides: BTreeMap<String, String>,
}

/// What a stack set is made from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetDefinition {
    /// The template's text.
    pub template: String,
    /// Parameters; `None` where the value of before stays.
    pub parameters: BTreeMap<String, Option<String>>,
    /// Capabilities.
    pub capabilities: Vec<String>,
    /// Whether the roles are those of AWS Organizations.
    pub service_managed: bool,
    /// `Enabled`, `Disabled` or `EnabledWithStackRetention`.
    pub auto_deployment: Option<String>,
}

/// Where a stack set is to have instances.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetTargets {
    /// Accounts or organisational units.
    pub places: Vec<String>,
    /// Regions, in the order of their deployment.
    pub regions: Vec<String>,
    /// Percent of the accounts of a region that may fail.
    pub failure_tolerance_percent: Option<u8>,
    /// Percent of the accounts that are worked on at once.
    pub max_concurrent_percent: Option<u8>,
}

/// A service that an environment may lack: emulators do not have everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// CloudFormation's stack sets.
    StackSets,
    /// CloudWatch's alarms.
    Alarms,
}

impl Service {
    /// As a person reads it.
    pub fn title(self) -> &'static str {
        match self {
            Self::StackSets => "CloudFormation's stack sets",
            Self::Alarms => "CloudWatch's alarms",
        }
    }
}

/// What a function answered.
#[derive(Clone, Debug, Default)]
pub struct Answered {
    /// Its document: what it returned, or how it failed.
    pub document: String,
    /// Whether it failed.
    pub is_error: bool,
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

    /// The account's 12 digits.
    fn account(&self) -> String {
        "000000000000".to_owned()
    }

    /// Why a service cannot be used here, where the environment lacks it.
    async fn lacks(&self, service: Service) -> Result<Option<String>, RunError> {
        Ok(Some(format!("{} cannot be reached here", service.title())))
    }

    /// Brings a stack set to what the order says; gives the action's variables.
    async fn roll_out(
        &self,
        order: &StackSetOrder,
        log: &Log<'_>,
    ) -> Result<BTreeMap<String, String>, RunError> {
        let _ = log;
        Err(not_here(&format!("stack set `{}`", order.name)))
    }

    /// Runs a state machine to its end, the execution by this name; gives the execution's ARN.
    async fn run_state_machine(
        &self,
        machine: &str,
        name: &str,
        input: &str,
        log: &Log<'_>,
    ) -> Result<String, RunError> {
        let _ = (name, input, log);
        Err(not_here(&format!("state machine `{machine}`")))
    }

    /// Calls a function with a JSON document, and waits for its answer.
    async fn call_function(&self, function: &str, event: &str) -> Result<Answered, RunError> {
        let _ = event;
        Err(not_here(&format!("function `{function}`")))
    }

    /// The state of an alarm: `OK`, `ALARM`, `INSUFFICIENT_DATA`.
    async fn alarm_state(&self, name: &str) -> Result<String, RunError> {
        Err(not_here(&format!("alarm `{name}`")))
    }
}

fn not_here(what: &str) -> RunError {
    RunError::new(ErrorKind::Cloud, format!("{what} cannot be reached here"))
        .hint("run the pipeline against an environment that has it")
}
