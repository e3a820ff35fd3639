use std::path::PathBuf;

use clap::{Args, ValueEnum};
use comfy_table::{ContentArrangement, Table, presets};
use serde::Serialize;

use crate::failure::{Failure, Kind};
use crate::package::{self, Architecture, Artifacts, Libc, Order};
use crate::project::Project;
use crate::ui::{DIM, Ui};

/// Build what is shipped: the Lambda's zip, a container image, and the symbols of both
///
/// The executable is static and stripped, and the same commit makes the same bytes in any folder. The image is FROM
/// scratch; it is written without an engine, and loaded into the engine that answers.
#[derive(Debug, Args)]
pub(crate) struct PackageArgs {
    /// The architecture to build for [default: this machine's]
    #[arg(long, value_name = "ARCH")]
    arch: Option<Architecture>,
    /// The C library to link
    #[arg(long, default_value = "auto", value_name = "LIBC")]
    libc: Libc,
    /// The folder to write to [default: target/stackway/package]
    #[arg(long, value_name = "DIR")]
    output: Option<PathBuf>,
    /// When to make the image
    #[arg(long, default_value = "auto", value_name = "WHEN")]
    image: ImageWhen,
    /// The profile of Cargo.toml to build with
    #[arg(long, default_value = "release", value_name = "PROFILE")]
    profile: Profile,
    /// Build a clone of the commit too, in another folder, and compare every byte
    #[arg(long)]
    verify: bool,
}

/// When the image is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum ImageWhen {
    /// Write it, and load it where a Docker engine answers
    Auto,
    /// Write and load it; fail where no engine answers
    Always,
    /// Make none
    Never,
}

/// How much the compiler does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Profile {
    /// What is shipped
    Release,
    /// Unoptimised: built in a fraction of the time, to try the package with
    Local,
}

/// The package that the api stack runs.
const PACKAGE: &str = "stackway-api";

#[derive(Serialize)]
struct Report {
    #[serde(flatten)]
    artifacts: Artifacts,
    /// Whether an engine has the image now.
    loaded: bool,
    /// Why it has not.
    #[serde(skip_serializing_if = "Option::is_none")]
    not_loaded: Option<String>,
    /// Whether a clone made the same bytes; nothing where none was built.
    #[serde(skip_serializing_if = "Option::is_none")]
    reproducible: Option<bool>,
    seconds: f32,
}

pub(crate) async fn run(ui: &Ui, args: &PackageArgs) -> Result<(), Failure> {
    let project = Project::locate()?;
    let missing = match args.image {
        ImageWhen::Never => Some("no image was asked for".to_owned()),
        ImageWhen::Auto | ImageWhen::Always => package::engine_is_missing().await,
    };
    if let (ImageWhen::Always, Some(reason)) = (args.image, &missing) {
        return Err(
            Failure::new(Kind::Tool, format!("cannot load the image: {reason}"))
                .hint("start a Docker engine (`scripts/docker-engine start`), or leave out `--image always`"),
        );
    }
    let start = std::time::Instant::now();
    ui.say(format!("{DIM}building {PACKAGE}{DIM:#}"));
    let artifacts = package::make(
        ui,
        &project,
        &Order {
            package: PACKAGE,
            profile: match args.profile {
                Profile::Release => "release",
                Profile::Local => "local",
            },
            architecture: args.arch.unwrap_or_else(Architecture::host),
            libc: args.libc,
            image: args.image != ImageWhen::Never,
            output: args
                .output
                .clone()
                .unwrap_or_else(|| project.state_dir().join("package")),
            verify: args.verify,
        },
    )
    .await?;
    let mut report = Report {
        artifacts,
        loaded: false,
        not_loaded: missing,
        reproducible: args.verify.then_some(true),
        seconds: 0.0,
    };
    if let (Some(image), None) = (&report.artifacts.image, &report.not_loaded) {
        package::load(ui, image).await?;
        report.loaded = true;
    }
    report.seconds = start.elapsed().as_secs_f32();
    show(ui, &report);
    Ok(())
}

fn show(ui: &Ui, report: &Report) {
    if ui.is_json() {
        ui.json(report);
        return;
    }
    let artifacts = &report.artifacts;
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Disabled);
    let mut row = |what: &str, file: &package::Package| {
        table.add_row([
            what.to_owned(),
            file.path.display().to_string(),
            format!("{} kB", file.size.div_ceil(1000)),
            format!("sha256 {}", &file.sha256[..12]),
        ]);
    };
    row("zip", &artifacts.zip);
    row("symbols", &artifacts.symbols);
    if let Some(image) = &artifacts.image {
        row("image", &image.archive);
    }
    ui.data(table.trim_fmt());
    ui.say(format!(
        "{} for {}, static, with {}; build id {}",
        artifacts.package,
        artifacts.target,
        artifacts.compiler,
        &artifacts.build_id[..12]
    ));
    match (&artifacts.image, &report.not_loaded) {
        (None, _) => {}
        (Some(image), None) => ui.say(format!("image loaded as {}: {}", image.name, image.id)),
        (Some(image), Some(reason)) => ui.say(format!(
            "image not loaded: {reason}; `docker load --input {}` does it elsewhere",
            image.archive.path.display()
        )),
    }
    if report.reproducible == Some(true) {
        ui.say("a clone in another folder made the same bytes");
    }
}
