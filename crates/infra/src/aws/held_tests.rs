//! What `destroy` asks of services beside stacks, over their own JSON: pages to the end, refusals as refusals, absences
//! as absences, throttles tried again.

use serde_json::{Value, json};
use time::macros::datetime;

use super::answers::{answering, bodies, operations};
use super::{
    CloudControl, CodeBuildReports, DynamoDb, Ecr, Kms, Lambda, SecretsManager, Ssm, Tagging,
};
use crate::cloud::{
    AnyResource as _, CloudError, Functions as _, HeldParameters as _, HeldSecrets as _,
    Images as _, Keys as _, ReportGroups as _, Tables as _, Tagged as _,
};
use crate::inventory::KeyState;

fn no(code: &str) -> Value {
    json!({ "__type": code, "message": "no" })
}

#[track_caller]
fn refused<T: std::fmt::Debug>(answer: Result<T, CloudError>, code: &str) {
    let error = answer.unwrap_err();
    assert_eq!(error.code(), Some(code), "{error}");
}

#[tokio::test]
async fn report_groups_are_described_page_by_page() {
    let group = |name: &str| json!({ "arn": format!("arn:{name}"), "name": name, "tags": [{ "key": "project", "value": "p" }] });
    let (config, asked) = answering(&[
        (
            "ListReportGroups",
            200,
            json!({ "reportGroups": ["arn:a"], "nextToken": "more" }),
        ),
        (
            "ListReportGroups",
            200,
            json!({ "reportGroups": ["arn:b"] }),
        ),
        (
            "BatchGetReportGroups",
            200,
            json!({ "reportGroups": [group("a"), group("b")] }),
        ),
    ]);
    let groups = CodeBuildReports::new(&config)
        .report_groups()
        .await
        .unwrap();
    let told: Vec<_> = groups
        .iter()
        .map(|one| (one.arn.as_str(), one.tags.len()))
        .collect();
    assert_eq!(told, [("arn:a", 1), ("arn:b", 1)]);
    assert_eq!(
        bodies(&asked, "ListReportGroups")[1],
        json!({ "nextToken": "more" })
    );
    assert_eq!(
        bodies(&asked, "BatchGetReportGroups"),
        [json!({ "reportGroupArns": ["arn:a", "arn:b"] })]
    );
}

/// A hundred and one groups need two calls to be described.
#[tokio::test]
async fn report_groups_are_described_a_hundred_at_a_time() {
    let arns: Vec<_> = (0..101).map(|number| format!("arn:{number}")).collect();
    let (config, asked) = answering(&[
        ("ListReportGroups", 200, json!({ "reportGroups": arns })),
        ("BatchGetReportGroups", 200, json!({ "reportGroups": [] })),
        ("BatchGetReportGroups", 200, json!({ "reportGroups": [] })),
    ]);
    CodeBuildReports::new(&config)
        .report_groups()
        .await
        .unwrap();
    let sizes: Vec<_> = bodies(&asked, "BatchGetReportGroups")
        .iter()
        .map(|body| body["reportGroupArns"].as_array().unwrap().len())
        .collect();
    assert_eq!(sizes, [100, 1]);
}

#[tokio::test]
async fn a_report_group_goes_with_its_reports_and_may_be_gone() {
    for (status, answer, ends_well) in [
        (200, json!({}), true),
        (400, no("ResourceNotFoundException"), true),
        (400, no("AccessDeniedException"), false),
    ] {
        let (config, asked) = answering(&[("DeleteReportGroup", status, answer)]);
        let end = CodeBuildReports::new(&config)
            .delete_report_group("arn:a")
            .await;
        assert_eq!(end.is_ok(), ends_well, "{end:?}");
        assert_eq!(
            bodies(&asked, "DeleteReportGroup"),
            [json!({ "arn": "arn:a", "deleteReports": true })]
        );
    }
}

#[tokio::test]
async fn keys_are_in_use_or_wait_or_are_gone() {
    let key = |state: &str| json!({ "KeyMetadata": { "KeyId": "k", "KeyState": state, "DeletionDate": 1_800_000_000 } });
    let on = Some(datetime!(2027-01-15 08:00 UTC));
    for (status, answer, expected) in [
        (200, key("Enabled"), Some(KeyState::InUse)),
        (200, key("Disabled"), Some(KeyState::InUse)),
        (
            200,
            key("PendingDeletion"),
            Some(KeyState::PendingDeletion { on }),
        ),
        (
            200,
            key("PendingReplicaDeletion"),
            Some(KeyState::PendingDeletion { on }),
        ),
        (400, no("NotFoundException"), None),
    ] {
        let (config, _) = answering(&[("DescribeKey", status, answer)]);
        assert_eq!(Kms::new(&config).key("k").await.unwrap(), expected);
    }
    let (config, _) = answering(&[("DescribeKey", 400, no("AccessDeniedException"))]);
    refused(Kms::new(&config).key("k").await, "AccessDeniedException");
}

#[tokio::test]
async fn a_keys_tags_are_read_to_the_end() {
    let (config, asked) = answering(&[
        (
            "ListResourceTags",
            200,
            json!({ "Tags": [{ "TagKey": "a", "TagValue": "1" }], "Truncated": true, "NextMarker": "more" }),
        ),
        (
            "ListResourceTags",
            200,
            json!({ "Tags": [{ "TagKey": "b", "TagValue": "2" }] }),
        ),
    ]);
    let tags = Kms::new(&config).key_tags("k").await.unwrap();
    assert_eq!(tags.len(), 2);
    assert_eq!(bodies(&asked, "ListResourceTags")[1]["Marker"], "more");
}

/// KMS refuses to schedule a key that waits already, in the same words as a key whose state is another.
#[tokio::test]
async fn a_key_that_waits_already_is_fine() {
    let invalid = || ("ScheduleKeyDeletion", 400, no("KMSInvalidStateException"));
    let state = |state: &str| {
        let answer = json!({ "KeyMetadata": { "KeyId": "k", "KeyState": state } });
        ("DescribeKey", 200, answer)
    };
    for (answers, code) in [
        (
            vec![("ScheduleKeyDeletion", 200, json!({ "KeyId": "k" }))],
            None,
        ),
        (
            vec![("ScheduleKeyDeletion", 400, no("NotFoundException"))],
            None,
        ),
        (vec![invalid(), state("PendingDeletion")], None),
        (
            vec![invalid(), state("PendingImport")],
            Some("KMSInvalidStateException"),
        ),
        (
            vec![("ScheduleKeyDeletion", 400, no("AccessDeniedException"))],
            Some("AccessDeniedException"),
        ),
    ] {
        let (config, asked) = answering(&answers);
        let end = Kms::new(&config).schedule_key_deletion("k", 7).await;
        match code {
            None => end.unwrap(),
            Some(code) => refused(end, code),
        }
        assert_eq!(
            bodies(&asked, "ScheduleKeyDeletion"),
            [json!({ "KeyId": "k", "PendingWindowInDays": 7 })]
        );
    }
}

#[tokio::test]
async fn tagged_resources_are_read_to_the_end() {
    let page = |arn: &str, token: &str| json!({ "ResourceTagMappingList": [{ "ResourceARN": arn }], "PaginationToken": token });
    let (config, asked) = answering(&[
        ("GetResources", 200, page("arn:a", "more")),
        ("GetResources", 200, page("arn:b", "")),
    ]);
    let arns = Tagging::new(&config).tagged("p", "e").await.unwrap();
    assert_eq!(arns, ["arn:a", "arn:b"]);
    let bodies = bodies(&asked, "GetResources");
    let filters = json!([
        { "Key": "project", "Values": ["p"] },
        { "Key": "environment", "Values": ["e"] },
    ]);
    assert_eq!(bodies[0], json!({ "TagFilters": filters }));
    assert_eq!(
        bodies[1],
        json!({ "TagFilters": filters, "PaginationToken": "more" })
    );
}

/// The SDK asks again after a throttle; what is throttled to the end is an error that may pass, and no absence.
#[tokio::test(start_paused = true)]
async fn throttles_are_tried_again_and_never_an_absence() {
    let throttled = || ("GetResources", 400, no("ThrottlingException"));
    let (config, asked) = answering(&[
        throttled(),
        ("GetResources", 200, json!({ "ResourceTagMappingList": [] })),
    ]);
    let arns = Tagging::new(&config).tagged("p", "e").await.unwrap();
    assert!(arns.is_empty());
    assert_eq!(operations(&asked).len(), 2);

    let (config, _) = answering(&[throttled(), throttled()]);
    let error = Tagging::new(&config).tagged("p", "e").await.unwrap_err();
    assert!(error.is_transient(), "{error}");
}

#[tokio::test]
async fn an_image_is_looked_for_by_its_tag_or_its_digest() {
    let there = json!({ "imageDetails": [{ "imageDigest": "sha256:1" }] });
    let (config, asked) = answering(&[
        ("DescribeImages", 200, there.clone()),
        ("DescribeImages", 200, there),
        ("DescribeImages", 400, no("ImageNotFoundException")),
        ("DescribeImages", 400, no("RepositoryNotFoundException")),
        ("DescribeImages", 400, no("AccessDeniedException")),
    ]);
    let ecr = Ecr::new(&config);
    assert!(ecr.has_image("r", ":one").await.unwrap());
    assert!(ecr.has_image("r", "@sha256:1").await.unwrap());
    assert!(!ecr.has_image("r", ":two").await.unwrap());
    assert!(!ecr.has_image("gone", ":one").await.unwrap());
    let error = ecr.has_image("r", ":one").await.unwrap_err();
    assert_eq!(error.code(), Some("AccessDeniedException"));
    let bodies = bodies(&asked, "DescribeImages");
    assert_eq!(bodies[0]["imageIds"], json!([{ "imageTag": "one" }]));
    assert_eq!(
        bodies[1]["imageIds"],
        json!([{ "imageDigest": "sha256:1" }])
    );
}

#[tokio::test]
async fn a_parameter_is_looked_for_by_both_names_of_its_arn() {
    let found = json!({ "Parameters": [{ "Name": "/name", "Tier": "Advanced" }] });
    let (config, asked) = answering(&[
        // An empty page is not the end.
        (
            "DescribeParameters",
            200,
            json!({ "Parameters": [], "NextToken": "more" }),
        ),
        ("DescribeParameters", 200, found),
        (
            "ListTagsForResource",
            200,
            json!({ "TagList": [{ "Key": "project", "Value": "p" }] }),
        ),
    ]);
    let parameter = Ssm::new(&config)
        .held_parameter("name")
        .await
        .unwrap()
        .unwrap();
    assert_eq!(parameter.name, "/name");
    assert!(parameter.advanced);
    assert_eq!(parameter.tags["project"], "p");
    assert_eq!(
        bodies(&asked, "DescribeParameters")[0]["ParameterFilters"],
        json!([{ "Key": "Name", "Option": "Equals", "Values": ["name", "/name"] }])
    );
    assert_eq!(
        bodies(&asked, "ListTagsForResource"),
        [json!({ "ResourceType": "Parameter", "ResourceId": "/name" })]
    );

    let (config, _) = answering(&[("DescribeParameters", 200, json!({ "Parameters": [] }))]);
    assert_eq!(
        Ssm::new(&config).held_parameter("/name").await.unwrap(),
        None
    );
    let (config, _) = answering(&[("DescribeParameters", 400, no("AccessDeniedException"))]);
    refused(
        Ssm::new(&config).held_parameter("/name").await,
        "AccessDeniedException",
    );
}

#[tokio::test]
async fn parameters_go_ten_a_call() {
    let answer = || {
        (
            "DeleteParameters",
            200,
            json!({ "InvalidParameters": ["gone"] }),
        )
    };
    let (config, asked) = answering(&[answer(), answer(), answer()]);
    let names: Vec<_> = (0..21).map(|number| format!("/{number}")).collect();
    Ssm::new(&config).delete_parameters(&names).await.unwrap();
    let sizes: Vec<_> = bodies(&asked, "DeleteParameters")
        .iter()
        .map(|body| body["Names"].as_array().unwrap().len())
        .collect();
    assert_eq!(sizes, [10, 10, 1]);
}

#[tokio::test]
async fn a_secret_is_described_and_never_read() {
    let answer = json!({
        "Name": "s", "DeletedDate": 1_800_000_000,
        "ReplicationStatus": [{ "Region": "us-east-1", "Status": "InSync" }],
        "Tags": [{ "Key": "project", "Value": "p" }],
    });
    let (config, asked) = answering(&[("DescribeSecret", 200, answer)]);
    let secret = SecretsManager::new(&config)
        .held_secret("s")
        .await
        .unwrap()
        .unwrap();
    assert_eq!(secret.deleted_on, Some(datetime!(2027-01-15 08:00 UTC)));
    assert_eq!(secret.replicas, ["us-east-1"]);
    assert_eq!(secret.tags["project"], "p");
    assert_eq!(operations(&asked), ["DescribeSecret"]);
    for (code, absent) in [
        ("ResourceNotFoundException", true),
        ("InternalServiceError", false),
    ] {
        let (config, _) = answering(&[("DescribeSecret", 400, no(code))]);
        match SecretsManager::new(&config).held_secret("s").await {
            Ok(secret) => assert!(absent && secret.is_none(), "{code}"),
            Err(error) => assert!(!absent && error.code() == Some(code), "{error}"),
        }
    }
}

#[tokio::test]
async fn a_secret_that_waits_already_is_fine() {
    let invalid = || ("DeleteSecret", 400, no("InvalidRequestException"));
    for (answers, code) in [
        (vec![("DeleteSecret", 200, json!({}))], None),
        (
            vec![("DeleteSecret", 400, no("ResourceNotFoundException"))],
            None,
        ),
        (
            vec![
                invalid(),
                (
                    "DescribeSecret",
                    200,
                    json!({ "DeletedDate": 1_800_000_000 }),
                ),
            ],
            None,
        ),
        (
            vec![invalid(), ("DescribeSecret", 200, json!({ "Name": "s" }))],
            Some("InvalidRequestException"),
        ),
    ] {
        let (config, asked) = answering(&answers);
        let end = SecretsManager::new(&config)
            .schedule_secret_deletion("s", 30)
            .await;
        match code {
            None => end.unwrap(),
            Some(code) => refused(end, code),
        }
        assert_eq!(
            bodies(&asked, "DeleteSecret"),
            [json!({ "SecretId": "s", "RecoveryWindowInDays": 30 })]
        );
    }
}

#[tokio::test]
async fn tables_are_told_with_their_protection_and_their_tags() {
    let table = json!({ "Table": {
        "TableArn": "arn:t", "TableStatus": "DELETING", "ItemCount": 3, "TableSizeBytes": 30,
        "DeletionProtectionEnabled": true,
    } });
    let (config, _) = answering(&[("DescribeTable", 200, table.clone())]);
    let contents = DynamoDb::new(&config)
        .table_contents("t")
        .await
        .unwrap()
        .unwrap();
    assert!(contents.deletion_protection && contents.deleting);
    assert_eq!((contents.items, contents.bytes), (3, 30));

    let (config, asked) = answering(&[
        ("DescribeTable", 200, table),
        (
            "ListTagsOfResource",
            200,
            json!({ "Tags": [{ "Key": "a", "Value": "1" }], "NextToken": "more" }),
        ),
        (
            "ListTagsOfResource",
            200,
            json!({ "Tags": [{ "Key": "b", "Value": "2" }] }),
        ),
    ]);
    let tags = DynamoDb::new(&config).table_tags("t").await.unwrap();
    assert_eq!(tags.len(), 2);
    assert_eq!(
        bodies(&asked, "ListTagsOfResource")[1],
        json!({ "ResourceArn": "arn:t", "NextToken": "more" })
    );
}

#[tokio::test]
async fn a_table_is_deleted_or_busy_or_gone() {
    for (status, answer, expected) in [
        (200, json!({}), Ok(true)),
        (400, no("ResourceNotFoundException"), Ok(true)),
        (400, no("ResourceInUseException"), Ok(false)),
        (400, no("ValidationException"), Err("ValidationException")),
    ] {
        let (config, _) = answering(&[("DeleteTable", status, answer)]);
        let end = DynamoDb::new(&config).delete_table("t").await;
        assert_eq!(
            end.as_ref()
                .map_err(|error| error.code().unwrap_or_default()),
            expected.as_ref().map_err(|code| *code),
        );
    }
}

#[tokio::test]
async fn the_protection_of_each_replica_is_lifted() {
    let table = |replicas: Value| json!({ "Table": { "TableName": "t", "Replicas": replicas } });
    let home = json!({ "RegionName": "eu-west-2" });
    for (replicas, updates) in [
        (json!([]), 1),
        (json!([home, { "RegionName": "us-east-1" }]), 2),
    ] {
        let mut answers = vec![("DescribeTable", 200, table(replicas))];
        answers.extend(vec![("UpdateTable", 200, json!({})); updates]);
        let (config, asked) = answering(&answers);
        DynamoDb::new(&config)
            .lift_table_protection("t")
            .await
            .unwrap();
        let update = json!({ "TableName": "t", "DeletionProtectionEnabled": false });
        assert_eq!(bodies(&asked, "UpdateTable"), vec![update; updates]);
    }
}

#[tokio::test]
async fn a_function_is_told_with_its_versions_and_aliases() {
    const FUNCTION: &str = "/2015-03-31/functions/f";
    let get = format!("GET {FUNCTION}");
    let versions = format!("GET {FUNCTION}/versions");
    let aliases = format!("GET {FUNCTION}/aliases");
    let version = |number: &str| json!({ "Version": number, "CodeSize": 10 });
    let (config, asked) = answering(&[
        (
            &get,
            200,
            json!({ "Configuration": {}, "Tags": { "project": "p" } }),
        ),
        (
            &versions,
            200,
            json!({ "Versions": [version("$LATEST"), version("1")], "NextMarker": "more" }),
        ),
        (&versions, 200, json!({ "Versions": [version("2")] })),
        (&aliases, 200, json!({ "Aliases": [{ "Name": "live" }] })),
    ]);
    let function = Lambda::new(&config).function("f").await.unwrap().unwrap();
    assert_eq!(function.versions, ["1", "2"]);
    assert_eq!(function.aliases, ["live"]);
    assert_eq!(
        (function.bytes, function.tags["project"].as_str()),
        (30, "p")
    );
    assert_eq!(operations(&asked).len(), 4);
    for (code, absent) in [
        ("ResourceNotFoundException", true),
        ("AccessDeniedException", false),
    ] {
        let (config, _) = answering(&[(&get, if absent { 404 } else { 403 }, no(code))]);
        match Lambda::new(&config).function("f").await {
            Ok(function) => assert!(absent && function.is_none(), "{code}"),
            Err(error) => assert!(!absent && error.code() == Some(code), "{error}"),
        }
    }
}

#[tokio::test]
async fn parts_of_a_function_go_and_may_be_gone() {
    let delete = "DELETE /2015-03-31/functions/f";
    let alias = "DELETE /2015-03-31/functions/f/aliases/live";
    for (status, answer) in [(204, json!({})), (404, no("ResourceNotFoundException"))] {
        let (config, asked) = answering(&[
            (alias, status, answer.clone()),
            (delete, status, answer.clone()),
            (delete, status, answer),
        ]);
        let lambda = Lambda::new(&config);
        lambda.delete_alias("f", "live").await.unwrap();
        lambda.delete_version("f", "1").await.unwrap();
        lambda.delete_function("f").await.unwrap();
        assert_eq!(operations(&asked), [alias, delete, delete]);
    }
    let (config, _) = answering(&[(delete, 409, no("ResourceConflictException"))]);
    refused(
        Lambda::new(&config).delete_function("f").await,
        "ResourceConflictException",
    );
}

#[tokio::test]
async fn a_resource_of_any_type_is_there_or_gone_or_cannot_be_looked_at() {
    for (status, code, expected) in [
        (200, "", Some(Some(true))),
        (400, "ResourceNotFoundException", Some(Some(false))),
        (400, "UnsupportedActionException", Some(None)),
        (400, "TypeNotFoundException", Some(None)),
        (400, "AccessDeniedException", None),
    ] {
        let answer = if code.is_empty() { json!({}) } else { no(code) };
        let (config, asked) = answering(&[("GetResource", status, answer)]);
        let end = CloudControl::new(&config)
            .is_there("AWS::SNS::Topic", "arn:t")
            .await;
        assert_eq!(end.ok(), expected, "{code}");
        assert_eq!(
            bodies(&asked, "GetResource"),
            [json!({ "TypeName": "AWS::SNS::Topic", "Identifier": "arn:t" })]
        );
    }
}
