//! A client without a network: requests as text in, responses as text out.

use std::{fmt::Write, sync::Arc};

use axum::{
    Router,
    body::{Body, to_bytes},
};
use http::{HeaderMap, Request, StatusCode};
use serde_json::Value;
use stackway_api::{
    Features, router, service,
    store::{ItemStore, MemoryStore},
    token::TokenGuard,
};
use tower::ServiceExt;

/// The headers that a rendered response shows; the others are the server's own affair.
const SHOWN: [&str; 7] = [
    "allow",
    "content-type",
    "etag",
    "link",
    "location",
    "retry-after",
    "www-authenticate",
];

pub(crate) struct Client(Router);

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Client {
    pub(crate) fn new() -> Self {
        Self::over(MemoryStore::new())
    }

    pub(crate) fn over(store: impl ItemStore) -> Self {
        Self(router(Arc::new(store)))
    }

    pub(crate) fn guarded(tokens: TokenGuard) -> Self {
        Self::with(Features {
            tokens: Some(Arc::new(tokens)),
            ..Features::default()
        })
    }

    pub(crate) fn with(features: Features) -> Self {
        Self(service(Arc::new(MemoryStore::new()), features))
    }

    /// Sends `METHOD /path`, then `name: value` lines, then an empty line and the body.
    pub(crate) async fn send(&self, request: &str) -> Answer {
        let (head, body) = request.split_once("\n\n").unwrap_or((request, ""));
        let mut lines = head.lines().map(str::trim);
        let (method, path) = lines.next().unwrap().split_once(' ').unwrap();
        let mut builder = Request::builder().method(method).uri(path);
        for (name, value) in lines.filter_map(|line| line.split_once(':')) {
            builder = builder.header(name, value.trim());
        }
        let request = builder.body(Body::from(body.trim().to_owned())).unwrap();
        let response = self.0.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = to_bytes(body, usize::MAX).await.unwrap();
        Answer {
            status: parts.status,
            headers: parts.headers,
            body: String::from_utf8(bytes.to_vec()).unwrap(),
        }
    }

    /// Sends `body` as JSON.
    pub(crate) async fn json(&self, line: &str, body: &str) -> Answer {
        self.send(&format!("{line}\ncontent-type: application/json\n\n{body}"))
            .await
    }
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    pub(crate) fn value(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    /// The response as a person reads it, with the request id taken out.
    pub(crate) fn render(&self) -> String {
        let mut text = self.status.to_string();
        for name in SHOWN
            .iter()
            .filter(|name| self.headers.contains_key(**name))
        {
            write!(text, "\n{name}: {}", self.header(name)).unwrap();
        }
        if !self.body.is_empty() {
            let body = self.body.replace(self.header("x-request-id"), "[id]");
            write!(text, "\n\n{body}").unwrap();
        }
        text
    }
}
