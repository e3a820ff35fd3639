//! What no stack owns: kept by a deleted stack, protected, or of a type that a person has to remove.

use super::tests::{Bench, OURS, STEM};
use crate::cloud::fake::Faults;
use crate::cloud::{CloudError, Made};
use crate::inventory::{KeyState, LeftoverKind, Removable};

/// A stack that was deleted and kept one of each type; all of it carries no tags.
async fn kept() -> Bench {
    let bench = Bench::new(&Faults::none());
    let cloud = &bench.cloud;
    let stack = format!("{STEM}-api");
    cloud.put_stack(&stack, "CREATE_COMPLETE", &[]);
    cloud.tag_stack(&stack, OURS);
    for (resource_type, id) in [
        ("AWS::S3::Bucket", "kept-bucket"),
        ("AWS::ECR::Repository", "kept-images"),
        ("AWS::Logs::LogGroup", "kept-logs"),
        ("AWS::CodeBuild::ReportGroup", "kept-reports"),
        ("AWS::DynamoDB::Table", "kept-items"),
        ("AWS::SSM::Parameter", "/kept"),
        ("AWS::SecretsManager::Secret", "kept-secret"),
        ("AWS::KMS::Key", "kept-key"),
        ("AWS::Lambda::Function", "kept-function"),
        (
            "AWS::Lambda::Version",
            "arn:aws:lambda:r:1:function:kept-function:3",
        ),
        (
            "AWS::Lambda::Alias",
            "arn:aws:lambda:r:1:function:theirs:live",
        ),
        (
            "AWS::Lambda::Version",
            "arn:aws:lambda:r:1:function:theirs:4",
        ),
        ("AWS::SNS::Topic", "arn:aws:sns:r:1:kept"),
        ("AWS::SQS::Queue", "https://sqs/1/gone"),
        ("AWS::X::Unheard", "of"),
        ("Custom::Thing", "made-up"),
    ] {
        cloud.put_kept_resource(&stack, resource_type, id);
    }
    cloud.put_loose_bucket("kept-bucket", 2, &[]);
    cloud.put_repository("kept-images", 1, &[]);
    cloud.put_log_group("kept-logs", 10);
    cloud.put_report_group("kept-reports", &[]);
    cloud.put_table("kept-items", false, &[]);
    cloud.put_parameter("/kept", &[]);
    cloud.put_secret("kept-secret", &[], &[]);
    cloud.put_key("kept-key", KeyState::InUse, &[]);
    cloud.put_function("kept-function", &["3"], &["live"], &[]);
    cloud.put_function("theirs", &["4", "5"], &["live"], &[("project", "other")]);
    cloud.put_other("AWS::SNS::Topic", "arn:aws:sns:r:1:kept", Some(true));
    cloud.put_other("AWS::X::Unheard", "of", None);
    // The stack goes, as an earlier run let it.
    bench.run().await.unwrap();
    bench
}

/// Whatever a deleted stack was told to keep is found and removed, where a service can be asked; the rest is told.
#[tokio::test]
async fn what_a_deleted_stack_kept_goes() {
    let bench = kept().await;
    insta::assert_snapshot!(bench.cloud.writes().join("\n"), @r"
    empty_bucket kept-bucket
    empty_repository kept-images
    delete_stack stackway-eu-west-2-dev-api
    delete_alias theirs/live
    delete_version theirs/4
    delete_function kept-function
    empty_bucket kept-bucket
    delete_bucket kept-bucket
    empty_repository kept-images
    delete_repository kept-images
    delete_report_group kept-reports
    delete_log_group kept-logs
    delete_table kept-items
    delete_parameters /kept
    schedule_secret_deletion kept-secret in 30 days
    schedule_key_deletion kept-key in 30 days
    ");
    assert_eq!(
        bench.cloud.everything(),
        [
            "secret kept-secret waits",
            "function theirs [5] []",
            "key kept-key waits"
        ]
    );
    let left = bench.inventory().await;
    let told: Vec<_> = left
        .leftovers
        .iter()
        .map(|one| {
            let kept = one.kept_by.as_ref().map(|kept| kept.resource_type.as_str());
            format!("{:?} {} {:?} {kept:?}", one.kind, one.id, one.removable)
        })
        .collect();
    insta::assert_snapshot!(told.join("\n"), @r#"
    Secret kept-secret Waits { until: Some(1970-01-01 0:00:00.0 +00:00:00) } Some("AWS::SecretsManager::Secret")
    Key kept-key Waits { until: None } Some("AWS::KMS::Key")
    Kept arn:aws:sns:r:1:kept ByHand Some("AWS::SNS::Topic")
    Kept of ByHand Some("AWS::X::Unheard")
    "#);
}

/// Tags decide against a thing that a deleted stack kept: it has been given to somebody else.
#[tokio::test]
async fn what_was_given_away_stays() {
    let bench = Bench::new(&Faults::none());
    let cloud = &bench.cloud;
    let stack = format!("{STEM}-api");
    cloud.put_stack(&stack, "CREATE_COMPLETE", &[]);
    cloud.put_kept_resource(&stack, "AWS::DynamoDB::Table", "items");
    cloud.put_table(
        "items",
        false,
        &[("project", "other"), ("environment", "dev")],
    );
    let destroyed = bench.run().await.unwrap();
    assert!(destroyed.left.is_empty(), "{:?}", destroyed.left);
    assert_eq!(cloud.everything(), ["table items"]);
}

/// A deleted stack that has none of our names is ours by its tags, or not at all.
#[tokio::test]
async fn deleted_stacks_of_others_are_let_be() {
    for (name, tags, ours) in [
        ("stackway-by-hand", OURS, true),
        ("stackway-by-hand", &[][..], false),
        (
            "stackway-by-hand",
            &[("project", "stackway"), ("environment", "prod")],
            false,
        ),
        ("by-hand", OURS, false),
    ] {
        let bench = Bench::new(&Faults::none());
        let cloud = &bench.cloud;
        cloud.put_stack(name, "DELETE_COMPLETE", &[]);
        cloud.tag_stack(name, tags);
        cloud.put_kept_resource(name, "AWS::SSM::Parameter", "/kept");
        cloud.put_parameter("/kept", &[]);
        let found = bench.inventory().await;
        assert_eq!(
            found.of_kind(LeftoverKind::Parameter).count() == 1,
            ours,
            "{name} {tags:?}"
        );
    }
}

/// A protected table, of a stack or of none, stops everything before the first change; lifting it is said.
#[tokio::test]
async fn protected_tables_need_the_flag() {
    let mut bench = Bench::new(&Faults::none());
    let stack = format!("{STEM}-table");
    bench.cloud.put_stack(&stack, "CREATE_COMPLETE", &[]);
    bench.cloud.tag_stack(&stack, OURS);
    bench.cloud.put_table("items", true, OURS);
    bench
        .cloud
        .put_named_resource(&stack, "AWS::DynamoDB::Table", "items");
    bench.cloud.put_table("old-items", true, OURS);
    bench
        .cloud
        .put_tagged("arn:aws:dynamodb:r:1:table/old-items");
    let error = bench.run().await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "protection against deletion is on for items, old-items"
    );
    assert_eq!(bench.cloud.writes(), [""; 0]);
    bench.leave.lift_protection = true;
    let destroyed = bench.run().await.unwrap();
    assert!(destroyed.left.is_empty(), "{:?}", destroyed.left);
    assert_eq!(
        bench.cloud.writes(),
        [
            "lift_table_protection items".to_owned(),
            "lift_table_protection old-items".to_owned(),
            format!("delete_stack {stack}"),
            "delete_table old-items".to_owned(),
        ]
    );
    let said = bench.seen.0.lock().unwrap().join("\n");
    assert!(said.contains("table: TableProtectionLifted"), "{said}");
}

/// ECS lists what is gone with its tags: only what the Cloud Control API finds is left, and a task goes with its cluster.
#[tokio::test]
async fn what_ecs_lists_on_is_left_if_it_is_there() {
    let bench = Bench::new(&Faults::none());
    let stack = format!("{STEM}-container");
    bench.cloud.put_stack(&stack, "CREATE_COMPLETE", &[]);
    bench.cloud.tag_stack(&stack, OURS);
    bench
        .cloud
        .put_named_resource(&stack, "AWS::ECS::Cluster", "ours");
    for what in [
        "task/ours/1",
        "task/gone/1",
        "service/gone/api",
        "task-definition/api:1",
        "task-definition/api:2",
        "capacity-provider/other",
    ] {
        bench.cloud.put_tagged(&format!("arn:aws:ecs:r:1:{what}"));
    }
    let there = "arn:aws:ecs:r:1:task-definition/api:2";
    bench
        .cloud
        .put_other("AWS::ECS::TaskDefinition", there, Some(true));
    let inventory = bench.inventory().await;
    let left: Vec<_> = inventory.leftovers.iter().map(|one| &*one.id).collect();
    assert_eq!(left, ["arn:aws:ecs:r:1:capacity-provider/other", there]);
}

/// The days that keys and secrets wait are those that were asked for, and the plan says so.
#[tokio::test]
async fn keys_and_secrets_wait_as_long_as_was_asked() {
    let mut bench = Bench::new(&Faults::none());
    bench.leave.recovery_days = 7;
    bench.cloud.put_key("key-1", KeyState::InUse, OURS);
    bench.cloud.put_tagged("arn:aws:kms:r:1:key/key-1");
    let plan = bench.inventory().await;
    assert_eq!(plan.leftovers[0].removable, Removable::Later { days: 7 });
    assert!(plan.has_work());
    let destroyed = bench.run().await.unwrap();
    assert_eq!(
        bench.cloud.writes(),
        ["schedule_key_deletion key-1 in 7 days"]
    );
    assert!(!destroyed.left.has_work(), "a key that waits is no work");
    let again = bench.run().await.unwrap();
    assert_eq!(again.leftovers, 0);
}

#[tokio::test]
async fn a_refused_look_at_what_no_stack_owns_is_not_an_absence() {
    for call in [
        "table_tags",
        "held_parameter",
        "held_secret",
        "function",
        "key",
        "key_tags",
    ] {
        let mut bench = Bench::filled(&Faults::none());
        bench.leave.emulator = true;
        let error = CloudError::Refused {
            operation: "o",
            code: "AccessDenied".into(),
            message: "no".into(),
        };
        bench.cloud.break_call(call, error);
        let error = bench.run().await.unwrap_err();
        assert_eq!(error.to_string(), "o: AccessDenied: no", "{call}");
        assert_eq!(bench.cloud.writes(), [""; 0], "{call}");
    }
}

/// What a pipeline made in another region is looked for and removed there, by its name and as far as no tag speaks
/// against it; stack sets are told by name.
#[tokio::test]
async fn what_a_pipeline_made_elsewhere_is_known() {
    let bench = Bench::filled(&Faults::none());
    let made = |name: &str, is_set: bool, region: &str| Made {
        name: name.to_owned(),
        is_set,
        region: Some(region.to_owned()),
    };
    let pipeline = format!("{STEM}-deployment");
    for one in [
        made("edge", false, "us-east-1"),
        made("another-teams", false, "us-east-1"),
        made("here", false, "eu-west-2"),
        made("rolled-out", true, "eu-west-2"),
        made("rolled-out-there", true, "us-east-1"),
    ] {
        bench.cloud.put_made(&pipeline, one);
    }
    bench.cloud.put_stack("here", "CREATE_COMPLETE", &[]);
    let found = bench.inventory().await;
    let labels: Vec<_> = found.stacks.iter().map(|one| one.label.as_str()).collect();
    assert!(labels.contains(&"here"), "{labels:?}");
    assert!(!labels.contains(&"edge"), "{labels:?}");
    let sets: Vec<_> = found
        .made_sets
        .iter()
        .map(|set| (set.name.as_str(), set.region.as_deref()))
        .collect();
    assert_eq!(
        sets,
        [
            ("rolled-out", None),
            ("rolled-out-there", Some("us-east-1"))
        ]
    );
    let there = &found.elsewhere["us-east-1"];
    assert_eq!(there.keys().collect::<Vec<_>>(), ["another-teams", "edge"]);

    // The other region: its own cloud, with more in it than what the pipeline made.
    let edge = Bench::new(&Faults::none());
    for (name, tags) in [
        ("edge", &[][..]),
        ("edge-2", OURS),
        (
            "another-teams",
            &[("project", "other"), ("environment", "dev")],
        ),
    ] {
        edge.cloud.put_stack(name, "CREATE_COMPLETE", &[]);
        edge.cloud.tag_stack(name, tags);
    }
    let flow = edge.destroyer();
    let inventory = flow.inventory_elsewhere(there).await.unwrap();
    assert_eq!(inventory.count(), 1);
    let done = flow.destroy_elsewhere(&inventory, there).await.unwrap();
    assert!(done.left.is_empty());
    assert_eq!(edge.cloud.writes(), ["delete_stack edge"]);
}
