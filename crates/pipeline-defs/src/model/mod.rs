//! What a pipeline is made of, in CodePipeline V2's own words.
//!
//! What the types can rule out cannot be written down: a source action outside the first stage, another action in it, a
//! source without an output, a condition that skips by a rule that cannot, two ways to react to one failure. The rest
//! is for [`Draft::check`].
//!
//! See the [pipeline structure](https://docs.aws.amazon.com/codepipeline/latest/userguide/reference-pipeline-structure.html).

mod action;
mod buildspec;
mod cloudformation;
mod condition;
mod deploy;
mod kind;
mod pipeline;
mod provider;
mod resource;
mod source;
mod text;
mod trigger;

pub use action::{Action, ArtifactPath, Category, OutputArtifact};
pub use buildspec::{
    Artifacts, Build, Buildspec, Environment, Failed, Phase, PhaseName, Phases, Report,
    ReportFormat, SecondaryArtifacts,
};
pub use cloudformation::{ActionMode, CloudFormation, StackInstances, StackSet, Targets};
pub use condition::{
    BeforeEntry, CodeBuildRule, CommandsRule, OnFailure, OnSuccess, Operator, RetryMode, Rule,
    SkipRule,
};
pub use deploy::{Ecs, LambdaDeploy, Shift};
pub use kind::{ProviderKind, RuleKind, SourceKind};
pub use pipeline::{Draft, ExecutionMode, Pipeline, Stage, Variable};
pub use provider::{
    CodeBuild, Commands, EcrBuildAndPublish, EnvironmentKind, EnvironmentVariable, Grant,
    Invocation, LambdaInvoke, ManualApproval, OutputVariables, Provider, Registry, SourceRevision,
    StateInput, StepFunctions,
};
pub use resource::Resource;
pub use source::{ArtifactFormat, CodeConnections, S3Source, Source, SourceAction};
pub use text::{Part, Reference, Text};
pub use trigger::{Filter, PullRequestEvent, PullRequestFilter, PushFilter, Trigger};
