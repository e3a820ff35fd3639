//! What a deploy does with stacks that others, or a run that was killed, have left; and what faults do to it.

use std::future::{pending, ready};

use super::*;
use crate::cloud::ChangeSetRequest;
use crate::cloud::fake::{Case, Ended, Ending, Faults, for_each_fault};
use crate::flow::tests::Bench;
use crate::flow::{Planner, ResourceNames};
use crate::stack::{Action, Replacement, ResourceChange};

fn names(names: &[&str]) -> ResourceNames {
    let names: Vec<_> = names.iter().map(|&name| name.to_owned()).collect();
    ResourceNames::parse(&names).unwrap()
}

/// A world in which something happened before the deploy.
struct World {
    bench: Bench,
    template: &'static str,
}

/// The line of what stands that tells of the stack.
fn side(standing: &[String]) -> &str {
    let line = standing.iter().find(|line| line.starts_with("side "));
    line.unwrap()
}

/// How each world comes to be, by name.
const WORLDS: [&str; 12] = [
    "nothing",
    "three stacks, none there",
    "unchanged",
    "update",
    "update, protected",
    "replacement, protected",
    "unchanged, unprotected before",
    "shell with our change set",
    "our stale change set",
    "recreate",
    "continue rollback",
    "roll back",
];

async fn world(kind: &str, faults: &Faults) -> World {
    let mut bench = Bench::with_faults(faults);
    let mut template = "two";
    let cloud = &bench.cloud;
    match kind {
        "nothing" | "three stacks, none there" => {}
        "unchanged" => {
            bench.deploy("two", &["side"]).await.unwrap();
        }
        "update" => {
            bench.deploy("one", &["side"]).await.unwrap();
        }
        "update, protected" => {
            bench.protect = true;
            bench.deploy("one", &["side"]).await.unwrap();
        }
        "replacement, protected" => {
            bench.protect = true;
            bench.deploy("one", &["side"]).await.unwrap();
            let mut change = ResourceChange::new(Action::Modify, "Table", "AWS::DynamoDB::Table");
            change.replacement = Replacement::Always;
            bench.cloud.put_changes("side", vec![change]);
            bench.cloud.ending("side", Ending::Replace("Table"));
            bench.allow_replace = names(&["Table"]);
        }
        "unchanged, unprotected before" => {
            bench.deploy("two", &["side"]).await.unwrap();
            bench.protect = true;
        }
        "shell with our change set" => cloud.put_change_set(&left("two", true)),
        "our stale change set" => {
            bench.deploy("one", &["side"]).await.unwrap();
            bench.cloud.put_change_set(&left("three", false));
        }
        "recreate" => {
            cloud.put_stack("side", "ROLLBACK_COMPLETE", &[]);
            bench.remedies.recreate = Agreed::everywhere(true);
        }
        "continue rollback" => {
            cloud.put_stack("side", "UPDATE_ROLLBACK_FAILED", &[]);
            cloud.put_resource("side", "Queue", "AWS::SQS::Queue", "UPDATE_FAILED");
            bench.remedies.continue_rollback.add("side");
            bench.remedies.skip = names(&["Queue"]);
        }
        "roll back" => {
            cloud.put_stack("side", "UPDATE_FAILED", &[]);
            bench.remedies.continue_rollback.add("side");
        }
        other => panic!("{other}"),
    }
    if kind == "three stacks, none there" {
        template = "one";
    }
    World { bench, template }
}

/// A change set as an earlier run leaves it.
fn left(template: &str, create: bool) -> ChangeSetRequest {
    let input = StackInput {
        stack_name: "side".to_owned(),
        template_body: template.to_owned(),
        parameters: BTreeMap::new(),
        tags: BTreeMap::new(),
        capabilities: Vec::new(),
    };
    let name = crate::stack::ChangeSetName::new(
        &change_sets::digest(&input),
        time::OffsetDateTime::UNIX_EPOCH + time::Duration::days(400),
    );
    ChangeSetRequest {
        name: name.to_string(),
        create,
        stack_name: input.stack_name,
        template_body: input.template_body,
        parameters: input.parameters,
        tags: input.tags,
        capabilities: input.capabilities,
    }
}

async fn run(kind: &str, world: &World) -> Result<(), FlowError> {
    let stacks: &[&str] = match kind {
        "three stacks, none there" => &[],
        _ => &["side"],
    };
    world.bench.deploy(world.template, stacks).await.map(|_| ())
}

/// Every call of a deploy is throttled, refused, answered by a 500, lost before and after it happened, made twice, and
/// the last thing before a kill. Each time the deploy converges, or ends in that one error; the next run converges to
/// what a deploy without a fault comes to.
#[tokio::test]
async fn a_deploy_converges_whatever_befalls_its_calls() {
    let mut cases = 0;
    for kind in WORLDS {
        let clean = world(kind, &Faults::none()).await;
        run(kind, &clean).await.unwrap();
        let goal = clean.bench.cloud.standing();
        assert!(!goal.is_empty(), "{kind}");
        cases += for_each_fault(
            async |faults| world(kind, faults).await,
            async |world: &World| run(kind, world).await,
            async |world: &World, case: &Case, ended: Ended<Result<(), FlowError>>| {
                match ended {
                    Ended::Returned(Ok(())) => {
                        assert_eq!(world.bench.cloud.standing(), goal, "{kind}: {case}");
                    }
                    Ended::Returned(Err(error)) => {
                        check_is_that_error(kind, case, &error);
                    }
                    Ended::Killed => {}
                }
                // The person answers the question anew where it is asked anew.
                let again = run(kind, world).await;
                assert!(again.is_ok(), "{kind}: {case}: {again:?}");
                assert_eq!(world.bench.cloud.standing(), goal, "{kind}: {case}");
            },
        )
        .await;
    }
    assert!(cases > 500, "{cases}");
}

#[track_caller]
fn check_is_that_error(kind: &str, case: &Case, error: &FlowError) {
    let FlowError::Cloud(error) = error else {
        panic!("{kind}: {case}: {error:?}");
    };
    match case.fault.error() {
        Some(expected) => assert_eq!(error.to_string(), expected.to_string(), "{kind}: {case}"),
        // The second of two deliveries is refused, as the first has changed the status that it needs.
        None => assert_eq!(error.code(), Some("ValidationError"), "{kind}: {case}"),
    }
}

#[tokio::test]
async fn a_change_set_of_the_same_content_is_adopted_and_others_of_ours_go() {
    let adopted = world("shell with our change set", &Faults::none()).await;
    run("", &adopted).await.unwrap();
    assert_eq!(adopted.bench.cloud.writes(), ["execute_change_set side"]);
    assert!(adopted.bench.seen().contains(&"side: adopted".to_owned()));

    let stale = world("our stale change set", &Faults::none()).await;
    stale.bench.cloud.put_change_set(&ChangeSetRequest {
        name: "by-hand".to_owned(),
        ..left("four", false)
    });
    // They are pending until somebody looks, and what is pending may be another run's.
    stale.bench.cloud.list_change_sets("side").await.unwrap();
    let before = stale.bench.cloud.writes().len();
    assert!(stale.bench.deploy("one", &["side"]).await.is_ok());
    assert_eq!(
        stale.bench.cloud.writes()[before..],
        [
            "delete_change_set side",
            "create_change_set side",
            "delete_change_set side"
        ],
        "the stale one, and the empty one that was made"
    );
    let standing = stale.bench.cloud.standing();
    assert!(
        standing.contains(&"change set of side".to_owned()),
        "what is not ours stays: {standing:?}"
    );
}

#[tokio::test]
async fn a_stack_that_holds_data_is_not_removed_to_be_made_anew() {
    for (kind, status, flags, stops) in [
        ("AWS::DynamoDB::Table", "CREATE_COMPLETE", &[][..], true),
        ("AWS::DynamoDB::Table", "CREATE_COMPLETE", &["Other"], true),
        (
            "AWS::DynamoDB::Table",
            "CREATE_COMPLETE",
            &["side/Thing"],
            false,
        ),
        ("AWS::DynamoDB::Table", "DELETE_COMPLETE", &[], false),
        ("AWS::DynamoDB::Table", "CREATE_FAILED", &[], false),
        ("AWS::SQS::Queue", "CREATE_COMPLETE", &[], false),
    ] {
        let mut bench = Bench::new();
        bench.cloud.put_stack("side", "CREATE_FAILED", &[]);
        bench.cloud.put_resource("side", "Thing", kind, status);
        bench.remedies.recreate.add("side");
        bench.allow_replace = names(flags);
        let result = bench.deploy("one", &["side"]).await;
        if stops {
            assert!(
                matches!(result, Err(FlowError::Guarded { .. })),
                "{result:?}"
            );
            assert_eq!(bench.cloud.writes(), [""; 0]);
        } else {
            assert_eq!(result.unwrap(), [("side", WhatHappened::Created)]);
            assert_eq!(bench.cloud.writes()[0], "delete_stack side");
        }
    }
}

#[tokio::test]
async fn what_can_be_skipped_is_told() {
    for (status, expected) in [
        ("UPDATE_ROLLBACK_FAILED", vec!["Queue"]),
        ("UPDATE_FAILED", vec![]),
    ] {
        let bench = Bench::new();
        bench.cloud.put_stack("side", status, &[]);
        for (id, status) in [("Queue", "UPDATE_FAILED"), ("Bucket", "UPDATE_COMPLETE")] {
            bench
                .cloud
                .put_resource("side", id, "AWS::SQS::Queue", status);
        }
        let error = bench.deploy("one", &["side"]).await.unwrap_err();
        let FlowError::Stuck { skippable, .. } = error else {
            panic!("{status}: {error}");
        };
        assert_eq!(skippable, expected, "{status}");
    }
}

#[tokio::test]
async fn only_what_failed_to_roll_back_is_skipped() {
    for (status, skip, expected) in [
        (
            "UPDATE_ROLLBACK_FAILED",
            "Bucket",
            "Bucket of stack `side` cannot be skipped: those whose rollback failed are Queue",
        ),
        (
            "UPDATE_FAILED",
            "Queue",
            "Queue of stack `side` cannot be skipped: no resource's rollback failed",
        ),
        ("UPDATE_ROLLBACK_FAILED", "side/Queue", "Updated"),
        ("UPDATE_ROLLBACK_FAILED", "other/Bucket", "Updated"),
    ] {
        let mut bench = Bench::new();
        bench.cloud.put_stack("side", status, &[]);
        for (id, status) in [("Queue", "UPDATE_FAILED"), ("Bucket", "UPDATE_COMPLETE")] {
            bench
                .cloud
                .put_resource("side", id, "AWS::SQS::Queue", status);
        }
        bench.remedies.continue_rollback = Agreed::everywhere(true);
        bench.remedies.skip = names(&[skip]);
        let result = bench.deploy("one", &["side"]).await;
        let text = match &result {
            Ok(all) => format!("{:?}", all[0].1),
            Err(error) => error.to_string(),
        };
        assert_eq!(text, expected, "{status} {skip}");
        if result.is_err() {
            assert_eq!(bench.cloud.writes(), [""; 0]);
        }
    }
}

/// The policy is open for what was named, for that update alone, whether it ends well or not.
#[tokio::test]
async fn a_policy_is_opened_for_an_allowed_replacement_and_closed_again() {
    for fails in [false, true] {
        let world = world("replacement, protected", &Faults::none()).await;
        let cloud = &world.bench.cloud;
        let closed = cloud.standing();
        assert!(side(&closed).contains("termination protection true"));
        if fails {
            cloud.ending("side", Ending::Fail("no"));
        }
        let before = cloud.writes().len();
        let result = run("", &world).await;
        assert_eq!(result.is_err(), fails, "{result:?}");
        assert_eq!(
            cloud.writes()[before..],
            [
                "create_change_set side",
                "set_stack_policy side",
                "execute_change_set side",
                "set_stack_policy side"
            ]
        );
        let policy = |lines: &[String]| {
            side(lines)
                .split_once("policy ")
                .map(|(_, policy)| policy.to_owned())
        };
        assert_eq!(policy(&cloud.standing()), policy(&closed));
    }
}

#[tokio::test]
async fn what_is_protected_already_is_not_called_for() {
    let world = world("update, protected", &Faults::none()).await;
    let before = world.bench.cloud.writes().len();
    world.bench.deploy("one", &["side"]).await.unwrap();
    assert_eq!(
        world.bench.cloud.writes()[before..],
        ["create_change_set side", "delete_change_set side"]
    );
}

/// An interrupt cancels an update and shows its rollback; a creation goes on; what has not begun does not begin.
#[tokio::test]
async fn an_interrupt_cancels_what_can_be_cancelled() {
    for (updates, expected) in [
        (true, "side: UPDATE_ROLLBACK_COMPLETE"),
        (false, "side: CREATE_COMPLETE"),
    ] {
        let mut bench = Bench::new();
        if updates {
            bench.deploy("one", &["side"]).await.unwrap();
        }
        bench.seen();
        // Ctrl-C comes once the operation runs.
        let (send, receive) = futures::channel::oneshot::channel::<()>();
        bench.stop = Planner::stop_at(async move {
            let _ = receive.await;
        });
        let deploy = bench.deploy("two", &["side"]);
        let watch = async {
            while !bench
                .cloud
                .writes()
                .iter()
                .skip(usize::from(updates) * 2)
                .any(|call| call.starts_with("execute"))
            {
                tokio::task::yield_now().await;
            }
            let _ = send.send(());
            pending::<()>().await;
        };
        // The watch looks first, or the operation could end between two looks.
        let result = tokio::select! {
            biased;
            () = watch => unreachable!(),
            result = deploy => result,
        };
        let seen = bench.seen();
        if updates {
            let Err(FlowError::Interrupted { stacks }) = result else {
                panic!("{result:?}");
            };
            let (name, status) = &stacks[0];
            assert_eq!(format!("{name}: {status}"), expected);
            assert!(seen.contains(&"side: cancelled".to_owned()), "{seen:?}");
            assert!(
                bench
                    .cloud
                    .writes()
                    .contains(&"cancel_update side".to_owned())
            );
        } else {
            // It was the only one, and it was brought to its end.
            result.unwrap();
            assert!(
                seen.contains(&"side: goes on in CREATE_IN_PROGRESS".to_owned()),
                "{seen:?}"
            );
        }
        // The next run converges.
        bench.stop = Planner::stop_at(pending());
        bench.deploy("two", &["side"]).await.unwrap();
        assert!(side(&bench.cloud.standing()).contains("from two"));
    }
    let mut bench = Bench::new();
    bench.stop = Planner::stop_at(ready(()));
    let error = bench.deploy("one", &[]).await.unwrap_err();
    let FlowError::Interrupted { stacks } = error else {
        panic!("{error}");
    };
    assert_eq!(stacks.len(), 3);
    assert!(stacks.iter().all(|(_, what)| what == "not begun"));
    assert_eq!(bench.cloud.calls(), [""; 0]);
}
