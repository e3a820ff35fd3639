//! Brings the answers: from CloudWatch in a call for each region and length of time, or from what this machine knows.

use std::collections::{BTreeMap, BTreeSet};

use futures::future::try_join_all;
use stackway_infra::cloud::{CloudError, MetricData};
use time::{Duration, OffsetDateTime};

use super::answer::{AlarmsTold, Answer, Answers, Span};
use super::definition::{Definition, Metric, Reach, Source};
use super::here::Here;

/// What is asked for, by the call that it goes into.
fn wanted(definition: &Definition) -> BTreeMap<(&str, Reach), BTreeSet<&Metric>> {
    let mut calls: BTreeMap<(&str, Reach), BTreeSet<&Metric>> = BTreeMap::new();
    for widget in &definition.widgets {
        let metrics = widget
            .series
            .iter()
            .filter_map(|series| match &series.source {
                Source::Metric(metric) => Some(metric),
                Source::Divided { .. } => None,
            });
        let call = calls.entry((widget.region.as_str(), widget.reach));
        call.or_default().extend(metrics);
    }
    calls
}

/// The regions that are asked.
pub(crate) fn regions(definition: &Definition) -> BTreeSet<&str> {
    wanted(definition)
        .into_keys()
        .map(|(region, _)| region)
        .collect()
}

/// Asks CloudWatch, in each region by its own client. What it refuses is an answer; where nothing answers, that is an error.
pub(crate) async fn cloudwatch(
    definition: &Definition,
    clients: &BTreeMap<String, Box<dyn MetricData>>,
    since: Duration,
    now: OffsetDateTime,
) -> Result<Answers, CloudError> {
    let calls = wanted(definition)
        .into_iter()
        .map(async |((region, reach), metrics)| {
            let span = Span::back(reach, since, now);
            let metrics: Vec<&Metric> = metrics.into_iter().collect();
            let queries: Vec<_> = metrics
                .iter()
                .map(|metric| metric.query(span.period))
                .collect();
            let answers: Vec<Answer> = match clients.get(region) {
                None => {
                    vec![Answer::Unmeasured(format!("not asked for in {region}")); metrics.len()]
                }
                Some(client) => {
                    let told = client.metric_series(&queries, span.from, span.until).await;
                    match refused(told)? {
                        Ok(series) => series.into_iter().map(Answer::from).collect(),
                        Err(why) => vec![Answer::Refused(why); metrics.len()],
                    }
                }
            };
            let keys = metrics
                .into_iter()
                .map(|metric| (region.to_owned(), reach, metric.clone()));
            Ok::<_, CloudError>(keys.zip(answers).collect::<Vec<_>>())
        });
    Ok(try_join_all(calls).await?.into_iter().flatten().collect())
}

/// Asks for the alarms' states.
pub(crate) async fn alarms(
    definition: &Definition,
    client: &dyn MetricData,
) -> Result<AlarmsTold, CloudError> {
    if definition.alarms.is_empty() {
        return Ok(AlarmsTold::Unwatched);
    }
    let names: Vec<_> = definition
        .alarms
        .iter()
        .map(|alarm| alarm.name.clone())
        .collect();
    Ok(match refused(client.alarm_states(&names).await)? {
        Ok(states) => AlarmsTold::States(states),
        Err(why) => AlarmsTold::Refused(why),
    })
}

/// Parts a service's refusal, which is shown, from what went wrong on the way.
fn refused<T>(told: Result<T, CloudError>) -> Result<Result<T, String>, CloudError> {
    match told {
        Ok(told) => Ok(Ok(told)),
        Err(CloudError::Refused {
            operation,
            code,
            message,
        }) => {
            let said = [operation, code.as_str(), message.as_str()].into_iter();
            let said: Vec<_> = said.filter(|part| !part.is_empty()).collect();
            Ok(Err(said.join(": ")))
        }
        Err(error) => Err(error),
    }
}

/// Takes the answers from this machine.
pub(crate) fn here(
    definition: &Definition,
    here: &Here,
    since: Duration,
    now: OffsetDateTime,
) -> Answers {
    let mut answers = Answers::new();
    for ((region, reach), metrics) in wanted(definition) {
        let span = Span::back(reach, since, now);
        for metric in metrics {
            let key = (region.to_owned(), reach, metric.clone());
            answers.insert(key, here.answer(metric, span));
        }
    }
    answers
}
