use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use comfy_table::{Cell, ContentArrangement, Table, presets};

use crate::failure::{Failure, Kind};
use crate::load::{Driver, Load, Report};
use crate::package::{self, Architecture, Libc};
use crate::project::Project;
use crate::ui::Ui;

/// Put load on the API as a plain server, beside a bare axum route and bare SDK calls
///
/// All sides take turns on this machine, over one embedded DynamoDB. Needs Linux, and oha or wrk. At the end the API is
/// stopped in the midst of writes, and the table is searched for each of them.
#[derive(Debug, Args)]
pub(crate) struct LoadArgs {
    /// How many connections, and how many SDK calls side by side
    #[arg(long, default_value_t = 16, value_name = "COUNT", value_parser = clap::value_parser!(u16).range(1..=1024))]
    connections: u16,
    /// How often the sides take turns
    #[arg(long, default_value_t = 5, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..=100))]
    rounds: u32,
    /// The seconds of one turn
    #[arg(long, default_value_t = 4, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..=600))]
    seconds: u32,
    /// Then load for so long, half of the most where oha is there, with a look at memory
    #[arg(long, default_value_t = 0, value_name = "COUNT")]
    minutes: u32,
    /// The C library that the API links
    #[arg(long, default_value = "auto", value_name = "LIBC")]
    libc: Libc,
    /// Measure this executable of the API in place of a release of the tree
    #[arg(long, value_name = "FILE")]
    binary: Option<PathBuf>,
    /// And this one of stackway-load, the other sides
    #[arg(long, value_name = "FILE")]
    parts: Option<PathBuf>,
    /// Fail where a goal is missed
    #[arg(long)]
    check: bool,
}

const API: &str = "stackway-api";
const PARTS: &str = "stackway-load";

pub(crate) async fn run(ui: &Ui, args: &LoadArgs) -> Result<(), Failure> {
    if !cfg!(target_os = "linux") {
        return Err(Failure::new(
            Kind::Tool,
            "this runs on Linux alone: the executable is Lambda's",
        ));
    }
    let project = Project::locate()?;
    let driver = Driver::find(&project).await?;
    let host = Architecture::host();
    let api = if let Some(path) = &args.binary {
        path.clone()
    } else {
        ui.say(format!("building {API}"));
        let binary = package::release_binary(ui, &project, API, args.libc, host).await?;
        binary.path
    };
    let parts = if let Some(path) = &args.parts {
        path.clone()
    } else {
        ui.say(format!("building {PARTS}"));
        let binary = package::release_binary(ui, &project, PARTS, Libc::Glibc, host).await?;
        binary.path
    };
    ui.on_interrupt(
        "the servers ended with this command",
        "`cargo xtask bench load` measures from the start",
    );
    ui.say(format!("load by {}", driver.name()));
    let report = Load {
        driver,
        api,
        parts,
        connections: args.connections.into(),
        rounds: args.rounds,
        seconds: args.seconds,
        soak: Duration::from_secs(u64::from(args.minutes) * 60),
    }
    .run(ui)
    .await?;
    show(ui, &report);
    let missed: Vec<_> = report.goals.iter().filter(|goal| !goal.met).collect();
    if !args.check || missed.is_empty() {
        return Ok(());
    }
    let mut failure = Failure::new(Kind::Check, format!("{} goals are missed", missed.len()));
    for goal in missed {
        failure = failure.cause(format!(
            "{}: {:.2}, and not {}",
            goal.name, goal.value, goal.bound
        ));
    }
    Err(failure)
}

fn show(ui: &Ui, report: &Report) {
    if ui.is_json() {
        ui.json(report);
        return;
    }
    let mut table = plain();
    table.set_header(["round", "", "a second", "p50 ms", "p99 ms", "failed"]);
    for (number, round) in report.rounds.iter().enumerate() {
        let sides = [
            ("bare GET /", round.bare_get),
            ("GET /", round.get),
            ("bare put_item", round.bare_put),
            ("POST /v1/items", round.post),
        ];
        for (name, figures) in sides {
            row(&mut table, &(number + 1).to_string(), name, figures);
        }
    }
    if let Some(half) = report.half_load {
        row(&mut table, "half", "GET /", half.get);
        row(&mut table, "half", "POST /v1/items", half.post);
    }
    ui.data(table.trim_fmt());

    let drain = report.drain;
    ui.data(format!(
        "\nSIGTERM amid writes: {} acknowledged, {} of them lost, {} broken, {} written without an answer, {} not \
         taken; exit code {}",
        drain.acknowledged,
        drain.lost,
        drain.broken,
        drain.unanswered_but_written,
        drain.not_taken,
        drain
            .exit_code
            .map_or_else(|| "none".to_owned(), |code| code.to_string())
    ));
    if let Some(soak) = &report.soak {
        ui.data(format!(
            "{:.1} minutes of load: {} requests, {} failed; memory {} kB at first, {} kB at last, {} kB at most, \
             {:+.1} kB a minute in the second half",
            soak.minutes,
            soak.requests,
            soak.failed,
            soak.first_kb,
            soak.last_kb,
            soak.peak_kb,
            soak.kb_per_minute
        ));
    }
    let mut goals = plain();
    for goal in &report.goals {
        goals.add_row([
            Cell::new(if goal.met { "met" } else { "missed" }),
            Cell::new(goal.name),
            Cell::new(format!("{:.2}", goal.value)),
            Cell::new(goal.bound),
        ]);
    }
    ui.data(format!("\n{}", goals.trim_fmt()));
}

fn plain() -> Table {
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Disabled);
    table
}

fn row(table: &mut Table, round: &str, name: &str, figures: crate::load::Figures) {
    table.add_row([
        round.to_owned(),
        name.to_owned(),
        format!("{:.0}", figures.per_second),
        format!("{:.2}", figures.p50_ms),
        format!("{:.2}", figures.p99_ms),
        figures.failed.to_string(),
    ]);
}
