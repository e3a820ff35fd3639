//! `deploy --emulator none`: the package that a deploy would upload, run on this machine as Lambda would run it.

use stackway_infra::config::EnvironmentKind;

use super::DeployArgs;
use crate::cli::{EndpointArgs, GlobalArgs};
use crate::commands::outputs::{self, AllOutputs};
use crate::delivery;
use crate::deploy_plan::DeployPlan;
use crate::failure::{Failure, Kind};
use crate::interrupt;
use crate::local_api::{Conditions, LocalApi, PACKAGE, check_port, embedded_database};
use crate::package::{self, Host};
use crate::settings::Settings;
use crate::ui::{BOLD, DIM, Ui};

/// Where the API answers if no port is named: as `dev`'s does.
const DEFAULT_PORT: u16 = 8080;

/// Answers until Ctrl-C, then ends what is under way.
pub(super) async fn run(ui: &Ui, global: &GlobalArgs, args: &DeployArgs) -> Result<(), Failure> {
    check_flags(args)?;
    // No call of AWS is made, so that an address for them has no part in this.
    let settings = Settings::resolve_without_endpoint(global)?;
    let name = settings.environment.name.as_str();
    if settings.environment.kind != EnvironmentKind::Local {
        return Err(Failure::new(
            Kind::CommandLine,
            format!("`--emulator none` runs on this machine, and environment `{name}` is on AWS"),
        )
        .hint("use it with an environment of kind \"local\": `--env local`"));
    }
    // The templates and parameters are held against one another as for any deploy.
    DeployPlan::new(&settings, &delivery::of_environment(&settings)?)?;
    let conditions = Conditions::new(
        &settings.project,
        &settings.parameters("api"),
        &settings.naming.stack("api"),
        &settings.naming.stack("table"),
        &settings.naming.region,
    )?;
    ui.say("no stacks are made: there is no emulator, and the API's function runs in this command");
    if args.dry_run {
        ui.say(format!(
            "would build {PACKAGE}, and run it over an embedded DynamoDB until Ctrl-C"
        ));
        return Ok(());
    }
    let port = args.endpoint.port.unwrap_or(DEFAULT_PORT);
    check_port(port)?;
    ui.on_interrupt(
        "the API and its data ended with this command",
        format!("`cargo xtask deploy --env {name} --emulator none` starts afresh"),
    );

    ui.say(format!("{DIM}building {PACKAGE}{DIM:#}"));
    let package = package::build(ui, &settings.project, PACKAGE, Host::Emulator).await?;
    let folder = settings.project.state_dir().join("function");
    let program = package::unpack(&package.path, &folder)?;
    let database = embedded_database(&settings.project, &conditions.table)?;
    let all = outputs_of(&conditions);
    ui.leave_interrupt_to_command();
    let mut api = LocalApi::start(program, conditions, database, port).await?;
    show(ui, all, &api.url());
    tokio::select! {
        () = interrupt::next() => {}
        () = api.tell_failures(ui) => {}
    }
    api.stop().await;
    Err(ui.interrupted())
}

/// Refuses flags that are about stacks or about an emulator that somebody else runs.
fn check_flags(args: &DeployArgs) -> Result<(), Failure> {
    let EndpointArgs { endpoint_url, .. } = &args.endpoint;
    let flag = match (args.stacks.as_slice(), endpoint_url) {
        ([], None) => return Ok(()),
        ([], Some(_)) => "--endpoint-url",
        _ => "--stack",
    };
    Err(Failure::new(
        Kind::CommandLine,
        format!("`{flag}` cannot be used with `--emulator none`, which makes no stacks"),
    )
    .hint(format!(
        "leave out one of the two; without `--emulator none`, `{flag}` works on stacks"
    )))
}

/// What the stacks would give of this.
fn outputs_of(conditions: &Conditions) -> AllOutputs {
    let output = |name: &str, value: &str| [(name.to_owned(), value.to_owned())].into();
    AllOutputs::from([
        ("api", output("FunctionName", &conditions.name)),
        ("table", output("TableName", &conditions.table)),
    ])
}

fn show(ui: &Ui, mut all: AllOutputs, url: &str) {
    all.entry("api")
        .or_default()
        .insert("ApiUrl".to_owned(), url.to_owned());
    outputs::show(ui, &all);
    ui.say(format!(
        "\n{BOLD}{url}{BOLD:#} answers: `curl {url}/`; Ctrl-C ends it, and its data with it"
    ));
}
