use std::path::PathBuf;
use std::time::Duration;

use crate::emulator::install;
use crate::emulator::state::Lock;
use crate::{EmulatorError, Requirements};

/// Programs from Python packages, in a virtual environment that is made once and again when a pin changes.
#[derive(Clone, Debug)]
pub struct PythonTools {
    dir: PathBuf,
    requirements: Requirements,
}

impl PythonTools {
    /// The environment `dir/venv` with these requirements.
    pub fn new(dir: impl Into<PathBuf>, requirements: Requirements) -> Self {
        Self {
            dir: dir.into(),
            requirements,
        }
    }

    /// Installs what is not there yet; `talk` is told what is done.
    ///
    /// # Errors
    ///
    /// [`EmulatorError::PythonMissing`], [`EmulatorError::PythonTooOld`], [`EmulatorError::VenvModuleMissing`],
    /// [`EmulatorError::InstallFailed`], or a file that cannot be written.
    pub async fn install(&self, talk: &(dyn Fn(&str) + Send + Sync)) -> Result<(), EmulatorError> {
        let venv = self.dir.join("venv");
        if install::is_installed(&venv, &self.requirements) {
            return Ok(());
        }
        let _lock = Lock::take(&self.dir.join("install.lock"), Duration::from_mins(10)).await?;
        if install::is_installed(&venv, &self.requirements) {
            return Ok(());
        }
        install::install(&venv, &self.requirements, None, talk).await
    }

    /// The path of an installed program.
    pub fn program(&self, name: &str) -> PathBuf {
        self.dir.join("venv/bin").join(name)
    }
}
