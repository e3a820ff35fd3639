use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use clap::Args;
use comfy_table::{Cell, CellAlignment, Table, presets};
use serde::Serialize;

use crate::failure::{Failure, Kind};
use crate::package;
use crate::project::Project;
use crate::ui::Ui;

/// Measure the cost report as whole processes, from the start to the end
///
/// The project's own templates, and one of 500 resources; beside them a process that does nothing but
/// tell its version. All take turns. Measured is this executable, as `cargo xtask` has built it.
#[derive(Debug, Args)]
pub(crate) struct CostBenchArgs {
    /// How often the cases take turns
    #[arg(long, default_value_t = 30, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..=1000))]
    rounds: u32,
    /// Measure a release build
    #[arg(long, conflicts_with = "binary")]
    release: bool,
    /// Measure this executable of xtask
    #[arg(long, value_name = "FILE")]
    binary: Option<PathBuf>,
    /// Fail where a goal of docs/benchmarks.md is missed
    #[arg(long)]
    check: bool,
}

/// How many resources the large template has: as many as CloudFormation takes.
const RESOURCES: usize = 500;
/// What a report on the project's own templates may take, in milliseconds.
const OWN_TEMPLATES_MS: f64 = 50.0;
/// What a report on the large template may take, in milliseconds.
const LARGE_TEMPLATE_MS: f64 = 200.0;

/// A command that is measured, and what it may take.
struct Case {
    name: &'static str,
    args: Vec<String>,
    goal: Option<f64>,
}

/// The document that `cargo xtask bench cost --format json` prints; docs/benchmarks.md describes it.
#[derive(Debug, Serialize)]
struct Measured {
    /// `debug` or `release`, where that is known.
    build: &'static str,
    rounds: u32,
    cases: Vec<MeasuredCase>,
}

/// The milliseconds of a case's processes.
#[derive(Debug, Serialize)]
struct MeasuredCase {
    name: &'static str,
    min_ms: f64,
    p50_ms: f64,
    max_ms: f64,
    /// The median may take no longer.
    goal_ms: Option<f64>,
    met: bool,
}

pub(crate) async fn run(ui: &Ui, args: &CostBenchArgs) -> Result<(), Failure> {
    let project = Project::locate()?;
    let (binary, build) = if let Some(path) = &args.binary {
        (path.clone(), "given")
    } else if args.release {
        ui.say("building a release of xtask, which takes minutes");
        let binary = package::cargo_release(ui, &project, "xtask").await?;
        (binary, "release")
    } else {
        let binary = std::env::current_exe()
            .map_err(|error| Failure::io("find", Path::new("xtask"), &error))?;
        let build = if cfg!(debug_assertions) {
            "debug"
        } else {
            "release"
        };
        (binary, build)
    };
    let folder = tempfile::tempdir()
        .map_err(|error| Failure::io("create", &std::env::temp_dir(), &error))?;
    let cases = cases(folder.path())?;
    ui.on_interrupt(
        "nothing is left of it",
        "`cargo xtask bench cost` measures from the start",
    );
    let mut times = vec![Vec::new(); cases.len()];
    // The first turn only fetches files from the disk.
    for round in 0..=args.rounds {
        for (case, times) in cases.iter().zip(&mut times) {
            let taken = once(&binary, case, &project)?;
            if round > 0 {
                times.push(taken);
            }
        }
    }
    let measured = Measured {
        build,
        rounds: args.rounds,
        cases: (cases.iter().zip(times))
            .map(|(case, times)| MeasuredCase::of(case, times))
            .collect(),
    };
    if ui.is_json() {
        ui.json(&measured);
    } else {
        ui.data(measured.text());
    }
    let missed: Vec<_> = measured.cases.iter().filter(|case| !case.met).collect();
    if !args.check || missed.is_empty() {
        return Ok(());
    }
    let mut failure = Failure::new(Kind::Check, format!("{} goals are missed", missed.len()));
    for case in missed {
        let goal = case.goal_ms.unwrap_or_default();
        failure = failure.cause(format!(
            "{}: {:.1} ms, and not below {goal:.0} ms",
            case.name, case.p50_ms
        ));
    }
    Err(failure)
}

/// What is measured; the large template is written into the folder.
fn cases(folder: &Path) -> Result<Vec<Case>, Failure> {
    let words = |line: &str| line.split(' ').map(str::to_owned).collect::<Vec<_>>();
    let path = folder.join("large.yaml");
    std::fs::write(&path, large_template(RESOURCES))
        .map_err(|error| Failure::io("write", &path, &error))?;
    let mut large = words("cost --region eu-west-2 --profile small --format json --template");
    large.push(path.display().to_string());
    Ok(vec![
        Case {
            name: "xtask --version",
            args: words("--version"),
            goal: None,
        },
        Case {
            name: "cost --env sandbox",
            args: words("cost --env sandbox"),
            goal: Some(OWN_TEMPLATES_MS),
        },
        Case {
            name: "cost --env prod --format html",
            args: words("cost --env prod --profile busy --format html"),
            goal: Some(OWN_TEMPLATES_MS),
        },
        Case {
            name: "cost --template, 500 resources",
            args: large,
            goal: Some(LARGE_TEMPLATE_MS),
        },
    ])
}

/// Runs a case as a process of its own, and tells how long it took.
fn once(binary: &Path, case: &Case, project: &Project) -> Result<Duration, Failure> {
    let mut command = Command::new(binary);
    command
        .args(&case.args)
        .current_dir(project.root())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let begin = Instant::now();
    let status = command
        .status()
        .map_err(|error| Failure::io("run", binary, &error))?;
    let taken = begin.elapsed();
    if status.success() {
        return Ok(taken);
    }
    Err(
        Failure::new(Kind::Tool, format!("`{}` ended with {status}", case.name)).hint(format!(
            "`{} {}` says why",
            binary.display(),
            case.args.join(" ")
        )),
    )
}

impl MeasuredCase {
    fn of(case: &Case, mut times: Vec<Duration>) -> Self {
        times.sort();
        let ms = |index: usize| {
            times
                .get(index)
                .map_or(0.0, |time| time.as_secs_f64() * 1000.0)
        };
        let p50_ms = ms(times.len() / 2);
        Self {
            name: case.name,
            min_ms: ms(0),
            p50_ms,
            max_ms: ms(times.len().saturating_sub(1)),
            goal_ms: case.goal,
            met: case.goal.is_none_or(|goal| p50_ms < goal),
        }
    }
}

impl Measured {
    fn text(&self) -> String {
        let mut table = Table::new();
        table.load_style(presets::NOTHING).set_header([
            "ms, whole process",
            "min",
            "median",
            "max",
            "goal",
            "",
        ]);
        for case in &self.cases {
            let goal = case.goal_ms.map(|goal| format!("below {goal:.0}"));
            let met = match (case.goal_ms, case.met) {
                (None, _) => "",
                (_, true) => "met",
                (_, false) => "missed",
            };
            table.add_row([
                Cell::new(case.name),
                Cell::new(format!("{:.1}", case.min_ms)).set_alignment(CellAlignment::Right),
                Cell::new(format!("{:.1}", case.p50_ms)).set_alignment(CellAlignment::Right),
                Cell::new(format!("{:.1}", case.max_ms)).set_alignment(CellAlignment::Right),
                Cell::new(goal.unwrap_or_default()),
                Cell::new(met),
            ]);
        }
        let rounds = self.rounds;
        format!(
            "{}\n{} build, {rounds} rounds",
            table.trim_fmt(),
            self.build
        )
    }
}

/// Functions, each with what belongs to it, tied together by every kind of reference.
fn large_template(resources: usize) -> String {
    let head = "
Parameters:
  Size: {Type: Number, Default: 512}
  Kept: {Type: String, Default: 'true'}
Mappings:
  Days:
    eu-west-2: {Kept: 30}
Conditions:
  IsKept: !Equals [!Ref Kept, 'true']
Resources:
";
    let kinds = [
        "
  Function#:
    Type: AWS::Lambda::Function
    Properties:
      FunctionName: !Sub '${AWS::StackName}-#'
      MemorySize: !Ref Size
      Timeout: 10
      Runtime: provided.al2023
      Architectures: [arm64]
      Role: !Sub 'arn:${AWS::Partition}:iam::${AWS::AccountId}:role/function'
      Code: {S3Bucket: code, S3Key: function.zip}
      Environment:
        Variables:
          TABLE: !Ref Table#
          QUEUE: !GetAtt Queue#.Arn
",
        "
  Log#:
    Type: AWS::Logs::LogGroup
    Properties:
      LogGroupName: !Sub '/aws/lambda/${Function#}'
      RetentionInDays: !FindInMap [Days, !Ref 'AWS::Region', Kept]
",
        "
  Table#:
    Type: AWS::DynamoDB::Table
    Properties:
      BillingMode: PAY_PER_REQUEST
      KeySchema:
        - AttributeName: Id
          KeyType: HASH
      AttributeDefinitions:
        - AttributeName: Id
          AttributeType: S
      PointInTimeRecoverySpecification:
        PointInTimeRecoveryEnabled: !If [IsKept, true, false]
",
        "
  Queue#:
    Type: AWS::SQS::Queue
    Properties:
      QueueName: !Join ['-', [!Ref 'AWS::StackName', '#']]
",
        "
  Alarm#:
    Type: AWS::CloudWatch::Alarm
    Properties:
      Namespace: AWS/Lambda
      MetricName: Errors
      Statistic: Sum
      Period: 60
      EvaluationPeriods: 1
      Threshold: 0
      ComparisonOperator: GreaterThanThreshold
      Dimensions:
        - Name: FunctionName
          Value: !Ref Function#
",
    ];
    let resource = |number: usize| {
        let group = (number / kinds.len()).to_string();
        kinds[number % kinds.len()].replace('#', &group)
    };
    std::iter::once(head.to_owned())
        .chain((0..resources).map(resource))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_large_template_is_whole() {
        let template = stackway_cost::template::Template::parse(&large_template(RESOURCES));
        let deployment = stackway_cost::estimate::Deployment {
            stack: "large".to_owned(),
            template: &template.unwrap(),
            given: std::collections::BTreeMap::new(),
            place: stackway_cost::evaluate::Place {
                region: "eu-west-2".to_owned(),
                account: None,
                stack_name: "large".to_owned(),
            },
        };
        let book = crate::pricing::book().unwrap();
        let usage = crate::pricing::Usage::read(None, Some("small"), None).unwrap();
        let estimate =
            stackway_cost::estimate::estimate(&[deployment], usage.basis(&book).unwrap()).unwrap();
        assert_eq!(estimate.resources, RESOURCES);
        assert_eq!(estimate.gaps, []);
        assert!(estimate.total().list > rust_decimal::Decimal::ZERO);
    }

    #[test]
    fn a_goal_is_held_by_the_median() {
        let case = Case {
            name: "case",
            args: Vec::new(),
            goal: Some(50.0),
        };
        for (times, met) in [([90, 10, 49], true), ([10, 90, 51], false)] {
            let times = times.map(Duration::from_millis).to_vec();
            assert_eq!(MeasuredCase::of(&case, times).met, met);
        }
    }
}
