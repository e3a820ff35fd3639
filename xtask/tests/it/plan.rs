//! Plans, comparisons and the guard, over the emulator and over a repository's history.

use serde_json::Value;

use crate::workbench::Workbench;

const CONFIG: &str = r#"
[project]
name = "stackway"
repository = "https://github.com/example/stackway"

[environments.local]
kind = "local"
accounts = ["000000000000"]
regions = ["eu-west-2"]
"#;

fn edit(bench: &Workbench, file: &str, from: &str, to: &str) {
    let path = bench.file(file);
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "{file} has no `{from}`");
    std::fs::write(path, text.replacen(from, to, 1)).unwrap();
}

fn stack<'a>(report: &'a Value, name: &str) -> &'a Value {
    let stacks = report["stacks"].as_array().unwrap();
    stacks.iter().find(|stack| stack["stack"] == name).unwrap()
}

fn status_of(bench: &Workbench, name: &str) -> Value {
    let status = bench
        .run(&["status", "--format", "json"])
        .succeeded()
        .json();
    let stacks = status["stacks"].as_array().unwrap();
    stacks.iter().find(|stack| stack["name"] == name).unwrap()["status"].clone()
}

#[test]
fn a_plan_of_new_stacks_leaves_none() {
    let bench = Workbench::with_config(CONFIG);
    let nothing = bench.run(&["plan", "--format", "json"]).succeeded().json();
    assert_eq!(stack(&nothing, "table")["source"], "templates", "{nothing}");
    assert!(!bench.has_emulator(), "a plan starts no emulator");

    bench.run(&["deploy", "--stack", "table"]).succeeded();
    let plan = bench
        .run(&["plan", "--no-build", "--format", "json"])
        .succeeded()
        .json();
    let artifacts = stack(&plan, "artifacts");
    assert_eq!(
        (&artifacts["verdict"], &artifacts["source"]),
        (&"new".into(), &"change_set".into()),
        "{artifacts}"
    );
    assert_eq!(stack(&plan, "table")["verdict"], "unchanged");
    // A key of its own costs 1 USD a month; the table stands, and costs what it did.
    assert_eq!(artifacts["cost"]["before"]["list"], "0.00", "{artifacts}");
    let monthly = artifacts["cost"]["monthly"]["after_free_tier"].as_str();
    assert!(
        monthly.unwrap().parse::<f64>().unwrap() >= 1.0,
        "{artifacts}"
    );
    let table = &stack(&plan, "table")["cost"];
    assert_eq!(table["monthly"]["list"], "0.00", "{table}");
    let api = stack(&plan, "api");
    assert_eq!(
        (&api["verdict"], &api["source"]),
        (&"new".into(), &"templates".into())
    );
    assert!(
        api["notes"][0]
            .as_str()
            .unwrap()
            .contains("ArtifactBucketName of `artifacts`"),
        "{api}"
    );
    assert!(
        !api["access"].as_array().unwrap().is_empty(),
        "permissions are told apart"
    );
    assert_eq!(
        status_of(&bench, "artifacts"),
        Value::Null,
        "not even an empty shell is left"
    );

    let text = bench.run(&["plan", "--no-build"]).succeeded().stdout;
    for words in [
        "+   ArtifactBucket  AWS::S3::Bucket",
        "permissions and network",
        "stacks: 5 new, 1 unchanged",
        "  cost: +1.",
        "\ncost: +1.",
    ] {
        assert!(text.contains(words), "`{words}` is not in\n{text}");
    }
    let markdown = bench
        .run(&["plan", "--no-build", "--format", "markdown"])
        .succeeded()
        .stdout;
    assert!(markdown.starts_with("## Plan for `local`"), "{markdown}");
}

#[test]
fn an_update_shows_before_and_after_and_the_loss_of_data_stops_it() {
    let bench = Workbench::with_config(CONFIG);
    bench.run(&["deploy", "--stack", "table"]).succeeded();
    let same = bench
        .run(&["diff", "--stack", "table", "--exit-code"])
        .succeeded();
    assert!(same.stdout.contains("no changes"), "{}", same.stdout);

    let parameters = "\n[environments.local.parameters.table]\nPointInTimeRecovery = \"false\"\n";
    std::fs::write(bench.file("stackway.toml"), format!("{CONFIG}{parameters}")).unwrap();
    let expected = serde_json::json!({
        "attribute": "properties",
        "path": "PointInTimeRecoverySpecification.PointInTimeRecoveryEnabled",
        "before": {"value": "true"},
        "after": {"value": "false"},
        "recreation": "never",
        "dynamic": false,
        "causes": [{"parameter": "PointInTimeRecovery"}],
    });
    for command in ["plan", "diff"] {
        let report = bench
            .run(&[command, "--stack", "table", "--format", "json"])
            .succeeded()
            .json();
        let table = &stack(&report, "table")["resources"][0];
        assert_eq!(table["replacement"], "never", "{command}: {table}");
        assert_eq!(
            table["properties"],
            Value::Array(vec![expected.clone()]),
            "{command}"
        );
    }
    bench
        .run(&["diff", "--stack", "table", "--exit-code"])
        .refused(1, &["1 of 1 stacks differ"]);

    edit(
        &bench,
        "cloudformation/table.yaml",
        "${Environment}-table\"",
        "${Environment}-table2\"",
    );
    let plan = bench.run(&["plan", "--stack", "table"]).succeeded().stdout;
    for words in [
        "-/+ Table  AWS::DynamoDB::Table",
        "replaces, by the template",
        "--allow-replace table/Table",
    ] {
        assert!(plan.contains(words), "`{words}` is not in\n{plan}");
    }
    let stopped = bench.run(&["deploy", "--stack", "table"]);
    stopped.refused(
        13,
        &[
            "stack `table`: Table (AWS::DynamoDB::Table) would be replaced",
            "TableName",
            "kept, outside of the stack",
            "--allow-replace table/Table",
        ],
    );
    assert_eq!(
        status_of(&bench, "table"),
        "CREATE_COMPLETE",
        "nothing was executed"
    );
    bench
        .run(&["deploy", "--stack", "table", "--allow-replace", "Other"])
        .refused(13, &[]);
    bench
        .run(&[
            "deploy",
            "--stack",
            "table",
            "--allow-replace",
            "table/Table",
        ])
        .succeeded();
    let outputs = bench
        .run(&["outputs", "--stack", "table", "--format", "json"])
        .succeeded()
        .json();
    assert_eq!(
        outputs["table"]["TableName"],
        "stackway-eu-west-2-local-table2"
    );
}

#[test]
fn offline_the_work_tree_is_compared_with_a_commit() {
    let bench = Workbench::with_config(CONFIG);
    bench.git(&["init", "--quiet"]);
    bench.git(&["add", "."]);
    bench.git(&["commit", "--quiet", "--message", "one"]);
    let same = bench.run(&["plan", "--offline"]).succeeded().stdout;
    assert!(same.contains("stacks: 6 unchanged"), "{same}");

    edit(
        &bench,
        "cloudformation/api.yaml",
        "Default: 256",
        "Default: 512",
    );
    edit(
        &bench,
        "cloudformation/table.yaml",
        "AttributeName: DateReceived\n          KeyType",
        "AttributeName: Date\n          KeyType",
    );
    std::fs::remove_file(bench.file("cloudformation/artifacts.yaml")).unwrap();
    let commit = bench
        .run(&["plan", "--offline", "--stack", "table", "--against", "HEAD"])
        .succeeded()
        .stdout;
    for words in ["KeySchema[Date]", "may replace", "~/+ Table"] {
        assert!(commit.contains(words), "`{words}` is not in\n{commit}");
    }
    bench.git(&["checkout", "--", "cloudformation/artifacts.yaml"]);
    let api = bench
        .run(&["plan", "--offline", "--format", "json"])
        .succeeded()
        .json();
    let function = stack(&api, "api")["resources"]
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["logical_id"] == "Function");
    assert_eq!(
        function.unwrap()["properties"][0]["after"],
        serde_json::json!({"value": "512"})
    );
    // Twice the memory for as long: twice the list price of the function's time, and free all the same.
    let cost = &stack(&api, "api")["cost"];
    assert_eq!(cost["monthly"]["after_free_tier"], "0.00", "{cost}");
    let list = cost["monthly"]["list"].as_str().unwrap();
    assert!(list.parse::<f64>().unwrap() > 0.0, "{cost}");
    assert_eq!(api["cost"]["currency"], "USD", "{}", api["cost"]);
    assert!(!bench.has_emulator(), "nothing was started");

    bench
        .run(&["plan", "--offline", "--against", "--all"])
        .refused(2, &[]);
    bench
        .run(&["plan", "--offline", "--against", "nowhere"])
        .refused(2, &["`nowhere` is no commit"]);
    bench
        .run(&["plan", "--against", "HEAD"])
        .refused(2, &["--offline"]);
    bench
        .run(&["status", "--format", "markdown"])
        .refused(2, &["markdown of `plan`"]);
    bench
        .run(&["deploy", "--allow-replace", "a/b/c"])
        .refused(2, &["`a/b/c` names no resource"]);
}
