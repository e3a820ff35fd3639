use super::{ArtifactPath, Text};

/// A stack, made or changed from a template in an artifact. The stack's outputs become variables.
///
/// See [the action](https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-CloudFormation.html).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CloudFormation {
    /// What is done.
    pub mode: ActionMode,
    /// The stack's name.
    pub stack: Text,
    /// Which stacks it may touch, as the last part of their ARNs: the stack's name where that is known beforehand, else a
    /// pattern.
    pub scope: Text,
    /// The template, for every mode that has one.
    pub template: Option<ArtifactPath>,
    /// The template configuration file: parameters, tags and the stack's policy.
    pub configuration: Option<ArtifactPath>,
    /// A JSON object of parameters, which beat those of the configuration file.
    pub parameters: Option<Text>,
    /// `CAPABILITY_IAM` and its kin, with commas between.
    pub capabilities: Option<Text>,
    /// The ARN of the role that CloudFormation makes the stack with.
    pub role: Option<Text>,
    /// The change set's name, for the modes that have one.
    pub change_set: Option<Text>,
    /// A file of the output artifact that gets the stack's outputs.
    pub output_file: Option<String>,
}

/// What is done to a stack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ActionMode {
    /// Creates the stack, or updates it.
    CreateUpdate,
    /// The same; a stack that failed is deleted first.
    ReplaceOnFailure,
    /// Deletes the stack, if it is there.
    DeleteOnly,
    /// Creates a change set, or replaces it.
    ChangeSetReplace,
    /// Executes a change set.
    ChangeSetExecute,
    /// What a pipeline's variable says, while it runs.
    Given(Text),
}

/// A stack set, created or updated, with its first instances.
///
/// See [the action](https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-StackSets.html).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StackSet {
    /// The stack set's name.
    pub name: Text,
    /// What it is for.
    pub description: Option<String>,
    /// The template.
    pub template: ArtifactPath,
    /// Parameters in the action's shorthand, or a file of an artifact.
    pub parameters: Option<Text>,
    /// `CAPABILITY_IAM` and its kin, with commas between.
    pub capabilities: Option<Text>,
    /// Whether AWS Organizations manages the roles, and if so whether it deploys to new accounts by itself: `Enabled`,
    /// `Disabled` or `EnabledWithStackRetention`.
    pub organizations_auto_deployment: Option<String>,
    /// Whether the roles are managed by AWS Organizations.
    pub service_managed: bool,
    /// The first instances.
    pub targets: Option<Targets>,
}

/// Instances of a stack set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StackInstances {
    /// The stack set's name.
    pub name: Text,
    /// The instances.
    pub targets: Targets,
    /// Parameters that differ from the stack set's.
    pub parameters: Option<Text>,
}

/// Where a stack set has instances.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Targets {
    /// Accounts or organisational units, with commas between, or a file of an artifact.
    pub accounts: Text,
    /// Regions, in the order of their deployment.
    pub regions: Vec<String>,
    /// Percent of the accounts of a region that may fail, 0 to 100.
    pub failure_tolerance_percent: Option<u8>,
    /// Percent of the accounts that are worked on at once, 1 to 100.
    pub max_concurrent_percent: Option<u8>,
}

impl ActionMode {
    /// As a configuration has it.
    pub fn text(&self) -> Text {
        match self {
            Self::CreateUpdate => "CREATE_UPDATE".into(),
            Self::ReplaceOnFailure => "REPLACE_ON_FAILURE".into(),
            Self::DeleteOnly => "DELETE_ONLY".into(),
            Self::ChangeSetReplace => "CHANGE_SET_REPLACE".into(),
            Self::ChangeSetExecute => "CHANGE_SET_EXECUTE".into(),
            Self::Given(text) => text.clone(),
        }
    }

    /// Whether a template must be given; `None` where that is known only while it runs.
    pub fn needs_template(&self) -> Option<bool> {
        match self {
            Self::CreateUpdate | Self::ReplaceOnFailure | Self::ChangeSetReplace => Some(true),
            Self::DeleteOnly | Self::ChangeSetExecute => Some(false),
            Self::Given(_) => None,
        }
    }

    /// Whether a role must be given: for all that does not execute a change set, which has one of its own.
    pub fn needs_role(&self) -> bool {
        *self != Self::ChangeSetExecute
    }

    /// Whether a change set must be named.
    pub fn needs_change_set(&self) -> bool {
        matches!(self, Self::ChangeSetReplace | Self::ChangeSetExecute)
    }
}

impl CloudFormation {
    pub(super) fn configuration(&self) -> Vec<(&'static str, Text)> {
        let mut all = vec![
            ("ActionMode", self.mode.text()),
            ("StackName", self.stack.clone()),
        ];
        let file = |file: &Option<ArtifactPath>| file.as_ref().map(ArtifactPath::text);
        let optional = [
            ("TemplatePath", file(&self.template)),
            ("TemplateConfiguration", file(&self.configuration)),
            ("ChangeSetName", self.change_set.clone()),
            ("Capabilities", self.capabilities.clone()),
            ("RoleArn", self.role.clone()),
            ("ParameterOverrides", self.parameters.clone()),
            (
                "OutputFileName",
                self.output_file.as_deref().map(Text::from),
            ),
        ];
        all.extend(
            optional
                .into_iter()
                .filter_map(|(key, text)| Some((key, text?))),
        );
        all
    }
}

impl StackSet {
    pub(super) fn configuration(&self) -> Vec<(&'static str, Text)> {
        let mut all = vec![("StackSetName", self.name.clone())];
        all.extend(
            self.description
                .as_deref()
                .map(|text| ("Description", text.into())),
        );
        all.push(("TemplatePath", self.template.text()));
        all.extend(self.parameters.clone().map(|text| ("Parameters", text)));
        all.extend(self.capabilities.clone().map(|text| ("Capabilities", text)));
        let model = if self.service_managed {
            "SERVICE_MANAGED"
        } else {
            "SELF_MANAGED"
        };
        all.push(("PermissionModel", model.into()));
        let auto = self.organizations_auto_deployment.as_deref();
        all.extend(auto.map(|text| ("OrganizationsAutoDeployment", text.into())));
        all.extend(self.targets.iter().flat_map(Targets::configuration));
        all
    }
}

impl StackInstances {
    pub(super) fn configuration(&self) -> Vec<(&'static str, Text)> {
        let mut all = vec![("StackSetName", self.name.clone())];
        all.extend(self.targets.configuration());
        all.extend(
            self.parameters
                .clone()
                .map(|text| ("ParameterOverrides", text)),
        );
        all
    }
}

impl Targets {
    fn configuration(&self) -> Vec<(&'static str, Text)> {
        let mut all = vec![
            ("DeploymentTargets", self.accounts.clone()),
            ("Regions", self.regions.join(",").into()),
        ];
        let percent = |percent: Option<u8>| percent.map(|percent| Text::from(percent.to_string()));
        all.extend(
            percent(self.failure_tolerance_percent)
                .map(|text| ("FailureTolerancePercentage", text)),
        );
        all.extend(
            percent(self.max_concurrent_percent).map(|text| ("MaxConcurrentPercentage", text)),
        );
        all
    }
}
