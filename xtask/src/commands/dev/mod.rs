mod changes;
mod under_lambda;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use clap::Args;
use tokio::process::{Child, Command};

use crate::failure::Failure;
use crate::local_api::{Conditions, PACKAGE, check_port, embedded_database};
use crate::package;
use crate::project::Project;
use crate::ui::{BOLD, DIM, Ui};
use changes::Changes;

/// Serve the API on an embedded DynamoDB, rebuilt when a source file changes
///
/// Needs cargo alone. The data lives as long as the command.
#[derive(Debug, Args)]
pub(crate) struct DevArgs {
    /// The port on 127.0.0.1
    #[arg(long, default_value_t = 8080)]
    port: u16,
    /// Run the API as Lambda would: events, one at a time, with the function's memory size and timeout
    #[arg(long)]
    lambda: bool,
    /// The token that requests must have, as the API asks for it where it is deployed with one
    #[arg(
        long,
        value_name = "TOKEN",
        env = "STACKWAY_API_TOKEN",
        hide_env_values = true
    )]
    token: Option<String>,
}

/// The name of the table here, and the region that its client is told.
const TABLE: &str = "dev";
const REGION: &str = "eu-west-2";

pub(crate) async fn run(ui: &Ui, args: &DevArgs) -> Result<(), Failure> {
    let project = Project::locate()?;
    check_port(args.port)?;
    let database = embedded_database(&project, TABLE)?;
    ui.on_interrupt(
        "the API and its data ended with this command",
        if args.lambda {
            "`cargo xtask dev --lambda` starts afresh"
        } else {
            "`cargo xtask dev` starts afresh"
        },
    );
    let mut changes = Changes::watch(&project)?;
    if args.lambda {
        let conditions = Conditions::new(&project, &BTreeMap::new(), PACKAGE, TABLE, REGION)?
            .with_token(args.token.clone());
        return under_lambda::run(ui, &project, conditions, database, args.port, changes).await;
    }

    let address = SocketAddr::from(([127, 0, 0, 1], args.port));
    let mut api: Option<Child> = None;
    loop {
        if let Some(binary) = build(ui, &project).await {
            stop(&mut api).await;
            api = Some(start(
                &binary,
                address,
                &database.endpoint_url(),
                args.token.as_deref(),
            )?);
            welcome(ui, &format!("http://{address}"));
        }
        next_change(ui, &mut changes, &mut api).await;
    }
}

/// Builds the API. A failure is shown, and what served before goes on serving.
async fn build(ui: &Ui, project: &Project) -> Option<PathBuf> {
    ui.say(format!("{DIM}building {PACKAGE}{DIM:#}"));
    match package::local_binary(ui, project, PACKAGE).await {
        Ok(binary) => Some(binary),
        Err(mut failure) => {
            failure.hints = vec!["correct the code; the next save builds it again".to_owned()];
            ui.failure(&failure);
            None
        }
    }
}

fn welcome(ui: &Ui, url: &str) {
    ui.say(format!(
        "{BOLD}{url}{BOLD:#} serves the API; docs at {url}/docs; Ctrl-C ends it"
    ));
}

fn start(
    binary: &Path,
    address: SocketAddr,
    endpoint: &str,
    token: Option<&str>,
) -> Result<Child, Failure> {
    let mut command = Command::new(binary);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("AWS_") {
            command.env_remove(&name);
        }
    }
    command
        .env("TABLE_NAME", TABLE)
        .env("LISTEN_ADDR", address.to_string())
        .env("AWS_REGION", REGION)
        .env("AWS_ACCESS_KEY_ID", "local")
        .env("AWS_SECRET_ACCESS_KEY", "local")
        .env("AWS_ENDPOINT_URL_DYNAMODB", endpoint)
        .stdin(std::process::Stdio::null())
        .stdout(std::io::stderr())
        .kill_on_drop(true);
    if let Some(token) = token {
        command.env("API_TOKEN", token);
    }
    command
        .spawn()
        .map_err(|error| Failure::io("start", binary, &error))
}

async fn stop(api: &mut Option<Child>) {
    if let Some(mut child) = api.take() {
        // Nothing here is worth a graceful end, and the port must be free for the next.
        let _ = child.kill().await;
    }
}

/// Returns once a source file has changed; says so if the API ends meanwhile.
async fn next_change(ui: &Ui, changes: &mut Changes, api: &mut Option<Child>) {
    loop {
        let ended = async {
            match api.as_mut() {
                Some(child) => child.wait().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = changes.begin() => return changes.settle(ui).await,
            status = ended => {
                let status = status.map_or_else(|error| error.to_string(), |status| status.to_string());
                ui.warn(format!("the API ended with {status}; the next save starts it again"));
                *api = None;
            }
        }
    }
}
