//! The body of a request: a JSON object, read field by field so that every fault is found.

use axum::{
    body::Bytes,
    extract::{DefaultBodyLimit, FromRequest, Request},
};
use http::{HeaderMap, StatusCode, header};
use serde_json::{Map, Value};

use super::{Faults, MAX_BODY_BYTES};
use crate::{
    domain::{Fault, Guid},
    problem::Problem,
};

/// A body that says that it is JSON: `application/json`, or a type with the suffix `+json`.
pub(super) struct StrictJson(pub(super) Fields);

/// A body that may also say nothing, or what `curl -d` says of any text: `application/x-www-form-urlencoded`.
///
/// The original read its body as JSON whatever its type was, and its clients rely on it.
pub(super) struct LenientJson(pub(super) Fields);

impl<S: Send + Sync> FromRequest<S> for StrictJson {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        match media_type(request.headers()).as_deref() {
            Some(media) if is_json(media) => read(request, state).await.map(Self),
            _ => Err(wrong_media_type()),
        }
    }
}

impl<S: Send + Sync> FromRequest<S> for LenientJson {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        match media_type(request.headers()).as_deref() {
            None | Some("application/x-www-form-urlencoded") => {}
            Some(media) if is_json(media) => {}
            Some(_) => return Err(wrong_media_type()),
        }
        read(request, state).await.map(Self)
    }
}

/// The media type in lower case without its parameters; `None` where the header is missing or empty.
fn media_type(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(header::CONTENT_TYPE)?.to_str().unwrap_or("?");
    let essence = value.split(';').next().unwrap_or_default().trim();
    Some(essence.to_ascii_lowercase()).filter(|essence| !essence.is_empty())
}

fn is_json(media: &str) -> bool {
    media == "application/json" || (media.starts_with("application/") && media.ends_with("+json"))
}

fn wrong_media_type() -> Problem {
    Problem::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "the body must be JSON, with the header Content-Type: application/json",
    )
}

async fn read<S: Send + Sync>(mut request: Request, state: &S) -> Result<Fields, Problem> {
    // Here and in no layer: a request without a body pays for none.
    DefaultBodyLimit::max(MAX_BODY_BYTES).apply(&mut request);
    let bytes = Bytes::from_request(request, state)
        .await
        .map_err(|rejection| match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => Problem::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                format!("the body must be at most {MAX_BODY_BYTES} bytes"),
            ),
            _ => Problem::new(StatusCode::BAD_REQUEST, "the body broke off before its end"),
        })?;
    let value: Value = serde_json::from_slice(&bytes).map_err(|error| {
        Problem::new(
            StatusCode::BAD_REQUEST,
            format!(
                "the body is not well-formed JSON: line {}, column {}",
                error.line(),
                error.column()
            ),
        )
    })?;
    match value {
        Value::Object(fields) => Ok(Fields(fields)),
        _ => Err(Problem::invalid(vec![Fault::new(
            "body",
            "must be a JSON object",
        )])),
    }
}

/// The fields of a body that are not yet read.
pub(super) struct Fields(Map<String, Value>);

impl Fields {
    /// A text that must be there.
    pub(super) fn required(&mut self, field: &'static str, faults: &mut Faults) -> Option<String> {
        let value = self.0.remove(field);
        faults.take(
            field,
            match value {
                Some(Value::String(text)) => Ok(text),
                None => Err("is required"),
                Some(_) => Err("must be a string"),
            },
        )
    }

    /// A text that may be left out or null. The outer `None` is a fault.
    #[expect(
        clippy::option_option,
        reason = "a fault and an absent field are two different things"
    )]
    pub(super) fn optional(
        &mut self,
        field: &'static str,
        faults: &mut Faults,
    ) -> Option<Option<String>> {
        match self.0.remove(field) {
            None | Some(Value::Null) => Some(None),
            Some(Value::String(text)) => Some(Some(text)),
            Some(_) => faults.take(field, Err("must be a string")),
        }
    }

    /// A GUID that may be left out, and is then a new one.
    pub(super) fn guid_or_new(&mut self, field: &'static str, faults: &mut Faults) -> Option<Guid> {
        match self.optional(field, faults)? {
            Some(text) => faults.take(field, Guid::parse(&text)),
            None => Some(Guid::random()),
        }
    }

    /// Notes every field that is left as unknown.
    pub(super) fn refuse_rest(self, faults: &mut Faults) {
        faults.0.extend(
            self.0
                .into_iter()
                .map(|(field, _)| Fault::new(field, "is not a known field")),
        );
    }
}
