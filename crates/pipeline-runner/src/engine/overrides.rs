use std::collections::BTreeMap;

use serde::Deserialize;
use stackway_pipeline_defs::model::Action;

use super::Runner;
use crate::artifact::read_file;
use crate::{ErrorKind, Execution, Log, RunError};

/// `ParameterOverrides`: values, and functions that give values.
///
/// See [override functions](https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/continuous-delivery-codepipeline-parameter-override-functions.html).
pub(super) struct Overrides<'a> {
    pub(super) runner: &'a Runner<'a>,
    pub(super) action: &'a Action,
    pub(super) execution: &'a Execution,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Value {
    Text(String),
    Function(Function),
}

#[derive(Deserialize)]
enum Function {
    /// Artifact and attribute: where CodePipeline keeps the artifact.
    #[serde(rename = "Fn::GetArtifactAtt")]
    Attribute(String, String),
    /// Artifact, JSON file, key.
    #[serde(rename = "Fn::GetParam")]
    Parameter(String, String, String),
}

fn refuse(message: impl Into<String>) -> RunError {
    RunError::new(ErrorKind::Definition, message)
}

impl Overrides<'_> {
    pub(super) async fn read(
        &self,
        text: &str,
        log: &Log<'_>,
    ) -> Result<BTreeMap<String, String>, RunError> {
        let values: BTreeMap<String, serde_json::Value> =
            serde_json::from_str(text).map_err(|error| {
                refuse("ParameterOverrides cannot be read").cause(format!("{error}: {text}"))
            })?;
        let mut all = BTreeMap::new();
        for (name, value) in values {
            let value = serde_json::from_value(value).map_err(|_| {
                refuse(format!("ParameterOverrides: `{name}` is no value")).cause(
                    "a value is a text, Fn::GetArtifactAtt of two texts, or Fn::GetParam of three",
                )
            })?;
            let value = match value {
                Value::Text(text) => text,
                Value::Function(function) => self
                    .evaluate(function, log)
                    .await
                    .map_err(|error| error.cause(format!("in ParameterOverrides, `{name}`")))?,
            };
            all.insert(name, value);
        }
        Ok(all)
    }

    async fn evaluate(&self, function: Function, log: &Log<'_>) -> Result<String, RunError> {
        match function {
            Function::Attribute(artifact, attribute) => {
                let zip = self.input(&artifact)?;
                let sha256 = self.execution.artifacts.get(&artifact);
                let sha256 = sha256.map(String::as_str).unwrap_or_default();
                let kept = self.runner.cloud.keep(&zip, sha256, log).await?;
                Ok(match attribute.as_str() {
                    "BucketName" => kept.bucket,
                    "ObjectKey" => kept.key,
                    "URL" => kept.url,
                    other => {
                        return Err(refuse(format!(
                            "Fn::GetArtifactAtt has no attribute `{other}`"
                        ))
                        .hint("the attributes are: BucketName, ObjectKey, URL"));
                    }
                })
            }
            Function::Parameter(artifact, file, key) => {
                let zip = self.input(&artifact)?;
                let text = read_file(&zip, &artifact, &file)?;
                let place = format!("`{file}` of artifact `{artifact}`");
                let mut values: BTreeMap<String, serde_json::Value> = serde_json::from_str(&text)
                    .map_err(|error| {
                    refuse(format!("{place} is no JSON object")).cause(error.to_string())
                })?;
                match values.remove(&key) {
                    Some(serde_json::Value::String(value)) => Ok(value),
                    Some(_) => Err(refuse(format!("`{key}` in {place} is no text"))),
                    None => Err(refuse(format!("{place} has no key `{key}`"))),
                }
            }
        }
    }

    /// The zip of an artifact that the action reads; others are none of its business, as at CodePipeline.
    fn input(&self, artifact: &str) -> Result<std::path::PathBuf, RunError> {
        if !self.action.inputs.iter().any(|name| name == artifact) {
            return Err(refuse(format!(
                "action `{}` does not read artifact `{artifact}`",
                self.action.name
            ))
            .hint("name it as one of the action's input artifacts"));
        }
        self.runner
            .input(self.action, Some(artifact), self.execution)
    }
}
