use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use clap::Args;
use comfy_table::{Cell, CellAlignment, Table, presets};
use serde::{Deserialize, Serialize};
use stackway_lambda_bench::{Scenario, Side, Stage, counted};
use tokio::process::Command;

use super::api::bench_failure;
use crate::failure::{Failure, Kind};
use crate::package::{self, Architecture, Libc};
use crate::project::Project;
use crate::ui::Ui;

/// Count the API's instructions, and hold them to the limits of benches/instructions.toml
///
/// A count does not move with the machine's load, as times do. Needs valgrind, and is skipped by name without it.
#[derive(Debug, Args)]
pub(crate) struct InstructionsArgs {
    /// The C library that the API links; each target has limits of its own
    #[arg(long, default_value = "auto", value_name = "LIBC")]
    libc: Libc,
    /// Write what was counted, and a fiftieth more, as the new limits
    #[arg(long)]
    update: bool,
}

const API: &str = "stackway-api";
const LIMITS: &str = "benches/instructions.toml";
const HEADER: &str = "\
# The most instructions that a release of the API may take, by target: `cargo xtask bench instructions` holds it to them,
# and `--update` writes them anew. A cold figure is of the whole process, from its start to its first answer.
";

/// How many further events a warm figure is the mean of.
const WARM_EVENTS: u32 = 100;

/// What is counted: a name, an event, TLS or not, and warm or cold.
const COUNTS: [(&str, Scenario, bool, bool); 6] = [
    ("cold_get", Scenario::Get, false, false),
    ("cold_post", Scenario::Post, false, false),
    ("cold_post_tls", Scenario::Post, true, false),
    ("warm_get", Scenario::Get, false, true),
    ("warm_post", Scenario::Post, false, true),
    ("warm_page", Scenario::Page, false, true),
];

type Limits = BTreeMap<String, BTreeMap<String, u64>>;

#[derive(Debug, Serialize)]
struct Line {
    name: &'static str,
    instructions: u64,
    limit: Option<u64>,
    within: bool,
}

#[derive(Debug, Serialize)]
struct Report {
    target: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    skipped: Option<&'static str>,
    counts: Vec<Line>,
}

pub(crate) async fn run(ui: &Ui, args: &InstructionsArgs) -> Result<(), Failure> {
    let project = Project::locate()?;
    let path = project.path(LIMITS);
    let mut limits = read(&path)?;
    let Some(valgrind) = valgrind().await else {
        const REASON: &str = "valgrind is not installed; on Debian: `apt-get install valgrind`";
        ui.say(format!("skipped: {REASON}"));
        if ui.is_json() {
            ui.json(&Report {
                target: "",
                skipped: Some(REASON),
                counts: Vec::new(),
            });
        }
        return Ok(());
    };
    ui.say(format!("building {API}"));
    let host = Architecture::host();
    let binary = package::release_binary(ui, &project, API, args.libc, host).await?;
    ui.on_interrupt(
        "the function ended with this command",
        "`cargo xtask bench instructions` counts from the start",
    );
    let counts = count(ui, &valgrind, &binary.path).await?;

    let of_target = limits.entry(binary.target.to_owned()).or_default();
    if args.update {
        *of_target = counts
            .iter()
            .map(|(name, count)| {
                (
                    (*name).to_owned(),
                    (count + count / 50).next_multiple_of(1000),
                )
            })
            .collect();
    }
    let lines: Vec<Line> = counts
        .into_iter()
        .map(|(name, instructions)| {
            let limit = of_target.get(name).copied();
            Line {
                name,
                instructions,
                limit,
                within: limit.is_some_and(|limit| instructions <= limit),
            }
        })
        .collect();
    let report = Report {
        target: binary.target,
        skipped: None,
        counts: lines,
    };
    show(ui, &report);
    if args.update {
        write(&path, &limits)?;
        ui.say(format!("wrote the limits of {} to {LIMITS}", binary.target));
        return Ok(());
    }
    judge(&report)
}

/// Fails where a count has no limit, or is over it.
fn judge(report: &Report) -> Result<(), Failure> {
    let over: Vec<&Line> = report.counts.iter().filter(|line| !line.within).collect();
    if over.is_empty() {
        return Ok(());
    }
    let mut failure = Failure::new(
        Kind::Check,
        format!("the API takes more instructions than {LIMITS} allows"),
    );
    for line in over {
        failure = failure.cause(line.limit.map_or_else(
            || {
                format!(
                    "{}: {}, and there is no limit for {}",
                    line.name, line.instructions, report.target
                )
            },
            |limit| {
                format!(
                    "{}: {}, and the limit is {limit}",
                    line.name, line.instructions
                )
            },
        ));
    }
    Err(failure.hint(
        "find what costs them with `callgrind_annotate`, or accept them with `cargo xtask bench instructions --update` \
         and say why in the commit",
    ))
}

/// Counts each figure, of one process for a cold one and of two for a warm one.
async fn count(
    ui: &Ui,
    valgrind: &Path,
    program: &Path,
) -> Result<Vec<(&'static str, u64)>, Failure> {
    let folder = tempfile::tempdir()
        .map_err(|error| Failure::io("create", &std::env::temp_dir(), &error))?;
    let account = folder.path().join("callgrind.out");
    let side = Side {
        name: API.to_owned(),
        program: valgrind.to_owned(),
        arguments: vec![
            "--tool=callgrind".to_owned(),
            format!("--callgrind-out-file={}", account.display()),
            program.display().to_string(),
        ],
        floor: false,
    };
    let stage = Stage::set().await.map_err(bench_failure)?;
    let mut counts = Vec::new();
    for (name, scenario, tls, warm) in COUNTS {
        let spinner = ui.spinner(&format!("count {name}"));
        let first = one(&stage, &side, &account, (scenario, tls, 1)).await?;
        let figure = if warm {
            let all = one(&stage, &side, &account, (scenario, tls, 1 + WARM_EVENTS)).await?;
            all.saturating_sub(first) / u64::from(WARM_EVENTS)
        } else {
            first
        };
        drop(spinner);
        counts.push((name, figure));
    }
    Ok(counts)
}

async fn one(
    stage: &Stage,
    side: &Side,
    account: &Path,
    (scenario, tls, events): (Scenario, bool, u32),
) -> Result<u64, Failure> {
    // What an earlier run wrote must not be taken for this one's.
    if let Err(error) = std::fs::remove_file(account)
        && error.kind() != std::io::ErrorKind::NotFound
    {
        return Err(Failure::io("remove", account, &error));
    }
    counted::run(stage, side, scenario, tls, events)
        .await
        .map_err(bench_failure)?;
    let text = std::fs::read_to_string(account).map_err(|error| {
        Failure::io("read", account, &error).hint("callgrind wrote no account of the function")
    })?;
    total(&text).ok_or_else(|| Failure::new(Kind::Tool, "callgrind wrote no total of the function"))
}

/// The sum of a callgrind file.
///
/// <https://valgrind.org/docs/manual/cl-format.html>
fn total(account: &str) -> Option<u64> {
    let line = account
        .lines()
        .find_map(|line| line.strip_prefix("totals:"))?;
    line.trim().parse().ok()
}

/// Where valgrind is, if it runs.
async fn valgrind() -> Option<PathBuf> {
    let folders = std::env::var_os("PATH")?;
    let found = std::env::split_paths(&folders)
        .map(|folder| folder.join("valgrind"))
        .find(|path| path.is_file())?;
    let runs = Command::new(&found)
        .arg("--version")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .await
        .is_ok_and(|status| status.success());
    runs.then_some(found)
}

fn show(ui: &Ui, report: &Report) {
    if ui.is_json() {
        ui.json(report);
        return;
    }
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header([report.target, "instructions", "limit", ""]);
    for line in &report.counts {
        let limit = line.limit.map_or_else(|| "none".to_owned(), grouped);
        table.add_row([
            Cell::new(line.name),
            Cell::new(grouped(line.instructions)).set_alignment(CellAlignment::Right),
            Cell::new(limit).set_alignment(CellAlignment::Right),
            Cell::new(if line.within { "" } else { "over" }),
        ]);
    }
    ui.data(table.trim_fmt());
}

/// Digits by three.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

#[derive(Deserialize)]
#[serde(transparent)]
struct File(Limits);

fn read(path: &Path) -> Result<Limits, Failure> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Limits::new()),
        Err(error) => return Err(Failure::io("read", path, &error)),
    };
    toml::from_str::<File>(&text)
        .map(|file| file.0)
        .map_err(|error| Failure::new(Kind::Configuration, format!("{LIMITS}: {error}")))
}

fn write(path: &Path, limits: &Limits) -> Result<(), Failure> {
    let tables = toml::to_string(limits)
        .map_err(|error| Failure::new(Kind::Io, format!("{LIMITS}: {error}")))?;
    std::fs::write(path, format!("{HEADER}\n{tables}"))
        .map_err(|error| Failure::io("write", path, &error))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(instructions: u64, limit: Option<u64>) -> Report {
        let within = limit.is_some_and(|limit| instructions <= limit);
        Report {
            target: "x86_64-unknown-linux-musl",
            skipped: None,
            counts: vec![Line {
                name: "cold_get",
                instructions,
                limit,
                within,
            }],
        }
    }

    #[test]
    fn a_count_over_its_limit_fails_with_both() {
        assert!(judge(&report(1000, Some(1000))).is_ok());
        let failure = judge(&report(1001, Some(1000))).unwrap_err();
        assert_eq!(failure.kind, Kind::Check);
        assert_eq!(failure.causes, ["cold_get: 1001, and the limit is 1000"]);
        // A target without limits is not taken for one that keeps them.
        assert!(judge(&report(1, None)).is_err());
    }

    #[test]
    fn the_total_is_read_from_callgrinds_account() {
        assert_eq!(
            total("events: Ir\n\nfn=main\n1 5\ntotals: 533906\n"),
            Some(533_906)
        );
        assert_eq!(total("events: Ir\n"), None);
    }

    #[test]
    fn digits_are_grouped() {
        assert_eq!(grouped(1_234_567), "1 234 567");
        assert_eq!(grouped(999), "999");
    }

    #[test]
    fn the_committed_limits_are_within_the_goals() {
        let limits = read(
            &Path::new(env!("CARGO_MANIFEST_DIR"))
                .join("..")
                .join(LIMITS),
        )
        .unwrap();
        assert!(!limits.is_empty());
        for (target, counts) in limits {
            for (name, goal) in [
                ("cold_get", 1_100_000),
                ("cold_post", 2_000_000),
                ("cold_post_tls", 5_000_000),
                ("warm_post", 620_000),
            ] {
                assert!(counts[name] <= goal, "{target}: {name}");
            }
        }
    }
}
