//! Figures against an alarm's threshold.

use std::collections::BTreeMap;

use stackway_infra::cloud::MetricPoint;
use time::OffsetDateTime;

use super::answer::Span;
use super::definition::Alarm;

/// Whether figures were over an alarm's threshold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Held {
    Now,
    Before,
    /// The chart's periods are not the alarm's, and do not decide it.
    Perhaps,
    Not,
    /// There is nothing to go by.
    Unknown,
}

/// Whether the values would have set the alarm off: so many of its periods in a row. A period without a value is not over, as
/// the template has it.
pub(super) fn held(alarm: &Alarm, points: &[MetricPoint], span: Span) -> Held {
    if points.is_empty() {
        return Held::Unknown;
    }
    let is_sum = alarm.metric.statistic == "Sum";
    let coarser = span.period > alarm.period;
    let length = i64::from(alarm.period.max(span.period));
    let period_of = |at: OffsetDateTime| at.unix_timestamp().div_euclid(length);
    let mut periods: BTreeMap<i64, f64> = BTreeMap::new();
    for point in points {
        let value = periods.entry(period_of(point.at)).or_default();
        *value = if is_sum {
            *value + point.value
        } else {
            value.max(point.value)
        };
    }
    let over = |period: i64| {
        let value = periods.get(&period);
        value.is_some_and(|value| alarm.is_over(*value))
    };
    let needed = if coarser {
        1
    } else {
        i64::try_from(alarm.periods).unwrap_or(1)
    };
    let last = (periods.keys().copied()).rfind(|end| (0..needed).all(|back| over(end - back)));
    let Some(last) = last else {
        // A percentile of a long time may be low where that of a part of it is not.
        let proves = is_sum || !coarser;
        return if proves { Held::Not } else { Held::Unknown };
    };
    // Sums of shorter periods add up; where one is enough, a longer period's has one.
    let decides = span.period == alarm.period || (is_sum && (!coarser || alarm.threshold <= 1.0));
    if !decides {
        Held::Perhaps
    } else if !coarser && last >= period_of(span.until) - 1 {
        // The period that is under way counts, and so does the one before it.
        Held::Now
    } else {
        Held::Before
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dashboard::definition::Metric;

    const BEGIN: i64 = 1_795_000_200;

    fn at(seconds: i64) -> OffsetDateTime {
        OffsetDateTime::from_unix_timestamp(BEGIN + seconds).unwrap()
    }

    fn alarm(statistic: &str, periods: usize, threshold: f64) -> Alarm {
        Alarm {
            name: "a".into(),
            metric: Metric {
                namespace: "stackway".into(),
                name: "m".into(),
                dimensions: vec![],
                statistic: statistic.into(),
            },
            period: 300,
            periods,
            threshold,
            inclusive: true,
        }
    }

    /// Values from the beginning on, a period each, looked at when so many periods have ended.
    #[track_caller]
    fn check(alarm: &Alarm, period: u32, values: &[f64], ended: i64, expected: Held) {
        let step = i64::from(period);
        let points: Vec<_> = (values.iter().zip(0..))
            .map(|(value, place)| MetricPoint {
                at: at(place * step),
                value: *value,
            })
            .collect();
        let span = Span {
            from: at(0),
            until: at(ended * step),
            period,
        };
        assert_eq!(
            held(alarm, &points, span),
            expected,
            "{values:?} of {period}"
        );
    }

    #[test]
    fn thresholds_are_held_by_the_alarm_s_own_periods() {
        let (one, ten) = (alarm("Sum", 1, 1.0), alarm("Sum", 1, 10.0));
        check(&one, 300, &[0.0, 1.0], 2, Held::Now);
        check(&one, 300, &[1.0, 0.0, 0.0], 3, Held::Before);
        check(&one, 300, &[0.0, 0.0], 2, Held::Not);
        check(&one, 300, &[], 2, Held::Unknown);
        // Sums of minutes add up to that of the alarm's period.
        check(&ten, 60, &[4.0, 4.0, 4.0], 4, Held::Now);
        check(&ten, 60, &[4.0, 4.0], 4, Held::Not);
        // An hour's sum of one or more has a period of one or more; one of ten need not.
        check(&one, 3600, &[1.0], 1, Held::Before);
        check(&ten, 3600, &[12.0], 1, Held::Perhaps);
        check(&ten, 3600, &[9.0], 1, Held::Not);

        let slow = alarm("p99", 2, 1000.0);
        check(&slow, 300, &[1500.0, 1500.0], 2, Held::Now);
        check(&slow, 300, &[1500.0, 1.0, 1500.0], 3, Held::Not);
        // Percentiles do not add up: high minutes may be a period below, low hours may have a period above.
        check(&slow, 60, &[1500.0; 10], 10, Held::Perhaps);
        check(&slow, 60, &[10.0; 10], 10, Held::Not);
        check(&slow, 3600, &[1500.0], 1, Held::Perhaps);
        check(&slow, 3600, &[10.0], 1, Held::Unknown);
    }
}
