use std::process::Stdio;

use clap::Args;
use tokio::process::Command;

use crate::checks::{Checks, Outcome, python_tools};
use crate::failure::Failure;
use crate::process;
use crate::project::Project;
use crate::ui::Ui;

/// Run the slower checks of the tree: spelling, documentation, dependencies
///
/// A tool that is missing is installed under target/, or skipped by name with the command that installs it.
#[derive(Debug, Args)]
pub(crate) struct LintArgs {
    /// Only these: spelling, documentation, dependencies
    checks: Vec<String>,
}

const CHECKS: &[&str] = &["spelling", "documentation", "dependencies"];

pub(crate) async fn run(ui: &Ui, args: &LintArgs) -> Result<(), Failure> {
    let project = Project::locate()?;
    let mut checks = Checks::new(ui, CHECKS, &args.checks)?;
    checks
        .run("spelling", "typos", async {
            spelling(ui, &project).await.into()
        })
        .await;
    checks
        .run("documentation", "cargo doc, warnings denied", async {
            let mut command = process::cargo(project.root());
            command.args([
                "doc",
                "--workspace",
                "--no-deps",
                "--document-private-items",
                "--locked",
                "--quiet",
            ]);
            process::run(
                ui,
                "build the documentation",
                command.env("RUSTDOCFLAGS", "--deny warnings"),
            )
            .await
            .into()
        })
        .await;
    checks
        .run("dependencies", "cargo deny", dependencies(ui, &project))
        .await;
    checks.finish()
}

async fn spelling(ui: &Ui, project: &Project) -> Result<(), Failure> {
    let tools = python_tools(ui, project).await?;
    let mut command = Command::new(tools.program("typos"));
    process::run(
        ui,
        "check the spelling",
        command.current_dir(project.root()),
    )
    .await
    .map_err(|failure| failure.hint("correct the word, or name it in typos.toml"))
}

async fn dependencies(ui: &Ui, project: &Project) -> Outcome {
    let installed = process::cargo(project.root())
        .args(["deny", "--version"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .await
        .is_ok_and(|status| status.success());
    if !installed {
        return Outcome::Skipped(
            "cargo-deny is not installed: `cargo install --locked cargo-deny`".to_owned(),
        );
    }
    let mut command = process::cargo(project.root());
    // Advisories are fetched from the network at their source; CI on a closed network leaves them out by a variable.
    command.args(["deny", "check", "bans", "licenses", "sources"]);
    process::run(ui, "check the dependencies", &mut command)
        .await
        .into()
}
