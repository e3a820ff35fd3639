//! From what was asked to what is read in ten seconds: a card for each widget, each with its state.

use stackway_infra::cloud::MetricPoint;
use time::{Duration, OffsetDateTime};

use super::answer::{AlarmsTold, Answer, Answers, Span};
use super::definition::{Alarm, Definition, Metric, Reach, Series, Source, Widget};
use super::held::{Held, held};
use super::number::{length, number};
use super::page::moment;

/// How a card looks at a glance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum State {
    /// An alarm is on, or something failed.
    Bad,
    /// It was over a threshold within the time, and is not now.
    Was,
    /// What should be told is refused.
    Refused,
    /// There is nothing to go by.
    NoData,
    /// Nothing is over its threshold.
    Good,
    /// There is no threshold to be over.
    Plain,
}

/// A figure of a card.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Figure {
    pub(crate) label: String,
    pub(crate) unit: &'static str,
    /// What the value is of the points: `in all`, `the worst 5 min`, `the last`.
    pub(crate) of: String,
    pub(crate) value: Option<f64>,
    /// Why there is no value, or not all of it.
    pub(crate) why: Option<String>,
    pub(crate) points: Vec<MetricPoint>,
    /// Whether it is drawn: what has a scale of its own is not.
    pub(crate) is_drawn: bool,
}

/// A card.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Card {
    pub(crate) title: String,
    pub(crate) state: State,
    /// The state in words.
    pub(crate) said: String,
    /// The first is the one to look at.
    pub(crate) figures: Vec<Figure>,
    pub(crate) span: Span,
    pub(crate) reach: Reach,
    /// Whether it has numbers alone.
    pub(crate) numbers: bool,
    /// What the drawn values must stay below, where that is of one period of the chart.
    pub(crate) threshold: Option<f64>,
    pub(crate) notes: Vec<String>,
}

/// Builds the cards, in the definition's order.
pub(crate) fn cards(
    definition: &Definition,
    answers: &Answers,
    alarms: &AlarmsTold,
    asked: Duration,
    now: OffsetDateTime,
) -> Vec<Card> {
    let card = |widget: &Widget| {
        let span = Span::back(widget.reach, asked, now);
        Reader {
            widget,
            span,
            alarms: &definition.alarms,
            told: alarms,
            answers,
        }
        .card()
    };
    definition.widgets.iter().map(card).collect()
}

struct Reader<'a> {
    widget: &'a Widget,
    span: Span,
    alarms: &'a [Alarm],
    told: &'a AlarmsTold,
    answers: &'a Answers,
}

impl Reader<'_> {
    fn answer(&self, source: &Source) -> Answer {
        match source {
            Source::Metric(metric) => {
                let key = (
                    self.widget.region.clone(),
                    self.widget.reach,
                    metric.clone(),
                );
                let unasked = || Answer::Unmeasured("not asked for".to_owned());
                self.answers.get(&key).cloned().unwrap_or_else(unasked)
            }
            Source::Divided { series, by } => self
                .answer(&self.widget.series[*series].source)
                .divided(*by),
        }
    }

    /// The metric that a source comes from in the end.
    fn metric<'b>(&'b self, source: &'b Source) -> &'b Metric {
        match source {
            Source::Metric(metric) => metric,
            Source::Divided { series, .. } => self.metric(&self.widget.series[*series].source),
        }
    }

    fn unit(&self, source: &Source) -> &'static str {
        match source {
            Source::Metric(metric) => metric.unit(),
            Source::Divided { series, .. } => {
                match self.metric(&self.widget.series[*series].source).unit() {
                    "s" => "min",
                    unit => unit,
                }
            }
        }
    }

    fn figure(&self, series: &Series) -> Figure {
        let answer = self.answer(&series.source);
        let metric = self.metric(&series.source);
        let points = answer.points();
        let values = points.iter().map(|point| point.value);
        let (value, of) = match metric.statistic.as_str() {
            // Charges grow through the month: the last is what the month has come to.
            _ if self.widget.reach == Reach::Month => {
                (points.last().map(|point| point.value), "so far".to_owned())
            }
            "Sum" | "SampleCount" => (
                (!points.is_empty()).then(|| values.sum()),
                "in all".to_owned(),
            ),
            "Maximum" => (values.reduce(f64::max), "at most".to_owned()),
            _ => (
                values.reduce(f64::max),
                format!("in the worst {}", length(i64::from(self.span.period))),
            ),
        };
        Figure {
            label: series.label.clone(),
            unit: self.unit(&series.source),
            of,
            value,
            why: answer.why(),
            points: points.to_vec(),
            is_drawn: !series.is_aside && !self.widget.numbers,
        }
    }

    /// The alarms on what the card shows, each with its series.
    fn watched(&self) -> Vec<(&Alarm, &Series)> {
        let shown = || self.widget.series.iter().filter(|series| series.is_shown);
        let on = |alarm: &'_ Alarm, series: &Series| matches!(&series.source, Source::Metric(metric) if *metric == alarm.metric);
        let pair = |series| {
            let alarm = self.alarms.iter().find(|alarm| on(alarm, series))?;
            Some((alarm, series))
        };
        shown().filter_map(pair).collect()
    }

    fn card(&self) -> Card {
        let watched = self.watched();
        let first = watched.first().map(|(_, series)| *series);
        let mut shown: Vec<&Series> = self
            .widget
            .series
            .iter()
            .filter(|one| one.is_shown)
            .collect();
        // What an alarm is on is the one to look at.
        shown.sort_by_key(|series| Some(*series) != first);
        let figures: Vec<Figure> = shown.iter().map(|series| self.figure(series)).collect();
        let (state, said) = self.state(&watched, &figures);
        // A sum's threshold is of the alarm's period; a percentile's holds for any.
        let comparable = |alarm: &&Alarm| {
            alarm.period == self.span.period || alarm.metric.statistic.starts_with('p')
        };
        let threshold = (watched.iter().map(|(alarm, _)| *alarm))
            .find(comparable)
            .map(|alarm| alarm.threshold);
        Card {
            title: self.widget.title.clone(),
            state,
            said,
            figures,
            span: self.span,
            reach: self.widget.reach,
            numbers: self.widget.numbers,
            threshold,
            notes: alarmed(&watched).into_iter().collect(),
        }
    }

    fn state(&self, watched: &[(&Alarm, &Series)], figures: &[Figure]) -> (State, String) {
        let mut worst: Option<(State, String)> = None;
        let mut found = |state: State, said: String| {
            if worst.as_ref().is_none_or(|(other, _)| state < *other) {
                worst = Some((state, said));
            }
        };
        for (alarm, series) in watched {
            if let Some((state, said)) = self.alarm(alarm, series) {
                found(state, said);
            }
        }
        let failed: f64 = (self.widget.series.iter())
            .filter(|series| matches!(&series.source, Source::Metric(metric) if metric.name == "FailedPipelineExecutions"))
            .filter_map(|series| self.figure(series).value)
            .sum();
        if failed > 0.0 {
            found(State::Bad, format!("{failed} failed"));
        }
        if figures.iter().all(|figure| figure.value.is_none()) {
            // An alarm that is on says more than data that is not there.
            let mut whys = figures.iter().map(|figure| figure.why.as_deref());
            let first = whys.next().flatten().unwrap_or("no data");
            let same = whys.all(|why| why == Some(first));
            let refused = (figures.iter())
                .filter_map(|figure| figure.why.as_ref())
                .any(|why| why.starts_with("refused"));
            match (refused, same) {
                (true, _) => found(State::Refused, "refused".to_owned()),
                (false, true) => found(State::NoData, first.to_owned()),
                (false, false) => found(State::NoData, "no data".to_owned()),
            }
        }
        worst.unwrap_or((State::Plain, String::new()))
    }

    /// How an alarm's figure is; `None` where there is none to go by.
    fn alarm(&self, alarm: &Alarm, series: &Series) -> Option<(State, String)> {
        let answer = self.answer(&series.source);
        let told = match self.told {
            AlarmsTold::States(states) => states.iter().find(|state| state.name == alarm.name),
            AlarmsTold::Refused(_) | AlarmsTold::Unwatched => None,
        };
        let state = told.map(|told| told.state.as_str());
        let limit = || format!("{} {}", series.label, limit(alarm));
        if state == Some("ALARM") {
            let since = told.and_then(|told| told.since);
            let since = since.map(|at| format!(" since {}", moment(at)));
            let said = format!("alarm{}: {}", since.unwrap_or_default(), limit());
            return Some((State::Bad, said));
        }
        let held = held(alarm, answer.points(), self.span);
        let was = |word: &str| {
            let said = format!("{} {word} {}", series.label, self::limit(alarm));
            Some((State::Was, said))
        };
        match held {
            // CloudWatch, where it watches, knows better what is now.
            Held::Now if state != Some("OK") => Some((State::Bad, limit())),
            Held::Now | Held::Before => was("was"),
            Held::Perhaps => was("may have been"),
            Held::Not => Some((State::Good, "ok".to_owned())),
            Held::Unknown if matches!(answer, Answer::Refused(_)) => {
                Some((State::Refused, "refused".to_owned()))
            }
            Held::Unknown if state == Some("OK") && !answer.points().is_empty() => {
                Some((State::Good, "ok".to_owned()))
            }
            Held::Unknown => None,
        }
    }
}

/// The alarms of a card in a line.
fn alarmed(watched: &[(&Alarm, &Series)]) -> Option<String> {
    let told: Vec<_> = (watched.iter())
        .map(|(alarm, series)| format!("{} {}", series.label, limit(alarm)))
        .collect();
    let (first, _) = watched.first()?;
    let time = length(i64::from(first.period) * i64::try_from(first.periods).unwrap_or(1));
    Some(format!("alarms at {} for {time}", told.join(", ")))
}

/// An alarm's threshold in words.
pub(crate) fn limit(alarm: &Alarm) -> String {
    let unit = alarm.metric.unit();
    let sign = if alarm.inclusive { "≥" } else { ">" };
    format!("{sign} {} {unit}", number(alarm.threshold))
        .trim_end()
        .to_owned()
}

impl Figure {
    /// The value with its unit; a dash where there is none.
    pub(crate) fn shown(&self) -> (String, &'static str) {
        match self.value {
            None => ("–".to_owned(), ""),
            Some(value) if self.unit == "USD" => (format!("{value:.2}"), self.unit),
            Some(value) => (number(value), self.unit),
        }
    }
}
