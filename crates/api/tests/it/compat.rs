//! The face that clients of the original call.

use insta::assert_snapshot;

use crate::client::Client;

const KEY: &str = r#""GUID":"a-1","DateReceived":"2024-05-01T12:00:00.123456""#;

#[tokio::test]
async fn greets() {
    let answer = Client::new().send("GET /").await;
    assert_snapshot!(answer.render(), @r#"
    200 OK
    content-type: application/json

    {"message":"What a wonderful kind of day."}
    "#);
}

#[tokio::test]
async fn an_item_lives_from_post_to_delete() {
    let client = Client::new();
    let list = client.send("GET /dynamodb").await;
    assert_snapshot!(list.render(), @"
    200 OK
    content-type: application/json

    []
    ");

    let body = format!(r#"{{{KEY},"Message":"hello"}}"#);
    let stored = client.json("POST /dynamodb", &body).await;
    assert_snapshot!(stored.render(), @"204 No Content");
    let body = format!(r#"{{{KEY},"Message":"over"}}"#);
    let again = client.json("POST /dynamodb", &body).await;
    assert_snapshot!(again.render(), @"204 No Content");
    let list = client.send("GET /dynamodb").await;
    assert_snapshot!(list.render(), @r#"
    200 OK
    content-type: application/json

    [{"GUID":{"S":"a-1"},"DateReceived":{"S":"2024-05-01T12:00:00.123456Z"},"Message":{"S":"over"}}]
    "#);

    let body = format!(r#"{{{KEY},"Message":"new"}}"#);
    let updated = client.json("PUT /dynamodb", &body).await;
    assert_snapshot!(updated.render(), @r#"
    200 OK
    content-type: application/json

    {"Message":{"S":"new"}}
    "#);

    let path = "DELETE /dynamodb/a-1/2024-05-01T12:00:00.123456";
    assert_snapshot!(client.send(path).await.render(), @"204 No Content");
    assert_snapshot!(client.send(path).await.render(), @"204 No Content");
    assert_eq!(client.send("GET /dynamodb").await.body, "[]");
}

#[tokio::test]
async fn an_update_creates_nothing() {
    let client = Client::new();
    let body = format!(r#"{{{KEY},"Message":"new"}}"#);
    let updated = client.json("PUT /dynamodb", &body).await;
    assert_snapshot!(updated.render(), @r#"
    404 Not Found
    content-type: application/problem+json

    {"type":"about:blank","title":"Not Found","status":404,"detail":"there is no item with this GUID and DateReceived","request_id":"[id]"}
    "#);
    assert_eq!(client.send("GET /dynamodb").await.body, "[]");
}

#[tokio::test]
async fn a_missing_key_is_made_for_each_request() {
    let client = Client::new();
    for body in [
        r#"{"Message":"one"}"#,
        r#"{"GUID":null,"DateReceived":null,"Message":"two","Extra":1}"#,
    ] {
        assert_eq!(client.json("POST /dynamodb", body).await.status, 204);
    }
    let list = client.send("GET /dynamodb").await.value();
    let [one, two] = [&list[0], &list[1]];
    assert_ne!(one["GUID"], two["GUID"]);
    assert_ne!(one["DateReceived"], two["DateReceived"]);
    assert_eq!(one["GUID"]["S"].as_str().unwrap().len(), 36);
    assert!(two["DateReceived"]["S"].as_str().unwrap().ends_with('Z'));
}

/// Posts to the list with a `Content-Type`, or none.
#[track_caller]
fn check_type(media: Option<&str>, status: u16) {
    let header = media.map_or_else(String::new, |media| format!("\ncontent-type: {media}"));
    let request = format!("POST /dynamodb{header}\n\n{{{KEY},\"Message\":\"hello\"}}");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let answer = runtime.block_on(async { Client::new().send(&request).await });
    assert_eq!(answer.status.as_u16(), status, "{media:?}");
}

#[test]
fn json_is_taken_as_clients_send_it() {
    check_type(None, 204);
    check_type(Some(""), 204);
    check_type(Some("application/x-www-form-urlencoded"), 204);
    check_type(Some("application/json"), 204);
    check_type(Some("Application/JSON; charset=utf-8"), 204);
    check_type(Some("application/vnd.items+json"), 204);
    check_type(Some("text/xml"), 415);
    check_type(Some("text/plain"), 415);
    check_type(Some("multipart/form-data; boundary=x"), 415);
}

#[tokio::test]
async fn every_way_to_write_a_moment_is_one_key() {
    let client = Client::new();
    for date in [
        "2024-05-01T12:00:00",
        "2024-05-01 12:00:00.000000",
        "2024-05-01T12:00:00Z",
        "2024-05-01T14:00:00+02:00",
    ] {
        let body = format!(r#"{{"GUID":"é 1","DateReceived":"{date}","Message":"m"}}"#);
        assert_eq!(
            client.json("POST /dynamodb", &body).await.status,
            204,
            "{date}"
        );
    }
    let list = client.send("GET /dynamodb").await;
    assert_snapshot!(list.body, @r#"[{"GUID":{"S":"é 1"},"DateReceived":{"S":"2024-05-01T12:00:00.000000Z"},"Message":{"S":"m"}}]"#);
    let deleted = client
        .send("DELETE /dynamodb/%C3%A9%201/2024-05-01T14%3A00%3A00%2B02:00")
        .await;
    assert_eq!(deleted.status, 204);
    assert_eq!(client.send("GET /dynamodb").await.body, "[]");
}

#[tokio::test]
async fn every_fault_is_named() {
    let client = Client::new();
    let answer = client.json(
        "POST /dynamodb",
        r#"{"GUID":"a/b","DateReceived":"soon","Message":1}"#,
    );
    assert_snapshot!(answer.await.render(), @r#"
    422 Unprocessable Entity
    content-type: application/problem+json

    {"type":"about:blank","title":"Unprocessable Entity","status":422,"detail":"the request does not meet the rules of its fields","errors":[{"field":"GUID","message":"must not contain control characters or any of / \\ ? # %"},{"field":"DateReceived","message":"must be an RFC 3339 date and time, such as 2024-05-01T12:00:00Z"},{"field":"Message","message":"must be a string"}],"request_id":"[id]"}
    "#);
    let answer = client.json("PUT /dynamodb", "{}").await;
    assert_snapshot!(answer.render(), @r#"
    422 Unprocessable Entity
    content-type: application/problem+json

    {"type":"about:blank","title":"Unprocessable Entity","status":422,"detail":"the request does not meet the rules of its fields","errors":[{"field":"GUID","message":"is required"},{"field":"DateReceived","message":"is required"},{"field":"Message","message":"is required"}],"request_id":"[id]"}
    "#);
    let answer = client.send("DELETE /dynamodb/a%2Fb/soon").await;
    assert_snapshot!(answer.render(), @r#"
    422 Unprocessable Entity
    content-type: application/problem+json

    {"type":"about:blank","title":"Unprocessable Entity","status":422,"detail":"the request does not meet the rules of its fields","errors":[{"field":"guid","message":"must not contain control characters or any of / \\ ? # %"},{"field":"date_received","message":"must be an RFC 3339 date and time, such as 2024-05-01T12:00:00Z"}],"request_id":"[id]"}
    "#);
}

#[tokio::test]
async fn a_list_beyond_the_limit_leads_on() {
    let client = Client::new();
    let message = "x".repeat(250_000);
    for n in 10..25 {
        let body = format!(
            r#"{{"GUID":"{n}","DateReceived":"2024-05-01T12:00:00","Message":"{message}"}}"#
        );
        assert_eq!(client.json("POST /dynamodb", &body).await.status, 204);
    }
    let list = client.send("GET /dynamodb").await;
    let shown = list.value().as_array().unwrap().len();
    assert!(list.body.len() <= 3_000_001, "{} bytes", list.body.len());
    let link = list.header("link");
    let next = link.strip_prefix('<').unwrap().split('>').next().unwrap();
    let rest = client.send(&format!("GET {next}")).await.value();
    assert_eq!(shown + rest["items"].as_array().unwrap().len(), 15);
    assert_eq!(rest["items"][0]["guid"], (10 + shown).to_string());
}

#[tokio::test]
async fn versions_are_told() {
    let client = Client::new();
    for path in ["/version/rust", "/version/lambda_http"] {
        let answer = client.send(&format!("GET {path}")).await.value();
        let version = answer["version"].as_str().unwrap();
        let numbers: Vec<&str> = version.split('.').collect();
        assert_eq!(numbers.len(), 3, "{path}: {version}");
    }
    assert_eq!(client.send("GET /version/fastapi").await.status, 404);
}
