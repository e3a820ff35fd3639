//! A run of this machine that goes on without the terminal that started it.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use stackway_pipeline_runner::{Execution, Executions, Status};

use super::act::{StartArgs, agreed, began};
use crate::failure::{Failure, Kind};
use crate::pipeline_here;
use crate::settings::{Endpoint, Settings};
use crate::ui::Ui;

const LOOK: Duration = Duration::from_millis(200);

/// Starts an execution in a process of its own, and waits until it has begun.
pub(super) async fn start(
    ui: &Ui,
    settings: &Settings,
    executions: &Executions,
    args: &StartArgs,
) -> Result<(), Failure> {
    let pipelines = pipeline_here::pipelines()?;
    let Some(pipeline) = pipelines.iter().find(|one| one.name == args.name) else {
        let names: Vec<_> = pipelines.iter().map(|one| one.name).collect();
        return Err(Failure::new(
            Kind::Configuration,
            format!("there is no pipeline `{}`", args.name),
        )
        .hint(format!("the pipelines are: {}", names.join(", "))));
    };
    let sources: Vec<_> = pipeline.sources.iter().map(|one| &*one.name).collect();
    if let Some((name, _)) = args
        .revisions
        .iter()
        .find(|(name, _)| !sources.contains(&name.as_str()))
    {
        return Err(Failure::new(
            Kind::Configuration,
            format!("`{}` has no source action `{name}`", args.name),
        )
        .hint(format!("its source actions are: {}", sources.join(", "))));
    }
    let what = format!("start `{}` on this machine", args.name);
    if !agreed(ui, &what, &args.name, args.consent)? {
        return Ok(());
    }
    let id = Execution::new_id();
    let folder = executions.folder(&args.name, &id);
    std::fs::create_dir_all(&folder).map_err(|error| Failure::io("create", &folder, &error))?;
    let log = folder.join("run.log");
    let mut child = spawn(settings, args, &id, &log)?;
    let spinner = ui.spinner("bringing the environment up");
    let has_ended = loop {
        let begun = executions
            .find(&args.name, Some(&id))
            .is_ok_and(|one| one.status != Status::NotStarted);
        if begun {
            break None;
        }
        if let Some(status) = child
            .try_wait()
            .map_err(|error| Failure::io("wait for the run of", &folder, &error))?
        {
            break Some(status);
        }
        tokio::time::sleep(LOOK).await;
    };
    drop(spinner);
    let Some(status) = has_ended else {
        began(ui, &args.name, &id);
        return Ok(());
    };
    // One that came to its end at once has a state; one that was refused has none.
    if executions.find(&args.name, Some(&id)).is_ok() {
        began(ui, &args.name, &id);
        return Ok(());
    }
    let said = std::fs::read_to_string(&log).unwrap_or_default();
    std::fs::remove_dir_all(&folder).map_err(|error| Failure::io("remove", &folder, &error))?;
    let lines = said.lines().filter(|line| !line.trim().is_empty());
    let last: Vec<_> = lines.map(|line| line.trim().to_owned()).collect();
    let from = last.len().saturating_sub(5);
    let failure = Failure::new(
        Kind::Pipeline,
        format!("`{}` has not begun ({status})", args.name),
    );
    Err(last
        .into_iter()
        .skip(from)
        .fold(failure, Failure::cause)
        .hint(format!(
            "`cargo xtask pipeline run {}` shows all that it does",
            args.name
        )))
}

/// `pipeline run` with the same settings, away from this terminal.
fn spawn(settings: &Settings, args: &StartArgs, id: &str, log: &Path) -> Result<Child, Failure> {
    let program = std::env::current_exe()
        .map_err(|error| Failure::new(Kind::Io, "cannot find xtask").cause(error.to_string()))?;
    let fault = |error: std::io::Error| Failure::io("write", log, &error);
    let output = std::fs::File::create(log).map_err(fault)?;
    let errors = output.try_clone().map_err(fault)?;
    let mut command = Command::new(program);
    command.arg("pipeline");
    if let Endpoint::Own { port } = settings.endpoint {
        command.args(["--port", &port.to_string()]);
    }
    command
        .args(["run", &args.name, "--id", id])
        .args(["--env", settings.environment.name.as_str()])
        .args(["--color", "never"]);
    for (name, value) in &args.variables {
        command.arg("--var").arg(format!("{name}={value}"));
    }
    if let Some((_, commit)) = args.revisions.first() {
        command.args(["--ref", commit]);
    }
    // Ctrl-C in this terminal is not for it.
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    command
        .stdin(Stdio::null())
        .stdout(output)
        .stderr(errors)
        .spawn()
        .map_err(|error| Failure::new(Kind::Tool, "cannot run xtask").cause(error.to_string()))
}
