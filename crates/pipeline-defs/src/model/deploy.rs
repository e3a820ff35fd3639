use super::Text;

/// A function's new code, and how requests move to it.
///
/// See [the action](https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-LambdaDeploy.html).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LambdaDeploy {
    /// The function's name; it has a version already.
    pub function: Text,
    /// The alias that requests come through; it must exist. Without one the code goes to `$LATEST`.
    pub alias: Option<Text>,
    /// A published version in place of an input artifact.
    pub version: Option<Text>,
    /// How requests move.
    pub shift: Shift,
    /// Names of at most ten alarms that stop it.
    pub alarms: Vec<Text>,
}

/// How requests move to new code; the whole of it within two days.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shift {
    /// All at once.
    AllAtOnce,
    /// A part, and the rest later.
    Canary {
        /// Percent of the first part, 1 to 99.
        percent: u8,
        /// Minutes until the rest.
        minutes: u16,
    },
    /// A part at a time.
    Linear {
        /// Percent of each part, 1 to 99.
        percent: u8,
        /// Minutes between.
        minutes: u16,
    },
}

/// A service of ECS, with the images that a file of the input artifact names.
///
/// See [the action](https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-ECS.html).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ecs {
    /// The cluster's name.
    pub cluster: Text,
    /// The service's name.
    pub service: Text,
    /// The file that names the images; `imagedefinitions.json` if there is none.
    pub file: Option<String>,
    /// Minutes until it is given up, 1 to 60.
    pub timeout_minutes: Option<u8>,
    /// The ARNs of the task's roles, which the action hands on.
    pub task_roles: Vec<Text>,
}

impl Shift {
    /// As a configuration has it.
    pub fn text(self) -> Text {
        match self {
            Self::AllAtOnce => "AllAtOnce".into(),
            Self::Canary { percent, minutes } => {
                format!("Canary{percent}Percent{minutes}Minutes").into()
            }
            Self::Linear { percent, minutes } => {
                let unit = if minutes == 1 { "Minute" } else { "Minutes" };
                format!("Linear{percent}PercentEvery{minutes}{unit}").into()
            }
        }
    }
}

impl LambdaDeploy {
    pub(super) fn configuration(&self) -> Vec<(&'static str, Text)> {
        let mut all = vec![("FunctionName", self.function.clone())];
        all.extend(self.alias.clone().map(|text| ("FunctionAlias", text)));
        all.extend(
            self.version
                .clone()
                .map(|text| ("PublishedTargetVersion", text)),
        );
        if self.alias.is_some() {
            all.push(("DeployStrategy", self.shift.text()));
        }
        if !self.alarms.is_empty() {
            all.push(("Alarms", super::provider::listed(&self.alarms)));
        }
        all
    }
}

impl Ecs {
    pub(super) fn configuration(&self) -> Vec<(&'static str, Text)> {
        let mut all = vec![
            ("ClusterName", self.cluster.clone()),
            ("ServiceName", self.service.clone()),
        ];
        all.extend(self.file.as_deref().map(|file| ("FileName", file.into())));
        let minutes = self.timeout_minutes;
        all.extend(minutes.map(|minutes| ("DeploymentTimeout", minutes.to_string().into())));
        all
    }
}
