//! What other tools made comes under Stackway as it is, and what Stackway tells is read by others.

use std::process::Command;

use serde_json::{Value, json};

use crate::workbench::{LOCAL, Workbench};

const TABLE: &str = "stackway-eu-west-2-local-table";

/// The emulator as any other tool reaches it.
struct Emulator(String);

impl Emulator {
    fn of(bench: &Workbench) -> Self {
        Self(format!("http://127.0.0.1:{}/", bench.port()))
    }

    fn sign(service: &str) -> String {
        format!(
            "AWS4-HMAC-SHA256 Credential=000000000000/20261126/eu-west-2/{service}/aws4_request"
        )
    }

    /// A call of DynamoDB.
    #[track_caller]
    fn dynamodb(&self, operation: &str, body: &Value) -> Value {
        let answer = ureq::post(&self.0)
            .header("x-amz-target", format!("DynamoDB_20120810.{operation}"))
            .header("content-type", "application/x-amz-json-1.0")
            .header("authorization", Self::sign("dynamodb"))
            .send(body.to_string());
        let text = answer.unwrap().body_mut().read_to_string().unwrap();
        serde_json::from_str(&text).unwrap()
    }

    /// The status of the table's stack, by CloudFormation's own word.
    fn status(&self) -> Option<String> {
        let form = format!("Action=DescribeStacks&Version=2010-05-15&StackName={TABLE}");
        let answer = ureq::post(&self.0)
            .header("content-type", "application/x-www-form-urlencoded")
            .header("authorization", Self::sign("cloudformation"))
            .send(form);
        // There is no such stack.
        let text = answer.ok()?.body_mut().read_to_string().unwrap();
        let (_, after) = text.split_once("<StackStatus>")?;
        let (status, _) = after.split_once('<')?;
        Some(status.to_owned())
    }

    /// A table as the template has it, with one item.
    fn make_table(&self) {
        let key = |name: &str, kind: &str| json!({"AttributeName": name, "KeyType": kind});
        let text = |name: &str| json!({"AttributeName": name, "AttributeType": "S"});
        self.dynamodb(
            "CreateTable",
            &json!({
                "TableName": TABLE,
                "KeySchema": [key("GUID", "HASH"), key("DateReceived", "RANGE")],
                "AttributeDefinitions": [text("GUID"), text("DateReceived")],
                "BillingMode": "PAY_PER_REQUEST",
            }),
        );
        let item = json!({"GUID": {"S": "g"}, "DateReceived": {"S": "2026-11-26T00:00:00Z"}, "Message": {"S": "kept"}});
        self.dynamodb("PutItem", &json!({"TableName": TABLE, "Item": item}));
    }

    fn items(&self) -> Value {
        self.dynamodb("Scan", &json!({"TableName": TABLE}))["Count"].clone()
    }
}

#[test]
fn a_table_that_somebody_made_comes_under_its_stack_with_its_data() {
    let bench = Workbench::with_config(LOCAL);
    // Without an emulator there is nothing to import, and none is started for it.
    let dry = ["import", "--stack", "table", "--dry-run"];
    bench.run(&dry).refused(12, &["there is nothing to import"]);
    assert!(!bench.has_emulator());
    bench.run(&["deploy", "--stack", "artifacts"]).succeeded();
    let emulator = Emulator::of(&bench);

    // A name that is wrong makes no stack. The emulator does not tell what identifies a table, so a person does.
    let import = ["import", "--stack", "table"];
    let unnamed = bench.run(&import);
    unnamed.refused(
        3,
        &[
            "what `Table` is known by is not said",
            "--id Table.TableName=orders",
        ],
    );
    let wrong = [&import[..], &["--id", "Table.TableName=nobody-made-this"]].concat();
    let wrong = bench.run(&wrong);
    wrong.refused(7, &["nobody-made-this does not exist", "by no other stack"]);
    assert_eq!(emulator.status(), None);

    emulator.make_table();
    let id = format!("Table.TableName={TABLE}");
    let import = [&import[..], &["--id", &id]].concat();
    let plan = bench.run(&[&import[..], &["--dry-run", "--format", "json"]].concat());
    let plan = plan.succeeded().json();
    let expected = json!([{
        "logical_id": "Table",
        "resource_type": "AWS::DynamoDB::Table",
        "identifier": {"TableName": TABLE},
    }]);
    assert_eq!(plan["resources"], expected);
    assert_eq!(plan["is_new"], true);
    assert_eq!(emulator.status(), None);

    bench.run(&import).succeeded().said(&[
        "imported 1 resource into",
        "cargo xtask deploy --env local --stack table --adopt table",
    ]);
    assert_eq!(emulator.status().as_deref(), Some("IMPORT_COMPLETE"));
    assert_eq!(emulator.items(), 1);
    let again = bench.run(&import);
    again.refused(3, &["the stack holds `Table` already"]);

    // The deploy after it gives outputs and tags, and does not make the table anew.
    let deploy = ["deploy", "--stack", "table"];
    let refused = bench.run(&deploy);
    refused.refused(7, &["lacks the tags", "--adopt table"]);
    let adopted = [&deploy[..], &["--adopt", "table"]].concat();
    bench.run(&adopted).succeeded().said(&["is taken over"]);
    assert_eq!(emulator.items(), 1);
    let shell = bench.run(&["outputs", "--stack", "table", "--as", "shell"]);
    let shell = shell.succeeded().stdout;
    let mut sh = Command::new("sh");
    let read = sh.args(["-c", "eval \"$1\"; printf %s \"$TABLE_NAME\"", "sh"]);
    let read = read.arg(&shell).output().unwrap();
    assert_eq!(read.stdout, TABLE.as_bytes());
    bench.run(&deploy).succeeded().said(&["no changes"]);
}
