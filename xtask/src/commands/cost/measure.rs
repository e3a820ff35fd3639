//! A usage profile from what CloudWatch measured.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use stackway_infra::aws::CloudWatch;
use stackway_infra::cloud::billing::{MetricRequest, Metrics};
use stackway_infra::cloud::{CloudError, Stacks as _};
use stackway_infra::stack::{Outcome, StackResource};
use stackway_infra::stack_def::StackGraph;
use time::{Date, OffsetDateTime};

use super::cloud_of;
use crate::failure::{Failure, Kind};
use crate::settings::Settings;
use crate::ui::Ui;

/// Days of a month of 730 hours.
const MONTH_DAYS: f64 = 730.0 / 24.0;

const GB: f64 = 1_073_741_824.0;

/// How days become a figure of a month.
#[derive(Clone, Copy)]
enum Sum {
    /// The days' sum, at the rate of a month.
    Month,
    /// The days' average: a size, a duration.
    Average,
}

/// A figure of a profile and the metric that measures it.
struct Measure {
    kind: &'static str,
    table: &'static str,
    figure: &'static str,
    namespace: &'static str,
    metric: &'static str,
    dimension: &'static str,
    /// A second dimension, whose value is always the same.
    with: Option<(&'static str, &'static str)>,
    statistic: &'static str,
    sum: Sum,
    /// What a unit of the metric is in units of the figure.
    scale: f64,
}

const fn measure(
    kind: &'static str,
    (table, figure): (&'static str, &'static str),
    (namespace, metric, dimension): (&'static str, &'static str, &'static str),
    sum: Sum,
    scale: f64,
) -> Measure {
    Measure {
        kind,
        table,
        figure,
        namespace,
        metric,
        dimension,
        with: None,
        statistic: match sum {
            Sum::Month => "Sum",
            Sum::Average => "Average",
        },
        sum,
        scale,
    }
}

/// See [metrics by service](https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/aws-services-cloudwatch-metrics.html).
const MEASURES: &[Measure] = &[
    measure(
        "AWS::Lambda::Function",
        ("lambda", "requests"),
        ("AWS/Lambda", "Invocations", "FunctionName"),
        Sum::Month,
        1.0,
    ),
    measure(
        "AWS::Lambda::Function",
        ("lambda", "duration_ms"),
        ("AWS/Lambda", "Duration", "FunctionName"),
        Sum::Average,
        1.0,
    ),
    measure(
        "AWS::ApiGatewayV2::Api",
        ("http_api", "requests"),
        ("AWS/ApiGateway", "Count", "ApiId"),
        Sum::Month,
        1.0,
    ),
    measure(
        "AWS::DynamoDB::Table",
        ("dynamodb", "writes"),
        ("AWS/DynamoDB", "ConsumedWriteCapacityUnits", "TableName"),
        Sum::Month,
        1.0,
    ),
    measure(
        "AWS::DynamoDB::Table",
        ("dynamodb", "reads"),
        ("AWS/DynamoDB", "ConsumedReadCapacityUnits", "TableName"),
        Sum::Month,
        1.0,
    ),
    measure(
        "AWS::Logs::LogGroup",
        ("logs", "ingested_gb"),
        ("AWS/Logs", "IncomingBytes", "LogGroupName"),
        Sum::Month,
        1.0 / GB,
    ),
    Measure {
        with: Some(("StorageType", "StandardStorage")),
        ..measure(
            "AWS::S3::Bucket",
            ("s3", "storage_gb"),
            ("AWS/S3", "BucketSizeBytes", "BucketName"),
            Sum::Average,
            1.0 / GB,
        )
    },
    measure(
        "AWS::SNS::Topic",
        ("sns", "publishes"),
        ("AWS/SNS", "NumberOfMessagesPublished", "TopicName"),
        Sum::Month,
        1.0,
    ),
    measure(
        "AWS::StepFunctions::StateMachine",
        ("states", "executions"),
        ("AWS/States", "ExecutionsStarted", "StateMachineArn"),
        Sum::Month,
        1.0,
    ),
    measure(
        "AWS::CodeBuild::Project",
        ("codebuild", "builds"),
        ("AWS/CodeBuild", "Builds", "ProjectName"),
        Sum::Month,
        1.0,
    ),
    measure(
        "AWS::CodeBuild::Project",
        ("codebuild", "minutes"),
        ("AWS/CodeBuild", "Duration", "ProjectName"),
        Sum::Average,
        1.0 / 60.0,
    ),
];

impl Measure {
    fn request(&self, physical_id: &str) -> MetricRequest {
        // A topic's physical id is its ARN, and its metrics go by its name.
        let name = if self.kind == "AWS::SNS::Topic" {
            physical_id.rsplit(':').next().unwrap_or(physical_id)
        } else {
            physical_id
        };
        let mut dimensions = vec![(self.dimension, name.to_owned())];
        dimensions.extend(self.with.map(|(name, value)| (name, value.to_owned())));
        MetricRequest {
            namespace: self.namespace,
            name: self.metric,
            dimensions,
            statistic: self.statistic,
        }
    }

    /// The figure of a month; `None` where no day has a value.
    fn figure(&self, values: &[f64], days: u16) -> Option<f64> {
        if values.is_empty() {
            return None;
        }
        let sum: f64 = values.iter().sum();
        let figure = match self.sum {
            Sum::Month => sum / f64::from(days) * MONTH_DAYS,
            Sum::Average => sum / f64::from(u32::try_from(values.len()).ok()?),
        };
        Some(figure * self.scale)
    }
}

/// Figures by table and name.
type Figures = BTreeMap<&'static str, Vec<(&'static str, f64)>>;

pub(super) async fn run(
    ui: &Ui,
    settings: &Settings,
    graph: &StackGraph,
    days: u16,
) -> Result<(), Failure> {
    let cloud = cloud_of(settings).await?;
    let metrics = CloudWatch::new(&cloud.config);
    let today = OffsetDateTime::now_utc().date();
    let mut deployed = Vec::new();
    for def in graph.deploy_order() {
        let stack = cloud
            .stacks
            .describe_stack(&settings.naming.stack(def.name))
            .await?;
        let Some(stack) = stack.filter(|stack| stack.status.outcome() != Outcome::Deleted) else {
            continue;
        };
        deployed.push((def.name, cloud.stacks.stack_resources(&stack.id).await?));
    }
    if deployed.is_empty() {
        let name = &settings.environment.name;
        return Err(Failure::new(
            Kind::NotDeployed,
            format!("nothing is deployed to `{name}`"),
        )
        .hint(format!("run `cargo xtask deploy --env {name}`")));
    }
    let measured = measured(&deployed, &metrics, today, days).await?;
    ui.data(profile(&measured, &settings.environment.name.to_string(), days).trim_end());
    ui.say("put this into usage.toml, and use it with `--profile measured`");
    Ok(())
}

/// The figures of each resource that has some, by `stack.Resource`.
async fn measured(
    deployed: &[(&str, Vec<StackResource>)],
    metrics: &dyn Metrics,
    until: Date,
    days: u16,
) -> Result<BTreeMap<String, Figures>, CloudError> {
    let mut measured: BTreeMap<String, Figures> = BTreeMap::new();
    for (stack, resource) in deployed
        .iter()
        .flat_map(|(stack, resources)| resources.iter().map(move |resource| (stack, resource)))
    {
        for measure in MEASURES
            .iter()
            .filter(|measure| measure.kind == resource.resource_type)
        {
            let request = measure.request(&resource.physical_id);
            let values = metrics.daily_values(&request, until, days).await?;
            if let Some(figure) = measure.figure(&values, days) {
                let figures = measured
                    .entry(format!("{stack}.{}", resource.logical_id))
                    .or_default();
                figures
                    .entry(measure.table)
                    .or_default()
                    .push((measure.figure, figure));
            }
        }
    }
    Ok(measured)
}

/// The profile as text for usage.toml.
fn profile(measured: &BTreeMap<String, Figures>, environment: &str, days: u16) -> String {
    let mut out = format!(
        "# Measured in {environment} over {days} days, at the rate of a month.\n[profiles.measured]\n"
    );
    for (resource, figures) in measured {
        // Writing to a string cannot fail.
        let _ = writeln!(out, "\n[profiles.measured.resources.\"{resource}\"]");
        for (table, figures) in figures {
            let figures: Vec<_> = (figures.iter())
                .map(|(name, figure)| format!("{name} = {}", rounded(*figure)))
                .collect();
            let _ = writeln!(out, "{table} = {{ {} }}", figures.join(", "));
        }
    }
    out
}

/// Six decimals at most, and none where there is nothing behind the point.
fn rounded(figure: f64) -> String {
    let text = format!("{figure:.6}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_of_a_month() {
        let of = |name: &str| {
            MEASURES
                .iter()
                .find(|measure| measure.metric == name)
                .unwrap()
        };
        for (metric, values, days, expected) in [
            ("Invocations", &[10.0, 20.0][..], 30, Some(30.416_666)),
            ("Duration", &[10.0, 20.0], 30, Some(15.0)),
            ("IncomingBytes", &[1_073_741_824.0], 1, Some(30.416_666)),
            ("Count", &[], 30, None),
        ] {
            let figure = of(metric).figure(values, days);
            let near = match (figure, expected) {
                (Some(figure), Some(expected)) => (figure - expected).abs() < 0.001,
                (figure, expected) => figure.is_none() && expected.is_none(),
            };
            assert!(near, "{metric}: {figure:?}");
        }
    }

    /// CloudWatch with two values for each metric of these names, and nothing for any other.
    struct Scripted(&'static [(&'static str, &'static str, [f64; 2])]);

    #[async_trait::async_trait]
    impl Metrics for Scripted {
        async fn daily_values(
            &self,
            metric: &MetricRequest,
            _: Date,
            days: u16,
        ) -> Result<Vec<f64>, CloudError> {
            assert_eq!(days, 2);
            let asked = (metric.name, metric.dimensions[0].1.as_str());
            let found = self.0.iter().find(|(name, of, _)| (*name, *of) == asked);
            Ok(found.map_or_else(Vec::new, |(_, _, values)| values.to_vec()))
        }
    }

    #[tokio::test]
    async fn each_resource_is_asked_by_its_own_name() {
        let resource = |logical: &str, physical: &str, kind: &str| StackResource {
            logical_id: logical.to_owned(),
            physical_id: physical.to_owned(),
            resource_type: kind.to_owned(),
            status: "CREATE_COMPLETE".to_owned(),
        };
        let deployed = [
            (
                "api",
                vec![
                    resource("Function", "prod-api", "AWS::Lambda::Function"),
                    resource("Role", "role", "AWS::IAM::Role"),
                    resource("Log", "/aws/lambda/prod-api", "AWS::Logs::LogGroup"),
                ],
            ),
            (
                "delivery",
                vec![resource(
                    "Topic",
                    "arn:aws:sns:eu-west-2:111111111111:failed",
                    "AWS::SNS::Topic",
                )],
            ),
        ];
        let metrics = Scripted(&[
            ("Invocations", "prod-api", [100.0, 140.0]),
            ("Duration", "prod-api", [10.0, 30.0]),
            ("NumberOfMessagesPublished", "failed", [1.0, 1.0]),
        ]);
        let until = Date::from_calendar_date(2026, time::Month::November, 24).unwrap();
        let measured = measured(&deployed, &metrics, until, 2).await.unwrap();
        insta::assert_snapshot!(profile(&measured, "prod", 2));
    }

    #[test]
    fn what_is_printed_can_be_used() {
        let figures =
            Figures::from([("lambda", vec![("requests", 1234.5), ("duration_ms", 20.0)])]);
        let measured = BTreeMap::from([("api.Function".to_owned(), figures)]);
        let text = profile(&measured, "prod", 30);
        let file =
            stackway_cost::usage::UsageFile::parse(&format!("profile = \"measured\"\n{text}"))
                .unwrap();
        let figure = file
            .profile("measured")
            .unwrap()
            .figure("api", "Function", "lambda.requests");
        assert_eq!(figure.to_string(), "1234.5");
    }

    #[test]
    fn every_measure_is_a_figure() {
        for measure in MEASURES {
            let key = format!("{}.{}", measure.table, measure.figure);
            assert!(
                stackway_cost::usage::METRICS
                    .iter()
                    .any(|metric| metric.key == key),
                "{key}"
            );
        }
    }
}
