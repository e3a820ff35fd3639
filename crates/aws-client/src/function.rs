//! What a function of the project starts with: its settings from the environment, and lines of its log.

use std::{
    io::{self, Write as _},
    time::Duration,
};

use aws_credential_types::Credentials;
use serde_json::json;

use crate::{Connections, Settings, TrustRoots};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
/// How long one try of a call may take.
const TIMEOUT: Duration = Duration::from_secs(5);

/// What a function reads of its environment.
#[derive(Clone, Debug)]
pub struct FunctionSettings {
    /// How it calls AWS.
    pub client: Settings,
    /// The variables of its own that it needs, in the order in which they were asked for.
    pub variables: Vec<String>,
}

/// Every variable that is missing, one a line.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("the environment lacks settings:\n  {}", .0.join("\n  "))]
pub struct SettingsError(Vec<String>);

/// Reads the settings from `lookup`, which answers with the value of an environment variable. Lambda sets the region and
/// the credentials; `variables` are the function's own.
///
/// # Errors
/// All that is missing at once.
pub fn settings(
    lookup: impl Fn(&str) -> Option<String>,
    variables: &[&str],
) -> Result<FunctionSettings, SettingsError> {
    let set = |name: &str| lookup(name).filter(|value| !value.is_empty());
    let mut faults = Vec::new();
    let mut require = |name: &str| {
        set(name).unwrap_or_else(|| {
            faults.push(format!("{name} is not set"));
            String::new()
        })
    };
    let region = require("AWS_REGION");
    let (key_id, secret) = (
        require("AWS_ACCESS_KEY_ID"),
        require("AWS_SECRET_ACCESS_KEY"),
    );
    let variables = variables.iter().map(|name| require(name)).collect();
    if !faults.is_empty() {
        return Err(SettingsError(faults));
    }
    Ok(FunctionSettings {
        client: Settings {
            region,
            endpoint_url: set("AWS_ENDPOINT_URL"),
            credentials: Credentials::new(
                key_id,
                secret,
                set("AWS_SESSION_TOKEN"),
                None,
                "environment",
            )
            .into(),
            connections: Connections::new(TrustRoots::amazon(), CONNECT_TIMEOUT),
            timeout: TIMEOUT,
        },
        variables,
    })
}

/// Writes a line of the log: one JSON object on stderr, as the API's are.
pub fn log(request_id: &str, level: &str, message: &str) {
    let line = json!({ "level": level, "request_id": request_id, "message": message });
    // Where the log cannot be written there is nobody to tell.
    let _ = writeln!(io::stderr(), "{line}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_that_is_missing_is_named_at_once() {
        let error = settings(
            |name| (name == "AWS_REGION").then(|| "eu-west-2".to_owned()),
            &["API_URL_PARAMETER"],
        );
        assert_eq!(
            error.unwrap_err().to_string(),
            "the environment lacks settings:\n  AWS_ACCESS_KEY_ID is not set\n  \
             AWS_SECRET_ACCESS_KEY is not set\n  API_URL_PARAMETER is not set"
        );
        let settings = settings(|name| Some(format!("of {name}")), &["OWN"]).unwrap();
        assert_eq!(settings.variables, ["of OWN"]);
        assert!(!format!("{settings:?}").contains("of AWS_SECRET_ACCESS_KEY"));
    }
}
