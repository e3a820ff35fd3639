//! What a package is built for: architecture, libc, and the tools that make a static binary of it.

use std::path::PathBuf;
use std::time::Duration;

use clap::ValueEnum;
use serde::Serialize;
use tokio::process::Command;

use crate::failure::{Failure, Kind};
use crate::process;
use crate::project::Project;
use crate::ui::Ui;

/// How long `rustup target add` may take, unasked: a target is a download of some 30 MB.
const RUSTUP_PATIENCE: Duration = Duration::from_secs(30);

/// A Lambda architecture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
#[value(rename_all = "lower")]
pub(crate) enum Architecture {
    /// 64-bit x86
    #[serde(rename = "x86_64")]
    #[value(name = "x86_64")]
    X86_64,
    /// 64-bit ARM: Graviton
    Arm64,
}

impl Architecture {
    /// This machine's.
    pub(crate) fn host() -> Self {
        if cfg!(target_arch = "aarch64") {
            Self::Arm64
        } else {
            Self::X86_64
        }
    }

    /// Reads the value of the `Architecture` parameter of the api stack.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        [Self::X86_64, Self::Arm64]
            .into_iter()
            .find(|architecture| architecture.as_str() == name)
    }

    /// Lambda's name for it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::X86_64 => "x86_64",
            Self::Arm64 => "arm64",
        }
    }

    /// What container images call it.
    pub(crate) fn oci(self) -> &'static str {
        match self {
            Self::X86_64 => "amd64",
            Self::Arm64 => "arm64",
        }
    }

    /// Debian's cross compiler for it.
    fn debian_compiler(self) -> (&'static str, &'static str) {
        match self {
            Self::X86_64 => ("x86_64-linux-gnu-gcc", "gcc-x86-64-linux-gnu"),
            Self::Arm64 => ("aarch64-linux-gnu-gcc", "gcc-aarch64-linux-gnu"),
        }
    }
}

/// The C library that is linked in, statically.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Libc {
    /// musl where its target is installed or rustup brings it, else glibc
    Auto,
    /// musl
    Musl,
    /// glibc
    Glibc,
}

/// What compiles the C code of dependencies, and links.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Compiler {
    /// This machine's `cc`: the architecture is its own.
    Native,
    /// A GCC for the other architecture.
    Gcc(&'static str),
    /// zig, through cargo-zigbuild.
    Zig,
}

/// A target that can be built for on this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) architecture: Architecture,
    /// Never [`Libc::Auto`].
    pub(crate) libc: Libc,
    /// Rust's name for the target.
    pub(crate) triple: &'static str,
    pub(crate) compiler: Compiler,
}

/// Rust's name for a target.
fn triple(architecture: Architecture, libc: Libc) -> &'static str {
    match (architecture, libc) {
        (Architecture::X86_64, Libc::Glibc) => "x86_64-unknown-linux-gnu",
        (Architecture::X86_64, _) => "x86_64-unknown-linux-musl",
        (Architecture::Arm64, Libc::Glibc) => "aarch64-unknown-linux-gnu",
        (Architecture::Arm64, _) => "aarch64-unknown-linux-musl",
    }
}

impl Target {
    /// Finds what `libc` means here, and that everything for it is installed; `auto` says what it chose.
    pub(crate) async fn resolve(
        ui: &Ui,
        project: &Project,
        architecture: Architecture,
        libc: Libc,
    ) -> Result<Self, Failure> {
        let musl = triple(architecture, Libc::Musl);
        let glibc = triple(architecture, Libc::Glibc);
        let libc = match libc {
            Libc::Glibc => {
                if !is_installed(project, glibc).await? {
                    return Err(not_installed(glibc));
                }
                Libc::Glibc
            }
            Libc::Musl => {
                if !is_installed(project, musl).await? {
                    return Err(not_installed(musl).hint("or link glibc: `--libc glibc`"));
                }
                Libc::Musl
            }
            Libc::Auto if is_installed(project, musl).await? || add(ui, project, musl).await => {
                Libc::Musl
            }
            Libc::Auto if is_installed(project, glibc).await? => {
                ui.warn(format!(
                    "linking glibc, since the target {musl} is not installed and rustup did not bring it; \
                     musl starts faster: `rustup target add {musl}`"
                ));
                Libc::Glibc
            }
            Libc::Auto => return Err(not_installed(musl)),
        };
        let triple = triple(architecture, libc);
        let compiler = Compiler::find(architecture, triple).await?;
        Ok(Self {
            architecture,
            libc,
            triple,
            compiler,
        })
    }
}

impl Compiler {
    async fn find(architecture: Architecture, triple: &str) -> Result<Self, Failure> {
        if architecture == Architecture::host() && cfg!(target_os = "linux") {
            return if answers("cc", &["--version"]).await {
                Ok(Self::Native)
            } else {
                Err(
                    Failure::new(Kind::Tool, "there is no C compiler: `cc` does not run")
                        .hint("install one, such as Debian's `gcc` and `libc6-dev`"),
                )
            };
        }
        if answers("cargo-zigbuild", &["--version"]).await && zig().await {
            return Ok(Self::Zig);
        }
        let (gcc, package) = architecture.debian_compiler();
        if answers(gcc, &["--version"]).await {
            return Ok(Self::Gcc(gcc));
        }
        Err(Failure::new(
            Kind::Tool,
            format!("no C compiler and linker for {triple} is installed"),
        )
        .hint("install zig and cargo-zigbuild: `pip install ziglang cargo-zigbuild`")
        .hint(format!("or a cross compiler, such as Debian's `{package}`")))
    }

    /// How it is told of.
    pub(crate) fn describe(&self) -> &'static str {
        match self {
            Self::Native => "cc",
            Self::Gcc(name) => name,
            Self::Zig => "zig, through cargo-zigbuild",
        }
    }
}

/// zig by itself, or as the Python package that cargo-zigbuild looks for too.
async fn zig() -> bool {
    answers("zig", &["version"]).await || answers("python3", &["-m", "ziglang", "version"]).await
}

/// Whether a tool runs.
async fn answers(program: &str, args: &[&str]) -> bool {
    let mut command = Command::new(program);
    command
        .args(args)
        .stdin(std::process::Stdio::null())
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .kill_on_drop(true);
    command.status().await.is_ok_and(|status| status.success())
}

/// Whether the toolchain has a standard library for the target.
async fn is_installed(project: &Project, triple: &str) -> Result<bool, Failure> {
    let folder = rustc(project, &["--print", "target-libdir", "--target", triple]).await?;
    Ok(std::fs::read_dir(folder.trim()).is_ok_and(|mut files| files.next().is_some()))
}

fn not_installed(triple: &str) -> Failure {
    Failure::new(
        Kind::Tool,
        format!("the target {triple} is not installed for this Rust toolchain"),
    )
    .hint(format!("install it: `rustup target add {triple}`"))
}

/// Asks rustup for the target, where rustup is there; whether it came.
async fn add(ui: &Ui, project: &Project, triple: &str) -> bool {
    if !answers("rustup", &["--version"]).await {
        return false;
    }
    ui.say(format!("installing the target: rustup target add {triple}"));
    let mut command = Command::new("rustup");
    command
        .args(["target", "add", triple])
        .current_dir(project.root());
    let added = process::run(ui, "install the target", &mut command);
    match tokio::time::timeout(RUSTUP_PATIENCE, added).await {
        Ok(Ok(())) => is_installed(project, triple).await.unwrap_or(false),
        Ok(Err(failure)) => {
            ui.detail(failure.causes.join("\n"));
            false
        }
        Err(_) => {
            ui.say(format!(
                "rustup did not answer within {} s",
                RUSTUP_PATIENCE.as_secs()
            ));
            false
        }
    }
}

/// What the compiler that builds the package says of itself.
pub(crate) async fn rustc(project: &Project, args: &[&str]) -> Result<String, Failure> {
    let program = std::env::var_os("RUSTC").map_or_else(|| PathBuf::from("rustc"), PathBuf::from);
    let mut command = Command::new(program);
    command.args(args).current_dir(project.root());
    process::read("ask the compiler", &mut command).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn architectures_are_called_as_lambda_calls_them() {
        for architecture in [Architecture::X86_64, Architecture::Arm64] {
            let name = architecture.as_str();
            assert_eq!(Architecture::parse(name), Some(architecture));
            let value = architecture
                .to_possible_value()
                .map(|value| value.get_name().to_owned());
            assert_eq!(value.as_deref(), Some(name));
            assert_eq!(serde_json::to_value(architecture).unwrap(), name);
        }
        assert_eq!(Architecture::parse("aarch64"), None);
    }
}
