//! Stack sets over moto's server, by whole commands: rolled out, grown, updated, shrunk and removed.

use serde_json::Value;
use stackway_infra::aws;
use stackway_infra::cloud::{Objects as _, Stacks as _};
use stackway_local_cloud::Moto;

use crate::workbench::{LOCAL, Ran, Workbench, root};

/// The account that moto takes every caller for.
pub(crate) const OWN: &str = "123456789012";

fn config(accounts: &[&str], rest: &str) -> String {
    format!(
        r#"
[project]
name = "stackway"
repository = "https://github.com/example/stackway"

[environments.dev]
kind = "aws"
accounts = ["{OWN}", "111111111111", "222222222222", "333333333333"]
regions = ["eu-west-2"]

[environments.dev.stacks.table]
place = "stack-set"
accounts = {accounts:?}
regions = ["eu-west-2", "us-east-1"]
region_order = ["us-east-1", "eu-west-2"]
max_concurrent = "50%"
{rest}
"#
    )
}

/// A workspace and the server that its commands call.
pub(crate) struct Stage {
    pub(crate) bench: Workbench,
    pub(crate) moto: Moto,
}

impl Stage {
    fn new(config: &str) -> Self {
        Self::of(Workbench::with_config(config))
    }

    pub(crate) fn of(bench: Workbench) -> Self {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let dir = root().join("target/stackway/moto");
        let moto = runtime.block_on(Moto::start(dir, &|_| {})).unwrap();
        Self { bench, moto }
    }

    pub(crate) fn configure(&self, config: &str) {
        std::fs::write(self.bench.file("stackway.toml"), config).unwrap();
    }

    fn run(&self, args: &[&str]) -> Ran {
        self.run_in("dev", args)
    }

    pub(crate) fn run_in(&self, environment: &str, args: &[&str]) -> Ran {
        let url = self.moto.endpoint_url();
        let mut all = args.to_vec();
        all.extend(["--env", environment, "--endpoint-url", &url]);
        let credentials = [
            ("AWS_ACCESS_KEY_ID", "testing"),
            ("AWS_SECRET_ACCESS_KEY", "testing"),
            ("AWS_EC2_METADATA_DISABLED", "true"),
        ];
        self.bench.run_with(&all, &credentials)
    }

    fn deploy(&self, more: &[&str]) -> Ran {
        let mut args = vec!["deploy", "--stack", "table", "--yes"];
        args.extend(more);
        self.run(&args)
    }

    /// Has the stack `secrets` stand, made by CreateStack: of stacks that a change set makes, moto tells no outputs.
    pub(crate) fn with_secrets(&self) {
        const TEMPLATE: &str = "
AWSTemplateFormatVersion: \"2010-09-09\"
Parameters:
  Project: {Type: String, MaxLength: 20, Description: The project.}
  Environment: {Type: String, MaxLength: 20, Description: The environment.}
Resources:
  Name:
    Type: AWS::SSM::Parameter
    Properties: {Name: !Sub \"/${Project}/${Environment}/token\", Type: String, Value: none}
Outputs:
  TokenSecretName: {Value: none, Description: The secret.}
";
        // Another text than what stands: moto refuses a change set without changes, which AWS makes and calls empty.
        let text = TEMPLATE.replace("Value: none}", "Value: \"none\"}");
        std::fs::write(self.bench.file("cloudformation/secrets.yaml"), text).unwrap();
        let authorization = format!(
            "AWS4-HMAC-SHA256 Credential={OWN}/20260101/eu-west-2/cloudformation/aws4_request, SignedHeaders=host, Signature=0"
        );
        ureq::post(self.moto.endpoint_url())
            .header("authorization", authorization)
            .send_form([
                ("Action", "CreateStack"),
                ("Version", "2010-05-15"),
                ("StackName", "stackway-eu-west-2-local-secrets"),
                ("TemplateBody", TEMPLATE),
                ("Parameters.member.1.ParameterKey", "Project"),
                ("Parameters.member.1.ParameterValue", "stackway"),
                ("Parameters.member.2.ParameterKey", "Environment"),
                ("Parameters.member.2.ParameterValue", "local"),
                ("Tags.member.1.Key", "project"),
                ("Tags.member.1.Value", "stackway"),
                ("Tags.member.2.Key", "environment"),
                ("Tags.member.2.Value", "local"),
                ("Tags.member.3.Key", "managed-by"),
                ("Tags.member.3.Value", "stackway"),
            ])
            .unwrap();
    }

    /// The stack set of a plan.
    #[track_caller]
    fn plan(&self) -> Value {
        let args = ["plan", "--stack", "table", "--format", "json"];
        let report = self.run(&args).succeeded().json();
        report["stack_sets"][0].clone()
    }

    /// What becomes of each pair, as `action account/region`.
    #[track_caller]
    fn planned(&self, expected: &[&str]) {
        let plan = self.plan();
        let pairs = plan["pairs"].as_array().unwrap();
        let shown: Vec<_> = pairs
            .iter()
            .map(|pair| {
                let text = |key: &str| pair[key].as_str().unwrap();
                format!("{} {}/{}", text("action"), text("place"), text("region"))
            })
            .collect();
        assert_eq!(shown, expected, "{plan}");
    }

    /// The instances, as `account/region status`, each with a stack.
    fn stands(&self) -> Vec<String> {
        let args = ["stack-set", "status", "--format", "json"];
        let report = self.run(&args).succeeded().json();
        let instances = report[0]["instances"].as_array().unwrap();
        instances
            .iter()
            .map(|instance| {
                let text = |key: &str| instance[key].as_str().unwrap();
                assert!(text("stack_id").contains(text("region")), "{instance}");
                format!("{}/{} {}", text("account"), text("region"), text("status"))
            })
            .collect()
    }
}

const TWO: &[&str] = &["111111111111", "222222222222"];
const THREE: &[&str] = &["111111111111", "222222222222", "333333333333"];

#[test]
#[expect(
    clippy::too_many_lines,
    reason = "one story, told from its beginning to its end"
)]
fn a_stack_set_is_made_grown_updated_shrunk_and_removed() {
    let stage = Stage::new(&config(TWO, ""));
    stage.planned(&[
        "create 111111111111/eu-west-2",
        "create 111111111111/us-east-1",
        "create 222222222222/eu-west-2",
        "create 222222222222/us-east-1",
    ]);
    let listed = stage
        .run(&["stack-set", "list", "--format", "json"])
        .succeeded()
        .json();
    assert_eq!(listed[0]["status"], Value::Null, "a plan makes nothing");
    let dry = stage.deploy(&["--dry-run"]).succeeded();
    assert!(
        dry.stdout.contains("stack set over 2 accounts"),
        "{}",
        dry.stdout
    );

    let deployed = stage.deploy(&[]).succeeded();
    for line in [
        "CREATE of 4 instances begins",
        "222222222222 us-east-1      SUCCEEDED",
        "stack sets: 4 instances created",
    ] {
        assert!(
            deployed.stderr.contains(line),
            "{line}\n{}",
            deployed.stderr
        );
    }
    assert_eq!(stage.stands().len(), 4);
    let again = stage.deploy(&[]).succeeded();
    assert!(
        again.stderr.contains("stack sets: 1 unchanged"),
        "{}",
        again.stderr
    );
    assert_eq!(stage.plan()["verdict"], "unchanged");

    // A new account in regions that others stand in.
    stage.configure(&config(THREE, ""));
    stage.planned(&[
        "leave 111111111111/eu-west-2",
        "leave 111111111111/us-east-1",
        "leave 222222222222/eu-west-2",
        "leave 222222222222/us-east-1",
        "create 333333333333/eu-west-2",
        "create 333333333333/us-east-1",
    ]);
    let grown = stage.deploy(&[]).succeeded();
    assert!(
        grown.stderr.contains("2 instances created"),
        "{}",
        grown.stderr
    );

    // Another value for all, and one of its own for one pair.
    let updated = "\
[environments.dev.stacks.table.overrides.222222222222.us-east-1]
PointInTimeRecovery = \"true\"

[environments.dev.parameters.table]
PointInTimeRecovery = \"false\"
";
    stage.configure(&config(THREE, updated));
    let plan = stage.plan();
    assert_eq!(
        plan["changes"].to_string(),
        r#"["parameters","tags"]"#,
        "{plan}"
    );
    let done = stage.deploy(&[]).succeeded();
    assert!(
        done.stderr.contains("UPDATE of 6 instances begins"),
        "{}",
        done.stderr
    );
    assert_eq!(stage.plan()["verdict"], "unchanged");

    // Shrunk by an account: its table goes, and that takes a word.
    stage.configure(&config(
        &["111111111111", "333333333333"],
        updated_without_override(),
    ));
    let refused = stage.deploy(&[]);
    refused.refused(
        13,
        &[
            "would be removed",
            "222222222222/eu-west-2, 222222222222/us-east-1",
            "--allow-replace table/Table",
        ],
    );
    assert_eq!(stage.stands().len(), 6, "nothing was changed");
    let shrunk = stage
        .deploy(&["--allow-replace", "table/Table"])
        .succeeded();
    assert!(
        shrunk.stderr.contains("2 instances deleted"),
        "{}",
        shrunk.stderr
    );
    assert_eq!(
        stage.stands(),
        [
            "111111111111/eu-west-2 CURRENT",
            "111111111111/us-east-1 CURRENT",
            "333333333333/eu-west-2 CURRENT",
            "333333333333/us-east-1 CURRENT",
        ]
    );

    let stopped = stage.run(&["stack-set", "stop", "--yes"]).succeeded();
    assert!(
        stopped.stderr.contains("no operation is under way"),
        "{}",
        stopped.stderr
    );

    // Another environment's set stays; this one's goes, though stackway.toml no longer places it.
    let other = config(TWO, "").replace(".dev", ".sandbox");
    let bare = format!(
        "\n[environments.dev]\nkind = \"aws\"\naccounts = [\"{OWN}\"]\nregions = [\"eu-west-2\"]\n"
    );
    stage.configure(&[other, bare].concat());
    stage
        .run_in("sandbox", &["deploy", "--stack", "table", "--yes"])
        .succeeded();
    let removed = stage.run(&["stack-set", "remove", "--yes"]).succeeded();
    assert!(
        removed
            .stderr
            .contains("removed 1 stack sets with 4 instances; 0 left"),
        "{}",
        removed.stderr
    );
    let listed = stage
        .run_in("sandbox", &["stack-set", "list", "--format", "json"])
        .succeeded()
        .json();
    assert_eq!(listed[0]["status"], "ACTIVE", "{listed}");
}

fn updated_without_override() -> &'static str {
    "[environments.dev.parameters.table]\nPointInTimeRecovery = \"false\"\n"
}

#[test]
fn roles_are_made_before_the_sets_that_take_them() {
    let stage = Stage::new(&config(&[OWN, "222222222222"], ""));
    let dry = stage
        .run(&["stack-set", "roles", "--dry-run", "--format", "json"])
        .succeeded()
        .json();
    assert_eq!(dry["roles"].as_array().unwrap().len(), 2, "{dry}");
    assert_eq!(dry["other_accounts"][0], "222222222222", "{dry}");
    let made = stage.run(&["stack-set", "roles", "--yes"]).succeeded();
    assert!(
        made.stderr.contains("2 of 2 role stacks changed")
            && made.stderr.contains(&format!("--administrator {OWN}")),
        "{}",
        made.stderr
    );
    stage
        .run(&["stack-set", "roles", "--administrator", "999999999999"])
        .refused(3, &["may not touch account `999999999999`"]);
}

/// Stacks of one account that are placed, each over its regions.
pub(crate) fn placed(stacks: &[(&str, &[&str], &[&str])]) -> String {
    let placements = stacks.iter().map(|(stack, accounts, regions)| {
        format!(
            "\n[environments.local.stacks.{stack}]\nplace = \"stack-set\"\naccounts = {accounts:?}\nregions = {regions:?}\n"
        )
    });
    LOCAL.replace("000000000000", OWN) + &placements.collect::<String>()
}

pub(crate) const HERE: &[&str] = &["eu-west-2"];
pub(crate) const BOTH: &[&str] = &["eu-west-2", "us-east-1"];

/// A template in the place of the API's, since moto has no HTTP APIs and no aliases of functions: its outputs tell what
/// the stack was given. Defaults stand for what moto forgets: beside an instance's own values it gives it none of the set's.
pub(crate) const API: &str = r#"
AWSTemplateFormatVersion: "2010-09-09"
Parameters:
  Project: {Type: String, MaxLength: 20, Default: stackway, Description: The project.}
  Environment: {Type: String, MaxLength: 20, Default: local, Description: The environment.}
  TableName: {Type: String, MaxLength: 60, Default: unknown, Description: The table.}
  TableArn: {Type: String, MaxLength: 200, Description: Its ARN.}
  TokenSecretName: {Type: String, MaxLength: 512, Default: "", Description: The secret.}
  CodeS3Bucket: {Type: String, MaxLength: 63, Description: The bucket of the code.}
  CodeS3Key: {Type: String, MaxLength: 173, Default: unknown, Description: The code.}
Resources:
  Place:
    Type: AWS::SSM::Parameter
    Properties:
      Name: !Sub "/${Project}/${Environment}/api"
      Type: String
      Value: !Sub "${TableName} ${TableArn} ${CodeS3Bucket} ${CodeS3Key} ${TokenSecretName}"
Outputs:
  ApiUrl: {Value: !Ref TableArn, Description: The table.}
  ApiId: {Value: !Ref CodeS3Bucket, Description: The bucket.}
  Authorizer: {Value: NONE, Description: Who is asked.}
  AuthorizerId: {Value: none, Description: Which authorizer.}
  FunctionName: {Value: !Ref CodeS3Key, Description: The code.}
"#;

#[test]
fn stacks_that_need_one_another_are_placed_together() {
    let all: &[&str] = &[OWN];
    let config = placed(&[
        ("artifacts", all, BOTH),
        ("table", all, BOTH),
        ("api", all, BOTH),
    ]);
    let stage = Stage::of(Workbench::with_code(&config));
    std::fs::write(stage.bench.file("cloudformation/api.yaml"), API).unwrap();
    stage.with_secrets();
    let deployed = stage.run_in("local", &["deploy", "--yes"]).succeeded();
    assert!(
        deployed.stderr.contains("stack sets: 6 instances created"),
        "{}",
        deployed.stderr
    );
    // Each has the table of its region, and the code in a bucket there.
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let mut keys = Vec::new();
    for region in BOTH {
        let config = aws::without_account(OWN, region, &stage.moto.endpoint_url());
        let stacks = aws::CloudFormation::new(&config);
        // As moto names the stacks of sets.
        let name = "StackSet:stackway-eu-west-2-local-api";
        let stack = runtime.block_on(stacks.describe_stack(name));
        let stack = stack.unwrap().unwrap();
        let bucket = format!("stackway-{OWN}-{region}-local");
        let table = format!("arn:aws:dynamodb:{region}:{OWN}:table/stackway-{region}-local-table");
        assert_eq!(stack.outputs["ApiUrl"], table);
        assert_eq!(stack.outputs["ApiId"], bucket);
        keys.push((config, bucket, stack.outputs["FunctionName"].clone()));
    }
    let (_, _, key) = keys.iter().find(|(_, _, key)| key != "unknown").unwrap();
    for (config, bucket, _) in &keys {
        let objects = aws::S3::new(config);
        assert!(
            runtime
                .block_on(objects.object_exists(bucket, key))
                .unwrap(),
            "{bucket}"
        );
    }

    let plan = stage
        .run_in("local", &["plan", "--stack", "api", "--format", "json"])
        .succeeded()
        .json();
    let verdicts: Vec<String> = plan["stack_sets"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            let text = |key: &str| one[key].as_str().unwrap();
            format!("{} {}", text("stack"), text("verdict"))
        })
        .collect();
    assert_eq!(
        verdicts,
        ["artifacts unchanged", "table unchanged", "api unchanged"]
    );
    let templates = plan["stacks"].as_array().unwrap().iter();
    let of_api = templates.filter(|one| one["stack"] == "api");
    let of_api: Vec<_> = of_api.map(|one| &one["verdict"]).collect();
    assert_eq!(of_api, ["unchanged"]);
    let cost = &plan["cost"];
    assert_ne!(cost["before"], Value::Null);
    assert_eq!(cost["before"], cost["after"], "{cost}");
}

#[test]
fn a_stack_takes_what_follows_from_names_of_a_set_that_is_placed_here() {
    let all: &[&str] = &[OWN];
    let config = placed(&[("artifacts", all, HERE), ("table", all, BOTH)]);
    let stage = Stage::of(Workbench::with_code(&config));
    std::fs::write(stage.bench.file("cloudformation/api.yaml"), API).unwrap();
    stage.with_secrets();
    let deployed = stage.run_in("local", &["deploy", "--yes"]).succeeded();
    let table = deployed
        .stderr
        .find("table        rolled out")
        .expect("the table's set");
    let api = deployed
        .stderr
        .find("api          deployed in")
        .expect("the API's stack");
    assert!(table < api, "{}", deployed.stderr);
}

#[test]
fn what_cannot_be_placed_together_is_refused() {
    let (one, two): (&[&str], &[&str]) = (&[OWN], &[OWN, "111111111111"]);
    for (stacks, expected) in [
        (
            vec![("table", one, BOTH), ("api", one, BOTH)],
            "the code of its function has to be in a bucket of the function's own region",
        ),
        (
            vec![
                ("artifacts", one, BOTH),
                ("table", one, HERE),
                ("api", one, BOTH),
            ],
            "`api` needs `table` in 123456789012/us-east-1, where it is not placed",
        ),
        (
            vec![
                ("artifacts", two, BOTH),
                ("table", two, BOTH),
                ("api", two, BOTH),
            ],
            "cannot be placed as a stack set over several accounts: its code is uploaded with the credentials of one",
        ),
    ] {
        // Of AWS, where there can be several accounts; nothing is called.
        let config = placed(&stacks)
            .replace(".local", ".dev")
            .replace("\"local\"", "\"aws\"")
            .replacen(
                &format!("accounts = [\"{OWN}\"]"),
                &format!("accounts = {two:?}"),
                1,
            );
        Workbench::with_config(&config)
            .run(&["deploy", "--yes", "--env", "dev"])
            .refused(3, &[expected, "hint: "]);
    }
}

#[test]
fn what_cannot_be_a_stack_set_is_refused() {
    let stage = Stage::new(&config(TWO, ""));
    stage
        .run(&["stack-set", "status", "--stack", "api"])
        .refused(2, &["those that are: table"]);
    stage
        .run(&["stack-set", "status", "--stack", "table"])
        .refused(
            12,
            &[
                "stackway-eu-west-2-dev-table",
                "deploy --env dev --stack table",
            ],
        );
}

/// `destroy` takes a stack set with its instances. moto lacks services that are looked into for what no stack owns, so
/// that it is asked for the one stack.
#[test]
fn destroy_takes_stack_sets_with_it() {
    let stage = Stage::new(&config(&[OWN, "222222222222"], ""));
    stage.deploy(&[]).succeeded();
    let given = ["destroy", "--stack", "table", "--format", "json"];
    let plan = stage
        .run(&[&given[..], &["--dry-run"]].concat())
        .succeeded()
        .json();
    let sets = plan["found"]["stack_sets"].as_array().unwrap();
    assert_eq!(sets.len(), 1, "{plan}");
    assert_eq!(sets[0]["name"], "stackway-eu-west-2-dev-table");
    assert_eq!(sets[0]["instances"].as_array().unwrap().len(), 4, "{plan}");
    assert_eq!(plan["found"]["count"], 1);
    stage.run(&given).refused(11, &["needs a yes"]);
    let done = stage.run(&[&given[..], &["--yes", "--confirm", "dev"]].concat());
    let done = done.succeeded().json();
    assert_eq!(done["left"]["stack_sets"], serde_json::json!([]), "{done}");
    assert_eq!(done["left"]["count"], 0, "{done}");
    let again = stage.run(&given).succeeded().json();
    assert_eq!(again["found"]["count"], 0, "{again}");
}
