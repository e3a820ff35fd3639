//! A function's process through its life: kept between events, and started anew where it ends.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use bytes::Bytes;
use serde_json::{Value, json};
use stackway_local_cloud::lambda::{Function, FunctionConfig, InvokeError};

use crate::fake::{PYTHON, ends, is_alive};

fn config() -> FunctionConfig {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/function.py");
    FunctionConfig {
        arguments: vec![script.into()],
        environment: vec![("COLOUR".to_owned(), "red".into())],
        timeout: Duration::from_secs(20),
        ..FunctionConfig::new("greeter", PYTHON.as_path())
    }
}

/// A function that fails in this way before it asks for an event.
fn fails_at_start(deed: &str) -> FunctionConfig {
    let mut config = config();
    config.arguments.push(deed.into());
    config
}

async fn invoke(function: &Function, event: &str) -> Result<Value, InvokeError> {
    let event = Bytes::from(json!(event).to_string());
    let answer = function.invoke(event).await?;
    Ok(serde_json::from_slice(&answer.payload).expect("an answer in JSON"))
}

fn pid(answer: &Value) -> u32 {
    let pid = answer["pid"].as_u64().expect("the function's process");
    pid.try_into().expect("a process id")
}

#[tokio::test]
async fn one_process_serves_until_it_ends() {
    let function = Function::new(config());
    let first = invoke(&function, "").await.unwrap();
    assert_eq!(invoke(&function, "").await.unwrap()["pid"], first["pid"]);

    let failed = invoke(&function, "fail").await.unwrap_err();
    assert!(
        matches!(&failed, InvokeError::Failed(why) if why.ends_with(br#""errorType": "No"}"#)),
        "{failed}"
    );
    assert_eq!(
        invoke(&function, "").await.unwrap()["pid"],
        first["pid"],
        "a failed invocation ends no process"
    );

    let crashed = invoke(&function, "crash").await.unwrap_err();
    assert!(
        matches!(crashed, InvokeError::Exited(status) if status.code() == Some(3)),
        "{crashed}"
    );
    let second = invoke(&function, "end").await.unwrap();
    assert_ne!(second["pid"], first["pid"]);
    assert!(ends(pid(&second)));
    let third = invoke(&function, "").await.unwrap();
    assert_ne!(third["pid"], second["pid"], "it ended between two events");

    function.stop().await;
    assert!(ends(pid(&third)));
    let fourth = invoke(&function, "").await.unwrap();
    assert_eq!(fourth["count"], 1, "a stopped function starts again");
    function.stop().await;
}

#[tokio::test]
async fn events_are_answered_in_order_one_at_a_time() {
    let function = Function::new(config());
    let event = || function.invoke(Bytes::from_static(b"\"\""));
    let (first, second, third) = tokio::join!(event(), event(), event());
    let answers = [first.unwrap(), second.unwrap(), third.unwrap()];
    for (answer, count) in answers.iter().zip(1..) {
        let payload: Value = serde_json::from_slice(&answer.payload).unwrap();
        assert_eq!(payload["count"], count);
    }
    for pair in answers.windows(2) {
        assert!(pair[0].answered <= pair[1].handed);
    }
    function.stop().await;
}

#[tokio::test]
async fn a_function_has_the_environment_that_lambda_gives() {
    let function = Function::new(config());
    let answer = invoke(&function, "").await.unwrap();
    function.stop().await;
    let mut environment = answer["environment"].as_object().unwrap().clone();
    let mut take = |name: &str| environment.remove(name).expect(name);
    let api = take("AWS_LAMBDA_RUNTIME_API");
    assert!(api.as_str().unwrap().starts_with("127.0.0.1:"), "{api}");
    let root = take("LAMBDA_TASK_ROOT");
    assert_eq!(root.as_str().map(Path::new), PYTHON.parent());
    // The whole of it: cargo has set more for this process.
    let environment: BTreeMap<_, _> = environment.into_iter().collect();
    insta::assert_json_snapshot!(environment);
}

#[tokio::test]
async fn an_event_that_takes_too_long_ends_the_process_and_what_it_started() {
    let dir = tempfile::tempdir().unwrap();
    let child = dir.path().join("pid");
    let mut config = config();
    config.timeout = Duration::from_millis(1500);
    let function = Function::new(config);
    let start_a_child = format!("start a child: {}", child.display());
    for event in ["ignore SIGTERM", &start_a_child] {
        let before = invoke(&function, "").await.unwrap();
        let begun = Instant::now();
        let late = invoke(&function, event).await.unwrap_err();
        assert!(matches!(late, InvokeError::TimedOut(_)), "{late}");
        let elapsed = begun.elapsed();
        assert!(elapsed < Duration::from_secs(3), "{event}: {elapsed:?}");
        assert!(ends(pid(&before)), "{event}");
    }
    let child = std::fs::read_to_string(child).unwrap();
    assert!(ends(child.parse().unwrap()));
    assert_eq!(invoke(&function, "").await.unwrap()["count"], 1);
    function.stop().await;
}

#[tokio::test]
async fn a_function_that_does_not_start_says_why() {
    let function = Function::new(fails_at_start("refuse"));
    let refused = invoke(&function, "").await.unwrap_err();
    assert!(matches!(refused, InvokeError::Init(_)), "{refused}");
    insta::assert_snapshot!(refused);

    function.replace(fails_at_start("exit")).await;
    let exited = invoke(&function, "").await.unwrap_err();
    assert!(
        matches!(exited, InvokeError::Exited(status) if status.code() == Some(7)),
        "{exited}"
    );

    let nothing = FunctionConfig::new("greeter", "no/such/bootstrap");
    function.replace(nothing).await;
    let missing = invoke(&function, "").await.unwrap_err();
    assert!(matches!(missing, InvokeError::Io(_)), "{missing}");
    assert!(missing.to_string().contains("no/such/bootstrap"));

    function.replace(config()).await;
    assert!(invoke(&function, "").await.is_ok());
    function.stop().await;
}

#[tokio::test]
async fn a_new_configuration_waits_for_the_event_under_way() {
    let function = Function::new(config());
    let before = invoke(&function, "").await.unwrap();
    let mut blue = config();
    blue.environment = vec![("COLOUR".to_owned(), "blue".into())];
    let (slow, (), after) = tokio::join!(
        invoke(&function, "slow"),
        function.replace(blue),
        invoke(&function, "")
    );
    let (slow, after) = (slow.unwrap(), after.unwrap());
    assert_eq!(slow["pid"], before["pid"]);
    assert_eq!(slow["environment"]["COLOUR"], "red");
    assert_eq!(after["environment"]["COLOUR"], "blue");
    assert!(ends(pid(&before)));
    function.stop().await;
}

#[tokio::test]
async fn a_caller_that_goes_away_leaves_the_function_usable() {
    let function = Function::new(config());
    let before = invoke(&function, "").await.unwrap();
    let moment = Duration::from_millis(100);
    let gone = tokio::time::timeout(moment, invoke(&function, "sleep")).await;
    assert!(gone.is_err(), "the function sleeps");
    let after = invoke(&function, "").await.unwrap();
    assert_eq!(after["count"], 1, "a process that has no other event");
    assert!(ends(pid(&before)));
    function.stop().await;
}

#[tokio::test]
async fn a_function_ends_with_its_value() {
    let function = Function::new(config());
    let answer = invoke(&function, "").await.unwrap();
    assert!(is_alive(pid(&answer)));
    drop(function);
    assert!(ends(pid(&answer)));
}

#[tokio::test]
async fn an_answer_may_have_six_megabytes() {
    let function = Function::new(config());
    let big = invoke(&function, "big").await.unwrap_err();
    assert!(matches!(big, InvokeError::Failed(_)), "{big}");
    insta::assert_snapshot!(big);
    let next = invoke(&function, "").await.unwrap();
    assert_eq!(next["status"], 413, "what the function was told");
    assert_eq!(next["count"], 2, "it goes on");
    function.stop().await;
}
