//! What bad requests and bad days get.

use insta::assert_snapshot;
use stackway_api::store::failing::{FailingStore, Failure, SECRET};

use crate::client::Client;

const ITEM: &str = "/v1/items/a/2024-05-01T12:00:00Z";

#[tokio::test]
async fn statuses_fit_their_faults() {
    let client = Client::new();
    let over = format!(r#"{{"message":"{}"}}"#, "x".repeat(262_144));
    let at = format!(r#"{{"message":"{}"}}"#, "x".repeat(262_144 - 14));
    let deep = "[".repeat(1000);
    for (line, media, body, status) in [
        ("POST /v1/items", "application/json", "{", 400),
        ("POST /v1/items", "application/json", "", 400),
        ("POST /v1/items", "application/json", deep.as_str(), 400),
        ("POST /v1/items", "application/json", "[]", 422),
        ("POST /v1/items", "application/json", "null", 422),
        ("POST /v1/items", "application/json", at.as_str(), 201),
        ("POST /v1/items", "application/json", over.as_str(), 413),
        ("POST /dynamodb", "application/json", over.as_str(), 413),
        ("POST /v1/items", "text/plain", r#"{"message":"m"}"#, 415),
        (
            "POST /v1/items",
            "application/x-www-form-urlencoded",
            r#"{"message":"m"}"#,
            415,
        ),
        (
            "POST /dynamodb",
            "application/x-www-form-urlencoded",
            "Message=m",
            400,
        ),
        (
            "GET /v1/items/%FF/2024-05-01T12:00:00Z",
            "text/plain",
            "",
            400,
        ),
        ("GET /v1/items/a/soon", "text/plain", "", 422),
        ("GET /nowhere", "text/plain", "", 404),
        ("GET /dynamodb/", "text/plain", "", 404),
        ("GET /dynamodb/a/b/c", "text/plain", "", 404),
        ("BREW /v1/items", "text/plain", "", 405),
    ] {
        let answer = client
            .send(&format!("{line}\ncontent-type: {media}\n\n{body}"))
            .await;
        assert_eq!(answer.status, status, "{line} {media} {body:.40}");
        if !answer.status.is_success() {
            assert_eq!(answer.header("content-type"), "application/problem+json");
            assert_eq!(answer.value()["status"], status);
            assert_eq!(answer.value()["request_id"], answer.header("x-request-id"));
        }
    }
}

#[tokio::test]
async fn a_body_without_a_type_is_refused_by_v1() {
    let answer = Client::new()
        .send("POST /v1/items\n\n{\"message\":\"m\"}")
        .await;
    assert_snapshot!(answer.render(), @r#"
    415 Unsupported Media Type
    content-type: application/problem+json

    {"type":"about:blank","title":"Unsupported Media Type","status":415,"detail":"the body must be JSON, with the header Content-Type: application/json","request_id":"[id]"}
    "#);
}

#[tokio::test]
async fn a_broken_body_is_shown_where_it_breaks() {
    let answer = Client::new()
        .json("POST /v1/items", "{\n  \"message\": secret}")
        .await;
    assert_snapshot!(answer.render(), @r#"
    400 Bad Request
    content-type: application/problem+json

    {"type":"about:blank","title":"Bad Request","status":400,"detail":"the body is not well-formed JSON: line 2, column 14","request_id":"[id]"}
    "#);
}

#[tokio::test]
async fn a_wrong_method_is_told_the_right_ones() {
    let client = Client::new();
    for (line, allow) in [
        ("POST /", "GET,HEAD"),
        ("PATCH /dynamodb", "GET,HEAD,POST,PUT"),
        ("GET /dynamodb/a/b", "DELETE"),
        ("PUT /v1/items", "GET,HEAD,POST"),
        ("POST /v1/items/a/b", "GET,HEAD,PATCH,DELETE"),
        ("OPTIONS /v1/items", "GET,HEAD,POST"),
        ("POST /docs", "GET,HEAD"),
        ("DELETE /health", "GET,HEAD"),
    ] {
        let answer = client.send(line).await;
        assert_eq!(answer.status, 405, "{line}");
        let mut told: Vec<&str> = answer.header("allow").split(',').collect();
        let mut right: Vec<&str> = allow.split(',').collect();
        told.sort_unstable();
        right.sort_unstable();
        assert_eq!(told, right, "{line}");
    }
    assert_snapshot!(client.send("POST /health").await.render(), @r#"
    405 Method Not Allowed
    allow: GET,HEAD
    content-type: application/problem+json

    {"type":"about:blank","title":"Method Not Allowed","status":405,"detail":"this path does not take POST; Allow lists what it takes","request_id":"[id]"}
    "#);
}

#[tokio::test]
async fn a_head_has_no_body() {
    let client = Client::new();
    for (path, status) in [
        ("/", 200),
        ("/v1/items", 200),
        ("/nowhere", 404),
        (ITEM, 404),
    ] {
        let answer = client.send(&format!("HEAD {path}")).await;
        assert_eq!(answer.status, status, "{path}");
        assert_eq!(answer.body, "", "{path}");
    }
}

/// Every operation that reaches the table.
const REACHING: [(&str, &str); 9] = [
    ("GET /dynamodb", ""),
    ("POST /dynamodb", r#"{"Message":"m"}"#),
    (
        "PUT /dynamodb",
        r#"{"GUID":"a","DateReceived":"2024-05-01T12:00:00","Message":"m"}"#,
    ),
    ("DELETE /dynamodb/a/2024-05-01T12:00:00Z", ""),
    ("GET /v1/items", ""),
    ("POST /v1/items", r#"{"message":"m"}"#),
    ("GET /v1/items/a/2024-05-01T12:00:00Z", ""),
    (
        "PATCH /v1/items/a/2024-05-01T12:00:00Z",
        r#"{"message":"m"}"#,
    ),
    ("DELETE /v1/items/a/2024-05-01T12:00:00Z", ""),
];

#[tokio::test]
async fn a_failing_table_is_told_without_its_detail() {
    for (failure, status, retry_after) in [
        (Failure::Throttled, 503, "1"),
        (Failure::Failed, 500, ""),
        (Failure::Panic, 500, ""),
    ] {
        let client = Client::over(FailingStore(failure));
        for (line, body) in REACHING {
            let answer = client.json(line, body).await;
            assert_eq!(answer.status, status, "{failure:?} {line}");
            assert_eq!(
                answer.header("retry-after"),
                retry_after,
                "{failure:?} {line}"
            );
            assert!(!answer.body.contains(SECRET), "{failure:?} {line}");
        }
    }
    let throttled = Client::over(FailingStore(Failure::Throttled));
    assert_snapshot!(throttled.send("GET /v1/items").await.render(), @r#"
    503 Service Unavailable
    content-type: application/problem+json
    retry-after: 1

    {"type":"about:blank","title":"Service Unavailable","status":503,"detail":"the table takes no more requests at the moment; try again after the time in Retry-After","request_id":"[id]"}
    "#);
    let failed = Client::over(FailingStore(Failure::Failed));
    assert_snapshot!(failed.send("GET /v1/items").await.render(), @r#"
    500 Internal Server Error
    content-type: application/problem+json

    {"type":"about:blank","title":"Internal Server Error","status":500,"request_id":"[id]"}
    "#);
}

#[tokio::test]
async fn readiness_is_the_tables_and_health_is_the_processes() {
    let client = Client::over(FailingStore(Failure::Failed));
    assert_eq!(client.send("GET /health").await.status, 200);
    assert_snapshot!(client.send("GET /ready").await.render(), @r#"
    503 Service Unavailable
    content-type: application/problem+json
    retry-after: 1

    {"type":"about:blank","title":"Service Unavailable","status":503,"detail":"the table does not answer","request_id":"[id]"}
    "#);
}
