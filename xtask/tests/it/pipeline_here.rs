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
        .refused(2, &["Ctrl-C stops it"]);
    let listed = bench
        .run(&["pipeline", "list", "--format", "json"])
        .succeeded()
        .json();
    assert_eq!(listed[1]["name"], "deployment");
    assert!(!bench.has_emulator());
}
