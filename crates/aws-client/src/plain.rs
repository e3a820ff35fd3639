//! Requests of HTTP to any address: what a client of the API sends.

use std::time::Duration;

use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;

use crate::json::{Answer, CallError, Client, USER_AGENT};

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

impl From<Answer> for Reply {
    fn from(answer: Answer) -> Self {
        Self {
            status: answer.status,
            body: answer.body,
        }
    }
}

impl Plain<'_> {
    /// The request without a signature.
    pub(crate) fn unsigned(&self) -> http::Result<http::Request<SdkBody>> {
        let mut request = http::Request::builder()
            .method(self.method)
            .uri(self.url)
            .header("user-agent", USER_AGENT);
        for (name, value) in self.headers {
            request = request.header(*name, *value);
        }
        request.body(SdkBody::from(self.body))
    }

    fn failed(&self, cause: String) -> CallError {
        CallError::Failed {
            operation: format!("{} {}", self.method, self.url),
            cause,
        }
    }
}

impl Client {
    /// Sends a request once, signed as an API of API Gateway asks for with IAM.
    ///
    /// <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-access-control-iam.html>
    ///
    /// # Errors
    /// What kept the answer away; never a status.
    pub async fn ask_signed(&self, plain: &Plain<'_>) -> Result<Reply, CallError> {
        let answer = self.send_signed("execute-api", plain).await;
        answer
            .map(Reply::from)
            .map_err(|attempt| plain.failed(attempt.cause))
    }

    /// Sends a request unsigned and once.
    ///
    /// # Errors
    /// What kept the answer away; never a status.
    pub async fn ask(&self, plain: &Plain<'_>) -> Result<Reply, CallError> {
        let request = plain
            .unsigned()
            .map_err(|error| plain.failed(error.to_string()))?;
        let request =
            HttpRequest::try_from(request).map_err(|error| plain.failed(error.to_string()))?;
        let answer = self.exchange(request, plain.timeout).await;
        answer
            .map(Reply::from)
            .map_err(|attempt| plain.failed(attempt.cause))
    }
}
