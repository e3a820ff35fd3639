use std::path::PathBuf;
use std::process::Stdio;

use clap::Args;
use stackway_lambda_bench::{BenchError, Plan, Report, Side};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::Command;

use crate::failure::{Failure, Kind};
use crate::package::{self, Architecture, Libc};
use crate::project::Project;
use crate::stopwatch::{Goal, Measured, chart, table};
use crate::ui::Ui;

/// Measure the API as a Lambda: cold starts, warm requests, processor, memory and size
///
/// Beside it runs the floor: a function on the same runtime that answers every event with a constant, as `cargo build
/// --release` makes it and static as the package is. All sides take turns in one run, over one embedded DynamoDB. Take
/// the ratios: the figures are this machine's. Needs Linux.
#[derive(Debug, Args)]
pub(crate) struct ApiArgs {
    /// How often the sides take turns; each turn has three cold starts
    #[arg(long, default_value_t = 15, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..=1000))]
    rounds: u32,
    /// How many warm requests of each kind a turn has
    #[arg(long, default_value_t = 200, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    requests: u32,
    /// Measure another bootstrap too: `NAME=COMMAND ARGUMENT…`, or a command alone
    #[arg(long, value_name = "COMMAND", value_parser = read_rival)]
    rival: Vec<Side>,
    /// The C library that the API links
    #[arg(long, default_value = "auto", value_name = "LIBC")]
    libc: Libc,
    /// Write a chart: an .svg, or an .html page
    #[arg(long, value_name = "FILE", value_parser = chart_path)]
    chart: Option<PathBuf>,
    /// Fail where a goal of docs/benchmarks.md is missed
    #[arg(long)]
    check: bool,
}

const API: &str = "stackway-api";
const FLOOR: &str = "stackway-floor";
const STOPWATCH: &str = "stackway-lambda-bench";

fn chart_path(text: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(text);
    let known = path
        .extension()
        .is_some_and(|extension| extension == "svg" || extension == "html");
    if known {
        Ok(path)
    } else {
        Err("a chart is an .svg or an .html file".to_owned())
    }
}

pub(crate) async fn run(ui: &Ui, args: &ApiArgs) -> Result<(), Failure> {
    if !cfg!(target_os = "linux") {
        return Err(Failure::new(
            Kind::Tool,
            "this runs on Linux alone: the executable is Lambda's",
        ));
    }
    let project = Project::locate()?;
    let host = Architecture::host();
    ui.say(format!("building {API}, {FLOOR} and {STOPWATCH}"));
    let api = package::release_binary(ui, &project, API, args.libc, host).await?;
    let floor = package::release_binary(ui, &project, FLOOR, args.libc, host).await?;
    let usual_floor = package::cargo_release(ui, &project, FLOOR).await?;
    let stopwatch = package::cargo_release(ui, &project, STOPWATCH).await?;

    let mut sides = vec![
        side("floor", usual_floor.clone(), true),
        side("floor, static", floor.path.clone(), true),
        side("api", api.path.clone(), false),
    ];
    let mut zips = Vec::new();
    for (name, program) in [
        ("floor", usual_floor),
        ("floor-static", floor.path),
        ("api", api.path),
    ] {
        let zip = project
            .state_dir()
            .join("bench")
            .join(format!("{name}.zip"));
        let package = package::archive_release(program, zip).await?;
        zips.push(Some(package.size));
    }
    zips.extend(args.rival.iter().map(|_| None));
    sides.extend(args.rival.iter().cloned());
    let plan = Plan {
        sides,
        rounds: args.rounds,
        requests: args.requests,
    };
    ui.on_interrupt(
        "the functions ended with this command",
        "`cargo xtask bench api` measures from the start",
    );
    let report = measure(ui, &stopwatch, &plan).await?;
    let measured = Measured::new(api.target, &plan, report, zips);
    if let Some(path) = &args.chart {
        let drawn = if path
            .extension()
            .is_some_and(|extension| extension == "html")
        {
            chart::page(&measured)
        } else {
            chart::svg(&measured)
        };
        std::fs::write(path, drawn).map_err(|error| Failure::io("write", path, &error))?;
        ui.say(format!("wrote {}", path.display()));
    }
    if ui.is_json() {
        ui.json(&measured);
    } else {
        ui.data(table::draw(&measured));
    }
    judge(&measured, args.check)
}

fn judge(measured: &Measured, check: bool) -> Result<(), Failure> {
    let missed: Vec<&Goal> = measured.goals.iter().filter(|goal| !goal.met).collect();
    if !check || missed.is_empty() {
        return Ok(());
    }
    let failure = Failure::new(Kind::Check, format!("{} goals are missed", missed.len()));
    Err(missed.iter().fold(failure, |failure, goal| {
        failure.cause(format!(
            "{}: {:.2}, and not {:.2} at most",
            goal.name, goal.value, goal.at_most
        ))
    }))
}

fn side(name: &str, program: PathBuf, floor: bool) -> Side {
    Side {
        name: name.to_owned(),
        program,
        arguments: Vec::new(),
        floor,
    }
}

/// Reads `NAME=COMMAND ARGUMENT…`; without a name, the program's.
fn read_rival(text: &str) -> Result<Side, String> {
    let (name, command) = match text.split_once('=') {
        Some((name, command)) if !name.contains(['/', ' ']) => (Some(name), command),
        _ => (None, text),
    };
    let mut words = command.split_whitespace().map(str::to_owned);
    let program = words.next().ok_or("it names no command")?;
    let found = found(&program)
        .ok_or_else(|| format!("`{program}` is no executable, and none on PATH has this name"))?;
    let file = found.file_name().unwrap_or_default().to_string_lossy();
    Ok(Side {
        name: name.map_or_else(|| file.into_owned(), str::to_owned),
        program: found.clone(),
        arguments: words.collect(),
        floor: false,
    })
}

/// The program itself, or the one on PATH: functions are run with a PATH of Lambda's.
fn found(program: &str) -> Option<PathBuf> {
    let path = PathBuf::from(program);
    if program.contains('/') {
        return std::path::absolute(&path)
            .ok()
            .filter(|path| path.is_file());
    }
    std::env::split_paths(&std::env::var_os("PATH")?)
        .map(|folder| folder.join(program))
        .find(|path| path.is_file())
}

/// Runs the stopwatch over a plan.
async fn measure(ui: &Ui, stopwatch: &std::path::Path, plan: &Plan) -> Result<Report, Failure> {
    let fault = |error: std::io::Error| Failure::io("run", stopwatch, &error);
    let mut child = Command::new(stopwatch)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(fault)?;
    let wanted = serde_json::to_vec(plan)
        .map_err(|error| Failure::new(Kind::Io, format!("cannot write the plan: {error}")))?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(&wanted).await.map_err(fault)?;
    }
    let mut report = Vec::new();
    let mut said = String::new();
    if let (Some(stdout), Some(stderr)) = (child.stdout.as_mut(), child.stderr.take()) {
        let mut lines = BufReader::new(stderr).lines();
        let talk = async {
            while let Ok(Some(line)) = lines.next_line().await {
                ui.detail(&line);
                said = line;
            }
        };
        let spinner = ui.spinner("measure");
        let (read, ()) = tokio::join!(stdout.read_to_end(&mut report), talk);
        drop(spinner);
        read.map_err(fault)?;
    }
    if child.wait().await.map_err(fault)?.success() {
        serde_json::from_slice(&report)
            .map_err(|error| Failure::new(Kind::Tool, format!("cannot read the report: {error}")))
    } else {
        Err(
            Failure::new(Kind::Tool, "the measurement ended without a report")
                .cause(said)
                .hint("a side must answer every event rightly: see docs/benchmarks.md"),
        )
    }
}

/// A failure of the benchmark's own library.
pub(super) fn bench_failure(error: BenchError) -> Failure {
    Failure::new(Kind::Tool, error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rival_is_a_command_that_is_there_with_or_without_a_name() {
        let rival = read_rival("python=/bin/sh -c true").unwrap();
        assert_eq!((rival.name.as_str(), rival.arguments.len()), ("python", 2));
        let rival = read_rival("sh").unwrap();
        assert_eq!(rival.name, "sh");
        assert!(rival.program.is_absolute());
        assert!(read_rival("").is_err());
        assert!(
            read_rival("name=/nowhere/bootstrap")
                .unwrap_err()
                .contains("/nowhere/bootstrap")
        );
    }

    #[test]
    fn a_chart_is_one_of_two_kinds() {
        assert!(chart_path("out/bench.svg").is_ok());
        assert!(chart_path("bench.png").is_err());
    }
}
