//! What a command works on, resolved once from flags, STACKWAY_* variables and stackway.toml, before anything acts.

use stackway_infra::config::{Config, Environment, EnvironmentKind};
use stackway_infra::naming::Naming;
use stackway_local_cloud::DEFAULT_PORT;

use crate::cli::{EndpointArgs, GlobalArgs};
use crate::failure::{Failure, Kind};
use crate::project::Project;
use crate::ui::Ui;

/// The environment to work on, and where its calls go.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) project: Project,
    pub(crate) environment: Environment,
    pub(crate) repository: String,
    pub(crate) naming: Naming,
    pub(crate) endpoint: Endpoint,
}

/// Where AWS calls go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Endpoint {
    /// To AWS, or to an endpoint of the user's with the user's credentials.
    Aws { endpoint_url: Option<String> },
    /// To an emulator that somebody else runs.
    Given(String),
    /// To the emulator that `deploy` starts, on this port if it does not run yet.
    Own { port: u16 },
}

impl Settings {
    pub(crate) fn resolve(
        ui: &Ui,
        global: &GlobalArgs,
        endpoint: &EndpointArgs,
    ) -> Result<Self, Failure> {
        let variable = std::env::var("AWS_ENDPOINT_URL")
            .ok()
            .filter(|url| !url.is_empty());
        Self::read(global, |kind| {
            Endpoint::choose(ui, kind, endpoint, variable)
        })
    }

    /// For a command that calls nothing, wherever the variables point.
    pub(crate) fn resolve_without_endpoint(global: &GlobalArgs) -> Result<Self, Failure> {
        Self::read(global, |_| Ok(Endpoint::Own { port: DEFAULT_PORT }))
    }

    fn read(
        global: &GlobalArgs,
        endpoint: impl FnOnce(EnvironmentKind) -> Result<Endpoint, Failure>,
    ) -> Result<Self, Failure> {
        let project = Project::locate()?;
        let refuse = |error: stackway_infra::config::ConfigError| {
            let failure = Failure::new(Kind::Configuration, error.to_string());
            match error.hint() {
                Some(hint) => failure.hint(hint),
                None => failure,
            }
        };
        let config = Config::load(&project.path("stackway.toml")).map_err(refuse)?;
        let environment = config.environment(&global.env).map_err(refuse)?.clone();
        let region = environment
            .regions
            .first()
            .map(ToString::to_string)
            .unwrap_or_default();
        let naming = Naming {
            project: config.project.name.to_string(),
            region,
            environment: environment.name.to_string(),
        };
        let endpoint = endpoint(environment.kind)?;
        Ok(Self {
            repository: config.project.repository.clone(),
            project,
            environment,
            naming,
            endpoint,
        })
    }

    /// The parameters that stackway.toml gives a stack.
    pub(crate) fn parameters(&self, stack: &str) -> std::collections::BTreeMap<String, String> {
        self.environment
            .parameters
            .get(stack)
            .cloned()
            .unwrap_or_default()
    }
}

impl Endpoint {
    fn choose(
        ui: &Ui,
        kind: EnvironmentKind,
        args: &EndpointArgs,
        variable: Option<String>,
    ) -> Result<Self, Failure> {
        if let Some(url) = &args.endpoint_url
            && !url.starts_with("http://")
            && !url.starts_with("https://")
        {
            return Err(
                Failure::new(Kind::Configuration, format!("`{url}` is not an address"))
                    .hint("give --endpoint-url as http://HOST:PORT"),
            );
        }
        let url = args
            .endpoint_url
            .as_ref()
            .map(|url| url.trim_end_matches('/').to_owned());
        match (kind, url) {
            // The SDK would keep the variable too; read here, it is shown before anything is written.
            (EnvironmentKind::Aws, url) => Ok(Self::Aws {
                endpoint_url: url.or(variable),
            }),
            (EnvironmentKind::Local, Some(url)) => Ok(Self::Given(url)),
            (EnvironmentKind::Local, None) => match variable {
                Some(url) if is_loopback(&url) => {
                    ui.say(format!("using the emulator at {url} (AWS_ENDPOINT_URL)"));
                    Ok(Self::Given(url.trim_end_matches('/').to_owned()))
                }
                Some(url) => {
                    ui.warn(format!(
                        "AWS_ENDPOINT_URL={url} is not on this machine and is left alone; name it with --endpoint-url to use it"
                    ));
                    Ok(Self::Own {
                        port: args.port.unwrap_or(DEFAULT_PORT),
                    })
                }
                None => Ok(Self::Own {
                    port: args.port.unwrap_or(DEFAULT_PORT),
                }),
            },
        }
    }
}

/// Whether an address is on this machine.
fn is_loopback(url: &str) -> bool {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    let host = authority
        .rsplit_once('@')
        .map_or(authority, |(_, host)| host);
    let host = match host.strip_prefix('[') {
        Some(v6) => v6.split(']').next().unwrap_or(v6),
        None => host.split(':').next().unwrap_or(host),
    };
    host == "localhost"
        || host
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback() {
        for (url, expected) in [
            ("http://127.0.0.1:4566", true),
            ("http://127.9.9.9", true),
            ("https://localhost:1/path", true),
            ("http://[::1]:4566", true),
            ("http://localhost.example.com", false),
            ("http://127.0.0.1.example.com", false),
            ("http://127.0.0.1@example.com/", false),
            ("http://10.0.0.1:4566", false),
            ("https://cloudformation.eu-west-2.amazonaws.com", false),
        ] {
            assert_eq!(is_loopback(url), expected, "{url}");
        }
    }
}
