//! What is not there, and what only could not be asked: by the answers of each service.

use std::sync::{Arc, Mutex};

use aws_config::retry::RetryConfig;
use aws_smithy_http_client::test_util::infallible_client_fn;
use aws_smithy_types::body::SdkBody;
use serde_json::{Value, json};

use super::{Lambda, SdkConfig, SecretsManager, Ssm, StepFunctions, without_account};
use crate::cloud::{
    CloudError, FunctionCalls as _, MachineKind, MachineStatus, Parameters as _, SecretVersion,
    Secrets as _, StateMachines as _,
};

/// What was sent.
type Sent = Arc<Mutex<Vec<Value>>>;

/// A configuration whose calls all get this answer.
fn answering(status: u16, headers: &[(&str, &str)], body: &str) -> (SdkConfig, Sent) {
    let sent = Sent::default();
    let seen = Arc::clone(&sent);
    let headers: Vec<_> = headers
        .iter()
        .map(|(a, b)| ((*a).to_owned(), (*b).to_owned()))
        .collect();
    let body = body.to_owned();
    let http = infallible_client_fn(move |request: http::Request<SdkBody>| {
        let bytes = request.body().bytes().unwrap_or_default();
        let document = serde_json::from_slice(bytes).unwrap_or(Value::Null);
        seen.lock().unwrap().push(document);
        let mut answer = http::Response::builder().status(status);
        for (name, value) in &headers {
            answer = answer.header(name, value);
        }
        answer.body(SdkBody::from(body.clone())).unwrap()
    });
    let config = without_account("000000000000", "eu-west-2", "http://127.0.0.1:1");
    let config = config
        .to_builder()
        .http_client(http)
        .retry_config(RetryConfig::disabled())
        .build();
    (config, sent)
}

fn refusing(code: &str) -> SdkConfig {
    let body = json!({"__type": code, "message": "in words"}).to_string();
    answering(400, &[("x-amzn-errortype", code)], &body).0
}

fn saying(body: Value) -> (SdkConfig, Sent) {
    answering(200, &[], &body.to_string())
}

#[track_caller]
fn is_denied<T>(result: Result<T, CloudError>) {
    let error = result.err().unwrap();
    assert_eq!(error.code(), Some("AccessDeniedException"), "{error}");
}

#[tokio::test]
async fn a_parameter_is_decrypted_and_absent_only_where_the_store_says_so() {
    for code in ["ParameterNotFound", "ParameterVersionNotFound"] {
        let found = Ssm::new(&refusing(code)).parameter("/a").await.unwrap();
        assert!(found.is_none(), "{code}");
    }
    is_denied(
        Ssm::new(&refusing("AccessDeniedException"))
            .parameter("/a")
            .await,
    );
    for (kind, is_secure) in [("SecureString", true), ("String", false)] {
        let parameter = json!({"Parameter": {"Name": "/a", "Type": kind, "Value": "v"}});
        let (config, sent) = saying(parameter);
        let found = Ssm::new(&config).parameter("/a").await.unwrap().unwrap();
        assert_eq!((found.value.as_str(), found.is_secure), ("v", is_secure));
        assert_eq!(
            sent.lock().unwrap()[0],
            json!({"Name": "/a", "WithDecryption": true})
        );
    }
}

#[tokio::test]
async fn a_secret_is_asked_for_by_its_version() {
    let version = SecretVersion {
        id: "one".to_owned(),
        stage: Some("AWSPREVIOUS".to_owned()),
        version: None,
    };
    let missing = SecretsManager::new(&refusing("ResourceNotFoundException"));
    assert_eq!(missing.secret(&version).await.unwrap(), None);
    let denied = SecretsManager::new(&refusing("AccessDeniedException"));
    is_denied(denied.secret(&version).await);
    let (config, sent) = saying(json!({"Name": "one", "SecretString": "hush"}));
    let found = SecretsManager::new(&config).secret(&version).await.unwrap();
    assert_eq!(found.as_deref(), Some("hush"));
    assert_eq!(
        sent.lock().unwrap()[0],
        json!({"SecretId": "one", "VersionStage": "AWSPREVIOUS"})
    );
    // A secret of bytes is no text.
    let (config, _) = saying(json!({"Name": "one", "SecretBinary": "aHVzaA=="}));
    let found = SecretsManager::new(&config).secret(&version).await.unwrap();
    assert_eq!(found, None);
}

#[tokio::test]
async fn a_machine_and_its_executions_are_read() {
    let missing = StepFunctions::new(&refusing("StateMachineDoesNotExist"));
    assert_eq!(missing.machine_kind("arn").await.unwrap(), None);
    let denied = StepFunctions::new(&refusing("AccessDeniedException"));
    is_denied(denied.machine_kind("arn").await);
    is_denied(denied.start_execution("arn", "n", "{}").await);
    is_denied(denied.describe_execution("arn").await);
    for (kind, expected) in [
        ("STANDARD", MachineKind::Standard),
        ("EXPRESS", MachineKind::Express),
    ] {
        let machine = json!({
            "stateMachineArn": "arn", "name": "n", "definition": "{}", "roleArn": "role",
            "type": kind, "creationDate": 0,
        });
        let found = StepFunctions::new(&saying(machine).0)
            .machine_kind("arn")
            .await;
        assert_eq!(found.unwrap(), Some(expected));
    }
    let execution = json!({
        "executionArn": "e", "stateMachineArn": "arn", "status": "FAILED", "startDate": 0,
        "error": "NotReady", "cause": "why",
    });
    let found = StepFunctions::new(&saying(execution).0)
        .describe_execution("e")
        .await;
    let found = found.unwrap();
    assert_eq!(found.status, MachineStatus::Ended("FAILED".to_owned()));
    assert_eq!(
        (found.error.as_deref(), found.cause.as_deref()),
        (Some("NotReady"), Some("why"))
    );
}

#[tokio::test]
async fn a_function_that_fails_answers_all_the_same() {
    let missing = Lambda::new(&refusing("ResourceNotFoundException"));
    assert_eq!(missing.call("f", "{}").await.unwrap(), None);
    is_denied(
        Lambda::new(&refusing("AccessDeniedException"))
            .call("f", "{}")
            .await,
    );
    for (headers, is_error) in [
        (&[][..], false),
        (&[("x-amz-function-error", "Unhandled")], true),
    ] {
        let (config, sent) = answering(200, headers, r#"{"a": 1}"#);
        let answer = Lambda::new(&config).call("f", r#"{"b": 2}"#).await;
        let answer = answer.unwrap().unwrap();
        assert_eq!(
            (answer.document.as_str(), answer.is_error),
            (r#"{"a": 1}"#, is_error)
        );
        assert_eq!(sent.lock().unwrap()[0], json!({"b": 2}));
    }
}
