//! The gateway's address, as a client meets it.

use std::convert::Infallible;
use std::sync::mpsc;
use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value, json};
use stackway_local_cloud::lambda::Gateway;
use tokio::task::spawn_blocking;

use crate::http::request;

const GRACE: Duration = Duration::from_secs(5);

/// Answers with parts of the event itself.
async fn echo(event: Bytes) -> Result<Bytes, Infallible> {
    let event: Value = serde_json::from_slice(&event).expect("an event in JSON");
    let body = json!([
        event["rawPath"],
        event["body"],
        event["requestContext"]["http"]
    ]);
    let answer = json!({
        "statusCode": 418,
        "headers": { "content-type": "application/json" },
        "cookies": ["a=1"],
        "body": body.to_string(),
    });
    Ok(Bytes::from(answer.to_string()))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_passes_through_and_back() {
    let gateway = Gateway::start(0, echo, |_| {}).await.unwrap();
    let url = gateway.url();
    let asked = spawn_blocking(move || {
        let headers = [("Content-Type", "text/plain"), ("User-Agent", "test")];
        request(&url, "PATCH", "/a%20b?c=d", &headers, "hello")
    });
    let (status, body) = asked.await.unwrap();
    assert_eq!(status, 418);
    let body: Value = serde_json::from_str(&body).unwrap();
    let http = json!({
        "method": "PATCH",
        "path": "/a b",
        "protocol": "HTTP/1.1",
        "sourceIp": "127.0.0.1",
        "userAgent": "test",
    });
    assert_eq!(body, json!(["/a b", "hello", http]));
    gateway.stop(GRACE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_is_answered_and_told() {
    let (told, reports) = mpsc::channel();
    let fail = async |_: Bytes| Err::<Bytes, _>("no such program");
    let gateway = Gateway::start(0, fail, move |line| told.send(line).unwrap())
        .await
        .unwrap();
    let url = gateway.url();
    let asked = spawn_blocking(move || request(&url, "GET", "/secret", &[], ""));
    let expected = r#"{"message":"Internal Server Error"}"#.to_owned();
    assert_eq!(asked.await.unwrap(), (500, expected));
    let line = reports.recv().unwrap();
    assert!(line.contains("no such program"), "{line}");
    assert!(!line.contains("secret"), "a path is the client's: {line}");
}

/// A client that goes away ends no invocation, and a gateway that stops waits for those under way.
#[tokio::test(flavor = "multi_thread")]
async fn an_invocation_under_way_ends_by_itself() {
    let (start, mut starts) = tokio::sync::mpsc::unbounded_channel();
    let (end, mut ends) = tokio::sync::mpsc::unbounded_channel();
    let slow = move |_: Bytes| {
        let (start, end) = (start.clone(), end.clone());
        async move {
            start.send(()).unwrap();
            tokio::time::sleep(Duration::from_millis(200)).await;
            end.send(()).unwrap();
            Ok::<_, Infallible>(Bytes::from_static(b"{}"))
        }
    };
    let gateway = Gateway::start(0, slow, |_| {}).await.unwrap();
    let address = gateway.url().replace("http://", "");

    let impatient = spawn_blocking({
        let address = address.clone();
        move || {
            use std::io::Write;
            let mut socket = std::net::TcpStream::connect(&address).unwrap();
            write!(socket, "GET / HTTP/1.1\r\nHost: {address}\r\n\r\n").unwrap();
            socket
        }
    });
    starts.recv().await.unwrap();
    drop(impatient.await.unwrap());
    ends.recv().await.unwrap();

    let url = gateway.url();
    let patient = spawn_blocking(move || request(&url, "GET", "/", &[], ""));
    starts.recv().await.unwrap();
    gateway.stop(GRACE).await;
    assert_eq!(patient.await.unwrap(), (200, "{}".to_owned()));
    let refused = std::net::TcpStream::connect(&address).unwrap_err();
    assert_eq!(refused.kind(), std::io::ErrorKind::ConnectionRefused);
}
