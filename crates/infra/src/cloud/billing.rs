//! What AWS tells of money: bills, budgets, free-tier use, metrics and prices. All of it only reads.
//!
//! Amounts and quantities stay the decimal texts that AWS sends: whoever adds them up does so in decimals.

use std::collections::BTreeMap;

use async_trait::async_trait;
use time::Date;

use super::CloudError;

/// What Cost Explorer takes for each request, in USD.
///
/// See [pricing](https://aws.amazon.com/aws-cost-management/aws-cost-explorer/pricing/).
pub const COST_EXPLORER_CALL_USD: &str = "0.01";

/// What a day cost, by service and stack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spend {
    /// The day, as `2026-11-24`.
    pub day: String,
    /// The service, as bills call it: `AWS Lambda`.
    pub service: String,
    /// The value of the tag `stack`; empty for what bears none.
    pub stack: String,
    /// The amount, in USD.
    pub amount: String,
}

/// How much of a usage type was used, and what it cost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsageSpend {
    /// The usage type: `EUW2-Lambda-GB-Second`.
    pub usage_type: String,
    /// The quantity.
    pub quantity: String,
    /// The amount, in USD.
    pub amount: String,
}

/// Tags by key, each with the values that count.
pub type Tags = BTreeMap<String, Vec<String>>;

/// Cost Explorer. Each call costs [`COST_EXPLORER_CALL_USD`], and so does each further page.
#[async_trait]
pub trait Bills: Send + Sync {
    /// The days from `from` on, before `until`, of what bears each of these tags with one of its values.
    async fn daily_spend(
        &self,
        tags: &Tags,
        from: Date,
        until: Date,
    ) -> Result<Vec<Spend>, CloudError>;

    /// The same period by usage type.
    async fn usage_spend(
        &self,
        tags: &Tags,
        from: Date,
        until: Date,
    ) -> Result<Vec<UsageSpend>, CloudError>;

    /// What Cost Explorer expects for the days from `from` on, before `until`; `None` where it has too little to go by.
    async fn forecast(
        &self,
        tags: &Tags,
        from: Date,
        until: Date,
    ) -> Result<Option<String>, CloudError>;
}

/// How much of a free-tier offer this month has used.
#[derive(Clone, Debug, PartialEq)]
pub struct FreeUse {
    /// The service.
    pub service: String,
    /// The usage type.
    pub usage_type: String,
    /// What the numbers count.
    pub unit: String,
    /// Used so far.
    pub actual: f64,
    /// Expected at the month's end.
    pub forecast: f64,
    /// Free in a month.
    pub limit: f64,
    /// `Always Free`, `12 Months Free`.
    pub kind: String,
}

/// The plan of an account that was opened since 15 July 2025.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountPlan {
    /// `FREE` or `PAID`.
    pub kind: String,
    /// What is left of its credits, in USD, where there are some.
    pub credits: Option<String>,
    /// The day on which the free plan ends, where it does.
    pub ends: Option<String>,
}

/// The free tier's own service.
#[async_trait]
pub trait FreeTierUse: Send + Sync {
    /// The offers that this month uses.
    async fn free_use(&self) -> Result<Vec<FreeUse>, CloudError>;
    /// The account's plan; `None` for an account of before the plans.
    async fn account_plan(&self) -> Result<Option<AccountPlan>, CloudError>;
}

/// A budget of the account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Its name.
    pub name: String,
    /// `MONTHLY`, `DAILY`, …
    pub period: String,
    /// Its limit, in USD, where it has one.
    pub limit: Option<String>,
    /// Spent so far.
    pub actual: Option<String>,
    /// Expected at the period's end.
    pub forecast: Option<String>,
}

/// AWS Budgets.
#[async_trait]
pub trait Budgets: Send + Sync {
    /// The cost budgets of the account.
    async fn budgets(&self, account: &str) -> Result<Vec<Budget>, CloudError>;
}

/// A metric of CloudWatch, summed up or averaged over days.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MetricRequest {
    /// `AWS/Lambda`.
    pub namespace: &'static str,
    /// `Invocations`.
    pub name: &'static str,
    /// Its dimensions, such as `FunctionName` and the name.
    pub dimensions: Vec<(&'static str, String)>,
    /// `Sum` or `Average`, of each day.
    pub statistic: &'static str,
}

/// CloudWatch's metrics.
#[async_trait]
pub trait Metrics: Send + Sync {
    /// One value for each of the last `days` days that has one; nothing for a metric that nothing wrote.
    async fn daily_values(
        &self,
        metric: &MetricRequest,
        until: Date,
        days: u16,
    ) -> Result<Vec<f64>, CloudError>;
}

/// The Price List Query API.
#[async_trait]
pub trait PriceLists: Send + Sync {
    /// The products of a service in a region, each as the JSON text that AWS sends.
    async fn products(&self, service: &str, region: &str) -> Result<Vec<String>, CloudError>;
}
