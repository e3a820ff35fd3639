//! What the dashboard shows, read from the one that CloudWatch has: cloudformation/observability.yaml. So the two show the
//! same figures, and the alarms' thresholds are the alarms'.
//!
//! See [the structure of a dashboard](https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html).

use serde_json::{Map, Value};
use stackway_infra::cloud::MetricQuery;
use stackway_infra::template_diff::Version;

use crate::failure::{Failure, Kind};

/// The resources of the template that are read.
const DASHBOARD: &str = "AWS::CloudWatch::Dashboard";
const ALARM: &str = "AWS::CloudWatch::Alarm";

/// What a widget of a day has as its period.
const DAY: u32 = 86_400;

/// The dashboard and the alarms.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Definition {
    pub(crate) widgets: Vec<Widget>,
    /// Empty where the environment has none.
    pub(crate) alarms: Vec<Alarm>,
}

/// A widget: metrics under one title.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Widget {
    pub(crate) title: String,
    pub(crate) region: String,
    pub(crate) reach: Reach,
    /// Whether it shows numbers alone.
    pub(crate) numbers: bool,
    pub(crate) series: Vec<Series>,
}

/// How far back a widget looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Reach {
    /// As far as was asked for.
    Asked,
    /// A day.
    Day,
    /// The calendar month.
    Month,
}

/// A metric, or what is computed from one.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Series {
    pub(crate) label: String,
    pub(crate) source: Source,
    /// Whether it is shown, or only computed with.
    pub(crate) is_shown: bool,
    /// Whether it has a scale of its own.
    pub(crate) is_aside: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Source {
    Metric(Metric),
    /// Another series of the widget, by its place, divided by a number.
    Divided {
        series: usize,
        by: f64,
    },
}

/// A metric by one statistic.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Metric {
    pub(crate) namespace: String,
    pub(crate) name: String,
    pub(crate) dimensions: Vec<(String, String)>,
    pub(crate) statistic: String,
}

impl Metric {
    pub(crate) fn query(&self, period: u32) -> MetricQuery {
        MetricQuery {
            namespace: self.namespace.clone(),
            name: self.name.clone(),
            dimensions: self.dimensions.clone(),
            statistic: self.statistic.clone(),
            period,
        }
    }

    /// What its values count.
    pub(crate) fn unit(&self) -> &'static str {
        match (self.namespace.as_str(), self.name.as_str()) {
            _ if self.statistic == "SampleCount" => "",
            ("AWS/Lambda", "Duration") | ("stackway", "table_ms" | "duration_ms") => "ms",
            ("AWS/DynamoDB", "ConsumedReadCapacityUnits" | "ConsumedWriteCapacityUnits") => "units",
            ("AWS/Billing", _) => "USD",
            ("AWS/CodeBuild" | "AWS/CodePipeline", "Duration" | "PipelineDuration") => "s",
            _ => "",
        }
    }
}

/// An alarm, as its template sets it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Alarm {
    pub(crate) name: String,
    pub(crate) metric: Metric,
    pub(crate) period: u32,
    /// Periods in a row that must be over.
    pub(crate) periods: usize,
    pub(crate) threshold: f64,
    /// Whether the threshold itself is over.
    pub(crate) inclusive: bool,
}

impl Alarm {
    /// Whether a value is over.
    pub(crate) fn is_over(&self, value: f64) -> bool {
        if self.inclusive {
            value >= self.threshold
        } else {
            value > self.threshold
        }
    }
}

impl Definition {
    /// Reads the template with its parameters. The dashboard is read even where the environment has it switched off.
    pub(crate) fn read(version: &Version<'_>) -> Result<Self, Failure> {
        let resolved = |kind: &'static str| {
            let resources = version.template.resources.values();
            resources
                .filter(move |one| one.resource_type == kind)
                .filter_map(|one| Some((one, version.resolve(&one.properties)?)))
        };
        let (_, dashboard) = resolved(DASHBOARD)
            .next()
            .ok_or_else(|| unread("it has no dashboard"))?;
        let body = dashboard["DashboardBody"].as_str().unwrap_or_default();
        let body: Value = serde_json::from_str(body)
            .map_err(|error| unread(&format!("the body of its dashboard: {error}")))?;
        let widgets = body["widgets"].as_array().into_iter().flatten();
        let alarms = resolved(ALARM)
            .filter(|(one, _)| version.exists(one.condition.as_deref()))
            .map(|(_, properties)| alarm(&properties).ok_or_else(|| unread("an alarm of it")));
        Ok(Self {
            widgets: widgets
                .map(|one| widget(&one["properties"]))
                .collect::<Result<_, _>>()?,
            alarms: alarms.collect::<Result<_, _>>()?,
        })
    }
}

fn unread(what: &str) -> Failure {
    let message = "cloudformation/observability.yaml has what `dashboard` cannot read";
    Failure::new(Kind::Configuration, message)
        .cause(what.to_owned())
        .hint(
            "it reads metrics by one statistic, sums divided by a number, and alarms on one metric",
        )
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

/// Numbers are texts where a template gave them: the resolver makes all scalars so.
fn number<T: std::str::FromStr>(value: &Value) -> Option<T> {
    match value {
        Value::String(text) => text.parse().ok(),
        other => other.to_string().parse().ok(),
    }
}

fn widget(properties: &Value) -> Result<Widget, Failure> {
    let title = text(&properties["title"]).ok_or_else(|| unread("a widget without a title"))?;
    let refuse = || unread(&format!("widget `{title}`"));
    let entries = properties["metrics"].as_array().ok_or_else(refuse)?;
    let mut series: Vec<Series> = Vec::new();
    let mut ids: Vec<Option<String>> = Vec::new();
    let nothing = Map::new();
    for entry in entries {
        let parts = entry.as_array().ok_or_else(refuse)?;
        let (names, options) = match parts.split_last() {
            Some((Value::Object(options), names)) => (names, options),
            _ => (parts.as_slice(), &nothing),
        };
        let option = |name: &str| options.get(name).and_then(text);
        let source = if let Some(expression) = option("expression") {
            divided(&expression, &ids).ok_or_else(refuse)?
        } else {
            let statistic = option("stat").or_else(|| text(&properties["stat"]));
            metric(names, statistic.ok_or_else(refuse)?)
                .map(Source::Metric)
                .ok_or_else(refuse)?
        };
        ids.push(option("id"));
        series.push(Series {
            label: option("label").ok_or_else(refuse)?,
            source,
            is_shown: options.get("visible") != Some(&Value::Bool(false)),
            is_aside: option("yAxis").as_deref() == Some("right"),
        });
    }
    let money = |one: &Series| matches!(&one.source, Source::Metric(metric) if metric.namespace == "AWS/Billing");
    Ok(Widget {
        reach: if series.iter().any(money) {
            Reach::Month
        } else if number::<u32>(&properties["period"]).is_some_and(|period| period >= DAY) {
            Reach::Day
        } else {
            Reach::Asked
        },
        region: text(&properties["region"]).ok_or_else(refuse)?,
        numbers: properties["view"] == "singleValue",
        series,
        title,
    })
}

/// Namespace, name, then pairs of dimensions.
fn metric(names: &[Value], statistic: String) -> Option<Metric> {
    let names: Vec<String> = names.iter().map(text).collect::<Option<_>>()?;
    let [namespace, name, dimensions @ ..] = names.as_slice() else {
        return None;
    };
    Some(Metric {
        namespace: namespace.clone(),
        name: name.clone(),
        dimensions: dimensions
            .chunks(2)
            .map(|pair| Some((pair.first()?.clone(), pair.get(1)?.clone())))
            .collect::<Option<_>>()?,
        statistic,
    })
}

/// `id / number`.
fn divided(expression: &str, ids: &[Option<String>]) -> Option<Source> {
    let (id, by) = expression.split_once('/')?;
    let id = id.trim();
    Some(Source::Divided {
        series: ids.iter().position(|one| one.as_deref() == Some(id))?,
        by: by.trim().parse().ok()?,
    })
}

fn alarm(properties: &Value) -> Option<Alarm> {
    let dimensions = properties["Dimensions"].as_array()?.iter();
    let statistic =
        text(&properties["Statistic"]).or_else(|| text(&properties["ExtendedStatistic"]));
    Some(Alarm {
        name: text(&properties["AlarmName"])?,
        metric: Metric {
            namespace: text(&properties["Namespace"])?,
            name: text(&properties["MetricName"])?,
            dimensions: dimensions
                .map(|one| Some((text(&one["Name"])?, text(&one["Value"])?)))
                .collect::<Option<_>>()?,
            statistic: statistic?,
        },
        period: number(&properties["Period"])?,
        periods: number(&properties["EvaluationPeriods"])?,
        threshold: number(&properties["Threshold"])?,
        inclusive: match properties["ComparisonOperator"].as_str()? {
            "GreaterThanOrEqualToThreshold" => true,
            "GreaterThanThreshold" => false,
            _ => return None,
        },
    })
}

#[cfg(test)]
pub(super) mod tests {
    use std::path::Path;

    use stackway_infra::template::Template;

    use super::*;

    const TEMPLATE: &str = include_str!("../../../cloudformation/observability.yaml");

    pub(in crate::dashboard) fn definition(alarms: &str) -> Definition {
        let template = Template::parse(TEMPLATE, Path::new("observability.yaml")).unwrap();
        let values = [
            ("Project", "stackway"),
            ("Environment", "dev"),
            ("TableName", "stackway-eu-west-2-dev-table"),
            ("AWS::Region", "eu-west-2"),
            ("Alarms", alarms),
        ];
        let values = values.map(|(name, value)| (name.to_owned(), value.to_owned()));
        Definition::read(&Version {
            template: &template,
            values: values.into(),
        })
        .unwrap()
    }

    /// Everything that CloudWatch's dashboard shows is shown: each metric of the template's text is in the definition.
    #[test]
    fn nothing_of_the_dashboard_is_left_out() {
        let definition = definition("true");
        let widgets = TEMPLATE.matches("\"type\": \"metric\"").count();
        assert_eq!(definition.widgets.len(), widgets);
        let named = TEMPLATE
            .lines()
            .filter(|line| {
                line.trim_start().starts_with("[\"AWS/")
                    || line.trim_start().starts_with("[\"stackway\"")
            })
            .count();
        let series = || definition.widgets.iter().flat_map(|widget| &widget.series);
        let metrics = series().filter(|one| matches!(one.source, Source::Metric(_)));
        assert_eq!(metrics.count(), named);
        let text = format!("{definition:?}");
        assert!(!text.contains("${"), "{text}");
        insta::assert_snapshot!(told(&definition));
    }

    /// An alarm that the dashboard does not show would go off over a chart that looks well.
    #[test]
    fn each_alarm_is_on_something_that_is_shown() {
        let definition = definition("true");
        assert_eq!(definition.alarms.len(), 5);
        for alarm in &definition.alarms {
            let shown = definition.widgets.iter().any(|widget| {
                let mut series = widget.series.iter().filter(|one| one.is_shown);
                series.any(|one| one.source == Source::Metric(alarm.metric.clone()))
            });
            assert!(shown, "{} is on nothing that is shown", alarm.name);
        }
        assert_eq!(self::definition("false").alarms, []);
    }

    fn told(definition: &Definition) -> String {
        let mut lines = Vec::new();
        for widget in &definition.widgets {
            lines.push(format!(
                "{} ({}, {:?})",
                widget.title, widget.region, widget.reach
            ));
            for series in &widget.series {
                let source = match &series.source {
                    Source::Metric(metric) => format!(
                        "{} {} {} {:?}",
                        metric.statistic, metric.namespace, metric.name, metric.dimensions
                    ),
                    Source::Divided { series, by } => format!("series {series} / {by}"),
                };
                let hidden = if series.is_shown { "" } else { " (hidden)" };
                lines.push(format!("  {}: {source}{hidden}", series.label));
            }
        }
        for alarm in &definition.alarms {
            let sign = if alarm.inclusive { ">=" } else { ">" };
            lines.push(format!(
                "{}: {} of {} s, {} {sign} {}",
                alarm.name, alarm.periods, alarm.period, alarm.metric.name, alarm.threshold
            ));
        }
        lines.join("\n")
    }
}
