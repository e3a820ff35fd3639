//! The API held to its own description: schemathesis sends what the OpenAPI document allows, and what it does not.

use std::path::Path;
use std::process::Stdio;

use stackway_local_cloud::{PythonTools, Requirements};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use crate::cloud::emulator_failure;
use crate::failure::{Failure, Kind};
use crate::local_api::{PACKAGE, embedded_database};
use crate::package;
use crate::process;
use crate::project::Project;
use crate::ui::Ui;

const TABLE: &str = "contract";
/// What is left out of the checks, with the reasons.
const CONFIG: &str = "crates/api/schemathesis.toml";
/// How many requests of each kind are made up for an operation, unless `STACKWAY_CONTRACT_EXAMPLES` says otherwise.
const EXAMPLES: &str = "20";

/// Runs every check of schemathesis against the API as a plain server, over an embedded DynamoDB.
pub(crate) async fn check(ui: &Ui, project: &Project) -> Result<(), Failure> {
    let tools = install(ui, project).await?;
    let mut build = process::cargo(project.root());
    // With the features of the tests, whose build it then is.
    build.args([
        "build",
        "--workspace",
        "--all-features",
        "--locked",
        "--bin",
        PACKAGE,
    ]);
    process::run(ui, "build the API", &mut build).await?;
    let program = package::target_dir(project)
        .await?
        .join("debug")
        .join(PACKAGE);
    let database = embedded_database(project, TABLE)?;
    let (mut api, address) = serve(&program, &database.endpoint_url()).await?;

    let folder = project.state_dir().join("contract");
    std::fs::create_dir_all(&folder).map_err(|error| Failure::io("create", &folder, &error))?;
    let examples = std::env::var("STACKWAY_CONTRACT_EXAMPLES");
    let mut command = Command::new(tools.program("schemathesis"));
    command
        .current_dir(&folder)
        .arg("--config-file")
        .arg(project.path(CONFIG))
        .args(["run", &format!("http://{address}/openapi.json")])
        .args([
            "--checks",
            "all",
            "--seed",
            "1",
            "--continue-on-failure",
            "--no-color",
        ])
        .args(["--max-examples", examples.as_deref().unwrap_or(EXAMPLES)]);
    let held = process::run(ui, "hold the API to its description", &mut command).await;
    // Ends with the check, whatever the check has found.
    drop(api.kill().await);
    held.map_err(|failure| {
        failure
            .hint("correct the handler or its description; `curl` of a case above shows it again")
    })
}

async fn install(ui: &Ui, project: &Project) -> Result<PythonTools, Failure> {
    let requirements = Requirements {
        name: "schemathesis",
        text: include_str!("../contract-requirements.txt"),
    };
    let tools = PythonTools::new(project.state_dir().join("contract-tools"), requirements);
    tools
        .install(&|text: &str| ui.say(text))
        .await
        .map_err(emulator_failure)?;
    Ok(tools)
}

/// Starts the API on a free port of 127.0.0.1, which its log tells.
async fn serve(program: &Path, endpoint: &str) -> Result<(Child, String), Failure> {
    let fault = |error: std::io::Error| Failure::io("run", program, &error);
    let mut api = Command::new(program)
        .env_clear()
        .env("TABLE_NAME", TABLE)
        .env("LISTEN_ADDR", "127.0.0.1:0")
        .env("AWS_REGION", "eu-west-2")
        .env("AWS_ACCESS_KEY_ID", "local")
        .env("AWS_SECRET_ACCESS_KEY", "local")
        .env("AWS_ENDPOINT_URL_DYNAMODB", endpoint)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(fault)?;
    let silent = || Failure::new(Kind::Unreachable, "the API does not say where it listens");
    let mut log = BufReader::new(api.stderr.take().ok_or_else(silent)?).lines();
    let line = log.next_line().await.map_err(fault)?.ok_or_else(silent)?;
    let line: serde_json::Value = serde_json::from_str(&line).map_err(|_| silent().cause(line))?;
    let address = line["address"].as_str().ok_or_else(silent)?.to_owned();
    // Read on, so that the API never waits for its log.
    tokio::spawn(async move { while let Ok(Some(_)) = log.next_line().await {} });
    Ok((api, address))
}
