use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use clap::Args;
use tokio::process::Command;

use crate::checks::{Checks, Outcome, python_tools};
use crate::contract;
use crate::failure::{Failure, Kind};
use crate::pipeline_checks;
use crate::process;
use crate::project::Project;
use crate::ui::Ui;

/// Run the tests: format, clippy, unit and integration tests, the templates
///
/// Needs Rust and Python alone, and installs what else it needs under target/. The tests of the API's store run on an
/// embedded DynamoDB, and in a container too where a Docker engine answers (DYNAMODB_LOCAL_IMAGE names the image); there
/// the API's own image is run too, as Fargate and as Lambda run it. The emulator that the tests start is one of their own. `cargo xtask lint` runs the slower checks of the tree.
#[derive(Debug, Args)]
pub(crate) struct TestArgs {
    /// Only these: format, clippy, rendered, tests, contract, containers, image, templates
    checks: Vec<String>,
}

const CHECKS: &[&str] = &[
    "format",
    "clippy",
    "rendered",
    "tests",
    "contract",
    "containers",
    "image",
    "templates",
];

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
            "rendered",
            "the pipelines' forms against their definitions",
            async { pipeline_checks::rendered(&project).into() },
        )
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
            "contract",
            "the API against its description, by schemathesis",
            async { contract::check(ui, &project).await.into() },
        )
        .await;
    checks
        .run(
            "containers",
            "the store's contract, and the image, in a container",
            containers(&project),
        )
        .await;
    checks
        .run(
            "image",
            "the Dockerfile's image, as Fargate and as Lambda run it",
            image(&project),
        )
        .await;
    checks
        .run("templates", "cfn-lint", async {
            templates(ui, &project).await.into()
        })
        .await;
    checks.finish()
}

/// The tests that need a Docker engine are told apart by their names, so that they are run or skipped by themselves.
const CONTAINER_TEST: &str = "over_a_container";
/// Those that need no other image.
const IMAGE_TEST: &str = "in_an_engine";

/// What DynamoDB Local runs from, unless `DYNAMODB_LOCAL_IMAGE` names another.
const DYNAMODB_IMAGE: &str = "amazon/dynamodb-local:latest";

const ENGINE_PATIENCE: Duration = Duration::from_secs(10);

/// Which tests are run.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Containers,
    Image,
    Rest,
}

impl Part {
    /// What the names of its tests have.
    fn name(self) -> Option<&'static str> {
        match self {
            Self::Containers => Some(CONTAINER_TEST),
            Self::Image => Some(IMAGE_TEST),
            Self::Rest => None,
        }
    }
}

/// The command that runs a part of the workspace's tests: with nextest where it is installed. Both parts build the
/// whole workspace, since a package alone would be built again with other features.
async fn runner(project: &Project, part: Part) -> Command {
    let nextest = process::cargo(project.root())
        .args(["nextest", "--version"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .await
        .is_ok_and(|status| status.success());
    let mut command = process::cargo(project.root());
    let start: &[&str] = if nextest {
        &["nextest", "run"]
    } else {
        &["test"]
    };
    command.args(start).args([
        "--workspace",
        "--all-features",
        "--locked",
        "--no-fail-fast",
    ]);
    match (nextest, part.name()) {
        (true, None) => {
            let filter = format!("not (test({CONTAINER_TEST}) or test({IMAGE_TEST}))");
            command.args(["-E", &filter]);
        }
        (true, Some(name)) => {
            command.args(["-E", &format!("test({name})")]);
        }
        (false, None) => {
            command.args(["--", "--skip", CONTAINER_TEST, "--skip", IMAGE_TEST]);
        }
        (false, Some(name)) => {
            command.args(["--", name]);
        }
    }
    // Snapshots are compared, never rewritten; a stale one is a failure.
    command.env("INSTA_UPDATE", "no");
    command
}

/// The runner speaks for itself: its output goes to the terminal.
async fn tests(project: &Project) -> Outcome {
    watched(&mut runner(project, Part::Rest).await).await
}

async fn watched(command: &mut Command) -> Outcome {
    command
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

/// The store's contract over a real DynamoDB Local, where an engine and an image are at hand.
async fn containers(project: &Project) -> Outcome {
    if !docker(&["info"]).await {
        return Outcome::Skipped("no Docker engine answers".to_owned());
    }
    let image = std::env::var("DYNAMODB_LOCAL_IMAGE")
        .ok()
        .filter(|image| !image.is_empty())
        .unwrap_or_else(|| DYNAMODB_IMAGE.to_owned());
    if !docker(&["image", "inspect", &image]).await {
        return Outcome::Skipped(format!(
            "no image `{image}` is here: pull it, or set DYNAMODB_LOCAL_IMAGE to what `scripts/dynamodb-local-image` builds"
        ));
    }
    let mut command = runner(project, Part::Containers).await;
    command
        .env("DYNAMODB_LOCAL_IMAGE", image)
        .env("STACKWAY_REQUIRE_DOCKER", "1");
    watched(&mut command).await
}

/// The image that the Dockerfile makes, where there is an engine to run it.
async fn image(project: &Project) -> Outcome {
    if !docker(&["info"]).await {
        return Outcome::Skipped("no Docker engine answers".to_owned());
    }
    let mut command = runner(project, Part::Image).await;
    watched(command.env("STACKWAY_REQUIRE_DOCKER", "1")).await
}

/// Whether Docker's client does this, within its time.
async fn docker(args: &[&str]) -> bool {
    let status = Command::new("docker")
        .args(args)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .status();
    let status = tokio::time::timeout(ENGINE_PATIENCE, status).await;
    matches!(status, Ok(Ok(status)) if status.success())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_in_containers_are_called_what_the_filters_say() {
        let stores = include_str!("../../../crates/api/tests/it/stores.rs");
        let package = include_str!("../../tests/it/package.rs");
        for file in [stores, package] {
            assert!(file.contains(&format!("{CONTAINER_TEST}()")));
        }
        let image = include_str!("../../tests/it/image.rs");
        assert!(image.contains(&format!("{IMAGE_TEST}()")));
    }
}
