//! The modes of a CloudFormation action.

use stackway_infra::cloud::{StackControl as _, Stacks as _};
use stackway_infra::stack::Outcome as StackOutcome;
use stackway_pipeline_defs::model::{ActionMode, ArtifactPath, CloudFormation};

use super::*;

const QUEUE: &str = r"
Parameters:
  Seconds: {Type: String, MaxLength: 5, Description: Seconds that a message is hidden}
  Object: {Type: String, MaxLength: 200, Default: none, Description: A key}
Resources:
  Queue:
    Type: AWS::SQS::Queue
    Properties:
      QueueName: one-queue
      VisibilityTimeout: !Ref Seconds
Outputs:
  Queue: {Value: !GetAtt Queue.QueueName, Description: Its name}
  Seconds: {Value: !Ref Seconds, Description: What it was given}
  Object: {Value: !Ref Object, Description: What it was given}
";

pub(super) const BUCKET: &str = r"
Resources:
  Bucket:
    Type: AWS::S3::Bucket
    Properties: {BucketName: kept-artifacts}
Outputs:
  Bucket: {Value: !Ref Bucket, Description: Its name}
";

/// Waits a second for a signal that nobody sends.
const BROKEN: &str = r#"
Resources:
  Handle:
    Type: AWS::CloudFormation::WaitConditionHandle
  Wait:
    Type: AWS::CloudFormation::WaitCondition
    Properties: {Handle: !Ref Handle, Timeout: "1"}
"#;

fn action(mode: ActionMode, template: &str) -> CloudFormation {
    let with_template = mode.needs_template() != Some(false);
    let with_set = mode.needs_change_set();
    CloudFormation {
        mode,
        stack: "one-stack".into(),
        scope: "one-*".into(),
        template: with_template.then(|| ArtifactPath::new(SOURCE, template)),
        configuration: with_template.then(|| ArtifactPath::new(SOURCE, "configuration.json")),
        parameters: None,
        capabilities: None,
        role: Some(Resource::StackRole.into()),
        change_set: with_set.then(|| "release".into()),
        output_file: None,
    }
}

/// Creates or updates a stack of this template, without parameters.
pub(super) fn of(stack: &str, template: &str) -> CloudFormation {
    CloudFormation {
        stack: stack.into(),
        configuration: None,
        ..action(ActionMode::CreateUpdate, template)
    }
}

fn one(name: &str, action: CloudFormation) -> Action {
    Action::new(name, action).reads(SOURCE)
}

fn with_seconds(seconds: &str) -> String {
    format!(r#"{{"Parameters": {{"Seconds": "{seconds}"}}, "Tags": {{"team": "a"}}}}"#)
}

#[test]
fn a_stack_goes_through_all_modes() {
    let bench = Bench::new();
    bench.commit(&[
        ("queue.yaml", QUEUE),
        ("bucket.yaml", BUCKET),
        ("broken.yaml", BROKEN),
        ("configuration.json", &with_seconds("30")),
        ("none.json", "{}"),
        ("values.json", r#"{"Seconds": "45"}"#),
    ]);
    let bucket = of("one-bucket", "bucket.yaml");
    let replace = || {
        one(
            "Replace",
            action(ActionMode::ChangeSetReplace, "queue.yaml"),
        )
    };
    let execute = CloudFormation {
        output_file: Some("outputs.json".to_owned()),
        ..action(ActionMode::ChangeSetExecute, "")
    };
    let execute = || {
        Action::new("Execute", execute.clone())
            .makes("Outputs", &[])
            .run_order(3)
    };
    let mut read = commands("Read", &["grep '\"Queue\": \"one-queue\"' outputs.json"]).run_order(4);
    read.inputs = vec!["Outputs".to_owned()];

    // Made, looked at, executed; and again without a change.
    for round in ["creates", "changes nothing"] {
        let stages = vec![Stage::new(
            "Deploy",
            vec![
                one("Bucket", bucket.clone()),
                replace().run_order(2),
                execute(),
                read.clone(),
            ],
        )];
        let outcome = bench.succeeds(stages);
        let given = variables_of(&outcome, "Execute");
        assert_eq!(given["Queue"], "one-queue", "{round}");
        assert_eq!(given["Seconds"], "30", "{round}");
        let outputs_before = variables_of(&outcome, "Replace");
        assert_eq!(outputs_before.is_empty(), round == "creates");
    }
    let sets = bench.cloud.stacks.list_change_sets("one-stack");
    let sets = bench.runtime.block_on(sets).unwrap();
    assert!(
        sets.iter()
            .all(|set| set.execution == stackway_infra::stack::Execution::Over),
        "{sets:?}"
    );

    // Overrides beat the configuration, and functions give values.
    let overrides = r#"{"Seconds": {"Fn::GetParam": ["SourceArtifact", "values.json", "Seconds"]}, "Object": {"Fn::GetArtifactAtt": ["SourceArtifact", "ObjectKey"]}}"#;
    let update = CloudFormation {
        parameters: Some(overrides.into()),
        ..action(ActionMode::CreateUpdate, "queue.yaml")
    };
    let outcome = bench.succeeds(vec![Stage::new("Deploy", vec![one("Update", update)])]);
    let given = variables_of(&outcome, "Update");
    assert_eq!(given["Seconds"], "45");
    let key = &given["Object"];
    let kept =
        stackway_infra::cloud::Objects::object_exists(&bench.cloud.objects, "kept-artifacts", key);
    assert!(bench.runtime.block_on(kept).unwrap(), "{key}");

    // Deleted; and deleting what is not there is no failure.
    let delete = || {
        let action = Action::new("Delete", action(ActionMode::DeleteOnly, ""));
        vec![Stage::new("Delete", vec![action])]
    };
    bench.succeeds(delete());
    let stack = bench.cloud.stacks.describe_stack("one-stack");
    let stack = bench.runtime.block_on(stack).unwrap();
    assert!(stack.is_none_or(|stack| stack.status.outcome() == StackOutcome::Deleted));
    bench.run(delete());
    assert!(bench.seen.take().contains("nothing to delete"));
    let said = bench.fails(vec![Stage::new("Deploy", vec![execute().run_order(1)])]);
    assert!(said.contains("there is no stack `one-stack`"), "{said}");

    // A creation that failed is replaced by REPLACE_ON_FAILURE, and by it alone.
    let broken = of("one-stack", "broken.yaml");
    let said = bench.fails(vec![Stage::new("Deploy", vec![one("Broken", broken)])]);
    assert!(said.contains("ended in ROLLBACK_COMPLETE"), "{said}");
    let update = action(ActionMode::CreateUpdate, "queue.yaml");
    let said = bench.fails(vec![Stage::new("Deploy", vec![one("Update", update)])]);
    assert!(said.contains("ROLLBACK_COMPLETE"), "{said}");
    let replace = action(ActionMode::ReplaceOnFailure, "queue.yaml");
    let outcome = bench.succeeds(vec![Stage::new("Deploy", vec![one("Replace", replace)])]);
    assert_eq!(variables_of(&outcome, "Replace")["Queue"], "one-queue");
}
