//! Running the tools that the commands lean on: cargo and friends.

use std::process::Stdio;

use tokio::process::Command;

use crate::failure::{Failure, Kind};
use crate::ui::Ui;

/// Runs a tool to its end. With `--verbose` its output is shown as it comes; otherwise only where it fails.
pub(crate) async fn run(ui: &Ui, what: &str, command: &mut Command) -> Result<(), Failure> {
    let program = command
        .as_std()
        .get_program()
        .to_string_lossy()
        .into_owned();
    ui.detail(format!("$ {}", shown(command)));
    command.stdin(Stdio::null()).kill_on_drop(true);
    let missing = |error: std::io::Error| {
        Failure::new(Kind::Tool, format!("cannot run `{program}` to {what}"))
            .cause(error.to_string())
            .hint(format!("install `{program}` and put it on PATH"))
    };
    if ui.is_verbose() {
        let status = command
            .stdout(std::io::stderr())
            .status()
            .await
            .map_err(missing)?;
        return if status.success() {
            Ok(())
        } else {
            Err(Failure::new(
                Kind::Tool,
                format!("could not {what}: `{program}` ended with {status}"),
            ))
        };
    }
    let spinner = ui.spinner(what);
    let output = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .output()
        .await
        .map_err(missing)?;
    drop(spinner);
    if output.status.success() {
        return Ok(());
    }
    let text = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    Err(Failure::new(
        Kind::Tool,
        format!("could not {what}: `{program}` ended with {}", output.status),
    )
    .cause(tail(&text)))
}

/// Runs a tool that tells something, and returns what it wrote to stdout.
pub(crate) async fn read(what: &str, command: &mut Command) -> Result<String, Failure> {
    let program = command
        .as_std()
        .get_program()
        .to_string_lossy()
        .into_owned();
    let output = command
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .map_err(|error| {
            Failure::new(Kind::Tool, format!("cannot run `{program}` to {what}"))
                .cause(error.to_string())
                .hint(format!("install `{program}` and put it on PATH"))
        })?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    Err(Failure::new(
        Kind::Tool,
        format!("could not {what}: `{program}` ended with {}", output.status),
    )
    .cause(tail(&String::from_utf8_lossy(&output.stderr))))
}

/// Whether a tool is there and does what it is asked, in silence.
pub(crate) async fn succeeds(command: &mut Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .status()
        .await
        .is_ok_and(|status| status.success())
}

/// The last 30 lines of a tool's output: where it says what is wrong.
fn tail(text: &str) -> String {
    let lines: Vec<_> = text
        .lines()
        .filter(|line| !line.trim().is_empty())
        .collect();
    lines[lines.len().saturating_sub(30)..].join("\n")
}

fn shown(command: &Command) -> String {
    let command = command.as_std();
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words
        .map(|word| word.to_string_lossy())
        .collect::<Vec<_>>()
        .join(" ")
}

/// The cargo that runs this.
pub(crate) fn cargo(root: &std::path::Path) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root);
    // What cargo told this process about xtask is not about the next package, and has build scripts run anew.
    for (name, _) in std::env::vars_os() {
        let of_xtask = ["CARGO_MANIFEST_", "CARGO_PKG_"];
        if of_xtask
            .iter()
            .any(|of| name.to_string_lossy().starts_with(of))
        {
            command.env_remove(name);
        }
    }
    command
}
