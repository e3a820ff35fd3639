//! `stackway.toml`: the project, and the environments that it is deployed to.
//!
//! Nothing here does I/O but [`Config::load`], which reads one file. A value is checked where it is read, so that every
//! error names its line, and what could stand there instead.

mod account;
mod amount;
mod environment;
mod error;
mod name;
mod placement;
mod region;
mod stack_set;
mod tag;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml::Spanned;

pub use account::AccountId;
pub use environment::{Delivery, Environment, EnvironmentKind};
pub use error::{ConfigError, ConfigErrorKind, ValueError};
pub use name::{EnvironmentName, ProjectName, StackName};
pub use placement::{OrganizationalUnit, Placement};
pub use region::Region;
pub use stack_set::StackSetPlacement;

use environment::RawEnvironment;
pub(crate) use error::nearest;

use error::Source;

/// What `stackway.toml` says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// The project itself.
    pub project: Project,
    /// Where it is deployed to, by name.
    pub environments: BTreeMap<EnvironmentName, Environment>,
    path: PathBuf,
}

/// The `[project]` table.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Project {
    /// The first part of every name that Stackway gives on AWS.
    pub name: ProjectName,
    /// The address of the source repository; the tag `git-repository` carries it.
    #[serde(deserialize_with = "name::repository")]
    pub repository: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawConfig {
    project: Project,
    environments: Spanned<BTreeMap<EnvironmentName, Spanned<RawEnvironment>>>,
}

impl Config {
    /// Reads and checks the file.
    ///
    /// # Errors
    /// [`ConfigErrorKind::NotFound`] where there is no such file, and what [`Config::parse`] says.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let text =
            std::fs::read_to_string(path).map_err(|error| ConfigError::unread(path, &error))?;
        Self::parse(&text, path)
    }

    /// Checks a file's text; `path` is what errors call it.
    ///
    /// # Errors
    /// The first thing that is wrong, with its line and column.
    pub fn parse(text: &str, path: &Path) -> Result<Self, ConfigError> {
        let source = Source { text, path };
        toml::de::DeTable::parse(text).map_err(|error| source.syntax(&error))?;
        let raw: RawConfig = toml::from_str(text).map_err(|error| source.value(&error))?;
        let span = raw.environments.span();
        let mut environments = BTreeMap::new();
        for (name, raw) in raw.environments.into_inner() {
            let line = source.position(raw.span().start).0;
            let environment = raw
                .into_inner()
                .check(name.clone(), line)
                .map_err(|fault| source.fault(fault))?;
            environments.insert(name, environment);
        }
        if environments.is_empty() {
            return Err(source.fault(error::Fault {
                span,
                message: "there is no environment".to_owned(),
                hint: Some("add a table such as [environments.local]".to_owned()),
            }));
        }
        Ok(Self {
            project: raw.project,
            environments,
            path: path.to_owned(),
        })
    }

    /// The environment of this name.
    ///
    /// # Errors
    /// [`ConfigErrorKind::UnknownEnvironment`], with the names that there are.
    pub fn environment(&self, name: &str) -> Result<&Environment, ConfigError> {
        self.environments.get(name).ok_or_else(|| {
            let choices: Vec<_> = self.environments.keys().map(ToString::to_string).collect();
            let shown: Vec<_> = self
                .environments
                .values()
                .map(|environment| format!("{} (line {})", environment.name, environment.line))
                .collect();
            let guess = nearest(name, &choices);
            let line = self
                .environments
                .values()
                .filter(|environment| {
                    guess
                        .as_deref()
                        .is_none_or(|guess| environment.name.as_str() == guess)
                })
                .map(|environment| environment.line)
                .min();
            ConfigError::unknown_environment(
                &self.path,
                name,
                choices,
                line,
                &shown.join(", "),
                guess,
            )
        })
    }
}
