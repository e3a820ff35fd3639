use async_trait::async_trait;
use aws_sdk_freetier::Client;
use aws_sdk_freetier::config::Builder;
use aws_sdk_freetier::operation::get_account_plan_state::GetAccountPlanStateError;
use aws_smithy_types::date_time::Format;

use super::super::config::{SdkConfig, cloud_error};
use crate::cloud::CloudError;
use crate::cloud::billing::{AccountPlan, FreeTierUse, FreeUse};

/// [`FreeTierUse`] on the free tier's own service.
#[derive(Clone, Debug)]
pub struct FreeTier {
    client: Client,
}

impl FreeTier {
    /// A client for this configuration.
    pub fn new(config: &SdkConfig) -> Self {
        let config = Builder::from(config).region(super::home()).build();
        Self {
            client: Client::from_conf(config),
        }
    }
}

#[async_trait]
impl FreeTierUse for FreeTier {
    async fn free_use(&self) -> Result<Vec<FreeUse>, CloudError> {
        let mut pages = self
            .client
            .get_free_tier_usage()
            .into_paginator()
            .items()
            .send();
        let mut uses = Vec::new();
        while let Some(offer) = pages.next().await {
            let offer = offer.map_err(|error| cloud_error("freetier:GetFreeTierUsage", &error))?;
            uses.push(FreeUse {
                service: offer.service.unwrap_or_default(),
                usage_type: offer.usage_type.unwrap_or_default(),
                unit: offer.unit.unwrap_or_default(),
                actual: offer.actual_usage_amount,
                forecast: offer.forecasted_usage_amount,
                limit: offer.limit,
                kind: offer.free_tier_type.unwrap_or_default(),
            });
        }
        Ok(uses)
    }

    async fn account_plan(&self) -> Result<Option<AccountPlan>, CloudError> {
        match self.client.get_account_plan_state().send().await {
            Ok(answer) => Ok(Some(AccountPlan {
                kind: answer.account_plan_type().as_str().to_owned(),
                credits: (answer.account_plan_remaining_credits())
                    .map(|credits| credits.amount().to_string()),
                ends: (answer.account_plan_expiration_date())
                    .and_then(|date| date.fmt(Format::DateTime).ok())
                    .map(|date| date.split('T').next().unwrap_or_default().to_owned()),
            })),
            // How the service says that the account is older than the plans; any other failure is one.
            Err(error)
                if (error.as_service_error())
                    .is_some_and(GetAccountPlanStateError::is_resource_not_found_exception) =>
            {
                Ok(None)
            }
            Err(error) => Err(cloud_error("freetier:GetAccountPlanState", &error)),
        }
    }
}
