use std::process::Command;

use clap::Args;
use comfy_table::{Cell, ContentArrangement, Table, presets};
use serde::Serialize;
use stackway_infra::config::EnvironmentKind;
use stackway_infra::flow::Depth;
use stackway_infra::preflight::{self, Severity};

use crate::cli::{EndpointArgs, GlobalArgs};
use crate::cloud::Cloud;
use crate::delivery;
use crate::deploy_plan::DeployPlan;
use crate::failure::{Failure, Kind};
use crate::package::{Architecture, Libc, Target};
use crate::settings::Settings;
use crate::ui::Ui;

/// Check that this machine and the environment are ready, and say how to mend what is not
///
/// Of the environment: credentials and account, template validation, names that are taken, the quota of stacks, the
/// permissions that a deploy takes, connections that nobody has authorised. What could not be looked at is said to be not
/// checked. Only reads.
#[derive(Debug, Args)]
pub(crate) struct DoctorArgs {
    #[command(flatten)]
    endpoint: EndpointArgs,
}

#[derive(Debug, Serialize)]
struct Finding {
    /// A name for the kind of finding that stays.
    id: &'static str,
    check: String,
    state: State,
    detail: String,
    fix: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum State {
    Ok,
    /// Something that only some commands need is missing.
    Optional,
    /// It could not be looked at.
    NotChecked,
    /// A deploy works, and somebody should look at it.
    Warning,
    Failed,
}

impl Finding {
    fn ok(id: &'static str, check: impl Into<String>, detail: impl Into<String>) -> Self {
        Self {
            id,
            check: check.into(),
            state: State::Ok,
            detail: detail.into(),
            fix: None,
        }
    }

    fn optional(
        id: &'static str,
        check: impl Into<String>,
        detail: impl Into<String>,
        fix: impl Into<String>,
    ) -> Self {
        Self {
            id,
            check: check.into(),
            state: State::Optional,
            detail: detail.into(),
            fix: Some(fix.into()),
        }
    }

    fn failed(id: &'static str, check: impl Into<String>, failure: &Failure) -> Self {
        let detail = std::iter::once(&failure.message)
            .chain(&failure.causes)
            .cloned()
            .collect::<Vec<_>>()
            .join("\n");
        Self {
            id,
            check: check.into(),
            state: State::Failed,
            detail,
            fix: (!failure.hints.is_empty()).then(|| failure.hints.join("\n")),
        }
    }

    /// What a preflight found.
    fn of_preflight(finding: preflight::Finding) -> Self {
        Self {
            id: finding.id,
            check: finding.id.replace('-', " "),
            state: match finding.severity {
                Severity::Ok => State::Ok,
                Severity::NotChecked => State::NotChecked,
                Severity::Warning => State::Warning,
                Severity::Error => State::Failed,
            },
            detail: finding.detail,
            fix: finding.fix,
        }
    }
}

pub(crate) async fn run(ui: &Ui, global: &GlobalArgs, args: &DoctorArgs) -> Result<(), Failure> {
    let settings = Settings::resolve(ui, global, &args.endpoint)?;
    let mut findings = vec![Finding::ok(
        "configuration",
        "stackway.toml",
        format!("environment `{}`", settings.environment.name),
    )];
    findings.push(templates(&settings));
    findings.push(tool(
        "cargo",
        &["--version"],
        "builds everything",
        State::Failed,
        "install Rust: https://rustup.rs",
    ));
    findings.push(tool(
        "git",
        &["--version"],
        "names the commit",
        State::Optional,
        "install git",
    ));
    match settings.environment.kind {
        EnvironmentKind::Local => {
            findings.push(tool(
                "python3",
                &["--version"],
                "runs the emulator",
                State::Failed,
                "install Python 3.10 or later",
            ));
        }
        EnvironmentKind::Aws => findings.push(target(ui, &settings).await),
    }
    findings.extend(cloud(ui, &settings).await);
    findings.push(docker());
    show(ui, &findings);
    let failed = findings
        .iter()
        .filter(|finding| finding.state == State::Failed)
        .count();
    if failed == 0 {
        Ok(())
    } else {
        Err(Failure::new(
            Kind::Check,
            format!("{failed} of {} checks failed", findings.len()),
        ))
    }
}

fn templates(settings: &Settings) -> Finding {
    let plan = delivery::of_environment(settings).and_then(|graph| {
        DeployPlan::new(settings, &graph)?;
        Ok(graph.deploy_order().len())
    });
    match plan {
        Ok(count) => Finding::ok(
            "templates",
            "templates",
            format!("{count} stacks, parameters fit"),
        ),
        Err(failure) => Finding::failed("templates", "templates", &failure),
    }
}

fn tool(name: &'static str, args: &[&str], purpose: &str, missing: State, fix: &str) -> Finding {
    match Command::new(name).args(args).output() {
        Ok(output) if output.status.success() => Finding::ok(
            name,
            name,
            String::from_utf8_lossy(&output.stdout).trim().to_owned(),
        ),
        _ => Finding {
            id: name,
            check: name.into(),
            state: missing,
            detail: format!("missing; it {purpose}"),
            fix: Some(fix.into()),
        },
    }
}

/// What the Lambda is built for, and with what.
async fn target(ui: &Ui, settings: &Settings) -> Finding {
    let architecture = delivery::of_environment(settings)
        .and_then(|graph| DeployPlan::new(settings, &graph))
        .ok()
        .and_then(|plan| plan.architecture("api"))
        .unwrap_or(Architecture::X86_64);
    let check = format!("target for {}", architecture.as_str());
    match Target::resolve(ui, &settings.project, architecture, Libc::Musl).await {
        Ok(target) => Finding::ok(
            "target",
            check,
            format!(
                "{}, built with {}",
                target.triple,
                target.compiler.describe()
            ),
        ),
        Err(failure) => Finding {
            state: State::Optional,
            ..Finding::failed("target", check, &failure)
        },
    }
}

/// Whose the credentials are, and what would make a deploy fail there.
async fn cloud(ui: &Ui, settings: &Settings) -> Vec<Finding> {
    let cloud = match Cloud::for_reading(settings).await {
        Ok(Some(cloud)) => cloud,
        Ok(None) => {
            return vec![
                Finding::ok(
                    "emulator",
                    "emulator",
                    "does not run; `deploy` starts it, with nothing in it",
                ),
                Finding {
                    id: "preflight",
                    check: "preflight".to_owned(),
                    state: State::NotChecked,
                    detail: "names, template validation, quota, permissions: there is no cloud to ask".to_owned(),
                    fix: Some("run it again after `cargo xtask deploy`, which makes the same checks first".to_owned()),
                },
            ];
        }
        Err(failure) => return vec![Finding::failed("account", "account", &failure)],
    };
    let place = cloud
        .endpoint_url
        .as_ref()
        .map(|url| format!(" at {url}"))
        .unwrap_or_default();
    let mut findings = vec![Finding::ok(
        "account",
        "account",
        format!(
            "{}{place}, region {}",
            cloud.account, settings.naming.region
        ),
    )];
    // A plan that cannot be made is a finding of its own by now.
    let plan = delivery::select(ui, settings, &[])
        .and_then(|selection| DeployPlan::new(settings, &selection.graph));
    if let Ok(plan) = plan {
        match crate::preflight::findings(&cloud, settings, &plan, Depth::Full, &[]).await {
            Ok(found) => findings.extend(found.into_iter().map(Finding::of_preflight)),
            Err(failure) => findings.push(Finding::failed("preflight", "preflight", &failure)),
        }
    }
    findings
}

fn docker() -> Finding {
    let engine = Command::new("docker")
        .args(["info", "--format", "{{.ServerVersion}}"])
        .output();
    match engine {
        Ok(output) if output.status.success() => Finding::ok(
            "docker",
            "docker",
            format!("engine {}", String::from_utf8_lossy(&output.stdout).trim()),
        ),
        _ => Finding::optional(
            "docker",
            "docker",
            "no engine answers; only the testcontainers run needs one",
            "start a Docker engine",
        ),
    }
}

fn show(ui: &Ui, findings: &[Finding]) {
    if ui.is_json() {
        ui.json(&findings);
        return;
    }
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Dynamic);
    for finding in findings {
        let state = match finding.state {
            State::Ok => "ok",
            State::Optional => "optional",
            State::NotChecked => "not checked",
            State::Warning => "warning",
            State::Failed => "failed",
        };
        let detail = match &finding.fix {
            Some(fix) => format!("{}\nfix: {fix}", finding.detail),
            None => finding.detail.clone(),
        };
        table.add_row([
            Cell::new(state),
            Cell::new(&finding.check),
            Cell::new(detail),
        ]);
    }
    ui.data(table.trim_fmt());
}
