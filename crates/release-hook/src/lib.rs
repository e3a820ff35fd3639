//! What CodeDeploy asks before the first user reaches a new version of the API: whether an item can be written, read and
//! deleted through it.
//!
//! The function is the API's own package under another name, so that hook and version come from the same build.
//!
//! <https://docs.aws.amazon.com/codedeploy/latest/userguide/reference-appspec-file-structure-hooks.html#appspec-hooks-lambda>

use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use serde::Deserialize;
use serde_json::{Value, json};
use stackway_aws_client::{
    CODE_DEPLOY, CallError, Client, LAMBDA,
    function::{self, SettingsError},
};

/// The version that is tried; where it is set, the process is this hook.
pub const VERSION: &str = "HOOK_VERSION";
/// The function that the version is of.
const FUNCTION: &str = "HOOK_FUNCTION";
/// The secret that holds the API's token, or `none`.
const TOKEN_SECRET: &str = "API_TOKEN_SECRET";

const DATE: &str = "2024-05-01T12:00:00Z";
const MESSAGE: &str = "a release is tried before users reach it";

/// What CodeDeploy sends.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct HookEvent {
    deployment_id: String,
    lifecycle_event_hook_execution_id: String,
}

/// Why a version is not let through.
#[derive(Debug, thiserror::Error)]
pub enum HookError {
    /// The version answered otherwise than it should.
    #[error("version {version}: {what} answered {answer}, not {expected}")]
    Answer {
        /// The version.
        version: String,
        /// The request.
        what: String,
        /// The status, or what was there in its place.
        answer: String,
        /// The status that was expected.
        expected: u16,
    },
    /// The item that was read is another.
    #[error("version {0}: the item that was read is not the one that was written")]
    Item(String),
    /// A call has failed.
    #[error(transparent)]
    Call(#[from] CallError),
}

/// Tries one version.
#[derive(Debug)]
pub struct Hook {
    client: Client,
    function: String,
    version: String,
    token_secret: Option<String>,
}

/// Answers CodeDeploy for as long as Lambda keeps the process.
///
/// # Errors
/// If settings are missing, or the runtime's API cannot be reached.
pub async fn serve(lookup: impl Fn(&str) -> Option<String>) -> Result<(), Error> {
    let hook = Hook::read(lookup)?;
    let hook = &hook;
    run(service_fn(async move |event: LambdaEvent<HookEvent>| {
        let LambdaEvent { payload, context } = event;
        let tried = hook.try_version(&context.request_id).await;
        let (level, text) = match &tried {
            Ok(()) => ("INFO", format!("version {} answers", hook.version)),
            Err(error) => ("ERROR", error.to_string()),
        };
        function::log(&context.request_id, level, &text);
        hook.report(&payload, tried.is_ok())
            .await
            .map_err(Error::from)
    }))
    .await
}

impl Hook {
    /// Reads the settings from `lookup`, which answers with the value of an environment variable.
    ///
    /// # Errors
    /// All that is missing at once.
    pub fn read(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, SettingsError> {
        let token_secret = lookup(TOKEN_SECRET).filter(|name| !name.is_empty() && name != "none");
        let settings = function::settings(lookup, &[FUNCTION, VERSION])?;
        let [function, version] = [0, 1].map(|at| settings.variables[at].clone());
        Ok(Self {
            client: Client::new(settings.client),
            function,
            version,
            token_secret,
        })
    }

    /// Writes, reads and deletes an item. `id` makes its key one that nobody else has.
    ///
    /// # Errors
    /// The first answer that is not what it should be. The item is deleted all the same.
    pub async fn try_version(&self, id: &str) -> Result<(), HookError> {
        let token = self.token().await?;
        let path = format!("/v1/items/release-{id}/{DATE}");
        let body = json!({
            "guid": format!("release-{id}"),
            "date_received": DATE,
            "message": MESSAGE,
        });
        let ask = async |method: &str, path: &str, body: Option<&Value>, expected: u16| {
            self.ask(method, path, body, token.as_deref(), expected)
                .await
        };
        ask("POST", "/v1/items", Some(&body), 201).await?;
        let read = ask("GET", &path, None, 200).await;
        // Whatever was read: a version that fails leaves nothing behind.
        let deleted = ask("DELETE", &path, None, 204).await;
        let item: Value = serde_json::from_str(&read?).unwrap_or_default();
        if item["message"] != MESSAGE {
            return Err(HookError::Item(self.version.clone()));
        }
        deleted?;
        ask("GET", &path, None, 404).await.map(drop)
    }

    async fn token(&self) -> Result<Option<String>, CallError> {
        match &self.token_secret {
            Some(secret) => self.client.secret(secret).await.map(Some),
            None => Ok(None),
        }
    }

    /// Invokes the version with a request as the HTTP API sends it, and returns the answer's body.
    async fn ask(
        &self,
        method: &str,
        path: &str,
        body: Option<&Value>,
        token: Option<&str>,
        expected: u16,
    ) -> Result<String, HookError> {
        let mut headers = serde_json::Map::new();
        headers.insert("content-type".to_owned(), "application/json".into());
        if let Some(token) = token {
            headers.insert("authorization".to_owned(), format!("Bearer {token}").into());
        }
        let event = json!({
            "version": "2.0",
            "rawPath": path,
            "rawQueryString": "",
            "headers": headers,
            "requestContext": { "http": { "method": method } },
            "body": body.map(Value::to_string),
            "isBase64Encoded": false,
        });
        let invocation = format!(
            "/2015-03-31/functions/{}/invocations?Qualifier={}",
            self.function, self.version
        );
        let answer: Value = self
            .client
            .post(LAMBDA, "Invoke", &invocation, &event)
            .await?;
        // An invocation that has failed has no status.
        if answer["statusCode"] == expected {
            return Ok(answer["body"].as_str().unwrap_or_default().to_owned());
        }
        let told = match &answer["statusCode"] {
            Value::Null => answer["errorMessage"]
                .as_str()
                .unwrap_or("nothing")
                .to_owned(),
            status => status.to_string(),
        };
        Err(HookError::Answer {
            version: self.version.clone(),
            what: format!("{method} {path}"),
            answer: told,
            expected,
        })
    }

    /// Tells CodeDeploy, which goes on or undoes the deployment.
    ///
    /// # Errors
    /// If it cannot be told; it gives the deployment up after an hour.
    ///
    /// <https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_PutLifecycleEventHookExecutionStatus.html>
    pub async fn report(&self, event: &HookEvent, good: bool) -> Result<(), CallError> {
        let input = json!({
            "deploymentId": event.deployment_id,
            "lifecycleEventHookExecutionId": event.lifecycle_event_hook_execution_id,
            "status": if good { "Succeeded" } else { "Failed" },
        });
        let _: Value = self
            .client
            .call(CODE_DEPLOY, "PutLifecycleEventHookExecutionStatus", &input)
            .await?;
        Ok(())
    }
}
