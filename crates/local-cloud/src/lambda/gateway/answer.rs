//! A function's answer as a response.

use axum::body::Body;
use axum::response::Response;
use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::event::OF_THE_CONNECTION;

/// What API Gateway says of a body whose type the function does not.
const PLAIN_TEXT: HeaderValue = HeaderValue::from_static("text/plain;charset=utf-8");
const JSON: HeaderValue = HeaderValue::from_static("application/json");

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    status_code: u16,
    headers: Option<Map<String, Value>>,
    cookies: Option<Vec<String>>,
    body: Option<String>,
    is_base64_encoded: Option<bool>,
}

/// Why an answer is no response. API Gateway answers 500 for each.
#[derive(Debug, thiserror::Error)]
pub(super) enum AnswerError {
    #[error("is not JSON: {0}")]
    Json(serde_json::Error),
    #[error("is not in payload format 2.0: {0}")]
    Format(serde_json::Error),
    #[error("has the statusCode {0}, which is none of a response")]
    Status(u16),
    #[error("has a header `{0}` that is none of HTTP")]
    Header(String),
    #[error("has a cookie that is no header")]
    Cookie,
    #[error("has a body that is not base64: {0}")]
    Base64(base64::DecodeError),
}

/// Reads an answer to a request, `to_head` where that was a HEAD.
pub(super) fn read(payload: &Bytes, to_head: bool) -> Result<Response, AnswerError> {
    let value: Value = serde_json::from_slice(payload).map_err(AnswerError::Json)?;
    if value.get("statusCode").is_none() {
        return Ok(inferred(payload, value));
    }
    let answer: Answer = serde_json::from_value(value).map_err(AnswerError::Format)?;
    let status = StatusCode::from_u16(answer.status_code)
        .ok()
        .filter(|status| (200..=599).contains(&status.as_u16()))
        .ok_or(AnswerError::Status(answer.status_code))?;
    let body = match answer.body {
        None => Bytes::new(),
        Some(text) if answer.is_base64_encoded == Some(true) => BASE64_STANDARD
            .decode(text)
            .map_err(AnswerError::Base64)?
            .into(),
        Some(text) => Bytes::from(text),
    };
    let mut headers = headers(answer.headers.unwrap_or_default())?;
    // The server counts the body itself; only to HEAD is there a length without one.
    if !to_head {
        headers.remove(header::CONTENT_LENGTH);
    }
    for cookie in answer.cookies.unwrap_or_default() {
        let cookie = HeaderValue::try_from(cookie).map_err(|_| AnswerError::Cookie)?;
        headers.append(header::SET_COOKIE, cookie);
    }
    if !body.is_empty() {
        headers.entry(header::CONTENT_TYPE).or_insert(PLAIN_TEXT);
    }
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    Ok(response)
}

/// An answer without a status: all of it is the body.
fn inferred(payload: &Bytes, value: Value) -> Response {
    let body = match value {
        Value::String(text) => Body::from(text),
        _ => Body::from(payload.clone()),
    };
    let mut response = Response::new(body);
    response.headers_mut().insert(header::CONTENT_TYPE, JSON);
    response
}

fn headers(given: Map<String, Value>) -> Result<HeaderMap, AnswerError> {
    let mut headers = HeaderMap::with_capacity(given.len());
    for (name, value) in given {
        let value = match value {
            Value::Null => continue,
            Value::String(text) => text,
            Value::Bool(_) | Value::Number(_) => value.to_string(),
            Value::Array(_) | Value::Object(_) => return Err(AnswerError::Header(name)),
        };
        let (Ok(parsed), Ok(value)) = (
            HeaderName::from_bytes(name.as_bytes()),
            HeaderValue::try_from(value),
        ) else {
            return Err(AnswerError::Header(name));
        };
        if !OF_THE_CONNECTION.contains(&parsed) {
            headers.append(parsed, value);
        }
    }
    Ok(headers)
}
