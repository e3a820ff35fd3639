use clap::Args;
use tokio::process::Command;

use crate::cdk;
use crate::checks::{Checks, Outcome, python_tools};
use crate::failure::{Failure, Kind};
use crate::pipeline_checks;
use crate::policy::{self, Finding};
use crate::process;
use crate::project::Project;
use crate::ui::Ui;

/// Run the slower checks of the tree: spelling, documentation, policy, dependencies, pipelines
///
/// A tool that is missing is installed under target/, or skipped by name with the command that installs it.
#[derive(Debug, Args)]
pub(crate) struct LintArgs {
    /// Only these: spelling, documentation, policy, workflows, hardening, declarations, cdk, dependencies, advisories
    checks: Vec<String>,
}

const CHECKS: &[&str] = &[
    "spelling",
    "documentation",
    "policy",
    "workflows",
    "hardening",
    "declarations",
    "cdk",
    "dependencies",
    "advisories",
];

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
        .run(
            "policy",
            "the project's rules over templates, IAM statements and secrets",
            async { held(policy::findings(&project)).into() },
        )
        .await;
    checks
        .run(
            "workflows",
            "actionlint",
            pipeline_checks::workflows(ui, &project),
        )
        .await;
    checks
        .run("hardening", "zizmor, over the workflows", async {
            pipeline_checks::hardening(ui, &project).await.into()
        })
        .await;
    checks
        .run(
            "declarations",
            "the pipelines' JSON against the service's model",
            async { pipeline_checks::declared(ui, &project).await.into() },
        )
        .await;
    checks
        .run(
            "cdk",
            "cdk synth, against the templates",
            cdk::check(ui, &project),
        )
        .await;
    checks
        .run("dependencies", "cargo deny", dependencies(ui, &project))
        .await;
    checks
        .run(
            "advisories",
            "cargo deny, with the advisory database",
            advisories(ui, &project),
        )
        .await;
    checks.finish()
}

/// Passes where the rules have nothing against the tree.
fn held(findings: Result<Vec<Finding>, Failure>) -> Result<(), Failure> {
    let findings = findings?;
    if findings.is_empty() {
        return Ok(());
    }
    let failure = Failure::new(
        Kind::Check,
        format!("{} findings of the project's rules", findings.len()),
    );
    let failure = findings
        .iter()
        .fold(failure, |failure, one| failure.cause(one.to_string()));
    Err(failure.hint(
        "correct it, or allow it with a reason: docs/policy.md says how, and what each rule is for",
    ))
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

/// The version of cargo-deny that deny.toml is written for.
const CARGO_DENY: &str = "0.20.2";

/// Licences, bans and sources, which need no network.
async fn dependencies(ui: &Ui, project: &Project) -> Outcome {
    if let Some(skipped) = without_deny(project).await {
        return skipped;
    }
    let mut command = process::cargo(project.root());
    command.args(["deny", "--locked", "check", "bans", "licenses", "sources"]);
    process::run(ui, "check the dependencies", &mut command)
        .await
        .into()
}

/// Known vulnerabilities, from a database that is fetched from its repository.
async fn advisories(ui: &Ui, project: &Project) -> Outcome {
    if let Some(skipped) = without_deny(project).await {
        return skipped;
    }
    if !succeeds(project, &["deny", "fetch", "db"]).await {
        return Outcome::Skipped(
            "the advisory database cannot be fetched: `cargo deny fetch db` says why".to_owned(),
        );
    }
    let mut command = process::cargo(project.root());
    command.args(["deny", "--locked", "check", "--disable-fetch", "advisories"]);
    process::run(ui, "look for known vulnerabilities", &mut command)
        .await
        .into()
}

async fn without_deny(project: &Project) -> Option<Outcome> {
    let skipped = format!(
        "cargo-deny is not installed: `cargo install --locked cargo-deny --version {CARGO_DENY}`"
    );
    (!succeeds(project, &["deny", "--version"]).await).then_some(Outcome::Skipped(skipped))
}

async fn succeeds(project: &Project, args: &[&str]) -> bool {
    process::succeeds(process::cargo(project.root()).args(args)).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ci_installs_the_same_cargo_deny() {
        let run = include_str!("../../../.ci/run");
        assert!(run.contains(&format!("cargo_deny={CARGO_DENY}\n")));
    }
}
