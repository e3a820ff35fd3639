use std::collections::BTreeSet;

use time::{Duration, OffsetDateTime};

use super::*;

/// Reasons as they are told, each with the message that must be found for it: id, resource type, reason.
fn seen() -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
    include_str!("seen.txt")
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| {
            let mut fields = line.splitn(3, " | ");
            let mut next = || {
                fields
                    .next()
                    .unwrap_or_else(|| panic!("three fields: {line}"))
            };
            (next(), next(), next())
        })
}

#[test]
fn every_known_message_is_found() {
    for (id, resource_type, reason) in seen() {
        assert_eq!(
            known(resource_type, reason).map(|message| message.id),
            Some(id),
            "{resource_type}: {reason}"
        );
    }
    let seen: BTreeSet<_> = seen().map(|(id, ..)| id).collect();
    let all: Vec<_> = known_messages().map(|message| message.id).collect();
    let ids: BTreeSet<_> = all.iter().copied().collect();
    assert_eq!(all.len(), ids.len(), "an id stands twice");
    assert_eq!(ids, seen, "each message is tested, and nothing else");
}

#[test]
fn known_messages_are_sentences_without_an_end() {
    for message in known_messages() {
        for text in [message.cause, message.fix] {
            assert!(!text.ends_with(['.', '!']), "{}: {text}", message.id);
            assert!(!text.contains("  "), "{}: {text}", message.id);
        }
        for words in message.words {
            assert_eq!(*words, words.to_lowercase(), "{}", message.id);
        }
    }
}

#[test]
fn a_reason_that_is_not_known_stays_as_it_is() {
    assert_eq!(known("AWS::X::Y", "something new"), None);
    for resource_type in [
        "Custom::Seed",
        "AWS::ECS::Service",
        "AWS::X::Y",
        "AWS::CloudFormation::Stack",
    ] {
        assert!(
            look_further(resource_type).contains("aws "),
            "{resource_type}"
        );
    }
}

const STACK: &str = "arn:aws:cloudformation:eu-west-2:1:stack/s/1";

/// A history in lines: logical id (`s` is the stack), status, reason.
fn history(lines: &[(&str, &str, &str)]) -> Vec<StackEvent> {
    let event = |(index, (id, status, reason)): (usize, &(&str, &str, &str))| StackEvent {
        id: index.to_string(),
        timestamp: OffsetDateTime::UNIX_EPOCH + Duration::seconds(index.try_into().unwrap()),
        logical_id: (*id).to_owned(),
        physical_id: if *id == "s" { STACK } else { *id }.to_owned(),
        resource_type: if *id == "s" {
            "AWS::CloudFormation::Stack"
        } else {
            "AWS::DynamoDB::Table"
        }
        .to_owned(),
        status: (*status).to_owned(),
        reason: (!reason.is_empty()).then(|| (*reason).to_owned()),
    };
    lines.iter().enumerate().map(event).collect()
}

/// `expected` is `kind[ended]:events`, one an operation; a failed one has a `!`.
#[track_caller]
fn check_operations(lines: &[(&str, &str, &str)], expected: &str) {
    let events = history(lines);
    let found: Vec<_> = operations(&events, STACK)
        .iter()
        .map(|operation| {
            format!(
                "{}{}[{}]:{}",
                operation.kind,
                if operation.failed(STACK) { "!" } else { "" },
                operation.ended.unwrap_or("-"),
                operation.events.len()
            )
        })
        .collect();
    assert_eq!(found.join(" "), expected);
}

const CREATED: [(&str, &str, &str); 4] = [
    ("s", "REVIEW_IN_PROGRESS", "User Initiated"),
    ("s", "CREATE_IN_PROGRESS", "User Initiated"),
    ("T", "CREATE_COMPLETE", ""),
    ("s", "CREATE_COMPLETE", ""),
];
const ROLLED_BACK: [(&str, &str, &str); 6] = [
    ("s", "UPDATE_IN_PROGRESS", "User Initiated"),
    ("A", "UPDATE_FAILED", "Resource update cancelled"),
    (
        "T",
        "UPDATE_FAILED",
        "Attempt to change a resource which is still in use: Table is being updated: t",
    ),
    (
        "s",
        "UPDATE_ROLLBACK_IN_PROGRESS",
        "The following resource(s) failed to update: [T].",
    ),
    ("s", "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS", ""),
    ("s", "UPDATE_ROLLBACK_COMPLETE", ""),
];

#[test]
fn a_history_is_split_into_operations() {
    check_operations(&[], "");
    check_operations(&CREATED, "create[CREATE_COMPLETE]:3");
    check_operations(
        &[&CREATED[..], &ROLLED_BACK].concat(),
        "create[CREATE_COMPLETE]:3 update![UPDATE_ROLLBACK_COMPLETE]:6",
    );
    check_operations(
        &[
            ("s", "CREATE_IN_PROGRESS", ""),
            ("T", "CREATE_FAILED", "no"),
            ("s", "ROLLBACK_IN_PROGRESS", ""),
            ("s", "ROLLBACK_COMPLETE", ""),
            ("s", "DELETE_IN_PROGRESS", ""),
            ("s", "DELETE_COMPLETE", ""),
        ],
        "create![ROLLBACK_COMPLETE]:4 delete[DELETE_COMPLETE]:2",
    );
    check_operations(
        &[
            ("s", "UPDATE_IN_PROGRESS", ""),
            ("s", "UPDATE_ROLLBACK_IN_PROGRESS", ""),
            ("T", "UPDATE_FAILED", "no"),
            ("s", "UPDATE_ROLLBACK_FAILED", ""),
            ("s", "UPDATE_ROLLBACK_IN_PROGRESS", "User Initiated"),
            ("s", "UPDATE_ROLLBACK_COMPLETE", ""),
        ],
        "update![UPDATE_ROLLBACK_FAILED]:4 rollback[UPDATE_ROLLBACK_COMPLETE]:2",
    );
    check_operations(
        &[
            ("s", "DELETE_IN_PROGRESS", ""),
            ("B", "DELETE_FAILED", "full"),
            ("s", "DELETE_FAILED", ""),
        ],
        "delete![DELETE_FAILED]:3",
    );
    check_operations(
        &[
            ("s", "CREATE_IN_PROGRESS", ""),
            ("T", "CREATE_FAILED", "no"),
        ],
        "create![-]:2",
    );
    check_operations(
        &[
            ("s", "CREATE_IN_PROGRESS", ""),
            ("T", "CREATE_IN_PROGRESS", ""),
        ],
        "create[-]:2",
    );
}

#[test]
fn the_first_cause_is_told_apart_from_what_was_cancelled() {
    let events = history(
        &[
            &CREATED[..],
            &ROLLED_BACK,
            &[
                ("s", "UPDATE_IN_PROGRESS", ""),
                ("s", "UPDATE_COMPLETE", ""),
            ],
        ]
        .concat(),
    );
    let (operation, superseded) = last_failed(&events, STACK).unwrap();
    assert!(superseded);
    let diagnosis = Diagnosis::of("s", STACK, &operation, superseded);
    assert_eq!(diagnosis.operation, OperationKind::Update);
    assert_eq!(diagnosis.ended.as_deref(), Some("UPDATE_ROLLBACK_COMPLETE"));
    assert_eq!(diagnosis.cancelled, ["A"]);
    let first = diagnosis.first().unwrap();
    assert_eq!(first.logical_id, "T");
    assert_eq!(first.known.unwrap().id, "dynamodb-busy");
    assert_eq!(diagnosis.causes.len(), 1);
}

#[test]
fn a_stack_without_a_failed_resource_speaks_for_itself() {
    let events = history(&[
        ("s", "UPDATE_IN_PROGRESS", "User Initiated"),
        ("s", "UPDATE_ROLLBACK_IN_PROGRESS", "User Initiated"),
        ("s", "UPDATE_ROLLBACK_COMPLETE", ""),
    ]);
    let (operation, superseded) = last_failed(&events, STACK).unwrap();
    let diagnosis = Diagnosis::of("s", STACK, &operation, superseded);
    assert_eq!(
        diagnosis.first().unwrap().known.unwrap().id,
        "update-cancelled"
    );
    assert!(last_failed(&history(&CREATED), STACK).is_none());
}
