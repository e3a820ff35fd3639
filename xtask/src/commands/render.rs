use std::path::PathBuf;
use std::time::Instant;

use clap::Args;
use serde::Serialize;
use similar::TextDiff;
use stackway_infra::config::EnvironmentKind;
use stackway_pipeline_defs::render::{RenderedFile, Site, declarations};

use crate::cli::GlobalArgs;
use crate::delivery::repository_id;
use crate::failure::{Failure, Kind};
use crate::project::Project;
use crate::rendering::{self, Drift, render_failure};
use crate::settings::Settings;
use crate::ui::Ui;

/// Write every form of the pipelines: template, buildspecs, workflows, template configurations
///
/// The definitions are in crates/pipeline-defs/src/pipelines. Calls nothing and needs no account. Changes files of the
/// work tree alone, and says which.
#[derive(Debug, Args)]
pub(crate) struct RenderArgs {
    /// Write nothing: show what differs, and fail if something does
    #[arg(long, conflicts_with = "to")]
    check: bool,
    /// Write into this folder instead, and each pipeline's declaration for `--env` as well: codepipeline/NAME.json, for
    /// `aws codepipeline create-pipeline --cli-input-json`
    #[arg(long, value_name = "DIR")]
    to: Option<PathBuf>,
}

/// The account that AWS's documents use, where an environment names none yet.
const EXAMPLE_ACCOUNT: &str = "111122223333";
/// A connection's id is given by AWS; this stands where it will be.
const NO_CONNECTION: &str = "00000000-0000-0000-0000-000000000000";

#[derive(Debug, Serialize)]
struct Line<'a> {
    path: &'a str,
    state: &'static str,
}

pub(crate) fn run(ui: &Ui, global: &GlobalArgs, args: &RenderArgs) -> Result<(), Failure> {
    let project = Project::locate()?;
    let start = Instant::now();
    let files = rendered_for(global, args, &project)?;
    let count = files.len();
    let elapsed = start.elapsed();
    ui.detail(format!(
        "rendered {count} files in {:.1} ms",
        elapsed.as_secs_f64() * 1000.0
    ));
    let root = match &args.to {
        Some(folder) => folder.clone(),
        None => project.root().to_owned(),
    };
    let mut drift = rendering::drift(&root, files)?;
    if args.to.is_some() {
        // What else is in a folder of the user's is the user's.
        drift.retain(|one| matches!(one, Drift::Differs { .. }));
    }
    if args.check {
        return check(ui, count, &drift);
    }
    rendering::settle(&root, &drift)?;
    if ui.is_json() {
        ui.json(&lines(&drift, "written", "removed"));
    } else {
        for one in &drift {
            let what = if matches!(one, Drift::Stale { .. }) {
                "removed"
            } else {
                "wrote"
            };
            ui.say(format!("{what} {}", root.join(one.path()).display()));
        }
        ui.say(format!(
            "{} of {count} files were so already",
            count - differing(&drift)
        ));
    }
    Ok(())
}

fn rendered_for(
    global: &GlobalArgs,
    args: &RenderArgs,
    project: &Project,
) -> Result<Vec<RenderedFile>, Failure> {
    let mut files = rendering::rendered(project)?;
    if args.to.is_some() {
        let settings = Settings::resolve_without_endpoint(global)?;
        files.extend(declarations(&site(&settings)?).map_err(render_failure)?);
    }
    Ok(files)
}

/// The environment as a declaration has it.
pub(crate) fn site(settings: &Settings) -> Result<Site, Failure> {
    let account = settings.environment.accounts.first();
    let is_aws = settings.environment.kind == EnvironmentKind::Aws;
    Ok(Site {
        project: settings.naming.project.clone(),
        environment: settings.naming.environment.clone(),
        region: settings.naming.region.clone(),
        account: account
            .filter(|_| is_aws)
            .map_or_else(|| EXAMPLE_ACCOUNT.to_owned(), ToString::to_string),
        partition: "aws".to_owned(),
        repository_id: repository_id(&settings.repository)?,
        connection_id: NO_CONNECTION.to_owned(),
        key_arn: None,
    })
}

fn differing(drift: &[Drift]) -> usize {
    drift
        .iter()
        .filter(|one| matches!(one, Drift::Differs { .. }))
        .count()
}

fn lines<'a>(drift: &'a [Drift], differs: &'static str, stale: &'static str) -> Vec<Line<'a>> {
    let word = |one: &Drift| match one {
        Drift::Differs { .. } => differs,
        Drift::Stale { .. } => stale,
    };
    drift
        .iter()
        .map(|one| Line {
            path: one.path(),
            state: word(one),
        })
        .collect()
}

/// Shows what differs, as a person reads a diff: what is there, and what would be.
fn check(ui: &Ui, count: usize, drift: &[Drift]) -> Result<(), Failure> {
    if ui.is_json() {
        ui.json(&lines(drift, "differs", "undefined"));
    }
    let Some(first) = drift.first() else {
        ui.say(format!("{count} files are as their definitions say"));
        return Ok(());
    };
    if !ui.is_json() {
        for one in drift {
            if let Drift::Differs { file, found } = one {
                let found = found.as_deref().unwrap_or_default();
                let diff = TextDiff::from_lines(found, &file.contents);
                let diff = diff
                    .unified_diff()
                    .context_radius(3)
                    .header(&format!("a/{}", file.path), &format!("b/{}", file.path))
                    .to_string();
                ui.data(diff.trim_end());
            }
        }
    }
    let others = drift.len() - 1;
    let more = match others {
        0 => String::new(),
        1 => ", and one other file with it".to_owned(),
        _ => format!(", and {others} other files with it"),
    };
    let failure = match first {
        Drift::Differs { file, .. } => {
            let message = format!("`{}` differs from its definition{more}", file.path);
            Failure::new(Kind::Check, message).hint(format!(
                "edit {}, not what is rendered; then run `cargo xtask render`",
                file.definition
            ))
        }
        Drift::Stale { path } => {
            let message = format!("`{path}` has no definition any longer{more}");
            Failure::new(Kind::Check, message).hint("run `cargo xtask render`, which removes it")
        }
    };
    Err(failure)
}
