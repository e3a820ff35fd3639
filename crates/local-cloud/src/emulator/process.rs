//! The emulator's process: how it is started, told from others, and ended.

use std::ffi::OsString;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::process::{Child, Command};

use super::state::{State, StateDir};
use super::{EmulatorError, endpoint_url, io};

/// Names the state directory in the environment of the emulator and of the functions that it runs.
const MARK: &str = "STACKWAY_EMULATOR_STATE";

/// A server that this process has started.
#[derive(Debug)]
pub(super) struct Server {
    child: Child,
    pid: u32,
}

impl Server {
    /// Starts the program in a process group of its own, with nothing of this process's environment.
    ///
    /// The emulator hands its environment on to the functions that it runs. So there are no credentials,
    /// profiles or proxies in it, and HOME is an empty directory.
    pub(super) fn spawn(
        program: &Path,
        arguments: &[OsString],
        state: &StateDir,
        port: u16,
    ) -> Result<Self, EmulatorError> {
        let log_path = state.log();
        let log = File::create(&log_path).map_err(io("create", &log_path))?;
        let errors = log.try_clone().map_err(io("open", &log_path))?;
        let child = Command::new(program)
            .args(arguments)
            .current_dir(state.temporary())
            .env_clear()
            .envs(environment(state, port))
            .stdin(Stdio::null())
            .stdout(log)
            .stderr(errors)
            .process_group(0)
            .spawn()
            .map_err(io("run", program))?;
        let pid = child.id().unwrap_or_default();
        Ok(Self { child, pid })
    }

    pub(super) fn pid(&self) -> u32 {
        self.pid
    }

    /// How the process ended, if it has.
    pub(super) fn exited(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }
}

/// Everything that the emulator is told.
///
/// MiniStack binds 0.0.0.0 unless told otherwise: the gateway by `BIND_HOST`, SFTP by `SFTP_HOST`. Its
/// listener for `IoT` cannot be bound to an address, so it is switched off.
fn environment(state: &StateDir, port: u16) -> Vec<(&'static str, OsString)> {
    let data = state.temporary().join("data");
    vec![
        (MARK, state.path().into()),
        ("PATH", "/usr/local/bin:/usr/bin:/bin".into()),
        ("HOME", state.home().into()),
        ("TMPDIR", state.temporary().into()),
        ("LANG", "C.UTF-8".into()),
        ("PYTHONUNBUFFERED", "1".into()),
        ("PYTHONNOUSERSITE", "1".into()),
        ("GATEWAY_PORT", port.to_string().into()),
        ("BIND_HOST", "127.0.0.1".into()),
        ("IOT_MTLS_ENABLED", "0".into()),
        ("SFTP_ENABLED", "0".into()),
        ("SFTP_HOST", "127.0.0.1".into()),
        ("LAMBDA_EXECUTOR", "local".into()),
        ("PERSIST_STATE", "0".into()),
        ("STATE_DIR", data.clone().into()),
        ("S3_DATA_DIR", data.join("s3").into()),
        ("AWS_ENDPOINT_URL", endpoint_url(port).into()),
        ("AWS_EC2_METADATA_DISABLED", "true".into()),
    ]
}

/// What tells a live process from any other that has had, or will have, its pid.
///
/// On Linux the machine's boot and the tick of the process's start; elsewhere its start as `ps` has it.
/// `None` where there is no such process, or only what is left of an ended one.
pub(super) fn identity(pid: u32) -> Option<String> {
    if let Ok(boot) = std::fs::read_to_string("/proc/sys/kernel/random/boot_id") {
        let fields = proc_stat(pid)?;
        let alive = !matches!(fields.first()?.as_str(), "Z" | "X");
        return alive
            .then(|| {
                fields
                    .get(19)
                    .map(|start| format!("{} {start}", boot.trim()))
            })
            .flatten();
    }
    let output = std::process::Command::new("ps")
        .args(["-o", "stat=", "-o", "lstart=", "-p", &pid.to_string()])
        .output()
        .ok()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let (status, start) = text.trim().split_once(char::is_whitespace)?;
    (!status.starts_with('Z')).then(|| start.trim().to_owned())
}

/// The fields of /proc/PID/stat from the third, the state, on.
///
/// Source: <https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html>.
fn proc_stat(pid: u32) -> Option<Vec<String>> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The second field is the program's name in parentheses, which may hold spaces and parentheses.
    let (_, rest) = stat.rsplit_once(')')?;
    Some(rest.split_whitespace().map(str::to_owned).collect())
}

/// Whether the process of a state file is alive, and not another one of the same pid.
pub(super) fn is_ours(state: &State) -> bool {
    identity(state.pid).is_some_and(|identity| identity == state.identity)
}

/// Ends a process group: SIGTERM, a time of grace, SIGKILL.
///
/// Without an identity, the process is this process's child, which keeps its pid until it is waited for.
pub(super) async fn terminate(pid: u32, expected: Option<&str>, grace: Duration) {
    let Some(group) = i32::try_from(pid).ok().and_then(Pid::from_raw) else {
        return;
    };
    let alive = || match identity(pid) {
        Some(found) => expected.is_none_or(|expected| found == expected),
        None => false,
    };
    let _ = kill_process_group(group, Signal::TERM);
    wait_until_false(alive, grace).await;
    // Functions that ignore SIGTERM, and the leader if it is still there.
    let _ = kill_process_group(group, Signal::KILL);
    wait_until_false(alive, Duration::from_secs(5)).await;
}

async fn wait_until_false(alive: impl Fn() -> bool, patience: Duration) {
    let deadline = tokio::time::Instant::now() + patience;
    while alive() && tokio::time::Instant::now() < deadline {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Ends functions that outlive an emulator which was killed.
///
/// Only processes of the emulator's group that bear its mark in their environment: a group that another
/// program has made under the same number is left alone. Linux only; elsewhere nothing is ended.
pub(super) fn kill_orphans(state: &State, dir: &Path) {
    let mark = format!("{MARK}={}", dir.display());
    let Ok(entries) = std::fs::read_dir("/proc") else {
        return;
    };
    for pid in entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok())
    {
        let of_group =
            proc_stat(pid).and_then(|fields| fields.get(2)?.parse().ok()) == Some(state.pid);
        if of_group
            && has_mark(pid, &mark)
            && let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw)
        {
            let _ = rustix::process::kill_process(pid, Signal::KILL);
        }
    }
}

fn has_mark(pid: u32, mark: &str) -> bool {
    let path = PathBuf::from(format!("/proc/{pid}/environ"));
    std::fs::read(path).is_ok_and(|bytes| {
        bytes
            .split(|byte| *byte == 0)
            .any(|entry| entry == mark.as_bytes())
    })
}
