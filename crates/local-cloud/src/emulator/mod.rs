//! The AWS emulator: MiniStack in a virtual environment, as one detached process.
//!
//! The process outlives the command that starts it. What the next command needs to find it is one JSON
//! file; see [`state`]. Two commands at once take turns by a file lock.

mod error;
mod health;
pub(crate) mod install;
mod process;
pub(crate) mod state;

use std::ffi::OsString;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::time::Duration;

pub use self::error::EmulatorError;
pub use self::install::{MINISTACK_VERSION, Requirements};
use self::process::Server;
use self::state::{Lock, State, StateDir};

/// The port that emulators of AWS listen on by convention.
pub const DEFAULT_PORT: u16 = 4566;

/// How long a start may take. It takes under a second on an idle machine.
const START_TIMEOUT: Duration = Duration::from_mins(1);
/// How long an emulator that is found may take to answer.
const FOUND_TIMEOUT: Duration = Duration::from_secs(10);
/// How long one process waits for another that starts or stops the emulator.
const LOCK_TIMEOUT: Duration = Duration::from_secs(90);
/// How long the port of an emulator that was killed may stay taken: its threads end, and let go of it, after its pid.
const RELEASE_TIMEOUT: Duration = Duration::from_secs(10);
/// How long the emulator may take to end after SIGTERM.
const STOP_GRACE: Duration = Duration::from_secs(5);

/// The emulator of one workspace: where it is installed, where its state is, and the port that it is to have.
///
/// The value holds no process and no lock: it can be made, cloned and dropped freely.
#[derive(Debug, Clone)]
pub struct Emulator {
    dir: PathBuf,
    state: StateDir,
    port: u16,
    start_timeout: Duration,
    python: Option<PathBuf>,
    command: Option<(PathBuf, Vec<OsString>)>,
}

/// An emulator that answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunningEmulator {
    /// The address for `AWS_ENDPOINT_URL`, such as `http://127.0.0.1:4566`.
    pub endpoint_url: String,
    /// The process, which is also the leader of its process group.
    pub pid: u32,
    /// The port that it listens on. Where it was found, this can differ from the one that was asked for.
    pub port: u16,
    /// The version of MiniStack that was started.
    pub version: String,
    /// Whether it ran before the call.
    pub found: bool,
    /// A process that the state file named and that is gone; its state file was replaced.
    pub stale_pid: Option<u32>,
}

impl Emulator {
    /// The emulator installed in `dir` (`dir/venv`), with its state there as well.
    ///
    /// `port` 0 takes any free port.
    pub fn new(dir: impl Into<PathBuf>, port: u16) -> Self {
        let dir = dir.into();
        Self {
            state: StateDir::new(dir.clone()),
            dir,
            port,
            start_timeout: START_TIMEOUT,
            python: None,
            command: None,
        }
    }

    /// Keeps the pid file, the log and the working files in `dir`, apart from the installation.
    #[must_use]
    pub fn with_state_dir(mut self, dir: impl Into<PathBuf>) -> Self {
        self.state = StateDir::new(dir.into());
        self
    }

    /// Installs with this interpreter in place of the first fitting one on PATH.
    #[must_use]
    pub fn with_python(mut self, python: impl Into<PathBuf>) -> Self {
        self.python = Some(python.into());
        self
    }

    /// Starts this command in place of the installed MiniStack; nothing is installed then.
    #[must_use]
    pub fn with_command(
        mut self,
        program: impl Into<PathBuf>,
        arguments: impl IntoIterator<Item = OsString>,
    ) -> Self {
        self.command = Some((program.into(), arguments.into_iter().collect()));
        self
    }

    /// Gives a start this long to answer, in place of a minute.
    #[must_use]
    pub fn with_start_timeout(mut self, timeout: Duration) -> Self {
        self.start_timeout = timeout;
        self
    }

    /// Whether this version, with exactly these dependencies, is installed.
    pub fn is_installed(&self) -> bool {
        self.command.is_some() || install::is_installed(&self.venv(), &install::MINISTACK)
    }

    /// Installs MiniStack into its virtual environment, once; `talk` is told what is done.
    ///
    /// What an interrupted installation left is removed first. This is the one place of the crate that
    /// uses the network, through pip and whatever index pip is configured for.
    ///
    /// # Errors
    ///
    /// [`EmulatorError::PythonMissing`], [`EmulatorError::PythonTooOld`], [`EmulatorError::VenvModuleMissing`],
    /// [`EmulatorError::InstallFailed`], or a file that cannot be written.
    pub async fn install(&self, talk: &(dyn Fn(&str) + Send + Sync)) -> Result<(), EmulatorError> {
        if self.is_installed() {
            return Ok(());
        }
        let _lock = Lock::take(&self.dir.join("install.lock"), Duration::from_mins(10)).await?;
        // Another command may have installed it while this one waited.
        if self.is_installed() {
            return Ok(());
        }
        install::install(
            &self.venv(),
            &install::MINISTACK,
            self.python.as_deref(),
            talk,
        )
        .await
    }

    /// Finds the emulator that runs, or starts it and waits until it answers.
    ///
    /// One that runs wins over the port that was asked for: a state directory has one emulator. It is
    /// started in a process group of its own, so the Ctrl-C that ends its caller does not reach it. A call
    /// that is cancelled leaves a state file, and the next call waits for the same process.
    ///
    /// # Errors
    ///
    /// [`EmulatorError::NotInstalled`], [`EmulatorError::PortInUse`], [`EmulatorError::Died`],
    /// [`EmulatorError::StartTimeout`] (after which nothing that was started is left),
    /// [`EmulatorError::Unresponsive`], or a state file that cannot be read or written.
    pub async fn start(&self) -> Result<RunningEmulator, EmulatorError> {
        let _lock = Lock::take(&self.state.lock(), LOCK_TIMEOUT).await?;
        let mut stale_pid = None;
        if let Some(state) = self.state.read()? {
            if process::is_ours(&state) {
                return self.found(&state).await;
            }
            process::kill_orphans(&state, self.state.path());
            stale_pid = Some(state.pid);
            self.state.remove()?;
            if state.port == self.port {
                self.released(RELEASE_TIMEOUT).await;
            }
        }
        let port = self.free_port().await?;
        let (program, arguments) = self.server_command()?;
        self.state.prepare()?;
        let mut server = Server::spawn(&program, &arguments, &self.state, port)?;
        match self.bring_up(&mut server, port).await {
            Ok(()) => Ok(RunningEmulator {
                endpoint_url: endpoint_url(port),
                pid: server.pid(),
                port,
                version: MINISTACK_VERSION.to_owned(),
                found: false,
                stale_pid,
            }),
            Err(error) => {
                process::terminate(server.pid(), None, Duration::ZERO).await;
                self.state.remove()?;
                if matches!(&error, EmulatorError::Died { log_tail, .. } if log_tail.contains("No module named"))
                {
                    // The interpreter under the environment was replaced: install anew next time.
                    install::forget(&self.venv());
                }
                Err(error)
            }
        }
    }

    /// The emulator that runs, or `None` where none does. Nothing is started or written.
    ///
    /// A process that is gone, or whose pid another process has by now, counts as none.
    ///
    /// # Errors
    ///
    /// [`EmulatorError::Unresponsive`] where the process is alive and does not answer, or a state file
    /// that cannot be read.
    pub async fn running(&self) -> Result<Option<RunningEmulator>, EmulatorError> {
        match self.state.read()? {
            Some(state) if process::is_ours(&state) => self.found(&state).await.map(Some),
            _ => Ok(None),
        }
    }

    /// Stops the emulator and the functions that it runs; `false` where none ran.
    ///
    /// SIGTERM first, SIGKILL for what is left after five seconds. The log is kept, the rest of the state
    /// is removed.
    ///
    /// # Errors
    ///
    /// [`EmulatorError::StopFailed`] where the process outlives SIGKILL, or a state file that cannot be
    /// read or removed.
    pub async fn stop(&self) -> Result<bool, EmulatorError> {
        if !self.state.path().exists() {
            return Ok(false);
        }
        let _lock = Lock::take(&self.state.lock(), LOCK_TIMEOUT).await?;
        let Some(state) = self.state.read()? else {
            return Ok(false);
        };
        let ours = process::is_ours(&state);
        if ours {
            process::terminate(state.pid, Some(&state.identity), STOP_GRACE).await;
            if process::is_ours(&state) {
                return Err(EmulatorError::StopFailed { pid: state.pid });
            }
        } else {
            process::kill_orphans(&state, self.state.path());
        }
        self.state.remove()?;
        Ok(ours)
    }

    /// The emulator's log, from its latest start on.
    pub fn log_path(&self) -> PathBuf {
        self.state.log()
    }

    /// The last lines of the log, for an error that the emulator's end has caused.
    pub fn log_tail(&self) -> String {
        self.state.log_tail()
    }

    fn venv(&self) -> PathBuf {
        self.dir.join("venv")
    }

    fn server_command(&self) -> Result<(PathBuf, Vec<OsString>), EmulatorError> {
        if let Some(command) = &self.command {
            return Ok(command.clone());
        }
        if !self.is_installed() {
            return Err(EmulatorError::NotInstalled {
                dir: self.dir.clone(),
            });
        }
        Ok((
            install::interpreter(&self.venv()),
            vec!["-m".into(), "ministack".into()],
        ))
    }

    async fn found(&self, state: &State) -> Result<RunningEmulator, EmulatorError> {
        if !health::answers_within(state.port, FOUND_TIMEOUT).await {
            return Err(EmulatorError::Unresponsive {
                pid: state.pid,
                port: state.port,
                log: self.log_path(),
            });
        }
        Ok(RunningEmulator {
            endpoint_url: endpoint_url(state.port),
            pid: state.pid,
            port: state.port,
            version: state.version.clone(),
            found: true,
            stale_pid: None,
        })
    }

    /// Waits until the port is free, or `patience` is over.
    async fn released(&self, patience: Duration) {
        let deadline = tokio::time::Instant::now() + patience;
        while self.bind().is_err() && tokio::time::Instant::now() < deadline {
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
    }

    fn bind(&self) -> std::io::Result<SocketAddr> {
        TcpListener::bind((Ipv4Addr::LOCALHOST, self.port)).and_then(|l| l.local_addr())
    }

    async fn free_port(&self) -> Result<u16, EmulatorError> {
        match self.bind() {
            Ok(address) => Ok(address.port()),
            Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => {
                Err(EmulatorError::PortInUse {
                    port: self.port,
                    emulator_answers: health::answers(self.port).await,
                })
            }
            Err(source) => Err(EmulatorError::Listen {
                port: self.port,
                source,
            }),
        }
    }

    /// Writes the state file and waits for the first answer.
    async fn bring_up(&self, server: &mut Server, port: u16) -> Result<(), EmulatorError> {
        if let Some(identity) = process::identity(server.pid()) {
            self.state
                .write(&State::now(server.pid(), port, identity))?;
        }
        let deadline = tokio::time::Instant::now() + self.start_timeout;
        loop {
            if let Some(status) = server.exited() {
                return Err(EmulatorError::Died {
                    status: status.to_string(),
                    log_tail: self.log_tail(),
                    log: self.log_path(),
                });
            }
            if health::answers(port).await {
                return Ok(());
            }
            if tokio::time::Instant::now() >= deadline {
                return Err(EmulatorError::StartTimeout {
                    seconds: self.start_timeout.as_secs(),
                    log_tail: self.log_tail(),
                    log: self.log_path(),
                });
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
    }
}

fn endpoint_url(port: u16) -> String {
    format!("http://127.0.0.1:{port}")
}

/// Wraps an I/O error with the path and the deed.
fn io(deed: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> EmulatorError {
    let path = path.to_path_buf();
    move |source| EmulatorError::Io { deed, path, source }
}
