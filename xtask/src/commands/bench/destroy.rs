use std::net::TcpListener;
use std::path::Path;
use std::time::Instant;

use clap::Args;
use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use serde::Serialize;
use stackway_infra::aws::{self, S3};
use stackway_infra::cloud::Objects as _;
use stackway_local_cloud::{Emulator, PythonTools, RunningEmulator};
use tokio::process::Command;

use crate::aws_cli;
use crate::cloud::emulator_failure;
use crate::failure::{Failure, Kind};
use crate::package;
use crate::process;
use crate::project::Project;
use crate::ui::Ui;

/// Measure how fast `destroy` empties a bucket, beside `aws s3 rm --recursive`
///
/// Both on one emulator of their own, in one run: here a bucket with versions and delete markers, there one with as many
/// plain objects, since the other tool knows no versions.
#[derive(Debug, Args)]
pub(crate) struct DestroyBenchArgs {
    /// How many versions, and how many plain objects
    #[arg(long, default_value_t = 20_000, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(10..=1_000_000))]
    versions: u32,
    /// How often both are measured, in turns
    #[arg(long, default_value_t = 3, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..=100))]
    rounds: u32,
    /// Measure a release build
    #[arg(long)]
    release: bool,
    /// Fail where the goal of docs/benchmarks.md is missed
    #[arg(long)]
    check: bool,
}

/// How many times as many versions as plain objects a second are to go.
const GOAL: f64 = 25.0;
/// How many objects are written side by side.
const WRITERS: usize = 16;
const ACCOUNT: &str = "000000000000";
const REGION: &str = "eu-west-2";
const VERSIONED: &str = "versioned";
const PLAIN: &str = "plain";

/// The document that `cargo xtask bench destroy --format json` prints: medians of the rounds.
#[derive(Debug, Serialize)]
struct Measured {
    rounds: usize,
    destroy: Side,
    aws_cli: Side,
    /// The median of the rounds' ratios.
    ratio: f64,
    goal: f64,
    met: bool,
}

/// One way of emptying a bucket.
#[derive(Clone, Copy, Debug, Serialize)]
struct Side {
    removed: u64,
    seconds: f64,
    a_second: f64,
    /// How long the emulator worked for it, on one core; null where the system does not tell.
    emulator_cpu_seconds: Option<f64>,
    /// How long this process worked for it; null for the other side.
    cpu_seconds: Option<f64>,
}

pub(crate) async fn run(ui: &Ui, args: &DestroyBenchArgs) -> Result<(), Failure> {
    let project = Project::locate()?;
    if args.release {
        return in_release(ui, args, &project).await;
    }
    let tools = aws_cli::install(ui, &project).await?;
    let state = tempfile::tempdir()
        .map_err(|error| Failure::io("create", &std::env::temp_dir(), &error))?;
    let emulator = Emulator::new(project.state_dir().join("emulator"), free_port()?)
        .with_state_dir(state.path());
    emulator
        .install(&|text: &str| ui.say(text))
        .await
        .map_err(emulator_failure)?;
    ui.on_interrupt(
        "the emulator of this measurement may still run",
        "`cargo xtask bench destroy` measures from the start",
    );
    let running = emulator.start().await.map_err(emulator_failure)?;
    let measured = measure(ui, args, &tools, &running, state.path()).await;
    emulator.stop().await.map_err(emulator_failure)?;
    let measured = measured?;
    if ui.is_json() {
        ui.json(&measured);
    } else {
        ui.data(measured.text());
    }
    if measured.met || !args.check {
        return Ok(());
    }
    Err(Failure::new(Kind::Check, "a goal is missed").cause(format!(
        "emptying a bucket: {:.1} times `aws s3 rm`, and not {GOAL:.0}",
        measured.ratio
    )))
}

/// The same, by a release build of this command.
async fn in_release(ui: &Ui, args: &DestroyBenchArgs, project: &Project) -> Result<(), Failure> {
    ui.say("building a release of xtask, which takes minutes");
    let binary = package::cargo_release(ui, project, "xtask").await?;
    let mut command = Command::new(&binary);
    command
        .args(["bench", "destroy"])
        .args(["--versions", &args.versions.to_string()])
        .args(["--rounds", &args.rounds.to_string()])
        .args(args.check.then_some("--check"))
        .args(
            ui.is_json()
                .then_some(["--format", "json"])
                .into_iter()
                .flatten(),
        )
        .env("CARGO_MANIFEST_DIR", project.root().join("xtask"));
    let status = command
        .status()
        .await
        .map_err(|error| Failure::io("run", &binary, &error))?;
    if status.success() {
        return Ok(());
    }
    Err(
        Failure::new(Kind::Check, "the release build's measurement failed")
            .cause("it has said why above"),
    )
}

impl Measured {
    /// The medians of the rounds, each of ours and theirs.
    fn of(rounds: &[(Side, Side)]) -> Self {
        let ratios = rounds
            .iter()
            .map(|(ours, theirs)| ours.a_second / theirs.a_second);
        let ratio = median(ratios.collect());
        Self {
            rounds: rounds.len(),
            destroy: Side::median(rounds.iter().map(|(ours, _)| *ours).collect()),
            aws_cli: Side::median(rounds.iter().map(|(_, theirs)| *theirs).collect()),
            ratio,
            goal: GOAL,
            met: ratio >= GOAL,
        }
    }

    fn text(&self) -> String {
        let head = format!(
            "{:<26} {:>8} {:>10} {:>10} {:>14} {:>10}",
            "", "removed", "seconds", "a second", "emulator works", "this works"
        );
        let met = if self.met { "met" } else { "missed" };
        let ratio = format!(
            "ratio {:.1}, goal at least {:.0}: {met}",
            self.ratio, self.goal
        );
        [
            head,
            self.destroy.row("destroy, versions"),
            self.aws_cli.row("aws s3 rm, plain objects"),
            ratio,
        ]
        .join("\n")
    }
}

impl Side {
    /// What was removed since `watch` was started.
    fn since(watch: &Watch, removed: u64, is_ours: bool) -> Self {
        let seconds = watch.start.elapsed().as_secs_f64();
        let between = |before: Option<f64>, now: Option<f64>| Some(now? - before?);
        #[expect(clippy::cast_precision_loss, reason = "counts of a million at most")]
        let a_second = removed as f64 / seconds;
        let own = between(watch.own, cpu_seconds("self")).filter(|_| is_ours);
        Self {
            removed,
            seconds,
            a_second,
            emulator_cpu_seconds: between(watch.emulator, cpu_seconds(&watch.pid)),
            cpu_seconds: own,
        }
    }

    fn row(&self, name: &str) -> String {
        let cpu = |seconds: Option<f64>| {
            seconds.map_or_else(|| "-".to_owned(), |seconds| format!("{seconds:.2}"))
        };
        format!(
            "{name:<26} {:>8} {:>10.2} {:>10.0} {:>14} {:>10}",
            self.removed,
            self.seconds,
            self.a_second,
            cpu(self.emulator_cpu_seconds),
            cpu(self.cpu_seconds)
        )
    }

    /// The round in the middle, by its speed.
    fn median(mut rounds: Vec<Self>) -> Self {
        rounds.sort_by(|a, b| a.seconds.total_cmp(&b.seconds));
        rounds[rounds.len() / 2]
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Time, and the work of two processes, from a start.
struct Watch {
    start: Instant,
    pid: String,
    emulator: Option<f64>,
    own: Option<f64>,
}

impl Watch {
    fn start(emulator: u32) -> Self {
        let pid = emulator.to_string();
        Self {
            emulator: cpu_seconds(&pid),
            own: cpu_seconds("self"),
            pid,
            start: Instant::now(),
        }
    }
}

/// How long a process has worked so far, in all its threads. Linux counts in hundredths.
///
/// See [proc_pid_stat(5)](https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html), `utime` and `stime`.
fn cpu_seconds(pid: &str) -> Option<f64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name before it may hold spaces and brackets.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let mut ticks = || fields.next()?.parse::<u32>().ok();
    Some(f64::from(ticks()? + ticks()?) / 100.0)
}

async fn measure(
    ui: &Ui,
    args: &DestroyBenchArgs,
    tools: &PythonTools,
    emulator: &RunningEmulator,
    folder: &Path,
) -> Result<Measured, Failure> {
    let url = emulator.endpoint_url.as_str();
    let cli = |words: &[&str]| {
        let mut command = Command::new(tools.program("aws"));
        command
            .args(words)
            .args(["--endpoint-url", url, "--region", REGION])
            .env("AWS_ACCESS_KEY_ID", ACCOUNT)
            .env("AWS_SECRET_ACCESS_KEY", "local")
            .env("AWS_CONFIG_FILE", folder.join("none"))
            .env("AWS_SHARED_CREDENTIALS_FILE", folder.join("none"));
        command
    };
    for bucket in [VERSIONED, PLAIN] {
        let mut command = cli(&["s3api", "create-bucket", "--bucket", bucket]);
        command.args([
            "--create-bucket-configuration",
            "LocationConstraint=eu-west-2",
        ]);
        process::run(ui, "create a bucket", &mut command).await?;
    }
    let mut command = cli(&["s3api", "put-bucket-versioning", "--bucket", VERSIONED]);
    command.args(["--versioning-configuration", "Status=Enabled"]);
    process::run(ui, "keep versions", &mut command).await?;

    let s3 = S3::new(&aws::without_account(ACCOUNT, REGION, url));
    let file = folder.join("object");
    std::fs::write(&file, "content").map_err(|error| Failure::io("write", &file, &error))?;
    let plain = format!("s3://{PLAIN}");
    let theirs = async || -> Result<Side, Failure> {
        let mut command = cli(&["s3", "rm", "--recursive", "--quiet", &plain]);
        let watch = Watch::start(emulator.pid);
        process::run(ui, "aws s3 rm", &mut command).await?;
        Ok(Side::since(&watch, args.versions.into(), false))
    };
    let ours = async || -> Result<Side, Failure> {
        let watch = Watch::start(emulator.pid);
        let removed = s3.empty_bucket(VERSIONED).await?;
        Ok(Side::since(&watch, removed, true))
    };
    let mut rounds = Vec::new();
    for round in 0..args.rounds {
        ui.say(format!(
            "round {} of {}: writing {} objects into each of two buckets, then emptying both",
            round + 1,
            args.rounds,
            args.versions
        ));
        fill(&s3, args.versions, &file).await?;
        // Who comes second finds the machine as the other has left it.
        let (ours, theirs) = if round % 2 == 0 {
            let ours = ours().await?;
            (ours, theirs().await?)
        } else {
            let theirs = theirs().await?;
            (ours().await?, theirs)
        };
        if ours.removed < u64::from(args.versions) {
            let (removed, written) = (ours.removed, args.versions);
            return Err(Failure::new(
                Kind::Check,
                format!("{removed} versions were removed, and {written} written"),
            ));
        }
        for bucket in [VERSIONED, PLAIN] {
            let left = s3.bucket_contents(bucket).await?.unwrap_or_default();
            if left.versions + left.markers > 0 {
                return Err(Failure::new(
                    Kind::Check,
                    format!("bucket `{bucket}` is not empty: {} are left", left.versions),
                ));
            }
        }
        rounds.push((ours, theirs));
    }
    Ok(Measured::of(&rounds))
}

/// Ten versions of each key in the one bucket, a key each in the other.
async fn fill(s3: &S3, objects: u32, file: &Path) -> Result<(), Failure> {
    for (bucket, keys) in [(VERSIONED, objects / 10), (PLAIN, objects)] {
        stream::iter(0..objects)
            .map(|number| async move {
                let key = format!("folder/{:06}", number % keys);
                s3.put_object(bucket, &key, file).await
            })
            .buffer_unordered(WRITERS)
            .try_collect::<Vec<()>>()
            .await?;
    }
    Ok(())
}

fn free_port() -> Result<u16, Failure> {
    let address = Path::new("127.0.0.1");
    TcpListener::bind(("127.0.0.1", 0))
        .and_then(|listener| listener.local_addr())
        .map(|address| address.port())
        .map_err(|error| Failure::io("listen on", address, &error))
}
