//! Requests of HTTP that are not signed: what a client of the API sends.

use std::time::Duration;

use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;

use crate::json::{CallError, Client, USER_AGENT};

/// A request to any address.
#[derive(Clone, Copy, Debug)]
pub struct Plain<'a> {
    /// The method, such as `GET`.
    pub method: &'a str,
    /// The whole address.
    pub url: &'a str,
    /// Headers beside the client's own.
    pub headers: &'a [(&'a str, &'a str)],
    /// The body; empty for none.
    pub body: &'a [u8],
    /// How long the whole answer may take.
    pub timeout: Duration,
}

/// What came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// The body, whole.
    pub body: Vec<u8>,
}

impl Client {
    /// Sends a request unsigned and once.
    ///
    /// # Errors
    /// What kept the answer away; never a status.
    pub async fn ask(&self, plain: &Plain<'_>) -> Result<Reply, CallError> {
        let failed = |cause: String| CallError::Failed {
            operation: format!("{} {}", plain.method, plain.url),
            cause,
        };
        let mut request = http::Request::builder()
            .method(plain.method)
            .uri(plain.url)
            .header("user-agent", USER_AGENT);
        for (name, value) in plain.headers {
            request = request.header(*name, *value);
        }
        let request = request
            .body(SdkBody::from(plain.body))
            .map_err(|error| failed(error.to_string()))?;
        let request = HttpRequest::try_from(request).map_err(|error| failed(error.to_string()))?;
        let answer = self.exchange(request, plain.timeout).await;
        answer
            .map(|answer| Reply {
                status: answer.status,
                body: answer.body,
            })
            .map_err(|attempt| failed(attempt.cause))
    }
}
