use async_trait::async_trait;
use aws_sdk_budgets::Client;
use aws_sdk_budgets::config::Builder;
use aws_sdk_budgets::types::{BudgetType, Spend};

use super::super::config::{SdkConfig, cloud_error};
use crate::cloud::CloudError;
use crate::cloud::billing::{Budget, Budgets};

/// [`Budgets`] on AWS Budgets.
#[derive(Clone, Debug)]
pub struct AwsBudgets {
    client: Client,
}

impl AwsBudgets {
    /// A client for this configuration.
    pub fn new(config: &SdkConfig) -> Self {
        let config = Builder::from(config).region(super::home()).build();
        Self {
            client: Client::from_conf(config),
        }
    }
}

#[async_trait]
impl Budgets for AwsBudgets {
    async fn budgets(&self, account: &str) -> Result<Vec<Budget>, CloudError> {
        let mut pages = self
            .client
            .describe_budgets()
            .account_id(account)
            .into_paginator()
            .items()
            .send();
        let mut budgets = Vec::new();
        while let Some(budget) = pages.next().await {
            let budget = budget.map_err(|error| cloud_error("budgets:DescribeBudgets", &error))?;
            if *budget.budget_type() != BudgetType::Cost {
                continue;
            }
            let amount = |spend: Option<&Spend>| spend.map(|spend| spend.amount().to_owned());
            let spent = budget.calculated_spend();
            budgets.push(Budget {
                name: budget.budget_name().to_owned(),
                period: budget.time_unit().as_str().to_owned(),
                limit: amount(budget.budget_limit()),
                actual: amount(spent.and_then(|spent| spent.actual_spend())),
                forecast: amount(spent.and_then(|spent| spent.forecasted_spend())),
            });
        }
        Ok(budgets)
    }
}
