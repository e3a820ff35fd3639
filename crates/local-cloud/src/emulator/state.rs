//! What one command leaves on disk so that the next one finds the emulator.

use std::fs::{File, TryLockError};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::{EmulatorError, MINISTACK_VERSION, io};

/// How many lines of the log an error shows.
const TAIL_LINES: usize = 12;

/// The process behind the state file.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct State {
    /// The process, leader of its own process group.
    pub(super) pid: u32,
    /// The port it listens on.
    pub(super) port: u16,
    /// When it was started.
    #[serde(with = "time::serde::rfc3339")]
    pub(super) started: OffsetDateTime,
    /// The version that was started.
    pub(super) version: String,
    /// What tells it from a later process of the same pid; see [`super::process::identity`].
    pub(super) identity: String,
}

impl State {
    /// The state of a process that has just been started.
    pub(super) fn now(pid: u32, port: u16, identity: String) -> Self {
        let started = OffsetDateTime::now_utc();
        Self {
            pid,
            port,
            started,
            version: MINISTACK_VERSION.to_owned(),
            identity,
        }
    }
}

/// The directory of the pid file, the log, the lock and the emulator's working files.
#[derive(Debug, Clone)]
pub(super) struct StateDir(PathBuf);

impl StateDir {
    pub(super) fn new(dir: PathBuf) -> Self {
        Self(dir)
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    pub(super) fn log(&self) -> PathBuf {
        self.0.join("emulator.log")
    }

    pub(super) fn lock(&self) -> PathBuf {
        self.0.join("emulator.lock")
    }

    /// The emulator's HOME: empty, so that it finds no profile.
    pub(super) fn home(&self) -> PathBuf {
        self.0.join("run").join("home")
    }

    /// The emulator's temporary files, such as the code of functions.
    pub(super) fn temporary(&self) -> PathBuf {
        self.0.join("run").join("tmp")
    }

    fn file(&self) -> PathBuf {
        self.0.join("emulator.json")
    }

    /// Reads the state file; `None` where there is none.
    pub(super) fn read(&self) -> Result<Option<State>, EmulatorError> {
        let path = self.file();
        match std::fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes)
                .map(Some)
                .map_err(|source| EmulatorError::State { path, source }),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(io("read", &path)(error)),
        }
    }

    /// Replaces the state file in one step.
    pub(super) fn write(&self, state: &State) -> Result<(), EmulatorError> {
        let path = self.file();
        let mut text = serde_json::to_vec_pretty(state).map_err(|source| EmulatorError::State {
            path: path.clone(),
            source,
        })?;
        text.push(b'\n');
        replace(&path, &text)
    }

    /// Empties the working directories of an earlier run.
    pub(super) fn prepare(&self) -> Result<(), EmulatorError> {
        remove_dir(&self.0.join("run"))?;
        for dir in [self.home(), self.temporary()] {
            std::fs::create_dir_all(&dir).map_err(io("create", &dir))?;
        }
        Ok(())
    }

    /// Removes the state file and the working files. The log stays.
    pub(super) fn remove(&self) -> Result<(), EmulatorError> {
        let path = self.file();
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(io("remove", &path)(error));
            }
            _ => {}
        }
        remove_dir(&self.0.join("run"))
    }

    /// The last lines of the log, or nothing where there is no log.
    pub(super) fn log_tail(&self) -> String {
        let text = std::fs::read(self.log()).unwrap_or_default();
        tail(&String::from_utf8_lossy(&text))
    }
}

/// The last lines of a text.
pub(super) fn tail(text: &str) -> String {
    let lines: Vec<&str> = text
        .lines()
        .filter(|line| !line.trim().is_empty())
        .collect();
    lines[lines.len().saturating_sub(TAIL_LINES)..].join("\n")
}

/// Writes a file beside `path` and moves it there, so that no reader sees a half.
pub(super) fn replace(path: &Path, contents: &[u8]) -> Result<(), EmulatorError> {
    let beside = path.with_extension("new");
    let write = || -> std::io::Result<()> {
        let mut file = File::create(&beside)?;
        file.write_all(contents)?;
        file.sync_all()?;
        std::fs::rename(&beside, path)
    };
    write().map_err(|error| {
        let _ = std::fs::remove_file(&beside);
        io("write", path)(error)
    })
}

/// Removes a directory with all that is in it; one that is absent is removed already.
pub(super) fn remove_dir(path: &Path) -> Result<(), EmulatorError> {
    match std::fs::remove_dir_all(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(io("remove", path)(error)),
        _ => Ok(()),
    }
}

/// A lock that ends with its holder, even a killed one.
#[derive(Debug)]
pub(crate) struct Lock(#[expect(dead_code, reason = "held for its lock, which ends with it")] File);

impl Lock {
    /// Takes the lock, waiting for another holder at most `patience`.
    pub(crate) async fn take(path: &Path, patience: Duration) -> Result<Self, EmulatorError> {
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent).map_err(io("create", parent))?;
        }
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(path)
            .map_err(io("open", path))?;
        let deadline = tokio::time::Instant::now() + patience;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Self(file)),
                Err(TryLockError::Error(error)) => return Err(io("lock", path)(error)),
                Err(TryLockError::WouldBlock) if tokio::time::Instant::now() >= deadline => {
                    return Err(EmulatorError::Busy {
                        path: path.to_path_buf(),
                    });
                }
                Err(TryLockError::WouldBlock) => {
                    tokio::time::sleep(Duration::from_millis(25)).await;
                }
            }
        }
    }
}
