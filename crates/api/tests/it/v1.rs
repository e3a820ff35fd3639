//! The modern face.

use insta::assert_snapshot;

use crate::client::Client;

const PATH: &str = "/v1/items/a-1/2024-05-01T12:00:00.000000Z";
const ITEM: &str =
    r#"{"guid":"a-1","date_received":"2024-05-01T14:00:00+02:00","message":"hello"}"#;

#[tokio::test]
async fn an_item_lives_from_create_to_delete() {
    let client = Client::new();
    let created = client.json("POST /v1/items", ITEM).await;
    assert_snapshot!(created.render(), @r#"
    201 Created
    content-type: application/json
    etag: "2d5dd9a9bc6013850a128395ab423dbe"
    location: /v1/items/a-1/2024-05-01T12:00:00.000000Z

    {"guid":"a-1","date_received":"2024-05-01T12:00:00.000000Z","message":"hello"}
    "#);
    assert_eq!(created.header("location"), PATH);

    let read = client.send(&format!("GET {PATH}")).await;
    assert_snapshot!(read.render(), @r#"
    200 OK
    content-type: application/json
    etag: "2d5dd9a9bc6013850a128395ab423dbe"

    {"guid":"a-1","date_received":"2024-05-01T12:00:00.000000Z","message":"hello"}
    "#);
    assert_eq!(read.header("etag"), created.header("etag"));

    let patched = client
        .json(&format!("PATCH {PATH}"), r#"{"message":"new"}"#)
        .await;
    assert_snapshot!(patched.render(), @r#"
    200 OK
    content-type: application/json
    etag: "0215ff29f699efb2427fc12ab5bf9d28"

    {"guid":"a-1","date_received":"2024-05-01T12:00:00.000000Z","message":"new"}
    "#);
    assert_ne!(patched.header("etag"), created.header("etag"));

    let deleted = client.send(&format!("DELETE {PATH}")).await;
    assert_snapshot!(deleted.render(), @"204 No Content");
    assert_snapshot!(client.send(&format!("GET {PATH}")).await.render(), @r#"
    404 Not Found
    content-type: application/problem+json

    {"type":"about:blank","title":"Not Found","status":404,"detail":"there is no item with this guid and date_received","request_id":"[id]"}
    "#);
}

#[tokio::test]
async fn a_duplicate_is_refused() {
    let client = Client::new();
    client.json("POST /v1/items", ITEM).await;
    let again = client
        .json("POST /v1/items", &ITEM.replace("hello", "other"))
        .await;
    assert_snapshot!(again.render(), @r#"
    409 Conflict
    content-type: application/problem+json

    {"type":"about:blank","title":"Conflict","status":409,"detail":"there is an item with this guid and date_received already","request_id":"[id]"}
    "#);
    let kept = client.send(&format!("GET {PATH}")).await.value();
    assert_eq!(kept["message"], "hello");
}

#[tokio::test]
async fn a_path_with_any_text_is_in_location() {
    let client = Client::new();
    let body = r#"{"guid":"é, 1+1","date_received":"2024-05-01T12:00:00Z","message":"m"}"#;
    let created = client.json("POST /v1/items", body).await;
    let location = created.header("location");
    assert_eq!(
        location,
        "/v1/items/%C3%A9%2C%201%2B1/2024-05-01T12:00:00.000000Z"
    );
    let read = client.send(&format!("GET {location}")).await;
    assert_eq!(read.value()["guid"], "é, 1+1");
}

/// Sends a method with a precondition to an item that says "hello".
async fn conditional(method: &str, header: &str, value: &str) -> u16 {
    let client = Client::new();
    let created = client.json("POST /v1/items", ITEM).await;
    let value = value.replace("TAG", created.header("etag"));
    let request = format!(
        "{method} {PATH}\n{header}: {value}\ncontent-type: application/json\n\n{{\"message\":\"new\"}}"
    );
    client.send(&request).await.status.as_u16()
}

#[tokio::test]
async fn preconditions_are_kept() {
    for (method, header, value, status) in [
        ("PATCH", "if-match", "TAG", 200),
        ("PATCH", "if-match", "\"other\", TAG", 200),
        ("PATCH", "if-match", "*", 200),
        ("PATCH", "if-match", "\"other\"", 412),
        ("PATCH", "if-match", "W/TAG", 412),
        ("PATCH", "if-match", "", 412),
        ("DELETE", "if-match", "TAG", 204),
        ("DELETE", "if-match", "*", 204),
        ("DELETE", "if-match", "\"other\"", 412),
        ("GET", "if-none-match", "TAG", 304),
        ("GET", "if-none-match", "W/TAG", 304),
        ("GET", "if-none-match", "\"other\"", 200),
    ] {
        let answered = conditional(method, header, value).await;
        assert_eq!(answered, status, "{method} {header}: {value}");
    }
}

#[tokio::test]
async fn the_second_of_two_updates_learns_of_the_first() {
    let client = Client::new();
    let created = client.json("POST /v1/items", ITEM).await;
    let seen = format!("if-match: {}", created.header("etag"));
    let patch = |message: &str| {
        format!(
            "PATCH {PATH}\n{seen}\ncontent-type: application/merge-patch+json\n\n{{\"message\":\"{message}\"}}"
        )
    };
    assert_eq!(client.send(&patch("one")).await.status, 200);
    assert_snapshot!(client.send(&patch("two")).await.render(), @r#"
    412 Precondition Failed
    content-type: application/problem+json

    {"type":"about:blank","title":"Precondition Failed","status":412,"detail":"the item is in another state than If-Match names; read it again","request_id":"[id]"}
    "#);
    let kept = client.send(&format!("GET {PATH}")).await.value();
    assert_eq!(kept["message"], "one");
}

#[tokio::test]
async fn what_is_missing_is_not_found_whatever_the_precondition() {
    let client = Client::new();
    for method in ["PATCH", "DELETE"] {
        for header in ["if-match: *", "if-match: \"x\"", "accept: */*"] {
            let request = format!(
                "{method} {PATH}\n{header}\ncontent-type: application/json\n\n{{\"message\":\"m\"}}"
            );
            assert_eq!(client.send(&request).await.status, 404, "{method} {header}");
        }
    }
}

#[tokio::test]
async fn pages_lead_from_one_to_the_next() {
    let client = Client::new();
    for n in 10..35 {
        let body = format!(r#"{{"guid":"{n}","message":"m"}}"#);
        assert_eq!(client.json("POST /v1/items", &body).await.status, 201);
    }
    let first = client.send("GET /v1/items").await.value();
    assert_eq!(first["items"].as_array().unwrap().len(), 20);
    let cursor = first["next_cursor"].as_str().unwrap();
    let rest = client
        .send(&format!("GET /v1/items?cursor={cursor}&limit=100"))
        .await
        .value();
    assert_eq!(rest["items"].as_array().unwrap().len(), 5);
    assert_eq!(rest["items"][0]["guid"], "30");
    assert!(rest["next_cursor"].is_null());
}

#[tokio::test]
async fn paging_is_checked() {
    let client = Client::new();
    for query in [
        "limit=0",
        "limit=101",
        "limit=-1",
        "limit=ten",
        "limit=",
        "limit=1&limit=2",
        "cursor=",
        "cursor=abc",
        "cursor=%00",
        "page=2",
    ] {
        let answer = client.send(&format!("GET /v1/items?{query}")).await;
        assert_eq!(answer.status, 422, "{query}");
    }
    let answer = client.send("GET /v1/items?limit=0&cursor=abc&page=2").await;
    assert_snapshot!(answer.render(), @r#"
    422 Unprocessable Entity
    content-type: application/problem+json

    {"type":"about:blank","title":"Unprocessable Entity","status":422,"detail":"the request does not meet the rules of its fields","errors":[{"field":"limit","message":"must be a whole number from 1 to 100"},{"field":"cursor","message":"must be a `next_cursor` that this service returned"},{"field":"page","message":"is not a known parameter; `limit` and `cursor` are"}],"request_id":"[id]"}
    "#);
}

#[tokio::test]
async fn every_fault_is_named() {
    let client = Client::new();
    let body = r#"{"guid":"","date_received":"2024-05-01T12:00:00","Message":"m"}"#;
    let answer = client.json("POST /v1/items", body).await;
    assert_snapshot!(answer.render(), @r#"
    422 Unprocessable Entity
    content-type: application/problem+json

    {"type":"about:blank","title":"Unprocessable Entity","status":422,"detail":"the request does not meet the rules of its fields","errors":[{"field":"guid","message":"must not be empty"},{"field":"date_received","message":"must be an RFC 3339 date and time, such as 2024-05-01T12:00:00Z"},{"field":"message","message":"is required"},{"field":"Message","message":"is not a known field"}],"request_id":"[id]"}
    "#);
    let answer = client.json(
        "PATCH /v1/items/a%3Fb/soon",
        r#"{"message":null,"guid":"b"}"#,
    );
    assert_snapshot!(answer.await.render(), @r#"
    422 Unprocessable Entity
    content-type: application/problem+json

    {"type":"about:blank","title":"Unprocessable Entity","status":422,"detail":"the request does not meet the rules of its fields","errors":[{"field":"guid","message":"must not contain control characters or any of / \\ ? # %"},{"field":"date_received","message":"must be an RFC 3339 date and time, such as 2024-05-01T12:00:00Z"},{"field":"message","message":"must be a string"},{"field":"guid","message":"is not a known field"}],"request_id":"[id]"}
    "#);
}
