//! A function's process through its life: kept between events, and started anew where it ends.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use serde_json::{Value, json};
use stackway_local_cloud::lambda::{Function, FunctionConfig, InvokeError};

use crate::fake::PYTHON;

fn config() -> FunctionConfig {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/function.py");
    FunctionConfig {
        arguments: vec![script.into()],
        environment: vec![("COLOUR".to_owned(), "red".into())],
        timeout: Duration::from_secs(20),
        ..FunctionConfig::new("greeter", PYTHON.as_path())
    }
}

async fn invoke(function: &Function, event: &str) -> Result<Value, InvokeError> {
    let event = Bytes::from(json!(event).to_string());
    let answer = function.invoke(event).await?;
    Ok(serde_json::from_slice(&answer.payload).expect("an answer in JSON"))
}

fn runs(answer: &Value) -> bool {
    Path::new(&format!("/proc/{}", answer["pid"])).exists()
}

/// Whether the process has ended, and nobody has asked how.
fn has_ended(answer: &Value) -> bool {
    std::fs::read_to_string(format!("/proc/{}/stat", answer["pid"]))
        .is_ok_and(|stat| stat.contains(") Z "))
}

#[tokio::test]
async fn one_process_serves_until_it_ends() {
    let function = Function::new(config());
    let first = invoke(&function, "").await.unwrap();
    assert_eq!(first["environment"]["COLOUR"], "red");
    assert_eq!(first["environment"]["AWS_LAMBDA_FUNCTION_NAME"], "greeter");
    assert!(
        first["environment"].get("CARGO_MANIFEST_DIR").is_none(),
        "nothing of this process's environment"
    );
    assert_eq!(invoke(&function, "").await.unwrap()["pid"], first["pid"]);

    let failed = invoke(&function, "fail").await.unwrap_err();
    assert!(matches!(failed, InvokeError::Failed(_)), "{failed}");
    assert_eq!(
        invoke(&function, "").await.unwrap()["pid"],
        first["pid"],
        "a failed invocation ends no process"
    );

    let crashed = invoke(&function, "crash").await.unwrap_err();
    assert!(matches!(crashed, InvokeError::Exited(_)), "{crashed}");
    let second = invoke(&function, "end").await.unwrap();
    assert_ne!(second["pid"], first["pid"]);
    while !has_ended(&second) {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let third = invoke(&function, "").await.unwrap();
    assert_ne!(third["pid"], second["pid"], "it ended between two events");

    function.stop().await;
    assert!(!runs(&third));
}

#[tokio::test]
async fn an_event_that_takes_too_long_ends_the_process() {
    let mut config = config();
    config.timeout = Duration::from_secs(2);
    let function = Function::new(config);
    let first = invoke(&function, "").await.unwrap();
    let begun = Instant::now();
    let late = invoke(&function, "sleep").await.unwrap_err();
    assert!(matches!(late, InvokeError::TimedOut(_)), "{late}");
    assert!(begun.elapsed() < Duration::from_secs(10));
    assert!(!runs(&first));
    let second = invoke(&function, "").await.unwrap();
    assert_ne!(second["pid"], first["pid"]);
    function.stop().await;
}

#[tokio::test]
async fn a_new_configuration_waits_for_the_event_under_way() {
    let function = Arc::new(Function::new(config()));
    let before = invoke(&function, "").await.unwrap();
    let slow = tokio::spawn({
        let function = Arc::clone(&function);
        async move { invoke(&function, "slow").await.unwrap() }
    });
    tokio::time::sleep(Duration::from_millis(50)).await;
    let mut blue = config();
    blue.environment = vec![("COLOUR".to_owned(), "blue".into())];
    function.replace(blue).await;
    let slow = slow.await.unwrap();
    assert_eq!(slow["pid"], before["pid"]);
    assert_eq!(slow["environment"]["COLOUR"], "red");
    let after = invoke(&function, "").await.unwrap();
    assert_eq!(after["environment"]["COLOUR"], "blue");
    assert!(!runs(&before));
    function.stop().await;
}
