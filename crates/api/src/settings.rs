//! What the environment decides. `main` hands in the lookup; nothing else reads the environment.

use std::{net::SocketAddr, time::Duration};

use aws_sdk_dynamodb::config::Credentials;
use stackway_aws_client::{Connections, TrustRoots};
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
    /// The function's name under Lambda.
    pub service: String,
    /// By the service alone, or by its routes too.
    pub detail: Detail,
    /// Whether Lambda has started the process ahead of requests.
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
        let key_id = require(&["AWS_ACCESS_KEY_ID"], "the id of an access key");
        let secret = require(&["AWS_SECRET_ACCESS_KEY"], "the secret of the access key");

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
            let address = set("LISTEN_ADDR").unwrap_or_else(|| DEFAULT_LISTEN.to_owned());
            address.parse().map_or_else(
                |_| {
                    faults.push(format!(
                        "LISTEN_ADDR is `{address}`: it must be an address and a port, such as {DEFAULT_LISTEN}"
                    ));
                    Host::Lambda
                },
                Host::Server,
            )
        };
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
        let credentials = Credentials::new(
            key_id,
            secret,
            set("AWS_SESSION_TOKEN"),
            None,
            "environment",
        );
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
            .unwrap_or_else(|| env!("CARGO_PKG_NAME").to_owned()),
        detail,
        started_ahead: is_started_ahead(set),
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
    let hours = match set("API_TOKEN_GRACE_HOURS") {
        None => DEFAULT_GRACE_HOURS,
        Some(text) => match text.parse() {
            Ok(hours) if hours <= MAX_GRACE_HOURS => hours,
            _ => {
                faults.push(format!(
                    "API_TOKEN_GRACE_HOURS is `{text}`: it must be a number of hours up to {MAX_GRACE_HOURS}"
                ));
                DEFAULT_GRACE_HOURS
            }
        },
    };
    Duration::from_hours(hours)
}

fn read_roots(path: &str) -> Result<TrustRoots, String> {
    let pem = std::fs::read(path).map_err(|error| format!("the file cannot be read: {error}"))?;
    TrustRoots::from_pem(&pem).map_err(|fault| format!("the file {fault}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEAST: [(&str, &str); 4] = [
        ("TABLE_NAME", "items"),
        ("AWS_REGION", "eu-west-2"),
        ("AWS_ACCESS_KEY_ID", "id"),
        ("AWS_SECRET_ACCESS_KEY", "secret"),
    ];

    fn read(variables: &[(&str, &str)]) -> Result<Settings, SettingsError> {
        let all = [&LEAST, variables].concat();
        Settings::read(|name| {
            let last = all.iter().rfind(|(known, _)| *known == name);
            last.map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn the_least_gives_a_server_on_loopback() {
        let settings = read(&[]).unwrap();
        assert_eq!(settings.host, Host::Server(DEFAULT_LISTEN.parse().unwrap()));
        assert_eq!(settings.log_level, Level::INFO);
        assert_eq!(settings.table.endpoint_url, None);
    }

    #[test]
    fn the_runtime_api_means_lambda() {
        let settings = read(&[("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:9001")]).unwrap();
        assert_eq!(settings.host, Host::Lambda);
    }

    #[track_caller]
    fn check_warm_up(variables: &[(&str, &str)], expected: bool) {
        assert_eq!(read(variables).unwrap().warm_up, expected, "{variables:?}");
    }

    #[test]
    fn the_connection_is_made_ahead_where_the_start_is() {
        let started = |kind| ("AWS_LAMBDA_INITIALIZATION_TYPE", kind);
        check_warm_up(&[], false);
        check_warm_up(&[started("on-demand")], false);
        check_warm_up(&[started("provisioned-concurrency")], true);
        check_warm_up(
            &[started("provisioned-concurrency"), ("WARM_UP", "never")],
            false,
        );
        check_warm_up(&[started("on-demand"), ("WARM_UP", "always")], true);
    }

    #[test]
    fn a_bundle_of_certificates_is_read_at_once() {
        let fault = |path: &str| read(&[("AWS_CA_BUNDLE", path)]).unwrap_err().to_string();
        let absent = fault("/nowhere/roots.pem");
        assert!(
            absent.contains("AWS_CA_BUNDLE is `/nowhere/roots.pem`: the file cannot be read"),
            "{absent}"
        );
        let other = fault(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"));
        assert!(other.contains("the file holds no certificate"), "{other}");
    }

    #[test]
    fn the_endpoint_of_the_service_goes_before_that_of_all() {
        let settings = read(&[
            ("AWS_ENDPOINT_URL", "http://127.0.0.1:1"),
            ("AWS_ENDPOINT_URL_DYNAMODB", "http://127.0.0.1:2"),
        ]);
        let endpoint = settings.unwrap().table.endpoint_url;
        assert_eq!(endpoint.as_deref(), Some("http://127.0.0.1:2"));
    }

    #[test]
    fn metrics_are_lambda_s_unless_they_are_asked_for() {
        let detail = |variables: &[(&str, &str)]| {
            let metrics = read(variables).unwrap().metrics;
            metrics.map(|metrics| (metrics.service, metrics.detail))
        };
        let api = ("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:9001");
        let name = ("AWS_LAMBDA_FUNCTION_NAME", "f");
        assert_eq!(detail(&[]), None);
        assert_eq!(
            detail(&[("METRICS", "route")]),
            Some(("stackway-api".to_owned(), Detail::Route))
        );
        assert_eq!(
            detail(&[api, name]),
            Some(("f".to_owned(), Detail::Service))
        );
        assert_eq!(detail(&[api, name, ("METRICS", "none")]), None);
    }

    #[test]
    fn the_service_is_open_unless_a_token_is_named() {
        let access = |variables: &[(&str, &str)]| read(variables).unwrap().access;
        assert!(matches!(access(&[]), Access::Open));
        assert!(matches!(
            access(&[("API_TOKEN_SECRET", "none")]),
            Access::Open
        ));
        let settings = access(&[("API_TOKEN", "s3cret-of-mine")]);
        assert!(!format!("{settings:?}").contains("s3cret"), "{settings:?}");
        let Access::Secret(secret) = access(&[
            ("API_TOKEN_SECRET", "items-token"),
            ("API_TOKEN_GRACE_HOURS", "2"),
            ("AWS_ENDPOINT_URL_SECRETS_MANAGER", "http://127.0.0.1:3"),
        ]) else {
            panic!("the secret decides");
        };
        assert_eq!(secret.secret, "items-token");
        assert_eq!(secret.grace.as_secs(), 7200);
        assert_eq!(secret.endpoint_url.as_deref(), Some("http://127.0.0.1:3"));
    }

    #[test]
    fn every_fault_is_named_at_once() {
        let error = read(&[
            ("TABLE_NAME", ""),
            ("LOG_LEVEL", "loud"),
            ("LISTEN_ADDR", "here"),
            ("WARM_UP", "soon"),
            ("METRICS", "all"),
            ("AWS_XRAY_DAEMON_ADDRESS", "nowhere"),
            ("API_TOKEN", "two words"),
            ("API_TOKEN_SECRET", "items-token"),
            ("API_TOKEN_GRACE_HOURS", "ages"),
        ]);
        insta::assert_snapshot!(error.unwrap_err(), @r"
        the environment lacks settings:
          TABLE_NAME is not set: the name of the DynamoDB table
          LOG_LEVEL is `loud`: it must be error, warn, info, debug or trace
          LISTEN_ADDR is `here`: it must be an address and a port, such as 127.0.0.1:8080
          WARM_UP is `soon`: it must be auto, always or never
          METRICS is `all`: it must be none, service or route
          AWS_XRAY_DAEMON_ADDRESS is `nowhere`: it must be an address and a port, such as 127.0.0.1:2000
          API_TOKEN and API_TOKEN_SECRET are both set: one of them decides
          API_TOKEN must be letters, digits and -._~+/= alone, as a header carries them
          API_TOKEN_GRACE_HOURS is `ages`: it must be a number of hours up to 8760
        ");
    }
}
