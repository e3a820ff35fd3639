//! The actions of stack sets: what is wanted of a set, read from the action.

use std::collections::BTreeMap;

use serde::Deserialize;
use stackway_pipeline_defs::model::{Action, StackInstances, StackSet, Targets, Text};

use super::Runner;
use super::action::Done;
use crate::artifact::read_file;
use crate::{ErrorKind, Execution, Log, RunError, SetDefinition, SetTargets, StackSetOrder};

/// A parameter as the action's shorthand and its files have it.
///
/// See [the action](https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-StackSets.html).
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase", default)]
struct Parameter {
    #[serde(rename = "ParameterKey")]
    key: String,
    #[serde(rename = "ParameterValue")]
    value: Option<String>,
    use_previous_value: bool,
}

fn refuse(message: String) -> RunError {
    RunError::new(ErrorKind::Definition, message)
}

impl Runner<'_> {
    /// Creates or updates a set, and its first instances.
    pub(super) async fn stack_set(
        &self,
        action: &Action,
        set: &StackSet,
        execution: &Execution,
        log: &Log<'_>,
    ) -> Result<Done, RunError> {
        let capabilities = match &set.capabilities {
            Some(text) => listed(&self.variables(execution).text(text)?),
            None => Vec::new(),
        };
        let auto = set.organizations_auto_deployment.as_deref();
        let order = StackSetOrder {
            name: self.variables(execution).text(&set.name)?,
            definition: Some(SetDefinition {
                template: self.file(action, &set.template, execution)?,
                parameters: self.parameters(action, set.parameters.as_ref(), execution)?,
                capabilities,
                service_managed: set.service_managed,
                auto_deployment: auto.map(str::to_owned),
            }),
            targets: match &set.targets {
                Some(targets) => Some(self.targets(action, targets, execution)?),
                None => None,
            },
            overrides: BTreeMap::new(),
        };
        self.roll_out(&order, log).await
    }

    /// Adds instances to a set.
    pub(super) async fn stack_instances(
        &self,
        action: &Action,
        instances: &StackInstances,
        execution: &Execution,
        log: &Log<'_>,
    ) -> Result<Done, RunError> {
        let overrides = self.parameters(action, instances.parameters.as_ref(), execution)?;
        let overrides = overrides.into_iter().map(|(name, value)| {
            let value = value
                .ok_or_else(|| refuse(format!("ParameterOverrides: `{name}` has no value")))?;
            Ok((name, value))
        });
        let order = StackSetOrder {
            name: self.variables(execution).text(&instances.name)?,
            definition: None,
            targets: Some(self.targets(action, &instances.targets, execution)?),
            overrides: overrides.collect::<Result<_, RunError>>()?,
        };
        self.roll_out(&order, log).await
    }

    async fn roll_out(&self, order: &StackSetOrder, log: &Log<'_>) -> Result<Done, RunError> {
        log.line(&format!("stack set {}", order.name))?;
        Ok(Done {
            variables: self.cloud.roll_out(order, log).await?,
            ..Done::default()
        })
    }

    fn targets(
        &self,
        action: &Action,
        targets: &Targets,
        execution: &Execution,
    ) -> Result<SetTargets, RunError> {
        let text = self.variables(execution).text(&targets.accounts)?;
        let places = match self.text_of_file(action, &text, execution)? {
            Some(contents) => serde_json::from_str(&contents).map_err(|error| {
                refuse(format!("`{text}` is no list of accounts or units")).cause(error.to_string())
            })?,
            None => listed(&text),
        };
        if places.is_empty() {
            return Err(refuse("the action names no account or unit".to_owned()));
        }
        Ok(SetTargets {
            places,
            regions: targets.regions.clone(),
            failure_tolerance_percent: targets.failure_tolerance_percent,
            max_concurrent_percent: targets.max_concurrent_percent,
        })
    }

    /// Parameters by name; `None` where the value is to stay.
    fn parameters(
        &self,
        action: &Action,
        text: Option<&Text>,
        execution: &Execution,
    ) -> Result<BTreeMap<String, Option<String>>, RunError> {
        let Some(text) = text else {
            return Ok(BTreeMap::new());
        };
        let text = self.variables(execution).text(text)?;
        match self.text_of_file(action, &text, execution)? {
            Some(contents) => parameters_of_json(&text, &contents),
            None if text.trim_start().starts_with('[') => parameters_of_json("Parameters", &text),
            None => parameters_of_shorthand(&text),
        }
    }

    /// The contents of `artifact::path`, where the text is one of an artifact that the action reads.
    fn text_of_file(
        &self,
        action: &Action,
        text: &str,
        execution: &Execution,
    ) -> Result<Option<String>, RunError> {
        match text.split_once("::") {
            Some((artifact, path)) if action.inputs.iter().any(|input| input == artifact) => {
                let zip = self.input(action, Some(artifact), execution)?;
                read_file(&zip, artifact, path).map(Some)
            }
            _ => Ok(None),
        }
    }
}

/// What stands between commas.
fn listed(text: &str) -> Vec<String> {
    let parts = text.split(',').map(str::trim);
    let parts = parts.filter(|part| !part.is_empty());
    parts.map(str::to_owned).collect()
}

fn parameters_of_json(
    name: &str,
    text: &str,
) -> Result<BTreeMap<String, Option<String>>, RunError> {
    let all: Vec<Parameter> = serde_json::from_str(text).map_err(|error| {
        refuse(format!("`{name}` is no list of parameters")).cause(error.to_string())
    })?;
    all.into_iter().map(Parameter::take).collect()
}

/// `ParameterKey=A,ParameterValue=b ParameterKey=C,UsePreviousValue=true`
fn parameters_of_shorthand(text: &str) -> Result<BTreeMap<String, Option<String>>, RunError> {
    let mut all = Vec::new();
    for entry in text.split_whitespace() {
        let mut one = Parameter::default();
        for part in entry.split(',') {
            match part.split_once('=') {
                Some(("ParameterKey", key)) => key.clone_into(&mut one.key),
                Some(("ParameterValue", value)) => one.value = Some(value.to_owned()),
                Some(("UsePreviousValue", value)) => one.use_previous_value = value == "true",
                _ => {
                    return Err(refuse(format!("`{part}` is no part of a parameter"))
                        .hint("write ParameterKey=NAME,ParameterValue=VALUE, with a space between parameters"));
                }
            }
        }
        all.push(one);
    }
    all.into_iter().map(Parameter::take).collect()
}

impl Parameter {
    fn take(self) -> Result<(String, Option<String>), RunError> {
        let Self {
            key,
            value,
            use_previous_value: previous,
        } = self;
        if key.is_empty() || value.is_some() == previous {
            return Err(refuse(format!(
                "parameter `{key}` is to have a name, and a value or UsePreviousValue"
            )));
        }
        Ok((key, value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_read_in_both_forms() {
        let expected = BTreeMap::from([
            ("A".to_owned(), Some("b=c".to_owned())),
            ("D".to_owned(), None),
        ]);
        let shorthand = "ParameterKey=A,ParameterValue=b=c  ParameterKey=D,UsePreviousValue=true";
        assert_eq!(parameters_of_shorthand(shorthand).unwrap(), expected);
        let json = r#"[{"ParameterKey": "A", "ParameterValue": "b=c"}, {"ParameterKey": "D", "UsePreviousValue": true}]"#;
        assert_eq!(parameters_of_json("f", json).unwrap(), expected);
        for (text, words) in [
            ("A=b", "no part of a parameter"),
            ("ParameterKey=A", "parameter `A` is to have"),
            ("ParameterValue=b", "parameter `` is to have"),
            (
                "ParameterKey=A,ParameterValue=b,UsePreviousValue=true",
                "parameter `A`",
            ),
        ] {
            let error = parameters_of_shorthand(text).unwrap_err();
            assert!(error.message.contains(words), "{text}: {error}");
        }
        assert!(parameters_of_json("f", r#"{"A": "b"}"#).is_err());
    }
}
