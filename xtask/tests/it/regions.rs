//! The API over several regions that share a table, over moto's server.

use stackway_infra::aws;
use stackway_infra::cloud::Stacks as _;

use crate::stack_sets::{API, BOTH, HERE, OWN, Stage, placed};
use crate::workbench::Workbench;

/// A template in the place of the table's, since moto has no global tables: what the stack was given.
const TABLE: &str = r#"
AWSTemplateFormatVersion: "2010-09-09"
Parameters:
  Project: {Type: String, MaxLength: 20, Description: The project.}
  Environment: {Type: String, MaxLength: 20, Description: The environment.}
  Global: {Type: String, Default: "false", AllowedValues: ["true", "false"], Description: Whether it is copied.}
  ReplicaRegion1: {Type: String, MaxLength: 24, Default: "", Description: A region.}
  ReplicaRegion2: {Type: String, MaxLength: 24, Default: "", Description: A region.}
  ReplicaRegion3: {Type: String, MaxLength: 24, Default: "", Description: A region.}
Resources:
  Place:
    Type: AWS::SSM::Parameter
    Properties:
      Name: !Sub "/${Project}/${Environment}/table"
      Type: String
      Value: !Sub "${Global} ${ReplicaRegion1} ${ReplicaRegion2} ${ReplicaRegion3}"
Outputs:
  TableName: {Value: !Ref Place, Description: Its name.}
  TableArn: {Value: !Ref Place, Description: Its ARN.}
"#;

/// The API in these regions, and the table's copies in the others.
fn in_regions(regions: &[&str]) -> String {
    let copies = regions.iter().filter(|region| **region != "eu-west-2");
    let named = copies
        .enumerate()
        .map(|(position, region)| format!("ReplicaRegion{} = \"{region}\"\n", position + 1));
    let table = format!(
        "\n[environments.local.parameters.table]\nGlobal = \"true\"\n{}",
        named.collect::<String>()
    );
    placed(&[("artifacts", &[OWN], regions), ("api", &[OWN], regions)]) + &table
}

#[test]
fn a_region_is_won_from_the_bottom_and_left_from_the_top() {
    let stage = Stage::of(Workbench::with_code(&in_regions(BOTH)));
    std::fs::write(stage.bench.file("cloudformation/api.yaml"), API).unwrap();
    std::fs::write(stage.bench.file("cloudformation/table.yaml"), TABLE).unwrap();
    stage.with_secrets();
    stage
        .run_in("local", &["deploy", "--stack", "api", "--yes"])
        .succeeded();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let config = |region| aws::without_account(OWN, region, &stage.moto.endpoint_url());
    // Each has the copy of its region, under the name that the table has at home.
    for region in BOTH {
        let stacks = aws::CloudFormation::new(&config(region));
        let name = "StackSet:stackway-eu-west-2-local-api";
        let stack = runtime.block_on(stacks.describe_stack(name));
        let table = format!("arn:aws:dynamodb:{region}:{OWN}:table/stackway-eu-west-2-local-table");
        assert_eq!(stack.unwrap().unwrap().outputs["ApiUrl"], table);
    }
    let copies = || {
        let stacks = aws::CloudFormation::new(&config("eu-west-2"));
        let stack = runtime.block_on(stacks.describe_stack("stackway-eu-west-2-local-table"));
        stack.unwrap().unwrap().parameters["ReplicaRegion1"].clone()
    };
    assert_eq!(copies(), "us-east-1");

    // One region is given up, and another won, in one deploy. Both stacks change, since moto refuses a change set without
    // changes.
    for stack in ["table", "secrets"] {
        let path = stage.bench.file(&format!("cloudformation/{stack}.yaml"));
        let text = std::fs::read_to_string(&path).unwrap();
        let changed = text.replace("Resources:", "Description: changed\nResources:");
        std::fs::write(&path, changed).unwrap();
    }
    stage.configure(&in_regions(&["eu-west-2", "eu-west-1"]));
    let buckets = [
        "--allow-replace",
        "artifacts/ArtifactBucket",
        "--allow-replace",
        "artifacts/AccessLogBucket",
    ];
    let others = [
        "--allow-replace",
        "artifacts/ArtifactKey",
        "--allow-replace",
        "artifacts/Repository",
    ];
    let mut args = vec!["deploy", "--stack", "api", "--yes"];
    args.extend(buckets.iter().chain(&others));
    let moved = stage.run_in("local", &args).succeeded();
    let order = [
        "table: with copies in eu-west-1, us-east-1",
        "artifacts    CREATE SUCCEEDED",
        "api          CREATE SUCCEEDED",
        "api          DELETE SUCCEEDED",
        "artifacts    DELETE SUCCEEDED",
        "table: with copies in eu-west-1\n",
        "stack sets: 2 instances created, 2 instances deleted",
    ];
    let mut from = 0;
    for step in order {
        let found = moved.stderr[from..].find(step);
        from += found.unwrap_or_else(|| panic!("no `{step}` in its turn in {}", moved.stderr));
    }
    assert_eq!(copies(), "eu-west-1");

    // What is not placed cannot be left alone.
    let left = [
        "deploy",
        "--stack",
        "api",
        "--yes",
        "--leave-region",
        "us-east-1",
    ];
    stage.run_in("local", &left).refused(
        2,
        &[
            "`us-east-1` cannot be left alone",
            "stack sets are placed in: eu-west-1, eu-west-2",
        ],
    );
    // A table that is none does not become a global one by an update.
    let plain = in_regions(HERE).replace("Global = \"true\"", "");
    stage.configure(&plain);
    stage.run_in("local", &["deploy", "--stack", "api", "--yes"]).refused(
        3,
        &["`Global` of stack `table` is decided when it is made: it stands with `Global = \"true\"`"],
    );
}

#[test]
fn copies_that_cannot_be_are_refused() {
    let config = in_regions(BOTH);
    let secrets = "\n[environments.local.parameters.secrets]\nApiToken = \"true\"\n";
    for (config, expected) in [
        (
            config.replace("ReplicaRegion1 = \"us-east-1\"", ""),
            "`api` cannot be placed as a stack set: it needs `table` in 123456789012/us-east-1, where there is none",
        ),
        (
            config.replace("Global = \"true\"", ""),
            "us-east-1 is named, and `Global` is not `true`",
        ),
        (
            config.clone() + "ReplicaRegion2 = \"us-east-1\"\n",
            "us-east-1 is named twice",
        ),
        (
            config.clone() + "ReplicaRegion2 = \"eu-west-2\"\n",
            "eu-west-2 is its own",
        ),
        (
            config.clone() + "BillingMode = \"PROVISIONED\"\n",
            "a global table is paid by request",
        ),
        (
            config.clone() + secrets,
            "it needs `secrets` in 123456789012/us-east-1, where there is none",
        ),
        (
            config
                + "\n[environments.local.stacks.table]\nplace = \"stack-set\"\naccounts = [\"123456789012\"]\nregions = [\"eu-west-2\"]\n",
            "it is placed as a stack set, and has a stack of its own in each region",
        ),
    ] {
        let config = config
            .replace(".local", ".dev")
            .replace("\"local\"", "\"aws\"");
        Workbench::with_config(&config)
            .run(&["deploy", "--yes", "--env", "dev"])
            .refused(3, &[expected, "hint: "]);
    }
}
