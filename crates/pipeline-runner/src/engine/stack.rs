use std::collections::BTreeMap;
use std::path::{Component, Path};

use serde::Deserialize;
use stackway_pipeline_defs::model::{Action, CloudFormation};

use super::Runner;
use super::action::Done;
use super::overrides::Overrides;
use crate::artifact::{Selection, pack};
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

/// What a mode makes of a stack.
///
/// See [the action's modes](https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-CloudFormation.html).
struct Mode {
    name: &'static str,
    needs_template: bool,
    needs_change_set: bool,
}

const MODES: [Mode; 5] = {
    const fn mode(name: &'static str, needs_template: bool, needs_change_set: bool) -> Mode {
        Mode {
            name,
            needs_template,
            needs_change_set,
        }
    }
    [
        mode("CREATE_UPDATE", true, false),
        mode("REPLACE_ON_FAILURE", true, false),
        mode("DELETE_ONLY", false, false),
        mode("CHANGE_SET_REPLACE", true, true),
        mode("CHANGE_SET_EXECUTE", false, true),
    ]
};

fn refuse(message: String) -> RunError {
    RunError::new(ErrorKind::Definition, message)
}

impl Mode {
    /// A mode may come from a variable, so that it is known only now.
    fn parse(text: &str) -> Result<&'static Self, RunError> {
        MODES.iter().find(|mode| mode.name == text).ok_or_else(|| {
            let names: Vec<_> = MODES.iter().map(|mode| mode.name).collect();
            refuse(format!("`{text}` is no action mode of CloudFormation"))
                .hint(format!("the modes are: {}", names.join(", ")))
        })
    }
}

impl Runner<'_> {
    pub(super) async fn stack(
        &self,
        stage: &str,
        action: &Action,
        stack: &CloudFormation,
        execution: &Execution,
        log: &Log<'_>,
    ) -> Result<Done, RunError> {
        let variables = self.variables(execution);
        let mode = Mode::parse(&variables.text(&stack.mode.text())?)?;
        let (template, configuration, parameters) = if mode.needs_template {
            let Some(template) = &stack.template else {
                return Err(refuse(format!(
                    "{} needs a template, and the action names none",
                    mode.name
                )));
            };
            let configuration = self.configuration(action, stack, execution)?;
            let mut parameters = configuration.parameters.clone();
            if let Some(text) = &stack.parameters {
                let overrides = Overrides {
                    runner: self,
                    action,
                    execution,
                };
                parameters.extend(overrides.read(&variables.text(text)?, log).await?);
            }
            let template = self.file(action, template, execution)?;
            (template, configuration, parameters)
        } else {
            Default::default()
        };
        let change_set = match (&stack.change_set, mode.needs_change_set) {
            (_, false) => None,
            (Some(name), true) => Some(variables.text(name)?),
            (None, true) => {
                return Err(refuse(format!(
                    "{} needs the name of a change set, and the action has none",
                    mode.name
                )));
            }
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
            mode: mode.name.to_owned(),
            template,
            parameters,
            tags: configuration.tags,
            capabilities,
            change_set,
            policy: configuration
                .stack_policy
                .map(|document| document.to_string()),
        };
        let set = order.change_set.as_ref().map(|name| format!(" {name}"));
        log.line(&format!(
            "{} {}{}",
            order.mode,
            order.stack,
            set.unwrap_or_default()
        ))?;
        let outputs = self.cloud.deploy(&order, log).await?;
        let mut done = Done::default();
        if let Some(name) = &stack.output_file {
            let artifact = self.output_file(stage, action, name, &outputs, execution)?;
            done.artifacts.extend(artifact);
        }
        done.variables = outputs;
        Ok(done)
    }

    fn configuration(
        &self,
        action: &Action,
        stack: &CloudFormation,
        execution: &Execution,
    ) -> Result<Configuration, RunError> {
        let Some(path) = &stack.configuration else {
            return Ok(Configuration::default());
        };
        serde_json::from_str(&self.file(action, path, execution)?).map_err(|error| {
            refuse("the template configuration cannot be read".to_owned()).cause(error.to_string())
        })
    }

    /// The stack's outputs as a JSON file of the output artifact.
    fn output_file(
        &self,
        stage: &str,
        action: &Action,
        name: &str,
        outputs: &BTreeMap<String, String>,
        execution: &Execution,
    ) -> Result<Option<(String, String)>, RunError> {
        let Some(artifact) = action.outputs.first() else {
            return Ok(None);
        };
        let is_inside = Path::new(name)
            .components()
            .all(|part| matches!(part, Component::Normal(_)));
        if !is_inside {
            return Err(refuse(format!(
                "OutputFileName `{name}` leaves the artifact's folder"
            )));
        }
        let work = self.work(execution, stage, &action.name)?;
        let path = work.0.join(name);
        let text = serde_json::to_vec_pretty(outputs).unwrap_or_default();
        std::fs::create_dir_all(path.parent().unwrap_or(&work.0))
            .and_then(|()| std::fs::write(&path, text))
            .map_err(|error| RunError::io("write", &path, &error))?;
        let everything = ["**/*".to_owned()];
        let selection = Selection {
            files: &everything,
            ..Selection::default()
        };
        let packed = pack(&work.0, &selection, &self.store)?;
        Ok(Some((artifact.name.clone(), packed)))
    }
}
