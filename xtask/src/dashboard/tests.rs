//! From scripted answers to what people read.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use stackway_infra::cloud::{
    AlarmState, CloudError, MetricData, MetricPoint, MetricQuery, MetricSeries,
};
use time::{Duration, OffsetDateTime};

use super::answer::AlarmsTold;
use super::definition::tests::definition;
use super::figures::{State, cards};
use super::page::STYLE;
use super::{Board, ask};
use crate::html::style;

/// 2026-11-19 12:10 UTC.
const NOW: i64 = 1_795_090_200;
const SINCE: Duration = Duration::hours(1);

fn now() -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(NOW).unwrap()
}

/// CloudWatch as scripted: the last values of metrics by name and statistic, newest last; nothing for any other.
#[derive(Default)]
struct Scripted {
    values: Vec<(&'static str, &'static str, Vec<f64>)>,
    /// Metrics that are refused one by one.
    forbidden: Vec<&'static str>,
    /// Operations that are refused whole.
    denied: Vec<&'static str>,
    alarm: Option<&'static str>,
    calls: Arc<Mutex<Vec<String>>>,
}

impl Scripted {
    fn refuse(&self, operation: &'static str) -> Result<(), CloudError> {
        if self.denied.contains(&operation) {
            return Err(CloudError::Refused {
                operation,
                code: "AccessDenied".into(),
                message: "no identity-based policy allows it".into(),
            });
        }
        Ok(())
    }
}

#[async_trait]
impl MetricData for Scripted {
    async fn metric_series(
        &self,
        queries: &[MetricQuery],
        from: OffsetDateTime,
        until: OffsetDateTime,
    ) -> Result<Vec<MetricSeries>, CloudError> {
        self.calls.lock().unwrap().push(format!(
            "{} metrics of {} in {} h",
            queries.len(),
            queries[0].namespace,
            (until - from).whole_hours()
        ));
        self.refuse("cloudwatch:GetMetricData")?;
        let series = |query: &MetricQuery| {
            if self.forbidden.contains(&query.name.as_str()) {
                return MetricSeries {
                    incomplete: Some("Forbidden".into()),
                    ..MetricSeries::default()
                };
            }
            let found = self.values.iter().find(|(name, statistic, _)| {
                (*name, *statistic) == (&query.name, &query.statistic)
            });
            let values = found
                .map(|(_, _, values)| values.as_slice())
                .unwrap_or_default();
            let period = i64::from(query.period);
            let last = NOW.div_euclid(period);
            let begin = last + 1 - i64::try_from(values.len()).unwrap();
            let points = values.iter().zip(begin..).map(|(value, at)| MetricPoint {
                at: OffsetDateTime::from_unix_timestamp(at * period).unwrap(),
                value: *value,
            });
            MetricSeries {
                points: points.collect(),
                incomplete: None,
            }
        };
        Ok(queries.iter().map(series).collect())
    }

    async fn alarm_states(&self, names: &[String]) -> Result<Vec<AlarmState>, CloudError> {
        self.refuse("cloudwatch:DescribeAlarms")?;
        let state = |name: &String| AlarmState {
            name: name.clone(),
            state: match self.alarm {
                Some(alarm) if name.ends_with(alarm) => "ALARM",
                _ => "OK",
            }
            .into(),
            since: Some(now() - Duration::minutes(20)),
        };
        Ok(names.iter().map(state).collect())
    }
}

/// An environment in use: two failed requests half an hour ago, a run that failed, charges.
fn busy() -> Scripted {
    let mut errors = vec![0.0; 60];
    errors[25] = 2.0;
    Scripted {
        values: vec![
            (
                "Invocations",
                "Sum",
                (0..60).map(|at| f64::from(at % 7) * 30.0).collect(),
            ),
            ("ConcurrentExecutions", "Maximum", vec![2.0, 4.0]),
            ("server_errors", "Sum", errors),
            ("client_errors", "Sum", vec![1.0, 0.0, 3.0]),
            ("Errors", "Sum", vec![0.0; 60]),
            ("Throttles", "Sum", vec![0.0; 60]),
            ("Duration", "p50", vec![11.5; 60]),
            ("Duration", "p95", vec![40.0; 60]),
            (
                "Duration",
                "p99",
                (0..60).map(|at| 200.0 + f64::from(at)).collect(),
            ),
            ("cold_starts", "Sum", vec![1.0, 0.0, 0.0, 2.0]),
            ("ConsumedReadCapacityUnits", "Sum", vec![1234.5]),
            ("table_throttles", "Sum", vec![0.0, 0.0]),
            ("FailedPipelineExecutions", "Sum", vec![1.0]),
            ("PipelineDuration", "SampleCount", vec![2.0, 1.0]),
            ("Duration", "Sum", vec![600.0, 330.0]),
            ("EstimatedCharges", "Maximum", vec![1.1, 3.456]),
        ],
        ..Scripted::default()
    }
}

async fn board(here: Scripted, billing: Scripted) -> (Board, Vec<String>) {
    let definition = definition("true");
    let calls = [&here, &billing].map(|one| Arc::clone(&one.calls));
    let alarms = ask::alarms(&definition, &here).await.unwrap();
    let clients: BTreeMap<String, Box<dyn MetricData>> = [
        (
            "eu-west-2".to_owned(),
            Box::new(here) as Box<dyn MetricData>,
        ),
        ("us-east-1".to_owned(), Box::new(billing)),
    ]
    .into();
    let asked = ask::cloudwatch(&definition, &clients, SINCE, now()).await;
    let board = Board {
        environment: "dev".into(),
        region: "eu-west-2".into(),
        account: "111122223333".into(),
        source: "from CloudWatch".into(),
        now: now(),
        since: SINCE,
        cards: cards(&definition, &asked.unwrap(), &alarms, SINCE, now()),
        notes: vec!["a <note>".into()],
    };
    let calls = calls.iter().flat_map(|calls| calls.lock().unwrap().clone());
    (board, calls.collect())
}

#[tokio::test]
async fn what_people_and_machines_read() {
    let (board, calls) = board(busy(), busy()).await;
    // Everything that a region has for a length of time is one call.
    let expected = [
        "16 metrics of AWS/DynamoDB in 1 h",
        "5 metrics of AWS/CodeBuild in 24 h",
        "1 metrics of AWS/Billing in 444 h",
    ];
    assert_eq!(calls, expected);
    let page = board.html().replace(&style(STYLE), "…\n");
    insta::assert_snapshot!("the_page", page);
    insta::assert_snapshot!("the_text", board.text());
    let json = serde_json::to_value(board.json()).unwrap();
    let shown = |pointer: &str| json.pointer(pointer).unwrap().clone();
    assert_eq!(shown("/state"), "bad");
    assert_eq!(shown("/cards/1/figures/0/value"), 2.0);
    assert_eq!(shown("/cards/5/figures/1/value"), serde_json::Value::Null);
    assert_eq!(shown("/cards/5/figures/1/why"), "no data");
}

#[tokio::test]
async fn the_page_needs_nothing_else_and_what_is_shown_is_escaped() {
    let (board, _) = board(busy(), busy()).await;
    let page = board.html();
    for foreign in ["<script", "http:", "https:", "url(", "@import", "<note>"] {
        assert!(!page.contains(foreign), "{foreign}");
    }
    assert!(page.contains("prefers-color-scheme: dark"));
    // Whoever hears the page hears what each chart shows.
    let charts = page.matches("<svg role=\"img\"").count();
    assert_eq!(page.matches("aria-label=\"chart of ").count(), charts);
    assert_eq!(charts, 6);
}

/// A figure that is refused or missing is never zero.
#[tokio::test]
async fn what_is_not_known_is_said() {
    let here = Scripted {
        forbidden: vec!["server_errors"],
        denied: vec!["cloudwatch:DescribeAlarms"],
        ..busy()
    };
    let billing = Scripted {
        denied: vec!["cloudwatch:GetMetricData"],
        ..Scripted::default()
    };
    let (refused, _) = board(here, billing).await;
    insta::assert_snapshot!("the_text_where_much_is_refused", refused.text());
    let (empty, _) = board(Scripted::default(), Scripted::default()).await;
    assert_eq!(empty.verdict().0, State::NoData);
    for card in &empty.cards {
        assert_eq!(card.state, State::NoData, "{}", card.title);
        assert!(card.figures.iter().all(|figure| figure.value.is_none()));
    }
    assert!(!empty.html().contains("class=\"s0\" x="));
}

/// Each state of a card, by the values of an alarm that wants one period over, and of one that wants three.
#[tokio::test]
async fn states_follow_from_alarms_and_thresholds() {
    // So many five-minute periods ago, in values of one minute.
    let ago = |periods: usize, value: f64| {
        let mut values = vec![0.0; 60];
        values[59 - periods * 5] = value;
        values
    };
    for (what, alarm, told, errors, p99, expected) in [
        (
            "quiet",
            None,
            true,
            ago(0, 0.0),
            vec![10.0; 60],
            (State::Good, State::Good),
        ),
        (
            "an alarm is on",
            Some("server-errors"),
            true,
            ago(9, 0.0),
            vec![10.0; 60],
            (State::Bad, State::Good),
        ),
        (
            "over a while ago",
            None,
            true,
            ago(6, 1.0),
            vec![10.0; 60],
            (State::Was, State::Good),
        ),
        (
            "over now, unwatched",
            None,
            false,
            ago(0, 1.0),
            // Of minutes, which do not decide what five of them come to.
            vec![2000.0; 60],
            (State::Bad, State::Was),
        ),
        // CloudWatch says that all is well by now.
        (
            "over now, and told to be well",
            None,
            true,
            ago(0, 1.0),
            vec![10.0; 60],
            (State::Was, State::Good),
        ),
        (
            "one period of three",
            None,
            false,
            ago(9, 0.0),
            ago(0, 2000.0),
            (State::Good, State::Good),
        ),
    ] {
        let here = Scripted {
            values: vec![("server_errors", "Sum", errors), ("Duration", "p99", p99)],
            denied: if told {
                vec![]
            } else {
                vec!["cloudwatch:DescribeAlarms"]
            },
            alarm,
            ..Scripted::default()
        };
        let (board, _) = board(here, Scripted::default()).await;
        let states = (board.cards[1].state, board.cards[2].state);
        if alarm.is_some() {
            let said = "alarm since 2026-11-19 11:50 UTC: 5xx ≥ 1";
            assert_eq!(board.cards[1].said, said);
        }
        assert_eq!(states, expected, "{what}");
    }
}

#[tokio::test]
async fn an_environment_without_alarms_is_not_asked_for_them() {
    let silent = Scripted {
        denied: vec!["cloudwatch:DescribeAlarms"],
        ..Scripted::default()
    };
    let told = ask::alarms(&definition("false"), &silent).await.unwrap();
    assert_eq!(told, AlarmsTold::Unwatched);
}

/// Where nothing answers there is no page.
#[tokio::test]
async fn a_call_without_an_answer_is_an_error() {
    struct Gone;
    #[async_trait]
    impl MetricData for Gone {
        async fn metric_series(
            &self,
            _: &[MetricQuery],
            _: OffsetDateTime,
            _: OffsetDateTime,
        ) -> Result<Vec<MetricSeries>, CloudError> {
            Err(CloudError::Unreachable {
                operation: "cloudwatch:GetMetricData",
                message: "timed out".into(),
            })
        }

        async fn alarm_states(&self, _: &[String]) -> Result<Vec<AlarmState>, CloudError> {
            Ok(Vec::new())
        }
    }
    let clients: BTreeMap<String, Box<dyn MetricData>> = [(
        "eu-west-2".to_owned(),
        Box::new(Gone) as Box<dyn MetricData>,
    )]
    .into();
    let asked = ask::cloudwatch(&definition("true"), &clients, SINCE, now()).await;
    assert!(matches!(asked, Err(CloudError::Unreachable { .. })));
}
