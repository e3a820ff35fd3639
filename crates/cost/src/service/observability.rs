//! CloudWatch.

use rust_decimal::Decimal;

use super::{Billed, Charge, Subject};

/// Months after which logs without a retention are counted no further: a year.
pub(super) const KEPT_MONTHS: u32 = 12;

/// Days of a month, for a retention in days.
const DAYS: u32 = 30;

pub(super) fn log_group(subject: &mut Subject<'_>) -> Billed {
    let class = subject.text(&["LogGroupClass"], "STANDARD");
    if class != "STANDARD" {
        return Billed::NotPriced(format!("there is no rule for log class {class}"));
    }
    let days = subject.number(&["RetentionInDays"], KEPT_MONTHS * DAYS, 3653);
    let months = (days / Decimal::from(DAYS)).min(Decimal::from(KEPT_MONTHS));
    Billed::For(logs(subject, months))
}

/// What is written in a month, and what stands of the months before: logs are not compressed here, so that storage is
/// an upper bound.
pub(super) fn logs(subject: &Subject<'_>, months: Decimal) -> Vec<Charge> {
    let written = subject.usage("logs.ingested_gb");
    vec![
        Charge {
            item: "logs-ingestion",
            quantity: written,
        },
        Charge {
            item: "logs-storage",
            quantity: written * months,
        },
    ]
}

/// An alarm counts once for each metric that it looks at.
///
/// See [pricing](https://aws.amazon.com/cloudwatch/pricing/).
pub(super) fn alarm(subject: &mut Subject<'_>) -> Billed {
    let period = subject.number(&["Period"], 60, 86_400);
    if period < Decimal::from(60) {
        return Billed::NotPriced("there is no rule for alarms of high resolution".to_owned());
    }
    let metrics = subject.resource.properties.at(&["Metrics"]).items();
    let watched = (metrics.iter())
        .filter(|metric| *metric.at(&["MetricStat"]) != crate::evaluate::Value::Absent)
        .count();
    let watched = u32::try_from(watched).unwrap_or_default().max(1);
    Billed::one("alarms", Decimal::from(watched))
}
