//! Figures of this machine, where nothing keeps metrics: from the API's own log lines, and from what pipelines ran here.
//!
//! The lines are those that CloudWatch takes metrics from, so a figure here is what it would be there. Percentiles are of all
//! samples of a period, by the nearest rank.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use stackway_infra::cloud::MetricPoint;
use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime};

use super::answer::{Answer, Span};
use super::definition::Metric;

/// What the API says of a request in its line's `message`.
const REQUEST: &str = "request";
/// What Lambda writes before an invocation.
const START: &str = "START RequestId: ";

/// A request, by its line.
#[derive(Clone, Debug)]
struct Request {
    at: OffsetDateTime,
    line: Value,
}

/// What a log tells of requests.
#[derive(Clone, Debug, Default)]
pub(crate) struct RequestLog {
    requests: Vec<Request>,
    /// When each invocation began, by its id: only Lambda's log has them.
    started: BTreeMap<String, OffsetDateTime>,
}

impl RequestLog {
    /// Adds a line. `at` is when the log had it; a line of the API says so itself.
    pub(crate) fn add(&mut self, at: Option<OffsetDateTime>, text: &str) {
        let text = text.trim();
        if let Some(rest) = text.strip_prefix(START) {
            let id = rest.split_whitespace().next().unwrap_or_default();
            if let Some(at) = at {
                self.started.insert(id.to_owned(), at);
            }
            return;
        }
        // A line of `cargo xtask dev` may have something before its document.
        let Some(document) = text.find('{').and_then(|begin| text.get(begin..)) else {
            return;
        };
        let Ok(line) = serde_json::from_str::<Value>(document) else {
            return;
        };
        let own = line["timestamp"].as_str();
        let at = own
            .and_then(|own| OffsetDateTime::parse(own, &Rfc3339).ok())
            .or(at);
        if let Some(at) = at
            && line["message"] == REQUEST
            && line["duration_ms"].is_number()
        {
            self.requests.push(Request { at, line });
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.requests.is_empty() && self.started.is_empty()
    }

    /// The samples of a metric; `None` where a log has nothing of it.
    fn samples(&self, metric: &Metric) -> Option<Vec<(OffsetDateTime, f64)>> {
        let each = |of: &dyn Fn(&Request) -> Option<f64>| {
            let samples = self.requests.iter();
            Some(samples.filter_map(|one| Some((one.at, of(one)?))).collect())
        };
        let status = |one: &Request| one.line["status"].as_u64().unwrap_or_default();
        let member = |one: &Request, name: &str| one.line[name].as_f64();
        match (metric.namespace.as_str(), metric.name.as_str()) {
            ("AWS/Lambda", "Invocations") => each(&|_| Some(1.0)),
            ("AWS/Lambda", "Duration") => each(&|one| member(one, "duration_ms")),
            ("AWS/Lambda", "ConcurrentExecutions") => Some(self.at_once()),
            ("AWS/Lambda", "Errors") => self.without_answer(),
            // Lines without metrics have the status all the same.
            ("stackway", "server_errors") => each(&|one| Some(f64::from(status(one) >= 500))),
            ("stackway", "client_errors") => {
                each(&|one| Some(f64::from((400..500).contains(&status(one)))))
            }
            ("stackway", name) => each(&|one| member(one, name)),
            _ => None,
        }
    }

    /// For each request, how many were under way when it began.
    fn at_once(&self) -> Vec<(OffsetDateTime, f64)> {
        let mut edges: Vec<(OffsetDateTime, i32)> = Vec::new();
        for one in &self.requests {
            let took = one.line["duration_ms"].as_f64().unwrap_or_default();
            edges.push((one.at - Duration::seconds_f64(took / 1000.0), 1));
            edges.push((one.at, -1));
        }
        // What begins when another ends is beside it: times are rounded to milliseconds.
        edges.sort_by_key(|(at, step)| (*at, -step));
        let mut under_way = 0;
        let counted = edges.into_iter().filter_map(|(at, step)| {
            under_way += step;
            (step > 0).then_some((at, f64::from(under_way)))
        });
        counted.collect()
    }

    /// Invocations without a request's line: none where the log is not Lambda's.
    fn without_answer(&self) -> Option<Vec<(OffsetDateTime, f64)>> {
        if self.started.is_empty() {
            return None;
        }
        let answered: BTreeSet<&str> = (self.requests.iter())
            .filter_map(|one| one.line["request_id"].as_str())
            .collect();
        let started = self.started.iter();
        let samples = started.map(|(id, at)| (*at, f64::from(!answered.contains(id.as_str()))));
        Some(samples.collect())
    }
}

/// An execution of a pipeline that ended.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Run {
    /// The pipeline's short name.
    pub(crate) pipeline: String,
    pub(crate) ended: OffsetDateTime,
    pub(crate) failed: bool,
    /// Seconds that its builds took.
    pub(crate) build_seconds: f64,
}

/// All that is known of this machine.
#[derive(Clone, Debug, Default)]
pub(crate) struct Here {
    /// `None` where there is no log.
    pub(crate) log: Option<RequestLog>,
    /// Why there is none, or why it has nothing.
    pub(crate) without_log: String,
    pub(crate) runs: Vec<Run>,
}

impl Here {
    /// What is known of a metric in a span of time.
    pub(crate) fn answer(&self, metric: &Metric, span: Span) -> Answer {
        let samples = match metric.namespace.as_str() {
            "AWS/CodePipeline" | "AWS/CodeBuild" => Some(self.of_runs(metric)),
            "AWS/Billing" => return Answer::Unmeasured("nothing is charged here".to_owned()),
            _ => match &self.log {
                None => return Answer::Unmeasured(self.without_log.clone()),
                Some(log) => log.samples(metric),
            },
        };
        match samples {
            Some(samples) => Answer::Points(points(&samples, &metric.statistic, span)),
            None => Answer::Unmeasured("not measured here".to_owned()),
        }
    }

    fn of_runs(&self, metric: &Metric) -> Vec<(OffsetDateTime, f64)> {
        // The dimension's value ends in the pipeline's short name; builds are counted whatever pipeline they are of.
        let of = |run: &Run| {
            let named = metric.dimensions.first().map(|(_, value)| value.as_str());
            metric.namespace == "AWS/CodeBuild"
                || named.is_some_and(|name| name.ends_with(&format!("-{}", run.pipeline)))
        };
        let value = |run: &Run| match metric.name.as_str() {
            "FailedPipelineExecutions" => f64::from(run.failed),
            "Duration" => run.build_seconds,
            _ => 1.0,
        };
        let runs = self.runs.iter().filter(|run| of(run));
        runs.map(|run| (run.ended, value(run))).collect()
    }
}

/// The samples of a span, a value for each period that has some.
fn points(samples: &[(OffsetDateTime, f64)], statistic: &str, span: Span) -> Vec<MetricPoint> {
    let mut periods: BTreeMap<i64, Vec<f64>> = BTreeMap::new();
    for (at, value) in samples {
        if (span.from..=span.until).contains(at) {
            let begin = span.period_of(*at);
            periods.entry(begin).or_default().push(*value);
        }
    }
    let point = |(begin, mut values): (i64, Vec<f64>)| {
        values.sort_by(f64::total_cmp);
        Some(MetricPoint {
            at: OffsetDateTime::from_unix_timestamp(begin).ok()?,
            value: reduced(&values, statistic)?,
        })
    };
    periods.into_iter().filter_map(point).collect()
}

/// One value of sorted samples.
fn reduced(sorted: &[f64], statistic: &str) -> Option<f64> {
    let count = f64::from(u32::try_from(sorted.len()).unwrap_or(u32::MAX));
    match statistic {
        "Sum" => Some(sorted.iter().sum()),
        "SampleCount" => Some(count),
        "Maximum" => sorted.last().copied(),
        "Minimum" => sorted.first().copied(),
        "Average" => Some(sorted.iter().sum::<f64>() / count),
        _ => {
            let share: f64 = statistic.strip_prefix('p')?.parse().ok()?;
            let rank = sorted
                .iter()
                .zip(1_u32..)
                .find(|(_, rank)| f64::from(*rank) >= share / 100.0 * count);
            rank.map(|(value, _)| *value)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEGIN: i64 = 1_795_000_200;

    fn at(seconds: i64) -> OffsetDateTime {
        OffsetDateTime::from_unix_timestamp(BEGIN + seconds).unwrap()
    }

    fn metric(namespace: &str, name: &str, statistic: &str) -> Metric {
        Metric {
            namespace: namespace.into(),
            name: name.into(),
            dimensions: vec![(
                "PipelineName".into(),
                "stackway-eu-west-2-local-deployment".into(),
            )],
            statistic: statistic.into(),
        }
    }

    fn request(seconds: i64, id: &str, status: u16, duration: u32, more: &str) -> String {
        let at = at(seconds).format(&Rfc3339).unwrap();
        format!(
            r#"{{"timestamp":"{at}","level":"INFO","message":"request","request_id":"{id}","status":{status},"duration_ms":{duration}{more}}}"#
        )
    }

    fn here() -> Here {
        let mut log = RequestLog::default();
        log.add(Some(at(1)), "START RequestId: a Version: 1");
        log.add(
            Some(at(1)),
            &request(1, "a", 200, 10, r#","cold_starts":1,"table_ms":7"#),
        );
        log.add(Some(at(1)), "END RequestId: a");
        log.add(Some(at(2)), "START RequestId: b Version: 1");
        log.add(Some(at(2)), "not a document {");
        log.add(
            None,
            &format!("api: {}", request(3, "c", 503, 1000, r#","cold_starts":0"#)),
        );
        log.add(None, &request(3, "d", 404, 20, r#","cold_starts":0"#));
        log.add(
            None,
            r#"{"timestamp":"2026-11-18T10:00:00Z","message":"started"}"#,
        );
        log.add(Some(at(301)), &request(301, "e", 200, 30, ""));
        let run = |pipeline: &str, ended, failed| Run {
            pipeline: pipeline.into(),
            ended: at(ended),
            failed,
            build_seconds: 90.0,
        };
        Here {
            log: Some(log),
            without_log: String::new(),
            runs: vec![
                run("application", 0, false),
                run("deployment", 10, true),
                run("deployment", 20, false),
                run("deployment", -9_000, true),
            ],
        }
    }

    #[track_caller]
    fn check(metric: &Metric, expected: &[(i64, f64)]) {
        let span = Span {
            from: at(0),
            until: at(600),
            period: 300,
        };
        let expected = expected.iter().map(|(seconds, value)| MetricPoint {
            at: at(*seconds),
            value: *value,
        });
        let answer = here().answer(metric, span);
        assert_eq!(answer, Answer::Points(expected.collect()), "{metric:?}");
    }

    #[test]
    fn figures_are_what_cloudwatch_would_have() {
        let lambda = |name, statistic| metric("AWS/Lambda", name, statistic);
        let own = |name, statistic| metric("stackway", name, statistic);
        check(&lambda("Invocations", "Sum"), &[(0, 3.0), (300, 1.0)]);
        check(&lambda("Duration", "p50"), &[(0, 20.0), (300, 30.0)]);
        check(&lambda("Duration", "p99"), &[(0, 1000.0), (300, 30.0)]);
        // `c` was under way while `d` was answered.
        check(
            &lambda("ConcurrentExecutions", "Maximum"),
            &[(0, 2.0), (300, 1.0)],
        );
        // `b` began and was never answered.
        check(&lambda("Errors", "Sum"), &[(0, 1.0)]);
        check(&own("server_errors", "Sum"), &[(0, 1.0), (300, 0.0)]);
        check(&own("client_errors", "Sum"), &[(0, 1.0), (300, 0.0)]);
        check(&own("cold_starts", "Sum"), &[(0, 1.0)]);
        check(&own("table_ms", "p95"), &[(0, 7.0)]);
        check(
            &metric("AWS/CodePipeline", "PipelineDuration", "SampleCount"),
            &[(0, 2.0)],
        );
        check(
            &metric("AWS/CodePipeline", "FailedPipelineExecutions", "Sum"),
            &[(0, 1.0)],
        );
        check(&metric("AWS/CodeBuild", "Duration", "Sum"), &[(0, 270.0)]);
    }

    #[test]
    fn what_nothing_measures_is_said() {
        let span = Span {
            from: at(0),
            until: at(600),
            period: 300,
        };
        let units = metric("AWS/DynamoDB", "ConsumedReadCapacityUnits", "Sum");
        let none = Here {
            without_log: "no log".into(),
            ..Here::default()
        };
        for (here, metric, why) in [
            (here(), units, "not measured here"),
            (
                here(),
                metric("AWS/Billing", "EstimatedCharges", "Maximum"),
                "nothing is charged here",
            ),
            (none, metric("AWS/Lambda", "Duration", "p50"), "no log"),
        ] {
            assert_eq!(here.answer(&metric, span), Answer::Unmeasured(why.into()));
        }
    }

    #[test]
    fn percentiles_are_by_the_nearest_rank() {
        let hundred: Vec<f64> = (1..=100_u32).map(f64::from).collect();
        for (statistic, expected) in [
            ("p50", 50.0),
            ("p95", 95.0),
            ("p99", 99.0),
            ("p99.9", 100.0),
            ("p0", 1.0),
        ] {
            assert_eq!(reduced(&hundred, statistic), Some(expected), "{statistic}");
        }
        assert_eq!(reduced(&[7.0], "p50"), Some(7.0));
        assert_eq!(reduced(&[7.0], "TM(10%:90%)"), None);
    }
}
