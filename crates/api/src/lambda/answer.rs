//! What Lambda hands to API Gateway.

use axum::body::Bytes;
use base64::{display::Base64Display, prelude::BASE64_STANDARD};
use http::{HeaderMap, header::SET_COOKIE, response::Parts};
use serde::{Serialize, Serializer, ser::SerializeMap};

/// A response in payload format 2.0, which is written as JSON once and holds no copy of the body.
///
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html#http-api-develop-integrations-lambda.response>
#[derive(Debug)]
pub struct Answer {
    status: u16,
    headers: HeaderMap,
    body: Bytes,
}

impl Answer {
    pub(super) fn new(parts: Parts, body: Bytes) -> Self {
        Self {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body,
        }
    }

    /// The status of the response.
    pub fn status(&self) -> u16 {
        self.status
    }
}

impl Serialize for Answer {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let text = str::from_utf8(&self.body).ok();
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("statusCode", &self.status)?;
        map.serialize_entry("headers", &Headers(&self.headers))?;
        if self.headers.contains_key(SET_COOKIE) {
            map.serialize_entry("cookies", &Cookies(&self.headers))?;
        }
        match text {
            Some("") => {}
            Some(text) => map.serialize_entry("body", text)?,
            None => map.serialize_entry("body", &Base64(&self.body))?,
        }
        map.serialize_entry("isBase64Encoded", &text.is_none())?;
        map.end()
    }
}

/// The headers but cookies, each once: the format has no place for a second value, so that a comma joins them.
struct Headers<'a>(&'a HeaderMap);

impl Serialize for Headers<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for name in self.0.keys().filter(|name| *name != SET_COOKIE) {
            let mut values = self.0.get_all(name).iter().flat_map(|value| value.to_str());
            let Some(first) = values.next() else { continue };
            match values.next() {
                None => map.serialize_entry(name.as_str(), first)?,
                Some(second) => {
                    let all: Vec<&str> = [first, second].into_iter().chain(values).collect();
                    map.serialize_entry(name.as_str(), &all.join(", "))?;
                }
            }
        }
        map.end()
    }
}

struct Cookies<'a>(&'a HeaderMap);

impl Serialize for Cookies<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let cookies = self.0.get_all(SET_COOKIE).iter();
        serializer.collect_seq(cookies.flat_map(|cookie| cookie.to_str()))
    }
}

struct Base64<'a>(&'a [u8]);

impl Serialize for Base64<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&Base64Display::new(self.0, &BASE64_STANDARD))
    }
}
