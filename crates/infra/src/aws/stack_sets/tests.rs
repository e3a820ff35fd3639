use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_cloudformation::error::ErrorMetadata;
use aws_sdk_cloudformation::operation::create_stack_instances::CreateStackInstancesOutput;
use aws_sdk_cloudformation::operation::create_stack_set::CreateStackSetOutput;
use aws_sdk_cloudformation::operation::delete_stack_instances::DeleteStackInstancesOutput;
use aws_sdk_cloudformation::operation::delete_stack_set::DeleteStackSetOutput;
use aws_sdk_cloudformation::operation::describe_stack_instance::DescribeStackInstanceOutput;
use aws_sdk_cloudformation::operation::describe_stack_set::{
    DescribeStackSetError, DescribeStackSetOutput,
};
use aws_sdk_cloudformation::operation::describe_stack_set_operation::DescribeStackSetOperationOutput;
use aws_sdk_cloudformation::operation::detect_stack_set_drift::DetectStackSetDriftOutput;
use aws_sdk_cloudformation::operation::list_stack_instance_resource_drifts::ListStackInstanceResourceDriftsOutput;
use aws_sdk_cloudformation::operation::list_stack_instances::ListStackInstancesOutput;
use aws_sdk_cloudformation::operation::list_stack_set_auto_deployment_targets::ListStackSetAutoDeploymentTargetsOutput;
use aws_sdk_cloudformation::operation::list_stack_set_operation_results::ListStackSetOperationResultsOutput;
use aws_sdk_cloudformation::operation::list_stack_set_operations::ListStackSetOperationsOutput;
use aws_sdk_cloudformation::operation::list_stack_sets::ListStackSetsOutput;
use aws_sdk_cloudformation::operation::stop_stack_set_operation::StopStackSetOperationOutput;
use aws_sdk_cloudformation::operation::update_stack_instances::UpdateStackInstancesOutput;
use aws_sdk_cloudformation::operation::update_stack_set::UpdateStackSetOutput;
use aws_smithy_mocks::{Rule, RuleMode, mock, mock_client};

use super::*;
use crate::stack_set::{
    Amount, AutoDeployment, ConcurrencyMode, DetailedStatus, Permissions, Product,
};

fn adapter(rules: &[&Rule]) -> CloudFormationStackSets {
    CloudFormationStackSets {
        client: mock_client!(aws_sdk_cloudformation, RuleMode::MatchAny, rules),
    }
}

fn at() -> StackSetAddress {
    StackSetAddress {
        name: "s".to_owned(),
        call_as: CallAs::DelegatedAdmin,
    }
}

fn definition() -> StackSetDefinition {
    StackSetDefinition {
        template_body: "Resources: {}".to_owned(),
        parameters: BTreeMap::from([("A".to_owned(), "1".to_owned())]),
        tags: BTreeMap::new(),
        capabilities: Vec::new(),
        permissions: Permissions::ServiceManaged(AutoDeployment {
            enabled: true,
            retain_on_removal: true,
        }),
    }
}

fn product(places: &[&str]) -> Product {
    Product {
        places: places.iter().map(|place| (*place).to_owned()).collect(),
        regions: BTreeSet::from(["eu-west-1".to_owned()]),
    }
}

fn request(places: &[&str], overrides: Overrides) -> InstancesRequest {
    InstancesRequest {
        on: product(places),
        overrides,
        preferences: Preferences::default(),
        operation_id: "stackway-1".to_owned(),
    }
}

/// A rule that answers with an empty output, to calls as a delegated administrator alone.
macro_rules! delegated {
    ($operation:ident, $output:ident) => {
        mock!(Client::$operation)
            .match_requests(|request| request.call_as() == Some(&sdk::CallAs::DelegatedAdmin))
            .then_output(|| $output::builder().build())
    };
}

/// A set of a delegated administrator is found by no call that does not say so.
#[tokio::test]
async fn every_call_says_as_whom_it_is_made() {
    let rules = [
        delegated!(describe_stack_set, DescribeStackSetOutput),
        delegated!(list_stack_sets, ListStackSetsOutput),
        delegated!(create_stack_set, CreateStackSetOutput),
        delegated!(update_stack_set, UpdateStackSetOutput),
        delegated!(delete_stack_set, DeleteStackSetOutput),
        delegated!(list_stack_instances, ListStackInstancesOutput),
        delegated!(describe_stack_instance, DescribeStackInstanceOutput),
        delegated!(
            list_stack_set_auto_deployment_targets,
            ListStackSetAutoDeploymentTargetsOutput
        ),
        delegated!(create_stack_instances, CreateStackInstancesOutput),
        delegated!(update_stack_instances, UpdateStackInstancesOutput),
        delegated!(delete_stack_instances, DeleteStackInstancesOutput),
        delegated!(list_stack_set_operations, ListStackSetOperationsOutput),
        delegated!(
            describe_stack_set_operation,
            DescribeStackSetOperationOutput
        ),
        delegated!(
            list_stack_set_operation_results,
            ListStackSetOperationResultsOutput
        ),
        delegated!(stop_stack_set_operation, StopStackSetOperationOutput),
        delegated!(detect_stack_set_drift, DetectStackSetDriftOutput),
        delegated!(
            list_stack_instance_resource_drifts,
            ListStackInstanceResourceDriftsOutput
        ),
    ];
    let sets = adapter(&rules.iter().collect::<Vec<_>>());
    let (at, pair) = (at(), Pair::new("111111111111", "eu-west-1"));
    let accounts = request(&["111111111111"], Overrides::new());
    let update = StackSetUpdate {
        definition: definition(),
        on: None,
        preferences: Preferences::default(),
        operation_id: "stackway-1".to_owned(),
    };
    assert_eq!(sets.describe_stack_set(&at).await.unwrap(), None);
    assert_eq!(
        sets.stack_sets(CallAs::DelegatedAdmin).await.unwrap(),
        Vec::new()
    );
    sets.create_stack_set(&at, &definition(), "t")
        .await
        .unwrap();
    assert_eq!(
        sets.update_stack_set(&at, &update).await.unwrap(),
        "stackway-1"
    );
    sets.delete_stack_set(&at).await.unwrap();
    assert!(sets.stack_instances(&at).await.unwrap().is_empty());
    assert_eq!(sets.instance_overrides(&at, &pair).await.unwrap(), None);
    assert!(sets.auto_deployment_targets(&at).await.unwrap().is_empty());
    sets.create_instances(&at, &accounts).await.unwrap();
    sets.update_instances(&at, &accounts).await.unwrap();
    sets.delete_instances(&at, &accounts, false).await.unwrap();
    assert!(sets.operations(&at).await.unwrap().is_empty());
    assert_eq!(sets.describe_operation(&at, "o").await.unwrap(), None);
    assert!(sets.operation_results(&at, "o").await.unwrap().is_empty());
    sets.stop_operation(&at, "o").await.unwrap();
    sets.detect_drift(&at, &Preferences::default(), "o")
        .await
        .unwrap();
    let drift = sets.instance_drift(&at, &pair, "o").await.unwrap();
    assert_eq!(drift.status, DriftStatus::InSync);
    for rule in &rules {
        assert_eq!(rule.num_calls(), 1);
    }
}

#[tokio::test]
async fn only_a_missing_set_is_absent() {
    for (code, absent) in [
        ("StackSetNotFoundException", true),
        ("AccessDenied", false),
        ("Throttling", false),
        ("ValidationError", false),
    ] {
        let rule = mock!(Client::describe_stack_set).then_error(move || {
            DescribeStackSetError::generic(
                ErrorMetadata::builder()
                    .code(code)
                    .message("StackSet s not found")
                    .build(),
            )
        });
        let answer = adapter(&[&rule]).describe_stack_set(&at()).await;
        match answer {
            Ok(set) => assert!(absent && set.is_none(), "{code}"),
            Err(error) => {
                assert!(!absent);
                assert_eq!(error.code(), Some(code));
            }
        }
    }
}

#[tokio::test]
async fn instances_are_read_to_the_last_page() {
    let page = |account: &'static str, next: Option<&'static str>| {
        ListStackInstancesOutput::builder()
            .summaries(
                sdk::StackInstanceSummary::builder()
                    .account(account)
                    .region("eu-west-1")
                    .status(sdk::StackInstanceStatus::Outdated)
                    .stack_instance_status(
                        sdk::StackInstanceComprehensiveStatus::builder()
                            .detailed_status(sdk::StackInstanceDetailedStatus::Failed)
                            .build(),
                    )
                    .status_reason("no role")
                    .build(),
            )
            .set_next_token(next.map(str::to_owned))
            .build()
    };
    let first = mock!(Client::list_stack_instances)
        .match_requests(|request| request.next_token().is_none())
        .then_output(move || page("111111111111", Some("more")));
    let second = mock!(Client::list_stack_instances)
        .match_requests(|request| request.next_token() == Some("more"))
        .then_output(move || page("222222222222", None));
    let instances = adapter(&[&first, &second])
        .stack_instances(&at())
        .await
        .unwrap();
    let places: Vec<_> = instances
        .iter()
        .map(|instance| instance.pair.to_string())
        .collect();
    assert_eq!(places, ["111111111111/eu-west-1", "222222222222/eu-west-1"]);
    assert_eq!(instances[0].detailed, Some(DetailedStatus::Failed));
    assert_eq!(instances[0].reason.as_deref(), Some("no role"));
}

#[tokio::test]
async fn drifts_and_targets_are_read_to_the_last_page() {
    let target = |unit: &'static str, next: Option<&'static str>| {
        ListStackSetAutoDeploymentTargetsOutput::builder()
            .summaries(
                sdk::StackSetAutoDeploymentTargetSummary::builder()
                    .organizational_unit_id(unit)
                    .regions("eu-west-1")
                    .regions("eu-west-2")
                    .build(),
            )
            .set_next_token(next.map(str::to_owned))
            .build()
    };
    let first = mock!(Client::list_stack_set_auto_deployment_targets)
        .match_requests(|request| request.next_token().is_none())
        .then_output(move || target("ou-ab12-11111111", Some("more")));
    let second = mock!(Client::list_stack_set_auto_deployment_targets)
        .match_requests(|request| request.next_token() == Some("more"))
        .then_output(move || target("ou-ab12-22222222", None));
    let drift = mock!(Client::list_stack_instance_resource_drifts).then_output(|| {
        ListStackInstanceResourceDriftsOutput::builder()
            .summaries(
                sdk::StackInstanceResourceDriftsSummary::builder()
                    .stack_id("arn")
                    .logical_resource_id("Table")
                    .resource_type("AWS::DynamoDB::Table")
                    .stack_resource_drift_status(StackResourceDriftStatus::Modified)
                    .property_differences(
                        sdk::PropertyDifference::builder()
                            .property_path("/Tags/0/Value")
                            .expected_value("a")
                            .actual_value("b")
                            .difference_type(sdk::DifferenceType::NotEqual)
                            .build(),
                    )
                    .build(),
            )
            .build()
    });
    let sets = adapter(&[&first, &second, &drift]);
    assert_eq!(sets.auto_deployment_targets(&at()).await.unwrap().len(), 4);
    let found = sets
        .instance_drift(&at(), &Pair::new("1", "eu-west-1"), "o")
        .await
        .unwrap();
    assert_eq!(found.status, DriftStatus::Drifted);
    assert_eq!(
        found.resources[0].differences,
        [("/Tags/0/Value".to_owned(), "a".to_owned(), "b".to_owned())]
    );
}

#[tokio::test]
async fn targets_are_accounts_or_units() {
    let accounts = mock!(Client::update_stack_instances)
        .match_requests(|request| {
            request.accounts() == ["111111111111"]
                && request.deployment_targets().is_none()
                // An empty list, which takes every value back; none would leave them.
                && request.parameter_overrides.as_ref().is_some_and(Vec::is_empty)
        })
        .then_output(|| {
            UpdateStackInstancesOutput::builder()
                .operation_id("theirs")
                .build()
        });
    let units = mock!(Client::create_stack_instances)
        .match_requests(|request| {
            request.accounts.is_none()
                && request.deployment_targets().is_some_and(|targets| {
                    targets.organizational_unit_ids() == ["ou-ab12-11111111"]
                })
                && request.parameter_overrides.is_none()
        })
        .then_output(|| CreateStackInstancesOutput::builder().build());
    let sets = adapter(&[&accounts, &units]);
    let id = sets
        .update_instances(&at(), &request(&["111111111111"], Overrides::new()))
        .await
        .unwrap();
    assert_eq!(id, "theirs");
    sets.create_instances(&at(), &request(&["ou-ab12-11111111"], Overrides::new()))
        .await
        .unwrap();
}

#[tokio::test]
async fn auto_deployment_is_switched_without_targets_alone() {
    let whole = mock!(Client::update_stack_set)
        .match_requests(|request| {
            request
                .auto_deployment()
                .is_some_and(|auto| auto.enabled() == Some(true))
                && request.deployment_targets().is_none()
        })
        .then_output(|| {
            UpdateStackSetOutput::builder()
                .operation_id("whole")
                .build()
        });
    let some = mock!(Client::update_stack_set)
        .match_requests(|request| {
            request.auto_deployment().is_none() && request.deployment_targets().is_some()
        })
        .then_output(|| UpdateStackSetOutput::builder().operation_id("some").build());
    let sets = adapter(&[&whole, &some]);
    let mut update = StackSetUpdate {
        definition: definition(),
        on: None,
        preferences: Preferences::default(),
        operation_id: "stackway-1".to_owned(),
    };
    assert_eq!(
        sets.update_stack_set(&at(), &update).await.unwrap(),
        "whole"
    );
    update.on = Some(product(&["ou-ab12-11111111"]));
    assert_eq!(sets.update_stack_set(&at(), &update).await.unwrap(), "some");
}

#[test]
fn preferences_are_counts_or_percentages() {
    let mut preferences = Preferences {
        failure_tolerance: Amount::Percent(10),
        max_concurrent: Amount::Count(5),
        concurrency_mode: ConcurrencyMode::Soft,
        ..Preferences::default()
    };
    let sent = convert::preferences(&preferences);
    assert_eq!(
        (
            sent.failure_tolerance_count(),
            sent.failure_tolerance_percentage(),
            sent.max_concurrent_count(),
            sent.max_concurrent_percentage()
        ),
        (None, Some(10), Some(5), None)
    );
    assert_eq!(
        sent.concurrency_mode(),
        Some(&sdk::ConcurrencyMode::SoftFailureTolerance)
    );
    assert!(sent.region_order.is_none());
    preferences.region_order = vec!["eu-west-2".to_owned()];
    assert_eq!(
        convert::preferences(&preferences).region_order(),
        ["eu-west-2"]
    );
}
