use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::Value;

/// The least that `stackway.toml` says of an environment on this machine.
pub(crate) const LOCAL: &str = r#"
[project]
name = "stackway"
repository = "https://github.com/example/stackway"

[environments.local]
kind = "local"
accounts = ["000000000000"]
regions = ["eu-west-2"]
delivery = "direct"
"#;

/// Runs `cargo xtask` with an emulator of its own, which ends with the test.
pub(crate) struct Workbench {
    state: tempfile::TempDir,
    port: u16,
    workspace: Option<tempfile::TempDir>,
}

/// What a command did.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ran {
    #[track_caller]
    pub(crate) fn succeeded(self) -> Self {
        assert_eq!(self.code, 0, "{}", self.stderr);
        self
    }

    /// Asserts the exit code, and that each of `words` is said.
    #[track_caller]
    pub(crate) fn refused(&self, code: i32, words: &[&str]) {
        assert_eq!(self.code, code, "{}", self.stderr);
        self.said(words);
    }

    /// Asserts that each of `words` is said.
    #[track_caller]
    pub(crate) fn said(&self, words: &[&str]) {
        for word in words {
            assert!(
                self.stderr.contains(word),
                "`{word}` is not said:\n{}",
                self.stderr
            );
        }
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap()
    }
}

impl Workbench {
    pub(crate) fn new() -> Self {
        let port = free_port();
        Self {
            state: tempfile::tempdir().unwrap(),
            port,
            workspace: None,
        }
    }

    /// With a workspace of its own: stackway.toml as given, the templates as they are.
    pub(crate) fn with_config(stackway_toml: &str) -> Self {
        let workspace = tempfile::tempdir().unwrap();
        std::fs::write(workspace.path().join("stackway.toml"), stackway_toml).unwrap();
        std::fs::create_dir(workspace.path().join("xtask")).unwrap();
        std::fs::create_dir(workspace.path().join("cloudformation")).unwrap();
        for template in std::fs::read_dir(root().join("cloudformation")).unwrap() {
            let path = template.unwrap().path();
            if path.is_dir() {
                continue;
            }
            std::fs::copy(
                &path,
                workspace
                    .path()
                    .join("cloudformation")
                    .join(path.file_name().unwrap()),
            )
            .unwrap();
        }
        std::fs::write(workspace.path().join(".gitignore"), "/target\n").unwrap();
        // The emulator is installed once for all.
        let installed = root().join("target/stackway/emulator");
        std::fs::create_dir_all(&installed).unwrap();
        let tools = workspace.path().join("target/stackway");
        std::fs::create_dir_all(&tools).unwrap();
        std::os::unix::fs::symlink(installed, tools.join("emulator")).unwrap();
        let mut bench = Self::new();
        bench.workspace = Some(workspace);
        bench
    }

    /// As [`Self::with_config`], with the project's code too, so that it can be built.
    pub(crate) fn with_code(stackway_toml: &str) -> Self {
        let bench = Self::with_config(stackway_toml);
        std::fs::remove_dir(bench.file("xtask")).unwrap();
        std::fs::remove_dir_all(bench.file("target")).unwrap();
        for name in [
            "Cargo.toml",
            "Cargo.lock",
            "crates",
            "benches",
            "xtask",
            "target",
        ] {
            std::os::unix::fs::symlink(root().join(name), bench.file(name)).unwrap();
        }
        bench
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// A file of the workspace of its own.
    pub(crate) fn file(&self, relative: &str) -> PathBuf {
        self.workspace.as_ref().unwrap().path().join(relative)
    }

    /// Runs git in this bench's workspace.
    #[track_caller]
    pub(crate) fn git(&self, args: &[&str]) {
        let identity = [
            "-c",
            "user.name=a",
            "-c",
            "user.email=a@example.com",
            "-c",
            "commit.gpgsign=false",
        ];
        let done = Command::new("git")
            .args(identity)
            .args(args)
            .current_dir(self.file(""))
            .output()
            .unwrap();
        assert!(
            done.status.success(),
            "{}",
            String::from_utf8_lossy(&done.stderr)
        );
    }

    /// Whether an emulator of this bench was started.
    pub(crate) fn has_emulator(&self) -> bool {
        self.state.path().join("emulator.json").exists()
    }

    /// Whether a pipeline has run.
    pub(crate) fn has_executions(&self) -> bool {
        self.state.path().join("pipelines/executions").exists()
    }

    pub(crate) fn emulator_pid(&self) -> u64 {
        let state = std::fs::read_to_string(self.state.path().join("emulator.json")).unwrap();
        serde_json::from_str::<Value>(&state).unwrap()["pid"]
            .as_u64()
            .unwrap()
    }

    pub(crate) fn run(&self, args: &[&str]) -> Ran {
        self.run_with(args, &[])
    }

    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
        command.args(args).stdin(std::process::Stdio::null());
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("AWS_")
                || name.to_string_lossy().starts_with("STACKWAY_")
            {
                command.env_remove(&name);
            }
        }
        let manifest = self
            .workspace
            .as_ref()
            .map_or_else(|| root().join("xtask"), |w| w.path().join("xtask"));
        command
            .env("CARGO_MANIFEST_DIR", manifest)
            .env("STACKWAY_STATE_DIR", self.state.path())
            .env("STACKWAY_EMULATOR_PORT", self.port.to_string());
        command
    }

    pub(crate) fn run_with(&self, args: &[&str], variables: &[(&str, &str)]) -> Ran {
        let Output {
            status,
            stdout,
            stderr,
        } = self
            .command(args)
            .envs(variables.iter().copied())
            .output()
            .unwrap();
        Ran {
            code: status.code().unwrap_or(-1),
            stdout: String::from_utf8(stdout).unwrap(),
            stderr: String::from_utf8(stderr).unwrap(),
        }
    }
}

impl Drop for Workbench {
    fn drop(&mut self) {
        // A failed test must not leave its emulator behind.
        if self.state.path().join("emulator.json").exists() {
            self.run(&["destroy", "--env", "local", "--yes"]);
        }
        // `destroy` lets it run where something is left that is not the project's.
        if self.state.path().join("emulator.json").exists() {
            let pid = self.emulator_pid().to_string();
            Command::new("kill").arg(pid).status().ok();
        }
    }
}

/// A free port below those that the system hands out by itself, so that no connection of another test takes it before
/// the emulator does. Each process and each call begins its search elsewhere.
pub(crate) fn free_port() -> u16 {
    static CALLS: AtomicU32 = AtomicU32::new(0);
    let start = std::process::id() * 8 + CALLS.fetch_add(1, Ordering::Relaxed);
    (0..10_000)
        .map(|step| u16::try_from(20_000 + (start + step * 97) % 12_000).unwrap())
        .find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok())
        .unwrap()
}

pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}
