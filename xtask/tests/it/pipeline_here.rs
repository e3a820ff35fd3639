//! Pipelines on this machine, from the local commit to an address that answers.

use serde_json::Value;

use crate::workbench::{Workbench, root};

fn statuses(picture: &Value) -> Vec<(String, String)> {
    let stages = picture["stages"].as_array().unwrap().iter();
    stages
        .map(|stage| {
            let word = |key: &str| stage[key].as_str().unwrap().to_owned();
            (word("name"), word("status"))
        })
        .collect()
}

/// All but the build of the tests, which would run this test's own workspace.
#[test]
fn from_the_local_commit_to_an_address_that_answers() {
    let bench = Workbench::new();
    // The dependencies that other tests have built are taken from there.
    let target = root().join("target").to_string_lossy().into_owned();
    let with = [("CARGO_TARGET_DIR", target.as_str())];
    let run = |more: &[&str]| {
        let args = [
            "pipeline",
            "run",
            "application",
            "--approve",
            "--no-docker",
            "--format",
            "json",
        ];
        bench.run_with(&[&args, more].concat(), &with)
    };
    let ran = run(&["--from", "Registry"]).succeeded();
    let pictures = ran.json();
    let expect = |index: usize, expected: &[(&str, &str)]| {
        let expected: Vec<_> = expected
            .iter()
            .map(|(name, status)| ((*name).to_owned(), (*status).to_owned()))
            .collect();
        assert_eq!(statuses(&pictures[index]), expected, "{}", ran.stderr);
    };
    expect(
        0,
        &[
            ("Source", "Succeeded"),
            ("Test", "Skipped"),
            ("Registry", "Succeeded"),
            ("Tag", "Skipped"),
            ("Invoke", "Succeeded"),
        ],
    );
    expect(
        1,
        &[
            ("Source", "Succeeded"),
            ("Approval", "Succeeded"),
            ("CloudFormation", "Succeeded"),
        ],
    );
    assert!(ran.stderr.contains("the release answers"), "{}", ran.stderr);

    // The stack is the project's like any other.
    let outputs = bench
        .run(&["outputs", "--format", "json"])
        .succeeded()
        .json();
    let url = outputs["api"]["ApiUrl"].as_str().unwrap();
    assert_eq!(
        ureq::get(format!("{url}/health")).call().unwrap().status(),
        200
    );
    let shown = bench
        .run(&["pipeline", "status", "deployment", "--format", "json"])
        .succeeded()
        .json();
    assert_eq!(shown, pictures[1]);

    // A proof that fails rolls the stage back.
    let failed = run(&["--from", "Invoke", "--fail", "CloudFormation/Verify"]);
    failed.refused(
        14,
        &[
            "told to fail",
            "stage CloudFormation was rolled back to what execution",
        ],
    );
}

#[test]
fn what_is_wrong_is_said_before_anything_runs() {
    let bench = Workbench::new();
    bench
        .run(&["pipeline", "approve", "deployment", "--yes"])
        .refused(
            3,
            &["has no such execution here", "pipeline run deployment"],
        );
    bench
        .run(&["pipeline", "run", "application", "--env", "prod"])
        .refused(2, &["`prod` is on AWS", "--env local"]);
    bench
        .run(&["pipeline", "stop", "application", "--yes"])
        .refused(3, &["has no such execution here"]);
    bench
        .run(&[
            "pipeline",
            "retry",
            "application",
            "--env",
            "prod",
            "--approve",
            "--timeout",
            "5",
        ])
        .refused(2, &["--approve, --timeout", "executions of this machine"]);
    bench
        .run(&[
            "pipeline",
            "rollback",
            "deployment",
            "--stage",
            "CloudFormation",
            "--yes",
        ])
        .refused(3, &["no execution of `deployment` before the newest"]);
    bench
        .run(&[
            "pipeline",
            "start",
            "application",
            "--yes",
            "--revision",
            "Other=main",
        ])
        .refused(3, &["no source action `Other`", "Repository"]);
    bench
        .run(&["pipeline", "show", "0123abcd"])
        .refused(12, &["neither a pipeline nor an execution"]);
    let shown = bench
        .run(&["pipeline", "show", "application", "--format", "json"])
        .succeeded()
        .json();
    assert_eq!(shown["stages"][1]["name"], "Test");
    let listed = bench
        .run(&["pipeline", "list", "--format", "json"])
        .succeeded()
        .json();
    assert_eq!(listed[1]["name"], "deployment");
    assert!(!bench.has_emulator());
}

#[test]
fn an_execution_in_the_background_is_watched_and_stopped_from_elsewhere() {
    let bench = Workbench::new();
    let started = bench
        .run(&[
            "pipeline",
            "start",
            "deployment",
            "--yes",
            "--var",
            "StackName=stackway-eu-west-2-local-api",
            "--var",
            "TemplatePath=cloudformation/api.yaml",
        ])
        .succeeded();
    let id = started.stdout.trim().to_owned();
    let on = |command: &[&str]| {
        let which = ["deployment", "--execution", &id];
        bench.run(&[&["pipeline"], command, &which].concat())
    };
    // Nobody decides: it waits.
    on(&["watch", "--until-decision"]).refused(16, &["waits for a decision", "Approval/Approve"]);
    let stopped = on(&["stop", "--abandon", "--yes", "-m", "a freeze"]).succeeded();
    assert!(stopped.stderr.contains("is Stopped"), "{}", stopped.stderr);
    on(&["watch"]).refused(15, &["was stopped", "a freeze"]);
    let shown = bench
        .run(&["pipeline", "show", &id, "--format", "json"])
        .succeeded()
        .json();
    assert_eq!(shown["stages"][1]["actions"][0]["status"], "Abandoned");
    assert!(shown["stages"][1]["seconds"].is_number());
    // One that is over is not stopped again.
    let again = on(&["stop", "--yes"]).succeeded();
    assert!(again.stderr.contains("over already"), "{}", again.stderr);

    // One that cannot begin says why.
    bench
        .run(&["pipeline", "start", "deployment", "--yes"])
        .refused(14, &["has not begun", "needs variable"]);
}
