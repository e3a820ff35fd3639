//! What bad input gets: one clear error, an exit code of its own kind, and nothing done.

use std::net::TcpListener;

use crate::workbench::Workbench;

const CONFIG: &str = r#"
[project]
name = "stackway"
repository = "https://github.com/example/stackway"

[environments.local]
kind = "local"
regions = ["eu-west-2"]

[environments.dev]
kind = "aws"
accounts = ["222222222222"]
regions = ["eu-west-2"]

[environments.empty]
kind = "aws"
accounts = []
regions = ["eu-west-2"]
"#;

#[test]
fn configuration() {
    for (config, args, words) in [
        (
            CONFIG.to_owned(),
            &["status", "--env", "prd"][..],
            &["prd", "dev", "local"][..],
        ),
        (
            CONFIG.replace("[environments.dev]", "[environments.dev]\nacounts = []"),
            &["status"],
            &["acounts", "stackway.toml:11"],
        ),
        (
            CONFIG.replace("222222222222", "2222"),
            &["status"],
            &["2222", "stackway.toml:12", "12 digits"],
        ),
        (
            CONFIG.replace(r#"regions = ["eu-west-2"]"#, r#"regions = ["eu-wst-2"]"#),
            &["status"],
            &["eu-wst-2", "eu-west-2"],
        ),
        (
            CONFIG.to_owned(),
            &["deploy", "--env", "empty", "--yes"],
            &["names no account", "[environments.empty]"],
        ),
        (
            CONFIG.to_owned(),
            &["deploy", "--stack", "tabel"],
            &[
                "tabel",
                "artifacts, table, guardrails, secrets, observability, automation, delivery, api, container, github",
            ],
        ),
        (
            format!(
                "{CONFIG}\n[environments.local.parameters.table]\nBilingMode = \"PROVISIONED\"\n"
            ),
            &["deploy", "--dry-run"],
            &["BilingMode", "cloudformation/table.yaml"],
        ),
        (
            format!("{CONFIG}\n[environments.local.parameters.table]\nBillingMode = \"CHEAP\"\n"),
            &["deploy", "--dry-run"],
            &["BillingMode", "PAY_PER_REQUEST"],
        ),
        (
            CONFIG.to_owned(),
            &["status", "--endpoint-url", "localhost"],
            &["`localhost` is not an address"],
        ),
    ] {
        Workbench::with_config(&config).run(args).refused(3, words);
    }
}

#[test]
fn templates() {
    for (from, to, words) in [
        (
            "Resources:",
            "Resources: [",
            &["cloudformation/table.yaml:", "not YAML"][..],
        ),
        (
            "  TableArn:\n    Description",
            "  TableArm:\n    Description",
            &["no output `TableArn`"],
        ),
        (
            "!Ref BillingMode",
            "!Ref BilingMode",
            &["BilingMode", "cloudformation/table.yaml"],
        ),
    ] {
        let bench = Workbench::with_config(CONFIG);
        let path = bench.file("cloudformation/table.yaml");
        let template = std::fs::read_to_string(&path).unwrap();
        assert!(template.contains(from));
        std::fs::write(&path, template.replacen(from, to, 1)).unwrap();
        bench
            .run(&["deploy", "--env", "local", "--stack", "table"])
            .refused(3, words);
    }
}

#[test]
fn a_port_in_use() {
    let bench = Workbench::new();
    let _taken = TcpListener::bind(("127.0.0.1", bench.port())).unwrap();
    let ran = bench.run(&["deploy", "--env", "local", "--stack", "table"]);
    ran.refused(9, &[&format!("port {} is in use", bench.port()), "--port"]);
}

#[test]
fn no_python() {
    let bench = Workbench::with_config(CONFIG);
    // With nothing installed yet.
    std::fs::remove_file(bench.file("target/stackway/emulator")).unwrap();
    let nothing = tempfile::tempdir().unwrap();
    let ran = bench.run_with(
        &["deploy", "--env", "local", "--stack", "table"],
        &[("PATH", nothing.path().to_str().unwrap())],
    );
    ran.refused(4, &["no Python 3 on PATH", "hint:"]);
}

#[test]
fn nothing_answers() {
    let bench = Workbench::new();
    let url = format!("http://127.0.0.1:{}", bench.port());
    bench
        .run(&["status", "--env", "local", "--endpoint-url", &url])
        .refused(5, &[&url]);
}

/// Credentials of another account stop a command before its first write; those of the right one let it ask.
#[test]
fn accounts() {
    let emulator = Workbench::new();
    emulator
        .run(&["deploy", "--env", "local", "--stack", "table"])
        .succeeded();
    let url = format!("http://127.0.0.1:{}", emulator.port());
    let bench = Workbench::with_config(CONFIG);
    let deploy = [
        "deploy",
        "--env",
        "dev",
        "--stack",
        "table",
        "--endpoint-url",
        &url,
    ];
    let credentials = |account| {
        [
            ("AWS_ACCESS_KEY_ID", account),
            ("AWS_SECRET_ACCESS_KEY", "s3cret-value"),
        ]
    };

    let other = bench.run_with(
        &[&deploy[..], &["--yes"]].concat(),
        &credentials("111111111111"),
    );
    other.refused(
        6,
        &[
            "account 111111111111",
            "`dev` may not touch",
            "222222222222",
        ],
    );
    assert!(!other.stderr.contains("s3cret-value"));

    let right = bench.run_with(&deploy, &credentials("222222222222"));
    right.refused(11, &["account 222222222222", "region eu-west-2", "--yes"]);

    let status = [
        "status",
        "--env",
        "dev",
        "--format",
        "json",
        "--endpoint-url",
        &url,
    ];
    let status = bench
        .run_with(&status, &credentials("222222222222"))
        .succeeded()
        .json();
    assert!(
        status["stacks"]
            .as_array()
            .unwrap()
            .iter()
            .all(|stack| stack["status"].is_null()),
        "{status}"
    );

    let done = bench
        .run_with(
            &[&deploy[..], &["--yes"]].concat(),
            &credentials("222222222222"),
        )
        .succeeded();
    assert!(done.stderr.contains("1 created"), "{}", done.stderr);
}

/// An environment of kind local reads no credentials and leaves an address elsewhere alone.
#[test]
fn local_stays_on_this_machine() {
    let bench = Workbench::new();
    let ran = bench.run_with(
        &[
            "deploy", "--env", "local", "--stack", "table", "--format", "json",
        ],
        &[
            ("AWS_ENDPOINT_URL", "http://192.0.2.1:4566"),
            ("AWS_PROFILE", "no-such-profile"),
            ("AWS_ACCESS_KEY_ID", "111111111111"),
            ("AWS_REGION", "us-east-1"),
            ("HTTP_PROXY", "http://192.0.2.1:3128"),
        ],
    );
    let outputs = ran.succeeded().json();
    assert_eq!(
        outputs["table"]["TableArn"],
        "arn:aws:dynamodb:eu-west-2:000000000000:table/stackway-eu-west-2-local-table"
    );
}
