//! Watching an execution from its start to every end.

use std::fmt::Write as _;
use std::sync::Mutex;

use super::{PipelineError, PipelineWatcher};
use crate::clock::PollInterval;
use crate::cloud::CloudError;
use crate::cloud::fake::{FakeClock, FakePipelines, Look};
use crate::pipeline::{
    ActionRun, ApprovalWait, Declared, DeclaredAction, DeclaredStage, ExecutionSummary,
    PipelineState, RunStatus, StageState, Standing, Trouble,
};

fn declared() -> Declared {
    let stage = |name: &str, provider: &str| DeclaredStage {
        name: name.to_owned(),
        actions: vec![DeclaredAction {
            name: format!("{name}It"),
            provider: provider.to_owned(),
        }],
    };
    Declared {
        stages: vec![stage("Test", "CodeBuild"), stage("Approve", "Manual")],
    }
}

/// One look: the execution's status, and the status of each stage's action.
fn look(status: &str, actions: &[(&str, &str)]) -> Look {
    let execution = ExecutionSummary {
        id: "e-1".to_owned(),
        status: RunStatus::parse(status),
        status_summary: None,
        trigger: "Webhook".to_owned(),
        revisions: Vec::new(),
        started: None,
        updated: None,
        stopped_for: None,
        rollback_of: None,
    };
    let runs = actions.iter().map(|(stage, status)| ActionRun {
        stage: (*stage).to_owned(),
        action: format!("{stage}It"),
        provider: String::new(),
        status: RunStatus::parse(status),
        started: None,
        updated: None,
        external_id: None,
        external_url: None,
        summary: None,
        trouble: (*status == "Failed").then(|| Trouble {
            code: "JobFailed".to_owned(),
            message: "a test failed".to_owned(),
        }),
        configuration: std::collections::BTreeMap::new(),
        variables: std::collections::BTreeMap::new(),
    });
    let waits = actions
        .iter()
        .filter(|(stage, status)| *stage == "Approve" && *status == "InProgress")
        .map(|(stage, _)| ApprovalWait {
            stage: (*stage).to_owned(),
            action: format!("{stage}It"),
            token: "t".to_owned(),
            execution_id: "e-1".to_owned(),
        })
        .collect();
    let state = PipelineState {
        stages: vec![StageState {
            name: "Approve".to_owned(),
            execution: None,
            closed: None,
            waits,
        }],
    };
    (execution, runs.collect(), state)
}

fn throttled() -> CloudError {
    CloudError::Refused {
        operation: "codepipeline:GetPipelineState",
        code: "ThrottlingException".to_owned(),
        message: "slow down".to_owned(),
    }
}

/// What is told while the looks follow each other, and where it ends.
async fn watched(
    looks: Vec<Result<Look, CloudError>>,
    until_decision: bool,
) -> (Vec<String>, Result<Standing, PipelineError>) {
    let fake = FakePipelines::new("p", declared(), looks);
    let clock = FakeClock::default();
    let watcher = PipelineWatcher {
        runs: &fake,
        clock: &clock,
        poll: PollInterval::AWS,
    };
    let told = Mutex::new(Vec::new());
    let ended = watcher
        .watch("p", None, until_decision, &|_, changes| {
            told.lock().unwrap().extend(changes.iter().map(|change| {
                let mut line = match (&change.stage, &change.action) {
                    (Some(stage), Some(action)) => format!("{stage}/{action}"),
                    (Some(stage), None) => stage.clone(),
                    _ => "execution".to_owned(),
                };
                let _ = write!(line, " {}", change.status);
                if change.waits {
                    line += " waits";
                }
                if let Some(said) = &change.said {
                    let _ = write!(line, " ({said})");
                }
                line
            }));
        })
        .await;
    assert!(fake.calls().is_empty(), "watching only reads");
    (
        told.into_inner().unwrap(),
        ended.map(|picture| picture.standing()),
    )
}

#[tokio::test]
async fn every_change_is_told_once_and_the_end_ends_it() {
    let (told, ended) = watched(
        vec![
            Ok(look("InProgress", &[("Test", "InProgress")])),
            Err(throttled()),
            Ok(look("InProgress", &[("Test", "InProgress")])),
            Ok(look(
                "InProgress",
                &[("Test", "Succeeded"), ("Approve", "InProgress")],
            )),
            Ok(look(
                "Succeeded",
                &[("Test", "Succeeded"), ("Approve", "Succeeded")],
            )),
        ],
        false,
    )
    .await;
    assert_eq!(
        told,
        [
            "execution InProgress",
            "Test/TestIt InProgress",
            "Test/TestIt Succeeded",
            "Test Succeeded",
            "Approve/ApproveIt InProgress waits",
            "Approve/ApproveIt Succeeded",
            "Approve Succeeded",
            "execution Succeeded",
        ]
    );
    assert_eq!(ended.unwrap(), Standing::Succeeded);
}

#[tokio::test]
async fn each_end_has_its_standing() {
    let waits = || {
        look(
            "InProgress",
            &[("Test", "Succeeded"), ("Approve", "InProgress")],
        )
    };
    for (looks, expected) in [
        (
            vec![Ok(look("Failed", &[("Test", "Failed")]))],
            Standing::Failed,
        ),
        (
            vec![Ok(look("Stopped", &[("Test", "Abandoned")]))],
            Standing::Stopped,
        ),
        (vec![Ok(look("Superseded", &[]))], Standing::Stopped),
        (vec![Ok(waits())], Standing::Waiting),
    ] {
        let (_, ended) = watched(looks, true).await;
        assert_eq!(ended.unwrap(), expected);
    }
}

#[tokio::test]
async fn a_failure_says_its_cause_and_a_lasting_one_of_the_service_ends_it() {
    let (told, _) = watched(vec![Ok(look("Failed", &[("Test", "Failed")]))], false).await;
    assert_eq!(
        told,
        [
            "Test/TestIt Failed (JobFailed: a test failed)",
            "Test Failed",
            "execution Failed",
        ]
    );
    let (_, ended) = watched(vec![Err(throttled()); 9], false).await;
    let Err(PipelineError::Cloud(error)) = ended else {
        panic!("{ended:?}");
    };
    assert_eq!(error.code(), Some("ThrottlingException"));
}

#[tokio::test]
async fn what_is_not_there_is_named() {
    let clock = FakeClock::default();
    for (fake, pipeline, id, expected) in [
        (
            FakePipelines::new("p", declared(), vec![]),
            "q",
            None,
            "there is no pipeline `q`",
        ),
        (
            FakePipelines::new("p", declared(), vec![]),
            "p",
            None,
            "pipeline `p` has no execution yet",
        ),
        (
            FakePipelines::new("p", declared(), vec![Ok(look("Failed", &[]))]),
            "p",
            Some("e-9"),
            "pipeline `p` has no execution e-9",
        ),
    ] {
        let watcher = PipelineWatcher {
            runs: &fake,
            clock: &clock,
            poll: PollInterval::AWS,
        };
        let error = watcher.picture(pipeline, id).await.unwrap_err();
        assert_eq!(error.to_string(), expected);
    }
}
