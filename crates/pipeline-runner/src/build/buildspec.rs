use std::collections::BTreeMap;

use serde::Deserialize;
use stackway_pipeline_defs::model::Failed;

use crate::{ErrorKind, RunError};

/// A buildspec of version 0.2, as its file has it. A key that is not known is an error, as it is at CodeBuild.
///
/// See [the reference](https://docs.aws.amazon.com/codebuild/latest/userguide/build-spec-ref.html).
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Buildspec {
    pub(super) version: Version,
    #[serde(default)]
    pub(super) env: Env,
    pub(super) phases: Phases,
    #[serde(default)]
    pub(super) reports: BTreeMap<String, Report>,
    #[serde(default)]
    pub(super) artifacts: Option<Artifacts>,
    #[serde(default)]
    pub(super) cache: Cache,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(untagged)]
pub(super) enum Version {
    #[default]
    None,
    Number(f64),
    Text(String),
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(super) struct Env {
    pub(super) shell: Option<String>,
    pub(super) variables: BTreeMap<String, Scalar>,
    pub(super) parameter_store: BTreeMap<String, String>,
    pub(super) secrets_manager: BTreeMap<String, String>,
    pub(super) exported_variables: Vec<String>,
}

/// A value of YAML that becomes text.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Scalar {
    Text(String),
    Whole(i64),
    Real(f64),
    Switch(bool),
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Phases {
    pub(super) install: Option<Phase>,
    pub(super) pre_build: Option<Phase>,
    pub(super) build: Option<Phase>,
    pub(super) post_build: Option<Phase>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(super) struct Phase {
    pub(super) on_failure: Option<OnFailure>,
    pub(super) commands: Commands,
    #[serde(rename = "finally")]
    pub(super) at_last: Commands,
}

/// A list of commands, or one.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Commands {
    Many(Vec<String>),
    One(String),
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(super) enum OnFailure {
    Abort,
    Continue,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Report {
    pub(super) files: Vec<String>,
    pub(super) base_directory: Option<String>,
    #[serde(default)]
    pub(super) discard_paths: Switch,
    #[serde(default)]
    pub(super) file_format: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(super) struct Artifacts {
    pub(super) files: Vec<String>,
    pub(super) name: Option<String>,
    pub(super) base_directory: Option<String>,
    pub(super) discard_paths: Switch,
    #[serde(rename = "secondary-artifacts")]
    pub(super) secondary: BTreeMap<String, Artifacts>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Cache {
    pub(super) paths: Vec<String>,
}

/// `yes` or `no`, which YAML's newer readers take for texts.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(untagged)]
pub(super) enum Switch {
    #[default]
    None,
    Plain(bool),
    Text(String),
}

impl Buildspec {
    /// Reads a buildspec; `path` is for the error.
    ///
    /// # Errors
    /// What does not parse, or is not known, with its line.
    pub fn parse(path: &str, text: &str) -> Result<Self, RunError> {
        let refuse = |why: String| {
            RunError::new(
                ErrorKind::Definition,
                format!("`{path}` is no buildspec that CodeBuild would take"),
            )
            .cause(why)
            .hint("correct the definition, then run `cargo xtask render`")
        };
        let spec: Self =
            serde_yaml_ng::from_str(text).map_err(|error| refuse(error.to_string()))?;
        let version = match &spec.version {
            Version::None => String::new(),
            Version::Number(number) => number.to_string(),
            Version::Text(text) => text.clone(),
        };
        if version != "0.2" {
            return Err(refuse(format!(
                "version is `{version}`, and only 0.2 runs here"
            )));
        }
        for report in spec.reports.values() {
            if report.files.is_empty() {
                return Err(refuse("a report names no files".to_owned()));
            }
        }
        Ok(spec)
    }

    /// One that runs these commands in one phase: what a Commands action is.
    pub(crate) fn of_commands(commands: &[String], exported: &[String]) -> Self {
        Self {
            env: Env {
                exported_variables: exported.to_vec(),
                ..Env::default()
            },
            phases: Phases {
                build: Some(Phase {
                    commands: Commands::Many(commands.to_vec()),
                    ..Phase::default()
                }),
                ..Phases::default()
            },
            ..Self::default()
        }
    }

    /// The paths that the next build finds again.
    pub fn cache_paths(&self) -> &[String] {
        &self.cache.paths
    }

    /// The phases that do something, in their order; whether a failure ends the build before `post_build` is theirs.
    pub(super) fn each(&self) -> Vec<(&'static str, &Phase)> {
        let phases = &self.phases;
        [
            ("install", &phases.install),
            ("pre_build", &phases.pre_build),
            ("build", &phases.build),
            ("post_build", &phases.post_build),
        ]
        .into_iter()
        .filter_map(|(name, phase)| Some((name, phase.as_ref()?)))
        .collect()
    }
}

impl Phase {
    pub(super) fn failed(&self) -> Option<Failed> {
        self.on_failure.map(|one| match one {
            OnFailure::Abort => Failed::Abort,
            OnFailure::Continue => Failed::Continue,
        })
    }
}

impl Default for Commands {
    fn default() -> Self {
        Self::Many(Vec::new())
    }
}

impl Commands {
    pub(super) fn list(&self) -> &[String] {
        match self {
            Self::Many(all) => all,
            Self::One(one) => std::slice::from_ref(one),
        }
    }
}

impl Scalar {
    pub(super) fn text(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Whole(number) => number.to_string(),
            Self::Real(number) => number.to_string(),
            Self::Switch(switch) => switch.to_string(),
        }
    }
}

impl Switch {
    pub(super) fn is_on(&self) -> bool {
        match self {
            Self::None => false,
            Self::Plain(switch) => *switch,
            Self::Text(text) => text.eq_ignore_ascii_case("yes"),
        }
    }
}
