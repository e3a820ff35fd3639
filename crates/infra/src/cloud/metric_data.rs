use async_trait::async_trait;
use time::OffsetDateTime;

use super::CloudError;

/// A metric over time, by one statistic.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct MetricQuery {
    /// `AWS/Lambda`.
    pub namespace: String,
    /// `Invocations`.
    pub name: String,
    /// Its dimensions, such as `FunctionName` and the name.
    pub dimensions: Vec<(String, String)>,
    /// `Sum`, `Maximum`, `SampleCount`, `p99`, …
    pub statistic: String,
    /// Seconds that one value is of; a multiple of 60.
    pub period: u32,
}

/// A value of a metric.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MetricPoint {
    /// When its period begins.
    pub at: OffsetDateTime,
    /// The value.
    pub value: f64,
}

/// What CloudWatch has of one query.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MetricSeries {
    /// Its values, oldest first. A period in which nothing was written has none.
    pub points: Vec<MetricPoint>,
    /// Why it is not all there, by CloudWatch's words; `None` where it is.
    pub incomplete: Option<String>,
}

/// An alarm as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlarmState {
    /// Its name.
    pub name: String,
    /// `OK`, `ALARM`, `INSUFFICIENT_DATA`.
    pub state: String,
    /// Since when.
    pub since: Option<OffsetDateTime>,
}

/// CloudWatch's metrics over time, and its alarms. All of it only reads.
#[async_trait]
pub trait MetricData: Send + Sync {
    /// A series for each query, in their order.
    ///
    /// CloudWatch bills each metric that is asked for, 0.01 USD a thousand, whatever the free tier:
    /// <https://aws.amazon.com/cloudwatch/pricing/>.
    async fn metric_series(
        &self,
        queries: &[MetricQuery],
        from: OffsetDateTime,
        until: OffsetDateTime,
    ) -> Result<Vec<MetricSeries>, CloudError>;

    /// Those of the alarms that there are.
    async fn alarm_states(&self, names: &[String]) -> Result<Vec<AlarmState>, CloudError>;
}
