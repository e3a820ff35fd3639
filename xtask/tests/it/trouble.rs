//! What went wrong, and what somebody changed behind a stack's back, is found and explained.

use serde_json::{Value, json};

use crate::endpoint::Endpoint;
use crate::workbench::{LOCAL as CONFIG, Workbench};

/// A resource that waits a second for a signal that nobody sends.
const NEVER_READY: &str = "
  Handle:
    Type: AWS::CloudFormation::WaitConditionHandle
  Wait:
    Type: AWS::CloudFormation::WaitCondition
    DependsOn: Table
    Properties:
      Handle: !Ref Handle
      Timeout: \"1\"

Outputs:";

#[test]
fn a_failing_create_is_diagnosed() {
    let bench = Workbench::with_config(CONFIG);
    bench
        .run(&["diagnose"])
        .refused(12, &["nothing is deployed to `local`"]);
    let template = bench.file("cloudformation/table.yaml");
    let text = std::fs::read_to_string(&template).unwrap();
    std::fs::write(&template, text.replacen("\nOutputs:", NEVER_READY, 1)).unwrap();

    // The error of the deploy tells it at once.
    let words = [
        "ended in ROLLBACK_COMPLETE",
        "cause: Wait (AWS::CloudFormation::WaitCondition): WaitCondition timed out",
        "cause: likely: too few signals came before the timeout",
        "hint: look at the log of what should have signalled",
    ];
    bench
        .run(&["deploy", "--stack", "table"])
        .refused(7, &words);

    let report = bench
        .run(&["diagnose", "--format", "json"])
        .succeeded()
        .json();
    let table = &report[1];
    assert_eq!(table["stack"], "table", "{report}");
    assert_eq!(table["state"], "failed");
    assert_eq!(table["diagnosis"]["operation"], "create");
    assert_eq!(table["diagnosis"]["ended"], "ROLLBACK_COMPLETE");
    let cause = &table["diagnosis"]["causes"][0];
    assert_eq!(cause["path"], json!(["Wait"]));
    assert_eq!(cause["known"], "wait-condition");
    assert_eq!(report[0]["state"], "not deployed");

    let text = bench.run(&["diagnose", "--stack", "table"]).succeeded();
    for words in [
        "create failed",
        "Wait (AWS::CloudFormation::WaitCondition)",
        "fix ",
    ] {
        assert!(text.stdout.contains(words), "{}", text.stdout);
    }
    bench.run(&["diagnose", "--operation", "none"]).succeeded();
    logs(&bench);
}

/// Events as lines of JSON, in the order of time; and the chart.
fn logs(bench: &Workbench) {
    let lines = bench.run(&["logs", "--format", "json"]).succeeded().stdout;
    let events: Vec<Value> = lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert!(events.len() > 4, "{lines}");
    assert!(events.is_sorted_by_key(|event| event["time"].to_string()));
    let failed = |event: &&Value| event["status"] == "CREATE_FAILED";
    assert_eq!(events.iter().find(failed).unwrap()["logical_id"], "Wait");
    let none = bench.run(&["logs", "--since", "1s", "--stack", "api"]);
    assert_eq!(
        (none.code, none.stdout.as_str()),
        (12, ""),
        "{}",
        none.stderr
    );

    let file = bench.file("times.html");
    bench
        .run(&["logs", "--all", "--chart", file.to_str().unwrap()])
        .succeeded();
    let page = std::fs::read_to_string(file).unwrap();
    for words in ["<!doctype html>", "CREATE_FAILED", "The slowest: "] {
        assert!(page.contains(words), "{words}");
    }
}

#[test]
fn drift_is_shown_property_by_property() {
    let bench = Workbench::with_config(CONFIG);
    bench.run(&["deploy", "--stack", "table"]).succeeded();
    let calm = bench.run(&["drift"]).succeeded();
    assert!(calm.stdout.contains("in sync"), "{}", calm.stdout);

    let endpoint = Endpoint::of(&bench);
    let protect = |on: bool| {
        let table = "stackway-eu-west-2-local-table";
        let body = json!({ "TableName": table, "DeletionProtectionEnabled": on });
        endpoint.json("dynamodb", "DynamoDB_20120810.UpdateTable", &body);
    };
    protect(true);
    let drifted = bench.run(&["drift", "--format", "json"]);
    drifted.refused(
        1,
        &[
            "1 resources of `local` are not as their stacks made them",
            "--revert",
        ],
    );
    let report = drifted.json();
    let table = &report[1]["resources"][0];
    assert_eq!(table["logical_id"], "Table", "{report}");
    assert_eq!(table["status"], "modified");
    let difference =
        json!([{ "path": "/DeletionProtectionEnabled", "expected": "false", "actual": "true" }]);
    assert_eq!(table["differences"], difference);

    // The emulator does not know how to revert: said, and nothing is left behind.
    bench
        .run(&["drift", "--revert"])
        .refused(1, &["makes no reverting change set"]);
    protect(false);
    bench.run(&["drift", "--stack", "table"]).succeeded();
    let again = bench.run(&["deploy", "--stack", "table"]).succeeded();
    assert!(again.stderr.contains("no changes"), "{}", again.stderr);
}

#[test]
fn what_would_fail_is_found_before_a_deploy() {
    let bench = Workbench::with_config(CONFIG);
    let doctor = |code: i32| {
        let ran = bench.run(&["doctor", "--format", "json"]);
        assert_eq!(ran.code, code, "{}\n{}", ran.stdout, ran.stderr);
        ran.json()
    };
    let states = |report: &Value, id: &str| -> Vec<String> {
        let findings = report.as_array().unwrap().iter();
        findings
            .filter(|finding| finding["id"] == id)
            .map(|finding| {
                let state = finding["state"].as_str().unwrap().to_owned();
                assert_eq!(finding["fix"].is_null(), state == "ok", "{finding}");
                state
            })
            .collect()
    };
    let report = doctor(0);
    assert_eq!(states(&report, "emulator"), ["ok"]);
    assert_eq!(states(&report, "preflight"), ["not-checked"]);

    bench.run(&["deploy", "--stack", "table"]).succeeded();
    let report = doctor(0);
    assert_eq!(states(&report, "stack-name"), ["ok"; 6], "{report:#}");
    assert_eq!(states(&report, "template"), ["ok"; 6]);
    // An emulator has neither; it is never taken for a pass.
    assert_eq!(states(&report, "iam-actions"), ["not-checked"]);
    assert_eq!(states(&report, "stack-quota"), ["not-checked"]);

    // Somebody has the bucket's name. The emulator would take the stack all the same.
    let bucket = "stackway-000000000000-eu-west-2-local";
    ureq::put(format!("http://127.0.0.1:{}/{bucket}", bench.port()))
        .send_empty()
        .unwrap();
    let words = [
        "the preflight found an error",
        bucket,
        "is there already",
        "[resource-name]",
        "nothing was changed",
    ];
    bench
        .run(&["deploy", "--stack", "artifacts"])
        .refused(7, &words);
    assert!(states(&doctor(1), "resource-name").contains(&"failed".to_owned()));
    let standing = bench
        .run(&["status", "--format", "json"])
        .succeeded()
        .json();
    assert!(standing["stacks"][0]["status"].is_null(), "{standing}");
}
