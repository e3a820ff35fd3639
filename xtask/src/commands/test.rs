use std::path::PathBuf;
use std::process::Stdio;

use clap::Args;
use tokio::process::Command;

use crate::checks::{Checks, Outcome, python_tools};
use crate::failure::{Failure, Kind};
use crate::process;
use crate::project::Project;
use crate::ui::Ui;

/// Run the tests: format, clippy, unit and integration tests, the templates
///
/// Needs Rust and Python alone, and installs what else it needs under target/. The tests of the API's store run on an
/// embedded DynamoDB, and in a container too where a Docker engine answers (DYNAMODB_LOCAL_IMAGE names the image). The
/// emulator that the tests start is one of their own. `cargo xtask lint` runs the slower checks of the tree.
#[derive(Debug, Args)]
pub(crate) struct TestArgs {
    /// Only these: format, clippy, tests, containers, templates
    checks: Vec<String>,
}

const CHECKS: &[&str] = &["format", "clippy", "tests", "containers", "templates"];

pub(crate) async fn run(ui: &Ui, args: &TestArgs) -> Result<(), Failure> {
    let project = Project::locate()?;
    let mut checks = Checks::new(ui, CHECKS, &args.checks)?;
    checks
        .run("format", "cargo fmt", async {
            let mut command = process::cargo(project.root());
            process::run(
                ui,
                "check the format",
                command.args(["fmt", "--all", "--check"]),
            )
            .await
            .map_err(|failure| failure.hint("run `cargo fmt --all`"))
            .into()
        })
        .await;
    checks
        .run("clippy", "cargo clippy, warnings denied", async {
            let mut command = process::cargo(project.root());
            command.args([
                "clippy",
                "--workspace",
                "--all-targets",
                "--all-features",
                "--locked",
                "--quiet",
            ]);
            process::run(
                ui,
                "lint the code",
                command.args(["--", "--deny", "warnings"]),
            )
            .await
            .into()
        })
        .await;
    checks
        .run(
            "tests",
            "unit and integration tests, and the story on the emulator",
            tests(&project),
        )
        .await;
    checks
        .run(
            "containers",
            "the store's contract in a container",
            containers(ui, &project),
        )
        .await;
    checks
        .run("templates", "cfn-lint", async {
            templates(ui, &project).await.into()
        })
        .await;
    checks.finish()
}

/// The runner speaks for itself: its output goes to the terminal.
async fn tests(project: &Project) -> Outcome {
    let nextest = process::cargo(project.root())
        .args(["nextest", "--version"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .await
        .is_ok_and(|status| status.success());
    let runner: &[&str] = if nextest {
        &["nextest", "run"]
    } else {
        &["test"]
    };
    let mut command = process::cargo(project.root());
    command
        .args(runner)
        .args(["--workspace", "--all-features", "--locked"]);
    // Snapshots are compared, never rewritten; a stale one is a failure.
    command
        .env("INSTA_UPDATE", "no")
        .stdin(Stdio::null())
        .stdout(std::io::stderr())
        .kill_on_drop(true);
    match command.status().await {
        Ok(status) if status.success() => Outcome::Passed,
        Ok(status) => Outcome::Failed(Failure::new(
            Kind::Check,
            format!("tests failed ({status})"),
        )),
        Err(error) => {
            Outcome::Failed(Failure::new(Kind::Tool, "cannot run cargo").cause(error.to_string()))
        }
    }
}

/// With an engine the same tests have run there already; this tells whether they did, and runs them by name.
async fn containers(ui: &Ui, project: &Project) -> Outcome {
    let engine = Command::new("docker")
        .args(["info", "--format", "{{.ServerVersion}}"])
        .stdin(Stdio::null())
        .output()
        .await;
    if !engine.is_ok_and(|output| output.status.success()) {
        return Outcome::Skipped("no Docker engine answers".to_owned());
    }
    let mut command = process::cargo(project.root());
    command.args([
        "test",
        "--package",
        "stackway-api",
        "--all-features",
        "--locked",
        "--",
        "testcontainers",
    ]);
    command.env("STACKWAY_REQUIRE_DOCKER", "1");
    process::run(ui, "run the contract in a container", &mut command)
        .await
        .into()
}

async fn templates(ui: &Ui, project: &Project) -> Result<(), Failure> {
    let tools = python_tools(ui, project).await?;
    let folder = project.path("cloudformation");
    let entries =
        std::fs::read_dir(&folder).map_err(|error| Failure::io("read", &folder, &error))?;
    let mut templates: Vec<PathBuf> = entries
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "yaml")
        })
        .collect();
    templates.sort();
    let mut command = Command::new(tools.program("cfn-lint"));
    process::run(ui, "lint the templates", command.args(&templates)).await
}
