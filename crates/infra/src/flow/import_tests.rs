//! What an import does, and what it leaves where it ends early.

use std::collections::BTreeMap;
use std::future::pending;

use futures::FutureExt as _;

use super::tests::Bench;
use super::{FlowError, Importer, Stop};
use crate::cloud::ImportRequest;
use crate::cloud::fake::Ending;
use crate::stack::{Action, ImportTarget, ResourceChange, StackStatus};

fn importer(bench: &Bench) -> Importer<'_> {
    let never: Stop = pending::<()>().boxed().shared();
    Importer {
        tools: bench.tools(),
        imports: &bench.cloud,
        control: &bench.cloud,
        stop: never,
    }
}

fn request(template: &str) -> ImportRequest {
    ImportRequest {
        stack_name: "acme-table".into(),
        name: "stackway-import-1".into(),
        template_body: template.into(),
        parameters: BTreeMap::new(),
        tags: BTreeMap::new(),
        capabilities: vec![],
        targets: vec![ImportTarget {
            logical_id: "Table".into(),
            resource_type: "AWS::DynamoDB::Table".into(),
            identifier: BTreeMap::from([("TableName".into(), "orders".into())]),
        }],
    }
}

fn standing(bench: &Bench) -> Vec<String> {
    let all = bench.cloud.standing();
    all.into_iter()
        .filter(|line| !line.contains("DELETE_COMPLETE"))
        .collect()
}

#[tokio::test]
async fn a_new_stack_takes_resources_in() {
    let bench = Bench::new();
    let importer = importer(&bench);
    assert_eq!(importer.stack("table", "acme-table").await.unwrap(), None);
    let set = importer.propose(&request("t")).await.unwrap();
    let actions: Vec<_> = set.changes.iter().map(|change| &change.action).collect();
    assert_eq!(actions, [&Action::Import]);
    let stack = importer.carry_out("table", &set).await.unwrap();
    assert_eq!(stack.status, StackStatus::ImportComplete);
    assert_eq!(
        bench.cloud.writes(),
        ["create_import acme-table", "execute_change_set acme-table"]
    );
    // The next import finds the stack.
    let found = importer.stack("table", "acme-table").await.unwrap();
    assert_eq!(found.unwrap().status, StackStatus::ImportComplete);
}

#[tokio::test]
async fn what_is_withdrawn_leaves_nothing() {
    let bench = Bench::new();
    let importer = importer(&bench);
    let set = importer.propose(&request("t")).await.unwrap();
    importer.withdraw(&set).await.unwrap();
    // The shell of the new stack goes too.
    importer.tools.settled("table", "acme-table").await.unwrap();
    assert_eq!(standing(&bench), [""; 0]);
}

#[tokio::test]
async fn a_stack_that_stood_before_stays_where_an_import_is_withdrawn() {
    let bench = Bench::new();
    bench.cloud.put_stack("acme-table", "CREATE_COMPLETE", &[]);
    let importer = importer(&bench);
    let set = importer.propose(&request("t")).await.unwrap();
    importer.withdraw(&set).await.unwrap();
    assert_eq!(standing(&bench).len(), 1);
    assert!(
        !bench
            .cloud
            .writes()
            .iter()
            .any(|call| call.starts_with("delete_stack"))
    );
}

/// A change set that is refused, or that would do anything beside the import, is not executed, and nothing of it is left.
#[tokio::test]
async fn what_is_not_the_import_that_was_asked_for_is_refused() {
    let import = |id| ResourceChange::new(Action::Import, id, "AWS::DynamoDB::Table");
    let add = ResourceChange::new(Action::Add, "Bucket", "AWS::S3::Bucket");
    for (template, changes, expected) in [
        ("invalid", None, "Template error"),
        (
            "t",
            Some(vec![import("Table"), add]),
            "it would do something else too: Add Bucket",
        ),
        (
            "t",
            Some(vec![import("Other")]),
            "it would do something else too: Import Other",
        ),
        ("t", Some(vec![]), "it would not import Table"),
    ] {
        let bench = Bench::new();
        if let Some(changes) = changes {
            bench.cloud.put_changes("acme-table", changes);
        }
        let importer = importer(&bench);
        let error = importer.propose(&request(template)).await.unwrap_err();
        assert!(
            matches!(&error, FlowError::ChangeSet { reason, .. } if reason == expected),
            "{error}"
        );
        importer.tools.settled("table", "acme-table").await.unwrap();
        assert_eq!(standing(&bench), [""; 0], "{expected}");
    }
}

#[tokio::test]
async fn an_import_that_fails_says_why() {
    let bench = Bench::new();
    bench
        .cloud
        .ending("acme-table", Ending::Fail("orders does not exist"));
    let importer = importer(&bench);
    let set = importer.propose(&request("t")).await.unwrap();
    let error = importer.carry_out("table", &set).await.unwrap_err();
    let FlowError::Failed {
        status, failures, ..
    } = error
    else {
        panic!("{error}");
    };
    assert_eq!(status, "IMPORT_ROLLBACK_COMPLETE");
    assert_eq!(failures[0].reason.as_deref(), Some("orders does not exist"));
}

#[tokio::test]
async fn a_stack_that_takes_nothing_is_explained() {
    let bench = Bench::new();
    bench
        .cloud
        .put_stack("acme-table", "ROLLBACK_COMPLETE", &[]);
    let error = importer(&bench)
        .stack("table", "acme-table")
        .await
        .unwrap_err();
    assert!(matches!(error, FlowError::Stuck { .. }), "{error}");
    assert_eq!(bench.cloud.writes(), [""; 0]);
}
