use std::collections::BTreeSet;

use async_trait::async_trait;
use aws_sdk_iam::Client;
use aws_sdk_iam::types::PolicyEvaluationDecisionType;

use super::config::{SdkConfig, cloud_error};
use crate::cloud::{CloudError, Permissions};

/// How many actions are asked for at once, well inside the limit of a call's length.
const BATCH: usize = 50;

/// [`Permissions`] on IAM.
#[derive(Clone, Debug)]
pub struct Iam {
    client: Client,
}

impl Iam {
    /// A client for this configuration.
    pub fn new(config: &SdkConfig) -> Self {
        Self {
            client: Client::new(config),
        }
    }
}

#[async_trait]
impl Permissions for Iam {
    async fn role_arn(&self, name: &str) -> Result<String, CloudError> {
        let answer = self
            .client
            .get_role()
            .role_name(name)
            .send()
            .await
            .map_err(|error| cloud_error("iam:GetRole", &error))?;
        Ok(answer
            .role()
            .map(|role| role.arn().to_owned())
            .unwrap_or_default())
    }

    async fn denied(
        &self,
        principal_arn: &str,
        actions: &[&str],
    ) -> Result<BTreeSet<String>, CloudError> {
        let mut denied = BTreeSet::new();
        for batch in actions.chunks(BATCH) {
            let mut pages = self
                .client
                .simulate_principal_policy()
                .policy_source_arn(principal_arn)
                .set_action_names(Some(batch.iter().map(|name| (*name).to_owned()).collect()))
                .into_paginator()
                .items()
                .send();
            while let Some(result) = pages.next().await {
                let result =
                    result.map_err(|error| cloud_error("iam:SimulatePrincipalPolicy", &error))?;
                if *result.eval_decision() != PolicyEvaluationDecisionType::Allowed {
                    denied.insert(result.eval_action_name().to_owned());
                }
            }
        }
        Ok(denied)
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_iam::operation::simulate_principal_policy::SimulatePrincipalPolicyOutput;
    use aws_sdk_iam::types::EvaluationResult;
    use aws_smithy_mocks::{RuleMode, mock, mock_client};

    use super::*;

    #[tokio::test]
    async fn every_page_and_batch_is_read() {
        let answer = |action: &str, decision, marker: Option<&str>| {
            let result = EvaluationResult::builder()
                .eval_action_name(action)
                .eval_decision(decision)
                .build()
                .unwrap();
            SimulatePrincipalPolicyOutput::builder()
                .evaluation_results(result)
                .is_truncated(marker.is_some())
                .set_marker(marker.map(str::to_owned))
                .build()
        };
        let allowed = answer("a:1", PolicyEvaluationDecisionType::Allowed, Some("more"));
        let denied = answer("a:2", PolicyEvaluationDecisionType::ExplicitDeny, None);
        let last = answer("a:51", PolicyEvaluationDecisionType::ImplicitDeny, None);
        let first = mock!(Client::simulate_principal_policy)
            .match_requests(|request| {
                request.action_names().len() == BATCH && request.marker().is_none()
            })
            .then_output(move || allowed.clone());
        let second = mock!(Client::simulate_principal_policy)
            .match_requests(|request| request.marker() == Some("more"))
            .then_output(move || denied.clone());
        let third = mock!(Client::simulate_principal_policy)
            .match_requests(|request| request.action_names().len() == 1)
            .then_output(move || last.clone());
        let iam = Iam {
            client: mock_client!(aws_sdk_iam, RuleMode::MatchAny, &[&first, &second, &third]),
        };
        let names: Vec<String> = (1..=51).map(|number| format!("a:{number}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let denied = iam.denied("arn", &names).await.unwrap();
        assert_eq!(denied.into_iter().collect::<Vec<_>>(), ["a:2", "a:51"]);
    }
}
