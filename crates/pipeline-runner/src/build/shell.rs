use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::AsyncReadExt;
use tokio::io::AsyncWriteExt;
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::{Instant, timeout_at};

use super::descendants;
use crate::{ErrorKind, Log, RunError};

/// The longest line that is kept whole, in bytes.
const LINE: usize = 1 << 16;

/// One shell for all commands of a build, so that variables, `cd` and functions last between them.
///
/// Commands come to it as files that it sources: what they read from stdin is empty, and what is odd in their text is
/// no matter of quoting. The shell and all that it starts are one process group, which ends with the value, and with
/// this process: a second process of the group waits for the end of a pipe that only this process holds. What has left
/// the group is found by a variable that all of them inherit.
pub(super) struct Shell {
    child: Child,
    guard: Child,
    stdin: ChildStdin,
    stdout: ChildStdout,
    group: Option<Pid>,
    mark: String,
    scripts: PathBuf,
    count: usize,
    rest: Vec<u8>,
    is_blank: bool,
}

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// With this status.
    Status(i32),
    /// It ended the shell too.
    WithShell(i32),
}

impl Ended {
    pub(super) fn status(self) -> i32 {
        match self {
            Self::Status(status) | Self::WithShell(status) => status,
        }
    }
}

impl Shell {
    /// Starts `program` in `folder` with these variables and no others.
    pub(super) fn start(
        program: &str,
        folder: &Path,
        scripts: &Path,
        variables: &BTreeMap<String, String>,
    ) -> Result<Self, RunError> {
        let mark = format!("end-{}", uuid::Uuid::new_v4().simple());
        let feed = format!(
            "exec 2>&1; while IFS= read -r _file; do . \"$_file\" </dev/null; printf '\\n%s %s\\n' {mark} \"$?\"; done"
        );
        let missing = |name: &str, error: &std::io::Error| {
            RunError::new(ErrorKind::Tool, format!("cannot run `{name}`"))
                .cause(error.to_string())
                .hint(format!(
                    "install `{name}`, or name another shell in the buildspec"
                ))
        };
        let mut child = Command::new(program)
            .args(["-c", &feed])
            .current_dir(folder)
            .env_clear()
            .envs(variables)
            .env(descendants::MARK, &mark)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| missing(program, &error))?;
        let id = child.id().and_then(|id| i32::try_from(id).ok());
        let group = id.and_then(Pid::from_raw);
        let guard = Command::new("sh")
            .args(["-c", &descendants::guard(&mark)])
            .env_clear()
            .envs(variables.get("PATH").map(|path| ("PATH", path)))
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(id.unwrap_or_default())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| missing("sh", &error))?;
        let gone = || RunError::new(ErrorKind::Failed, "the shell has no pipes");
        Ok(Self {
            stdin: child.stdin.take().ok_or_else(gone)?,
            stdout: child.stdout.take().ok_or_else(gone)?,
            child,
            guard,
            group,
            mark,
            scripts: scripts.to_owned(),
            count: 0,
            rest: Vec::new(),
            is_blank: false,
        })
    }

    /// Runs one command to its end, or to `deadline`.
    pub(super) async fn run(
        &mut self,
        command: &str,
        log: &Log<'_>,
        deadline: Instant,
    ) -> Result<Ended, RunError> {
        self.count += 1;
        let script = self.scripts.join(format!("command-{}", self.count));
        std::fs::write(&script, format!("{command}\n"))
            .map_err(|error| RunError::io("write", &script, &error))?;
        let line = format!("{}\n", script.display());
        // A shell that has ended does not take it; reading tells how it ended.
        let _ = self.stdin.write_all(line.as_bytes()).await;
        let read = async {
            let mut buffer = vec![0; 1 << 14];
            loop {
                while let Some(end) = self.rest.iter().position(|byte| *byte == b'\n') {
                    let bytes: Vec<u8> = self.rest.drain(..=end).collect();
                    let text = String::from_utf8_lossy(&bytes);
                    let text = text.trim_end_matches(['\n', '\r']);
                    if let Some(status) = text.strip_prefix(&self.mark) {
                        self.is_blank = false;
                        return Ok(Ended::Status(status.trim().parse().unwrap_or(1)));
                    }
                    // The mark brings a line break of its own, so that an empty line counts once another comes.
                    if std::mem::replace(&mut self.is_blank, text.is_empty()) {
                        log.line("")?;
                    }
                    if !text.is_empty() {
                        log.line(text)?;
                    }
                }
                if self.rest.len() > LINE {
                    let bytes = std::mem::take(&mut self.rest);
                    log.line(&String::from_utf8_lossy(&bytes))?;
                }
                let count = self.stdout.read(&mut buffer).await.unwrap_or(0);
                if count == 0 {
                    if !self.rest.is_empty() {
                        let bytes = std::mem::take(&mut self.rest);
                        log.line(&String::from_utf8_lossy(&bytes))?;
                    }
                    let status = self.child.wait().await.ok();
                    let code = status.and_then(|status| status.code()).unwrap_or(137);
                    return Ok(Ended::WithShell(code));
                }
                self.rest.extend_from_slice(&buffer[..count]);
            }
        };
        match timeout_at(deadline, read).await {
            Ok(ended) => ended,
            Err(_) => Err(RunError::new(
                ErrorKind::Failed,
                format!("the time was over while `{}` ran", short(command)),
            )
            .hint("give it more with --timeout MINUTES, or see in the log what it waits for")),
        }
    }
}

/// The first line of a command, cut where it is long.
pub(super) fn short(command: &str) -> String {
    let line = command.lines().next().unwrap_or_default();
    if line.chars().count() > 80 {
        format!("{}…", line.chars().take(79).collect::<String>())
    } else {
        line.to_owned()
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        let _ = self.guard.start_kill();
        if let Some(group) = self.group {
            let _ = kill_process_group(group, Signal::KILL);
        }
        descendants::end(&self.mark);
    }
}

/// A build of 60 minutes, which is what a project gives without being asked.
pub(crate) const TIMEOUT: Duration = Duration::from_hours(1);
