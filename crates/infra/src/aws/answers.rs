//! A client's other end for tests: answers over the services' own JSON, each once, and what was asked.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_http_client::test_util::infallible_client_fn;
use aws_smithy_types::body::SdkBody;
use serde_json::Value;

use super::config::SdkConfig;
use super::without_account;

/// What was asked: the operation, or the method and path of a service without operations, and the JSON.
pub(super) type Asked = Arc<Mutex<Vec<(String, Value)>>>;

/// A configuration whose calls are answered from the list: by operation, each answer once, in order. A call that is not
/// in the list is a failure of the test.
pub(super) fn answering(answers: &[(&str, u16, Value)]) -> (SdkConfig, Asked) {
    let asked = Asked::default();
    let seen = Arc::clone(&asked);
    let left: VecDeque<_> = answers
        .iter()
        .map(|(operation, status, answer)| ((*operation).to_owned(), *status, answer.clone()))
        .collect();
    let left = Mutex::new(left);
    let http = infallible_client_fn(move |request: http::Request<SdkBody>| {
        let operation = operation_of(&request);
        let body = request.body().bytes().unwrap_or_default();
        let body = serde_json::from_slice(body).unwrap_or_default();
        seen.lock().unwrap().push((operation.clone(), body));
        let mut left = left.lock().unwrap();
        let at = left
            .iter()
            .position(|(name, ..)| *name == operation)
            .unwrap_or_else(|| panic!("{operation} was not expected"));
        let (_, status, answer) = left.remove(at).unwrap();
        http::Response::builder()
            .status(status)
            .header("content-type", "application/x-amz-json-1.1")
            .body(SdkBody::from(answer.to_string()))
            .unwrap()
    });
    let credentials = Credentials::new("1", "2", None, None, "test");
    let config = without_account("111122223333", "eu-west-2", "http://127.0.0.1:1")
        .to_builder()
        .http_client(http)
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .build();
    (config, asked)
}

fn operation_of(request: &http::Request<SdkBody>) -> String {
    if let Some(target) = request.headers().get("x-amz-target") {
        let target = target.to_str().unwrap();
        return target.rsplit('.').next().unwrap().to_owned();
    }
    format!("{} {}", request.method(), request.uri().path())
}

/// The operations that were called, in order.
pub(super) fn operations(asked: &Asked) -> Vec<String> {
    let asked = asked.lock().unwrap();
    asked
        .iter()
        .map(|(operation, _)| operation.clone())
        .collect()
}

/// What the calls of an operation held, in order.
pub(super) fn bodies(asked: &Asked, operation: &str) -> Vec<Value> {
    let asked = asked.lock().unwrap();
    let of = asked.iter().filter(|(name, _)| name == operation);
    of.map(|(_, body)| body.clone()).collect()
}
