//! The service behind API Gateway answers as it does without: the gateway's events are read whole.

use std::{
    io::{Read, Write},
    net::TcpStream,
    sync::Arc,
};

use axum::body::Bytes;
use lambda_http::{Context, LambdaEvent};
use stackway_api::{lambda, router, store::MemoryStore};
use stackway_local_cloud::lambda::Gateway;

use crate::client::Client;

/// One after the other, so that each meets what those before it have made.
const REQUESTS: &[&str] = &[
    "GET /",
    "HEAD /",
    "GET /nowhere",
    "PATCH /v1/items",
    "OPTIONS /v1/items",
    // As curl sends it: the gateway hands the body over in base64.
    "POST /dynamodb\ncontent-type: application/x-www-form-urlencoded\n\n\
     {\"GUID\":\"é 1\",\"DateReceived\":\"2026-01-02T03:04:05Z\",\"Message\":\"größer\"}",
    "POST /dynamodb\n\n{\"GUID\":\"b\",\"DateReceived\":\"2026-01-02T03:04:05Z\",\"Message\":\"typeless\"}",
    "POST /v1/items\ncontent-type: application/json\n\n\
     {\"guid\":\"c\",\"date_received\":\"2026-01-02T03:04:05Z\",\"message\":\"c\"}",
    "POST /v1/items\ncontent-type: text/plain\n\nno JSON",
    "POST /v1/items\ncontent-type: application/json\n\n{",
    "GET /v1/items/%C3%A9%201/2026-01-02T03%3A04%3A05Z",
    "GET /v1/items/b/2026-01-02T03:04:05Z\ncookie: a=1; b=2",
    "HEAD /v1/items/b/2026-01-02T03:04:05Z",
    "GET /v1/items/b/2026-01-02T03:04:05Z\nif-none-match: *",
    "DELETE /v1/items/b/2026-01-02T03:04:05Z\nif-match: \"other\"",
    "GET /v1/items?limit=1",
    "GET /v1/items?limit=%31&limit=2",
    "GET /v1/items?limit=none&cursor=%20+",
    "GET /dynamodb",
    "GET /docs",
    "GET /openapi.json",
    "GET /favicon.ico",
    "DELETE /dynamodb/b/2026-01-02T03:04:05Z",
    "DELETE /v1/items/c/2026-01-02T03:04:05Z",
];

/// The headers that are the service's own affair.
const OF_THE_SERVICE: &[&str] = &[
    "allow",
    "cache-control",
    "content-security-policy",
    "content-type",
    "etag",
    "link",
    "location",
    "x-content-type-options",
];

/// Sends a request as `Client` has it to an address, and returns the status, those headers, and the body.
fn send(address: &str, request: &str) -> (u16, Vec<(String, String)>, String) {
    let (head, body) = request.split_once("\n\n").unwrap_or((request, ""));
    let (line, headers) = head.split_once('\n').unwrap_or((head, ""));
    let headers = match headers {
        "" => String::new(),
        lines => lines.replace('\n', "\r\n") + "\r\n",
    };
    let mut socket = TcpStream::connect(address).unwrap();
    write!(
        socket,
        "{line} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n{headers}content-length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let mut lines = head.lines();
    let status = lines.next().unwrap().split(' ').nth(1).unwrap();
    let mut headers: Vec<_> = lines
        .filter_map(|line| line.split_once(": "))
        .filter(|(name, _)| OF_THE_SERVICE.contains(name))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    headers.sort();
    (status.parse().unwrap(), headers, body.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_gateway_changes_nothing() {
    let plain = Client::new();
    let behind = router(Arc::new(MemoryStore::new()));
    let function = move |event: Bytes| {
        let router = behind.clone();
        async move {
            let event = serde_json::from_slice(&event)?;
            let answer = lambda::answer(router, LambdaEvent::new(event, Context::default()));
            Ok::<_, lambda_http::Error>(serde_json::to_vec(&answer.await?)?.into())
        }
    };
    let gateway = Gateway::start(0, function, |line| panic!("{line}"))
        .await
        .unwrap();
    let address = gateway.url().replace("http://", "");
    for request in REQUESTS {
        let expected = plain.send(request).await;
        let mut headers: Vec<_> = OF_THE_SERVICE
            .iter()
            .flat_map(|name| {
                let values = expected.headers.get_all(*name).iter();
                values.map(|value| ((*name).to_owned(), value.to_str().unwrap().to_owned()))
            })
            .collect();
        headers.sort();
        let address = address.clone();
        let answer = tokio::task::spawn_blocking(move || send(&address, request));
        let (status, told, body) = answer.await.unwrap();
        assert_eq!(status, expected.status.as_u16(), "{request}\n{body}");
        assert_eq!(told, headers, "{request}");
        // Each problem has an id of its own.
        let without_id = |text: &str| {
            serde_json::from_str::<serde_json::Value>(text).map(|mut value| {
                if let Some(problem) = value.as_object_mut() {
                    problem.remove("request_id");
                    problem.remove("instance");
                }
                value
            })
        };
        match (without_id(&body), without_id(&expected.body)) {
            (Ok(body), Ok(expected)) => assert_eq!(body, expected, "{request}"),
            _ => assert_eq!(body, expected.body, "{request}"),
        }
    }
}
