//! The processes of a run, each of which ends with it.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, Signal};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use crate::failure::{Failure, Kind};

/// How long a process may take to say where it listens, or to end.
const PATIENCE: Duration = Duration::from_secs(20);

/// A server that says where it listens.
pub(super) struct Server {
    child: Child,
    pub(super) address: String,
}

impl Server {
    /// A part of `stackway-load` that serves: its first line names the address.
    pub(super) async fn part(program: &Path, part: &str) -> Result<Self, Failure> {
        let mut child = Command::new(program)
            .arg(part)
            .env_clear()
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| Failure::io("start", program, &error))?;
        let mut line = String::new();
        if let Some(stdout) = child.stdout.take() {
            let mut lines = BufReader::new(stdout);
            let read = tokio::time::timeout(PATIENCE, lines.read_line(&mut line)).await;
            read.map_err(|_| silent(part))?
                .map_err(|error| Failure::io("read from", program, &error))?;
        }
        let address = address_in(&line).ok_or_else(|| silent(part))?;
        Ok(Self { child, address })
    }

    /// The API as a plain server, over the DynamoDB at `endpoint`; its log goes to `log`, as a container's would.
    pub(super) async fn api(program: &Path, endpoint: &str, log: &Path) -> Result<Self, Failure> {
        let file =
            std::fs::File::create(log).map_err(|error| Failure::io("create", log, &error))?;
        let child = Command::new(program)
            .env_clear()
            .env("TABLE_NAME", super::measure::TABLE)
            .env("LISTEN_ADDR", "127.0.0.1:0")
            .env("AWS_REGION", "eu-west-2")
            .env("AWS_ACCESS_KEY_ID", "local")
            .env("AWS_SECRET_ACCESS_KEY", "local")
            .env("AWS_ENDPOINT_URL_DYNAMODB", endpoint)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(file)
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| Failure::io("start", program, &error))?;
        let step = Duration::from_millis(20);
        let mut waited = Duration::ZERO;
        while waited < PATIENCE {
            let said = std::fs::read_to_string(log).unwrap_or_default();
            if let Some(address) = said.lines().find_map(address_in) {
                return Ok(Self { child, address });
            }
            tokio::time::sleep(step).await;
            waited += step;
        }
        Err(silent("the API"))
    }

    /// Resident memory in kB.
    pub(super) fn memory(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()?)).ok()?;
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))?;
        line.split_whitespace().next()?.parse().ok()
    }

    /// Asks the process to end, and returns its exit code.
    pub(super) async fn terminate(mut self) -> Result<Option<i32>, Failure> {
        let pid = self
            .child
            .id()
            .and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
        let refused = || Failure::new(Kind::Tool, "the API cannot be asked to end");
        rustix::process::kill_process(pid.ok_or_else(refused)?, Signal::TERM)
            .map_err(|error| refused().cause(error.to_string()))?;
        match tokio::time::timeout(PATIENCE, self.child.wait()).await {
            Ok(Ok(status)) => Ok(status.code()),
            _ => Ok(None),
        }
    }
}

/// The address in a line of JSON: of a part's own, or of the API's log.
fn address_in(line: &str) -> Option<String> {
    let line: serde_json::Value = serde_json::from_str(line).ok()?;
    Some(line["address"].as_str()?.to_owned())
}

fn silent(what: &str) -> Failure {
    Failure::new(
        Kind::Unreachable,
        format!("{what} does not say where it listens"),
    )
}
