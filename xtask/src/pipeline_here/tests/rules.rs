//! Rules of conditions, over the emulator.

use stackway_pipeline_defs::model::{BeforeEntry, Rule, SkipRule};
use stackway_pipeline_runner::Status;

use super::*;

const WATCHED: &str = r#"
Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      RoleName: one-role
      AssumeRolePolicyDocument:
        Version: "2012-10-17"
        Statement: [{Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: sts:AssumeRole}]
  Function:
    Type: AWS::Lambda::Function
    Properties:
      FunctionName: one-check
      Runtime: python3.12
      Handler: index.handler
      Role: !GetAtt Role.Arn
      Code:
        ZipFile: |
          def handler(event, context):
              data = event["CodePipeline.job"]["data"]
              if data["actionConfiguration"]["configuration"].get("UserParameters") == "no":
                  raise ValueError("not today")
"#;

fn function(says: &str) -> SkipRule {
    SkipRule::LambdaInvoke {
        name: "Check".to_owned(),
        function: "one-check".into(),
        user_parameters: Some(says.into()),
    }
}

fn alarm(name: &str, states: &[&str]) -> Rule {
    Rule::CloudWatchAlarm {
        name: "Quiet".to_owned(),
        alarm: name.into(),
        states: states.iter().map(ToString::to_string).collect(),
        wait_minutes: None,
    }
}

fn guarded(condition: BeforeEntry) -> Vec<Stage> {
    vec![Stage {
        before_entry: Some(condition),
        ..Stage::new("Guarded", vec![commands("A", &["true"]).reads(SOURCE)])
    }]
}

#[test]
fn rules_look_at_the_environment() {
    let bench = Bench::new();
    bench.commit(&[("watched.yaml", WATCHED)]);
    let mut watched = stacks::of("one-watched", "watched.yaml");
    watched.capabilities = Some("CAPABILITY_NAMED_IAM".into());
    let deploy = Action::new("Deploy", watched).reads(SOURCE);
    bench.succeeds(vec![Stage::new("Deploy", vec![deploy])]);

    let rule = |says| BeforeEntry::Fail(vec![Rule::Skip(function(says))]);
    bench.succeeds(guarded(rule("yes")));
    let said = bench.fails(guarded(rule("no")));
    assert!(said.contains("function `one-check` failed"), "{said}");
    let outcome = bench.succeeds(guarded(BeforeEntry::Skip(vec![function("no")])));
    assert_eq!(outcome.executions[0].stages[1].status, Status::Skipped);

    // Its protocol for alarms is none that the SDK speaks: told before anything runs, with the way around it.
    let condition = || BeforeEntry::Fail(vec![alarm("one-alarm", &[])]);
    let error = bench.refuses(guarded(condition()));
    assert!(error.causes[0].contains("tells no alarms"), "{error:?}");
    let hint = error.hint.unwrap_or_default();
    assert!(hint.contains("--skip-rule Guarded/Quiet"), "{hint}");
    let order = Order {
        skip_rules: vec!["Guarded/Quiet".to_owned()],
        ..bench.order()
    };
    let outcome = bench.run_with(guarded(condition()), order);
    assert!(outcome.failure.is_none());
}
