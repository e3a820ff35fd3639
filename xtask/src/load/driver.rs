//! The tools that make the load: oha, or wrk.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use tokio::process::Command;

use crate::failure::{Failure, Kind};
use crate::process;
use crate::project::Project;

/// What drives the load.
#[derive(Clone, Debug)]
pub(crate) enum Driver {
    Oha(PathBuf),
    Wrk(PathBuf),
}

/// What is sent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shot<'a> {
    pub(crate) url: &'a str,
    /// Sent by POST as JSON; without it, GET.
    pub(crate) body: Option<&'a str>,
    pub(crate) connections: usize,
    pub(crate) seconds: u32,
    /// Requests a second, where the driver holds a rate; else as many as there can be.
    pub(crate) rate: Option<f64>,
}

/// What came of it.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Figures {
    pub(crate) per_second: f64,
    pub(crate) p50_ms: f64,
    pub(crate) p99_ms: f64,
    /// Requests without an answer, and answers that are no success.
    #[serde(default)]
    pub(crate) failed: u64,
}

impl Driver {
    /// oha, which can hold a rate; else wrk.
    pub(crate) async fn find(project: &Project) -> Result<Self, Failure> {
        let own = project.state_dir().join("tools/bin/oha");
        for program in [own, PathBuf::from("oha")] {
            if answers(&program).await {
                return Ok(Self::Oha(program));
            }
        }
        let wrk = PathBuf::from("wrk");
        if answers(&wrk).await {
            return Ok(Self::Wrk(wrk));
        }
        Err(Failure::new(
            Kind::Tool,
            "neither oha nor wrk is installed to make load with",
        )
        .hint("install oha: `cargo install oha --locked --root target/stackway/tools`")
        .hint("or install wrk, such as Debian's package `wrk`"))
    }

    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Oha(_) => "oha",
            Self::Wrk(_) => "wrk",
        }
    }

    /// Whether it can send less than the server takes. wrk sends as much as each connection allows.
    pub(crate) fn holds_a_rate(&self) -> bool {
        matches!(self, Self::Oha(_))
    }

    pub(crate) async fn fire(&self, shot: Shot<'_>) -> Result<Figures, Failure> {
        let figures = match self {
            Self::Oha(program) => oha(program, shot).await,
            Self::Wrk(program) => wrk(program, shot).await,
        }?;
        if figures.per_second > 0.0 {
            Ok(figures)
        } else {
            Err(Failure::new(
                Kind::Unreachable,
                format!("{} got no answer from {}", self.name(), shot.url),
            ))
        }
    }
}

/// Both print their version to a question, wrk with a failure.
async fn answers(program: &Path) -> bool {
    Command::new(program)
        .arg("--version")
        .stdin(std::process::Stdio::null())
        .output()
        .await
        .is_ok()
}

async fn oha(program: &Path, shot: Shot<'_>) -> Result<Figures, Failure> {
    let mut command = Command::new(program);
    command
        .args(["--no-tui", "--output-format", "json"])
        .args(["-z", &format!("{}s", shot.seconds)])
        .args(["-c", &shot.connections.to_string()]);
    if let Some(rate) = shot.rate {
        command.args(["-q", &format!("{rate:.0}")]);
    }
    if let Some(body) = shot.body {
        command.args(["-m", "POST", "-T", "application/json", "-d", body]);
    }
    command.arg(shot.url);
    let said = process::read("make load", &mut command).await?;
    parse_oha(&said).ok_or_else(|| unread("oha", &said))
}

fn parse_oha(said: &str) -> Option<Figures> {
    let report: serde_json::Value = serde_json::from_str(said).ok()?;
    let seconds = |name: &str| report["latencyPercentiles"][name].as_f64();
    let counts = |name: &str| report[name].as_object().into_iter().flatten();
    let statuses = counts("statusCodeDistribution")
        .filter(|(status, _)| !status.starts_with('2'))
        .filter_map(|(_, count)| count.as_u64());
    // What was under way when the time was up is no fault of the server's.
    let errors = counts("errorDistribution")
        .filter(|(error, _)| !error.contains("deadline"))
        .filter_map(|(_, count)| count.as_u64());
    Some(Figures {
        per_second: report["summary"]["requestsPerSec"].as_f64()?,
        p50_ms: seconds("p50")? * 1000.0,
        p99_ms: seconds("p99")? * 1000.0,
        failed: statuses.chain(errors).sum(),
    })
}

async fn wrk(program: &Path, shot: Shot<'_>) -> Result<Figures, Failure> {
    let mut command = Command::new(program);
    command
        .args(["--latency", "--threads", "1"])
        .args(["--connections", &shot.connections.to_string()])
        .args(["--duration", &format!("{}s", shot.seconds)]);
    let script = tempfile::Builder::new().suffix(".lua").tempfile();
    let script = script.map_err(|error| Failure::io("create", &std::env::temp_dir(), &error))?;
    if let Some(body) = shot.body {
        let text = format!(
            "wrk.method = 'POST'\nwrk.headers['content-type'] = 'application/json'\nwrk.body = [[{body}]]\n"
        );
        std::fs::write(script.path(), text)
            .map_err(|error| Failure::io("write", script.path(), &error))?;
        command.arg("--script").arg(script.path());
    }
    command.arg(shot.url);
    let said = process::read("make load", &mut command).await?;
    parse_wrk(&said).ok_or_else(|| unread("wrk", &said))
}

fn parse_wrk(said: &str) -> Option<Figures> {
    let value = |name: &str| {
        said.lines()
            .find_map(|line| line.trim().strip_prefix(name))
            .map(str::trim)
    };
    let milliseconds = |name: &str| {
        let text = value(name)?;
        let digits = text.trim_end_matches(char::is_alphabetic);
        let factor = match &text[digits.len()..] {
            "us" => 0.001,
            "ms" => 1.0,
            "s" => 1000.0,
            _ => return None,
        };
        Some(digits.parse::<f64>().ok()? * factor)
    };
    // `Socket errors: connect 0, read 1, write 0, timeout 0`
    let errors = value("Socket errors:").unwrap_or_default();
    let failed = errors
        .split_whitespace()
        .filter_map(|word| word.trim_end_matches(',').parse::<u64>().ok())
        .sum::<u64>()
        + value("Non-2xx or 3xx responses:")
            .and_then(|count| count.parse().ok())
            .unwrap_or(0);
    Some(Figures {
        per_second: value("Requests/sec:")?.parse().ok()?,
        p50_ms: milliseconds("50%")?,
        p99_ms: milliseconds("99%")?,
        failed,
    })
}

fn unread(tool: &str, said: &str) -> Failure {
    Failure::new(
        Kind::Tool,
        format!("{tool} says what this command cannot read"),
    )
    .cause(said.chars().take(2000).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_wrk_says() {
        let figures = parse_wrk(
            "Running 1s test @ http://127.0.0.1:1/\n  1 threads and 4 connections\n  Latency Distribution\n     \
             50%  250.00us\n     75%    1.00ms\n     90%    1.10ms\n     99%    1.25s\n  5 requests in 1.00s, 1KB read\n  \
             Socket errors: connect 0, read 2, write 0, timeout 1\n  Non-2xx or 3xx responses: 4\n\
             Requests/sec:   1234.50\nTransfer/sec:      1.00KB\n",
        )
        .unwrap();
        assert!((figures.per_second - 1234.5).abs() < 1e-9);
        assert!((figures.p50_ms - 0.25).abs() < 1e-9);
        assert!((figures.p99_ms - 1250.0).abs() < 1e-9);
        assert_eq!(figures.failed, 7);
    }

    #[test]
    fn what_oha_says() {
        let figures = parse_oha(
            r#"{"summary":{"requestsPerSec":10.5},"latencyPercentiles":{"p50":0.001,"p99":0.002},
                "statusCodeDistribution":{"201":9,"500":2},
                "errorDistribution":{"aborted due to deadline":4,"connection closed":1}}"#,
        )
        .unwrap();
        assert!((figures.p99_ms - 2.0).abs() < 1e-9);
        assert_eq!(figures.failed, 3);
    }
}
