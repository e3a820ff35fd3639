//! The hook against a Lambda whose versions are played here, and what it tells CodeDeploy.
#![expect(
    clippy::unwrap_used,
    reason = "a helper of a test fails the test, as the test itself would"
)]

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use axum::{Json, Router, body::Bytes, http::Uri, http::header::HeaderMap};
use serde_json::{Value, json};
use stackway_release_hook::{Hook, HookEvent};

/// A version of the API that keeps items, and may be broken at one step.
#[derive(Clone, Default)]
struct Aws {
    items: Arc<Mutex<BTreeMap<String, Value>>>,
    broken: Arc<Mutex<Option<(&'static str, Value)>>>,
    told: Arc<Mutex<Vec<Value>>>,
    invoked: Arc<Mutex<Vec<String>>>,
}

impl Aws {
    fn answer(&self, uri: &Uri, headers: &HeaderMap, body: &Value) -> Value {
        let target = headers.get("x-amz-target").map(|it| it.to_str().unwrap());
        match target {
            Some("secretsmanager.GetSecretValue") => return json!({"SecretString": "t0ken"}),
            Some(target) => {
                assert_eq!(
                    target,
                    "CodeDeploy_20141006.PutLifecycleEventHookExecutionStatus"
                );
                self.told.lock().unwrap().push(body.clone());
                return json!({});
            }
            None => {}
        }
        assert_eq!(
            uri.to_string(),
            "/2015-03-31/functions/items-api/invocations?Qualifier=7"
        );
        assert_eq!(body["headers"]["authorization"], "Bearer t0ken");
        let method = body["requestContext"]["http"]["method"].as_str().unwrap();
        self.invoked.lock().unwrap().push(method.to_owned());
        if let Some((step, answer)) = &*self.broken.lock().unwrap()
            && *step == method
        {
            return answer.clone();
        }
        let mut items = self.items.lock().unwrap();
        let path = body["rawPath"].as_str().unwrap().to_owned();
        match method {
            "POST" => {
                let item: Value = serde_json::from_str(body["body"].as_str().unwrap()).unwrap();
                let (guid, date) = (item["guid"].as_str(), item["date_received"].as_str());
                let key = format!("{path}/{}/{}", guid.unwrap(), date.unwrap());
                items.insert(key, item);
                json!({"statusCode": 201, "body": "{}"})
            }
            "GET" => items.get(&path).map_or_else(
                || json!({"statusCode": 404, "body": "{}"}),
                |item| json!({"statusCode": 200, "body": item.to_string()}),
            ),
            "DELETE" if items.remove(&path).is_some() => json!({"statusCode": 204}),
            _ => json!({"statusCode": 404}),
        }
    }
}

async fn hook(aws: &Aws) -> Hook {
    let answering = aws.clone();
    let router = Router::new().fallback(async move |uri: Uri, headers: HeaderMap, body: Bytes| {
        Json(answering.answer(&uri, &headers, &serde_json::from_slice(&body).unwrap()))
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    Hook::read(|name| {
        let value = match name {
            "AWS_ENDPOINT_URL" => endpoint.as_str(),
            "AWS_REGION" => "eu-west-2",
            "HOOK_FUNCTION" => "items-api",
            "HOOK_VERSION" => "7",
            "API_TOKEN_SECRET" => "items-token",
            _ => "test",
        };
        Some(value.to_owned())
    })
    .unwrap()
}

#[tokio::test]
async fn a_version_that_works_is_let_through_and_keeps_nothing() {
    let aws = Aws::default();
    let hook = hook(&aws).await;
    hook.try_version("r-1").await.unwrap();
    assert_eq!(
        *aws.invoked.lock().unwrap(),
        ["POST", "GET", "DELETE", "GET"]
    );
    assert!(aws.items.lock().unwrap().is_empty());
    let event: HookEvent = serde_json::from_value(json!({
        "DeploymentId": "d-1", "LifecycleEventHookExecutionId": "e-1"
    }))
    .unwrap();
    hook.report(&event, true).await.unwrap();
    hook.report(&event, false).await.unwrap();
    let told = aws.told.lock().unwrap();
    assert_eq!(
        told[0],
        json!({"deploymentId": "d-1", "lifecycleEventHookExecutionId": "e-1", "status": "Succeeded"})
    );
    assert_eq!(told[1]["status"], "Failed");
}

#[tokio::test]
async fn a_version_that_fails_anywhere_is_not_let_through() {
    for (step, answer, why) in [
        ("POST", json!({"statusCode": 503}), "answered 503, not 201"),
        (
            "GET",
            json!({"errorMessage": "Task timed out", "errorType": "Sandbox.Timedout"}),
            "answered Task timed out, not 200",
        ),
        (
            "GET",
            json!({"statusCode": 200, "body": "{\"message\":\"another\"}"}),
            "is not the one that was written",
        ),
        (
            "DELETE",
            json!({"statusCode": 404}),
            "answered 404, not 204",
        ),
    ] {
        let aws = Aws::default();
        *aws.broken.lock().unwrap() = Some((step, answer));
        let error = hook(&aws).await.try_version("r-1").await.unwrap_err();
        assert!(error.to_string().contains(why), "{error}");
        let deleted = aws.invoked.lock().unwrap().iter().any(|it| it == "DELETE");
        assert_eq!(deleted, step != "POST", "{step}");
    }
}
