//! Rotates the API's token: the four steps that Secrets Manager asks a rotation function for.
//!
//! Each step may be asked for again, and then changes nothing that is done already. At no moment is there no valid token:
//! the API takes the pending version as soon as it is tried with it, and the replaced one for its grace.
//!
//! <https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_lambda-functions.html>

mod secret;

use std::time::Duration;

use serde::Deserialize;
use stackway_aws_client::address::{self, AddressError};
use stackway_aws_client::{CallError, Client, Plain, Settings};

use secret::{CURRENT, PENDING, Secret};

/// How often the API is tried with a token that it does not know yet. It reads the secret again at most every 5 seconds, so
/// that whoever guesses tokens can hold it back for as long.
const TRIES: u32 = 8;
const BETWEEN_TRIES: Duration = Duration::from_secs(2);
/// How long the API may take to answer: as long as API Gateway waits for it.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);
/// A read of the table with a token: what a client would send.
const TRIAL: &str = "/v1/items?limit=1";

/// A step of a rotation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum Step {
    /// A new value is made and kept as the pending version.
    #[serde(rename = "createSecret")]
    Create,
    /// The service is told of the value.
    #[serde(rename = "setSecret")]
    Set,
    /// The service is tried with the value.
    #[serde(rename = "testSecret")]
    Test,
    /// The pending version becomes the current one.
    #[serde(rename = "finishSecret")]
    Finish,
}

/// What Secrets Manager sends.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct RotationEvent {
    /// The step to take.
    pub step: Step,
    /// The ARN of the secret.
    pub secret_id: String,
    /// The id of the version that is being made.
    pub client_request_token: String,
}

/// Why a step is not done. No message has a token in it.
#[derive(Debug, thiserror::Error)]
pub enum RotationError {
    /// The version is none that a rotation is making.
    #[error("version {version} of secret `{secret}` is not being made by a rotation: {why}")]
    NotRotating {
        /// The secret.
        secret: String,
        /// The version.
        version: String,
        /// What it is instead.
        why: &'static str,
    },
    /// The secret has no current version to replace.
    #[error("secret `{0}` has no version with the label AWSCURRENT")]
    NoCurrent(String),
    /// The value is missing, or no text.
    #[error("version {version} of secret `{secret}` holds no text")]
    NoText {
        /// The secret.
        secret: String,
        /// The version.
        version: String,
    },
    /// Where the API answers is not known.
    #[error(
        "parameter `{parameter}` does not tell the API's address; deploy stack `api`, then rotate the secret again: {cause}"
    )]
    NoAddress {
        /// The parameter that should say.
        parameter: String,
        /// Why it does not.
        cause: CallError,
    },
    /// The parameter holds none that the token may be sent to.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// The API does not take the new token.
    #[error("the API does not take the pending token, so that it stays pending: {0}")]
    NotTaken(String),
    /// A call has failed.
    #[error(transparent)]
    Call(#[from] CallError),
}

/// Rotates secrets.
#[derive(Debug)]
pub struct Rotation {
    client: Client,
    /// The parameter that holds the API's address.
    parameter: String,
    /// Where the emulator answers, if it is one that this runs in.
    emulator: Option<String>,
    between_tries: Duration,
}

impl Rotation {
    /// Makes no call. `parameter` is the name of the parameter that holds the API's address.
    pub fn new(settings: Settings, parameter: String) -> Self {
        Self {
            emulator: settings.endpoint_url.clone(),
            client: Client::new(settings),
            parameter,
            between_tries: BETWEEN_TRIES,
        }
    }

    /// The same, with another wait between tries of the API.
    #[must_use]
    pub fn waiting(self, between_tries: Duration) -> Self {
        Self {
            between_tries,
            ..self
        }
    }

    /// Takes a step.
    ///
    /// # Errors
    /// If the step is not done; Secrets Manager asks for it again, and in the end gives the rotation up.
    pub async fn run(&self, event: &RotationEvent) -> Result<(), RotationError> {
        let secret = Secret::new(&self.client, &event.secret_id);
        let version = &event.client_request_token;
        let labels = secret.labels().await?;
        let not_rotating = |why| RotationError::NotRotating {
            secret: event.secret_id.clone(),
            version: version.clone(),
            why,
        };
        let ours = labels
            .get(version)
            .ok_or_else(|| not_rotating("there is no such version"))?;
        if ours.iter().any(|label| label == CURRENT) {
            // A step that is asked for again after the last.
            return Ok(());
        }
        if !ours.iter().any(|label| label == PENDING) {
            return Err(not_rotating("it has not the label AWSPENDING"));
        }
        match event.step {
            Step::Create => secret.make_pending(version).await,
            // The API reads the secret itself: there is nobody to tell.
            Step::Set => Ok(()),
            Step::Test => {
                let token = secret.pending(version).await?;
                self.try_api(&token).await
            }
            Step::Finish => {
                let current = labels
                    .iter()
                    .find(|(_, labels)| labels.iter().any(|label| label == CURRENT))
                    .map(|(version, _)| version.as_str())
                    .ok_or_else(|| RotationError::NoCurrent(event.secret_id.clone()))?;
                secret.make_current(version, current).await
            }
        }
    }

    /// Reads the table through the API with the token.
    async fn try_api(&self, token: &str) -> Result<(), RotationError> {
        let told = self.api_url().await?;
        let base = address::of(&told, None, self.emulator.as_deref())?;
        let url = address::with_path(&base, TRIAL)?;
        let authorization = format!("Bearer {token}");
        let headers = [("authorization", authorization.as_str())];
        let trial = Plain {
            method: "GET",
            url: &url,
            headers: &headers,
            body: &[],
            timeout: ANSWER_TIMEOUT,
        };
        let mut said = String::new();
        for tried in 0..TRIES {
            if tried > 0 {
                tokio::time::sleep(self.between_tries).await;
            }
            said = match self.client.ask(&trial).await {
                Ok(reply) if reply.status == 200 => return Ok(()),
                Ok(reply) => format!("GET {TRIAL} answers {}", reply.status),
                Err(error) => error.to_string(),
            };
        }
        Err(RotationError::NotTaken(said))
    }

    async fn api_url(&self) -> Result<String, RotationError> {
        let told = self.client.parameter(&self.parameter).await;
        told.map_err(|cause| RotationError::NoAddress {
            parameter: self.parameter.clone(),
            cause,
        })
    }
}
