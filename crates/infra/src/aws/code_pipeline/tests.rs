//! Over the service's own JSON: what goes over the wire is what the documentation of each call shows.

use serde_json::{Value, json};

use super::*;
use crate::aws::answers::{self, Asked};
use crate::cloud::{Made, PipelineStacks as _};
use crate::pipeline::{DeclaredAction, DeclaredStage, Revision, RunStatus, StageState, Trouble};

fn answering(given: &[(&str, u16, Value)]) -> (CodePipeline, Asked) {
    let (config, asked) = answers::answering(given);
    (CodePipeline::new(&config), asked)
}

fn calls(asked: &Asked) -> Vec<(String, Value)> {
    asked.lock().unwrap().clone()
}

#[tokio::test]
async fn pages_are_read_to_the_end() {
    let (adapter, asked) = answering(&[
        (
            "ListPipelines",
            200,
            json!({"pipelines": [{"name": "a", "executionMode": "QUEUED", "pipelineType": "V2"}], "nextToken": "more"}),
        ),
        ("ListPipelines", 200, json!({"pipelines": [{"name": "b"}]})),
    ]);
    let pipelines = adapter.pipelines().await.unwrap();
    let told: Vec<_> = pipelines
        .iter()
        .map(|one| (one.name.as_str(), one.mode.as_str()))
        .collect();
    assert_eq!(told, [("a", "QUEUED"), ("b", "SUPERSEDED")]);
    assert_eq!(calls(&asked)[1].1, json!({"nextToken": "more"}));
}

#[tokio::test]
async fn only_an_absent_pipeline_is_absent() {
    for (code, absent) in [
        ("PipelineNotFoundException", true),
        ("AccessDeniedException", false),
    ] {
        let (adapter, _) = answering(&[("GetPipeline", 400, json!({"__type": code}))]);
        match adapter.declared("p").await {
            Ok(declared) => assert!(absent && declared.is_none(), "{code}"),
            Err(error) => assert!(!absent && error.code() == Some(code), "{code}: {error}"),
        }
    }
}

#[tokio::test]
async fn actions_are_told_in_the_order_in_which_they_run() {
    let action = |name: &str, provider: &str, order: u8| {
        json!({
            "name": name, "runOrder": order,
            "actionTypeId": {"category": "Build", "owner": "AWS", "provider": provider, "version": "1"}
        })
    };
    let stages = json!([{"name": "Test", "actions": [action("second", "Manual", 2), action("first", "CodeBuild", 1)]}]);
    let pipeline = json!({"pipeline": {"name": "p", "roleArn": "arn:r", "stages": stages}});
    let (adapter, _) = answering(&[("GetPipeline", 200, pipeline)]);
    let action = |name: &str, provider: &str| DeclaredAction {
        name: name.to_owned(),
        provider: provider.to_owned(),
    };
    assert_eq!(
        adapter.declared("p").await.unwrap().unwrap().stages,
        [DeclaredStage {
            name: "Test".to_owned(),
            actions: vec![action("first", "CodeBuild"), action("second", "Manual")],
        }]
    );
}

#[tokio::test]
async fn an_execution_says_what_started_it_and_what_it_brought() {
    let answer = json!({"pipelineExecutionSummaries": [{
        "pipelineExecutionId": "e-1",
        "status": "Stopped",
        "statusSummary": "stopped by a person",
        "startTime": 1_700_000_000.5,
        "lastUpdateTime": 1_700_000_060,
        "sourceRevisions": [{"actionName": "Source", "revisionId": "abc", "revisionSummary": "Repair it"}],
        "trigger": {"triggerType": "StartPipelineExecution", "triggerDetail": "arn:user"},
        "stopTrigger": {"reason": "wrong commit"},
        "rollbackMetadata": {"rollbackTargetPipelineExecutionId": "e-0"}
    }], "nextToken": "never asked for"});
    let (adapter, asked) = answering(&[("ListPipelineExecutions", 200, answer)]);
    let executions = adapter.executions("p", 1).await.unwrap();
    let time = |seconds: i64, nanos: i64| {
        time::OffsetDateTime::from_unix_timestamp(seconds).unwrap()
            + time::Duration::nanoseconds(nanos)
    };
    assert_eq!(
        executions,
        [ExecutionSummary {
            id: "e-1".to_owned(),
            status: RunStatus::Stopped,
            status_summary: Some("stopped by a person".to_owned()),
            trigger: "StartPipelineExecution".to_owned(),
            revisions: vec![Revision {
                action: "Source".to_owned(),
                id: "abc".to_owned(),
                summary: Some("Repair it".to_owned()),
                url: None,
            }],
            started: Some(time(1_700_000_000, 500_000_000)),
            updated: Some(time(1_700_000_060, 0)),
            stopped_for: Some("wrong commit".to_owned()),
            rollback_of: Some("e-0".to_owned()),
        }]
    );
    assert_eq!(
        calls(&asked)[0].1,
        json!({"pipelineName": "p", "maxResults": 1})
    );
}

#[tokio::test]
async fn a_run_says_what_went_wrong_and_where_to_look() {
    let answer = json!({"actionExecutionDetails": [{
        "stageName": "Test", "actionName": "Unit", "status": "Failed",
        "input": {
            "actionTypeId": {"category": "Test", "owner": "AWS", "provider": "CodeBuild", "version": "1"},
            "resolvedConfiguration": {"ProjectName": "tests"}
        },
        "output": {
            "executionResult": {
                "externalExecutionId": "tests:1",
                "externalExecutionUrl": "https://console",
                "errorDetails": {"code": "JobFailed", "message": "a phase failed"}
            },
            "outputVariables": {"Version": "1.2"}
        }
    }]});
    let (adapter, asked) = answering(&[("ListActionExecutions", 200, answer)]);
    let runs = adapter.action_runs("p", "e-1").await.unwrap();
    let run = &runs[0];
    assert_eq!(
        (
            run.provider.as_str(),
            &run.status,
            run.external_id.as_deref()
        ),
        ("CodeBuild", &RunStatus::Failed, Some("tests:1"))
    );
    assert_eq!(
        run.trouble,
        Some(Trouble {
            code: "JobFailed".to_owned(),
            message: "a phase failed".to_owned(),
        })
    );
    assert_eq!(run.configuration["ProjectName"], "tests");
    assert_eq!(run.variables["Version"], "1.2");
    assert_eq!(
        calls(&asked)[0].1,
        json!({"pipelineName": "p", "filter": {"pipelineExecutionId": "e-1"}, "maxResults": 100})
    );
}

#[tokio::test]
async fn a_stage_says_who_waits_and_whether_it_is_closed() {
    let execution = json!({"pipelineExecutionId": "e-1", "status": "InProgress"});
    let waiting = json!({"actionName": "Approve", "latestExecution": {"status": "InProgress", "token": "t-1"}});
    let decided = json!({"actionName": "Decided", "latestExecution": {"status": "Succeeded", "token": "old"}});
    let answer = json!({"stageStates": [
        {"stageName": "Approval", "latestExecution": execution, "actionStates": [waiting, decided],
         "inboundTransitionState": {"enabled": true}},
        {"stageName": "Deploy", "inboundTransitionState": {"enabled": false, "disabledReason": "a freeze"}}
    ]});
    let (adapter, _) = answering(&[("GetPipelineState", 200, answer)]);
    let wait = ApprovalWait {
        stage: "Approval".to_owned(),
        action: "Approve".to_owned(),
        token: "t-1".to_owned(),
        execution_id: "e-1".to_owned(),
    };
    assert_eq!(
        adapter.state("p").await.unwrap().stages,
        [
            StageState {
                name: "Approval".to_owned(),
                execution: Some(("e-1".to_owned(), RunStatus::InProgress)),
                closed: None,
                waits: vec![wait],
            },
            StageState {
                name: "Deploy".to_owned(),
                execution: None,
                closed: Some("a freeze".to_owned()),
                waits: Vec::new(),
            }
        ]
    );
}

#[tokio::test]
async fn what_writes_says_exactly_what_it_means() {
    let id = || json!({"pipelineExecutionId": "e-2"});
    let (adapter, asked) = answering(&[
        ("StartPipelineExecution", 200, id()),
        ("PutApprovalResult", 200, json!({})),
        ("RetryStageExecution", 200, id()),
        ("StopPipelineExecution", 200, id()),
        ("RollbackStage", 200, id()),
    ]);
    let map = |key: &str, value: &str| BTreeMap::from([(key.to_owned(), value.to_owned())]);
    let started = adapter
        .start("p", &map("StackName", "s"), &map("Source", "abc"), "once")
        .await;
    let wait = ApprovalWait {
        stage: "Approval".to_owned(),
        action: "Approve".to_owned(),
        token: "t-1".to_owned(),
        execution_id: "e-1".to_owned(),
    };
    adapter
        .decide("p", &wait, false, "not today")
        .await
        .unwrap();
    let retried = adapter
        .retry("p", "Test", "e-1", RetryMode::FailedActions)
        .await;
    adapter.stop("p", "e-1", true, "wrong").await.unwrap();
    let rolled = adapter.roll_back("p", "Deploy", "e-0").await;
    for id in [started, retried, rolled] {
        assert_eq!(id.unwrap(), "e-2");
    }
    let expected = [
        json!({"name": "p", "clientRequestToken": "once", "variables": [{"name": "StackName", "value": "s"}],
               "sourceRevisions": [{"actionName": "Source", "revisionType": "COMMIT_ID", "revisionValue": "abc"}]}),
        json!({"pipelineName": "p", "stageName": "Approval", "actionName": "Approve", "token": "t-1",
               "result": {"summary": "not today", "status": "Rejected"}}),
        json!({"pipelineName": "p", "stageName": "Test", "pipelineExecutionId": "e-1", "retryMode": "FAILED_ACTIONS"}),
        json!({"pipelineName": "p", "pipelineExecutionId": "e-1", "abandon": true, "reason": "wrong"}),
        json!({"pipelineName": "p", "stageName": "Deploy", "targetPipelineExecutionId": "e-0"}),
    ];
    let sent: Vec<_> = calls(&asked).into_iter().map(|(_, body)| body).collect();
    assert_eq!(sent, expected);
}

#[tokio::test]
async fn what_a_pipeline_makes_is_read_from_its_declaration() {
    let action = |provider: &str, configuration: Value, region: Option<&str>| {
        let mut action = json!({
            "name": provider, "configuration": configuration,
            "actionTypeId": {"category": "Deploy", "owner": "AWS", "provider": provider, "version": "1"}
        });
        if let Some(region) = region {
            action["region"] = json!(region);
        }
        action
    };
    let actions = [
        action(
            "CloudFormation",
            json!({"StackName": "a", "ActionMode": "CREATE_UPDATE"}),
            None,
        ),
        action(
            "CloudFormation",
            json!({"StackName": "b"}),
            Some("us-east-1"),
        ),
        action(
            "CloudFormation",
            json!({"StackName": "#{variables.StackName}"}),
            None,
        ),
        action("CloudFormationStackSet", json!({"StackSetName": "s"}), None),
        action(
            "CloudFormationStackInstances",
            json!({"StackSetName": "s"}),
            None,
        ),
        action(
            "CloudFormationStackInstances",
            json!({"StackSetName": "t"}),
            Some("us-east-1"),
        ),
        action("CodeBuild", json!({"StackName": "no"}), None),
    ];
    let pipeline = json!({"pipeline": {
        "name": "p", "roleArn": "arn:r",
        "stages": [{"name": "Deploy", "actions": actions}],
        "variables": [{"name": "StackName", "defaultValue": "c"}, {"name": "Other", "defaultValue": "no"}],
    }});
    let (adapter, _) = answering(&[("GetPipeline", 200, pipeline)]);
    let told = told(&adapter.declared_stacks("p").await.unwrap().unwrap());
    assert_eq!(
        told,
        ["a", "b in us-east-1", "c", "set s", "set t in us-east-1"]
    );
    let (adapter, _) = answering(&[(
        "GetPipeline",
        400,
        json!({"__type": "PipelineNotFoundException"}),
    )]);
    assert_eq!(adapter.declared_stacks("p").await.unwrap(), None);
    let (adapter, _) = answering(&[(
        "GetPipeline",
        400,
        json!({"__type": "AccessDeniedException"}),
    )]);
    assert!(adapter.declared_stacks("p").await.is_err());
}

fn told(made: &[Made]) -> Vec<String> {
    made.iter()
        .map(|one| {
            let set = if one.is_set { "set " } else { "" };
            let region = one.region.as_ref().map(|region| format!(" in {region}"));
            format!("{set}{}{}", one.name, region.unwrap_or_default())
        })
        .collect()
}

/// Runs tell the names that the declaration leaves to variables; all pages of them are read.
#[tokio::test]
async fn what_a_pipeline_made_is_read_from_its_runs() {
    let run = |provider: &str, configuration: Value, region: &str| {
        json!({"input": {
            "actionTypeId": {"category": "Deploy", "owner": "AWS", "provider": provider, "version": "1"},
            "configuration": {"StackName": "#{variables.StackName}"},
            "resolvedConfiguration": configuration, "region": region,
        }})
    };
    let (adapter, asked) = answering(&[
        (
            "ListActionExecutions",
            200,
            json!({"actionExecutionDetails": [
                run("CloudFormation", json!({"StackName": "a"}), "eu-west-2"),
                run("Manual", json!({"StackName": "no"}), "eu-west-2"),
            ], "nextToken": "more"}),
        ),
        (
            "ListActionExecutions",
            200,
            json!({"actionExecutionDetails": [
                run("CloudFormation", json!({"StackName": "a"}), "eu-west-2"),
                run("CloudFormationStackSet", json!({"StackSetName": "s"}), "us-east-1"),
                {"input": {}}, {},
            ]}),
        ),
    ]);
    let told = told(&adapter.deployed_stacks("p").await.unwrap());
    assert_eq!(told, ["a in eu-west-2", "set s in us-east-1"]);
    assert_eq!(calls(&asked)[1].1["nextToken"], "more");
}

#[tokio::test]
async fn a_pipeline_is_closed_and_its_runs_abandoned() {
    for (code, fine) in [
        (None, true),
        (Some("PipelineNotFoundException"), true),
        (Some("StageNotFoundException"), false),
    ] {
        let status = if code.is_some() { 400 } else { 200 };
        let (adapter, asked) =
            answering(&[("DisableStageTransition", status, json!({"__type": code}))]);
        assert_eq!(
            adapter.close_stage("p", "s", "why").await.is_ok(),
            fine,
            "{code:?}"
        );
        let body = json!({"pipelineName": "p", "stageName": "s", "transitionType": "Inbound", "reason": "why"});
        assert_eq!(calls(&asked)[0].1, body);
    }
    for (code, fine) in [
        (None, true),
        (Some("DuplicatedStopRequestException"), true),
        (Some("PipelineExecutionNotStoppableException"), true),
        (Some("PipelineNotFoundException"), true),
        (Some("ConflictException"), false),
    ] {
        let status = if code.is_some() { 400 } else { 200 };
        let (adapter, asked) =
            answering(&[("StopPipelineExecution", status, json!({"__type": code}))]);
        assert_eq!(
            adapter.abandon("p", "e", "why").await.is_ok(),
            fine,
            "{code:?}"
        );
        assert_eq!(calls(&asked)[0].1["abandon"], true);
    }
}
