//! Plans over the scripted cloud: what they tell, and that nothing is left of them.

use std::future::{pending, ready};

use super::*;
use crate::flow::tests::{Bench, GRAPH, Inputs};
use crate::stack::{Action, Replacement, ResourceChange};

async fn plan_with(
    bench: &Bench,
    template: &'static str,
    stacks: &[&str],
    stop: Stop,
) -> Vec<PlannedStack> {
    let names: Vec<_> = stacks.iter().map(|&name| name.to_owned()).collect();
    let graph = StackGraph::new(GRAPH)
        .unwrap()
        .select(&names, true)
        .unwrap();
    let planner = Planner {
        tools: bench.tools(),
        inputs: &Inputs(template),
        protect: bench.protect,
        stop,
    };
    planner.plan(&graph).await.unwrap()
}

async fn plan(bench: &Bench, template: &'static str, stacks: &[&str]) -> Vec<PlannedStack> {
    plan_with(bench, template, stacks, Planner::stop_at(pending())).await
}

const BUCKET: &str = "Resources:\n  Bucket:\n    Type: AWS::S3::Bucket\n";

#[tokio::test]
async fn a_plan_of_a_new_stack_leaves_nothing() {
    let bench = Bench::new();
    let planned = plan(&bench, BUCKET, &["side"]).await;
    let Plan::ChangeSet(changes) = &planned[0].plan else {
        panic!("{planned:?}");
    };
    assert!(changes.is_new);
    assert_eq!(
        bench.cloud.writes(),
        [
            "create_change_set side",
            "delete_change_set side",
            "delete_stack side"
        ]
    );
    let left = crate::cloud::Stacks::describe_stack(&bench.cloud, "side")
        .await
        .unwrap();
    assert_eq!(left, None);
}

#[tokio::test]
async fn a_plan_of_a_stack_that_stands_writes_its_change_set_alone() {
    let bench = Bench::new();
    bench.deploy("one", &["side"]).await.unwrap();
    let before = bench.cloud.writes().len();
    let planned = plan(&bench, "two", &["side"]).await;
    assert!(
        matches!(&planned[0].plan, Plan::ChangeSet(changes) if !changes.is_new),
        "{planned:?}"
    );
    let same = plan(&bench, "one", &["side"]).await;
    assert!(matches!(same[0].plan, Plan::Unchanged), "{same:?}");
    assert_eq!(
        bench.cloud.writes()[before..],
        [
            "create_change_set side",
            "delete_change_set side",
            "create_change_set side",
            "delete_change_set side"
        ]
    );
}

/// A shell that somebody else's change set waits in stays.
#[tokio::test]
async fn a_shell_that_was_there_stays() {
    let bench = Bench::new();
    bench.cloud.put_stack("side", "REVIEW_IN_PROGRESS", &[]);
    plan(&bench, BUCKET, &["side"]).await;
    assert_eq!(
        bench.cloud.writes(),
        ["create_change_set side", "delete_change_set side"]
    );
}

#[tokio::test]
async fn what_cannot_have_a_change_set_is_planned_from_its_template() {
    let bench = Bench::new();
    bench.cloud.put_stack("base", "DELETE_COMPLETE", &[]);
    let planned = plan(&bench, BUCKET, &["top"]).await;
    let Plan::Template { changes, why } = &planned[1].plan else {
        panic!("{planned:?}");
    };
    assert_eq!(why, "it needs Name of `base`, which does not stand yet");
    assert_eq!(changes.resources[0].logical_id, "Bucket");
    assert!(
        !bench
            .cloud
            .calls()
            .contains(&"create_change_set top".to_owned())
    );

    for status in [
        "ROLLBACK_COMPLETE",
        "UPDATE_IN_PROGRESS",
        "UPDATE_ROLLBACK_FAILED",
        "TELEPORT_COMPLETE",
    ] {
        let bench = Bench::new();
        bench.cloud.put_stack("side", status, &[]);
        let planned = plan(&bench, BUCKET, &["side"]).await;
        let Plan::Template { why, .. } = &planned[0].plan else {
            panic!("{planned:?}");
        };
        assert_eq!(*why, format!("it is in {status}, and takes no change set"));
        assert_eq!(bench.cloud.writes(), [""; 0], "{status}");
    }
}

#[tokio::test]
async fn a_plan_that_fails_leaves_nothing_and_does_not_stop_the_others() {
    let bench = Bench::new();
    let planned = plan(&bench, "invalid", &["side", "base"]).await;
    assert_eq!(planned.len(), 2);
    for stack in &planned {
        assert!(
            matches!(stack.plan, Plan::Failed(FlowError::ChangeSet { .. })),
            "{planned:?}"
        );
    }
    for write in [
        "delete_change_set side",
        "delete_stack side",
        "delete_change_set base",
        "delete_stack base",
    ] {
        assert!(bench.cloud.writes().contains(&write.to_owned()), "{write}");
    }
}

#[tokio::test]
async fn a_call_that_fails_leaves_nothing() {
    for call in ["create_change_set", "describe_change_set"] {
        let bench = Bench::new();
        let error = CloudError::Unreachable {
            operation: "o",
            message: "timed out".to_owned(),
        };
        bench.cloud.break_call(call, error);
        let planned = plan(&bench, BUCKET, &["side"]).await;
        assert!(
            matches!(planned[0].plan, Plan::Failed(FlowError::Cloud(_))),
            "{planned:?}"
        );
        assert!(
            bench
                .cloud
                .writes()
                .contains(&"delete_change_set side".to_owned()),
            "{call}"
        );
        let left = crate::cloud::Stacks::describe_stack(&bench.cloud, "side")
            .await
            .unwrap();
        assert_eq!(left, None, "{call}");
    }
}

#[tokio::test]
async fn a_plan_that_is_given_up_makes_nothing_more() {
    let bench = Bench::new();
    let planned = plan_with(&bench, BUCKET, &["side"], Planner::stop_at(ready(()))).await;
    assert!(matches!(planned[0].plan, Plan::Failed(_)), "{planned:?}");
    assert_eq!(bench.cloud.writes(), [""; 0]);
}

#[tokio::test]
async fn what_follows_from_another_stack_s_replacement_is_said() {
    let bench = Bench::new();
    bench
        .cloud
        .put_stack("base", "CREATE_COMPLETE", &[("Name", "b")]);
    let mut change = ResourceChange::new(Action::Modify, "Topic", "AWS::SNS::Topic");
    change.replacement = Replacement::Always;
    bench.cloud.put_changes("base", vec![change]);
    let planned = plan(&bench, BUCKET, &["top"]).await;
    assert_eq!(
        planned[1].notes,
        [
            "takes BaseName from `base`, where resources may be replaced: planned with the value that stands"
        ]
    );
}

#[tokio::test]
async fn a_plan_tells_what_is_to_be_protected() {
    let mut bench = Bench::new();
    bench.protect = true;
    for protected in [false, true] {
        if protected {
            bench.deploy(BUCKET, &["side"]).await.unwrap();
        }
        let planned = plan(&bench, BUCKET, &["side"]).await;
        let told = planned[0]
            .notes
            .iter()
            .any(|note| note.starts_with("the deploy protects it"));
        assert_eq!(told, !protected, "{:?}", planned[0].notes);
    }
}
