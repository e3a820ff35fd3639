//! Step Functions and Lambda, over the emulator.

use stackway_pipeline_defs::model::{LambdaInvoke, StateInput, StepFunctions};

use super::*;

const MACHINES: &str = r#"
Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      RoleName: one-role
      AssumeRolePolicyDocument:
        Version: "2012-10-17"
        Statement: [{Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: sts:AssumeRole}]
  Machine:
    Type: AWS::StepFunctions::StateMachine
    Properties:
      StateMachineName: one-machine
      RoleArn: !GetAtt Role.Arn
      DefinitionString: |
        {"StartAt": "Choose", "States": {
          "Choose": {"Type": "Choice", "Default": "Good",
            "Choices": [{"Variable": "$.fail", "BooleanEquals": true, "Next": "Bad"}]},
          "Good": {"Type": "Pass", "End": true},
          "Bad": {"Type": "Fail", "Error": "NotReady", "Cause": "the release does not answer"}}}
  Function:
    Type: AWS::Lambda::Function
    Properties:
      FunctionName: one-function
      Runtime: python3.12
      Handler: index.handler
      Role: !GetAtt Role.Arn
      Code:
        ZipFile: |
          import json

          def handler(event, context):
              job = event["CodePipeline.job"]
              data = job["data"]
              wanted = data["actionConfiguration"]["configuration"].get("UserParameters", "")
              if wanted == "throw":
                  raise ValueError("no such release")
              if wanted == "fail":
                  return {"failureDetails": {"type": "JobFailed", "message": "the release is not ready"}}
              if wanted == "later" and "continuationToken" not in data:
                  return {"continuationToken": "half way"}
              place = data["inputArtifacts"][0]["location"]["s3Location"]
              return {"outputVariables": {
                  "Job": job["id"],
                  "Token": data.get("continuationToken", ""),
                  "Bucket": place["bucketName"],
                  "Wanted": wanted,
              }}
Outputs:
  Machine: {Value: !Ref Machine, Description: Its ARN}
  Function: {Value: !Ref Function, Description: Its name}
"#;

fn machine(input: StateInput) -> Action {
    let reads = matches!(input, StateInput::File(_));
    let action = Action::new(
        "Machine",
        StepFunctions {
            name: "one-machine".into(),
            input,
            prefix: Some("release".to_owned()),
        },
    );
    if reads { action.reads(SOURCE) } else { action }
}

fn function(wanted: &str) -> Action {
    let action = Action::new(
        "Function",
        LambdaInvoke {
            function: "one-function".into(),
            user_parameters: Some(wanted.into()),
        },
    );
    action.reads(SOURCE)
}

#[test]
fn state_machines_and_functions_run_on_the_emulator() {
    let bench = Bench::new();
    bench.commit(&[
        ("machines.yaml", MACHINES),
        ("bucket.yaml", stacks::BUCKET),
        ("input.json", r#"{"fail": false}"#),
    ]);
    let deploy = |stack, template| Action::new(stack, stacks::of(stack, template)).reads(SOURCE);
    let mut machines = stacks::of("one-machines", "machines.yaml");
    machines.capabilities = Some("CAPABILITY_NAMED_IAM".into());
    bench.succeeds(vec![Stage::new(
        "Deploy",
        vec![
            deploy("one-bucket", "bucket.yaml"),
            Action::new("one-machines", machines).reads(SOURCE),
        ],
    )]);

    let invoke = |action: Action| vec![Stage::new("Invoke", vec![action])];
    for input in [
        StateInput::File("input.json".to_owned()),
        StateInput::Literal(r#"{"fail": false}"#.into()),
    ] {
        let outcome = bench.succeeds(invoke(machine(input)));
        let given = variables_of(&outcome, "Machine");
        assert!(given["StateMachineArn"].ends_with(":one-machine"));
        assert!(
            given["ExecutionArn"].contains(":one-machine:release-"),
            "{given:?}"
        );
    }
    let said = bench.fails(invoke(machine(StateInput::Literal(
        r#"{"fail": true}"#.into(),
    ))));
    assert!(said.contains("ended in FAILED"), "{said}");
    assert!(
        said.contains("NotReady: the release does not answer"),
        "{said}"
    );

    let outcome = bench.succeeds(invoke(function("now")));
    let given = variables_of(&outcome, "Function");
    assert_eq!(given["Bucket"], "kept-artifacts");
    assert_eq!(
        (given["Wanted"].as_str(), given["Token"].as_str()),
        ("now", "")
    );
    let outcome = bench.succeeds(invoke(function("later")));
    assert_eq!(variables_of(&outcome, "Function")["Token"], "half way");
    for (wanted, words) in [
        ("throw", "no such release"),
        ("fail", "the release is not ready"),
    ] {
        let said = bench.fails(invoke(function(wanted)));
        assert!(said.contains("function `one-function` failed"), "{said}");
        assert!(said.contains(words), "{said}");
    }
    let missing = LambdaInvoke {
        function: "no-function".into(),
        user_parameters: None,
    };
    let said = bench.fails(invoke(Action::new("Function", missing)));
    assert!(
        said.contains("there is no function `no-function`"),
        "{said}"
    );
}
