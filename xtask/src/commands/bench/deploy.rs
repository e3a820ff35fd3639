use std::collections::BTreeMap;
use std::future::pending;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use clap::Args;
use comfy_table::{Cell, CellAlignment, Table, presets};
use serde::Serialize;
use stackway_infra::aws::{self, CloudFormation};
use stackway_infra::clock::{PollInterval, SystemClock};
use stackway_infra::cloud::Stacks as _;
use stackway_infra::flow::{
    AllowReplace, Deployer, FlowError, Observer, Planner, Progress, Remedies, StackInput,
    StackInputs, Tools,
};
use stackway_infra::stack_def::{Presence, StackDef, StackGraph};
use stackway_local_cloud::Emulator;

use crate::aws_cli;
use crate::cloud::emulator_failure;
use crate::commands::status::graph_failure;
use crate::failure::{Failure, Kind};
use crate::package;
use crate::project::Project;
use crate::ui::Ui;

/// Measure a deploy of three small stacks beside a script of `aws cloudformation deploy`
///
/// Both sides are processes of their own that deploy the same templates to the same emulator, in turns: stacks that are
/// new, and then the same again without a change. Measured is this executable, as `cargo xtask` has built it.
#[derive(Debug, Args)]
pub(crate) struct DeployBenchArgs {
    /// How often the sides take turns
    #[arg(long, default_value_t = 10, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..=1000))]
    rounds: u32,
    /// Measure a release build
    #[arg(long)]
    release: bool,
    /// Fail where a goal of docs/benchmarks.md is missed
    #[arg(long)]
    check: bool,
    /// Deploy once, with names that start so: what the benchmark runs as a process
    #[arg(long, hide = true, value_name = "PREFIX", requires = "endpoint_url")]
    once: Option<String>,
    /// Where it is deployed to
    #[arg(long, hide = true, value_name = "URL", requires = "once")]
    endpoint_url: Option<String>,
}

/// How many times as long the script may at least take.
const GOAL: f64 = 5.0;
const REGION: &str = "eu-west-2";
const ACCOUNT: &str = "000000000000";

const fn small(name: &'static str) -> StackDef {
    StackDef {
        name,
        summary: "",
        needs: &[],
        package: None,
        presence: Presence::Always,
        outputs: &[],
    }
}

const STACKS: &[StackDef] = &[small("queue"), small("topic"), small("parameter")];

/// The template of a stack.
fn template(stack: &str) -> &'static str {
    match stack {
        "queue" => "Resources:\n  Queue:\n    Type: AWS::SQS::Queue\n",
        "topic" => "Resources:\n  Topic:\n    Type: AWS::SNS::Topic\n",
        _ => {
            "Resources:\n  Value:\n    Type: AWS::SSM::Parameter\n    Properties: {Type: String, Value: one}\n"
        }
    }
}

/// The document that `cargo xtask bench deploy --format json` prints; docs/benchmarks.md describes it.
#[derive(Debug, Serialize)]
struct Measured {
    /// `debug` or `release`.
    build: &'static str,
    rounds: u32,
    cases: Vec<MeasuredCase>,
}

#[derive(Debug, Serialize)]
struct MeasuredCase {
    name: &'static str,
    stackway_ms: Spread,
    aws_cli_ms: Spread,
    /// The script's median by the deploy's.
    ratio: f64,
    at_least: f64,
    met: bool,
}

/// Milliseconds of whole processes.
#[derive(Debug, Serialize)]
struct Spread {
    min: f64,
    p50: f64,
    max: f64,
}

pub(crate) async fn run(ui: &Ui, args: &DeployBenchArgs) -> Result<(), Failure> {
    if let (Some(prefix), Some(url)) = (&args.once, &args.endpoint_url) {
        return once(prefix, url).await;
    }
    let project = Project::locate()?;
    let (binary, build) = if args.release {
        ui.say("building a release of xtask, which takes minutes");
        let binary = package::cargo_release(ui, &project, "xtask").await?;
        (binary, "release")
    } else {
        let binary = std::env::current_exe()
            .map_err(|error| Failure::io("find", Path::new("xtask"), &error))?;
        (binary, "debug")
    };
    let tools = aws_cli::install(ui, &project).await?;
    let folder = tempfile::tempdir()
        .map_err(|error| Failure::io("create", &std::env::temp_dir(), &error))?;
    for def in STACKS {
        let path = folder.path().join(def.name).with_extension("yaml");
        std::fs::write(&path, template(def.name))
            .map_err(|error| Failure::io("write", &path, &error))?;
    }
    // An emulator of its own, which holds nothing else.
    let emulator = Emulator::new(project.state_dir().join("emulator"), free_port()?)
        .with_state_dir(folder.path());
    emulator
        .install(&|text: &str| ui.say(text))
        .await
        .map_err(emulator_failure)?;
    let url = emulator
        .start()
        .await
        .map_err(emulator_failure)?
        .endpoint_url;
    ui.on_interrupt(
        "the emulator of the benchmark may run on",
        "`cargo xtask bench deploy` measures from the start, with one of its own",
    );
    let sides = Sides {
        binary,
        aws: tools.program("aws"),
        folder: folder.path().to_owned(),
        url,
    };
    let measured = sides.measure(args.rounds, build).await;
    emulator.stop().await.map_err(emulator_failure)?;
    let measured = measured?;
    if ui.is_json() {
        ui.json(&measured);
    } else {
        ui.data(measured.text());
    }
    measured.hold(args.check)
}

/// The side of ours: a deploy as a process.
async fn once(prefix: &str, url: &str) -> Result<(), Failure> {
    let stacks = CloudFormation::new(&aws::without_account(ACCOUNT, REGION, url));
    let graph = StackGraph::new(STACKS).map_err(graph_failure)?;
    Deployer {
        tools: Tools {
            stacks: &stacks,
            clock: &SystemClock,
            poll: PollInterval::LOCAL,
            observer: &Silent,
        },
        control: &stacks,
        inputs: &Small(prefix),
        allow_replace: &AllowReplace::default(),
        remedies: &Remedies::default(),
        protect: false,
        stop: Planner::stop_at(pending()),
    }
    .deploy(&graph)
    .await
    .map(|_| ())
    .map_err(|error| Failure::of_flow(error, Kind::Deploy, "local"))
}

struct Silent;

impl Observer for Silent {
    fn observe(&self, _: &str, _: &Progress) {}
}

/// Inputs of stacks whose names start so.
struct Small<'a>(&'a str);

#[async_trait]
impl StackInputs for Small<'_> {
    fn input(&self, stack: &StackDef) -> Result<StackInput, FlowError> {
        Ok(StackInput {
            stack_name: format!("{}-{}", self.0, stack.name),
            template_body: template(stack.name).to_owned(),
            parameters: BTreeMap::new(),
            tags: BTreeMap::new(),
            capabilities: Vec::new(),
        })
    }

    async fn prepare(
        &self,
        _: &StackDef,
        _: &BTreeMap<&'static str, BTreeMap<String, String>>,
    ) -> Result<BTreeMap<String, String>, FlowError> {
        Ok(BTreeMap::new())
    }

    fn check(&self, _: &StackDef, _: &BTreeMap<String, String>) -> Result<(), FlowError> {
        Ok(())
    }
}

struct Sides {
    binary: PathBuf,
    aws: PathBuf,
    folder: PathBuf,
    url: String,
}

impl Sides {
    async fn measure(&self, rounds: u32, build: &'static str) -> Result<Measured, Failure> {
        let mut times: [Vec<Duration>; 4] = Default::default();
        // The first turn only fetches files from the disk.
        for round in 0..=rounds {
            let prefixes = [format!("ours-{round}"), format!("script-{round}")];
            let mut taken = Vec::new();
            for _ in ["new", "the same again"] {
                taken.push(run_once(&mut self.ours(&prefixes[0]))?);
                taken.push(run_once(&mut self.script(&prefixes[1]))?);
            }
            if round > 0 {
                for (times, taken) in times.iter_mut().zip(taken) {
                    times.push(taken);
                }
            }
            self.remove(&prefixes).await?;
        }
        let [new, new_script, same, same_script] = times;
        Ok(Measured {
            build,
            rounds,
            cases: vec![
                MeasuredCase::of("three new stacks", new, new_script),
                MeasuredCase::of("without a change", same, same_script),
            ],
        })
    }

    fn ours(&self, prefix: &str) -> Command {
        let mut command = Command::new(&self.binary);
        command.args(["bench", "deploy", "--once", prefix]);
        command.args(["--endpoint-url", &self.url]);
        command
    }

    fn script(&self, prefix: &str) -> Command {
        let lines = STACKS.iter().map(|def| {
            let name = def.name;
            format!(
                "\"$AWS\" cloudformation deploy --stack-name {prefix}-{name} --template-file {name}.yaml --no-fail-on-empty-changeset\n"
            )
        });
        let mut command = Command::new("sh");
        command
            .args(["-ec", &lines.collect::<String>()])
            .current_dir(&self.folder)
            .env("AWS", &self.aws)
            .env("AWS_ENDPOINT_URL", &self.url)
            .env("AWS_DEFAULT_REGION", REGION)
            .env("AWS_ACCESS_KEY_ID", ACCOUNT)
            .env("AWS_SECRET_ACCESS_KEY", "local")
            .env("AWS_CONFIG_FILE", "/dev/null")
            .env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
            .env_remove("AWS_PROFILE");
        command
    }

    /// Removes what a round has made, and waits until it is gone, so that no round is held up by the one before.
    async fn remove(&self, prefixes: &[String]) -> Result<(), Failure> {
        let stacks = CloudFormation::new(&aws::without_account(ACCOUNT, REGION, &self.url));
        for prefix in prefixes {
            for def in STACKS {
                let name = format!("{prefix}-{}", def.name);
                // Both sides have made their stacks, or the figures mean nothing.
                if stacks.describe_stack(&name).await?.is_none() {
                    return Err(Failure::new(
                        Kind::Deploy,
                        format!("stack `{name}` was not made"),
                    ));
                }
                stacks.delete_stack(&name).await?;
                while stacks.describe_stack(&name).await?.is_some() {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            }
        }
        Ok(())
    }
}

/// Runs a process to its end, and tells how long it took.
fn run_once(command: &mut Command) -> Result<Duration, Failure> {
    command.stdin(Stdio::null());
    let program = command.get_program().to_owned();
    let begin = Instant::now();
    let output = command
        .output()
        .map_err(|error| Failure::io("run", Path::new(&program), &error))?;
    let taken = begin.elapsed();
    if output.status.success() {
        return Ok(taken);
    }
    let message = format!("`{}` ended with {}", program.display(), output.status);
    Err(Failure::new(Kind::Tool, message).cause(String::from_utf8_lossy(&output.stderr)))
}

fn free_port() -> Result<u16, Failure> {
    TcpListener::bind(("127.0.0.1", 0))
        .and_then(|listener| listener.local_addr())
        .map(|address| address.port())
        .map_err(|error| Failure::new(Kind::Io, format!("there is no free port: {error}")))
}

impl Spread {
    fn of(mut times: Vec<Duration>) -> Self {
        times.sort();
        let ms = |index: usize| {
            times
                .get(index)
                .map_or(0.0, |time| time.as_secs_f64() * 1000.0)
        };
        Self {
            min: ms(0),
            p50: ms(times.len() / 2),
            max: ms(times.len().saturating_sub(1)),
        }
    }
}

impl MeasuredCase {
    fn of(name: &'static str, ours: Vec<Duration>, script: Vec<Duration>) -> Self {
        let (stackway_ms, aws_cli_ms) = (Spread::of(ours), Spread::of(script));
        let ratio = aws_cli_ms.p50 / stackway_ms.p50;
        Self {
            name,
            stackway_ms,
            aws_cli_ms,
            ratio,
            at_least: GOAL,
            met: ratio >= GOAL,
        }
    }
}

impl Measured {
    fn text(&self) -> String {
        let mut table = Table::new();
        table.load_style(presets::NOTHING).set_header([
            "ms, whole process",
            "stackway",
            "aws cli",
            "ratio",
            "goal",
            "",
        ]);
        for case in &self.cases {
            let right =
                |figure: f64| Cell::new(format!("{figure:.1}")).set_alignment(CellAlignment::Right);
            table.add_row([
                Cell::new(case.name),
                right(case.stackway_ms.p50),
                right(case.aws_cli_ms.p50),
                right(case.ratio),
                Cell::new(format!("at least {:.0}", case.at_least)),
                Cell::new(if case.met { "met" } else { "missed" }),
            ]);
        }
        format!(
            "{}\n{} build, medians of {} rounds",
            table.trim_fmt(),
            self.build,
            self.rounds
        )
    }

    fn hold(&self, check: bool) -> Result<(), Failure> {
        let missed: Vec<_> = self.cases.iter().filter(|case| !case.met).collect();
        if !check || missed.is_empty() {
            return Ok(());
        }
        let failure = Failure::new(Kind::Check, format!("{} goals are missed", missed.len()));
        Err(missed.iter().fold(failure, |failure, case| {
            failure.cause(format!(
                "{}: {:.1}, and not at least {:.0}",
                case.name, case.ratio, case.at_least
            ))
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_goal_is_held_by_the_ratio_of_the_medians() {
        let ms = |times: [u64; 3]| times.map(Duration::from_millis).to_vec();
        for (ours, script, met) in [
            ([90, 10, 9], [51, 50, 2], true),
            ([1, 10, 11], [900, 49, 2], false),
        ] {
            let case = MeasuredCase::of("case", ms(ours), ms(script));
            assert_eq!(case.met, met, "{case:?}");
            let measured = Measured {
                build: "debug",
                rounds: 3,
                cases: vec![case],
            };
            assert_eq!(measured.hold(true).is_ok(), met);
            assert!(measured.hold(false).is_ok());
        }
    }
}
