//! An event of an HTTP API, payload format 2.0, as far as the service reads it.
//!
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html>

use std::{borrow::Cow, fmt};

use axum::body::Body;
use base64::{Engine, prelude::BASE64_STANDARD};
use http::{
    HeaderMap, HeaderName, HeaderValue, Method, Request, Uri, header::COOKIE, uri::PathAndQuery,
};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, Visitor},
};

/// The bytes that a path may not carry as they are. A `%` may: whoever sends it has encoded the path already.
///
/// <https://url.spec.whatwg.org/#path-percent-encode-set>
const PATH: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'\\')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// The same for a query, which may carry a `?`.
const QUERY: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'#').add(b'<').add(b'>');

/// What the service reads of an event; all else is skipped over.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HttpEvent {
    raw_path: String,
    #[serde(default)]
    raw_query_string: String,
    #[serde(default, deserialize_with = "headers")]
    headers: HeaderMap,
    #[serde(default)]
    cookies: Vec<String>,
    request_context: RequestContext,
    #[serde(default)]
    body: Option<String>,
    #[serde(default)]
    is_base64_encoded: bool,
}

#[derive(Deserialize)]
struct RequestContext {
    http: Http,
}

#[derive(Deserialize)]
struct Http {
    method: String,
}

/// Shows the path's length alone: what a client sends belongs in no log.
impl fmt::Debug for HttpEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpEvent")
            .field("method", &self.request_context.http.method)
            .field("path_bytes", &self.raw_path.len())
            .finish_non_exhaustive()
    }
}

/// Why an event is no request. API Gateway sends none of these.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum EventError {
    /// The method is no token of HTTP.
    #[error("the event's method is not one of HTTP")]
    Method,
    /// The path or the query is too long, or is none.
    #[error("the event's path is not one of HTTP")]
    Path,
    /// The body says that it is base64, and is not.
    #[error("the event's body is not base64")]
    Body,
}

impl TryFrom<HttpEvent> for Request<Body> {
    type Error = EventError;

    fn try_from(event: HttpEvent) -> Result<Self, EventError> {
        let method = Method::from_bytes(event.request_context.http.method.as_bytes())
            .map_err(|_| EventError::Method)?;
        let uri = uri(&event.raw_path, &event.raw_query_string)?;
        let body = match event.body {
            None => Body::empty(),
            Some(text) if event.is_base64_encoded => {
                Body::from(BASE64_STANDARD.decode(text).map_err(|_| EventError::Body)?)
            }
            Some(text) => Body::from(text),
        };
        let mut request = Request::new(body);
        *request.method_mut() = method;
        *request.uri_mut() = uri;
        *request.headers_mut() = event.headers;
        if !event.cookies.is_empty()
            && let Ok(cookies) = HeaderValue::try_from(event.cookies.join("; "))
        {
            request.headers_mut().insert(COOKIE, cookies);
        }
        Ok(request)
    }
}

fn uri(path: &str, query: &str) -> Result<Uri, EventError> {
    if !path.starts_with('/') {
        return Err(EventError::Path);
    }
    let mut whole = Cow::from(utf8_percent_encode(path, PATH));
    if !query.is_empty() {
        let whole = whole.to_mut();
        whole.push('?');
        whole.extend(utf8_percent_encode(query, QUERY));
    }
    PathAndQuery::try_from(whole.as_ref())
        .map(Uri::from)
        .map_err(|_| EventError::Path)
}

/// Reads headers as they are. One that HTTP does not allow is left out, as a proxy would.
fn headers<'de, D: Deserializer<'de>>(deserializer: D) -> Result<HeaderMap, D::Error> {
    deserializer.deserialize_option(Headers)
}

struct Headers;

impl<'de> Visitor<'de> for Headers {
    type Value = HeaderMap;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("headers")
    }

    fn visit_none<E>(self) -> Result<HeaderMap, E> {
        Ok(HeaderMap::new())
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<HeaderMap, D::Error> {
        deserializer.deserialize_map(self)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<HeaderMap, A::Error> {
        let mut headers = HeaderMap::with_capacity(map.size_hint().unwrap_or(16));
        while let Some(Text(name)) = map.next_key()? {
            let Ok(name) = HeaderName::from_bytes(name.as_bytes()) else {
                map.next_value::<IgnoredAny>()?;
                continue;
            };
            let Text(value) = map.next_value()?;
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.append(name, value);
            }
        }
        Ok(headers)
    }
}

/// Text that is borrowed where the JSON has it without escapes.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);
