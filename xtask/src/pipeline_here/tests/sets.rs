//! Stack sets, over moto's server; and an emulator that has none.

use stackway_infra::aws::CloudFormationStackSets;
use stackway_infra::cloud::stack_sets::StackSets as _;
use stackway_infra::stack_set::{CallAs, Pair, StackSetAddress};
use stackway_pipeline_defs::model::{ArtifactPath, StackInstances, StackSet, Targets};

use super::*;

const TOPIC: &str = "
Parameters:
  Name: {Type: String, Default: one, MaxLength: 20, Description: The topic's name}
Resources:
  Topic:
    Type: AWS::SNS::Topic
    Properties: {TopicName: !Ref Name}
";

fn targets(accounts: &str, regions: &[&str]) -> Targets {
    Targets {
        accounts: accounts.into(),
        regions: regions.iter().map(ToString::to_string).collect(),
        failure_tolerance_percent: Some(0),
        max_concurrent_percent: Some(100),
    }
}

fn set(parameters: &str, targets: Targets) -> Vec<Stage> {
    let set = StackSet {
        name: "one-set".into(),
        description: None,
        template: ArtifactPath::new(SOURCE, "topic.yaml"),
        parameters: Some(parameters.into()),
        capabilities: None,
        organizations_auto_deployment: None,
        service_managed: false,
        targets: Some(targets),
    };
    vec![Stage::new(
        "Roll",
        vec![Action::new("Set", set).reads(SOURCE)],
    )]
}

fn instances(parameters: Option<&str>, targets: Targets) -> Vec<Stage> {
    let instances = StackInstances {
        name: "one-set".into(),
        targets,
        parameters: parameters.map(Into::into),
    };
    let action = Action::new("Instances", instances).reads(SOURCE);
    vec![Stage::new("Roll", vec![action])]
}

#[test]
fn stack_sets_are_rolled_out() {
    let (bench, _moto) = Bench::over_moto();
    bench.commit(&[
        ("topic.yaml", TOPIC),
        ("accounts.json", r#"["111111111111", "222222222222"]"#),
    ]);
    let sets = CloudFormationStackSets::new(&bench.cloud.config);
    let at = StackSetAddress {
        name: "one-set".to_owned(),
        call_as: CallAs::Caller,
    };
    let pairs = || {
        let instances = bench.runtime.block_on(sets.stack_instances(&at)).unwrap();
        let mut pairs: Vec<_> = instances.iter().map(|one| one.pair.to_string()).collect();
        pairs.sort();
        pairs
    };

    let said = bench.fails(instances(None, targets("111111111111", &["eu-west-2"])));
    assert!(said.contains("there is no stack set `one-set`"), "{said}");

    let first = set(
        "ParameterKey=Name,ParameterValue=first",
        targets("111111111111", &["eu-west-2"]),
    );
    let outcome = bench.succeeds(first);
    let given = variables_of(&outcome, "Set");
    assert!(given["StackSetId"].starts_with("one-set"), "{given:?}");
    assert!(!given["OperationId"].is_empty());
    assert_eq!(pairs(), ["111111111111/eu-west-2"]);

    // Those of a file are added, and the one that stands stays.
    bench.succeeds(instances(
        None,
        targets("SourceArtifact::accounts.json", &["us-east-1"]),
    ));
    let three = [
        "111111111111/eu-west-2",
        "111111111111/us-east-1",
        "222222222222/us-east-1",
    ];
    assert_eq!(pairs(), three);

    // Of these, one gets a value of its own.
    bench.succeeds(instances(
        Some("ParameterKey=Name,ParameterValue=own"),
        targets("222222222222", &["us-east-1"]),
    ));
    let own = |account: &str| {
        let pair = Pair::new(account, "us-east-1");
        let own = bench.runtime.block_on(sets.instance_overrides(&at, &pair));
        own.unwrap().unwrap().get("Name").cloned()
    };
    assert_eq!(own("222222222222").as_deref(), Some("own"));
    assert_eq!(own("111111111111"), None);

    // An update keeps what it is told to keep.
    let again = set(
        "ParameterKey=Name,UsePreviousValue=true",
        targets("111111111111", &["eu-west-2"]),
    );
    bench.succeeds(again);
    let standing = bench
        .runtime
        .block_on(sets.describe_stack_set(&at))
        .unwrap();
    assert_eq!(standing.unwrap().definition.parameters["Name"], "first");
    assert_eq!(pairs(), three);
}

#[test]
fn an_emulator_without_stack_sets_is_told_before_anything_runs() {
    let bench = Bench::new();
    bench.commit(&[("topic.yaml", TOPIC)]);
    let stages = set(
        "ParameterKey=Name,ParameterValue=first",
        targets("111111111111", &["eu-west-2"]),
    );
    let error = bench.refuses(stages);
    assert!(
        error
            .message
            .contains("action `Roll/Set` is of CloudFormationStackSet"),
        "{error}"
    );
    assert!(error.causes[0].contains("has no stack sets"), "{error:?}");
    assert!(!bench.folder.path().join("runs/executions").exists());
}
