//! One HTTP request over a bare socket, so that what is tested is the bytes that any client sends.

use std::fmt::Write as _;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// Sends one request and returns the status and the body.
#[track_caller]
pub(crate) fn request(
    endpoint: &str,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> (u16, String) {
    let (head, body) = exchange(endpoint, method, path, headers, body);
    let status = head
        .split(' ')
        .nth(1)
        .and_then(|s| s.parse().ok())
        .expect("a status");
    (status, body)
}

/// Sends one request and returns the answer's head and body.
#[track_caller]
pub(crate) fn exchange(
    endpoint: &str,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> (String, String) {
    let address = endpoint.strip_prefix("http://").expect("an http address");
    let mut socket = TcpStream::connect(address).expect("a listener");
    socket
        .set_read_timeout(Some(Duration::from_secs(10)))
        .expect("an open socket");
    let mut head = format!("{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n");
    for (name, value) in headers {
        write!(head, "{name}: {value}\r\n").expect("a string takes all");
    }
    let message = format!("{head}Content-Length: {}\r\n\r\n{body}", body.len());
    socket
        .write_all(message.as_bytes())
        .expect("an open socket");
    let mut answer = String::new();
    socket.read_to_string(&mut answer).expect("an answer");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
    (head.to_owned(), body.to_owned())
}

/// Calls one DynamoDB operation.
#[track_caller]
pub(crate) fn dynamodb(
    endpoint: &str,
    operation: &str,
    body: &serde_json::Value,
) -> (u16, serde_json::Value) {
    let target = format!("DynamoDB_20120810.{operation}");
    let authorization = "AWS4-HMAC-SHA256 Credential=local/20260101/eu-west-2/dynamodb/aws4_request, \
                         SignedHeaders=host;x-amz-date, Signature=00";
    let headers = [
        ("Content-Type", "application/x-amz-json-1.0"),
        ("X-Amz-Target", target.as_str()),
        ("X-Amz-Date", "20260101T000000Z"),
        ("Authorization", authorization),
    ];
    let (status, body) = request(endpoint, "POST", "/", &headers, &body.to_string());
    (status, serde_json::from_str(&body).expect("JSON"))
}
