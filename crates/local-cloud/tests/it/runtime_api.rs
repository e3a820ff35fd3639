//! The Runtime API, as the process of a function meets it.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use stackway_local_cloud::lambda::{InvokeError, RuntimeApi};
use tokio::task::spawn_blocking;

use crate::http::{exchange, request};

const RUNTIME: &str = "/2018-06-01/runtime";
const PATIENCE: Duration = Duration::from_secs(10);

async fn started() -> (RuntimeApi, String) {
    let api = RuntimeApi::start("greeter").await.expect("a port");
    let endpoint = format!("http://{}", api.address());
    (api, endpoint)
}

/// What the function hears of `path` when it posts there.
async fn post(endpoint: &str, path: &str, body: &'static str) -> u16 {
    let (endpoint, path) = (endpoint.to_owned(), format!("{RUNTIME}/{path}"));
    let posted = spawn_blocking(move || request(&endpoint, "POST", &path, &[], body));
    posted.await.expect("an answer").0
}

/// The head and the body of the next event.
async fn next(endpoint: &str) -> (String, String) {
    let (endpoint, path) = (endpoint.to_owned(), format!("{RUNTIME}/invocation/next"));
    let asked = spawn_blocking(move || exchange(&endpoint, "GET", &path, &[], ""));
    asked.await.expect("an event")
}

fn header<'a>(head: &'a str, name: &str) -> &'a str {
    let found = head.lines().find_map(|line| {
        let (key, value) = line.split_once(": ")?;
        key.eq_ignore_ascii_case(name).then_some(value)
    });
    found.unwrap_or_else(|| panic!("no {name} in {head}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_carries_what_a_function_needs_and_is_answered_once() {
    let (api, endpoint) = started().await;
    let function = async {
        let (head, event) = next(&endpoint).await;
        assert_eq!(event, r#"{"a":1}"#);
        let id = header(&head, "Lambda-Runtime-Aws-Request-Id").to_owned();
        let trace = header(&head, "Lambda-Runtime-Trace-Id");
        let root = trace.strip_prefix("Root=1-").expect(trace);
        assert_eq!(root.split(';').next().map(str::len), Some(8 + 1 + 24));
        assert!(
            header(&head, "Lambda-Runtime-Invoked-Function-Arn").ends_with(":function:greeter")
        );
        let deadline: u64 = header(&head, "Lambda-Runtime-Deadline-Ms").parse().unwrap();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let left = u128::from(deadline).checked_sub(now.as_millis());
        assert!(left.is_some_and(|left| left <= PATIENCE.as_millis()));
        let path = format!("invocation/{id}/response");
        assert_eq!(post(&endpoint, &path, "hello").await, 202);
        assert_eq!(post(&endpoint, &path, "again").await, 400);
    };
    let (answer, ()) = tokio::join!(
        api.invoke(Bytes::from_static(br#"{"a":1}"#), PATIENCE),
        function
    );
    assert_eq!(answer.unwrap().payload, "hello");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_there_is_not_is_refused() {
    let (_api, endpoint) = started().await;
    for (path, status) in [
        ("invocation/no-such-id/response", 400),
        ("invocation/no-such-id/error", 400),
        ("invocation/no-such-id", 404),
        ("invocation/no-such-id/other", 404),
        ("exit/error", 404),
    ] {
        assert_eq!(post(&endpoint, path, "").await, status, "{path}");
    }
    let asked = spawn_blocking(move || request(&endpoint, "GET", "/2015-03-31/", &[], ""));
    assert_eq!(asked.await.unwrap().0, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_start_ends_every_event() {
    let (api, endpoint) = started().await;
    let refused = r#"{"errorMessage":"no table"}"#;
    let (outcome, status) = tokio::join!(
        api.invoke(Bytes::new(), PATIENCE),
        post(&endpoint, "init/error", refused)
    );
    assert_eq!(status, 202);
    for outcome in [outcome, api.invoke(Bytes::new(), PATIENCE).await] {
        let error = outcome.unwrap_err();
        assert!(
            matches!(&error, InvokeError::Init(why) if *why == refused),
            "{error}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_that_waits_is_idle_until_it_has_an_event() {
    let (api, endpoint) = started().await;
    let moment = Duration::from_millis(50);
    assert!(tokio::time::timeout(moment, api.idle()).await.is_err());
    let waiting = tokio::spawn(async move { next(&endpoint).await });
    api.idle().await.unwrap();
    let late = api.invoke(Bytes::from_static(b"1"), moment).await;
    assert!(matches!(late, Err(InvokeError::TimedOut(after)) if after == moment));
    assert_eq!(waiting.await.unwrap().1, "1");
}
