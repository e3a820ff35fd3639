//! Pipelines on this machine, from the local commit to an address that answers.

use serde_json::Value;
use stackway_infra::cloud::Stacks as _;
use stackway_local_cloud::Moto;

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
    assert!(
        ran.stderr.contains("-release:"),
        "the state machine has run:\n{}",
        ran.stderr
    );

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

/// The account that moto takes every caller for.
const OWN: &str = "123456789012";

/// A workspace of one commit, with an environment on AWS, and a server that answers as STS and CloudFormation do.
fn on_aws(account: &str) -> (Workbench, Moto) {
    let bench = Workbench::with_config(&format!(
        r#"
[project]
name = "stackway"
repository = "https://github.com/example/stackway"

[environments.dev]
kind = "aws"
accounts = ["{account}"]
regions = ["eu-west-2"]
"#
    ));
    let configuration = "cloudformation/configuration/dev";
    std::fs::create_dir_all(bench.file(configuration)).unwrap();
    std::fs::write(
        bench.file(&format!("{configuration}/api.json")),
        r#"{"Parameters": {"Project": "stackway", "Environment": "dev"}, "Tags": {"git-commit": "COMMIT_ID", "project": "stackway"}}"#,
    )
    .unwrap();
    for args in [
        &["init", "--quiet", "--initial-branch", "main"][..],
        &["add", "--all"],
        &["commit", "--quiet", "--message", "First"],
    ] {
        bench.git(args);
    }
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let dir = root().join("target/stackway/moto");
    let moto = runtime.block_on(Moto::start(dir, &|_| {})).unwrap();
    (bench, moto)
}

#[test]
fn an_environment_on_aws_is_deployed_to_by_choice() {
    let stack = "stackway-eu-west-2-dev-table";
    let run = |(bench, moto): &(Workbench, Moto), more: &[&str]| {
        let url = moto.endpoint_url();
        let args = [
            "pipeline",
            "--endpoint-url",
            &url,
            "run",
            "deployment",
            "--env",
            "dev",
            "--approve",
            "--var",
            &format!("StackName={stack}"),
            "--var",
            "TemplatePath=cloudformation/table.yaml",
            // There is no API to prove.
            "--fail",
            "CloudFormation/Verify",
        ];
        let credentials = [
            ("AWS_ACCESS_KEY_ID", "testing"),
            ("AWS_SECRET_ACCESS_KEY", "testing"),
            ("AWS_EC2_METADATA_DISABLED", "true"),
        ];
        bench.run_with(&[&args, more].concat(), &credentials)
    };
    let found = |moto: &Moto| {
        let config = stackway_infra::aws::without_account(OWN, "eu-west-2", &moto.endpoint_url());
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let stacks = stackway_infra::aws::CloudFormation::new(&config);
        runtime.block_on(stacks.describe_stack(stack)).unwrap()
    };
    // Credentials of another account: nothing begins.
    let other = on_aws("111111111111");
    run(&other, &["--yes"]).refused(6, &[OWN, "may not touch"]);
    assert!(found(&other.1).is_none());
    assert!(!other.0.has_executions());

    // Without a yes there is nobody to ask here.
    let own = on_aws(OWN);
    run(&own, &[]).refused(11, &["--yes"]);
    assert!(found(&own.1).is_none());

    run(&own, &["--yes"]).refused(14, &["told to fail", OWN]);
    let deployed = found(&own.1).unwrap();
    assert_eq!(
        deployed.tags.get("git-commit").map(String::len),
        Some(40),
        "{deployed:?}"
    );
    assert_eq!(deployed.parameters["Environment"], "dev");
}
