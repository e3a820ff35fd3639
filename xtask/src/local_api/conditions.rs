//! What cloudformation/api.yaml says of the function, as far as it counts on this machine.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use stackway_infra::stack_def::STACKS;
use stackway_infra::template::Template;
use stackway_local_cloud::lambda::FunctionConfig;

use crate::failure::{Failure, Kind};
use crate::project::Project;

/// The function's name, its limits and its variables.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Conditions {
    pub(crate) name: String,
    pub(crate) table: String,
    pub(crate) region: String,
    memory_mb: u32,
    timeout: Duration,
    log_level: String,
    warm_up: String,
    token: Option<String>,
}

impl Conditions {
    /// Those of the api stack's template, with `parameters` in place of its defaults.
    pub(crate) fn new(
        project: &Project,
        parameters: &BTreeMap<String, String>,
        name: &str,
        table: &str,
        region: &str,
    ) -> Result<Self, Failure> {
        let def = STACKS
            .iter()
            .find(|def| def.name == "api")
            .ok_or_else(|| Failure::new(Kind::Configuration, "there is no stack `api`"))?;
        let template = project.template(def)?;
        let value = |parameter: &str| value(&template, parameters, parameter);
        let number = |parameter: &str| {
            let value = value(parameter)?;
            value.parse::<u32>().map_err(|error| {
                Failure::new(
                    Kind::Configuration,
                    format!("`{parameter}` of stack `api` is `{value}`, which is no number"),
                )
                .cause(error.to_string())
            })
        };
        Ok(Self {
            name: name.to_owned(),
            table: table.to_owned(),
            region: region.to_owned(),
            memory_mb: number("MemorySize")?,
            timeout: Duration::from_secs(number("Timeout")?.into()),
            log_level: value("LogLevel")?,
            warm_up: value("WarmUp")?,
            token: None,
        })
    }

    /// The same, with a token that requests must have.
    pub(crate) fn with_token(self, token: Option<String>) -> Self {
        Self { token, ..self }
    }

    /// The function that `program` is, over a DynamoDB at `endpoint`. Its log goes to stderr.
    pub(super) fn function(&self, program: PathBuf, endpoint: &str) -> FunctionConfig {
        let variables = [
            ("TABLE_NAME", self.table.as_str()),
            ("LOG_LEVEL", &self.log_level),
            ("WARM_UP", &self.warm_up),
            ("AWS_REGION", &self.region),
            ("AWS_DEFAULT_REGION", &self.region),
            ("AWS_ACCESS_KEY_ID", "local"),
            ("AWS_SECRET_ACCESS_KEY", "local"),
            ("AWS_ENDPOINT_URL_DYNAMODB", endpoint),
        ];
        let token = self.token.as_deref().map(|token| ("API_TOKEN", token));
        FunctionConfig {
            environment: variables
                .into_iter()
                .chain(token)
                .map(|(name, value)| (name.to_owned(), OsString::from(value)))
                .collect(),
            memory_mb: self.memory_mb,
            timeout: self.timeout,
            show_log: true,
            ..FunctionConfig::new(self.name.as_str(), program)
        }
    }
}

fn value(
    template: &Template,
    parameters: &BTreeMap<String, String>,
    name: &str,
) -> Result<String, Failure> {
    let default = || template.parameters.get(name)?.default.clone();
    parameters
        .get(name)
        .cloned()
        .or_else(default)
        .ok_or_else(|| {
            Failure::new(
                Kind::Configuration,
                format!("cloudformation/api.yaml has no parameter `{name}` with a default"),
            )
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_template_s_conditions_and_the_environment_s() {
        let project = Project::locate().unwrap();
        let conditions = |parameters: &[(&str, &str)]| {
            let parameters = parameters
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect();
            Conditions::new(&project, &parameters, "f", "t", "eu-west-2")
        };
        let template = conditions(&[]).unwrap();
        assert_eq!((template.memory_mb, template.timeout.as_secs()), (256, 10));
        let given = conditions(&[("MemorySize", "512"), ("LogLevel", "debug")]).unwrap();
        let function = given.function("bootstrap".into(), "http://127.0.0.1:1");
        assert_eq!(function.memory_mb, 512);
        for (name, value) in [
            ("LOG_LEVEL", "debug"),
            ("WARM_UP", "auto"),
            ("TABLE_NAME", "t"),
        ] {
            assert!(
                function
                    .environment
                    .contains(&(name.to_owned(), value.into())),
                "{name}"
            );
        }
        let failure = conditions(&[("Timeout", "soon")]).err().unwrap();
        assert!(failure.message.contains("`Timeout`"), "{}", failure.message);
    }
}
