use std::ops::RangeInclusive;

use super::{Category, CloudFormation, Ecs, LambdaDeploy, StackInstances, StackSet, Text};

/// What an action does.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(
    missing_docs,
    reason = "each variant holds the type of its name, which says what it is"
)]
pub enum Provider {
    CodeBuild(CodeBuild),
    Commands(Commands),
    EcrBuildAndPublish(EcrBuildAndPublish),
    ManualApproval(ManualApproval),
    CloudFormation(Box<CloudFormation>),
    StackSet(Box<StackSet>),
    StackInstances(Box<StackInstances>),
    Invocation(Invocation),
    LambdaInvoke(LambdaInvoke),
    LambdaDeploy(LambdaDeploy),
    StepFunctions(StepFunctions),
    Ecs(Ecs),
}

/// A build of CodeBuild.
///
/// See [the action](https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-CodeBuild.html).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodeBuild {
    /// The short name of one of the pipeline's builds.
    pub build: &'static str,
    /// Whether it counts as a test; else it counts as a build.
    pub is_test: bool,
    /// The artifact that the build runs in, where it reads several.
    pub primary_source: Option<String>,
    /// Environment variables beside the buildspec's, which they beat.
    pub environment: Vec<EnvironmentVariable>,
}

/// Commands, without a CodeBuild project.
///
/// See [the action](https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-Commands.html).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Commands {
    /// 1 to 50 commands of one line each, run in the first input artifact.
    pub commands: Vec<String>,
    /// At most ten. Variables reach commands this way alone, so that no shell ever reads their text as its own.
    pub environment: Vec<EnvironmentVariable>,
    /// At most 15 environment variables that later actions find in its namespace.
    pub output_variables: Vec<String>,
    /// What the commands themselves call at AWS, with the pipeline's role.
    pub grants: Vec<Grant>,
}

/// What a role may do, and to what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// IAM's names of the calls.
    pub actions: Vec<&'static str>,
    /// ARNs.
    pub resources: Vec<Text>,
}

/// An environment variable of a build.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnvironmentVariable {
    /// Its name, of letters, digits and `_`.
    pub name: &'static str,
    /// Its value, or where the value is.
    pub value: Text,
    /// Where the value is.
    pub kind: EnvironmentKind,
}

/// Where the value of an environment variable is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EnvironmentKind {
    /// In the definition; never a secret.
    Plain,
    /// In Systems Manager's parameter store; not for [`Commands`].
    ParameterStore,
    /// In Secrets Manager.
    SecretsManager,
}

/// An image, built from a Dockerfile of the input artifact and pushed.
///
/// See [the action](https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-ECRBuildAndPublish.html).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EcrBuildAndPublish {
    /// The repository's name.
    pub repository: Text,
    /// The folder of the Dockerfile, if it is not the artifact's root.
    pub docker_file: Option<String>,
    /// Its tags; `latest` where there is none.
    pub tags: Vec<Text>,
    /// Where the repository is.
    pub registry: Registry,
}

/// Where an image repository is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Registry {
    /// In the account.
    Private,
    /// In the public gallery.
    Public,
}

/// Waits until a person approves or rejects, for seven days unless the action has a timeout.
///
/// See [the action](https://docs.aws.amazon.com/codepipeline/latest/userguide/approvals-action-add.html).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ManualApproval {
    /// The ARN of the topic that is told.
    pub topic: Option<Text>,
    /// What the person should know.
    pub comment: Option<Text>,
    /// Where the person can look.
    pub link: Option<Text>,
}

/// Starts another pipeline, and goes on.
///
/// See [the action](https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-PipelineInvoke.html).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invocation {
    /// The short name of a pipeline of this project.
    pub pipeline: &'static str,
    /// Its variables.
    pub variables: Vec<(&'static str, Text)>,
    /// Which revisions its sources take.
    pub revisions: Vec<SourceRevision>,
}

/// A revision in place of the newest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceRevision {
    /// The source action's name.
    pub action: &'static str,
    /// `COMMIT_ID`, `IMAGE_DIGEST`, `S3_OBJECT_VERSION_ID` or `S3_OBJECT_KEY`.
    pub kind: &'static str,
    /// The revision.
    pub value: Text,
}

/// A function that is called, and that tells CodePipeline how it went.
///
/// See [the action](https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-Lambda.html).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LambdaInvoke {
    /// The function's name.
    pub function: Text,
    /// What it gets.
    pub user_parameters: Option<Text>,
}

/// An execution of a state machine; a standard one is waited for.
///
/// See [the action](https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-StepFunctions.html).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepFunctions {
    /// The state machine's name, in this account and region.
    pub name: Text,
    /// What it gets.
    pub input: StateInput,
    /// What its executions' names start with.
    pub prefix: Option<String>,
}

/// What a state machine gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StateInput {
    /// `{}`.
    Empty,
    /// JSON.
    Literal(Text),
    /// A file of the input artifact.
    File(String),
}

/// The variables that an action makes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OutputVariables {
    /// These.
    Known(Vec<String>),
    /// Whatever the stack's outputs or the function's answer are.
    Any,
}

/// Texts with commas between.
pub(super) fn listed(texts: &[Text]) -> Text {
    let mut all = Text::default();
    for (index, text) in texts.iter().enumerate() {
        let comma = if index == 0 { "" } else { "," };
        all = [all, comma.into(), text.clone()].into();
    }
    all
}

impl EnvironmentVariable {
    /// A variable whose value is no secret.
    pub fn plain(name: &'static str, value: impl Into<Text>) -> Self {
        Self {
            name,
            value: value.into(),
            kind: EnvironmentKind::Plain,
        }
    }
}

impl EnvironmentKind {
    /// What CodePipeline calls it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Plain => "PLAINTEXT",
            Self::ParameterStore => "PARAMETER_STORE",
            Self::SecretsManager => "SECRETS_MANAGER",
        }
    }
}

impl Provider {
    /// What CodePipeline calls it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::CodeBuild(_) => "CodeBuild",
            Self::Commands(_) => "Commands",
            Self::EcrBuildAndPublish(_) => "ECRBuildAndPublish",
            Self::ManualApproval(_) => "Manual",
            Self::CloudFormation(_) => "CloudFormation",
            Self::StackSet(_) => "CloudFormationStackSet",
            Self::StackInstances(_) => "CloudFormationStackInstances",
            Self::Invocation(_) => "CodePipeline",
            Self::LambdaInvoke(_) | Self::LambdaDeploy(_) => "Lambda",
            Self::StepFunctions(_) => "StepFunctions",
            Self::Ecs(_) => "ECS",
        }
    }

    /// What kind of action it is.
    pub fn category(&self) -> Category {
        match self {
            Self::CodeBuild(build) if build.is_test => Category::Test,
            Self::CodeBuild(_) | Self::EcrBuildAndPublish(_) => Category::Build,
            Self::Commands(_) => Category::Compute,
            Self::ManualApproval(_) => Category::Approval,
            Self::CloudFormation(_)
            | Self::StackSet(_)
            | Self::StackInstances(_)
            | Self::LambdaDeploy(_)
            | Self::Ecs(_) => Category::Deploy,
            Self::Invocation(_) | Self::LambdaInvoke(_) | Self::StepFunctions(_) => {
                Category::Invoke
            }
        }
    }

    /// Its configuration, by CodePipeline's keys.
    pub fn configuration(&self) -> Vec<(&'static str, Text)> {
        match self {
            Self::CodeBuild(build) => build.configuration(),
            Self::Commands(_) => Vec::new(),
            Self::EcrBuildAndPublish(image) => image.configuration(),
            Self::ManualApproval(approval) => [
                ("NotificationArn", &approval.topic),
                ("CustomData", &approval.comment),
                ("ExternalEntityLink", &approval.link),
            ]
            .into_iter()
            .filter_map(|(key, text)| Some((key, text.clone()?)))
            .collect(),
            Self::CloudFormation(stack) => stack.configuration(),
            Self::StackSet(set) => set.configuration(),
            Self::StackInstances(instances) => instances.configuration(),
            Self::Invocation(invocation) => invocation.configuration(),
            Self::LambdaInvoke(invoke) => {
                let mut all = vec![("FunctionName", invoke.function.clone())];
                all.extend(
                    invoke
                        .user_parameters
                        .clone()
                        .map(|text| ("UserParameters", text)),
                );
                all
            }
            Self::LambdaDeploy(deploy) => deploy.configuration(),
            Self::StepFunctions(machine) => machine.configuration(),
            Self::Ecs(service) => service.configuration(),
        }
    }

    /// How many artifacts it reads, and how many it makes.
    pub fn artifacts(&self) -> (RangeInclusive<usize>, RangeInclusive<usize>) {
        match self {
            Self::CodeBuild(_) => (1..=5, 0..=5),
            Self::Commands(_) => (1..=10, 0..=1),
            Self::EcrBuildAndPublish(_) | Self::Ecs(_) => (1..=1, 0..=0),
            Self::ManualApproval(_) | Self::Invocation(_) => (0..=0, 0..=0),
            Self::CloudFormation(_) => (0..=10, 0..=1),
            Self::StackSet(_) => (1..=3, 0..=0),
            Self::StackInstances(_) => (0..=2, 0..=0),
            Self::LambdaInvoke(_) => (0..=5, 0..=5),
            Self::LambdaDeploy(_) => (0..=1, 0..=0),
            Self::StepFunctions(_) => (0..=1, 0..=1),
        }
    }

    /// The variables that it makes, beside those that a build exports.
    pub fn output_variables(&self) -> OutputVariables {
        let known = |names: &[&str]| {
            OutputVariables::Known(names.iter().map(ToString::to_string).collect())
        };
        match self {
            Self::CloudFormation(_) | Self::LambdaInvoke(_) => OutputVariables::Any,
            Self::CodeBuild(_) | Self::ManualApproval(_) | Self::Ecs(_) => known(&[]),
            Self::Commands(commands) => OutputVariables::Known(commands.output_variables.clone()),
            Self::EcrBuildAndPublish(_) => known(&["ECRImageDigestId", "ECRRepositoryName"]),
            Self::StackSet(_) | Self::StackInstances(_) => known(&["OperationId", "StackSetId"]),
            Self::Invocation(_) => known(&["PipelineExecutionId"]),
            Self::LambdaDeploy(_) => known(&["FunctionVersion"]),
            Self::StepFunctions(_) => known(&["ExecutionArn", "StateMachineArn"]),
        }
    }

    /// The environment variables that it is given.
    pub fn environment(&self) -> &[EnvironmentVariable] {
        match self {
            Self::CodeBuild(build) => &build.environment,
            Self::Commands(commands) => &commands.environment,
            _ => &[],
        }
    }
}

impl CodeBuild {
    fn configuration(&self) -> Vec<(&'static str, Text)> {
        let mut all = vec![("ProjectName", super::Resource::Build(self.build).into())];
        let primary = self.primary_source.as_deref();
        all.extend(primary.map(|name| ("PrimarySource", name.into())));
        if !self.environment.is_empty() {
            let variables = self.environment.iter().map(|variable| {
                Text::json_object([
                    ("name", &variable.name.into()),
                    ("value", &variable.value),
                    ("type", &variable.kind.as_str().into()),
                ])
            });
            all.push(("EnvironmentVariables", Text::json_list(variables)));
        }
        all
    }
}

impl EcrBuildAndPublish {
    fn configuration(&self) -> Vec<(&'static str, Text)> {
        let mut all = vec![("ECRRepositoryName", self.repository.clone())];
        all.extend(
            self.docker_file
                .as_deref()
                .map(|file| ("DockerFilePath", file.into())),
        );
        if !self.tags.is_empty() {
            all.push(("ImageTags", listed(&self.tags)));
        }
        let registry = match self.registry {
            Registry::Private => "private",
            Registry::Public => "public",
        };
        all.push(("RegistryType", registry.into()));
        all
    }
}

impl Invocation {
    fn configuration(&self) -> Vec<(&'static str, Text)> {
        let mut all = vec![(
            "PipelineName",
            super::Resource::Pipeline(self.pipeline).into(),
        )];
        if !self.revisions.is_empty() {
            let revisions = self.revisions.iter().map(|revision| {
                Text::json_object([
                    ("actionName", &revision.action.into()),
                    ("revisionType", &revision.kind.into()),
                    ("revisionValue", &revision.value),
                ])
            });
            all.push(("SourceRevisions", Text::json_list(revisions)));
        }
        if !self.variables.is_empty() {
            let variables = self.variables.iter().map(|(name, value)| {
                Text::json_object([("name", &Text::from(*name)), ("value", value)])
            });
            all.push(("Variables", Text::json_list(variables)));
        }
        all
    }
}

impl StepFunctions {
    /// The state machine's ARN.
    pub fn arn(&self) -> Text {
        Text::arn("states", ["stateMachine:".into(), self.name.clone()])
    }

    fn configuration(&self) -> Vec<(&'static str, Text)> {
        let mut all = vec![("StateMachineArn", self.arn())];
        all.extend(
            self.prefix
                .as_deref()
                .map(|prefix| ("ExecutionNamePrefix", prefix.into())),
        );
        match &self.input {
            StateInput::Empty => {}
            StateInput::Literal(text) => {
                all.push(("InputType", "Literal".into()));
                all.push(("Input", text.clone()));
            }
            StateInput::File(file) => {
                all.push(("InputType", "FilePath".into()));
                all.push(("Input", file.as_str().into()));
            }
        }
        all
    }
}

macro_rules! from {
    ($($variant:ident($type:ty) $(in $box:ident)?),* $(,)?) => {$(
        impl From<$type> for Provider {
            fn from(provider: $type) -> Self {
                Self::$variant($($box::new)?(provider))
            }
        }
    )*};
}

from! {
    CodeBuild(CodeBuild),
    Commands(Commands),
    EcrBuildAndPublish(EcrBuildAndPublish),
    ManualApproval(ManualApproval),
    CloudFormation(CloudFormation) in Box,
    StackSet(StackSet) in Box,
    StackInstances(StackInstances) in Box,
    Invocation(Invocation),
    LambdaInvoke(LambdaInvoke),
    LambdaDeploy(LambdaDeploy),
    StepFunctions(StepFunctions),
    Ecs(Ecs),
}
