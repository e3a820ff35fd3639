use super::{Provider, Text};

/// A step of a stage after the first.
///
/// See [action requirements](https://docs.aws.amazon.com/codepipeline/latest/userguide/action-requirements.html).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Action {
    /// Its name, of 1 to 100 characters, once in its stage.
    pub name: String,
    /// What it does.
    pub provider: Provider,
    /// Its place in the stage, 1 to 999: actions of one number run side by side, after those of a lower one.
    pub run_order: u16,
    /// The artifacts that it reads.
    pub inputs: Vec<String>,
    /// The artifacts that it makes.
    pub outputs: Vec<OutputArtifact>,
    /// Where later actions find its variables.
    pub namespace: Option<String>,
    /// The region that it works in, where that is not the pipeline's.
    pub region: Option<String>,
    /// The role that it works with, for another account; else the pipeline's.
    pub role: Option<Text>,
    /// Minutes until it is given up, 5 to 86,400. AWS takes it for manual approvals alone.
    pub timeout_minutes: Option<u32>,
}

/// An artifact that an action makes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutputArtifact {
    /// Its name, of 1 to 100 letters, digits, `_` and `-`, once in its pipeline.
    pub name: String,
    /// For [`Commands`](super::Commands): 1 to 10 patterns of what goes into it.
    pub files: Vec<String>,
}

/// A file of an artifact: `artifact::path`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArtifactPath {
    /// The artifact's name.
    pub artifact: String,
    /// The file in it.
    pub path: Text,
}

/// What kind of action AWS counts it as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Category {
    /// Brings in what a run works on.
    Source,
    /// Makes something.
    Build,
    /// Tries something.
    Test,
    /// Changes an environment.
    Deploy,
    /// Waits for a person.
    Approval,
    /// Starts something else.
    Invoke,
    /// Runs commands.
    Compute,
}

impl Action {
    /// An action that reads and makes nothing, first in its stage.
    pub fn new(name: &str, provider: impl Into<Provider>) -> Self {
        Self {
            name: name.to_owned(),
            provider: provider.into(),
            run_order: 1,
            inputs: Vec::new(),
            outputs: Vec::new(),
            namespace: None,
            region: None,
            role: None,
            timeout_minutes: None,
        }
    }

    /// The same, reading one artifact more.
    #[must_use]
    pub fn reads(mut self, artifact: &str) -> Self {
        self.inputs.push(artifact.to_owned());
        self
    }

    /// The same, making one artifact more.
    #[must_use]
    pub fn makes(mut self, artifact: &str, files: &[&str]) -> Self {
        self.outputs.push(OutputArtifact {
            name: artifact.to_owned(),
            files: files.iter().map(ToString::to_string).collect(),
        });
        self
    }

    /// The same, with its variables in a namespace.
    #[must_use]
    pub fn namespace(mut self, namespace: &str) -> Self {
        self.namespace = Some(namespace.to_owned());
        self
    }

    /// The same, at another place in its stage.
    #[must_use]
    pub fn run_order(mut self, run_order: u16) -> Self {
        self.run_order = run_order;
        self
    }

    /// The same, given up after so many minutes.
    #[must_use]
    pub fn timeout_minutes(mut self, minutes: u32) -> Self {
        self.timeout_minutes = Some(minutes);
        self
    }
}

impl ArtifactPath {
    /// A file of an artifact.
    pub fn new(artifact: &str, path: impl Into<Text>) -> Self {
        Self {
            artifact: artifact.to_owned(),
            path: path.into(),
        }
    }

    /// As a configuration has it.
    pub fn text(&self) -> Text {
        [format!("{}::", self.artifact).into(), self.path.clone()].into()
    }
}

impl Category {
    /// What CodePipeline calls it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Source => "Source",
            Self::Build => "Build",
            Self::Test => "Test",
            Self::Deploy => "Deploy",
            Self::Approval => "Approval",
            Self::Invoke => "Invoke",
            Self::Compute => "Compute",
        }
    }
}
