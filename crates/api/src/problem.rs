//! Errors as a client sees them: RFC 9457 problem details.

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, Method, StatusCode, header};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{domain::Fault, store::StoreError};

/// What a client should wait for before it tries a throttled call again, in seconds.
const RETRY_AFTER_SECONDS: u16 = 1;

/// A problem in the sense of RFC 9457, before it is written.
///
/// A handler returns it without a request id; the middleware around all routes knows the id and writes the body.
///
/// <https://www.rfc-editor.org/rfc/rfc9457>
#[derive(Clone, Debug)]
pub struct Problem {
    status: StatusCode,
    detail: Option<String>,
    errors: Vec<Fault>,
    retry_after: Option<u16>,
    challenge: Option<&'static str>,
    cause: Option<String>,
}

/// A problem in the sense of RFC 9457, sent as `application/problem+json`.
#[derive(Serialize, ToSchema)]
#[schema(as = Problem)]
pub(crate) struct ProblemDetails<'a> {
    /// Always `about:blank`: the status says what kind of problem it is.
    #[serde(rename = "type")]
    #[schema(example = "about:blank")]
    kind: &'static str,
    /// The status as words.
    #[schema(example = "Unprocessable Entity")]
    title: &'static str,
    /// The HTTP status code.
    #[schema(example = 422)]
    status: u16,
    /// What is wrong with this request. Absent from a 500.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'a str>,
    /// Every fault of every field, for a 422.
    #[serde(skip_serializing_if = "<[Fault]>::is_empty")]
    errors: &'a [Fault],
    /// The id under which the log tells more; also the header `x-request-id`.
    request_id: &'a str,
}

impl Problem {
    /// A problem with a status and what is wrong with this request.
    pub fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self {
            detail: Some(detail.into()),
            ..Self::bare(status)
        }
    }

    /// 422, with every fault.
    pub fn invalid(errors: Vec<Fault>) -> Self {
        Self {
            errors,
            ..Self::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "the request does not meet the rules of its fields",
            )
        }
    }

    /// 500, which tells the client nothing but its request id. `cause` is for the log.
    pub fn unexpected(cause: impl Into<String>) -> Self {
        Self {
            cause: Some(cause.into()),
            ..Self::bare(StatusCode::INTERNAL_SERVER_ERROR)
        }
    }

    /// 503 with `Retry-After`. `cause` is for the log.
    pub fn unavailable(detail: impl Into<String>, cause: impl Into<String>) -> Self {
        Self {
            retry_after: Some(RETRY_AFTER_SECONDS),
            cause: Some(cause.into()),
            ..Self::new(StatusCode::SERVICE_UNAVAILABLE, detail)
        }
    }

    /// 401 with a challenge for `WWW-Authenticate`.
    pub fn unauthorized(challenge: &'static str, detail: &'static str) -> Self {
        Self {
            challenge: Some(challenge),
            ..Self::new(StatusCode::UNAUTHORIZED, detail)
        }
    }

    fn bare(status: StatusCode) -> Self {
        Self {
            status,
            detail: None,
            errors: Vec::new(),
            retry_after: None,
            challenge: None,
            cause: None,
        }
    }

    /// What the log says of it, and no client sees.
    pub(crate) fn cause(&self) -> Option<&str> {
        self.cause.as_deref()
    }

    /// Writes the body into a response that carries this problem. A `HEAD` gets the headers alone.
    pub(crate) fn render(&self, request_id: &str, method: &Method, response: &mut Response) {
        let details = ProblemDetails {
            kind: "about:blank",
            title: self.status.canonical_reason().unwrap_or("Error"),
            status: self.status.as_u16(),
            detail: self.detail.as_deref(),
            errors: &self.errors,
            request_id,
        };
        // Nothing in it can fail to be JSON; an empty body with the right status is what would be left.
        let body = serde_json::to_vec(&details).unwrap_or_default();
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from(body.len()));
        if method != Method::HEAD {
            *response.body_mut() = body.into();
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        if let Some(seconds) = self.retry_after {
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if let Some(challenge) = self.challenge {
            response.headers_mut().insert(
                header::WWW_AUTHENTICATE,
                HeaderValue::from_static(challenge),
            );
        }
        response.extensions_mut().insert(self);
        response
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        let cause = error.to_string();
        match error {
            StoreError::Throttled(_) => Self::unavailable(
                "the table takes no more requests at the moment; try again after the time in Retry-After",
                cause,
            ),
            StoreError::Failed(_) => Self::unexpected(cause),
        }
    }
}
