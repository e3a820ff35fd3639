//! `pipeline …` as whole commands, over a server that answers as STS and CodePipeline do.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::workbench::{Ran, Workbench};

const PIPELINE: &str = "stackway-eu-west-2-local-deployment";

/// What STS says of every caller.
const CALLER: &str = "<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:iam::000000000000:root</Arn>\
    <UserId>AIDA</UserId><Account>000000000000</Account></GetCallerIdentityResult></GetCallerIdentityResponse>";

/// A server on 127.0.0.1 that lives as long as the test's process.
struct Service {
    url: String,
    asked: Arc<Mutex<Vec<(String, Value)>>>,
}

impl Service {
    /// With an execution that stands as `status` says, and whose approval does.
    fn start(status: &'static str, approval: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::<Mutex<Vec<_>>>::default();
        let seen = Arc::clone(&asked);
        std::thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let seen = Arc::clone(&seen);
                std::thread::spawn(move || serve(connection, status, approval, &seen));
            }
        });
        Self { url, asked }
    }

    /// The calls that write, with what they send.
    fn written(&self) -> Vec<(String, Value)> {
        let asked = self.asked.lock().unwrap();
        let reads = |operation: &str| operation.starts_with("Get") || operation.starts_with("List");
        asked
            .iter()
            .filter(|(operation, _)| !reads(operation))
            .cloned()
            .collect()
    }
}

fn serve(connection: TcpStream, status: &str, approval: &str, seen: &Mutex<Vec<(String, Value)>>) {
    let mut reader = BufReader::new(connection);
    loop {
        let (mut length, mut operation, mut line) = (0, None, String::new());
        loop {
            line.clear();
            if reader.read_line(&mut line).unwrap_or(0) == 0 {
                return;
            }
            let header = line.trim().to_ascii_lowercase();
            if header.is_empty() {
                break;
            }
            if let Some(value) = header.strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
            if header.starts_with("x-amz-target:") {
                operation = line.trim().rsplit('.').next().map(str::to_owned);
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).unwrap();
        let answer = match &operation {
            None => CALLER.to_owned(),
            Some(operation) => {
                let sent = serde_json::from_slice(&body).unwrap();
                seen.lock().unwrap().push((operation.clone(), sent));
                answer(operation, status, approval).to_string()
            }
        };
        let kind = operation.map_or("text/xml", |_| "application/x-amz-json-1.1");
        let head = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ncontent-length: {}\r\n\r\n",
            answer.len()
        );
        let stream = reader.get_mut();
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(answer.as_bytes()).unwrap();
    }
}

fn answer(operation: &str, status: &str, approval: &str) -> Value {
    let kind = |provider: &str| json!({"category": "Approval", "owner": "AWS", "provider": provider, "version": "1"});
    match operation {
        "ListPipelines" => json!({"pipelines": [
            {"name": PIPELINE, "executionMode": "QUEUED"},
            {"name": "somebody-elses", "executionMode": "QUEUED"},
        ]}),
        "GetPipeline" => json!({"pipeline": {"name": PIPELINE, "roleArn": "arn:r", "stages": [
            {"name": "Approval", "actions": [{"name": "Approve", "actionTypeId": kind("Manual")}]},
            {"name": "Deploy", "actions": [{"name": "Stack", "actionTypeId": kind("CloudFormation")}]},
        ]}}),
        "ListPipelineExecutions" => json!({"pipelineExecutionSummaries": [
            {"pipelineExecutionId": "e-2", "status": status, "startTime": 1_767_225_600, "lastUpdateTime": 1_767_225_660,
             "trigger": {"triggerType": "StartPipelineExecution"}},
            {"pipelineExecutionId": "e-1", "status": "Succeeded"},
        ]}),
        "ListActionExecutions" => json!({"actionExecutionDetails": [
            {"stageName": "Approval", "actionName": "Approve", "status": approval, "startTime": 1_767_225_601,
             "lastUpdateTime": 1_767_225_602, "input": {"actionTypeId": kind("Manual")}},
        ]}),
        "GetPipelineState" => json!({"stageStates": [
            {"stageName": "Approval", "latestExecution": {"pipelineExecutionId": "e-2", "status": approval},
             "actionStates": [{"actionName": "Approve", "latestExecution": {"status": approval, "token": "t-1"}}]},
        ]}),
        "PutApprovalResult" => json!({"approvedAt": 1_767_225_660}),
        _ => json!({"pipelineExecutionId": "e-3"}),
    }
}

/// Runs `pipeline …` against the service.
fn pipeline(bench: &Workbench, service: &Service, arguments: &[&str]) -> Ran {
    let mut all = vec!["pipeline", "--endpoint-url", &service.url];
    all.extend(arguments);
    bench.run(&all)
}

#[test]
fn what_waits_is_seen_and_decided() {
    let bench = Workbench::new();
    let service = Service::start("InProgress", "InProgress");
    let listed = pipeline(&bench, &service, &["list", "--format", "json"])
        .succeeded()
        .json();
    assert_eq!(listed.as_array().unwrap().len(), 1, "{listed}");
    assert_eq!(listed[0]["name"], PIPELINE);

    let shown = pipeline(&bench, &service, &["status", "deployment"]).succeeded();
    assert!(
        shown.stdout.contains("waits for a person"),
        "{}",
        shown.stdout
    );
    let shown = pipeline(&bench, &service, &["status", "deployment", "--exit-code"]);
    assert_eq!(shown.code, 16, "{}", shown.stderr);
    let watched = pipeline(
        &bench,
        &service,
        &["watch", "deployment", "--until-decision"],
    );
    assert_eq!(watched.code, 16, "{}", watched.stderr);
    assert!(watched.stderr.contains("pipeline approve deployment"));

    let unasked = pipeline(&bench, &service, &["approve", "deployment"]);
    assert_eq!(unasked.code, 11, "{}", unasked.stderr);
    pipeline(&bench, &service, &["reject", "deployment", "--dry-run"]).succeeded();
    assert_eq!(service.written(), [], "nothing is written without a yes");

    let said = ["approve", "deployment", "--yes", "--message", "looks right"];
    pipeline(&bench, &service, &said).succeeded();
    assert_eq!(
        service.written(),
        [(
            "PutApprovalResult".to_owned(),
            json!({"pipelineName": PIPELINE, "stageName": "Approval", "actionName": "Approve", "token": "t-1",
                   "result": {"summary": "looks right", "status": "Approved"}})
        )]
    );
}

#[test]
fn a_failure_is_told_retried_and_rolled_back() {
    let bench = Workbench::new();
    let service = Service::start("Failed", "Failed");
    let watched = pipeline(
        &bench,
        &service,
        &["watch", "deployment", "--format", "json"],
    );
    assert_eq!(watched.code, 14, "{}", watched.stderr);
    let last = watched.stdout.lines().last().unwrap();
    let last: Value = serde_json::from_str(last).unwrap();
    assert_eq!(
        (&last["status"], &last["stage"]),
        (&"Failed".into(), &Value::Null)
    );

    pipeline(&bench, &service, &["retry", "deployment", "--yes"]).succeeded();
    let rolled = ["rollback", "deployment", "--stage", "Deploy", "--yes"];
    pipeline(&bench, &service, &rolled).succeeded();
    let started = ["start", "deployment", "--var", "StackName=s", "--yes"];
    pipeline(&bench, &service, &started).succeeded();
    let stopped = pipeline(&bench, &service, &["stop", "deployment", "--yes"]).succeeded();
    assert!(
        stopped.stderr.contains("over already"),
        "{}",
        stopped.stderr
    );

    let mut written = service.written();
    assert_eq!(written.len(), 3, "{written:?}");
    let token = written[2]
        .1
        .as_object_mut()
        .unwrap()
        .remove("clientRequestToken");
    assert!(token.is_some_and(|token| token.as_str().unwrap().len() <= 128));
    assert_eq!(
        written,
        [
            (
                "RetryStageExecution".to_owned(),
                json!({"pipelineName": PIPELINE, "stageName": "Approval", "pipelineExecutionId": "e-2",
                       "retryMode": "FAILED_ACTIONS"})
            ),
            (
                "RollbackStage".to_owned(),
                json!({"pipelineName": PIPELINE, "stageName": "Deploy", "targetPipelineExecutionId": "e-1"})
            ),
            (
                "StartPipelineExecution".to_owned(),
                json!({"name": PIPELINE, "variables": [{"name": "StackName", "value": "s"}]})
            ),
        ]
    );
}
