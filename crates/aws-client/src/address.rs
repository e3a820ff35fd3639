//! Whom requests are sent to, and the token with them: the environment's own API and nobody else.

use http::Uri;

/// Why a request is sent nowhere.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// The text is none that a request can be sent to.
    #[error("`{0}` is no address of an API")]
    NotOne(String),
    /// The token would be sent in the clear.
    #[error("`{0}` is neither https nor on this machine: nothing is sent to it")]
    InTheClear(String),
    /// The release that was deployed is not the environment's API.
    #[error(
        "`{deployed}` was deployed, and the environment's API is at `{own}`: nothing is sent to either"
    )]
    Another {
        /// Where those who deployed it say that it answers.
        deployed: String,
        /// Where the environment's API answers.
        own: String,
    },
    /// The path would make another address of it.
    #[error("path `{0}` does not begin with a single `/`")]
    Path(String),
}

/// The API's address: what the environment's parameter says (`told`), where it is fit to be called. Whoever starts an
/// execution may say where the release is that they mean (`deployed`), and is held to the same address.
///
/// `emulator` is the endpoint of the emulator that the function runs in, if it is one.
///
/// # Errors
/// What is no address, would send the token in the clear, or is another than the environment's.
pub fn of(
    told: &str,
    deployed: Option<&str>,
    emulator: Option<&str>,
) -> Result<String, AddressError> {
    let told = told.trim_end_matches('/');
    let not_one = || AddressError::NotOne(told.to_owned());
    let uri: Uri = told.parse().map_err(|_| not_one())?;
    let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
        return Err(not_one());
    };
    if authority.as_str().contains('@') || uri.query().is_some() {
        return Err(not_one());
    }
    let host = authority.host();
    let own = emulator
        .and_then(|emulator| emulated(host, emulator))
        .unwrap_or_else(|| told.to_owned());
    let on_this_machine = ["127.0.0.1", "[::1]", "localhost"].contains(&host);
    if own == told && scheme != "https" && !(scheme == "http" && on_this_machine) {
        return Err(AddressError::InTheClear(own));
    }
    match deployed.map(|url| url.trim_end_matches('/')) {
        Some(url) if url != told && url != own => Err(AddressError::Another {
            deployed: url.to_owned(),
            own,
        }),
        _ => Ok(own),
    }
}

/// Where an emulator serves an HTTP API whose host no name server knows; docs/decisions/0004-api-url-on-the-emulator.md.
fn emulated(host: &str, emulator: &str) -> Option<String> {
    let (id, rest) = host.split_once('.')?;
    rest.starts_with("execute-api.").then(|| {
        let emulator = emulator.trim_end_matches('/');
        format!("{emulator}/_aws/execute-api/{id}/%24default")
    })
}

/// The address of a path of the API.
///
/// # Errors
/// A path that would make another address of it.
pub fn with_path(base: &str, path: &str) -> Result<String, AddressError> {
    if !path.starts_with('/') || path.starts_with("//") {
        return Err(AddressError::Path(path.to_owned()));
    }
    Ok(format!("{base}{path}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: &str = "https://abc.execute-api.eu-west-2.amazonaws.com";
    const EMULATOR: &str = "http://127.0.0.1:4566";

    #[track_caller]
    fn check(told: &str, deployed: Option<&str>, emulator: Option<&str>, expected: &str) {
        let found = of(told, deployed, emulator).unwrap_or_else(|error| error.to_string());
        assert_eq!(found, expected, "{told}");
    }

    #[test]
    fn the_token_goes_to_the_environment_s_own_api_alone() {
        check(OWN, None, None, OWN);
        check(&format!("{OWN}/"), Some(OWN), None, OWN);
        check(OWN, Some(&format!("{OWN}/")), None, OWN);
        check("http://127.0.0.1:8080", None, None, "http://127.0.0.1:8080");
        check(
            "http://localhost:8080/x",
            None,
            None,
            "http://localhost:8080/x",
        );
        for other in [
            "https://elsewhere.example",
            "http://abc.execute-api.eu-west-2.amazonaws.com",
            "",
        ] {
            let said = format!(
                "`{other}` was deployed, and the environment's API is at `{OWN}`: nothing is sent to either"
            );
            check(OWN, Some(other), None, &said);
        }
        for clear in [
            "http://api.example",
            "http://127.0.0.1.example",
            "ftp://api.example",
        ] {
            let said =
                format!("`{clear}` is neither https nor on this machine: nothing is sent to it");
            check(clear, None, None, &said);
        }
        for none in [
            "none",
            "",
            "/v1",
            "https://a@b.example",
            "https://b.example?x=1",
            "https://a b",
        ] {
            check(
                none,
                None,
                None,
                &format!("`{none}` is no address of an API"),
            );
        }
    }

    #[test]
    fn an_emulator_s_api_is_a_path_of_its_port() {
        let told = "http://abc.execute-api.localhost:4566";
        let mapped = "http://127.0.0.1:4566/_aws/execute-api/abc/%24default";
        check(told, None, Some(EMULATOR), mapped);
        check(told, Some(told), Some(EMULATOR), mapped);
        check(told, Some(mapped), Some(EMULATOR), mapped);
        check(
            "http://127.0.0.1:9999",
            None,
            Some(EMULATOR),
            "http://127.0.0.1:9999",
        );
    }

    #[test]
    fn a_path_does_not_leave_the_api() {
        assert_eq!(with_path(OWN, "/ready").unwrap(), format!("{OWN}/ready"));
        for path in ["", "ready", "@elsewhere.example/", "//elsewhere.example"] {
            assert_eq!(
                with_path(OWN, path).unwrap_err(),
                AddressError::Path(path.to_owned())
            );
        }
    }
}
