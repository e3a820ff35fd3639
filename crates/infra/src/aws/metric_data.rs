//! Metrics over time, in as few calls as CloudWatch takes them.

use async_trait::async_trait;
use aws_sdk_cloudwatch::types::{
    AlarmType, Dimension, Metric, MetricDataQuery, MetricDataResult, MetricStat, ScanBy, StatusCode,
};
use aws_smithy_types::DateTime;
use time::OffsetDateTime;

use super::billing::CloudWatch;
use super::config::cloud_error;
use crate::cloud::{AlarmState, CloudError, MetricData, MetricPoint, MetricQuery, MetricSeries};

/// Queries that one call takes.
///
/// See [GetMetricData](https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html).
const QUERIES: usize = 500;
/// Alarm names that one call takes.
///
/// See [DescribeAlarms](https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarms.html).
const NAMES: usize = 100;

const GET: &str = "cloudwatch:GetMetricData";

fn sdk(query: &MetricQuery, position: usize) -> MetricDataQuery {
    let dimensions = (query.dimensions.iter())
        .map(|(name, value)| Dimension::builder().name(name).value(value).build());
    let metric = Metric::builder()
        .namespace(&query.namespace)
        .metric_name(&query.name)
        .set_dimensions(Some(dimensions.collect()))
        .build();
    let stat = MetricStat::builder()
        .metric(metric)
        .period(i32::try_from(query.period).unwrap_or(i32::MAX))
        .stat(&query.statistic)
        .build();
    MetricDataQuery::builder()
        .id(format!("m{position}"))
        .metric_stat(stat)
        .build()
}

/// Adds a page's part of a series.
fn add(series: &mut MetricSeries, result: &MetricDataResult) {
    let points = (result.timestamps().iter().zip(result.values())).filter_map(|(at, value)| {
        let at = moment(*at)?;
        Some(MetricPoint { at, value: *value })
    });
    series.points.extend(points);
    series.incomplete = match result.status_code() {
        // A page with a next one is partial; the last one decides.
        None | Some(StatusCode::Complete) => None,
        Some(code) => {
            let said = (result.messages().iter()).filter_map(|message| message.value());
            let said: Vec<_> = [code.as_str()].into_iter().chain(said).collect();
            Some(said.join(": "))
        }
    };
}

fn moment(at: DateTime) -> Option<OffsetDateTime> {
    OffsetDateTime::from_unix_timestamp(at.secs()).ok()
}

#[async_trait]
impl MetricData for CloudWatch {
    async fn metric_series(
        &self,
        queries: &[MetricQuery],
        from: OffsetDateTime,
        until: OffsetDateTime,
    ) -> Result<Vec<MetricSeries>, CloudError> {
        let mut all = vec![MetricSeries::default(); queries.len()];
        for (part, queries) in all.chunks_mut(QUERIES).zip(queries.chunks(QUERIES)) {
            let wanted = queries.iter().enumerate();
            let mut pages = self
                .client()
                .get_metric_data()
                .set_metric_data_queries(Some(wanted.map(|(at, query)| sdk(query, at)).collect()))
                .start_time(DateTime::from_secs(from.unix_timestamp()))
                .end_time(DateTime::from_secs(until.unix_timestamp()))
                .scan_by(ScanBy::TimestampAscending)
                .into_paginator()
                .send();
            while let Some(page) = pages.next().await {
                let page = page.map_err(|error| cloud_error(GET, &error))?;
                for result in page.metric_data_results() {
                    let at = result
                        .id()
                        .and_then(|id| id.strip_prefix('m')?.parse().ok());
                    if let Some(series) = at.and_then(|at: usize| part.get_mut(at)) {
                        add(series, result);
                    }
                }
            }
        }
        for series in &mut all {
            series.points.sort_by_key(|point| point.at);
        }
        Ok(all)
    }

    async fn alarm_states(&self, names: &[String]) -> Result<Vec<AlarmState>, CloudError> {
        let mut states = Vec::new();
        for names in names.chunks(NAMES) {
            let answer = self
                .client()
                .describe_alarms()
                .set_alarm_names(Some(names.to_vec()))
                .alarm_types(AlarmType::MetricAlarm)
                .max_records(100)
                .send()
                .await
                .map_err(|error| cloud_error("cloudwatch:DescribeAlarms", &error))?;
            let told = answer.metric_alarms().iter().filter_map(|alarm| {
                Some(AlarmState {
                    name: alarm.alarm_name()?.to_owned(),
                    state: alarm.state_value()?.as_str().to_owned(),
                    since: alarm.state_updated_timestamp().and_then(|at| moment(*at)),
                })
            });
            states.extend(told);
        }
        Ok(states)
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_cloudwatch::Client;
    use aws_sdk_cloudwatch::operation::describe_alarms::DescribeAlarmsOutput;
    use aws_sdk_cloudwatch::operation::get_metric_data::{GetMetricDataError, GetMetricDataOutput};
    use aws_sdk_cloudwatch::types::{MessageData, MetricAlarm, StateValue};
    use aws_smithy_mocks::{RuleMode, mock, mock_client};
    use aws_smithy_types::error::ErrorMetadata;

    use super::*;

    fn at(seconds: i64) -> OffsetDateTime {
        OffsetDateTime::from_unix_timestamp(1_795_000_000 + seconds).unwrap()
    }

    fn query(name: &str, statistic: &str) -> MetricQuery {
        MetricQuery {
            namespace: "AWS/Lambda".into(),
            name: name.into(),
            dimensions: vec![("FunctionName".into(), "f".into())],
            statistic: statistic.into(),
            period: 300,
        }
    }

    fn result(id: &str, code: StatusCode, points: &[(i64, f64)]) -> MetricDataResult {
        MetricDataResult::builder()
            .id(id)
            .status_code(code)
            .set_timestamps(Some(
                points
                    .iter()
                    .map(|(seconds, _)| DateTime::from_secs(at(*seconds).unix_timestamp()))
                    .collect(),
            ))
            .set_values(Some(points.iter().map(|(_, value)| *value).collect()))
            .build()
    }

    #[tokio::test]
    async fn a_series_is_read_to_its_last_page_and_stands_at_its_query() {
        let first = GetMetricDataOutput::builder()
            .metric_data_results(result("m1", StatusCode::PartialData, &[(300, 2.0)]))
            .metric_data_results(result("m0", StatusCode::Complete, &[]))
            .next_token("more")
            .build();
        let refused = MetricDataResult::builder()
            .id("m2")
            .status_code(StatusCode::Forbidden)
            .messages(MessageData::builder().value("not yours").build())
            .build();
        let second = GetMetricDataOutput::builder()
            .metric_data_results(result("m1", StatusCode::Complete, &[(0, 1.0)]))
            .metric_data_results(refused)
            .build();
        let one = mock!(Client::get_metric_data)
            .match_requests(|request| {
                let queries = request.metric_data_queries();
                let stat = queries[1].metric_stat().unwrap();
                request.next_token().is_none()
                    && queries.len() == 3
                    && (stat.stat(), stat.period()) == (Some("p99"), Some(300))
                    && stat.metric().unwrap().dimensions()[0].value() == Some("f")
                    && request.start_time().unwrap().secs() == 1_795_000_000
            })
            .then_output(move || first.clone());
        let two = mock!(Client::get_metric_data)
            .match_requests(|request| request.next_token() == Some("more"))
            .then_output(move || second.clone());
        let client = mock_client!(aws_sdk_cloudwatch, RuleMode::Sequential, &[&one, &two]);
        let queries = ["Invocations", "Duration", "Errors"]
            .map(|name| query(name, if name == "Duration" { "p99" } else { "Sum" }));
        let series = CloudWatch::from_client(client)
            .metric_series(&queries, at(0), at(600))
            .await
            .unwrap();
        let point = |seconds, value| MetricPoint {
            at: at(seconds),
            value,
        };
        let expected = [
            MetricSeries::default(),
            MetricSeries {
                points: vec![point(0, 1.0), point(300, 2.0)],
                incomplete: None,
            },
            MetricSeries {
                points: vec![],
                incomplete: Some("Forbidden: not yours".into()),
            },
        ];
        assert_eq!(series, expected);
    }

    #[tokio::test]
    async fn a_refusal_is_an_error_and_alarms_are_those_that_there_are() {
        let denied = mock!(Client::get_metric_data).then_error(|| {
            let metadata = ErrorMetadata::builder().code("AccessDenied").build();
            GetMetricDataError::generic(metadata)
        });
        let alarms = mock!(Client::describe_alarms)
            .match_requests(|request| request.alarm_names() == ["a", "b"])
            .then_output(|| {
                let alarm = MetricAlarm::builder()
                    .alarm_name("b")
                    .state_value(StateValue::Alarm)
                    .state_updated_timestamp(DateTime::from_secs(1_795_000_000));
                DescribeAlarmsOutput::builder()
                    .metric_alarms(alarm.build())
                    .build()
            });
        let client = mock_client!(aws_sdk_cloudwatch, RuleMode::MatchAny, &[&denied, &alarms]);
        let adapter = CloudWatch::from_client(client);
        let error = adapter
            .metric_series(&[query("Errors", "Sum")], at(0), at(60))
            .await;
        assert_eq!(error.unwrap_err().code(), Some("AccessDenied"));
        let states = adapter.alarm_states(&["a".into(), "b".into()]).await;
        let expected = AlarmState {
            name: "b".into(),
            state: "ALARM".into(),
            since: Some(at(0)),
        };
        assert_eq!(states.unwrap(), [expected]);
    }
}
