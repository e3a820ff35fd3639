//! Makes the requests by which a release is verified, one a call, and holds each answer against what it must be.
//!
//! The state machine of `cloudformation/automation.yaml` has the requests, their order, and what is tried again. This
//! function adds what a state machine cannot: the token, and the certainty of whom it is sent to.

mod answer;

use std::time::{Duration, Instant};

use lambda_runtime::{Diagnostic, Error, LambdaEvent, run, service_fn};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use stackway_aws_client::{
    CallError, Client, Plain, address,
    function::{self, SettingsError},
};

pub use stackway_aws_client::address::AddressError;

/// The parameter that holds the API's address.
const API_URL_PARAMETER: &str = "API_URL_PARAMETER";
/// The secret that holds the API's token, or `none`.
const TOKEN_SECRET: &str = "API_TOKEN_SECRET";
/// Whom the HTTP API asks: `NONE`, `AWS_IAM` or `JWT`.
const AUTHORIZER: &str = "API_AUTHORIZER";

/// What Parameter Store says where there is no such parameter.
const NO_PARAMETER: &str = "ParameterNotFound";

/// How long the API may take to answer; the template's timeouts follow from it.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

/// A request, and what its answer must be.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// The name of the state, which every error begins with.
    pub step: String,
    /// How often the state was tried before.
    #[serde(default)]
    pub retry: u32,
    /// The method, such as `GET`.
    pub method: String,
    /// The path, from its `/`.
    pub path: String,
    /// The body, which is sent as JSON.
    pub body: Option<Value>,
    /// What must come back.
    pub expect: Expected,
    /// What the execution was started with.
    #[serde(default)]
    pub release: Release,
}

/// What the answer to a request must be.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expected {
    /// The statuses that are right.
    pub status: Vec<u16>,
    /// Those that are right too where the request is made again: the first one may have done its work unheard.
    #[serde(default)]
    pub again: Vec<u16>,
    /// Fields of the JSON body, with their values.
    #[serde(default)]
    pub body: Map<String, Value>,
}

/// What is known of the release that is verified.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub struct Release {
    /// Where it answers, by those who deployed it.
    pub url: Option<String>,
}

/// An answer that is right.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Right {
    /// The method and the path.
    pub request: String,
    /// The status.
    pub status: u16,
    /// How long the answer took.
    pub milliseconds: u64,
}

/// Why a step is not right. No message has the token in it.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// It may be right in a moment: no answer, 429, or a fault of the server.
    #[error("{step}: {what}")]
    Unavailable {
        /// The step.
        step: String,
        /// What came in place of the answer.
        what: String,
    },
    /// It will not be right by itself.
    #[error("{step}: {what}")]
    WrongAnswer {
        /// The step.
        step: String,
        /// What came, and what should have come.
        what: String,
    },
    /// The request is sent nowhere.
    #[error("{step}: {cause}")]
    Address {
        /// The step.
        step: String,
        /// Why.
        cause: AddressError,
    },
    /// There is no address to send it to.
    #[error("{step}: parameter `{parameter}` is missing: deploy stack `api`, then verify it again")]
    NoApi {
        /// The step.
        step: String,
        /// The parameter that stack `api` makes.
        parameter: String,
    },
    /// What is needed for the request cannot be read.
    #[error("{step}: {cause}")]
    Unreadable {
        /// The step.
        step: String,
        /// What was called, and why it was refused.
        cause: CallError,
    },
    /// The state machine asks for something that is no step.
    #[error("the state machine's request cannot be read: {0}")]
    NoStep(#[from] serde_json::Error),
}

impl CheckError {
    /// The name by which the state machine tells errors apart.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Unavailable { .. } => "Unavailable",
            Self::WrongAnswer { .. } => "WrongAnswer",
            Self::Address { .. } => "WrongAddress",
            Self::NoApi { .. } => "NoApi",
            Self::Unreadable { .. } => "Unreadable",
            Self::NoStep(_) => "NoStep",
        }
    }
}

impl From<CheckError> for Diagnostic {
    fn from(error: CheckError) -> Self {
        Self {
            error_type: error.name().to_owned(),
            error_message: error.to_string(),
        }
    }
}

/// Makes requests of an environment's API.
#[derive(Debug)]
pub struct Check {
    client: Client,
    /// The parameter that says where the API answers.
    parameter: String,
    token_secret: Option<String>,
    /// Whether the HTTP API asks for a signature by an identity of AWS.
    signs: bool,
    /// Where the emulator answers, if it is one that this runs in.
    emulator: Option<String>,
}

/// Answers the state machine for as long as Lambda keeps the process.
///
/// # Errors
/// If settings are missing, or the runtime's API cannot be reached.
pub async fn serve(lookup: impl Fn(&str) -> Option<String>) -> Result<(), Error> {
    let check = Check::read(lookup)?;
    let check = &check;
    run(service_fn(async move |event: LambdaEvent<Value>| {
        let LambdaEvent { payload, context } = event;
        let checked = check.run(payload).await;
        let (level, text) = match &checked {
            Ok(right) => (
                "INFO",
                format!(
                    "{} answered {} in {} ms",
                    right.request, right.status, right.milliseconds
                ),
            ),
            Err(error) => ("ERROR", error.to_string()),
        };
        function::log(&context.request_id, level, &text);
        checked
    }))
    .await
}

impl Check {
    /// Reads the settings from `lookup`, which answers with the value of an environment variable.
    ///
    /// # Errors
    /// All that is missing at once.
    pub fn read(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, SettingsError> {
        let token_secret = lookup(TOKEN_SECRET).filter(|name| !name.is_empty() && name != "none");
        let signs = lookup(AUTHORIZER).is_some_and(|authorizer| authorizer == "AWS_IAM");
        let settings = function::settings(lookup, &[API_URL_PARAMETER])?;
        Ok(Self {
            emulator: settings.client.endpoint_url.clone(),
            client: Client::new(settings.client),
            parameter: settings.variables[0].clone(),
            token_secret,
            signs,
        })
    }

    /// Makes the request, and holds the answer against what it must be.
    ///
    /// # Errors
    /// What came instead, with the step's name.
    pub async fn run(&self, event: Value) -> Result<Right, CheckError> {
        let step: Step = serde_json::from_value(event)?;
        let unreadable = |cause: CallError| {
            if cause.code() == Some(NO_PARAMETER) {
                return CheckError::NoApi {
                    step: step.step.clone(),
                    parameter: self.parameter.clone(),
                };
            }
            unreadable(&step.step, cause)
        };
        // At the same time: neither needs the other.
        let (told, token) = tokio::try_join!(self.client.parameter(&self.parameter), self.token())
            .map_err(unreadable)?;
        let base = address::of(&told, step.release.url.as_deref(), self.emulator.as_deref())
            .and_then(|base| address::with_path(&base, &step.path))
            .map_err(|cause| CheckError::Address {
                step: step.step.clone(),
                cause,
            })?;
        self.ask(&step, &base, token.as_deref()).await
    }

    async fn token(&self) -> Result<Option<String>, CallError> {
        match &self.token_secret {
            // The signature has the one header for itself, and the service asks for no token there.
            _ if self.signs => Ok(None),
            Some(secret) => self.client.secret(secret).await.map(Some),
            None => Ok(None),
        }
    }

    async fn ask(&self, step: &Step, url: &str, token: Option<&str>) -> Result<Right, CheckError> {
        let authorization = token.map(|token| format!("Bearer {token}"));
        let body = step.body.as_ref().map(Value::to_string);
        let mut headers = Vec::new();
        if body.is_some() {
            headers.push(("content-type", "application/json"));
        }
        if let Some(authorization) = &authorization {
            headers.push(("authorization", authorization.as_str()));
        }
        let request = Plain {
            method: &step.method,
            url,
            headers: &headers,
            body: body.as_deref().unwrap_or_default().as_bytes(),
            timeout: ANSWER_TIMEOUT,
        };
        let began = Instant::now();
        let reply = if self.signs {
            self.client.ask_signed(&request).await
        } else {
            self.client.ask(&request).await
        };
        let took = began.elapsed();
        let reply = reply.map_err(|error| CheckError::Unavailable {
            step: step.step.clone(),
            what: error.to_string(),
        })?;
        answer::hold(step, &reply)?;
        Ok(Right {
            request: format!("{} {}", step.method, step.path),
            status: reply.status,
            milliseconds: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
        })
    }
}

/// A call that AWS was too busy for may fare better in a moment; one that it refused will not.
fn unreadable(step: &str, cause: CallError) -> CheckError {
    let step = step.to_owned();
    let passes = cause.code().is_none_or(|code| {
        ["Throttling", "TooManyRequests", "Internal"]
            .iter()
            .any(|it| code.starts_with(it))
    });
    if passes {
        CheckError::Unavailable {
            step,
            what: cause.to_string(),
        }
    } else {
        CheckError::Unreadable { step, cause }
    }
}
