use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Map, Value, json};
use stackway_pipeline_defs::model::{Action, LambdaInvoke, Text};
use tokio::time::Instant;

use super::action::Done;
use super::{Order, Runner};
use crate::build::TIMEOUT;
use crate::{ErrorKind, Execution, Log, RunError};

/// How long a function that is not ready is left alone.
const PAUSE: Duration = Duration::from_secs(1);

/// What a function returns here, in place of its call to CodePipeline: the body of `PutJobSuccessResult`, or of
/// `PutJobFailureResult`. Anything else that it returns is a success without variables.
///
/// See [the success](https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_PutJobSuccessResult.html) and
/// [the failure](https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_PutJobFailureResult.html).
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Answer {
    continuation_token: Option<String>,
    output_variables: BTreeMap<String, String>,
    failure_details: Option<FailureDetails>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct FailureDetails {
    message: String,
}

/// How a function fails.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Thrown {
    error_type: Option<String>,
    error_message: Option<String>,
}

/// A call of a function: by an action, or by a rule.
pub(super) struct Call<'a> {
    pub(super) function: &'a Text,
    pub(super) user_parameters: Option<&'a Text>,
    /// Each with the zip that it is.
    pub(super) inputs: Vec<(String, std::path::PathBuf)>,
}

impl Runner<'_> {
    pub(super) async fn lambda(
        &self,
        order: &Order,
        action: &Action,
        invoke: &LambdaInvoke,
        execution: &Execution,
        log: &Log<'_>,
    ) -> Result<Done, RunError> {
        let inputs = action.inputs.iter().map(|name| {
            let zip = self.input(action, Some(name), execution)?;
            Ok((name.clone(), zip))
        });
        let call = Call {
            function: &invoke.function,
            user_parameters: invoke.user_parameters.as_ref(),
            inputs: inputs.collect::<Result<_, RunError>>()?,
        };
        Ok(Done {
            variables: self.call(order, &call, execution, log).await?,
            ..Done::default()
        })
    }

    /// Calls a function with a job of CodePipeline until it is done; gives its variables.
    ///
    /// See [the event](https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-Lambda.html).
    ///
    /// # Errors
    /// It fails, says that the job failed, or is not done in time.
    pub(super) async fn call(
        &self,
        order: &Order,
        call: &Call<'_>,
        execution: &Execution,
        log: &Log<'_>,
    ) -> Result<BTreeMap<String, String>, RunError> {
        let variables = self.variables(execution);
        let function = variables.text(call.function)?;
        let mut configuration = Map::new();
        configuration.insert("FunctionName".to_owned(), json!(function));
        if let Some(text) = call.user_parameters {
            configuration.insert("UserParameters".to_owned(), json!(variables.text(text)?));
        }
        let mut inputs = Vec::new();
        for (name, zip) in &call.inputs {
            let sha256 = execution.artifacts.get(name).map_or("", String::as_str);
            let kept = self.cloud.keep(zip, sha256, log).await?;
            inputs.push(json!({
                "name": name,
                "revision": Value::Null,
                "location": {
                    "type": "S3",
                    "s3Location": {"bucketName": kept.bucket, "objectKey": kept.key},
                },
            }));
        }
        let environment = self.cloud.environment();
        let credential = |name: &str| environment.get(name).cloned().unwrap_or_default();
        let mut data = json!({
            "actionConfiguration": {"configuration": configuration},
            "inputArtifacts": inputs,
            "outputArtifacts": [],
            "artifactCredentials": {
                "accessKeyId": credential("AWS_ACCESS_KEY_ID"),
                "secretAccessKey": credential("AWS_SECRET_ACCESS_KEY"),
                "sessionToken": credential("AWS_SESSION_TOKEN"),
            },
        });
        let deadline = Instant::now() + order.timeout.unwrap_or(TIMEOUT);
        loop {
            let id = uuid::Uuid::new_v4().to_string();
            let job = json!({"id": id, "accountId": self.cloud.account(), "data": data});
            let event = json!({"CodePipeline.job": job}).to_string();
            log.line(&format!("calls {function} with job {id}"))?;
            let answered = self.cloud.call_function(&function, &event).await?;
            log.line(&format!("it answered {}", answered.document))?;
            if answered.is_error {
                let thrown: Thrown = serde_json::from_str(&answered.document).unwrap_or_default();
                let why = [thrown.error_type, thrown.error_message];
                let why: Vec<_> = why.into_iter().flatten().collect();
                return Err(failed(&function, &why.join(": ")));
            }
            let answer: Answer = serde_json::from_str(&answered.document).unwrap_or_default();
            if let Some(details) = answer.failure_details {
                return Err(failed(&function, &details.message));
            }
            let Some(token) = answer.continuation_token else {
                return Ok(answer.output_variables);
            };
            if Instant::now() + PAUSE > deadline {
                return Err(RunError::new(
                    ErrorKind::Failed,
                    format!("the time was over before function `{function}` was done"),
                )
                .cause(format!("its last continuation token is `{token}`"))
                .hint("give it more with --timeout MINUTES"));
            }
            data["continuationToken"] = json!(token);
            tokio::time::sleep(PAUSE).await;
        }
    }
}

fn failed(function: &str, why: &str) -> RunError {
    let error = RunError::new(ErrorKind::Failed, format!("function `{function}` failed"));
    if why.is_empty() {
        error
    } else {
        error.cause(why)
    }
}
