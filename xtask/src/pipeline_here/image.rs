//! The image of a commit: built by the Docker engine of this machine, and pushed to the emulator's registry.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use stackway_pipeline_runner::{ErrorKind, ImageOrder, RunError};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Command;

use crate::package;

/// How long an image that is built upon may take to come.
const PULL: Duration = Duration::from_mins(3);

type Say<'a> = dyn Fn(&str) -> Result<(), RunError> + Send + Sync + 'a;

/// Builds the image, pushes it with each of its tags, and gives its digest: `sha256:…`.
///
/// `None`, and a line that says why, where no engine answers or an image that it is built upon cannot be had. Then there
/// is nothing to build with; a build that fails is a failure.
pub(super) async fn publish(
    order: &ImageOrder<'_>,
    registry: &str,
    say: &Say<'_>,
) -> Result<Option<String>, RunError> {
    if let Some(why) = package::engine_is_missing().await {
        say(&format!("no image is built: {why}"))?;
        return Ok(None);
    }
    let folder = match &order.docker_file {
        Some(path) => order.source.join(path),
        None => order.source.to_owned(),
    };
    let file = folder.join("Dockerfile");
    let text =
        std::fs::read_to_string(&file).map_err(|error| RunError::io("read", &file, &error))?;
    for base in bases(&text) {
        if let Some(why) = lacking(&base).await {
            say(&format!(
                "no image is built: `{base}`, which it is built upon, cannot be pulled: {why}"
            ))?;
            return Ok(None);
        }
    }
    let names: Vec<_> = order
        .tags
        .iter()
        .map(|tag| format!("{registry}/{}:{tag}", order.repository))
        .collect();
    let mut build = vec!["build", "--network", "host"];
    for name in &names {
        build.extend(["--tag", name]);
    }
    build.push(".");
    run(&folder, &build, say).await?;
    let mut digest = None;
    for name in &names {
        for line in run(&folder, &["push", name], say).await? {
            digest = digest_in(&line).or(digest);
        }
    }
    digest.map(Some).ok_or_else(|| {
        RunError::new(
            ErrorKind::Cloud,
            format!("the push of `{}` told no digest", names.join("`, `")),
        )
    })
}

/// `127.0.0.1:4566` of `http://127.0.0.1:4566`: an engine takes a registry of this machine without TLS.
pub(super) fn registry_at(endpoint_url: &str) -> &str {
    let address = endpoint_url
        .split_once("://")
        .map_or(endpoint_url, |(_, address)| address);
    address.trim_end_matches('/')
}

/// The images of others that a Dockerfile builds upon.
fn bases(dockerfile: &str) -> BTreeSet<String> {
    let mut own = BTreeSet::from(["scratch".to_owned()]);
    let mut bases = BTreeSet::new();
    for line in dockerfile.lines() {
        let mut words = line.split_whitespace();
        if !words
            .next()
            .is_some_and(|word| word.eq_ignore_ascii_case("from"))
        {
            continue;
        }
        let words: Vec<_> = words.filter(|word| !word.starts_with("--")).collect();
        let [base, rest @ ..] = words.as_slice() else {
            continue;
        };
        // One with an argument in its name is known to the engine alone.
        if !own.contains(*base) && !base.contains('$') {
            bases.insert((*base).to_owned());
        }
        if let [_, name] = rest {
            own.insert((*name).to_owned());
        }
    }
    bases
}

/// Why the engine has no such image and cannot pull it, or nothing where it has.
async fn lacking(image: &str) -> Option<String> {
    let docker = |args: &[&str]| {
        let mut command = Command::new("docker");
        command.args(args).stdin(Stdio::null()).kill_on_drop(true);
        command
    };
    let found = docker(&["image", "inspect", "--format", "{{.Id}}", image])
        .output()
        .await;
    if found.is_ok_and(|output| output.status.success()) {
        return None;
    }
    let mut pull = docker(&["pull", "--quiet", image]);
    match tokio::time::timeout(PULL, pull.output()).await {
        Ok(Ok(output)) if output.status.success() => None,
        Ok(Ok(output)) => {
            let said = String::from_utf8_lossy(&output.stderr);
            Some(said.trim().lines().last().unwrap_or_default().to_owned())
        }
        Ok(Err(error)) => Some(error.to_string()),
        Err(_) => Some(format!("not within {} s", PULL.as_secs())),
    }
}

/// Runs Docker's client, and tells its lines as they come; gives them.
async fn run(folder: &Path, args: &[&str], say: &Say<'_>) -> Result<Vec<String>, RunError> {
    let shown = format!("docker {}", args.join(" "));
    say(&format!("$ {shown}"))?;
    let fault = |error: std::io::Error| {
        RunError::new(ErrorKind::Tool, "cannot run docker").cause(error.to_string())
    };
    let mut child = Command::new("sh")
        // One pipe, so that lines keep their order.
        .args(["-c", "exec docker \"$@\" 2>&1", "docker"])
        .args(args)
        .current_dir(folder)
        .env("BUILDKIT_PROGRESS", "plain")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(fault)?;
    let mut lines = Vec::new();
    if let Some(output) = child.stdout.take() {
        let mut output = BufReader::new(output).lines();
        while let Some(line) = output.next_line().await.map_err(fault)? {
            say(&line)?;
            lines.push(line);
        }
    }
    let status = child.wait().await.map_err(fault)?;
    if status.success() {
        return Ok(lines);
    }
    let last = lines.last().cloned().unwrap_or_default();
    Err(
        RunError::new(ErrorKind::Failed, format!("`{shown}` failed ({status})"))
            .cause(last)
            .hint("--no-docker packages the code as a zip alone"),
    )
}

/// The digest in `TAG: digest: sha256:… size: 528`.
fn digest_in(line: &str) -> Option<String> {
    let (_, after) = line.split_once("digest: ")?;
    let digest = after.split_whitespace().next()?;
    digest.starts_with("sha256:").then(|| digest.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_image_is_built_upon() {
        let text = "FROM --platform=linux/amd64 rust:1 AS build\nRUN x\nfrom build as second\nFROM scratch\nFROM $BASE\n";
        assert_eq!(bases(text), BTreeSet::from(["rust:1".to_owned()]));
        let own = include_str!("../../../Dockerfile");
        assert_eq!(bases(own).len(), 1);
    }

    #[test]
    fn the_digest_of_a_push_and_the_address_of_a_registry() {
        let line = "v1: digest: sha256:0a1b size: 528";
        assert_eq!(digest_in(line).as_deref(), Some("sha256:0a1b"));
        assert_eq!(digest_in("0a1b: Pushed"), None);
        assert_eq!(registry_at("http://127.0.0.1:4566/"), "127.0.0.1:4566");
    }
}
