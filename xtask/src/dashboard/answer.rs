//! What was asked for and what came back.

use std::collections::BTreeMap;

use stackway_infra::cloud::{AlarmState, MetricPoint, MetricSeries};
use time::{Duration, OffsetDateTime};

use super::definition::{Metric, Reach};

/// About how many values a chart has.
const VALUES: i64 = 60;

/// A time in periods.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) from: OffsetDateTime,
    pub(crate) until: OffsetDateTime,
    /// Seconds.
    pub(crate) period: u32,
}

impl Span {
    /// The span that a widget looks back over, in periods that CloudWatch still has: minutes for 15 days, five minutes for
    /// 63, hours beyond.
    ///
    /// See [GetMetricData](https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html).
    pub(crate) fn back(reach: Reach, asked: Duration, now: OffsetDateTime) -> Self {
        let (length, period) = match reach {
            Reach::Asked => {
                let least = match asked.whole_days() {
                    0..15 => 60,
                    15..63 => 300,
                    _ => 3600,
                };
                let wanted = asked.whole_seconds() / VALUES;
                let period = [60, 300, 900, 3600, 21_600, 86_400]
                    .into_iter()
                    .find(|period| *period >= least && i64::from(*period) >= wanted);
                (asked, period.unwrap_or(86_400))
            }
            Reach::Day => (Duration::DAY, 3600),
            // Charges are told a few times a day, and begin anew with the month.
            Reach::Month => {
                let begin = now.replace_day(1).unwrap_or(now).date().midnight();
                let length = (now - begin.assume_utc()).max(Duration::hours(6));
                (length, 21_600)
            }
        };
        Self {
            from: now - length,
            until: now,
            period,
        }
    }

    /// When the period begins that a time is in: seconds since 1970.
    pub(crate) fn period_of(&self, at: OffsetDateTime) -> i64 {
        let period = i64::from(self.period);
        at.unix_timestamp().div_euclid(period) * period
    }
}

/// What was answered when a metric was asked for. Only points are figures: the rest is never zero.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Answer {
    /// Its values; none where nothing was written.
    Points(Vec<MetricPoint>),
    /// Some of its values, and why it is not all.
    Partial(Vec<MetricPoint>, String),
    /// The service would not say.
    Refused(String),
    /// Nothing measures it.
    Unmeasured(String),
}

impl From<MetricSeries> for Answer {
    fn from(series: MetricSeries) -> Self {
        match series.incomplete {
            None => Self::Points(series.points),
            Some(why) if series.points.is_empty() => Self::Refused(why),
            Some(why) => Self::Partial(series.points, why),
        }
    }
}

impl Answer {
    pub(crate) fn points(&self) -> &[MetricPoint] {
        match self {
            Self::Points(points) | Self::Partial(points, _) => points,
            Self::Refused(_) | Self::Unmeasured(_) => &[],
        }
    }

    /// Why there is no figure, or not all of it.
    pub(super) fn why(&self) -> Option<String> {
        match self {
            Self::Points(points) if points.is_empty() => Some("no data".to_owned()),
            Self::Points(_) => None,
            Self::Partial(_, why) => Some(format!("not all: {why}")),
            Self::Refused(why) => Some(format!("refused: {why}")),
            Self::Unmeasured(why) => Some(why.clone()),
        }
    }

    pub(super) fn divided(&self, by: f64) -> Self {
        let divide = |points: &[MetricPoint]| {
            let divided = points.iter().map(|point| MetricPoint {
                value: point.value / by,
                ..*point
            });
            divided.collect()
        };
        match self {
            Self::Points(points) => Self::Points(divide(points)),
            Self::Partial(points, why) => Self::Partial(divide(points), why.clone()),
            other => other.clone(),
        }
    }
}

/// All answers: by the region of its widget, how far back, and the metric.
pub(crate) type Answers = BTreeMap<(String, Reach, Metric), Answer>;

/// What CloudWatch says of alarms.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum AlarmsTold {
    /// The states of those that there are.
    States(Vec<AlarmState>),
    /// It would not say.
    Refused(String),
    /// Nobody watches: figures are held against the thresholds here.
    Unwatched,
}
