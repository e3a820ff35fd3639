//! What requests are signed with: values of the environment, as Lambda sets them, or a task's own on ECS, which end after
//! hours and are fetched again before they do.
//!
//! <https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html>

#[cfg(test)]
mod tests;

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr},
    sync::{Arc, PoisonError, RwLock},
    time::{Duration, SystemTime},
};

use aws_credential_types::{
    Credentials,
    provider::{ProvideCredentials, error::CredentialsError, future},
};
use aws_smithy_runtime_api::client::{http::HttpConnector as _, orchestrator::HttpRequest};
use aws_smithy_types::{
    body::SdkBody,
    date_time::{DateTime, Format},
};
use http_body_util::{BodyExt as _, Limited};
use serde::Deserialize;
use tokio::{sync::Mutex, time::Instant};

use crate::{Connections, json::causes};

/// Where the agent of ECS hands out a task's credentials: a link-local address that only the task reaches.
const AGENT: Ipv4Addr = Ipv4Addr::new(169, 254, 170, 2);
/// How long before their end new ones are asked for. The agent has them by then, and a failure leaves time for more tries.
const AHEAD: Duration = Duration::from_mins(5);
/// How soon a failure is tried again: until the end of those that are known, a request waits for no try.
const BETWEEN_FAILURES: Duration = Duration::from_secs(1);
/// How long one try may take. A request waits for the first.
const TIMEOUT: Duration = Duration::from_secs(2);
/// The longest answer that is read.
const MAX_ANSWER_BYTES: usize = 64 * 1024;

/// Where the credentials of requests come from.
///
/// Clones share what was fetched.
#[derive(Clone)]
pub struct CredentialSource(Kind);

#[derive(Clone)]
enum Kind {
    Fixed(Credentials),
    Container(Arc<Container>),
}

/// Shows no credentials.
impl fmt::Debug for CredentialSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Fixed(_) => f.write_str("Fixed"),
            Kind::Container(container) => write!(f, "Container({})", container.address.url),
        }
    }
}

impl From<Credentials> for CredentialSource {
    fn from(credentials: Credentials) -> Self {
        Self(Kind::Fixed(credentials))
    }
}

impl CredentialSource {
    /// Fetches from a container's endpoint, with the first request and not before.
    pub fn container(address: ContainerEndpoint, connections: Connections) -> Self {
        Self(Kind::Container(Arc::new(Container {
            address,
            connections,
            state: RwLock::default(),
            turn: Mutex::new(()),
        })))
    }
}

impl ProvideCredentials for CredentialSource {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        match &self.0 {
            Kind::Fixed(credentials) => future::ProvideCredentials::ready(Ok(credentials.clone())),
            Kind::Container(container) => match container.fresh() {
                Some(credentials) => future::ProvideCredentials::ready(Ok(credentials)),
                None => future::ProvideCredentials::new(container.renewed()),
            },
        }
    }
}

/// Where a container's credentials are fetched.
#[derive(Clone, PartialEq, Eq)]
pub struct ContainerEndpoint {
    url: String,
    /// What the endpoint asks for in `Authorization`, where it does.
    token: Option<String>,
}

/// Shows no token.
impl fmt::Debug for ContainerEndpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ContainerEndpoint({})", self.url)
    }
}

impl ContainerEndpoint {
    /// Reads the variables that ECS sets, from `set`; none where it has set none.
    ///
    /// `AWS_CONTAINER_CREDENTIALS_FULL_URI` is for an endpoint on the same machine. It must be one that no other machine
    /// can be, since credentials come over HTTP.
    ///
    /// # Errors
    /// What is wrong with a variable, with its name.
    pub fn read(set: impl Fn(&str) -> Option<String>) -> Result<Option<Self>, String> {
        const RELATIVE: &str = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI";
        const FULL: &str = "AWS_CONTAINER_CREDENTIALS_FULL_URI";
        let url = if let Some(path) = set(RELATIVE) {
            if !path.starts_with('/') {
                return Err(format!("{RELATIVE} is `{path}`: it must be a path"));
            }
            format!("http://{AGENT}{path}")
        } else if let Some(url) = set(FULL) {
            if !is_near(&url) {
                return Err(format!(
                    "{FULL} is `{url}`: it must be http:// with a loopback address, or {AGENT}"
                ));
            }
            url
        } else {
            return Ok(None);
        };
        if url.parse::<http::Uri>().is_err() {
            return Err(format!("`{url}`, where credentials are, is no address"));
        }
        Ok(Some(Self {
            url,
            token: set("AWS_CONTAINER_AUTHORIZATION_TOKEN"),
        }))
    }
}

/// Whether what is sent there stays on this machine.
fn is_near(url: &str) -> bool {
    let Ok(uri) = url.parse::<http::Uri>() else {
        return false;
    };
    let host = uri.host().unwrap_or_default();
    let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
    uri.scheme_str() == Some("http")
        && address.is_ok_and(|address| address.is_loopback() || address == IpAddr::V4(AGENT))
}

/// A container's credentials, and when they were asked for.
struct Container {
    address: ContainerEndpoint,
    connections: Connections,
    state: RwLock<State>,
    /// Held by the one request that fetches.
    turn: Mutex<()>,
}

#[derive(Clone, Default)]
struct State {
    known: Option<Credentials>,
    /// The last try that failed, and why.
    failed: Option<(Instant, String)>,
}

impl State {
    /// Those that last longer than `ahead`.
    fn lasting(&self, ahead: Duration) -> Option<Credentials> {
        let soon = SystemTime::now() + ahead;
        let lasts = |known: &&Credentials| known.expiry().is_none_or(|end| end > soon);
        self.known.as_ref().filter(lasts).cloned()
    }

    /// Why nothing is fetched at the moment.
    fn failure(&self) -> Option<&str> {
        let (tried, failure) = self.failed.as_ref()?;
        (tried.elapsed() < BETWEEN_FAILURES).then_some(failure.as_str())
    }
}

/// <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-iam-roles.html>
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    access_key_id: String,
    secret_access_key: String,
    token: Option<String>,
    /// ISO 8601.
    expiration: String,
}

impl Container {
    fn state(&self) -> State {
        // A panic leaves nothing half written: the state is replaced whole.
        self.state
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Those that need no call.
    fn fresh(&self) -> Option<Credentials> {
        self.state().lasting(AHEAD)
    }

    /// New ones; until the end of those that are known, what is known if there are none to be had.
    async fn renewed(&self) -> Result<Credentials, CredentialsError> {
        let known = self.state().lasting(Duration::ZERO);
        let turn = match &known {
            // One request fetches; the others need not wait for it.
            Some(known) => match self.turn.try_lock() {
                Ok(turn) => turn,
                Err(_) => return Ok(known.clone()),
            },
            None => self.turn.lock().await,
        };
        // Another may have fetched meanwhile.
        let state = self.state();
        if let Some(credentials) = state.lasting(AHEAD) {
            return Ok(credentials);
        }
        let fetched = match state.failure() {
            Some(failure) => Err(failure.to_owned()),
            None => self.fetch().await,
        };
        drop(turn);
        match (fetched, known) {
            (Ok(credentials), _) | (Err(_), Some(credentials)) => Ok(credentials),
            (Err(failure), None) => Err(CredentialsError::provider_error(failure)),
        }
    }

    async fn fetch(&self) -> Result<Credentials, String> {
        let fetched = match tokio::time::timeout(TIMEOUT, self.get()).await {
            Ok(fetched) => fetched,
            Err(_) => Err(format!("no answer within {} ms", TIMEOUT.as_millis())),
        };
        let fetched = fetched.map_err(|cause| format!("the credentials of the container: {cause}"));
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        match &fetched {
            Ok(credentials) => {
                *state = State {
                    known: Some(credentials.clone()),
                    failed: None,
                };
            }
            Err(failure) => state.failed = Some((Instant::now(), failure.clone())),
        }
        fetched
    }

    async fn get(&self) -> Result<Credentials, String> {
        let mut request = http::Request::get(&self.address.url);
        if let Some(token) = &self.address.token {
            request = request.header("authorization", token);
        }
        let request = request
            .body(SdkBody::empty())
            .map_err(|error| error.to_string())?;
        let request = HttpRequest::try_from(request).map_err(|error| error.to_string())?;
        let response = self.connections.connector().call(request).await;
        let response = response.map_err(|error| causes(&error))?;
        let status = response.status();
        let body = Limited::new(response.into_body(), MAX_ANSWER_BYTES)
            .collect()
            .await
            .map_err(|error| format!("the answer ended early: {error}"))?;
        if !status.is_success() {
            return Err(format!("the endpoint answered {}", status.as_u16()));
        }
        // What the parser says of a fault may quote the answer, which holds a secret.
        let unfit = |_| "the answer is not what it should be".to_owned();
        let answer: Answer = serde_json::from_slice(&body.to_bytes()).map_err(unfit)?;
        let end = DateTime::from_str(&answer.expiration, Format::DateTime)
            .ok()
            .and_then(|end| SystemTime::try_from(end).ok())
            .ok_or("the answer's Expiration is no time")?;
        Ok(Credentials::new(
            answer.access_key_id,
            answer.secret_access_key,
            answer.token,
            Some(end),
            "container",
        ))
    }
}
