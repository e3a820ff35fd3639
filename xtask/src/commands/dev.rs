use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use notify::{RecursiveMode, Watcher};
use serde_json::json;
use stackway_infra::stack_def::STACKS;
use stackway_local_cloud::EmbeddedDynamoDb;
use tokio::process::{Child, Command};
use tokio::sync::mpsc;

use crate::failure::{Failure, Kind};
use crate::process;
use crate::project::Project;
use crate::ui::{BOLD, DIM, Ui};

/// Serve the API on an embedded DynamoDB, rebuilt when a source file changes
///
/// Needs cargo alone. The data lives as long as the command.
#[derive(Debug, Args)]
pub(crate) struct DevArgs {
    /// The port on 127.0.0.1
    #[arg(long, default_value_t = 8080)]
    port: u16,
}

/// The package that serves, and the name of its table here.
const PACKAGE: &str = "stackway-api";
const TABLE: &str = "dev";

/// Editors save in bursts: changes this close together are one.
const QUIET: Duration = Duration::from_millis(150);

pub(crate) async fn run(ui: &Ui, args: &DevArgs) -> Result<(), Failure> {
    let project = Project::locate()?;
    let address = SocketAddr::from(([127, 0, 0, 1], args.port));
    // Held only to find out early; the API binds it again.
    TcpListener::bind(address).map_err(|error| {
        Failure::new(Kind::Io, format!("cannot listen on {address}"))
            .cause(error.to_string())
            .hint("end what uses the port, or choose another with `--port`")
    })?;
    let database =
        EmbeddedDynamoDb::start(0).map_err(|error| Failure::new(Kind::Io, error.to_string()))?;
    database
        .create_table(&table_definition(&project)?)
        .map_err(|error| Failure::new(Kind::Io, error.to_string()))?;
    ui.on_interrupt(
        "the API and its data ended with this command",
        "`cargo xtask dev` starts afresh",
    );

    let (sender, mut changes) = mpsc::unbounded_channel();
    let _watcher = watch(&project, sender)?;
    let mut api: Option<Child> = None;
    loop {
        ui.say(format!("{DIM}building {PACKAGE}{DIM:#}"));
        let mut command = process::cargo(project.root());
        command.args(["build", "--locked", "--package", PACKAGE, "--bin", PACKAGE]);
        match process::run(ui, &format!("build `{PACKAGE}`"), &mut command).await {
            Ok(()) => {
                stop(&mut api).await;
                api = Some(start(&project, address, &database.endpoint_url())?);
                ui.say(format!("{BOLD}http://{address}{BOLD:#} serves the API; docs at http://{address}/docs; Ctrl-C ends it"));
            }
            // What served before goes on serving.
            Err(failure) => {
                ui.failure(&failure.hint("correct the code; the next save builds it again"));
            }
        }
        next_change(ui, &mut changes, &mut api).await;
        ui.say(format!("{DIM}a source file changed{DIM:#}"));
    }
}

/// The table that cloudformation/table.yaml describes, as a `CreateTable` request.
fn table_definition(project: &Project) -> Result<serde_json::Value, Failure> {
    let refuse = |message: &str| {
        Failure::new(
            Kind::Configuration,
            format!("cloudformation/table.yaml {message}"),
        )
    };
    let def = STACKS
        .iter()
        .find(|def| def.name == "table")
        .ok_or_else(|| refuse("belongs to no stack"))?;
    let template = project.template(def)?;
    let table = template
        .resources
        .values()
        .find(|resource| resource.resource_type == "AWS::DynamoDB::Table")
        .ok_or_else(|| refuse("holds no AWS::DynamoDB::Table"))?;
    Ok(json!({
        "TableName": TABLE,
        "KeySchema": table.properties["KeySchema"],
        "AttributeDefinitions": table.properties["AttributeDefinitions"],
        "BillingMode": "PAY_PER_REQUEST",
    }))
}

fn watch(
    project: &Project,
    changed: mpsc::UnboundedSender<()>,
) -> Result<notify::RecommendedWatcher, Failure> {
    let refuse = |error: notify::Error| {
        Failure::new(Kind::Io, "cannot watch the source files").cause(error.to_string())
    };
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        let wrote = event.is_ok_and(|event| {
            !event.kind.is_access() && event.paths.iter().any(|path| is_source(path))
        });
        if wrote {
            // The command has ended where nobody listens.
            let _ = changed.send(());
        }
    })
    .map_err(refuse)?;
    let paths: [PathBuf; 2] = [project.path("crates/api"), project.path("Cargo.toml")];
    for path in paths {
        watcher
            .watch(&path, RecursiveMode::Recursive)
            .map_err(refuse)?;
    }
    Ok(watcher)
}

/// Whether a change to this file can change the API; editors' own files cannot.
fn is_source(path: &Path) -> bool {
    let extension = path
        .extension()
        .and_then(|extension| extension.to_str())
        .unwrap_or_default();
    matches!(extension, "rs" | "toml" | "html" | "css" | "js" | "json")
}

fn start(project: &Project, address: SocketAddr, endpoint: &str) -> Result<Child, Failure> {
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| project.path("target"), PathBuf::from);
    let binary = target.join("debug").join(PACKAGE);
    let mut command = Command::new(&binary);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("AWS_") {
            command.env_remove(&name);
        }
    }
    command
        .env("TABLE_NAME", TABLE)
        .env("LISTEN_ADDR", address.to_string())
        .env("AWS_REGION", "eu-west-2")
        .env("AWS_ACCESS_KEY_ID", "local")
        .env("AWS_SECRET_ACCESS_KEY", "local")
        .env("AWS_ENDPOINT_URL_DYNAMODB", endpoint)
        .stdin(std::process::Stdio::null())
        .stdout(std::io::stderr())
        .kill_on_drop(true);
    command
        .spawn()
        .map_err(|error| Failure::io("start", &binary, &error))
}

async fn stop(api: &mut Option<Child>) {
    if let Some(mut child) = api.take() {
        // Nothing here is worth a graceful end, and the port must be free for the next.
        let _ = child.kill().await;
    }
}

/// Returns once a source file has changed and the burst of changes is over; says so if the API ends meanwhile.
async fn next_change(ui: &Ui, changes: &mut mpsc::UnboundedReceiver<()>, api: &mut Option<Child>) {
    loop {
        let ended = async {
            match api.as_mut() {
                Some(child) => child.wait().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = changes.recv() => break,
            status = ended => {
                let status = status.map_or_else(|error| error.to_string(), |status| status.to_string());
                ui.warn(format!("the API ended with {status}; the next save starts it again"));
                *api = None;
            }
        }
    }
    while let Ok(Some(())) = tokio::time::timeout(QUIET, changes.recv()).await {}
}
