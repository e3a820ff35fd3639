use std::sync::Mutex;

use http::HeaderMap;
use proptest::prelude::*;
use serde_json::{Value, json};
use time::macros::datetime;

use super::*;

const ID: Uuid = Uuid::from_u128(0x1234_5678_9abc_def0_1234_5678_9abc_def0);

fn parts(method: &str, uri: &str, headers: &[(&str, &str)]) -> Parts {
    let mut request = http::Request::builder().method(method).uri(uri);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(()).unwrap().into_parts().0
}

fn event_of(parts: &Parts, body: &[u8]) -> Value {
    let client = "192.0.2.1".parse().unwrap();
    let now = datetime!(2020-03-12 19:03:58.123 UTC);
    let event = event::write(parts, &Bytes::copy_from_slice(body), client, ID, now).unwrap();
    serde_json::from_slice(&event).unwrap()
}

/// The whole of an event, as the page in the module's documentation has it.
#[test]
fn an_event() {
    let parts = parts(
        "POST",
        "/v1/items/%C3%A9%201?parameter1=value1&parameter1=value%202&parameter2=a+b",
        &[
            ("Host", "id.execute-api.eu-west-2.amazonaws.com:8080"),
            ("User-Agent", "curl"),
            ("Header2", "value1"),
            ("Header2", "value2"),
            ("Cookie", "cookie1; cookie2=x"),
            ("Cookie", "cookie3"),
            ("Connection", "keep-alive"),
            ("Content-Type", "application/json; charset=utf-8"),
            ("X-Forwarded-For", "198.51.100.7"),
        ],
    );
    assert_eq!(
        event_of(&parts, br#"{"Message":"hello"}"#),
        json!({
            "version": "2.0",
            "routeKey": "$default",
            "rawPath": "/v1/items/é 1",
            "rawQueryString": "parameter1=value1&parameter1=value%202&parameter2=a+b",
            "cookies": ["cookie1", "cookie2=x", "cookie3"],
            "headers": {
                "content-length": "19",
                "content-type": "application/json; charset=utf-8",
                "header2": "value1,value2",
                "host": "id.execute-api.eu-west-2.amazonaws.com:8080",
                "user-agent": "curl",
                "x-amzn-trace-id": "Root=1-5e6a879e-123456789abcdef012345678",
                "x-forwarded-for": "198.51.100.7, 192.0.2.1",
                "x-forwarded-proto": "http",
            },
            "queryStringParameters": { "parameter1": "value1,value 2", "parameter2": "a b" },
            "requestContext": {
                "accountId": "000000000000",
                "apiId": "local",
                "domainName": "id.execute-api.eu-west-2.amazonaws.com",
                "domainPrefix": "id",
                "http": {
                    "method": "POST",
                    "path": "/v1/items/é 1",
                    "protocol": "HTTP/1.1",
                    "sourceIp": "192.0.2.1",
                    "userAgent": "curl",
                },
                "requestId": "12345678-9abc-def0-1234-56789abcdef0",
                "routeKey": "$default",
                "stage": "$default",
                "time": "12/Mar/2020:19:03:58 +0000",
                "timeEpoch": 1_584_039_838_123_i64,
            },
            "body": r#"{"Message":"hello"}"#,
            "isBase64Encoded": false,
        })
    );
}

#[test]
fn what_a_request_lacks_its_event_lacks() {
    let event = event_of(&parts("GET", "/", &[]), b"");
    for name in ["cookies", "queryStringParameters", "body"] {
        assert!(event.get(name).is_none(), "{name}");
    }
    assert_eq!(event["rawQueryString"], "");
    assert_eq!(event["isBase64Encoded"], false);
    assert!(event["headers"].get("content-length").is_none());
}

#[test]
fn bodies_by_their_type() {
    for (content_type, body, is_base64) in [
        (Some("text/plain"), &b"a"[..], false),
        (Some("Application/JSON"), b"{}", false),
        (Some("application/xml"), b"<a/>", false),
        // What curl says of `-d`.
        (Some("application/x-www-form-urlencoded"), b"{}", true),
        (Some("application/octet-stream"), b"a", true),
        (Some("text/plain"), b"\xff", true),
        (None, b"a", false),
        (None, b"\xff", true),
        (Some("application/octet-stream"), b"", false),
    ] {
        let headers: Vec<_> = content_type
            .map(|of| ("content-type", of))
            .into_iter()
            .collect();
        let event = event_of(&parts("POST", "/", &headers), body);
        assert_eq!(
            event["isBase64Encoded"], is_base64,
            "{content_type:?} {body:?}"
        );
    }
}

#[test]
fn paths_that_no_event_could_hold() {
    for uri in ["/%FF", "*"] {
        let refused = event::write(
            &parts("OPTIONS", uri, &[]),
            &Bytes::new(),
            Ipv4Addr::LOCALHOST.into(),
            ID,
            OffsetDateTime::UNIX_EPOCH,
        );
        assert_eq!(refused.unwrap_err(), Refusal::Malformed, "{uri}");
    }
}

async fn response_of(answer: &Value) -> (u16, HeaderMap, Bytes) {
    let response = answer::read(&Bytes::from(answer.to_string()), false).unwrap();
    let (parts, body) = response.into_parts();
    (
        parts.status.as_u16(),
        parts.headers,
        to_bytes(body, usize::MAX).await.unwrap(),
    )
}

#[tokio::test]
async fn answers() {
    let (status, headers, body) = response_of(&json!({
        "statusCode": 201,
        "headers": { "Content-Type": "application/json", "x-count": 3, "x-ok": true, "x-none": null,
                     "connection": "close", "content-length": "9" },
        "cookies": ["a=1; Path=/", "b=2"],
        "body": "{}",
    }))
    .await;
    assert_eq!((status, &body[..]), (201, &b"{}"[..]));
    assert_eq!(headers["content-type"], "application/json");
    assert_eq!(headers["x-count"], "3");
    assert_eq!(headers["x-ok"], "true");
    for absent in ["x-none", "connection", "content-length"] {
        assert!(!headers.contains_key(absent), "{absent}");
    }
    let cookies: Vec<_> = headers.get_all("set-cookie").iter().collect();
    assert_eq!(cookies, ["a=1; Path=/", "b=2"]);

    let (_, headers, body) =
        response_of(&json!({ "statusCode": 200, "body": "/w==", "isBase64Encoded": true })).await;
    assert_eq!(&body[..], b"\xff");
    assert_eq!(headers["content-type"], "text/plain;charset=utf-8");

    for (answer, expected) in [
        (json!({ "message": "hello" }), r#"{"message":"hello"}"#),
        (json!("hello"), "hello"),
        (json!([1]), "[1]"),
        (json!(null), "null"),
    ] {
        let (status, headers, body) = response_of(&answer).await;
        assert_eq!((status, &body[..]), (200, expected.as_bytes()));
        assert_eq!(headers["content-type"], "application/json");
    }
}

#[test]
fn answers_that_are_none() {
    for (answer, words) in [
        ("{", "is not JSON"),
        (r#"{"statusCode": "many"}"#, "is not in payload format 2.0"),
        (
            r#"{"statusCode": 200, "body": {}}"#,
            "is not in payload format 2.0",
        ),
        (r#"{"statusCode": 101}"#, "statusCode 101"),
        (r#"{"statusCode": 999}"#, "statusCode 999"),
        (
            r#"{"statusCode": 200, "headers": {"a b": "c"}}"#,
            "header `a b`",
        ),
        (
            r#"{"statusCode": 200, "headers": {"a": "b\n"}}"#,
            "header `a`",
        ),
        (r#"{"statusCode": 200, "headers": {"a": []}}"#, "header `a`"),
        (r#"{"statusCode": 200, "cookies": ["\n"]}"#, "cookie"),
        (
            r#"{"statusCode": 200, "body": "%", "isBase64Encoded": true}"#,
            "not base64",
        ),
    ] {
        let error = answer::read(&Bytes::from(answer), false).unwrap_err();
        assert!(error.to_string().contains(words), "{answer}: {error}");
    }
}

/// What a client sends through an integration whose function answers `answer`, and what is reported.
async fn through<F>(
    body: Body,
    headers: &[(&str, &str)],
    answer: F,
) -> (Result<u16, Refusal>, Vec<String>)
where
    F: Future<Output = Result<Bytes, String>> + Send + 'static,
{
    let reports = Arc::new(Mutex::new(Vec::new()));
    let told = Arc::clone(&reports);
    let answer = Mutex::new(Some(answer));
    let integration = Integration {
        invoke: move |_| answer.lock().unwrap().take().unwrap(),
        report: move |line| told.lock().unwrap().push(line),
    };
    let client = SocketAddr::from(([192, 0, 2, 1], 1));
    let parts = parts("POST", "/secret", headers);
    let outcome = integration.pass_on(&parts, body, client, ID).await;
    drop(integration);
    let reports = Arc::into_inner(reports).unwrap().into_inner().unwrap();
    (outcome.map(|response| response.status().as_u16()), reports)
}

#[tokio::test(start_paused = true)]
async fn limits_and_failures() {
    let done = async || Ok(Bytes::from_static(b"{}"));
    let failed = async || Err("the function timed out".to_owned());
    let silent = async || std::future::pending().await;
    let panics = async || panic!("a fault of the host");

    assert_eq!(through(Body::empty(), &[], done()).await, (Ok(200), vec![]));
    let large = Body::from(vec![b'a'; MAX_BODY_BYTES + 1]);
    assert_eq!(through(large, &[], done()).await.0, Err(Refusal::TooLarge));
    let announced = [("content-length", "10485761")];
    assert_eq!(
        through(Body::empty(), &announced, done()).await.0,
        Err(Refusal::TooLarge)
    );
    // Within the gateway's limit, and beyond Lambda's.
    let event = Body::from(vec![b'a'; MAX_EVENT_BYTES]);
    assert_eq!(through(event, &[], done()).await.0, Err(Refusal::TooLarge));

    let (outcome, reports) = through(Body::empty(), &[], failed()).await;
    assert_eq!(outcome, Err(Refusal::Failed));
    assert_eq!(
        reports,
        [format!("POST request {ID} failed: the function timed out")]
    );
    let (outcome, reports) = through(Body::empty(), &[], silent()).await;
    assert_eq!(outcome, Err(Refusal::TooSlow));
    assert_eq!(
        reports,
        [format!(
            "POST request {ID} failed: no answer within 30 seconds"
        )]
    );
    let (outcome, reports) = through(Body::empty(), &[], panics()).await;
    assert_eq!((outcome, reports.len()), (Err(Refusal::Failed), 1));
    let (outcome, reports) =
        through(Body::empty(), &[], async { Ok(Bytes::from_static(b"?")) }).await;
    assert_eq!((outcome, reports.len()), (Err(Refusal::Failed), 1));
}

proptest! {
    /// A function that decodes what the gateway encodes has the request again.
    #[test]
    fn nothing_of_a_request_is_lost(
        path in "/[^%]{0,20}",
        body in proptest::collection::vec(any::<u8>(), 0..200),
        content_type in proptest::option::of("[a-z]{1,8}/[a-z+;= ]{1,12}"),
        value in "[ -~]{0,20}",
    ) {
        use base64::Engine;
        let encoded = percent_encoding::utf8_percent_encode(&path, percent_encoding::NON_ALPHANUMERIC)
            .to_string().replace("%2F", "/");
        let mut headers = vec![("x-value", value.as_str())];
        headers.extend(content_type.as_deref().map(|of| ("content-type", of)));
        let event = event_of(&parts("POST", &encoded, &headers), &body);
        prop_assert_eq!(event["rawPath"].as_str(), Some(path.as_str()));
        prop_assert_eq!(event["headers"]["x-value"].as_str(), Some(value.as_str()));
        let text = event["body"].as_str().unwrap_or_default();
        let received = if event["isBase64Encoded"] == true {
            base64::prelude::BASE64_STANDARD.decode(text).unwrap()
        } else {
            text.as_bytes().to_vec()
        };
        prop_assert_eq!(received, body);
    }

    /// Whatever a function answers is a response or an error, and never the end of the gateway.
    #[test]
    fn any_answer_is_read(payload in proptest::collection::vec(any::<u8>(), 0..100), status in any::<i32>(), text in ".*") {
        let _ = answer::read(&Bytes::from(payload), false);
        let answer = json!({ "statusCode": status, "headers": { &text: &text }, "cookies": [&text], "body": &text });
        let _ = answer::read(&Bytes::from(answer.to_string()), false);
    }
}
