//! What things cost, as a person asks: offline, without an account, and in each form.

use std::process::Command;

use serde_json::Value;

use crate::workbench::{Workbench, root};

fn amount(report: &Value, key: &str) -> f64 {
    report["monthly"][key].as_str().unwrap().parse().unwrap()
}

/// The promise of the sandbox: its defaults cost nothing, whatever plan the account has.
#[test]
fn the_sandbox_stays_within_the_free_tier() {
    let bench = Workbench::new();
    for (profile, plan) in [
        ("learning", "always-free"),
        ("learning", "twelve-months"),
        ("idle", "always-free"),
    ] {
        let args = [
            "cost",
            "--env",
            "sandbox",
            "--format",
            "json",
            "--profile",
            profile,
            "--account-plan",
            plan,
        ];
        let report = bench.run(&args).succeeded().json();
        assert_eq!(
            report["complete"], true,
            "{profile}: {}",
            report["not_priced"]
        );
        assert_eq!(report["unresolved"], serde_json::json!([]), "{profile}");
        // Nothing but what is no always-free offer, and of that less than half a cent.
        assert!(
            amount(&report, "after_free_tier") < 0.005,
            "{profile} on {plan}: {report:#}"
        );
        if plan == "twelve-months" {
            assert_eq!(
                report["monthly"]["after_free_tier"], "0.00",
                "{profile} on {plan}"
            );
        }
    }
    let text = bench.run(&["cost", "--env", "sandbox"]).succeeded().stdout;
    assert!(text.contains("to pay: 0.00 a month"), "{text}");
    bench
        .run(&["cost", "--env", "sandbox", "--max-monthly", "0.01"])
        .succeeded();
}

#[test]
fn every_form_is_written() {
    let bench = Workbench::new();
    for (format, start) in [
        ("text", "prod in eu-west-2"),
        ("json", "{"),
        ("csv", "stack,region,account,resource,type"),
        ("markdown", "## Cost of prod in eu-west-2"),
        ("html", "<!DOCTYPE html>"),
    ] {
        let ran = bench
            .run(&[
                "cost",
                "--env",
                "prod",
                "--profile",
                "busy",
                "--format",
                format,
            ])
            .succeeded();
        assert!(ran.stdout.starts_with(start), "{format}: {}", ran.stdout);
        assert!(ran.stderr.is_empty(), "{format}: {}", ran.stderr);
    }
}

#[test]
fn what_cannot_be_asked_is_refused() {
    let bench = Workbench::new();
    let template = root().join("cloudformation/table.yaml");
    let template = template.to_str().unwrap();
    for (args, code, words) in [
        (
            &["cost", "--env", "prod", "--profile", "bussy"][..],
            2,
            &["bussy", "busy, idle, learning, small"][..],
        ),
        (
            &["cost", "--template", template, "--region", "eu-north-1"],
            3,
            &["eu-north-1", "eu-west-2"],
        ),
        (
            &[
                "cost",
                "--template",
                "nowhere.yaml",
                "--region",
                "eu-west-2",
            ],
            10,
            &["nowhere.yaml"],
        ),
        (&["cost", "--template", template], 2, &["--region"]),
        (
            &["cost", "--env", "prod", "--diff", "no-such-revision"],
            2,
            &["no-such-revision"],
        ),
        (
            &[
                "cost", "--env", "prod", "--diff", "HEAD", "--format", "html",
            ],
            2,
            &["no HTML form"],
        ),
        (
            &[
                "cost",
                "--env",
                "prod",
                "--profile",
                "busy",
                "--max-monthly",
                "5",
            ],
            1,
            &["more than 5"],
        ),
        (&["cost", "--max-monthly", "much"], 2, &["no amount"]),
        (
            &["cost", "--env", "local", "--actual"],
            12,
            &["nothing is deployed to `local`"],
        ),
        (
            &["cost", "--env", "local", "--measure"],
            12,
            &["nothing is deployed to `local`"],
        ),
        (&["status", "--format", "csv"], 2, &["forms of `cost`"]),
    ] {
        bench.run(args).refused(code, words);
    }
}

#[test]
fn a_limit_names_what_it_cannot_hold() {
    let ran = Workbench::new()
        .run(&["cost", "--env", "dev", "--max-monthly", "5"])
        .succeeded();
    assert!(
        ran.stderr.contains("table.Table") && ran.stderr.contains("point-in-time"),
        "{}",
        ran.stderr
    );
}

#[test]
fn any_template_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("other.json");
    std::fs::write(
        &path,
        r#"{"Parameters": {"Size": {"Type": "Number"}},
            "Resources": {
              "F": {"Type": "AWS::Lambda::Function", "Properties": {"MemorySize": {"Ref": "Size"}}},
              "Db": {"Type": "AWS::RDS::DBInstance"}}}"#,
    )
    .unwrap();
    let path = path.to_str().unwrap();
    let bench = Workbench::new();
    let args = [
        "cost",
        "--template",
        path,
        "--region",
        "us-east-1",
        "--format",
        "json",
        "--profile",
        "busy",
    ];
    let report = bench.run(&args).succeeded().json();
    assert_eq!(report["complete"], false);
    assert_eq!(report["not_priced"][0]["type"], "AWS::RDS::DBInstance");
    assert_eq!(report["unresolved"][0]["line"], 1);
    let known = [&args[..], &["--parameter", "Size=1024"]].concat();
    let report = bench.run(&known).succeeded().json();
    assert_eq!(report["unresolved"], serde_json::json!([]));
    let line = &report["lines"][1];
    assert_eq!(
        (line["quantity"].as_str(), line["unit"].as_str()),
        (Some("1500000.00"), Some("GB-second"))
    );
}

const CONFIG: &str = r#"
[project]
name = "stackway"
repository = "https://github.com/example/stackway"

[environments.prod]
kind = "aws"
regions = ["eu-west-2"]
"#;

#[test]
fn a_change_is_priced_against_a_revision() {
    let bench = Workbench::with_config(CONFIG);
    bench.git(&["init", "-q"]);
    bench.git(&["add", "."]);
    bench.git(&["commit", "-qm", "first"]);
    let diff = |format: &str| {
        bench
            .run(&[
                "cost",
                "--env",
                "prod",
                "--diff",
                "HEAD",
                "--profile",
                "small",
                "--format",
                format,
            ])
            .succeeded()
    };
    assert!(diff("text").stdout.contains("no difference in cost"));
    let config = CONFIG.to_owned()
        + "[environments.prod.parameters.artifacts]\nCustomerManagedKey = \"false\"\n";
    std::fs::write(bench.file("stackway.toml"), config).unwrap();
    let change = diff("json").json();
    assert_eq!(change["monthly"]["after_free_tier"], "-1.00");
    assert_eq!(change["lines"][0]["change"], "removed");
    assert!(
        diff("markdown")
            .stdout
            .starts_with("## prod: -1.00 USD a month from HEAD to the work tree")
    );
}

#[test]
fn prices_are_taken_from_offer_files() {
    let bench = Workbench::new();
    let folder = root().join("crates/cost/tests/data/offers");
    let ran = bench
        .run(&[
            "cost",
            "--refresh",
            "--offers",
            folder.to_str().unwrap(),
            "--dry-run",
        ])
        .succeeded();
    assert_eq!(
        ran.stdout,
        "dynamodb-write-units in eu-west-1: 0.000000705 → 0.0000007\n"
    );
    assert!(
        ran.stderr.contains("1 prices changed, 2 are as they were"),
        "{}",
        ran.stderr
    );
    let none = tempfile::tempdir().unwrap();
    let args = [
        "cost",
        "--refresh",
        "--offers",
        none.path().to_str().unwrap(),
    ];
    bench.run(&args).refused(2, &["no offer file"]);
}

const LOCAL: &str = r#"
[project]
name = "stackway"
repository = "https://github.com/example/stackway"

[environments.local]
kind = "local"
regions = ["eu-west-2"]
"#;

/// Templates and parameters come back from the emulator as they come from AWS.
/// Two accounts and two regions: four stacks, each at its region's prices.
#[test]
fn a_stack_set_costs_as_much_as_all_of_its_stacks() {
    let priced = |config: &str| {
        let bench = Workbench::with_config(config);
        let report = bench
            .run(&[
                "cost",
                "--env",
                "prod",
                "--stack",
                "table",
                "--profile",
                "busy",
                "--format",
                "json",
            ])
            .succeeded()
            .json();
        let lines = report["lines"].as_array().unwrap();
        let writes: Vec<_> = (lines.iter())
            .filter(|line| line["item"] == "dynamodb-write-units")
            .map(|line| {
                let text = |key: &str| line[key].as_str().unwrap_or("-").to_owned();
                format!("{} {} {}", text("account"), text("region"), text("price"))
            })
            .collect();
        (amount(&report, "list"), writes, report)
    };
    let accounts = "regions = [\"eu-west-2\"]\naccounts = [\"111111111111\", \"222222222222\"]\n";
    let set = CONFIG.replace("regions = [\"eu-west-2\"]\n", accounts)
        + r#"
[environments.prod.stacks.table]
place = "stack-set"
accounts = ["111111111111", "222222222222"]
regions = ["us-east-1", "eu-central-1"]
"#;
    let (total, writes, report) = priced(&set);
    assert_eq!(
        writes,
        [
            "111111111111 us-east-1 0.000000625",
            "111111111111 eu-central-1 0.0000007625",
            "222222222222 us-east-1 0.000000625",
            "222222222222 eu-central-1 0.0000007625",
        ]
    );
    assert_eq!(
        report["regions"],
        serde_json::json!(["us-east-1", "eu-central-1"])
    );
    let alone = |region: &str| priced(&CONFIG.replace("eu-west-2", region)).0;
    let sum = 2.0 * (alone("us-east-1") + alone("eu-central-1"));
    assert!((total - sum).abs() < 0.001, "{total} and not {sum}");
}

/// What the workflow of pull requests runs, on a merge such as GitHub checks out.
#[test]
fn a_pull_request_is_told_what_it_costs_and_held_to_a_limit() {
    let bench = Workbench::with_config(CONFIG);
    bench.git(&["init", "-q", "-b", "main"]);
    bench.git(&["add", "."]);
    bench.git(&["commit", "-qm", "first"]);
    bench.git(&["checkout", "-qb", "change"]);
    let config = CONFIG.to_owned()
        + "[environments.prod.parameters.artifacts]\nCustomerManagedKey = \"false\"\n";
    std::fs::write(bench.file("stackway.toml"), config).unwrap();
    bench.git(&["commit", "-qam", "cheaper"]);
    bench.git(&["checkout", "-q", "main"]);
    bench.git(&["merge", "-q", "--no-ff", "-m", "merge", "change"]);

    let workflow = std::fs::read_to_string(root().join(".github/workflows/ci.yml")).unwrap();
    let mut commands = workflow
        .lines()
        .filter(|line| line.contains("cargo xtask cost"));
    let (command, None) = (commands.next().unwrap(), commands.next()) else {
        panic!("the workflow tells the cost more than once");
    };
    for (limit, code) in [("", 0), ("1000", 0), ("0", 1)] {
        let summary = bench.file("summary.md");
        std::fs::write(&summary, "").unwrap();
        let xtask = bench.command(&[]);
        let script = format!("cargo() {{ shift; \"$XTASK\" \"$@\"; }}\n{command}");
        let mut step = Command::new("bash");
        step.args(["--noprofile", "--norc", "-eo", "pipefail", "-c", &script])
            .current_dir(bench.file(""))
            .env("XTASK", xtask.get_program())
            .env("ENVIRONMENT", "prod")
            .env("MAX_MONTHLY", limit)
            .env("GITHUB_STEP_SUMMARY", &summary);
        for (name, value) in xtask.get_envs() {
            match value {
                Some(value) => step.env(name, value),
                None => step.env_remove(name),
            };
        }
        let done = step.output().unwrap();
        let said = String::from_utf8_lossy(&done.stderr);
        assert_eq!(done.status.code(), Some(code), "limit `{limit}`: {said}");
        let told = std::fs::read_to_string(&summary).unwrap();
        assert!(
            told.starts_with("## prod: -1.00 USD a month from HEAD^1 to the work tree"),
            "limit `{limit}`: {told}"
        );
    }
}

#[test]
fn a_change_is_priced_against_what_is_deployed() {
    let bench = Workbench::with_config(LOCAL);
    let diff = || {
        bench
            .run(&["cost", "--diff", "--stack", "table", "--format", "json"])
            .succeeded()
            .json()
    };
    let before = diff();
    assert_eq!(
        before["before"]["monthly"]["list"], "0.00",
        "nothing runs, so nothing is deployed"
    );
    bench
        .run(&["deploy", "--stack", "table", "--yes"])
        .succeeded();
    assert_eq!(diff()["lines"], serde_json::json!([]));
    let config =
        LOCAL.to_owned() + "[environments.local.parameters.table]\nBillingMode = \"PROVISIONED\"\n";
    std::fs::write(bench.file("stackway.toml"), config).unwrap();
    let items: Vec<_> = (diff()["lines"].as_array().unwrap().iter())
        .map(|line| {
            format!(
                "{} {}",
                line["change"].as_str().unwrap(),
                line["item"].as_str().unwrap()
            )
        })
        .collect();
    assert_eq!(
        items,
        [
            "added dynamodb-read-capacity",
            "removed dynamodb-read-units",
            "added dynamodb-write-capacity",
            "removed dynamodb-write-units"
        ]
    );
}
