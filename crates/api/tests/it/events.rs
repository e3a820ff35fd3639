//! Whatever reaches the function as an event: an answer with a documented status, or an error of the invocation. Never a
//! panic.

use std::sync::Arc;

use base64::{Engine, prelude::BASE64_STANDARD};
use lambda_http::{Context, LambdaEvent};
use proptest::{collection::vec, option, prelude::*, sample::select};
use serde_json::{Value, json};
use stackway_api::{
    lambda::{self, HttpEvent},
    router,
    store::MemoryStore,
};

/// Every status that the description of the service names.
const DOCUMENTED: [u64; 14] = [
    200, 201, 204, 304, 400, 404, 405, 409, 412, 413, 415, 422, 500, 503,
];

/// Gives the bytes to the service as Lambda would; `None` where they are no event of an HTTP API.
#[track_caller]
fn answer(bytes: &[u8]) -> Option<Value> {
    let event: HttpEvent = serde_json::from_slice(bytes).ok()?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let router = router(Arc::new(MemoryStore::new()));
    let event = LambdaEvent::new(event, Context::default());
    let answer = runtime.block_on(lambda::answer(router, event)).ok()?;
    // As the runtime writes it, and API Gateway reads it.
    let text = serde_json::to_vec(&answer).unwrap();
    Some(serde_json::from_slice(&text).unwrap())
}

/// Holds an answer to the format and to the description.
fn hold(answer: &Value) {
    let status = answer["statusCode"].as_u64().unwrap();
    assert!(DOCUMENTED.contains(&status) && status < 500, "{answer}");
    assert!(answer["headers"].is_object(), "{answer}");
    let body = answer["body"].as_str().unwrap_or_default();
    if answer["isBase64Encoded"] == true {
        assert!(BASE64_STANDARD.decode(body).is_ok(), "{answer}");
    }
    // A HEAD has the headers alone.
    if answer["headers"]["content-type"] == "application/problem+json" && !body.is_empty() {
        let problem: Value = serde_json::from_str(body).unwrap();
        assert_eq!(problem["status"], status, "{answer}");
    }
}

fn event(
    method: &str,
    path: &str,
    query: &str,
    headers: &Value,
    body: Option<(String, bool)>,
) -> Value {
    let (body, base64) = body.map_or((Value::Null, false), |(body, base64)| (body.into(), base64));
    json!({
        "version": "2.0",
        "rawPath": path,
        "rawQueryString": query,
        "headers": headers,
        "requestContext": {"http": {"method": method, "path": path}},
        "body": body,
        "isBase64Encoded": base64
    })
}

fn paths() -> impl Strategy<Value = String> {
    let known = select(vec![
        "/",
        "/dynamodb",
        "/v1/items",
        "/health",
        "/ready",
        "/docs",
        "/openapi.json",
        "/version/rust",
        "/v1/items/a/2024-05-01T12:00:00Z",
        "/dynamodb/a%2Fb/2024-05-01T12:00:00",
        "/v1/items/%/%zz",
        "/v1/items/%ff/%00",
        "//",
        "/..",
        "/v1/../dynamodb",
        "*",
        "",
    ]);
    prop_oneof![
        known.prop_map(str::to_owned),
        ".{0,40}".prop_map(|text| format!("/{text}")),
        (".{0,12}", ".{0,30}").prop_map(|(guid, date)| format!("/v1/items/{guid}/{date}")),
        (1..20_000_usize).prop_map(|length| format!("/v1/items/{}", "x".repeat(length))),
        ".{0,20}",
    ]
}

fn bodies() -> impl Strategy<Value = Option<(String, bool)>> {
    let valid = select(vec![
        r#"{"message":"hello"}"#,
        r#"{"GUID":"a","DateReceived":"2024-05-01T12:00:00","Message":"x"}"#,
        r#"{"message":"\ud800"}"#,
        "[]",
        "{",
    ]);
    option::of(prop_oneof![
        valid.clone().prop_map(|text| (text.to_owned(), false)),
        valid.prop_map(|text| (BASE64_STANDARD.encode(text), true)),
        vec(any::<u8>(), 0..200).prop_map(|bytes| (BASE64_STANDARD.encode(bytes), true)),
        (".{0,60}", any::<bool>()),
    ])
}

fn headers() -> impl Strategy<Value = Value> {
    let names = prop_oneof![
        select(vec![
            "content-type",
            "if-match",
            "if-none-match",
            "x-request-id",
            "x-amzn-trace-id",
            "host",
            "cookie",
            "",
            "Content-Type",
            "two words",
            "é",
            "content-length",
        ])
        .prop_map(str::to_owned),
        ".{0,10}",
    ];
    let values = prop_oneof![
        select(vec![
            "application/json",
            "*",
            "\"tag\"",
            "text/plain; charset=latin1",
            "\u{0}",
            "a\r\nb: c"
        ])
        .prop_map(str::to_owned),
        ".{0,40}",
    ];
    vec((names, values), 0..6).prop_map(|pairs| {
        Value::Object(
            pairs
                .into_iter()
                .map(|(name, value)| (name, value.into()))
                .collect(),
        )
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) })]

    #[test]
    fn an_event_of_an_http_api_is_answered_as_described(
        method in prop_oneof![select(vec!["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", ""]).prop_map(str::to_owned), ".{0,8}"],
        path in paths(),
        query in prop_oneof![".{0,30}", select(vec!["limit=1", "limit=0&limit=2", "cursor=%ff", "limit=%zz", "&&=&"]).prop_map(str::to_owned)],
        headers in headers(),
        body in bodies(),
    ) {
        let event = event(&method, &path, &query, &headers, body);
        if let Some(answer) = answer(event.to_string().as_bytes()) {
            hold(&answer);
        }
    }

    #[test]
    fn bytes_of_any_kind_do_no_harm(bytes in vec(any::<u8>(), 0..300)) {
        if let Some(answer) = answer(&bytes) {
            hold(&answer);
        }
    }
}

/// What is no event of an HTTP API ends its own invocation: the runtime tells Lambda, and waits for the next.
#[test]
fn events_of_other_kinds_are_told_apart() {
    let rest = json!({"resource": "/{proxy+}", "path": "/dynamodb", "httpMethod": "GET", "headers": null,
        "requestContext": {"stage": "prod", "httpMethod": "GET"}, "isBase64Encoded": false});
    let balancer = json!({"requestContext": {"elb": {"targetGroupArn": "arn"}}, "httpMethod": "GET", "path": "/health",
        "headers": {"user-agent": "ELB-HealthChecker/2.0"}, "body": "", "isBase64Encoded": false});
    let queue = json!({"Records": [{"eventSource": "aws:sqs", "body": "x"}]});
    for other in [
        rest,
        balancer,
        queue,
        json!(null),
        json!([]),
        json!("text"),
        json!({}),
    ] {
        assert_eq!(answer(other.to_string().as_bytes()), None, "{other}");
    }
    assert_eq!(answer(b"\xff\xfe{}"), None);
    let broken = event(
        "POST",
        "/dynamodb",
        "",
        &json!({}),
        Some(("no base64!".into(), true)),
    );
    assert_eq!(answer(broken.to_string().as_bytes()), None);
    // And what the same source sends rightly is answered, so that the check is no empty one.
    let right = event(
        "GET",
        "/health",
        "",
        &json!({"user-agent": "ELB-HealthChecker/2.0"}),
        None,
    );
    assert_eq!(
        answer(right.to_string().as_bytes()).unwrap()["statusCode"],
        200
    );
}

#[test]
fn a_body_of_six_megabytes_is_refused_and_no_more() {
    let large = "x".repeat(6 * 1024 * 1024);
    let json = json!({"content-type": "application/json"});
    for body in [
        (large.clone(), false),
        (BASE64_STANDARD.encode(&large), true),
    ] {
        let event = event("POST", "/v1/items", "", &json, Some(body));
        let answer = answer(event.to_string().as_bytes()).unwrap();
        assert_eq!(answer["statusCode"], 413);
        hold(&answer);
    }
}
