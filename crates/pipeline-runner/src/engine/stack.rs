use std::collections::BTreeMap;

use serde::Deserialize;
use stackway_pipeline_defs::model::{Action, CloudFormation};

use super::Runner;
use crate::{ErrorKind, Execution, Log, RunError, StackOrder};

/// A template configuration file.
///
/// See [artifacts](https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/continuous-delivery-codepipeline-cfn-artifacts.html).
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase", default)]
struct Configuration {
    parameters: BTreeMap<String, String>,
    tags: BTreeMap<String, String>,
    stack_policy: Option<serde_json::Value>,
}

impl Runner<'_> {
    pub(super) async fn stack(
        &self,
        action: &Action,
        stack: &CloudFormation,
        execution: &Execution,
        log: &Log<'_>,
    ) -> Result<BTreeMap<String, String>, RunError> {
        let variables = self.variables(execution);
        let refuse = |what: &str, why: String| {
            RunError::new(ErrorKind::Definition, format!("{what} cannot be read")).cause(why)
        };
        let configuration = match &stack.configuration {
            Some(path) => serde_json::from_str(&self.file(action, path, execution)?)
                .map_err(|error| refuse("the template configuration", error.to_string()))?,
            None => Configuration::default(),
        };
        if configuration.stack_policy.is_some() {
            log.line("the stack policy of the template configuration is left out here")?;
        }
        let mut parameters = configuration.parameters;
        if let Some(overrides) = &stack.parameters {
            let text = variables.text(overrides)?;
            let overrides: BTreeMap<String, String> = serde_json::from_str(&text)
                .map_err(|error| refuse("ParameterOverrides", format!("{error}: {text}")))?;
            parameters.extend(overrides);
        }
        let mode = variables.text(&stack.mode.text())?;
        let template = match (&stack.template, mode.as_str()) {
            (_, "DELETE_ONLY") | (None, _) => String::new(),
            (Some(path), _) => self.file(action, path, execution)?,
        };
        let capabilities = match &stack.capabilities {
            Some(text) => variables
                .text(text)?
                .split(',')
                .map(|one| one.trim().to_owned())
                .filter(|one| !one.is_empty())
                .collect(),
            None => Vec::new(),
        };
        let order = StackOrder {
            stack: variables.text(&stack.stack)?,
            mode,
            template,
            parameters,
            tags: configuration.tags,
            capabilities,
        };
        log.line(&format!("{} {}", order.mode, order.stack))?;
        self.cloud.deploy(&order, log).await
    }
}
