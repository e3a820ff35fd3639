//! Stopping from elsewhere, and going back by hand.

use std::time::Duration;

use stackway_pipeline_defs::model::{Pipeline, Stage};

use super::tests::{Bench, commands, draft, picture, pipeline};
use crate::{ErrorKind, Execution, Status};

/// Two actions, one after the other; the first writes its process, and one that it started, to `ids`.
fn slow(ids: &std::path::Path, seconds: u8) -> [Pipeline; 1] {
    let first = format!(
        "sleep {seconds} & echo $$ $! > {0}.new; mv {0}.new {0}; wait",
        ids.display()
    );
    let stages = vec![
        Stage::new(
            "Work",
            vec![
                commands("First", &[&first]),
                commands("Second", &["true"]).run_order(2),
            ],
        ),
        Stage::new("Last", vec![commands("Last", &["true"])]),
    ];
    [pipeline(draft("one", stages))]
}

/// Waits for the first action to run, and asks for the end.
async fn stop_it(bench: &Bench, pipelines: &[Pipeline], ids: &std::path::Path, abandon: bool) {
    while !ids.exists() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let executions = bench.runner(pipelines).executions;
    let one = executions.find("one", None).unwrap();
    executions.stop(&one, abandon, "a freeze").unwrap();
    let seen = executions.find("one", None).unwrap();
    assert_eq!(seen.status, Status::Stopping);
    assert_eq!(seen.stopped_for.as_deref(), Some("a freeze"));
}

fn is_there(process: &str) -> bool {
    // One that has ended and is not waited for yet has no command line.
    std::fs::read(format!("/proc/{process}/cmdline")).is_ok_and(|line| !line.is_empty())
}

#[tokio::test]
async fn a_stop_waits_for_what_is_under_way() {
    let bench = Bench::new();
    let ids = bench.folder.path().join("ids");
    let pipelines = slow(&ids, 1);
    let runner = bench.runner(&pipelines);
    let (outcome, ()) = tokio::join!(
        runner.run(bench.order("one")),
        stop_it(&bench, &pipelines, &ids, false)
    );
    let outcome = outcome.unwrap();
    assert_eq!(outcome.failure.unwrap().kind, ErrorKind::Stopped);
    let stopped = &outcome.executions[0];
    assert_eq!(stopped.status, Status::Stopped);
    assert_eq!(stopped.stopped_for.as_deref(), Some("a freeze"));
    assert_eq!(
        picture(stopped),
        "Source Succeeded: Repository Succeeded×1\n\
         Work Stopped: First Succeeded×1, Second NotStarted×0\n\
         Last NotStarted: Last NotStarted×0\n"
    );
    // It goes on from there, and the request is forgotten.
    let again = runner.retry(bench.order("one"), None).await.unwrap();
    assert!(again.failure.is_none());
    assert_eq!(again.executions[0].status, Status::Succeeded);
    assert_eq!(again.executions[0].stages[1].actions[0].runs, 1);
}

#[tokio::test]
async fn an_abandoned_execution_ends_with_its_children() {
    let bench = Bench::new();
    let ids = bench.folder.path().join("ids");
    let pipelines = slow(&ids, 60);
    let runner = bench.runner(&pipelines);
    let began = std::time::Instant::now();
    let (outcome, ()) = tokio::join!(
        runner.run(bench.order("one")),
        stop_it(&bench, &pipelines, &ids, true)
    );
    let outcome = outcome.unwrap();
    assert!(began.elapsed() < Duration::from_secs(30));
    assert_eq!(outcome.failure.unwrap().kind, ErrorKind::Stopped);
    assert_eq!(
        picture(&outcome.executions[0]),
        "Source Succeeded: Repository Succeeded×1\n\
         Work Stopped: First Abandoned×1, Second NotStarted×0\n\
         Last NotStarted: Last NotStarted×0\n"
    );
    let text = std::fs::read_to_string(&ids).unwrap();
    for process in text.split_whitespace() {
        for _ in 0..100 {
            if is_there(process) {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
        assert!(!is_there(process), "process {process} is still there");
    }
}

#[tokio::test]
async fn an_execution_that_nothing_runs_is_stopped_at_once() {
    let bench = Bench::new();
    let pipelines = slow(&bench.folder.path().join("ids"), 1);
    let executions = bench.runner(&pipelines).executions;
    let orphan = Execution {
        id: "e".to_owned(),
        pipeline: "one".to_owned(),
        status: Status::InProgress,
        // No process has this number.
        process: u32::try_from(i32::MAX).unwrap(),
        ..Execution::default()
    };
    executions.save(&orphan).unwrap();
    executions.stop(&orphan, false, "it is gone").unwrap();
    let stopped = executions.find("one", None).unwrap();
    assert_eq!(stopped.status, Status::Stopped);
    assert!(stopped.ended.is_some());
}

#[tokio::test]
async fn a_stage_is_rolled_back_by_hand() {
    let bench = Bench::new();
    let stage = || {
        Stage::new(
            "Say",
            vec![commands("Say", &["export SAID=x"]).namespace("Said")],
        )
    };
    let pipelines = [pipeline(draft("one", vec![stage()]))];
    let runner = bench.runner(&pipelines);
    let back = |to: Option<String>| {
        let (runner, order) = (&runner, bench.order("one"));
        async move { runner.roll_back(order, "Say", to.as_deref()).await }
    };
    let first = bench.run(&pipelines, bench.order("one")).await;
    let nothing = back(None).await.unwrap_err();
    assert!(nothing.message.contains("before the newest"), "{nothing}");
    bench.run(&pipelines, bench.order("one")).await;

    let outcome = back(None).await.unwrap();
    assert!(outcome.failure.is_none(), "{:?}", outcome.failure);
    let rolled = &outcome.executions[0];
    assert_eq!(rolled.rollback_of.as_ref(), Some(&first.executions[0].id));
    assert_eq!(rolled.status, Status::Succeeded);

    let refused = back(Some(rolled.id.clone())).await.unwrap_err();
    assert!(
        refused.message.contains("cannot be gone back to"),
        "{refused}"
    );
    let wrong = runner.roll_back(bench.order("one"), "Nowhere", None).await;
    assert!(
        wrong
            .unwrap_err()
            .message
            .contains("has no stage `Nowhere`")
    );
}
