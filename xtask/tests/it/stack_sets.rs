//! Stack sets over moto's server, by whole commands: rolled out, grown, updated, shrunk and removed.

use serde_json::Value;
use stackway_local_cloud::Moto;

use crate::workbench::{Ran, Workbench, root};

/// The account that moto takes every caller for.
const OWN: &str = "123456789012";

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
struct Stage {
    bench: Workbench,
    moto: Moto,
}

impl Stage {
    fn new(config: &str) -> Self {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let dir = root().join("target/stackway/moto");
        let moto = runtime.block_on(Moto::start(dir, &|_| {})).unwrap();
        Self {
            bench: Workbench::with_config(config),
            moto,
        }
    }

    fn configure(&self, config: &str) {
        std::fs::write(self.bench.file("stackway.toml"), config).unwrap();
    }

    fn run(&self, args: &[&str]) -> Ran {
        self.run_in("dev", args)
    }

    fn run_in(&self, environment: &str, args: &[&str]) -> Ran {
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

#[test]
fn what_cannot_be_a_stack_set_is_refused() {
    let stage = Stage::new(&config(TWO, ""));
    stage
        .run(&["deploy", "--yes"])
        .refused(3, &["`table` is placed as a stack set", "--stack table"]);
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
