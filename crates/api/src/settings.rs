//! What the environment decides. `main` hands in the lookup; nothing else reads the environment.

#[cfg(test)]
mod tests;

use std::{net::SocketAddr, time::Duration};

use aws_sdk_dynamodb::config::Credentials;
use stackway_aws_client::{Connections, ContainerEndpoint, CredentialSource, TrustRoots};
use tracing::Level;

use crate::{
    metrics::Detail,
    store::DynamoDbSettings,
    token::{SecretSettings, Token},
    trace::Daemon,
};

const DEFAULT_LISTEN: &str = "127.0.0.1:8080";
const DEFAULT_LEVEL: &str = "info";
const DEFAULT_GRACE_HOURS: u64 = 24;
/// The longest grace that a replaced token may be given: a year.
const MAX_GRACE_HOURS: u64 = 8760;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
/// The longest that a server goes on after it is asked to stop. ECS ends a task by force after two minutes at most.
const MAX_STOP_DELAY_SECONDS: u64 = 60;
/// What a template fills in where there is no secret.
const NONE: &str = "none";

/// How Lambda starts a function before there is a request for it. On demand, the first request waits for the start, and
/// a connection is no sooner made ahead of it than in its course.
///
/// <https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime>
const AHEAD_OF_REQUESTS: [&str; 2] = ["provisioned-concurrency", "lambda-managed-instances"];

/// Where the service runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Host {
    /// Under Lambda, which sets `AWS_LAMBDA_RUNTIME_API`.
    Lambda,
    /// As a plain HTTP server on this address (`LISTEN_ADDR`).
    Server(SocketAddr),
}

/// Whom the service answers.
#[derive(Clone, Debug)]
pub enum Access {
    /// Everybody who reaches it. API Gateway may still ask for more.
    Open,
    /// Those who have this token (`API_TOKEN`), for a service on one's own machine.
    Token(Token),
    /// Those who have the token in this secret (`API_TOKEN_SECRET`).
    Secret(SecretSettings),
}

/// Every setting of the service, checked.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where the service runs.
    pub host: Host,
    /// How long a server goes on answering after it is asked to stop (`STOP_DELAY_SECONDS`): until what sends it requests
    /// has heard of it.
    pub stop_delay: Duration,
    /// The level of this crate's log (`LOG_LEVEL`).
    pub log_level: Level,
    /// Whether the connection to the table is made before the first request (`WARM_UP`).
    pub warm_up: bool,
    /// The table and how to reach it.
    pub table: DynamoDbSettings,
    /// Whom the service answers.
    pub access: Access,
    /// What the lines of the log have of metrics (`METRICS`).
    pub metrics: Option<MetricsSettings>,
}

/// Whose metrics, and by what they can be told apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MetricsSettings {
    /// The function's name under Lambda; elsewhere `SERVICE_NAME`.
    pub service: String,
    /// By the service alone, or by its routes too.
    pub detail: Detail,
    /// Whether the process was started ahead of requests, as a server is.
    pub started_ahead: bool,
}

/// Every setting that is missing or wrong, one a line.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("the environment lacks settings:\n  {}", .0.join("\n  "))]
pub struct SettingsError(Vec<String>);

impl Settings {
    /// Reads the settings from `lookup`, which answers with the value of an environment variable.
    ///
    /// # Errors
    /// All faults at once.
    pub fn read(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, SettingsError> {
        let set = |name: &str| lookup(name).filter(|value| !value.is_empty());
        let mut faults = Vec::new();
        let mut require = |names: &[&str], what: &str| {
            let found = names.iter().find_map(|name| set(name));
            if found.is_none() {
                faults.push(format!("{} is not set: {what}", names[0]));
            }
            found.unwrap_or_default()
        };
        let table = require(&["TABLE_NAME"], "the name of the DynamoDB table");
        let region = require(
            &["AWS_REGION", "AWS_DEFAULT_REGION"],
            "the region of the table",
        );
        let keys = read_keys(&set, &mut require);
        let keys = keys.unwrap_or_else(|fault| {
            faults.push(fault);
            None
        });

        let level_name = set("LOG_LEVEL").unwrap_or_else(|| DEFAULT_LEVEL.to_owned());
        let log_level = level_name.parse().unwrap_or_else(|_| {
            faults.push(format!(
                "LOG_LEVEL is `{level_name}`: it must be error, warn, info, debug or trace"
            ));
            Level::INFO
        });
        let host = if set("AWS_LAMBDA_RUNTIME_API").is_some() {
            Host::Lambda
        } else {
            listen_address(set).map_or_else(
                |fault| {
                    faults.push(fault);
                    Host::Lambda
                },
                Host::Server,
            )
        };
        let stop_delay = ("STOP_DELAY_SECONDS", "seconds", MAX_STOP_DELAY_SECONDS);
        let stop_delay = read_number(&set, stop_delay, &mut faults);
        let warm_up = read_warm_up(&set, &mut faults);
        let trust_roots = set("AWS_CA_BUNDLE").map_or_else(
            || Ok(TrustRoots::amazon()),
            |path| read_roots(&path).map_err(|fault| format!("AWS_CA_BUNDLE is `{path}`: {fault}")),
        );
        let trust_roots = trust_roots.unwrap_or_else(|fault| {
            faults.push(fault);
            TrustRoots::amazon()
        });
        let metrics = read_metrics(&set, &host, &mut faults);
        let daemon = set("AWS_XRAY_DAEMON_ADDRESS").and_then(|text| {
            let address = Daemon::address(&text);
            if address.is_none() {
                faults.push(format!(
                    "AWS_XRAY_DAEMON_ADDRESS is `{text}`: it must be an address and a port, such as 127.0.0.1:2000"
                ));
            }
            address
        });
        let (token, secret_name) = read_token(&set, &mut faults);
        let grace = read_grace(&set, &mut faults);
        if !faults.is_empty() {
            return Err(SettingsError(faults));
        }
        let connections = Connections::new(trust_roots, CONNECT_TIMEOUT);
        let credentials = match keys {
            Some(Keys::Container(endpoint)) => {
                CredentialSource::container(endpoint, connections.clone())
            }
            Some(Keys::Values(credentials)) => credentials.into(),
            // Without keys there is a fault.
            None => return Err(SettingsError(faults)),
        };
        let access = match (token, secret_name) {
            (Some(token), _) => Access::Token(token),
            (None, Some(secret)) => Access::Secret(SecretSettings {
                secret,
                grace,
                region: region.clone(),
                endpoint_url: set("AWS_ENDPOINT_URL_SECRETS_MANAGER")
                    .or_else(|| set("AWS_ENDPOINT_URL")),
                credentials: credentials.clone(),
                connections: connections.clone(),
            }),
            (None, None) => Access::Open,
        };
        Ok(Self {
            host,
            stop_delay: Duration::from_secs(stop_delay.unwrap_or_default()),
            log_level,
            warm_up,
            access,
            metrics,
            table: DynamoDbSettings {
                table,
                region,
                endpoint_url: set("AWS_ENDPOINT_URL_DYNAMODB").or_else(|| set("AWS_ENDPOINT_URL")),
                credentials,
                connections,
                daemon,
            },
        })
    }
}

/// The address that a server listens on.
///
/// # Errors
/// What is wrong with it.
pub fn listen_address(set: impl Fn(&str) -> Option<String>) -> Result<SocketAddr, String> {
    let address = set("LISTEN_ADDR").filter(|address| !address.is_empty());
    let address = address.unwrap_or_else(|| DEFAULT_LISTEN.to_owned());
    address.parse().map_err(|_| {
        format!(
            "LISTEN_ADDR is `{address}`: it must be an address and a port, such as {DEFAULT_LISTEN}"
        )
    })
}

/// What requests are signed with, as far as the environment has it.
enum Keys {
    Values(Credentials),
    Container(ContainerEndpoint),
}

/// Values go before a container's endpoint, as they do in AWS's own SDKs.
fn read_keys(
    set: &impl Fn(&str) -> Option<String>,
    require: &mut impl FnMut(&[&str], &str) -> String,
) -> Result<Option<Keys>, String> {
    const KEY: &str = "AWS_ACCESS_KEY_ID";
    if set(KEY).is_none()
        && let Some(endpoint) = ContainerEndpoint::read(set)?
    {
        return Ok(Some(Keys::Container(endpoint)));
    }
    let key_id = require(&[KEY], "the id of an access key");
    let secret = require(&["AWS_SECRET_ACCESS_KEY"], "the secret of the access key");
    let session = set("AWS_SESSION_TOKEN");
    let credentials = Credentials::new(key_id, secret, session, None, "environment");
    Ok(Some(Keys::Values(credentials)))
}

/// Whether Lambda has started the process ahead of requests.
fn is_started_ahead(set: &impl Fn(&str) -> Option<String>) -> bool {
    set("AWS_LAMBDA_INITIALIZATION_TYPE")
        .is_some_and(|kind| AHEAD_OF_REQUESTS.contains(&kind.as_str()))
}

/// Metrics come from the log, and so only under Lambda by themselves.
fn read_metrics(
    set: &impl Fn(&str) -> Option<String>,
    host: &Host,
    faults: &mut Vec<String>,
) -> Option<MetricsSettings> {
    let detail = match (set("METRICS").as_deref(), host) {
        (None, Host::Lambda) | (Some("service"), _) => Detail::Service,
        (Some("route"), _) => Detail::Route,
        (None, Host::Server(_)) | (Some("none"), _) => return None,
        (Some(other), _) => {
            faults.push(format!(
                "METRICS is `{other}`: it must be none, service or route"
            ));
            return None;
        }
    };
    Some(MetricsSettings {
        service: set("AWS_LAMBDA_FUNCTION_NAME")
            .or_else(|| set("SERVICE_NAME"))
            .unwrap_or_else(|| env!("CARGO_PKG_NAME").to_owned()),
        detail,
        started_ahead: matches!(host, Host::Server(_)) || is_started_ahead(set),
    })
}

fn read_warm_up(set: &impl Fn(&str) -> Option<String>, faults: &mut Vec<String>) -> bool {
    match set("WARM_UP").as_deref() {
        None | Some("auto") => is_started_ahead(set),
        Some("always") => true,
        Some("never") => false,
        Some(other) => {
            faults.push(format!(
                "WARM_UP is `{other}`: it must be auto, always or never"
            ));
            false
        }
    }
}

/// The token itself, or the secret's name: at most one of them.
fn read_token(
    set: &impl Fn(&str) -> Option<String>,
    faults: &mut Vec<String>,
) -> (Option<Token>, Option<String>) {
    let secret = set("API_TOKEN_SECRET").filter(|name| name != NONE);
    let token = set("API_TOKEN").and_then(|token| {
        if secret.is_some() {
            faults.push(
                "API_TOKEN and API_TOKEN_SECRET are both set: one of them decides".to_owned(),
            );
        }
        Token::new(token)
            .map_err(|fault| faults.push(format!("API_TOKEN {fault}")))
            .ok()
    });
    (token, secret)
}

fn read_grace(set: &impl Fn(&str) -> Option<String>, faults: &mut Vec<String>) -> Duration {
    let grace = ("API_TOKEN_GRACE_HOURS", "hours", MAX_GRACE_HOURS);
    Duration::from_hours(read_number(set, grace, faults).unwrap_or(DEFAULT_GRACE_HOURS))
}

/// A variable that is a number: its name, its unit, and the most that it may be.
fn read_number(
    set: &impl Fn(&str) -> Option<String>,
    (name, unit, most): (&str, &str, u64),
    faults: &mut Vec<String>,
) -> Option<u64> {
    let text = set(name)?;
    let number = text.parse().ok().filter(|number| *number <= most);
    if number.is_none() {
        faults.push(format!(
            "{name} is `{text}`: it must be a number of {unit} up to {most}"
        ));
    }
    number
}

fn read_roots(path: &str) -> Result<TrustRoots, String> {
    let pem = std::fs::read(path).map_err(|error| format!("the file cannot be read: {error}"))?;
    TrustRoots::from_pem(&pem).map_err(|fault| format!("the file {fault}"))
}
