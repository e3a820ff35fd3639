use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use clap::Args;
use serde::Serialize;
use stackway_infra::flow::{
    AllowReplace, Deployer, FlowError, Planner, Remedies, StackInput, StackInputs, WhatHappened,
};
use stackway_infra::stack_def::{STACK_SET_ROLES, STACKS, StackDef, StackGraph};
use stackway_infra::template::Template;

use super::cloud;
use crate::cli::{EndpointArgs, GlobalArgs};
use crate::cloud::Cloud;
use crate::commands::status::graph_failure;
use crate::deploy_plan;
use crate::failure::{Failure, Kind};
use crate::progress::Display;
use crate::settings::Settings;
use crate::stack_sets;
use crate::ui::Ui;

/// Deploy the roles that self-managed stack sets need, in the account of the credentials
///
/// In the account of the sets: the administration role, and the execution role too where a set reaches that account. In
/// any other account that a set reaches: the execution role, with `--administrator ACCOUNT` to say whom it trusts. The
/// templates are cloudformation/stack-set-administration.yaml and stack-set-execution.yaml.
#[derive(Debug, Args)]
pub(crate) struct RolesArgs {
    /// The account of the stack sets [default: that of the credentials]
    #[arg(long, value_name = "ACCOUNT")]
    administrator: Option<String>,
    /// Show what would be deployed and change nothing
    #[arg(long)]
    dry_run: bool,
    /// Answer the question with yes
    #[arg(long, short)]
    yes: bool,
    #[command(flatten)]
    endpoint: EndpointArgs,
}

#[derive(Debug, Serialize)]
struct Report {
    account: String,
    administrator: String,
    roles: Vec<Role>,
    /// Accounts that sets reach and in which the execution role is still to be deployed, as far as it is known from here.
    other_accounts: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Role {
    stack: &'static str,
    stack_name: String,
    parameters: BTreeMap<String, String>,
}

/// The stacks of the roles with their inputs.
struct Roles(BTreeMap<&'static str, (Template, StackInput)>);

impl Roles {
    fn of(&self, stack: &StackDef) -> Result<&(Template, StackInput), FlowError> {
        self.0.get(stack.name).ok_or_else(|| {
            FlowError::Input(format!("stack `{}` is not part of the plan", stack.name))
        })
    }
}

#[async_trait]
impl StackInputs for Roles {
    fn input(&self, stack: &StackDef) -> Result<StackInput, FlowError> {
        Ok(self.of(stack)?.1.clone())
    }

    async fn prepare(
        &self,
        _: &StackDef,
        _: &BTreeMap<&'static str, BTreeMap<String, String>>,
    ) -> Result<BTreeMap<String, String>, FlowError> {
        Ok(BTreeMap::new())
    }

    fn check(
        &self,
        stack: &StackDef,
        parameters: &BTreeMap<String, String>,
    ) -> Result<(), FlowError> {
        let faults = self.of(stack)?.0.check_parameters(parameters).err();
        match faults {
            None => Ok(()),
            Some(faults) => {
                let faults: Vec<_> = faults.iter().map(ToString::to_string).collect();
                Err(FlowError::Input(format!(
                    "the parameters of stack `{}` do not fit its template: {}",
                    stack.name,
                    faults.join("; ")
                )))
            }
        }
    }
}

/// The accounts that self-managed sets of the environment reach through Stackway's own roles.
fn reached(settings: &Settings) -> BTreeSet<String> {
    STACKS
        .iter()
        .filter_map(|def| stack_sets::placement(settings, def.name))
        .filter(|placement| placement.execution_role.is_none())
        .flat_map(|placement| &placement.accounts)
        .map(ToString::to_string)
        .collect()
}

/// The roles to deploy in `account`, each with the parameters that its template does not get by its names.
fn wanted(
    account: &str,
    administrator: &str,
    reached: &BTreeSet<String>,
) -> Vec<(StackDef, (&'static str, String))> {
    let mut wanted = Vec::new();
    for def in STACK_SET_ROLES {
        match def.name {
            "stack-set-administration" if account == administrator => {
                let accounts: Vec<_> = reached.iter().map(String::as_str).collect();
                wanted.push((*def, ("TargetAccounts", accounts.join(","))));
            }
            "stack-set-execution" if reached.contains(account) => {
                wanted.push((*def, ("AdministratorAccount", administrator.to_owned())));
            }
            _ => {}
        }
    }
    wanted
}

pub(crate) async fn run(ui: &Ui, global: &GlobalArgs, args: &RolesArgs) -> Result<(), Failure> {
    let settings = Settings::resolve(ui, global, &args.endpoint)?;
    let environment = settings.environment.name.to_string();
    let reached = reached(&settings);
    if reached.is_empty() {
        return Err(Failure::new(
            Kind::Configuration,
            format!("no stack of `{environment}` is placed over accounts with Stackway's roles"),
        )
        .hint("a set over organizational units needs none: AWS makes its roles"));
    }
    let cloud = cloud(&settings).await?;
    let administrator = args
        .administrator
        .clone()
        .unwrap_or_else(|| cloud.account.clone());
    let allowed = &settings.environment.accounts;
    if !allowed
        .iter()
        .any(|account| account.as_str() == administrator)
    {
        return Err(Failure::new(
            Kind::Configuration,
            format!("`{environment}` may not touch account `{administrator}`"),
        )
        .hint("name one of its `accounts` in stackway.toml with --administrator"));
    }
    let wanted = wanted(&cloud.account, &administrator, &reached);
    if wanted.is_empty() {
        return Err(Failure::new(
            Kind::Account,
            format!(
                "no stack set of `{environment}` reaches account {}, which is not theirs either",
                cloud.account
            ),
        )
        .hint("use credentials of an account that a set reaches, or leave --administrator out"));
    }
    let roles = inputs(&settings, &wanted)?;
    let report = Report {
        account: cloud.account.clone(),
        other_accounts: reached
            .iter()
            .filter(|account| **account != cloud.account)
            .cloned()
            .collect(),
        roles: wanted
            .iter()
            .filter_map(|(def, _)| {
                let (_, input) = roles.0.get(def.name)?;
                Some(Role {
                    stack: def.name,
                    stack_name: input.stack_name.clone(),
                    parameters: input.parameters.clone(),
                })
            })
            .collect(),
        administrator,
    };
    show(ui, &report);
    if args.dry_run {
        return Ok(());
    }
    ui.confirm(
        &format!("Deploy to account {}?", cloud.account),
        &environment,
        args.yes,
    )?;
    ui.on_interrupt(
        "CloudFormation goes on with the stacks that it has begun",
        format!("`cargo xtask stack-set roles --env {environment}` continues"),
    );
    let defs: Vec<_> = wanted.iter().map(|(def, _)| *def).collect();
    deploy(ui, &cloud, &environment, &defs, &roles).await?;
    if report.account == report.administrator && !report.other_accounts.is_empty() {
        ui.say(format!(
            "then, with credentials of each of {}: `cargo xtask stack-set roles --env {environment} --administrator {}`",
            report.other_accounts.join(", "),
            report.administrator
        ));
    }
    Ok(())
}

fn inputs(
    settings: &Settings,
    wanted: &[(StackDef, (&'static str, String))],
) -> Result<Roles, Failure> {
    let mut roles = BTreeMap::new();
    for (def, (name, value)) in wanted {
        let template = settings.project.template(def)?;
        let source = settings.project.source(def, &settings.repository);
        let given = BTreeMap::from([((*name).to_owned(), value.clone())]);
        let input = StackInput {
            stack_name: settings.naming.stack(def.name),
            template_body: template.text.clone(),
            parameters: deploy_plan::parameters(
                &settings.environment,
                &settings.naming,
                &template,
                given,
            ),
            tags: settings
                .naming
                .tags(def.name, &source, &settings.environment.tags),
            capabilities: template
                .capabilities()
                .iter()
                .map(ToString::to_string)
                .collect(),
        };
        roles.insert(def.name, (template, input));
    }
    Ok(Roles(roles))
}

async fn deploy(
    ui: &Ui,
    cloud: &Cloud,
    environment: &str,
    defs: &[StackDef],
    roles: &Roles,
) -> Result<(), Failure> {
    let graph = StackGraph::new(defs).map_err(graph_failure)?;
    let display = Display::new(ui, "deployed");
    let allow_replace = AllowReplace::default();
    let deployed = Deployer {
        tools: cloud.tools(&display),
        control: &cloud.stacks,
        inputs: roles,
        allow_replace: &allow_replace,
        remedies: &Remedies::default(),
        protect: false,
        stop: Planner::stop_at(std::future::pending()),
    }
    .deploy(&graph)
    .await;
    display.clear();
    let deployed = deployed.map_err(|error| Failure::of_flow(error, Kind::Deploy, environment))?;
    let changed = deployed
        .iter()
        .filter(|stack| stack.what != WhatHappened::Unchanged)
        .count();
    ui.say(format!(
        "{changed} of {} role stacks changed in account {}",
        deployed.len(),
        cloud.account
    ));
    Ok(())
}

fn show(ui: &Ui, report: &Report) {
    if ui.is_json() {
        ui.json(report);
        return;
    }
    ui.data(format!(
        "to deploy to account {}, for stack sets of account {}:",
        report.account, report.administrator
    ));
    for role in &report.roles {
        let parameters: Vec<_> = role
            .parameters
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        ui.data(format!("  {}  {}", role.stack_name, parameters.join(" ")));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_account_gets_the_roles_that_it_needs() {
        let reached: BTreeSet<String> = ["1", "2"].map(str::to_owned).into();
        for (account, administrator, expected) in [
            ("9", "9", "stack-set-administration TargetAccounts=1,2"),
            (
                "1",
                "1",
                "stack-set-administration TargetAccounts=1,2; stack-set-execution AdministratorAccount=1",
            ),
            ("2", "1", "stack-set-execution AdministratorAccount=1"),
            ("3", "1", ""),
        ] {
            let shown: Vec<_> = wanted(account, administrator, &reached)
                .iter()
                .map(|(def, (name, value))| format!("{} {name}={value}", def.name))
                .collect();
            assert_eq!(shown.join("; "), expected, "{account} {administrator}");
        }
    }
}
