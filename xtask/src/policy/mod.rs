//! Policy as code: what CloudFormation takes of a template, and the project does not.
//!
//! Rules over properties are written for cfn-guard, in `cloudformation/rules`; statements of policies and secrets are read
//! here, as they stand at any depth. What a rule finds can be allowed for a resource, with a reason.

mod allowed;
mod guard;
mod iam;
mod secrets;
#[cfg(test)]
mod tests;
mod tls;

use std::fmt;
use std::path::{Path, PathBuf};

use serde::Serialize;
use stackway_infra::config::{Config, EnvironmentKind};
use stackway_infra::template::Template;

use crate::failure::{Failure, Kind};
use crate::project::Project;

pub(crate) use guard::Rules;

/// What a rule has to say against a file. Shows as `file:line: rule: resource: reason; fix`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Finding {
    /// The file, from the workspace's root.
    pub(crate) file: String,
    /// The line, from 1, where it is known.
    pub(crate) line: Option<usize>,
    /// The rule's name.
    pub(crate) rule: String,
    /// The resource's logical id, in templates.
    pub(crate) resource: Option<String>,
    /// What is wrong.
    pub(crate) reason: String,
    /// What repairs it.
    pub(crate) fix: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        write!(f, ": {}", self.rule)?;
        if let Some(resource) = &self.resource {
            write!(f, ": {resource}")?;
        }
        write!(f, ": {}; {}", self.reason, self.fix)
    }
}

/// What is wrong with a resource, before anything is allowed.
struct Breach {
    rule: String,
    resource: String,
    /// Keys from the template's root on.
    path: Vec<String>,
    reason: String,
    fix: String,
}

/// Holds the project's templates, its configuration of them and its buildspecs against the rules.
///
/// # Errors
/// Files that cannot be read, and rules that cfn-guard does not take.
pub(crate) fn findings(project: &Project) -> Result<Vec<Finding>, Failure> {
    let root = project.root();
    let rules = Rules::load(&root.join("cloudformation/rules"))?;
    let mut all = Vec::new();
    for path in files(&root.join("cloudformation"), "yaml")? {
        let shown = relative(root, &path);
        let template = Template::load(&path).map_err(|error| {
            Failure::new(Kind::Configuration, format!("cannot read `{shown}`"))
                .cause(error.to_string())
        })?;
        all.extend(of_template(&shown, &template, &rules)?);
        all.extend(secrets::findings(&shown, &template.text));
    }
    let mut texts = files(&root.join("buildspecs"), "yml")?;
    for environment in folders(&root.join("cloudformation/configuration"))? {
        texts.extend(files(&environment, "json")?);
    }
    for path in texts {
        let text =
            std::fs::read_to_string(&path).map_err(|error| Failure::io("read", &path, &error))?;
        all.extend(secrets::findings(&relative(root, &path), &text));
    }
    let config = Config::load(&project.path("stackway.toml"))
        .map_err(|error| Failure::new(Kind::Configuration, error.to_string()))?;
    all.extend(protection(&config));
    Ok(all)
}

/// What the rules have against one template, but for what it allows with a reason.
///
/// # Errors
/// Rules that cfn-guard does not take.
pub(crate) fn of_template(
    file: &str,
    template: &Template,
    rules: &Rules,
) -> Result<Vec<Finding>, Failure> {
    let mut breaches = rules.breaches(file, template)?;
    breaches.extend(iam::breaches(template));
    breaches.extend(tls::breaches(template));
    Ok(allowed::without(file, template, breaches, &rules.names()))
}

/// An environment called prod protects its stacks: what no template can say.
fn protection(config: &Config) -> Option<Finding> {
    let environment = config.environment("prod").ok()?;
    let open = environment.kind == EnvironmentKind::Aws && !environment.protect;
    open.then(|| Finding {
        file: "stackway.toml".to_owned(),
        line: Some(environment.line()),
        rule: "prod_is_protected".to_owned(),
        resource: None,
        reason: "stacks of `prod` can be deleted, and what holds data replaced".to_owned(),
        fix: "set `protect = true` in [environments.prod]".to_owned(),
    })
}

fn relative(root: &Path, path: &Path) -> String {
    path.strip_prefix(root)
        .unwrap_or(path)
        .display()
        .to_string()
}

/// The files of a folder with an ending, in order; none where there is no folder.
fn files(folder: &Path, ending: &str) -> Result<Vec<PathBuf>, Failure> {
    let mut found = entries(folder)?;
    found.retain(|path| path.is_file() && path.extension().is_some_and(|has| has == ending));
    Ok(found)
}

fn folders(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let mut found = entries(folder)?;
    found.retain(|path| path.is_dir());
    Ok(found)
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let listed = match std::fs::read_dir(folder) {
        Ok(listed) => listed,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(Failure::io("read", folder, &error)),
    };
    let mut paths = listed
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| Failure::io("read", folder, &error))?;
    paths.sort();
    Ok(paths)
}
