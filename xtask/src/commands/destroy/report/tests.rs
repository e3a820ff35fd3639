//! The plan and the proof as a person reads them: of every kind one.

use std::collections::BTreeMap;

use stackway_infra::inventory::{
    ADVANCED_PARAMETERS, BucketContents, Contents, Evidence, FoundPipeline, FoundResource,
    FoundStack, FunctionContents, KeptBy, Leftover, LeftoverKind, NotOffered, Removable,
    RepositoryContents, TableContents,
};
use stackway_infra::stack::{Stack, StackResource, StackStatus};
use stackway_infra::stack_set::{CallAs, Pair, StackSetAddress};
use time::macros::datetime;

use super::*;

fn resource(resource_type: &str, id: &str, contents: Option<Contents>) -> FoundResource {
    FoundResource {
        resource: StackResource {
            logical_id: "X".to_owned(),
            physical_id: id.to_owned(),
            resource_type: resource_type.to_owned(),
            status: "CREATE_COMPLETE".to_owned(),
        },
        contents,
        deletion_protection: false,
    }
}

fn stack(name: &str, protected: bool, resources: Vec<FoundResource>) -> FoundStack {
    FoundStack {
        label: name.to_owned(),
        stack: Stack {
            id: format!("arn:{name}"),
            name: name.to_owned(),
            status: StackStatus::parse("UPDATE_COMPLETE"),
            status_reason: None,
            parameters: BTreeMap::default(),
            outputs: BTreeMap::default(),
            tags: BTreeMap::default(),
            termination_protection: protected,
            updated_at: None,
        },
        evidence: vec![Evidence::Name, Evidence::Tags],
        resources,
    }
}

fn leftover(kind: LeftoverKind, id: &str, contents: Contents, removable: Removable) -> Leftover {
    Leftover {
        kind,
        id: id.to_owned(),
        contents,
        removable,
        deletion_protection: false,
        kept_by: None,
    }
}

fn bucket() -> Contents {
    BucketContents {
        versions: 20_000,
        markers: 12,
        uploads: 1,
        bytes: 3_500_000_000,
    }
    .into()
}

fn images() -> Contents {
    RepositoryContents {
        images: 3,
        bytes: 90_000_000,
    }
    .into()
}

fn items() -> TableContents {
    TableContents {
        items: 41,
        bytes: 8_200,
        ..TableContents::default()
    }
}

fn leftovers() -> Vec<Leftover> {
    let none = Contents::default;
    let later = || Removable::Later { days: 30 };
    let waits = |on| Removable::Waits { until: on };
    let mut table = leftover(
        LeftoverKind::Table,
        "old-items",
        items().into(),
        Removable::Now,
    );
    table.deletion_protection = true;
    let mut topic = leftover(
        LeftoverKind::Kept,
        "arn:aws:sns:r:1:news",
        none(),
        Removable::ByHand,
    );
    topic.kept_by = Some(KeptBy {
        stack: "stackway-eu-west-2-dev-api".to_owned(),
        resource_type: "AWS::SNS::Topic".to_owned(),
    });
    let function = FunctionContents {
        versions: 2,
        aliases: 1,
        bytes: 2_000_000,
    };
    let logs = Contents {
        counts: Vec::new(),
        bytes: Some(12_000),
    };
    let advanced = Contents {
        counts: vec![(1, ADVANCED_PARAMETERS)],
        bytes: None,
    };
    let alias = "arn:aws:lambda:r:1:function:f:live";
    let version = "arn:aws:lambda:r:1:function:f:4";
    vec![
        leftover(LeftoverKind::FunctionAlias, alias, none(), Removable::Now),
        leftover(
            LeftoverKind::FunctionVersion,
            version,
            none(),
            Removable::Now,
        ),
        leftover(
            LeftoverKind::Function,
            "old-api",
            function.into(),
            Removable::Now,
        ),
        leftover(LeftoverKind::Bucket, "old-files", bucket(), Removable::Now),
        leftover(
            LeftoverKind::Repository,
            "old-images",
            images(),
            Removable::Now,
        ),
        leftover(
            LeftoverKind::ReportGroup,
            "arn:reports",
            none(),
            Removable::Now,
        ),
        leftover(
            LeftoverKind::LogGroup,
            "/aws/codebuild/x",
            logs,
            Removable::Now,
        ),
        table,
        leftover(LeftoverKind::Parameter, "/old/name", none(), Removable::Now),
        leftover(
            LeftoverKind::Parameter,
            "/old/policy",
            advanced,
            Removable::Now,
        ),
        leftover(LeftoverKind::Secret, "arn:secret", none(), later()),
        leftover(LeftoverKind::Key, "key-2", none(), later()),
        leftover(
            LeftoverKind::Key,
            "key-3",
            none(),
            waits(Some(datetime!(2026-12-24 12:00 UTC))),
        ),
        topic,
        leftover(
            LeftoverKind::Tagged,
            "arn:aws:sqs:r:1:q",
            none(),
            Removable::ByHand,
        ),
    ]
}

/// Of every kind one.
fn full() -> Inventory {
    Inventory {
        stacks: vec![
            stack(
                "release",
                false,
                vec![resource("AWS::SNS::Topic", "", None)],
            ),
            stack(
                "stackway-eu-west-2-dev-artifacts",
                true,
                vec![
                    resource("AWS::S3::Bucket", "files", Some(bucket())),
                    resource("AWS::ECR::Repository", "images", Some(images())),
                    resource("AWS::KMS::Key", "key-1", None),
                ],
            ),
        ],
        pipelines: vec![FoundPipeline {
            name: "stackway-eu-west-2-dev-deployment".to_owned(),
            stages: vec!["Source".to_owned()],
            running: vec!["run-1".to_owned()],
        }],
        leftovers: leftovers(),
        not_offered: vec![NotOffered {
            what: "report groups",
            answer: "Unsupported service".to_owned(),
        }],
        ..Inventory::default()
    }
}

fn sets() -> Vec<Standing> {
    vec![Standing {
        stack: "table".to_owned(),
        address: StackSetAddress {
            name: "stackway-eu-west-2-dev-table".to_owned(),
            call_as: CallAs::Caller,
        },
        region: None,
        instances: vec!["111122223333 eu-west-2".to_owned()],
        stacks: Vec::new(),
        buckets: vec![HeldBucket {
            pair: Pair::new("111122223333", "us-east-1"),
            name: "builds".to_owned(),
            contents: BucketContents {
                versions: 3,
                markers: 1,
                uploads: 0,
                bytes: 2048,
            },
        }],
    }]
}

fn plain(text: &str) -> String {
    anstream::adapter::strip_str(text).to_string()
}

fn document(found: Found) -> Document {
    Document {
        environment: "dev".to_owned(),
        region: "eu-west-2".to_owned(),
        account: Some("111122223333".to_owned()),
        endpoint_url: None,
        found,
        removed: None,
        left: None,
    }
}

#[test]
fn a_plan_tells_every_kind() {
    let mut found = Found::new(&full(), &sets(), "eu-west-2");
    let edge = Inventory {
        stacks: vec![stack("edge", false, Vec::new())],
        ..Inventory::default()
    };
    found.add(Found::new(&edge, &[], "us-east-1"));
    insta::assert_snapshot!(plain(&found.text(
        "dev",
        "account 111122223333, region eu-west-2",
        "eu-west-2"
    )));
    let nothing = Found::new(&Inventory::default(), &[], "eu-west-2");
    assert_eq!(
        plain(&nothing.text("dev", "account 111122223333, region eu-west-2", "eu-west-2")),
        "nothing of `dev` is in account 111122223333, region eu-west-2"
    );
}

#[test]
fn the_document_tells_every_kind() {
    let mut document = document(Found::new(&full(), &sets(), "eu-west-2"));
    document.left = Some(Found::new(&Inventory::default(), &[], "eu-west-2"));
    insta::assert_json_snapshot!(document);
}

#[test]
fn a_proof_tells_what_is_left_and_why() {
    let mut document = document(Found::new(&full(), &sets(), "eu-west-2"));
    document.left = Some(Found::new(&full(), &sets(), "eu-west-2"));
    insta::assert_snapshot!(plain(&proof_text(&document)));
    let failure = document.failure("dev").unwrap();
    assert_eq!(
        failure.message,
        "17 things of `dev` are left that could be removed"
    );
}

/// What only waits is told, and is no failure.
#[test]
fn what_waits_is_no_failure() {
    let mut inventory = full();
    inventory.stacks.clear();
    inventory
        .leftovers
        .retain(|one| matches!(one.removable, Removable::Waits { .. }));
    let mut document = document(Found::new(&full(), &sets(), "eu-west-2"));
    document.left = Some(Found::new(&inventory, &[], "eu-west-2"));
    assert!(document.failure("dev").is_none());
    insta::assert_snapshot!(plain(&proof_text(&document)), @r"
    looked for everything again: 1 left
      key key-3 waits for its deletion on 2026-12-24; 0.00 USD a month
    1 not looked for, as the endpoint does not offer them: report groups
    ");
}
