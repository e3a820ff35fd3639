//! What kinds of actions, rules and sources there are, without what is in them.

use super::{Provider, Rule, SkipRule, Source};

macro_rules! kinds {
    ($(#[$doc:meta])* $name:ident { $($(#[$of:meta])* $variant:ident => $title:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name {
            $($(#[$of])* $variant,)*
        }

        impl $name {
            /// Every one.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// As a person reads it.
            pub fn title(self) -> &'static str {
                match self {
                    $(Self::$variant => $title,)*
                }
            }
        }
    };
}

kinds! {
    /// A provider of actions.
    #[expect(missing_docs, reason = "each variant is that of `Provider`")]
    ProviderKind {
        CodeBuild => "CodeBuild",
        Commands => "Commands",
        EcrBuildAndPublish => "ECRBuildAndPublish",
        ManualApproval => "Manual approval",
        CloudFormation => "CloudFormation",
        StackSet => "CloudFormationStackSet",
        StackInstances => "CloudFormationStackInstances",
        Invocation => "CodePipeline",
        LambdaInvoke => "Lambda, invoke",
        LambdaDeploy => "Lambda, deploy",
        StepFunctions => "StepFunctions",
        Ecs => "ECS",
    }
}

kinds! {
    /// A provider of rules.
    #[expect(missing_docs, reason = "each variant is that of `Rule`")]
    RuleKind {
        CloudWatchAlarm => "rule CloudWatchAlarm",
        CodeBuild => "rule CodeBuild",
        Commands => "rule Commands",
        DeploymentWindow => "rule DeploymentWindow",
        LambdaInvoke => "rule LambdaInvoke",
        VariableCheck => "rule VariableCheck",
    }
}

kinds! {
    /// A provider of sources.
    #[expect(missing_docs, reason = "each variant is that of `Source`")]
    SourceKind {
        CodeConnections => "source CodeStarSourceConnection",
        S3 => "source S3",
    }
}

impl Provider {
    /// Its kind.
    pub fn kind(&self) -> ProviderKind {
        match self {
            Self::CodeBuild(_) => ProviderKind::CodeBuild,
            Self::Commands(_) => ProviderKind::Commands,
            Self::EcrBuildAndPublish(_) => ProviderKind::EcrBuildAndPublish,
            Self::ManualApproval(_) => ProviderKind::ManualApproval,
            Self::CloudFormation(_) => ProviderKind::CloudFormation,
            Self::StackSet(_) => ProviderKind::StackSet,
            Self::StackInstances(_) => ProviderKind::StackInstances,
            Self::Invocation(_) => ProviderKind::Invocation,
            Self::LambdaInvoke(_) => ProviderKind::LambdaInvoke,
            Self::LambdaDeploy(_) => ProviderKind::LambdaDeploy,
            Self::StepFunctions(_) => ProviderKind::StepFunctions,
            Self::Ecs(_) => ProviderKind::Ecs,
        }
    }
}

impl Rule {
    /// Its kind.
    pub fn kind(&self) -> RuleKind {
        match self {
            Self::Skip(SkipRule::LambdaInvoke { .. }) => RuleKind::LambdaInvoke,
            Self::Skip(SkipRule::VariableCheck { .. }) => RuleKind::VariableCheck,
            Self::CloudWatchAlarm { .. } => RuleKind::CloudWatchAlarm,
            Self::CodeBuild(_) => RuleKind::CodeBuild,
            Self::Commands(_) => RuleKind::Commands,
            Self::DeploymentWindow { .. } => RuleKind::DeploymentWindow,
        }
    }
}

impl Source {
    /// Its kind.
    pub fn kind(&self) -> SourceKind {
        match self {
            Self::CodeConnections(_) => SourceKind::CodeConnections,
            Self::S3(_) => SourceKind::S3,
        }
    }
}
