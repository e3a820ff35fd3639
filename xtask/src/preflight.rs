//! The preflight: what would make a deploy fail, asked of the cloud before it begins.

use stackway_infra::aws::{CodeConnections, Iam, SdkConfig, TakenNames};
use stackway_infra::cloud::Permissions;
use stackway_infra::flow::{Depth, Preflight};
use stackway_infra::preflight::{Finding, Severity};

use crate::cloud::Cloud;
use crate::deploy_plan::DeployPlan;
use crate::failure::{Failure, Kind};
use crate::settings::Settings;
use crate::ui::Ui;

/// The services that a preflight asks beside CloudFormation.
pub(crate) struct PreflightCalls {
    /// None at an endpoint that is not AWS: an emulator has no permissions of its own.
    permissions: Option<Iam>,
    connections: CodeConnections,
    names: TakenNames,
}

impl PreflightCalls {
    pub(crate) fn new(config: &SdkConfig, emulated: bool) -> Self {
        Self {
            permissions: (!emulated).then(|| Iam::new(config)),
            connections: CodeConnections::new(config),
            names: TakenNames::new(config),
        }
    }
}

/// Looks at everything that the plan's stacks need. Only reads.
pub(crate) async fn findings(
    cloud: &Cloud,
    settings: &Settings,
    plan: &DeployPlan,
    depth: Depth,
    adopt: &[String],
) -> Result<Vec<Finding>, Failure> {
    let calls = &cloud.preflight;
    let preflight = Preflight {
        stacks: &cloud.stacks,
        rules: &cloud.stacks,
        permissions: calls
            .permissions
            .as_ref()
            .map(|iam| iam as &dyn Permissions),
        connections: &calls.connections,
        names: &calls.names,
        naming: &settings.naming,
        caller_arn: &cloud.caller_arn,
        adopt,
    };
    let wanted = plan.wanted(&cloud.account);
    let name = settings.environment.name.to_string();
    preflight
        .check(&wanted, depth)
        .await
        .map_err(|error| Failure::of_flow(error, Kind::Deploy, &name))
}

/// Before a deploy: an error stops it, a warning is said, and what could not be checked is told to who asks for more.
pub(crate) async fn before_deploy(
    ui: &Ui,
    cloud: &Cloud,
    settings: &Settings,
    plan: &DeployPlan,
    adopt: &[String],
) -> Result<(), Failure> {
    let found = findings(cloud, settings, plan, Depth::Deploy, adopt).await?;
    let mut errors = Vec::new();
    for finding in &found {
        let fix = finding.fix.as_deref().unwrap_or_default();
        match finding.severity {
            Severity::Ok => ui.detail(format!("preflight: {}", finding.detail)),
            Severity::NotChecked => {
                ui.detail(format!("preflight: not checked: {}", finding.detail));
            }
            Severity::Warning => {
                ui.warn(format!("{} [{}]\n  fix: {fix}", finding.detail, finding.id));
            }
            Severity::Error => errors.push(finding),
        }
    }
    if errors.is_empty() {
        return Ok(());
    }
    let mut failure = Failure::new(
        Kind::Deploy,
        format!(
            "this deploy would fail: the preflight found {}",
            if errors.len() == 1 {
                "an error".to_owned()
            } else {
                format!("{} errors", errors.len())
            }
        ),
    );
    for finding in &errors {
        failure = failure.cause(format!("{} [{}]", finding.detail, finding.id));
    }
    let mut fixes: Vec<&str> = errors
        .iter()
        .filter_map(|finding| finding.fix.as_deref())
        .collect();
    fixes.dedup();
    for fix in fixes {
        failure = failure.hint(fix);
    }
    Err(failure.hint(format!(
        "nothing was changed; `cargo xtask doctor --env {}` shows every check",
        settings.environment.name
    )))
}
