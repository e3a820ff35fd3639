mod convert;
#[cfg(test)]
mod tests;

use async_trait::async_trait;
use aws_sdk_cloudformation::Client;
use aws_sdk_cloudformation::types::{self as sdk, StackResourceDriftStatus};

use super::config::{SdkConfig, cloud_error};
use crate::cloud::CloudError;
use crate::cloud::stack_sets::{InstancesRequest, StackSetUpdate, StackSets, codes};
use crate::stack_set::{
    CallAs, DriftStatus, InstanceDrift, OperationResult, Overrides, Pair, Preferences,
    StackInstance, StackSet, StackSetAddress, StackSetDefinition, StackSetOperation,
    StackSetSummary,
};
use convert::{Permission, targets};

/// [`StackSets`] on CloudFormation.
#[derive(Clone, Debug)]
pub struct CloudFormationStackSets {
    client: Client,
}

impl CloudFormationStackSets {
    /// A client for this configuration. Stack sets live in the region that it names, whatever regions they reach.
    pub fn new(config: &SdkConfig) -> Self {
        Self {
            client: Client::new(config),
        }
    }
}

/// Sends a request, and turns what the SDK says into an error of ours under the operation's name.
macro_rules! send {
    ($operation:literal, $request:expr) => {
        $request
            .send()
            .await
            .map_err(|error| cloud_error(concat!("cloudformation:", $operation), &error))
    };
}

/// Reads every page, for operations that the SDK has a paginator for.
macro_rules! all_pages {
    ($operation:literal, $request:expr, $items:ident, $convert:expr) => {{
        let mut pages = $request.into_paginator().send();
        let mut all = Vec::new();
        while let Some(page) = pages.next().await {
            let page =
                page.map_err(|error| cloud_error(concat!("cloudformation:", $operation), &error))?;
            all.extend(page.$items().iter().filter_map($convert));
        }
        Ok(all)
    }};
}

/// The one code by which the service says that a thing is not there; any other failure is a failure.
fn absent_where<T>(code: &str, result: Result<T, CloudError>) -> Result<Option<T>, CloudError> {
    match result {
        Ok(answer) => Ok(Some(answer)),
        Err(error) if error.code() == Some(code) => Ok(None),
        Err(error) => Err(error),
    }
}

#[async_trait]
impl StackSets for CloudFormationStackSets {
    async fn describe_stack_set(
        &self,
        at: &StackSetAddress,
    ) -> Result<Option<StackSet>, CloudError> {
        let answer = absent_where(
            codes::NOT_FOUND,
            send!(
                "DescribeStackSet",
                self.client
                    .describe_stack_set()
                    .stack_set_name(&at.name)
                    .call_as(convert::call_as(at.call_as))
            ),
        )?;
        Ok(answer.and_then(|answer| answer.stack_set.as_ref().map(convert::stack_set)))
    }

    async fn stack_sets(&self, call_as: CallAs) -> Result<Vec<StackSetSummary>, CloudError> {
        all_pages!(
            "ListStackSets",
            self.client
                .list_stack_sets()
                .status(sdk::StackSetStatus::Active)
                .call_as(convert::call_as(call_as)),
            summaries,
            // Some emulators list deleted sets whatever was asked.
            |summary| (summary.status() != Some(&sdk::StackSetStatus::Deleted))
                .then(|| convert::summary(summary, call_as))
        )
    }

    async fn create_stack_set(
        &self,
        at: &StackSetAddress,
        definition: &StackSetDefinition,
        token: &str,
    ) -> Result<(), CloudError> {
        let permission = Permission::new(&definition.permissions);
        send!(
            "CreateStackSet",
            self.client
                .create_stack_set()
                .stack_set_name(&at.name)
                .template_body(&definition.template_body)
                .set_parameters(Some(convert::parameters(&definition.parameters)))
                .set_tags(Some(convert::tags(&definition.tags)))
                .set_capabilities(Some(convert::capabilities(&definition.capabilities)))
                .permission_model(permission.model)
                .set_administration_role_arn(permission.administration_role)
                .set_execution_role_name(permission.execution_role)
                .set_auto_deployment(permission.auto_deployment)
                .call_as(convert::call_as(at.call_as))
                .client_request_token(token)
        )?;
        Ok(())
    }

    async fn update_stack_set(
        &self,
        at: &StackSetAddress,
        update: &StackSetUpdate,
    ) -> Result<String, CloudError> {
        let definition = &update.definition;
        let permission = Permission::new(&definition.permissions);
        let (accounts, units, regions) = match &update.on {
            Some(product) => targets(product),
            None => (None, None, None),
        };
        // The service refuses auto-deployment beside targets.
        let auto_deployment = permission.auto_deployment.filter(|_| update.on.is_none());
        let answer = send!(
            "UpdateStackSet",
            self.client
                .update_stack_set()
                .stack_set_name(&at.name)
                .template_body(&definition.template_body)
                .set_parameters(Some(convert::parameters(&definition.parameters)))
                .set_tags(Some(convert::tags(&definition.tags)))
                .set_capabilities(Some(convert::capabilities(&definition.capabilities)))
                .permission_model(permission.model)
                .set_administration_role_arn(permission.administration_role)
                .set_execution_role_name(permission.execution_role)
                .set_auto_deployment(auto_deployment)
                .set_accounts(accounts)
                .set_deployment_targets(units)
                .set_regions(regions)
                .operation_preferences(convert::preferences(&update.preferences))
                .operation_id(&update.operation_id)
                .call_as(convert::call_as(at.call_as))
        )?;
        Ok(convert::operation_id(
            answer.operation_id(),
            &update.operation_id,
        ))
    }

    async fn delete_stack_set(&self, at: &StackSetAddress) -> Result<(), CloudError> {
        absent_where(
            codes::NOT_FOUND,
            send!(
                "DeleteStackSet",
                self.client
                    .delete_stack_set()
                    .stack_set_name(&at.name)
                    .call_as(convert::call_as(at.call_as))
            ),
        )?;
        Ok(())
    }

    async fn stack_instances(
        &self,
        at: &StackSetAddress,
    ) -> Result<Vec<StackInstance>, CloudError> {
        all_pages!(
            "ListStackInstances",
            self.client
                .list_stack_instances()
                .stack_set_name(&at.name)
                .max_results(100)
                .call_as(convert::call_as(at.call_as)),
            summaries,
            |summary| Some(convert::instance(summary))
        )
    }

    async fn instance_overrides(
        &self,
        at: &StackSetAddress,
        pair: &Pair,
    ) -> Result<Option<Overrides>, CloudError> {
        let answer = absent_where(
            codes::INSTANCE_NOT_FOUND,
            send!(
                "DescribeStackInstance",
                self.client
                    .describe_stack_instance()
                    .stack_set_name(&at.name)
                    .stack_instance_account(&pair.place)
                    .stack_instance_region(&pair.region)
                    .call_as(convert::call_as(at.call_as))
            ),
        )?;
        Ok(answer
            .and_then(|answer| answer.stack_instance)
            .map(|instance| convert::values(instance.parameter_overrides())))
    }

    async fn auto_deployment_targets(&self, at: &StackSetAddress) -> Result<Vec<Pair>, CloudError> {
        let mut pairs = Vec::new();
        let mut token = None;
        loop {
            let page = send!(
                "ListStackSetAutoDeploymentTargets",
                self.client
                    .list_stack_set_auto_deployment_targets()
                    .stack_set_name(&at.name)
                    .set_next_token(token)
                    .call_as(convert::call_as(at.call_as))
            )?;
            for target in page.summaries() {
                let unit = target.organizational_unit_id().unwrap_or_default();
                pairs.extend(
                    target
                        .regions()
                        .iter()
                        .map(|region| Pair::new(unit, region)),
                );
            }
            token = page.next_token;
            if token.is_none() {
                return Ok(pairs);
            }
        }
    }

    async fn create_instances(
        &self,
        at: &StackSetAddress,
        request: &InstancesRequest,
    ) -> Result<String, CloudError> {
        let (accounts, units, regions) = targets(&request.on);
        let overrides =
            Some(convert::parameters(&request.overrides)).filter(|overrides| !overrides.is_empty());
        let answer = send!(
            "CreateStackInstances",
            self.client
                .create_stack_instances()
                .stack_set_name(&at.name)
                .set_accounts(accounts)
                .set_deployment_targets(units)
                .set_regions(regions)
                .set_parameter_overrides(overrides)
                .operation_preferences(convert::preferences(&request.preferences))
                .operation_id(&request.operation_id)
                .call_as(convert::call_as(at.call_as))
        )?;
        Ok(convert::operation_id(
            answer.operation_id(),
            &request.operation_id,
        ))
    }

    async fn update_instances(
        &self,
        at: &StackSetAddress,
        request: &InstancesRequest,
    ) -> Result<String, CloudError> {
        let (accounts, units, regions) = targets(&request.on);
        let answer = send!(
            "UpdateStackInstances",
            self.client
                .update_stack_instances()
                .stack_set_name(&at.name)
                .set_accounts(accounts)
                .set_deployment_targets(units)
                .set_regions(regions)
                // An empty list takes every value back; no list would leave them as they are.
                .set_parameter_overrides(Some(convert::parameters(&request.overrides)))
                .operation_preferences(convert::preferences(&request.preferences))
                .operation_id(&request.operation_id)
                .call_as(convert::call_as(at.call_as))
        )?;
        Ok(convert::operation_id(
            answer.operation_id(),
            &request.operation_id,
        ))
    }

    async fn delete_instances(
        &self,
        at: &StackSetAddress,
        request: &InstancesRequest,
        retain_stacks: bool,
    ) -> Result<String, CloudError> {
        let (accounts, units, regions) = targets(&request.on);
        let answer = send!(
            "DeleteStackInstances",
            self.client
                .delete_stack_instances()
                .stack_set_name(&at.name)
                .set_accounts(accounts)
                .set_deployment_targets(units)
                .set_regions(regions)
                .retain_stacks(retain_stacks)
                .operation_preferences(convert::preferences(&request.preferences))
                .operation_id(&request.operation_id)
                .call_as(convert::call_as(at.call_as))
        )?;
        Ok(convert::operation_id(
            answer.operation_id(),
            &request.operation_id,
        ))
    }

    async fn operations(&self, at: &StackSetAddress) -> Result<Vec<StackSetOperation>, CloudError> {
        let all: Result<Vec<StackSetOperation>, CloudError> = all_pages!(
            "ListStackSetOperations",
            self.client
                .list_stack_set_operations()
                .stack_set_name(&at.name)
                .max_results(100)
                .call_as(convert::call_as(at.call_as)),
            summaries,
            |summary| Some(convert::operation_summary(summary))
        );
        let mut all = all?;
        // Which comes first is not promised.
        all.sort_by_key(|operation| std::cmp::Reverse(operation.created_at));
        Ok(all)
    }

    async fn describe_operation(
        &self,
        at: &StackSetAddress,
        operation_id: &str,
    ) -> Result<Option<StackSetOperation>, CloudError> {
        let answer = absent_where(
            codes::OPERATION_NOT_FOUND,
            send!(
                "DescribeStackSetOperation",
                self.client
                    .describe_stack_set_operation()
                    .stack_set_name(&at.name)
                    .operation_id(operation_id)
                    .call_as(convert::call_as(at.call_as))
            ),
        )?;
        Ok(answer
            .and_then(|answer| answer.stack_set_operation)
            .map(|operation| convert::operation(&operation)))
    }

    async fn operation_results(
        &self,
        at: &StackSetAddress,
        operation_id: &str,
    ) -> Result<Vec<OperationResult>, CloudError> {
        all_pages!(
            "ListStackSetOperationResults",
            self.client
                .list_stack_set_operation_results()
                .stack_set_name(&at.name)
                .operation_id(operation_id)
                .max_results(100)
                .call_as(convert::call_as(at.call_as)),
            summaries,
            |summary| Some(convert::result(summary))
        )
    }

    async fn stop_operation(
        &self,
        at: &StackSetAddress,
        operation_id: &str,
    ) -> Result<(), CloudError> {
        send!(
            "StopStackSetOperation",
            self.client
                .stop_stack_set_operation()
                .stack_set_name(&at.name)
                .operation_id(operation_id)
                .call_as(convert::call_as(at.call_as))
        )?;
        Ok(())
    }

    async fn detect_drift(
        &self,
        at: &StackSetAddress,
        preferences: &Preferences,
        operation_id: &str,
    ) -> Result<String, CloudError> {
        let answer = send!(
            "DetectStackSetDrift",
            self.client
                .detect_stack_set_drift()
                .stack_set_name(&at.name)
                .operation_preferences(convert::preferences(preferences))
                .operation_id(operation_id)
                .call_as(convert::call_as(at.call_as))
        )?;
        Ok(convert::operation_id(answer.operation_id(), operation_id))
    }

    async fn instance_drift(
        &self,
        at: &StackSetAddress,
        pair: &Pair,
        operation_id: &str,
    ) -> Result<InstanceDrift, CloudError> {
        let mut resources = Vec::new();
        let mut token = None;
        loop {
            let page = send!(
                "ListStackInstanceResourceDrifts",
                self.client
                    .list_stack_instance_resource_drifts()
                    .stack_set_name(&at.name)
                    .stack_instance_account(&pair.place)
                    .stack_instance_region(&pair.region)
                    .operation_id(operation_id)
                    .stack_instance_resource_drift_statuses(StackResourceDriftStatus::Modified)
                    .stack_instance_resource_drift_statuses(StackResourceDriftStatus::Deleted)
                    .set_next_token(token)
                    .call_as(convert::call_as(at.call_as))
            )?;
            resources.extend(page.summaries().iter().map(convert::resource_drift));
            token = page.next_token;
            if token.is_none() {
                break;
            }
        }
        let status = if resources.is_empty() {
            DriftStatus::InSync
        } else {
            DriftStatus::Drifted
        };
        Ok(InstanceDrift {
            pair: pair.clone(),
            status,
            resources,
        })
    }
}
