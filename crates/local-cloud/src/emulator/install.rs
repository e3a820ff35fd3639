//! A Python program in a virtual environment of its own: this version, these dependencies.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Output;

use sha2::{Digest, Sha256};
use tokio::process::Command;

use super::state::{remove_dir, replace, tail};
use super::{EmulatorError, io};

/// The version of MiniStack that is installed.
pub const MINISTACK_VERSION: &str = "1.5.33";

/// MiniStack and all that it needs, pinned by version and hash.
pub(super) const MINISTACK: Requirements = Requirements {
    name: "MiniStack 1.5.33",
    text: include_str!("../../ministack-requirements.txt"),
};

/// What a virtual environment holds.
#[derive(Clone, Copy, Debug)]
pub struct Requirements {
    /// What a person calls it.
    pub name: &'static str,
    /// A requirements file with every package pinned; where it has hashes, pip holds each package to its own.
    pub text: &'static str,
}

/// The oldest Python that MiniStack runs on.
const OLDEST: (u32, u32) = (3, 10);

/// Names of interpreters, in the order of preference.
const INTERPRETERS: [&str; 6] = [
    "python3",
    "python",
    "python3.13",
    "python3.12",
    "python3.11",
    "python3.10",
];

/// Settings of a person's Python that would lead pip elsewhere.
const FOREIGN: [&str; 7] = [
    "PYTHONHOME",
    "PYTHONPATH",
    "VIRTUAL_ENV",
    "PIP_TARGET",
    "PIP_PREFIX",
    "PIP_USER",
    "PIP_REQUIRE_VIRTUALENV",
];

/// The interpreter of the virtual environment.
pub(crate) fn interpreter(venv: &Path) -> PathBuf {
    venv.join("bin").join("python")
}

/// The file that is written when all else is in place.
fn marker(venv: &Path) -> PathBuf {
    venv.join("stackway-installed")
}

/// The content of the marker: it changes with any pin.
fn fingerprint(requirements: &Requirements) -> String {
    use std::fmt::Write as _;
    let mut hex = String::new();
    for byte in Sha256::digest(requirements.text.as_bytes()) {
        let _ = write!(hex, "{byte:02x}");
    }
    hex
}

/// Whether the environment is complete, is of these requirements, and its interpreter still exists.
pub(crate) fn is_installed(venv: &Path, requirements: &Requirements) -> bool {
    std::fs::read_to_string(marker(venv)).is_ok_and(|text| text.trim() == fingerprint(requirements))
        && interpreter(venv).exists()
}

/// Makes the next installation start afresh.
pub(super) fn forget(venv: &Path) {
    let _ = std::fs::remove_file(marker(venv));
}

/// Makes the environment from nothing.
pub(crate) async fn install(
    venv: &Path,
    requirements: &Requirements,
    python: Option<&Path>,
    talk: &(dyn Fn(&str) + Send + Sync),
) -> Result<(), EmulatorError> {
    let python = match python {
        Some(python) => python.to_path_buf(),
        None => find_python().await?,
    };
    if venv.exists() {
        talk(&format!(
            "removing an installation of {} that is incomplete or of other versions",
            requirements.name
        ));
        remove_dir(venv)?;
    }
    talk(&format!(
        "installing {} into {}",
        requirements.name,
        venv.display()
    ));
    let pip = match make_venv(&python, venv, requirements.name).await {
        Ok(pip) => pip,
        Err(error) => {
            remove_dir(venv)?;
            return Err(error);
        }
    };
    let file = venv.join("requirements.txt");
    replace(&file, requirements.text.as_bytes())?;
    let options = [
        "install",
        "--disable-pip-version-check",
        "--no-input",
        "--quiet",
    ];
    let mut command = quiet(&pip.program);
    command
        .args(&pip.arguments)
        .args(options)
        .args(["--prefer-binary", "--requirement"])
        .arg(&file);
    let output = run(&mut command, &pip.program).await?;
    if !output.status.success() {
        remove_dir(venv)?;
        return Err(failed(requirements.name, "pip", &output));
    }
    replace(
        &marker(venv),
        format!("{}\n", fingerprint(requirements)).as_bytes(),
    )
}

/// How pip is called for the environment.
struct Pip {
    program: PathBuf,
    arguments: Vec<PathBuf>,
}

/// Makes an environment with a pip of its own, or else one that the interpreter's pip installs into.
async fn make_venv(python: &Path, venv: &Path, what: &'static str) -> Result<Pip, EmulatorError> {
    let output = run(quiet(python).args(["-m", "venv"]).arg(venv), python).await?;
    if output.status.success() {
        return Ok(Pip {
            program: interpreter(venv),
            arguments: vec!["-m".into(), "pip".into()],
        });
    }
    if !lacks_modules(&output) {
        return Err(failed(what, "`python -m venv`", &output));
    }
    // Debian has ensurepip in a package of its own; a pip of the system's can stand in for it.
    remove_dir(venv)?;
    let bare = run(
        quiet(python)
            .args(["-m", "venv", "--without-pip"])
            .arg(venv),
        python,
    )
    .await?;
    let probe = ["-m", "pip", "--python"];
    let reaches = run(
        quiet(python)
            .args(probe)
            .arg(interpreter(venv))
            .arg("--version"),
        python,
    )
    .await?;
    if bare.status.success() && reaches.status.success() {
        let arguments = vec![
            "-m".into(),
            "pip".into(),
            "--python".into(),
            interpreter(venv),
        ];
        return Ok(Pip {
            program: python.to_path_buf(),
            arguments,
        });
    }
    Err(EmulatorError::VenvModuleMissing)
}

fn lacks_modules(output: &Output) -> bool {
    let text = both(output);
    text.contains("ensurepip") || text.contains("No module named venv")
}

/// The first interpreter on PATH that is new enough.
async fn find_python() -> Result<PathBuf, EmulatorError> {
    let mut newest_old: Option<(u32, u32)> = None;
    for name in INTERPRETERS {
        match version(Path::new(name)).await {
            Some(version) if version >= OLDEST => return Ok(PathBuf::from(name)),
            Some(version) => newest_old = newest_old.max(Some(version)),
            None => {}
        }
    }
    Err(match newest_old {
        Some((major, minor)) => EmulatorError::PythonTooOld {
            found: format!("{major}.{minor}"),
        },
        None => EmulatorError::PythonMissing,
    })
}

/// The version of an interpreter; `None` where it is missing or does not work.
async fn version(python: &Path) -> Option<(u32, u32)> {
    let script = "import sys; print('%d.%d' % sys.version_info[:2])";
    let output = quiet(python).args(["-c", script]).output().await.ok()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let (major, minor) = text.trim().split_once('.')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

/// A command that ends with its caller and does not ask questions.
fn quiet(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command
        .stdin(std::process::Stdio::null())
        .kill_on_drop(true);
    for name in FOREIGN {
        command.env_remove(name);
    }
    command
}

async fn run(command: &mut Command, program: &Path) -> Result<Output, EmulatorError> {
    command.output().await.map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => EmulatorError::PythonMissing,
        _ => io("run", program)(error),
    })
}

fn failed(what: &'static str, step: &'static str, output: &Output) -> EmulatorError {
    EmulatorError::InstallFailed {
        what,
        step,
        stderr_tail: tail(&both(output)),
    }
}

fn both(output: &Output) -> String {
    let stdout = String::from_utf8_lossy(&output.stdout);
    format!("{stdout}\n{}", String::from_utf8_lossy(&output.stderr))
}
