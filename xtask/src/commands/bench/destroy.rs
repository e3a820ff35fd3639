use std::net::TcpListener;
use std::path::Path;
use std::time::Instant;

use clap::Args;
use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use serde::Serialize;
use stackway_infra::aws::{self, S3};
use stackway_infra::cloud::Objects as _;
use stackway_local_cloud::{Emulator, PythonTools};
use tokio::process::Command;

use crate::aws_cli;
use crate::cloud::emulator_failure;
use crate::failure::{Failure, Kind};
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

/// The document that `cargo xtask bench destroy --format json` prints.
#[derive(Debug, Serialize)]
struct Measured {
    versions: u64,
    ours_seconds: f64,
    ours_a_second: f64,
    objects: u32,
    aws_cli_seconds: f64,
    aws_cli_a_second: f64,
    ratio: f64,
    goal: f64,
    met: bool,
}

pub(crate) async fn run(ui: &Ui, args: &DestroyBenchArgs) -> Result<(), Failure> {
    let project = Project::locate()?;
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
    let measured = measure(ui, args, &tools, &running.endpoint_url, state.path()).await;
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

impl Measured {
    fn text(&self) -> String {
        format!(
            "{:<26} {:>8} {:>10} {:>10}\n{:<26} {:>8} {:>10.2} {:>10.0}\n{:<26} {:>8} {:>10.2} {:>10.0}\n\
             ratio {:.1}, goal at least {:.0}: {}",
            "",
            "removed",
            "seconds",
            "a second",
            "destroy, versions",
            self.versions,
            self.ours_seconds,
            self.ours_a_second,
            "aws s3 rm, plain objects",
            self.objects,
            self.aws_cli_seconds,
            self.aws_cli_a_second,
            self.ratio,
            self.goal,
            if self.met { "met" } else { "missed" }
        )
    }
}

async fn measure(
    ui: &Ui,
    args: &DestroyBenchArgs,
    tools: &PythonTools,
    url: &str,
    folder: &Path,
) -> Result<Measured, Failure> {
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
    ui.say(format!(
        "writing {} objects into each of two buckets",
        args.versions
    ));
    for bucket in [VERSIONED, PLAIN] {
        // Ten versions of each key in the one, a key each in the other.
        let keys = if bucket == PLAIN {
            args.versions
        } else {
            args.versions / 10
        };
        stream::iter(0..args.versions)
            .map(|number| {
                let (s3, file) = (&s3, &file);
                async move {
                    let key = format!("folder/{:06}", number % keys);
                    s3.put_object(bucket, &key, file).await
                }
            })
            .buffer_unordered(WRITERS)
            .try_collect::<Vec<()>>()
            .await?;
    }

    ui.say("emptying the bucket with versions");
    let start = Instant::now();
    let versions = s3.empty_bucket(VERSIONED).await?;
    let ours_seconds = start.elapsed().as_secs_f64();
    if versions < u64::from(args.versions) {
        return Err(Failure::new(
            Kind::Check,
            format!(
                "{versions} versions were removed, and {} written",
                args.versions
            ),
        ));
    }

    ui.say("emptying the bucket of plain objects with `aws s3 rm --recursive`");
    let plain = format!("s3://{PLAIN}");
    let mut command = cli(&["s3", "rm", "--recursive", "--quiet", &plain]);
    let start = Instant::now();
    process::run(ui, "aws s3 rm", &mut command).await?;
    let aws_cli_seconds = start.elapsed().as_secs_f64();
    for bucket in [VERSIONED, PLAIN] {
        let left = s3.bucket_contents(bucket).await?.unwrap_or_default();
        if left.versions + left.markers > 0 {
            return Err(Failure::new(
                Kind::Check,
                format!("bucket `{bucket}` is not empty: {} are left", left.versions),
            ));
        }
    }
    #[expect(clippy::cast_precision_loss, reason = "counts of a million at most")]
    let ours_a_second = versions as f64 / ours_seconds;
    let aws_cli_a_second = f64::from(args.versions) / aws_cli_seconds;
    let ratio = ours_a_second / aws_cli_a_second;
    Ok(Measured {
        versions,
        ours_seconds,
        ours_a_second,
        objects: args.versions,
        aws_cli_seconds,
        aws_cli_a_second,
        ratio,
        goal: GOAL,
        met: ratio >= GOAL,
    })
}

fn free_port() -> Result<u16, Failure> {
    let address = Path::new("127.0.0.1");
    TcpListener::bind(("127.0.0.1", 0))
        .and_then(|listener| listener.local_addr())
        .map(|address| address.port())
        .map_err(|error| Failure::io("listen on", address, &error))
}
