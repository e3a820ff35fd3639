//! Between the SDK's types and the models.

use std::collections::BTreeMap;

use aws_sdk_cloudformation::types as sdk;
use time::OffsetDateTime;

use crate::stack_set::{
    Amount, AutoDeployment, CallAs, ConcurrencyMode, DetailedStatus, DriftStatus, InstanceStatus,
    OperationAction, OperationResult, OperationStatus, Pair, Permissions, Preferences, Product,
    RegionConcurrency, ResourceDrift, ResultStatus, SetDrift, StackInstance, StackSet,
    StackSetAddress, StackSetDefinition, StackSetOperation, StackSetStatus, StackSetSummary,
};

pub(super) fn call_as(call_as: CallAs) -> sdk::CallAs {
    match call_as {
        CallAs::Caller => sdk::CallAs::SelfValue,
        CallAs::DelegatedAdmin => sdk::CallAs::DelegatedAdmin,
    }
}

pub(super) fn parameters(values: &BTreeMap<String, String>) -> Vec<sdk::Parameter> {
    values
        .iter()
        .map(|(name, value)| {
            sdk::Parameter::builder()
                .parameter_key(name)
                .parameter_value(value)
                .build()
        })
        .collect()
}

pub(super) fn values(parameters: &[sdk::Parameter]) -> BTreeMap<String, String> {
    parameters
        .iter()
        .map(|parameter| {
            (
                text(parameter.parameter_key()),
                text(parameter.parameter_value()),
            )
        })
        .collect()
}

pub(super) fn tags(tags: &BTreeMap<String, String>) -> Vec<sdk::Tag> {
    tags.iter()
        .map(|(key, value)| sdk::Tag::builder().key(key).value(value).build())
        .collect()
}

pub(super) fn capabilities(names: &[String]) -> Vec<sdk::Capability> {
    names.iter().map(|name| name.as_str().into()).collect()
}

/// [`Permissions`] as the fields of a request.
pub(super) struct Permission {
    pub(super) model: sdk::PermissionModels,
    pub(super) administration_role: Option<String>,
    pub(super) execution_role: Option<String>,
    pub(super) auto_deployment: Option<sdk::AutoDeployment>,
}

impl Permission {
    pub(super) fn new(permissions: &Permissions) -> Self {
        match permissions {
            Permissions::SelfManaged {
                administration_role,
                execution_role,
            } => Self {
                model: sdk::PermissionModels::SelfManaged,
                administration_role: Some(administration_role.clone()),
                execution_role: Some(execution_role.clone()),
                auto_deployment: None,
            },
            Permissions::ServiceManaged(auto) => Self {
                model: sdk::PermissionModels::ServiceManaged,
                administration_role: None,
                execution_role: None,
                auto_deployment: Some(
                    sdk::AutoDeployment::builder()
                        .enabled(auto.enabled)
                        // The service refuses it where auto-deployment is off.
                        .set_retain_stacks_on_account_removal(
                            auto.enabled.then_some(auto.retain_on_removal),
                        )
                        .build(),
                ),
            },
        }
    }
}

/// The fields of a request that name its instances: accounts, or units, and regions.
pub(super) fn targets(
    product: &Product,
) -> (
    Option<Vec<String>>,
    Option<sdk::DeploymentTargets>,
    Option<Vec<String>>,
) {
    let places: Vec<String> = product.places.iter().cloned().collect();
    let regions = Some(product.regions.iter().cloned().collect());
    if product.is_of_units() {
        let targets = sdk::DeploymentTargets::builder()
            .set_organizational_unit_ids(Some(places))
            .build();
        (None, Some(targets), regions)
    } else {
        (Some(places), None, regions)
    }
}

pub(super) fn preferences(preferences: &Preferences) -> sdk::StackSetOperationPreferences {
    let mut builder = sdk::StackSetOperationPreferences::builder()
        .region_concurrency_type(match preferences.region_concurrency {
            RegionConcurrency::Sequential => sdk::RegionConcurrencyType::Sequential,
            RegionConcurrency::Parallel => sdk::RegionConcurrencyType::Parallel,
        })
        .concurrency_mode(match preferences.concurrency_mode {
            ConcurrencyMode::Strict => sdk::ConcurrencyMode::StrictFailureTolerance,
            ConcurrencyMode::Soft => sdk::ConcurrencyMode::SoftFailureTolerance,
        });
    if !preferences.region_order.is_empty() {
        builder = builder.set_region_order(Some(preferences.region_order.clone()));
    }
    let count = |count: u32| i32::try_from(count).unwrap_or(i32::MAX);
    builder = match preferences.failure_tolerance {
        Amount::Count(amount) => builder.failure_tolerance_count(count(amount)),
        Amount::Percent(amount) => builder.failure_tolerance_percentage(amount.into()),
    };
    match preferences.max_concurrent {
        Amount::Count(amount) => builder.max_concurrent_count(count(amount)),
        Amount::Percent(amount) => builder.max_concurrent_percentage(amount.into()),
    }
    .build()
}

/// The id that the service answers with: the one that it was given, unless it made one of its own.
pub(super) fn operation_id(answered: Option<&str>, given: &str) -> String {
    answered.unwrap_or(given).to_owned()
}

pub(super) fn stack_set(set: &sdk::StackSet) -> StackSet {
    let permissions = if set.permission_model() == Some(&sdk::PermissionModels::ServiceManaged) {
        let auto = set.auto_deployment();
        Permissions::ServiceManaged(AutoDeployment {
            enabled: auto.and_then(sdk::AutoDeployment::enabled).unwrap_or(false),
            retain_on_removal: auto
                .and_then(sdk::AutoDeployment::retain_stacks_on_account_removal)
                .unwrap_or(false),
        })
    } else {
        Permissions::SelfManaged {
            administration_role: text(set.administration_role_arn()),
            execution_role: text(set.execution_role_name()),
        }
    };
    let details = set.stack_set_drift_detection_details();
    let count = |value: Option<i32>| value.and_then(|n| u32::try_from(n).ok()).unwrap_or(0);
    StackSet {
        name: text(set.stack_set_name()),
        id: text(set.stack_set_id()),
        status: StackSetStatus::parse(set.status().map_or("UNKNOWN", |status| status.as_str())),
        definition: StackSetDefinition {
            template_body: text(set.template_body()),
            parameters: values(set.parameters()),
            tags: set
                .tags()
                .iter()
                .map(|tag| (text(tag.key()), text(tag.value())))
                .collect(),
            capabilities: set
                .capabilities()
                .iter()
                .map(|capability| capability.as_str().to_owned())
                .collect(),
            permissions,
        },
        drift: details
            .map(|details| SetDrift {
                status: details
                    .drift_status()
                    .map(|status| DriftStatus::parse(status.as_str()))
                    .unwrap_or_default(),
                drifted: count(details.drifted_stack_instances_count()),
                in_sync: count(details.in_sync_stack_instances_count()),
                failed: count(details.failed_stack_instances_count()),
                in_progress: count(details.in_progress_stack_instances_count()),
            })
            .unwrap_or_default(),
    }
}

pub(super) fn summary(summary: &sdk::StackSetSummary, call_as: CallAs) -> StackSetSummary {
    StackSetSummary {
        address: StackSetAddress {
            name: text(summary.stack_set_name()),
            call_as,
        },
        id: text(summary.stack_set_id()),
        status: StackSetStatus::parse(
            summary
                .status()
                .map_or("UNKNOWN", sdk::StackSetStatus::as_str),
        ),
        service_managed: summary.permission_model() == Some(&sdk::PermissionModels::ServiceManaged),
    }
}

pub(super) fn instance(summary: &sdk::StackInstanceSummary) -> StackInstance {
    StackInstance {
        pair: Pair::new(text(summary.account()), text(summary.region())),
        organizational_unit: optional(summary.organizational_unit_id()),
        stack_id: optional(summary.stack_id()),
        status: InstanceStatus::parse(
            summary
                .status()
                .map_or("UNKNOWN", sdk::StackInstanceStatus::as_str),
        ),
        detailed: summary
            .stack_instance_status()
            .and_then(sdk::StackInstanceComprehensiveStatus::detailed_status)
            .map(|status| DetailedStatus::parse(status.as_str())),
        reason: optional(summary.status_reason()),
        drift: summary
            .drift_status()
            .map(|status| DriftStatus::parse(status.as_str()))
            .unwrap_or_default(),
    }
}

pub(super) fn operation_summary(summary: &sdk::StackSetOperationSummary) -> StackSetOperation {
    StackSetOperation {
        id: text(summary.operation_id()),
        action: action(summary.action()),
        status: status(summary.status()),
        reason: optional(summary.status_reason()),
        created_at: time(summary.creation_timestamp()),
        ended_at: time(summary.end_timestamp()),
    }
}

pub(super) fn operation(operation: &sdk::StackSetOperation) -> StackSetOperation {
    StackSetOperation {
        id: text(operation.operation_id()),
        action: action(operation.action()),
        status: status(operation.status()),
        reason: optional(operation.status_reason()),
        created_at: time(operation.creation_timestamp()),
        ended_at: time(operation.end_timestamp()),
    }
}

pub(super) fn result(summary: &sdk::StackSetOperationResultSummary) -> OperationResult {
    // An account's gate that refuses is the reason, where the result has none of its own.
    let gate = summary
        .account_gate_result()
        .filter(|gate| gate.status() == Some(&sdk::AccountGateStatus::Failed))
        .map(|gate| {
            format!(
                "the account's gate refused: {}",
                gate.status_reason().unwrap_or("no reason given")
            )
        });
    OperationResult {
        pair: Pair::new(text(summary.account()), text(summary.region())),
        status: ResultStatus::parse(
            summary
                .status()
                .map_or("UNKNOWN", sdk::StackSetOperationResultStatus::as_str),
        ),
        reason: optional(summary.status_reason()).or(gate),
    }
}

pub(super) fn resource_drift(drift: &sdk::StackInstanceResourceDriftsSummary) -> ResourceDrift {
    ResourceDrift {
        logical_id: text(drift.logical_resource_id()),
        physical_id: text(drift.physical_resource_id()),
        resource_type: text(drift.resource_type()),
        status: drift
            .stack_resource_drift_status()
            .map_or("UNKNOWN", sdk::StackResourceDriftStatus::as_str)
            .to_owned(),
        differences: drift
            .property_differences()
            .iter()
            .map(|difference| {
                (
                    text(difference.property_path()),
                    text(difference.expected_value()),
                    text(difference.actual_value()),
                )
            })
            .collect(),
    }
}

fn action(action: Option<&sdk::StackSetOperationAction>) -> OperationAction {
    OperationAction::parse(action.map_or("UNKNOWN", sdk::StackSetOperationAction::as_str))
}

fn status(status: Option<&sdk::StackSetOperationStatus>) -> OperationStatus {
    OperationStatus::parse(status.map_or("UNKNOWN", sdk::StackSetOperationStatus::as_str))
}

fn text(value: Option<&str>) -> String {
    value.unwrap_or_default().to_owned()
}

fn optional(value: Option<&str>) -> Option<String> {
    value.filter(|value| !value.is_empty()).map(str::to_owned)
}

fn time(value: Option<&aws_smithy_types::DateTime>) -> Option<OffsetDateTime> {
    value.and_then(|time| OffsetDateTime::from_unix_timestamp_nanos(time.as_nanos()).ok())
}
