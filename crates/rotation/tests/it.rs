//! A rotation from end to end: Secrets Manager's part is played here, and the API is the real one.
#![expect(
    clippy::unwrap_used,
    reason = "a helper of a test fails the test, as the test itself would"
)]

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::{Duration, SystemTime},
};

use axum::{
    Json, Router,
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};
use stackway_api::{
    Features, service,
    store::MemoryStore,
    token::{SecretSettings, TokenGuard},
};
use stackway_aws_client::{Client, Plain, function};
use stackway_rotation::{Rotation, RotationError, RotationEvent, Step};

const SECRET: &str = "arn:aws:secretsmanager:eu-west-2:000000000000:secret:token-AbCdEf";
const PARAMETER: &str = "/stackway/test/api/url";

#[derive(Clone)]
struct Version {
    token: Option<String>,
    labels: Vec<String>,
    created: SystemTime,
}

/// The calls of Secrets Manager and Parameter Store that a rotation makes, on one secret.
#[derive(Clone, Default)]
struct Aws {
    versions: Arc<Mutex<BTreeMap<String, Version>>>,
    parameter: Arc<Mutex<Option<String>>>,
    passwords: Arc<Mutex<u32>>,
}

fn refused(code: &str) -> Response {
    let body = Json(json!({"__type": code, "message": "no"}));
    (axum::http::StatusCode::BAD_REQUEST, body).into_response()
}

impl Aws {
    fn add(&self, id: &str, token: Option<&str>, labels: &[&str], age: u64) {
        let version = Version {
            token: token.map(str::to_owned),
            labels: labels.iter().map(|&label| label.to_owned()).collect(),
            created: SystemTime::now() - Duration::from_secs(age),
        };
        self.versions.lock().unwrap().insert(id.to_owned(), version);
    }

    fn labels(&self, id: &str) -> Vec<String> {
        let mut labels = self.versions.lock().unwrap()[id].labels.clone();
        labels.sort_unstable();
        labels
    }

    fn token(&self, id: &str) -> Option<String> {
        self.versions.lock().unwrap()[id].token.clone()
    }

    fn answer(&self, target: &str, body: &Value) -> Response {
        let mut versions = self.versions.lock().unwrap();
        match target {
            "AmazonSSM.GetParameter" => {
                assert_eq!(body["Name"], PARAMETER);
                match self.parameter.lock().unwrap().as_deref() {
                    None => refused("ParameterNotFound"),
                    Some(url) => Json(json!({"Parameter": {"Value": url}})).into_response(),
                }
            }
            "secretsmanager.GetRandomPassword" => {
                assert_eq!(
                    (&body["PasswordLength"], &body["ExcludePunctuation"]),
                    (&json!(64), &json!(true))
                );
                let mut made = self.passwords.lock().unwrap();
                *made += 1;
                Json(json!({"RandomPassword": format!("{:064}", *made)})).into_response()
            }
            "secretsmanager.DescribeSecret" => {
                let labels: BTreeMap<_, _> =
                    versions.iter().map(|(id, one)| (id, &one.labels)).collect();
                Json(json!({"ARN": SECRET, "VersionIdsToStages": labels})).into_response()
            }
            "secretsmanager.GetSecretValue" => {
                let found = versions.iter().find(|(id, version)| {
                    let named = body["VersionId"].as_str().is_none_or(|name| name == *id);
                    let stage = body["VersionStage"].as_str().unwrap();
                    named && version.labels.iter().any(|label| label == stage)
                });
                let value = found.and_then(|(_, version)| {
                    let since = version.created.duration_since(SystemTime::UNIX_EPOCH);
                    Some((version.token.clone()?, since.unwrap().as_secs_f64()))
                });
                match value {
                    None => refused("ResourceNotFoundException"),
                    Some((token, created)) => {
                        Json(json!({"SecretString": token, "CreatedDate": created})).into_response()
                    }
                }
            }
            "secretsmanager.PutSecretValue" => {
                let id = body["ClientRequestToken"].as_str().unwrap();
                let version = versions.get_mut(id).unwrap();
                version.token = Some(body["SecretString"].as_str().unwrap().to_owned());
                assert_eq!(body["VersionStages"], json!(["AWSPENDING"]));
                Json(json!({})).into_response()
            }
            "secretsmanager.UpdateSecretVersionStage" => {
                assert_eq!(body["VersionStage"], "AWSCURRENT");
                for version in versions.values_mut() {
                    version.labels.retain(|label| label != "AWSPREVIOUS");
                }
                let from = versions
                    .get_mut(body["RemoveFromVersionId"].as_str().unwrap())
                    .unwrap();
                from.labels.retain(|label| label != "AWSCURRENT");
                from.labels.push("AWSPREVIOUS".to_owned());
                let to = versions
                    .get_mut(body["MoveToVersionId"].as_str().unwrap())
                    .unwrap();
                to.labels.push("AWSCURRENT".to_owned());
                Json(json!({})).into_response()
            }
            other => panic!("{other} is no call of a rotation"),
        }
    }
}

async fn serve(router: Router) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}

/// A secret with one current version, a rotation of it, and the API that asks for it.
struct Stage {
    aws: Aws,
    rotation: Rotation,
    client: Client,
    api: String,
}

impl Stage {
    async fn new() -> Self {
        let aws = Aws::default();
        aws.add("v1", Some("first"), &["AWSCURRENT"], 90_000);
        let answering = aws.clone();
        let endpoint = serve(Router::new().fallback(
            async move |headers: axum::http::HeaderMap, body: String| {
                let target = headers["x-amz-target"].to_str().unwrap();
                answering.answer(target, &serde_json::from_str(&body).unwrap())
            },
        ))
        .await;
        let settings = function::settings(
            |name| {
                Some(if name == "AWS_ENDPOINT_URL" {
                    endpoint.clone()
                } else if name == "AWS_REGION" {
                    "eu-west-2".to_owned()
                } else {
                    "test".to_owned()
                })
            },
            &[],
        )
        .unwrap()
        .client;
        let tokens = TokenGuard::secret(SecretSettings {
            secret: SECRET.to_owned(),
            grace: Duration::from_hours(1),
            region: settings.region.clone(),
            endpoint_url: settings.endpoint_url.clone(),
            credentials: settings.credentials.clone(),
            connections: settings.connections.clone(),
        });
        let features = Features {
            tokens: Some(Arc::new(tokens)),
            ..Features::default()
        };
        let api = serve(service(Arc::new(MemoryStore::new()), features)).await;
        *aws.parameter.lock().unwrap() = Some(api.clone());
        let client = Client::new(settings.clone());
        let rotation = Rotation::new(settings, PARAMETER.to_owned());
        Self {
            aws,
            rotation,
            client,
            api,
        }
    }

    /// What Secrets Manager does before the first step: a version with a label and no value.
    fn begin(&self, id: &str) {
        self.aws.add(id, None, &["AWSPENDING"], 0);
    }

    async fn step(&self, step: Step, version: &str) -> Result<(), RotationError> {
        let event = RotationEvent {
            step,
            secret_id: SECRET.to_owned(),
            client_request_token: version.to_owned(),
        };
        self.rotation.run(&event).await
    }

    async fn status(&self, token: &str) -> u16 {
        let authorization = format!("Bearer {token}");
        let headers = [("authorization", authorization.as_str())];
        let url = format!("{}/v1/items", self.api);
        let request = Plain {
            method: "GET",
            url: &url,
            headers: &headers,
            body: &[],
            timeout: Duration::from_secs(5),
        };
        self.client.ask(&request).await.unwrap().status
    }
}

#[tokio::test]
async fn a_rotation_replaces_the_token_and_no_client_notices() {
    let stage = Stage::new().await;
    assert_eq!(stage.status("first").await, 200);
    stage.begin("v2");
    stage.step(Step::Create, "v2").await.unwrap();
    let token = stage.aws.token("v2").unwrap();
    assert_eq!(token.len(), 64);
    // Asked for again, it makes no other.
    stage.step(Step::Create, "v2").await.unwrap();
    assert_eq!(stage.aws.token("v2").unwrap(), token);
    stage.step(Step::Set, "v2").await.unwrap();
    // The API has read the secret a moment ago, and reads it again once it may.
    stage.step(Step::Test, "v2").await.unwrap();
    assert_eq!(stage.status("first").await, 200);
    stage.step(Step::Finish, "v2").await.unwrap();
    assert_eq!(stage.aws.labels("v1"), ["AWSPREVIOUS"]);
    assert_eq!(stage.aws.labels("v2"), ["AWSCURRENT", "AWSPENDING"]);
    assert_eq!(stage.status("first").await, 200);
    assert_eq!(stage.status(&token).await, 200);
    for step in [Step::Create, Step::Set, Step::Test, Step::Finish] {
        stage.step(step, "v2").await.unwrap();
    }
    assert_eq!(stage.aws.labels("v2"), ["AWSCURRENT", "AWSPENDING"]);
}

#[tokio::test]
async fn a_token_that_the_api_refuses_does_not_become_current() {
    let mut stage = Stage::new().await;
    let closed = serve(Router::new().fallback(async || axum::http::StatusCode::UNAUTHORIZED));
    *stage.aws.parameter.lock().unwrap() = Some(closed.await);
    stage.rotation = stage.rotation.waiting(Duration::from_millis(1));
    stage.begin("v2");
    stage.step(Step::Create, "v2").await.unwrap();
    let error = stage.step(Step::Test, "v2").await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "the API does not take the pending token, so that it stays pending: \
         GET /v1/items?limit=1 answers 401"
    );
    assert_eq!(stage.aws.labels("v1"), ["AWSCURRENT"]);
}

#[tokio::test]
async fn what_is_not_being_made_is_left_alone() {
    let stage = Stage::new().await;
    stage.aws.add("v0", Some("zeroth"), &["AWSPREVIOUS"], 0);
    for (version, why) in [
        ("v0", "it has not the label AWSPENDING"),
        ("v9", "there is no such version"),
    ] {
        for step in [Step::Create, Step::Set, Step::Test, Step::Finish] {
            let error = stage.step(step, version).await.unwrap_err().to_string();
            assert!(error.ends_with(why), "{error}");
        }
    }
    // A rotation before the API's first deploy says what to do.
    *stage.aws.parameter.lock().unwrap() = None;
    stage.begin("v2");
    stage.step(Step::Create, "v2").await.unwrap();
    let error = stage.step(Step::Test, "v2").await.unwrap_err().to_string();
    assert!(error.contains("deploy stack `api`"), "{error}");
}

#[test]
fn the_event_is_secrets_manager_s() {
    let event: RotationEvent = serde_json::from_value(json!({
        "Step": "finishSecret",
        "SecretId": SECRET,
        "ClientRequestToken": "v2",
        "RotationToken": "another account's",
    }))
    .unwrap();
    assert_eq!(event.step, Step::Finish);
}
