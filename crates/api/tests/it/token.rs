//! The token before the service: whom it lets through, and what it reads of Secrets Manager.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::{Duration, SystemTime},
};

use axum::{Json, response::IntoResponse};
use http::{HeaderMap, StatusCode};
use insta::assert_snapshot;
use serde_json::{Value, json};
use stackway_api::token::{SecretSettings, Token, TokenGuard};
use stackway_aws_client::{Connections, TrustRoots};

use crate::{client::Client, stores::credentials};

const GUARDED: [&str; 9] = [
    "GET /",
    "GET /dynamodb",
    "POST /dynamodb",
    "DELETE /dynamodb/a/2024-05-01T12:00:00Z",
    "GET /v1/items",
    "POST /v1/items",
    "DELETE /v1/items/a/2024-05-01T12:00:00Z",
    "GET /version/rust",
    "GET /ready",
];
const OPEN: [&str; 3] = ["GET /health", "GET /docs", "GET /openapi.json"];

fn fixed(token: &str) -> Client {
    Client::guarded(TokenGuard::fixed(Token::new(token.to_owned()).unwrap()))
}

#[tokio::test]
async fn items_are_for_those_who_have_the_token() {
    let client = fixed("s3cret");
    for line in GUARDED {
        let answer = client.send(line).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{line}");
        assert_eq!(
            answer.header("www-authenticate"),
            "Bearer realm=\"stackway\"",
            "{line}"
        );
    }
    for line in OPEN {
        assert_eq!(client.send(line).await.status, StatusCode::OK, "{line}");
    }
    assert_eq!(
        client.send("GET /nowhere").await.status,
        StatusCode::NOT_FOUND
    );
    // What is no operation tells nothing that the description does not.
    assert_eq!(
        client.send("BREW /v1/items").await.status,
        StatusCode::METHOD_NOT_ALLOWED
    );
    let answer = client
        .send("GET /v1/items\nauthorization: bearer s3cret")
        .await;
    assert_eq!(answer.status, StatusCode::OK);
}

#[tokio::test]
async fn what_is_no_token_is_refused() {
    let client = fixed("s3cret");
    for offered in [
        "authorization: Bearer s3cre",
        "authorization: Bearer s3crets",
        "authorization: Bearer s3cret s3cret",
        "authorization: Basic s3cret",
        "authorization: s3cret",
        "authorization: Bearer",
        "authorization: Bearer s3cret\nauthorization: Bearer s3cret",
        "x-api-key: s3cret",
    ] {
        let answer = client.send(&format!("GET /v1/items\n{offered}")).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{offered}");
    }
    let answer = client
        .send("GET /v1/items\nauthorization: Bearer other")
        .await;
    assert_snapshot!(answer.render(), @r#"
    401 Unauthorized
    content-type: application/problem+json
    www-authenticate: Bearer realm="stackway", error="invalid_token"

    {"type":"about:blank","title":"Unauthorized","status":401,"detail":"the token is not one of this service, or no longer","request_id":"[id]"}
    "#);
}

/// As much of Secrets Manager as `GetSecretValue` needs, with versions that a test sets.
#[derive(Clone, Default)]
struct SecretsManager {
    versions: Arc<Mutex<HashMap<&'static str, (String, SystemTime)>>>,
    calls: Arc<Mutex<Vec<String>>>,
    refuses: Arc<Mutex<Option<&'static str>>>,
}

impl SecretsManager {
    async fn start(&self) -> String {
        let this = self.clone();
        let service = axum::Router::new()
            .fallback(async move |headers: HeaderMap, body: String| this.answer(&headers, &body));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, service).await });
        endpoint
    }

    fn answer(&self, headers: &HeaderMap, body: &str) -> axum::response::Response {
        assert_eq!(headers["x-amz-target"], "secretsmanager.GetSecretValue");
        let signature = headers["authorization"].to_str().unwrap();
        assert!(
            signature.contains("/eu-west-2/secretsmanager/aws4_request"),
            "{signature}"
        );
        let asked: Value = serde_json::from_str(body).unwrap();
        assert_eq!(asked["SecretId"], "items-token");
        let stage = asked["VersionStage"].as_str().unwrap();
        self.calls.lock().unwrap().push(stage.to_owned());
        let refused = |code: &str| {
            (
                StatusCode::BAD_REQUEST,
                Json(json!({"__type": code, "Message": "no"})),
            )
                .into_response()
        };
        if let Some(code) = *self.refuses.lock().unwrap() {
            return refused(code);
        }
        match self.versions.lock().unwrap().get(stage) {
            None => refused("ResourceNotFoundException"),
            Some((token, created)) => {
                let created = created.duration_since(SystemTime::UNIX_EPOCH).unwrap();
                let answer = json!({"SecretString": token, "CreatedDate": created.as_secs_f64()});
                Json(answer).into_response()
            }
        }
    }

    fn set(&self, stage: &'static str, token: &str) {
        let mut versions = self.versions.lock().unwrap();
        versions.insert(stage, (token.to_owned(), SystemTime::now()));
    }
}

async fn over(secrets: &SecretsManager) -> Client {
    Client::guarded(TokenGuard::secret(SecretSettings {
        secret: "items-token".to_owned(),
        grace: Duration::from_mins(1),
        region: "eu-west-2".to_owned(),
        endpoint_url: Some(secrets.start().await),
        credentials: credentials().into(),
        connections: Connections::new(TrustRoots::amazon(), Duration::from_secs(1)),
    }))
}

async fn status(client: &Client, token: &str) -> u16 {
    let request = format!("GET /v1/items\nauthorization: Bearer {token}");
    client.send(&request).await.status.as_u16()
}

#[tokio::test]
async fn the_secret_s_versions_count() {
    let secrets = SecretsManager::default();
    secrets.set("AWSCURRENT", "now");
    secrets.set("AWSPREVIOUS", "before");
    secrets.set("AWSPENDING", "soon");
    let client = over(&secrets).await;
    for (token, expected) in [("now", 200), ("before", 200), ("soon", 200), ("other", 401)] {
        assert_eq!(status(&client, token).await, expected, "{token}");
    }
    let mut calls = secrets.calls.lock().unwrap().clone();
    calls.sort_unstable();
    assert_eq!(calls, ["AWSCURRENT", "AWSPENDING", "AWSPREVIOUS"]);
}

#[tokio::test]
async fn a_secret_that_cannot_be_read_is_an_outage_and_no_refusal() {
    let secrets = SecretsManager::default();
    secrets.set("AWSCURRENT", "now");
    *secrets.refuses.lock().unwrap() = Some("AccessDeniedException");
    let client = over(&secrets).await;
    let answer = client
        .send("GET /v1/items\nauthorization: Bearer now")
        .await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.header("retry-after"), "1");
    assert!(!answer.body.contains("AccessDenied"), "{}", answer.body);
    // A request without a token needs no secret to be refused.
    assert_eq!(
        client.send("GET /v1/items").await.status,
        StatusCode::UNAUTHORIZED
    );
}
