use async_trait::async_trait;
use aws_sdk_cloudwatch::Client;
use aws_sdk_cloudwatch::types::{AlarmType, Dimension, Metric, MetricDataQuery, MetricStat};
use aws_smithy_types::DateTime;
use time::Date;

use super::super::config::{SdkConfig, cloud_error};
use crate::cloud::billing::{MetricRequest, Metrics};
use crate::cloud::{Alarms, CloudError};

const SECONDS_OF_DAY: i32 = 86_400;

/// [`Metrics`] on CloudWatch.
#[derive(Clone, Debug)]
pub struct CloudWatch {
    client: Client,
}

impl CloudWatch {
    /// A client for this configuration.
    pub fn new(config: &SdkConfig) -> Self {
        Self {
            client: Client::new(config),
        }
    }

    pub(in crate::aws) fn client(&self) -> &Client {
        &self.client
    }

    /// A client that a test made.
    #[cfg(test)]
    pub(in crate::aws) fn from_client(client: Client) -> Self {
        Self { client }
    }
}

#[async_trait]
impl Metrics for CloudWatch {
    async fn daily_values(
        &self,
        metric: &MetricRequest,
        until: Date,
        days: u16,
    ) -> Result<Vec<f64>, CloudError> {
        let end = until.midnight().assume_utc().unix_timestamp();
        let start = end - i64::from(days) * i64::from(SECONDS_OF_DAY);
        let dimensions = (metric.dimensions.iter())
            .map(|(name, value)| Dimension::builder().name(*name).value(value).build());
        let wanted = Metric::builder()
            .namespace(metric.namespace)
            .metric_name(metric.name)
            .set_dimensions(Some(dimensions.collect()))
            .build();
        let averaged = MetricStat::builder()
            .metric(wanted)
            .period(SECONDS_OF_DAY)
            .stat(metric.statistic)
            .build();
        let query = MetricDataQuery::builder()
            .id("m")
            .metric_stat(averaged)
            .build();
        let mut pages = self
            .client
            .get_metric_data()
            .metric_data_queries(query)
            .start_time(DateTime::from_secs(start))
            .end_time(DateTime::from_secs(end))
            .into_paginator()
            .send();
        let mut values = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| cloud_error("cloudwatch:GetMetricData", &error))?;
            for result in page.metric_data_results() {
                values.extend_from_slice(result.values());
            }
        }
        Ok(values)
    }
}

#[async_trait]
impl Alarms for CloudWatch {
    async fn alarm_state(&self, name: &str) -> Result<Option<String>, CloudError> {
        let answer = self
            .client
            .describe_alarms()
            .alarm_names(name)
            .alarm_types(AlarmType::MetricAlarm)
            .alarm_types(AlarmType::CompositeAlarm)
            .send()
            .await
            .map_err(|error| cloud_error("cloudwatch:DescribeAlarms", &error))?;
        let metric = answer.metric_alarms().iter().map(|one| one.state_value());
        let composite = answer
            .composite_alarms()
            .iter()
            .map(|one| one.state_value());
        let state = metric.chain(composite).flatten().next();
        Ok(state.map(|state| state.as_str().to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_cloudwatch::operation::describe_alarms::{
        DescribeAlarmsError, DescribeAlarmsOutput,
    };
    use aws_sdk_cloudwatch::types::{CompositeAlarm, MetricAlarm, StateValue};
    use aws_smithy_mocks::{RuleMode, mock, mock_client};
    use aws_smithy_types::error::ErrorMetadata;

    use super::*;

    #[tokio::test]
    async fn an_alarm_of_either_kind_has_a_state() {
        let metric = MetricAlarm::builder()
            .state_value(StateValue::Alarm)
            .build();
        let composite = CompositeAlarm::builder()
            .state_value(StateValue::InsufficientData)
            .build();
        let none = DescribeAlarmsOutput::builder();
        for (answer, expected) in [
            (none.clone().metric_alarms(metric), Some("ALARM")),
            (
                none.clone().composite_alarms(composite),
                Some("INSUFFICIENT_DATA"),
            ),
            (none, None),
        ] {
            let answer = answer.build();
            let rule = mock!(Client::describe_alarms)
                .match_requests(|request| request.alarm_names() == ["a"])
                .then_output(move || answer.clone());
            let client = mock_client!(aws_sdk_cloudwatch, RuleMode::MatchAny, &[&rule]);
            let state = CloudWatch::from_client(client).alarm_state("a").await;
            assert_eq!(state.unwrap().as_deref(), expected);
        }
        let denied = mock!(Client::describe_alarms).then_error(|| {
            let metadata = ErrorMetadata::builder().code("AccessDenied").build();
            DescribeAlarmsError::generic(metadata)
        });
        let client = mock_client!(aws_sdk_cloudwatch, RuleMode::MatchAny, &[&denied]);
        let error = CloudWatch::from_client(client).alarm_state("a").await;
        assert_eq!(error.unwrap_err().code(), Some("AccessDenied"));
    }
}
