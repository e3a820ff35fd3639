//! Signed calls, in the JSON protocols of AWS.
//!
//! <https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html>

use std::{
    fmt,
    time::{Duration, SystemTime},
};

use aws_credential_types::provider::ProvideCredentials as _;
use aws_sigv4::{
    http_request::{SignableBody, SignableRequest, SigningSettings, sign},
    sign::v4,
};
use aws_smithy_runtime_api::client::{
    http::HttpConnector as _, identity::Identity, orchestrator::HttpRequest, result::ConnectorError,
};
use http_body_util::{BodyExt as _, Limited};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{Connections, CredentialSource, Plain, endpoint};

/// The first try and one more, of calls that a second time does no harm.
const ATTEMPTS: u32 = 2;
/// The longest answer that is read: more than any that these calls have.
const MAX_ANSWER_BYTES: usize = 8 * 1024 * 1024;
pub(crate) const USER_AGENT: &str = concat!("stackway/", env!("CARGO_PKG_VERSION"));

/// A service by its two names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Service {
    /// What its requests are signed for, and its host begins with.
    pub name: &'static str,
    /// What `X-Amz-Target` begins with.
    pub target: &'static str,
}

/// <https://docs.aws.amazon.com/secretsmanager/latest/apireference/Welcome.html>
pub const SECRETS_MANAGER: Service = Service {
    name: "secretsmanager",
    target: "secretsmanager",
};

/// <https://docs.aws.amazon.com/systems-manager/latest/APIReference/Welcome.html>
pub const PARAMETERS: Service = Service {
    name: "ssm",
    target: "AmazonSSM",
};

/// <https://docs.aws.amazon.com/codedeploy/latest/APIReference/Welcome.html>
pub const CODE_DEPLOY: Service = Service {
    name: "codedeploy",
    target: "CodeDeploy_20141006",
};

/// Lambda's calls name their path and have no target.
///
/// <https://docs.aws.amazon.com/lambda/latest/api/welcome.html>
pub const LAMBDA: Service = Service {
    name: "lambda",
    target: "",
};

/// Where and as whom calls are made.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The region, which every request is signed for.
    pub region: String,
    /// Another address than the region's own: an emulator.
    pub endpoint_url: Option<String>,
    /// What requests are signed with.
    pub credentials: CredentialSource,
    /// What requests go through.
    pub connections: Connections,
    /// How long one try may take.
    pub timeout: Duration,
}

/// Why a call has no answer.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// The service has refused it.
    #[error("{operation}: {code}: {message}")]
    Refused {
        /// What was called.
        operation: String,
        /// The service's own name for the error.
        code: String,
        /// Its words.
        message: String,
    },
    /// No answer, or none that can be read.
    #[error("{operation}: {cause}")]
    Failed {
        /// What was called.
        operation: String,
        /// What went wrong.
        cause: String,
    },
}

impl CallError {
    /// The service's own name for the error, where it has answered.
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Refused { code, .. } => Some(code),
            Self::Failed { .. } => None,
        }
    }
}

/// Calls services by signed requests.
#[derive(Clone)]
pub struct Client {
    settings: Settings,
}

/// Shows no credentials.
impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("region", &self.settings.region)
            .field("endpoint_url", &self.settings.endpoint_url)
            .finish_non_exhaustive()
    }
}

/// An answer with a body of any kind.
pub(crate) struct Answer {
    pub(crate) status: u16,
    error_type: Option<String>,
    pub(crate) body: Vec<u8>,
}

/// One try that has failed.
pub(crate) struct Attempt {
    pub(crate) cause: String,
    /// Whether the same request may fare better.
    again: bool,
}

impl Client {
    /// Makes no call.
    pub const fn new(settings: Settings) -> Self {
        Self { settings }
    }

    /// Calls an operation of a JSON protocol. It is tried again once where the service may not have taken it or was
    /// busy, so it must be one that a second time does no harm.
    ///
    /// # Errors
    /// The service's refusal by its code, or what kept the answer away.
    pub async fn call<T: DeserializeOwned>(
        &self,
        service: Service,
        operation: &str,
        input: &impl Serialize,
    ) -> Result<T, CallError> {
        let target = format!("{}.{operation}", service.target);
        let headers = [
            ("content-type", "application/x-amz-json-1.1"),
            ("x-amz-target", target.as_str()),
        ];
        self.answered(service, operation, "/", &headers, input, ATTEMPTS)
            .await
    }

    /// Posts JSON to a path of a service that has no targets, once.
    ///
    /// # Errors
    /// As [`Client::call`].
    pub async fn post<T: DeserializeOwned>(
        &self,
        service: Service,
        operation: &str,
        path: &str,
        input: &impl Serialize,
    ) -> Result<T, CallError> {
        let headers = [("content-type", "application/json")];
        self.answered(service, operation, path, &headers, input, 1)
            .await
    }

    async fn answered<T: DeserializeOwned>(
        &self,
        service: Service,
        operation: &str,
        path: &str,
        headers: &[(&str, &str)],
        input: &impl Serialize,
        attempts: u32,
    ) -> Result<T, CallError> {
        let failed = |cause: String| CallError::Failed {
            operation: operation.to_owned(),
            cause,
        };
        let body = serde_json::to_vec(input).map_err(|error| failed(error.to_string()))?;
        let url = self.url(service, path).map_err(failed)?;
        let mut tried = 0;
        loop {
            tried += 1;
            let attempt = self.send(service.name, &url, headers, &body);
            let answer = match attempt.await {
                Ok(answer) => answer,
                Err(attempt) if attempt.again && tried < attempts => continue,
                Err(attempt) => return Err(failed(attempt.cause)),
            };
            if (200..300).contains(&answer.status) {
                // Some operations answer with nothing at all.
                let body: &[u8] = if answer.body.is_empty() {
                    b"null"
                } else {
                    &answer.body
                };
                return serde_json::from_slice(body).map_err(|error| {
                    failed(format!("the answer is not what it should be: {error}"))
                });
            }
            if answer.status >= 500 && tried < attempts {
                continue;
            }
            return Err(refusal(operation, &answer));
        }
    }

    fn url(&self, service: Service, path: &str) -> Result<String, String> {
        let base = match &self.settings.endpoint_url {
            Some(url) => url.trim_end_matches('/').to_owned(),
            None => endpoint::in_any_partition(service.name, &self.settings.region).ok_or_else(
                || {
                    format!(
                        "no endpoint of {} in `{}` is known; AWS_ENDPOINT_URL names one",
                        service.name, self.settings.region
                    )
                },
            )?,
        };
        Ok(base + path)
    }

    async fn send(
        &self,
        service: &str,
        url: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Result<Answer, Attempt> {
        let call = Plain {
            method: "POST",
            url,
            headers,
            body,
            timeout: self.settings.timeout,
        };
        self.send_signed(service, &call).await
    }

    /// Sends a request once, with a signature for a service.
    pub(crate) async fn send_signed(
        &self,
        service: &str,
        plain: &Plain<'_>,
    ) -> Result<Answer, Attempt> {
        let unsigned = |cause| Attempt {
            cause,
            again: false,
        };
        let identity = self.settings.credentials.provide_credentials().await;
        let identity = identity.map_err(|error| unsigned(causes(&error)))?;
        let request = self
            .signed(&identity.into(), service, plain)
            .map_err(unsigned)?;
        self.exchange(request, plain.timeout).await
    }

    pub(crate) async fn exchange(
        &self,
        request: HttpRequest,
        timeout: Duration,
    ) -> Result<Answer, Attempt> {
        let exchange = async {
            let response = self
                .settings
                .connections
                .connector()
                .call(request)
                .await
                .map_err(|error| Attempt {
                    again: may_pass(&error),
                    cause: causes(&error),
                })?;
            let status = response.status().as_u16();
            let error_type = response
                .headers()
                .get("x-amzn-errortype")
                .map(str::to_owned);
            let whole = Limited::new(response.into_body(), MAX_ANSWER_BYTES)
                .collect()
                .await
                .map_err(|error| Attempt {
                    cause: format!("the answer ended early: {error}"),
                    again: true,
                })?;
            Ok(Answer {
                status,
                error_type,
                body: whole.to_bytes().to_vec(),
            })
        };
        match tokio::time::timeout(timeout, exchange).await {
            Ok(answer) => answer,
            Err(_) => Err(Attempt {
                cause: format!("no answer within {} ms", timeout.as_millis()),
                again: true,
            }),
        }
    }

    fn signed(
        &self,
        identity: &Identity,
        service: &str,
        plain: &Plain<'_>,
    ) -> Result<HttpRequest, String> {
        let unsigned = |error: &dyn fmt::Display| format!("the request cannot be made: {error}");
        let mut request = plain.unsigned().map_err(|error| unsigned(&error))?;
        let parameters = v4::SigningParams::builder()
            .identity(identity)
            .region(&self.settings.region)
            .name(service)
            .time(SystemTime::now())
            .settings(SigningSettings::default())
            .build()
            .map_err(|error| unsigned(&error))?
            .into();
        let signable = SignableRequest::new(
            plain.method,
            plain.url,
            plain.headers.iter().copied(),
            SignableBody::Bytes(plain.body),
        )
        .map_err(|error| unsigned(&error))?;
        let (instructions, _) = sign(signable, &parameters)
            .map_err(|error| unsigned(&error))?
            .into_parts();
        instructions.apply_to_request_http1x(&mut request);
        HttpRequest::try_from(request).map_err(|error| unsigned(&error))
    }
}

fn may_pass(error: &ConnectorError) -> bool {
    error.is_io() || error.is_timeout()
}

pub(crate) fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text = format!("{text}: {cause}");
        next = cause.source();
    }
    text
}

/// What an error's body says, in any of the spellings that services have.
#[derive(Default, Deserialize)]
#[serde(default)]
struct ErrorBody {
    #[serde(rename = "__type")]
    kind: Option<String>,
    code: Option<String>,
    #[serde(alias = "Message")]
    message: Option<String>,
}

/// The code comes as a URI's fragment, or with a URI after a colon.
///
/// <https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html#operation-error-serialization>
fn refusal(operation: &str, answer: &Answer) -> CallError {
    let body: ErrorBody = serde_json::from_slice(&answer.body).unwrap_or_default();
    let code = answer.error_type.clone().or(body.code).or(body.kind);
    let code = code.as_deref().map(|code| {
        let code = code.split(':').next().unwrap_or_default();
        code.rsplit('#').next().unwrap_or_default()
    });
    match code {
        Some(code) if !code.is_empty() => CallError::Refused {
            operation: operation.to_owned(),
            code: code.to_owned(),
            message: body.message.unwrap_or_default(),
        },
        _ => CallError::Failed {
            operation: operation.to_owned(),
            cause: format!("the service answered {}", answer.status),
        },
    }
}
