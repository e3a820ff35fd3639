use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use stackway_infra::naming::Naming;

use crate::endpoint::Endpoint;
use crate::workbench::Workbench;

fn get(url: &str) -> Value {
    ureq::get(url)
        .call()
        .unwrap()
        .body_mut()
        .read_json()
        .unwrap()
}

/// Reads the table behind the API's back, as any DynamoDB client would.
fn scan(bench: &Workbench, table: &str) -> Value {
    let input = json!({ "TableName": table });
    Endpoint::of(bench).json("dynamodb", "DynamoDB_20120810.Scan", &input)
}

/// What the dashboard shows of the four requests, one of which asks for what is not there.
fn figures_are_those_of_the_requests(bench: &Workbench) {
    let board = bench
        .run(&["dashboard", "--env", "local", "--format", "json"])
        .succeeded()
        .json();
    let cards = board["cards"].as_array().unwrap();
    let figures: Vec<&Value> = cards
        .iter()
        .flat_map(|card| card["figures"].as_array().unwrap())
        .collect();
    let figure = |label: &str| {
        let found = figures.iter().find(|figure| figure["label"] == label);
        *found.unwrap()
    };
    for (label, expected) in [
        ("requests", 4.0),
        ("4xx", 1.0),
        ("5xx", 0.0),
        ("no answer", 0.0),
    ] {
        assert_eq!(figure(label)["value"], expected, "{label}");
    }
    assert!(figure("p99")["value"].is_number());
    assert!(figure("cold starts")["value"].as_f64().unwrap() >= 1.0);
    // What nothing measures is not zero.
    assert_eq!(figure("read")["value"], Value::Null);
    assert_eq!(figure("read")["why"], "not measured here");
}

#[test]
#[expect(
    clippy::too_many_lines,
    reason = "one story, told from its beginning to its end"
)]
fn deploy_call_redeploy_destroy() {
    let bench = Workbench::new();
    let deployed = bench
        .run(&["deploy", "--env", "local", "--format", "json"])
        .succeeded();
    assert!(
        deployed
            .stderr
            .contains("6 created, 0 updated, 0 unchanged"),
        "{}",
        deployed.stderr
    );
    assert!(
        deployed.stderr.contains("CREATE_COMPLETE"),
        "events are shown:\n{}",
        deployed.stderr
    );

    let outputs = bench
        .run(&["outputs", "--env", "local", "--format", "json"])
        .succeeded()
        .json();
    assert_eq!(deployed.json(), outputs);
    // What stack sets go by, as nobody can ask each of their stacks.
    let naming = Naming {
        project: "stackway".to_owned(),
        region: "eu-west-2".to_owned(),
        environment: "local".to_owned(),
    };
    let mut named = 0;
    for (stack, outputs) in outputs.as_object().unwrap() {
        for (output, value) in outputs.as_object().unwrap() {
            if let Some(by_name) = naming.output(stack, output, "000000000000", "eu-west-2") {
                assert_eq!(*value, by_name, "{output} of {stack} follows from names");
                named += 1;
            }
        }
    }
    assert_eq!(named, 4);
    let url = outputs["api"]["ApiUrl"].as_str().unwrap();
    let table = outputs["table"]["TableName"].as_str().unwrap();
    let status = bench
        .run(&["status", "--env", "local", "--format", "json"])
        .succeeded()
        .json();
    let endpoint = status["endpoint_url"].as_str().unwrap();
    assert_eq!(endpoint, format!("http://127.0.0.1:{}", bench.port()));
    for key in ["environment", "account", "region", "stacks"] {
        assert!(!status[key].is_null(), "{key}");
    }

    assert_eq!(
        get(&format!("{url}/")),
        json!({ "message": "What a wonderful kind of day." })
    );
    let item = json!({ "GUID": "g-1", "DateReceived": "2026-01-02T03:04:05Z", "Message": "hello" });
    // As curl sends it: without a word on its being JSON.
    let answer = ureq::post(format!("{url}/dynamodb"))
        .header("content-type", "application/x-www-form-urlencoded")
        .send(item.to_string())
        .unwrap();
    assert_eq!(answer.status(), 204);
    let stored = json!({
        "GUID": { "S": "g-1" },
        "DateReceived": { "S": "2026-01-02T03:04:05.000000Z" },
        "Message": { "S": "hello" },
    });
    assert_eq!(get(&format!("{url}/dynamodb")), json!([stored]));
    assert_eq!(
        scan(&bench, table)["Items"],
        json!([stored]),
        "in the table that CloudFormation made"
    );
    assert!(ureq::get(format!("{url}/nope")).call().is_err());
    figures_are_those_of_the_requests(&bench);

    let again = bench.run(&["deploy", "--env", "local"]).succeeded();
    assert!(
        again.stderr.contains("no changes: 6 stacks match"),
        "{}",
        again.stderr
    );
    assert!(
        again.stderr.contains("found the emulator")
            || !again.stderr.contains("started the emulator")
    );
    assert_eq!(
        get(&format!("{url}/dynamodb")),
        json!([stored]),
        "nothing was touched"
    );

    let plan = bench
        .run(&["destroy", "--env", "local", "--dry-run"])
        .succeeded();
    assert!(
        plan.stderr.contains("AWS::DynamoDB::Table"),
        "{}",
        plan.stderr
    );
    assert_eq!(
        get(&format!("{url}/dynamodb")),
        json!([stored]),
        "a dry run removes nothing"
    );

    let pid = bench.emulator_pid();
    let destroyed = bench.run(&["destroy", "--env", "local"]).succeeded();
    assert!(
        destroyed.stderr.contains("removed 6 stacks"),
        "{}",
        destroyed.stderr
    );
    assert!(
        destroyed.stderr.contains("stopped the emulator"),
        "{}",
        destroyed.stderr
    );
    assert!(std::net::TcpStream::connect(("127.0.0.1", bench.port())).is_err());
    // A process that has ended and that nobody has waited for has no command line.
    let command_line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    assert!(command_line.is_empty(), "{command_line:?}");

    bench.run(&["outputs", "--env", "local"]).refused(
        12,
        &["nothing is deployed to `local`", "cargo xtask deploy"],
    );
    bench.run(&["destroy", "--env", "local"]).succeeded();
}

#[test]
fn an_emulator_that_died_is_started_again() {
    let bench = Workbench::new();
    bench
        .run(&["deploy", "--env", "local", "--stack", "table"])
        .succeeded();
    let pid = bench.emulator_pid().to_string();
    assert!(
        Command::new("kill")
            .args(["-9", &pid])
            .status()
            .unwrap()
            .success()
    );
    let again = bench
        .run(&["deploy", "--env", "local", "--stack", "table"])
        .succeeded();
    assert!(
        again.stderr.contains(&format!("(pid {pid}) is gone")),
        "{}",
        again.stderr
    );
    assert!(again.stderr.contains("1 created"), "{}", again.stderr);
}

/// Ctrl-C says what stands and how to go on; the next run goes on from there.
#[test]
fn an_interrupted_deploy_is_continued() {
    let bench = Workbench::new();
    let mut deploy = bench
        .command(&["deploy", "--env", "local"])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = String::new();
    let mut lines = BufReader::new(deploy.stderr.take().unwrap());
    while !said.contains("building stackway-api") {
        assert_ne!(lines.read_line(&mut said).unwrap(), 0, "{said}");
    }
    let pid = deploy.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-INT", &pid])
            .status()
            .unwrap()
            .success()
    );
    lines.read_to_string(&mut said).unwrap();
    assert_eq!(deploy.wait().unwrap().code(), Some(130), "{said}");
    for words in [
        "interrupted",
        "nothing was changed in any stack",
        "`cargo xtask deploy --env local` continues",
    ] {
        assert!(said.contains(words), "{said}");
    }
    let status = bench
        .run(&["status", "--format", "json"])
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
    bench.run(&["deploy", "--env", "local"]).succeeded();
}
