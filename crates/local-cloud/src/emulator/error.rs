//! What can go wrong between a command and its emulator.

use std::path::PathBuf;

/// Why the emulator was not installed, started, found or stopped.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EmulatorError {
    /// No Python on PATH.
    #[error("no Python 3 on PATH")]
    PythonMissing,
    /// Only a Python that the emulator does not run on.
    #[error("Python {found} is too old: Python 3.10 or later is needed")]
    PythonTooOld {
        /// The newest version on PATH.
        found: String,
    },
    /// Python lacks what makes a virtual environment.
    #[error(
        "Python cannot make a virtual environment: its `venv` or `ensurepip` module is missing"
    )]
    VenvModuleMissing,
    /// A step of the installation failed.
    #[error("cannot install {what}: {step} failed\n{stderr_tail}")]
    InstallFailed {
        /// What was to be installed.
        what: &'static str,
        /// What failed.
        step: &'static str,
        /// The last lines that it wrote.
        stderr_tail: String,
    },
    /// A start without an installation.
    #[error("the emulator is not installed in `{}`", dir.display())]
    NotInstalled {
        /// Where it would be.
        dir: PathBuf,
    },
    /// Another process listens on the port.
    #[error("port {port} is in use: the emulator cannot listen on 127.0.0.1:{port}")]
    PortInUse {
        /// The port that was asked for.
        port: u16,
        /// Whether what listens there is an emulator, of another workspace or without its state file.
        emulator_answers: bool,
    },
    /// The operating system refuses the port for another reason.
    #[error("the emulator cannot listen on 127.0.0.1:{port}: {source}")]
    Listen {
        /// The port that was asked for.
        port: u16,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The process ended before it answered.
    #[error("the emulator ended while starting ({status})\n{log_tail}")]
    Died {
        /// Its exit status.
        status: String,
        /// The last lines of its log.
        log_tail: String,
        /// Its log.
        log: PathBuf,
    },
    /// The process did not answer in time, and was stopped.
    #[error("the emulator did not answer within {seconds} s and was stopped\n{log_tail}")]
    StartTimeout {
        /// How long it had.
        seconds: u64,
        /// The last lines of its log.
        log_tail: String,
        /// Its log.
        log: PathBuf,
    },
    /// The process is alive and does not answer.
    #[error("the emulator (pid {pid}) runs and does not answer on 127.0.0.1:{port}")]
    Unresponsive {
        /// Its process.
        pid: u32,
        /// Its port.
        port: u16,
        /// Its log.
        log: PathBuf,
    },
    /// The process outlives SIGKILL.
    #[error("the emulator (pid {pid}) cannot be stopped")]
    StopFailed {
        /// Its process.
        pid: u32,
    },
    /// Another command holds the lock.
    #[error("another command is installing, starting or stopping the emulator (lock: `{}`)", path.display())]
    Busy {
        /// The lock file.
        path: PathBuf,
    },
    /// The state file is not what this program writes.
    #[error("`{}` is not a state file of the emulator: {source}", path.display())]
    State {
        /// The state file.
        path: PathBuf,
        /// Where it differs.
        source: serde_json::Error,
    },
    /// A file could not be read or written, or a program not be run.
    #[error("cannot {deed} `{}`: {source}", path.display())]
    Io {
        /// What was done.
        deed: &'static str,
        /// To what.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
}

impl EmulatorError {
    /// The next step for the person who meets this error.
    pub fn hint(&self) -> String {
        match self {
            Self::PythonMissing => "install Python 3.10 or later (Debian: `apt-get install python3 python3-venv`; \
                                    macOS: `brew install python`), then run the command again"
                .to_owned(),
            Self::PythonTooOld { .. } => "put Python 3.10 or later on PATH, then run the command again".to_owned(),
            Self::VenvModuleMissing => {
                "install it (Debian: `apt-get install python3-venv`), then run the command again".to_owned()
            }
            Self::InstallFailed { .. } => "check the network and pip's index and proxy settings, then run the command \
                                           again: it starts the installation afresh"
                .to_owned(),
            Self::NotInstalled { .. } => "run `cargo xtask deploy --env local`, which installs it".to_owned(),
            Self::PortInUse { port, emulator_answers: true } => format!(
                "an emulator that this workspace did not start answers there: stop it, name it with `--endpoint-url \
                 http://127.0.0.1:{port}`, or choose another port with `--port` or STACKWAY_EMULATOR_PORT"
            ),
            Self::PortInUse { .. } | Self::Listen { .. } => {
                "stop what listens there, or choose another port with `--port` or STACKWAY_EMULATOR_PORT".to_owned()
            }
            Self::Died { log, log_tail, .. } if log_tail.contains("No module named") => format!(
                "the installation is damaged and will be made afresh: run the command again (log: {})",
                log.display()
            ),
            Self::Died { log, .. } | Self::StartTimeout { log, .. } => {
                format!("read the whole log in {}, then run the command again", log.display())
            }
            Self::Unresponsive { log, .. } => {
                format!("stop it with `cargo xtask destroy --env local`, then deploy again (log: {})", log.display())
            }
            Self::StopFailed { pid } => format!("end process {pid} by hand, then run the command again"),
            Self::Busy { .. } => "wait for the other command to end, then run this one again".to_owned(),
            Self::State { path, .. } => format!("remove {}, then run the command again", path.display()),
            Self::Io { .. } => "check permissions and free space, then run the command again".to_owned(),
        }
    }
}
