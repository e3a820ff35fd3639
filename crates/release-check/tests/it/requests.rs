//! The function against the real API, and against one that is broken at one request; AWS's part is played here.
use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use axum::{
    Json, Router,
    body::Bytes,
    extract::Request,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use lambda_runtime::Diagnostic;
use serde_json::{Value, json};
use stackway_api::{
    Features, service,
    store::MemoryStore,
    token::{Token, TokenGuard},
};
use stackway_release_check::{Check, CheckError, Right};

const TOKEN: &str = "t0ken";
const ITEM: &str = "/v1/items/verify-1/2024-05-01T12:00:00Z";

async fn serve(router: Router) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}

/// What Parameter Store and Secrets Manager answer; `url` is the parameter's value, and none refuses it.
fn answer(headers: &HeaderMap, body: &Value, url: Option<&str>) -> Response {
    match headers["x-amz-target"].to_str().unwrap() {
        "AmazonSSM.GetParameter" => {
            assert_eq!(body["Name"], "/stackway/test/api/url");
            if let Some(url) = url {
                return Json(json!({"Parameter": {"Value": url}})).into_response();
            }
            let refused = json!({"__type": "ParameterNotFound", "message": ""});
            (StatusCode::BAD_REQUEST, Json(refused)).into_response()
        }
        "secretsmanager.GetSecretValue" if body["SecretId"] == "forbidden" => {
            let refused = json!({"__type": "AccessDeniedException", "message": "no"});
            (StatusCode::BAD_REQUEST, Json(refused)).into_response()
        }
        "secretsmanager.GetSecretValue" => {
            assert_eq!(body["SecretId"], "stackway-token");
            Json(json!({"SecretString": TOKEN})).into_response()
        }
        other => panic!("{other} is no call of the function"),
    }
}

/// The function, with the API at `url`.
async fn check(url: Option<String>, secret: &'static str) -> Check {
    check_as(url, secret, "NONE").await
}

/// The same, where the HTTP API has an authorizer.
async fn check_as(url: Option<String>, secret: &'static str, authorizer: &'static str) -> Check {
    let aws = Router::new().fallback(async move |headers: HeaderMap, body: Bytes| {
        let body = serde_json::from_slice(&body).unwrap();
        answer(&headers, &body, url.as_deref())
    });
    let endpoint = serve(aws).await;
    let settings = |name: &str| match name {
        "AWS_ENDPOINT_URL" => endpoint.clone(),
        "AWS_REGION" => "eu-west-2".to_owned(),
        "API_URL_PARAMETER" => "/stackway/test/api/url".to_owned(),
        "API_TOKEN_SECRET" => secret.to_owned(),
        "API_AUTHORIZER" => authorizer.to_owned(),
        _ => "test".to_owned(),
    };
    Check::read(|name| Some(settings(name))).unwrap()
}

fn step(method: &str, path: &str, body: Value, expect: Value) -> Value {
    json!({
        "step": "Step", "retry": 0, "method": method, "path": path, "body": body, "expect": expect,
        "release": {"commit": "0123abc"},
    })
}

#[track_caller]
fn wrong(checked: Result<Right, CheckError>, name: &str, message: &str) {
    let told = Diagnostic::from(checked.unwrap_err());
    assert_eq!(
        (told.error_type.as_str(), told.error_message.as_str()),
        (name, message)
    );
}

#[tokio::test]
async fn an_item_s_life_is_right_at_the_real_api_with_its_token() {
    let features = Features {
        tokens: Some(Arc::new(TokenGuard::fixed(
            Token::new(TOKEN.to_owned()).unwrap(),
        ))),
        ..Features::default()
    };
    let api = serve(service(Arc::new(MemoryStore::new()), features)).await;
    let with_token = check(Some(api.clone()), "stackway-token").await;
    let item =
        json!({"guid": "verify-1", "date_received": "2024-05-01T12:00:00Z", "message": "one"});
    let two = json!({"message": "two"});
    let steps = [
        step("GET", "/ready", Value::Null, json!({"status": [200]})),
        step(
            "POST",
            "/v1/items",
            item.clone(),
            json!({"status": [201], "body": {"message": "one"}}),
        ),
        step(
            "GET",
            ITEM,
            Value::Null,
            json!({"status": [200], "body": {"message": "one"}}),
        ),
        step(
            "PATCH",
            ITEM,
            two.clone(),
            json!({"status": [200], "body": two}),
        ),
        step("DELETE", ITEM, Value::Null, json!({"status": [204]})),
        step("GET", ITEM, Value::Null, json!({"status": [404]})),
    ];
    for event in steps {
        let request = format!(
            "{} {}",
            event["method"].as_str().unwrap(),
            event["path"].as_str().unwrap()
        );
        let right = with_token.run(event).await.unwrap();
        assert_eq!(right.request, request);
    }

    let without = check(Some(api), "none").await;
    let error = without
        .run(step("GET", ITEM, Value::Null, json!({"status": [404]})))
        .await;
    let said = error.unwrap_err().to_string();
    assert!(
        said.starts_with(&format!("Step: GET {ITEM} answered 401, not 404: {{")),
        "{said}"
    );
}

/// The API's answers that are wrong: the request, what comes back, and the error's name and message.
#[tokio::test]
async fn an_answer_that_is_wrong_is_told_and_named() {
    let long = "x".repeat(400);
    let cut = format!("Step: GET /x answered 500, not 200: {}…", "x".repeat(300));
    let expect = json!({"status": [200], "body": {"message": "one"}});
    for (status, body, expect, name, message) in [
        (
            503,
            "busy",
            json!({"status": [200, 204]}),
            "Unavailable",
            "Step: GET /x answered 503, not 200 or 204: busy",
        ),
        (
            429,
            "",
            json!({"status": [200]}),
            "Unavailable",
            "Step: GET /x answered 429, not 200",
        ),
        (
            500,
            long.as_str(),
            json!({"status": [200]}),
            "Unavailable",
            cut.as_str(),
        ),
        (
            302,
            "a\n  b",
            json!({"status": [200]}),
            "WrongAnswer",
            "Step: GET /x answered 302, not 200: a b",
        ),
        (
            200,
            r#"{"message":"two"}"#,
            expect.clone(),
            "WrongAnswer",
            r#"Step: GET /x answered 200, but `message` is "two", not "one": {"message":"two"}"#,
        ),
        (
            200,
            "none",
            expect.clone(),
            "WrongAnswer",
            "Step: GET /x answered 200, but there is no `message`: none",
        ),
        (
            409,
            "",
            json!({"status": [201], "again": [409]}),
            "WrongAnswer",
            "Step: GET /x answered 409, not 201",
        ),
    ] {
        let body = body.to_owned();
        let status = StatusCode::from_u16(status).unwrap();
        let api = serve(Router::new().fallback(async move || (status, body.clone()))).await;
        let check = check(Some(api), "none").await;
        wrong(
            check.run(step("GET", "/x", Value::Null, expect)).await,
            name,
            message,
        );
    }
}

#[tokio::test]
async fn a_request_that_is_made_again_may_find_its_work_done() {
    let api = serve(Router::new().fallback(async || StatusCode::CONFLICT)).await;
    let check = check(Some(api), "none").await;
    let mut event = step(
        "POST",
        "/x",
        json!({}),
        json!({"status": [201], "again": [409], "body": {"message": "one"}}),
    );
    event["retry"] = json!(1);
    assert_eq!(check.run(event).await.unwrap().status, 409);
}

/// An HTTP API that asks for identities of AWS gets a signature, with the body in it, and no token.
#[tokio::test]
async fn a_request_is_signed_where_the_http_api_asks_for_that() {
    let (told, mut heard) = tokio::sync::mpsc::unbounded_channel();
    let api = serve(Router::new().fallback(async move |request: Request| {
        let header = |name: &str| {
            let value = request.headers().get(name);
            value.map(|value| value.to_str().unwrap().to_owned())
        };
        let signed = (header("authorization"), header("x-amz-date"));
        told.send(signed).unwrap();
        StatusCode::CREATED
    }))
    .await;
    let body = json!({"message": "m"});
    let event = step("POST", "/v1/items", body, json!({"status": [201]}));
    // Were the secret read, the test would see it refused.
    let check = check_as(Some(api), "forbidden", "AWS_IAM").await;
    check.run(event).await.unwrap();
    let (authorization, date) = heard.recv().await.unwrap();
    let authorization = authorization.unwrap();
    let day = &date.unwrap()[..8];
    let scope = format!(
        "AWS4-HMAC-SHA256 Credential=test/{day}/eu-west-2/execute-api/aws4_request, SignedHeaders=content-type;host;x-amz-date"
    );
    assert!(authorization.starts_with(&scope), "{authorization}");
}

#[tokio::test]
async fn nothing_is_sent_to_whom_it_is_not_meant_for() {
    let called = Arc::new(AtomicU32::new(0));
    let counting = Arc::clone(&called);
    let api = serve(Router::new().fallback(async move |_: Request| {
        counting.fetch_add(1, Ordering::Relaxed);
        StatusCode::OK
    }))
    .await;
    let own = check(Some(api.clone()), "stackway-token").await;
    let event = |path: &str, url: &str| {
        let mut event = step("GET", path, Value::Null, json!({"status": [200]}));
        event["release"]["url"] = json!(url);
        event
    };
    wrong(
        own.run(event("/ready", "https://elsewhere.example")).await,
        "WrongAddress",
        &format!(
            "Step: `https://elsewhere.example` was deployed, and the environment's API is at `{api}`: nothing is sent to either"
        ),
    );
    wrong(
        own.run(event("@elsewhere.example/", &api)).await,
        "WrongAddress",
        "Step: path `@elsewhere.example/` does not begin with a single `/`",
    );
    let clear = check(Some("http://api.example".to_owned()), "stackway-token").await;
    wrong(
        clear.run(event("/ready", "http://api.example")).await,
        "WrongAddress",
        "Step: `http://api.example` is neither https nor on this machine: nothing is sent to it",
    );
    let missing = check(None, "stackway-token").await;
    wrong(
        missing.run(event("/ready", &api)).await,
        "NoApi",
        "Step: parameter `/stackway/test/api/url` is missing: deploy stack `api`, then verify it again",
    );
    let forbidden = check(Some(api.clone()), "forbidden").await;
    wrong(
        forbidden.run(event("/ready", &api)).await,
        "Unreadable",
        "Step: GetSecretValue: AccessDeniedException: no",
    );
    let told = Diagnostic::from(own.run(json!({"step": "Step"})).await.unwrap_err());
    assert_eq!(told.error_type, "NoStep");
    assert_eq!(called.load(Ordering::Relaxed), 0);
    // Who says nothing, or the same, is sent to the one address.
    own.run(event("/ready", &format!("{api}/"))).await.unwrap();
    assert_eq!(called.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn an_api_that_is_not_there_may_be_in_a_moment() {
    let nobody = check(Some("http://127.0.0.1:1".to_owned()), "none").await;
    let error = nobody
        .run(step("GET", "/ready", Value::Null, json!({"status": [200]})))
        .await;
    let told = Diagnostic::from(error.unwrap_err());
    assert_eq!(told.error_type, "Unavailable");
    assert!(
        told.error_message
            .starts_with("Step: GET http://127.0.0.1:1/ready: "),
        "{told:?}"
    );
}
