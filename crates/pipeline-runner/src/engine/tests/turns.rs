//! Executions of one pipeline at the same time: what waits, and before which stage.

use std::time::Duration;

use super::*;

/// Two stages that take so many tenths of a second.
fn slow(mode: ExecutionMode, first: u32, second: u32) -> [Pipeline; 1] {
    let stage = |name, tenths: u32| {
        let sleep = format!("sleep {}.{}", tenths / 10, tenths % 10);
        Stage::new(name, vec![commands("Sleep", &[&sleep])])
    };
    [pipeline(Draft {
        execution_mode: mode,
        ..draft("one", vec![stage("First", first), stage("Second", second)])
    })]
}

/// Runs one execution each time that so many milliseconds have gone.
async fn at(bench: &Bench, pipelines: &[Pipeline], starts: [u64; 3]) -> [Execution; 3] {
    let runner = bench.runner(pipelines);
    let run = |milliseconds| {
        let (runner, order) = (&runner, bench.order("one"));
        async move {
            tokio::time::sleep(Duration::from_millis(milliseconds)).await;
            runner.run(order).await.unwrap().executions.remove(0)
        }
    };
    let (a, b, c) = tokio::join!(run(starts[0]), run(starts[1]), run(starts[2]));
    [a, b, c]
}

/// When the execution was in a stage.
fn stay(execution: &Execution, stage: usize) -> (u64, u64) {
    let action = &execution.stages[stage].actions[0];
    (action.started.unwrap(), action.ended.unwrap())
}

fn overlap(one: (u64, u64), other: (u64, u64)) -> bool {
    one.0 < other.1 && other.0 < one.1
}

#[tokio::test]
async fn a_stage_holds_one_execution_while_another_is_in_the_next() {
    let pipelines = slow(ExecutionMode::Queued, 12, 12);
    let bench = Bench::new();
    let mut all = at(&bench, &pipelines, [0, 150, 300]).await;
    for one in &all {
        assert_eq!(one.status, Status::Succeeded);
    }
    // On a busy machine two may start in one millisecond.
    all.sort_by(|one, other| (one.started, &one.id).cmp(&(other.started, &other.id)));
    let [a, b, c] = all;
    for stage in [1, 2] {
        let stays = [stay(&a, stage), stay(&b, stage), stay(&c, stage)];
        assert!(
            stays[0].1 <= stays[1].0 && stays[1].1 <= stays[2].0,
            "{stays:?}"
        );
    }
    assert!(overlap(stay(&a, 2), stay(&b, 1)));
    assert!(overlap(stay(&b, 2), stay(&c, 1)));
}

#[tokio::test]
async fn a_newer_execution_overtakes_one_that_waits_between_stages() {
    let pipelines = slow(ExecutionMode::Superseded, 1, 40);
    let bench = Bench::new();
    let [a, b, c] = at(&bench, &pipelines, [0, 900, 1_600]).await;
    assert_eq!(a.status, Status::Succeeded);
    assert_eq!(b.status, Status::Superseded);
    assert_eq!(c.status, Status::Succeeded);
    assert!(
        picture(&b).ends_with(
            "First Succeeded: Sleep Succeeded×1\nSecond NotStarted: Sleep NotStarted×0\n"
        ),
        "{}",
        picture(&b)
    );
}

#[tokio::test]
async fn parallel_executions_do_not_wait() {
    let pipelines = slow(ExecutionMode::Parallel, 9, 9);
    let bench = Bench::new();
    let [a, b, c] = at(&bench, &pipelines, [0, 50, 100]).await;
    for stage in [1, 2] {
        assert!(overlap(stay(&a, stage), stay(&b, stage)));
        assert!(overlap(stay(&b, stage), stay(&c, stage)));
    }
}

#[tokio::test]
async fn one_that_was_killed_while_it_waited_holds_up_nobody() {
    let pipelines = slow(ExecutionMode::Queued, 1, 1);
    let bench = Bench::new();
    let waiting = bench
        .folder
        .path()
        .join("runs/locks/one-local/First-waiting");
    std::fs::create_dir_all(&waiting).unwrap();
    let left = waiting.join("00000000000000000001-left");
    std::fs::write(&left, "").unwrap();
    let outcome = bench.run(&pipelines, bench.order("one")).await;
    assert!(outcome.failure.is_none());
    assert!(!left.exists());
}

#[tokio::test]
async fn queued_runs_go_one_after_the_other_and_superseded_ones_give_way() {
    let make = |mode| {
        let stage = Stage::new("Sleep", vec![commands("Sleep", &["sleep 1"])]);
        [pipeline(Draft {
            execution_mode: mode,
            ..draft("one", vec![stage])
        })]
    };
    for mode in [ExecutionMode::Queued, ExecutionMode::Superseded] {
        let pipelines = make(mode);
        let bench = Bench::new();
        let runner = bench.runner(&pipelines);
        let later = |milliseconds| {
            let (runner, order) = (&runner, bench.order("one"));
            async move {
                tokio::time::sleep(std::time::Duration::from_millis(milliseconds)).await;
                runner.run(order).await.unwrap()
            }
        };
        let (a, b, c) = tokio::join!(later(0), later(300), later(600));
        let status = |outcome: &Outcome| outcome.executions[0].status;
        assert_eq!(status(&a), Status::Succeeded);
        assert_eq!(status(&c), Status::Succeeded);
        let expected = match mode {
            ExecutionMode::Superseded => Status::Superseded,
            _ => Status::Succeeded,
        };
        assert_eq!(status(&b), expected, "{mode:?}");
    }
}
