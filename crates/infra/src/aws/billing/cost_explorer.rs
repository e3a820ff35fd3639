use async_trait::async_trait;
use aws_sdk_costexplorer::Client;
use aws_sdk_costexplorer::config::Builder;
use aws_sdk_costexplorer::error::BuildError;
use aws_sdk_costexplorer::operation::get_cost_forecast::GetCostForecastError;
use aws_sdk_costexplorer::types::{
    DateInterval, Expression, Granularity, Group, GroupDefinition, GroupDefinitionType, Metric,
    ResultByTime, TagValues,
};
use time::Date;

use super::super::config::{SdkConfig, cloud_error};
use super::day;
use crate::cloud::CloudError;
use crate::cloud::billing::{Bills, Spend, Tags, UsageSpend};

const USAGE: &str = "ce:GetCostAndUsage";
const FORECAST: &str = "ce:GetCostForecast";

/// Before discounts and credits are spread: what the line itself costs.
const COST: &str = "UnblendedCost";
const QUANTITY: &str = "UsageQuantity";

/// [`Bills`] on Cost Explorer.
#[derive(Clone, Debug)]
pub struct CostExplorer {
    client: Client,
}

impl CostExplorer {
    /// A client for this configuration.
    pub fn new(config: &SdkConfig) -> Self {
        let config = Builder::from(config).region(super::home()).build();
        Self {
            client: Client::from_conf(config),
        }
    }

    async fn results(
        &self,
        tags: &Tags,
        period: DateInterval,
        granularity: Granularity,
        groups: Vec<GroupDefinition>,
    ) -> Result<Vec<ResultByTime>, CloudError> {
        let mut results = Vec::new();
        let mut token = None;
        loop {
            let page = self
                .client
                .get_cost_and_usage()
                .time_period(period.clone())
                .granularity(granularity.clone())
                .metrics(COST)
                .metrics(QUANTITY)
                .set_filter(filter(tags))
                .set_group_by(Some(groups.clone()))
                .set_next_page_token(token)
                .send()
                .await
                .map_err(|error| cloud_error(USAGE, &error))?;
            results.extend(page.results_by_time.unwrap_or_default());
            token = page.next_page_token;
            if token.is_none() {
                return Ok(results);
            }
        }
    }
}

#[async_trait]
impl Bills for CostExplorer {
    async fn daily_spend(
        &self,
        tags: &Tags,
        from: Date,
        until: Date,
    ) -> Result<Vec<Spend>, CloudError> {
        let groups = vec![
            group(GroupDefinitionType::Dimension, "SERVICE"),
            group(GroupDefinitionType::Tag, "stack"),
        ];
        let period = period(from, until)?;
        let results = self
            .results(tags, period, Granularity::Daily, groups)
            .await?;
        let mut spend = Vec::new();
        for result in results {
            let start = result.time_period().map(|period| period.start().to_owned());
            for group in result.groups() {
                let keys = group.keys();
                // A tag's key comes as `stack$table`; without the tag, as `stack$`.
                let stack = keys
                    .get(1)
                    .and_then(|key| key.split_once('$'))
                    .map_or("", |(_, stack)| stack);
                spend.push(Spend {
                    day: start.clone().unwrap_or_default(),
                    service: keys.first().cloned().unwrap_or_default(),
                    stack: stack.to_owned(),
                    amount: metric(group, COST),
                });
            }
        }
        Ok(spend)
    }

    async fn usage_spend(
        &self,
        tags: &Tags,
        from: Date,
        until: Date,
    ) -> Result<Vec<UsageSpend>, CloudError> {
        let groups = vec![group(GroupDefinitionType::Dimension, "USAGE_TYPE")];
        let period = period(from, until)?;
        let results = self
            .results(tags, period, Granularity::Monthly, groups)
            .await?;
        Ok((results.iter())
            .flat_map(ResultByTime::groups)
            .map(|group| UsageSpend {
                usage_type: group.keys().first().cloned().unwrap_or_default(),
                quantity: metric(group, QUANTITY),
                amount: metric(group, COST),
            })
            .collect())
    }

    async fn forecast(
        &self,
        tags: &Tags,
        from: Date,
        until: Date,
    ) -> Result<Option<String>, CloudError> {
        let answer = self
            .client
            .get_cost_forecast()
            .time_period(period(from, until)?)
            .granularity(Granularity::Monthly)
            .metric(Metric::UnblendedCost)
            .set_filter(filter(tags))
            .send()
            .await;
        match answer {
            Ok(answer) => Ok(answer.total.and_then(|total| total.amount)),
            // What an account of a few days gets; any other failure is one.
            Err(error)
                if (error.as_service_error())
                    .is_some_and(GetCostForecastError::is_data_unavailable_exception) =>
            {
                Ok(None)
            }
            Err(error) => Err(cloud_error(FORECAST, &error)),
        }
    }
}

fn filter(tags: &Tags) -> Option<Expression> {
    let mut each = (tags.iter()).map(|(key, values)| {
        let tag = TagValues::builder()
            .key(key)
            .set_values(Some(values.clone()))
            .build();
        Expression::builder().tags(tag).build()
    });
    match tags.len() {
        // `And` of one is refused.
        0 | 1 => each.next(),
        _ => Some(Expression::builder().set_and(Some(each.collect())).build()),
    }
}

fn group(kind: GroupDefinitionType, key: &str) -> GroupDefinition {
    GroupDefinition::builder().r#type(kind).key(key).build()
}

fn period(from: Date, until: Date) -> Result<DateInterval, CloudError> {
    (DateInterval::builder()
        .start(day(from))
        .end(day(until))
        .build())
    .map_err(|problem: BuildError| CloudError::Refused {
        operation: USAGE,
        code: "InvalidPeriod".to_owned(),
        message: problem.to_string(),
    })
}

fn metric(group: &Group, name: &str) -> String {
    (group.metrics())
        .and_then(|metrics| metrics.get(name)?.amount())
        .unwrap_or("0")
        .to_owned()
}
