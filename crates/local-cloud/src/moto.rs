use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::{EmulatorError, PythonTools, Requirements};

/// What moto's server is installed from.
const MOTO: Requirements = Requirements {
    name: "moto 5.2.5",
    text: include_str!("../moto-requirements.txt"),
};

/// How long the server may take to listen; it imports a great deal.
const PATIENCE: Duration = Duration::from_mins(1);

/// moto's server: an emulator that has stack sets over accounts, for tests and benchmarks. What it holds is in memory, and
/// it ends with this value.
#[derive(Debug)]
pub struct Moto {
    process: Child,
    port: u16,
}

impl Moto {
    /// Installs the server below `dir` where it is not there yet, and starts it on a free port of 127.0.0.1. It reads no
    /// credentials, and any are good.
    ///
    /// # Errors
    ///
    /// What [`PythonTools::install`] says, and [`EmulatorError::Listen`].
    pub async fn start(
        dir: impl Into<PathBuf>,
        talk: &(dyn Fn(&str) + Send + Sync),
    ) -> Result<Self, EmulatorError> {
        let tools = PythonTools::new(dir, MOTO);
        tools.install(talk).await?;
        let program = tools.program("moto_server");
        let port = TcpListener::bind(("127.0.0.1", 0))
            .and_then(|listener| listener.local_addr())
            .map_err(|source| EmulatorError::Listen { port: 0, source })?
            .port();
        let fault = |source| EmulatorError::Listen { port, source };
        let process = Command::new(&program)
            .args(["--host", "127.0.0.1", "--port", &port.to_string()])
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("PYTHONDONTWRITEBYTECODE", "1")
            // Policies that a set's roles have are not what is tested here.
            .env("MOTO_IAM_LOAD_MANAGED_POLICIES", "false")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(fault)?;
        let mut moto = Self { process, port };
        let start = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            let ended = moto.process.try_wait().map_err(fault)?;
            if ended.is_some() || start.elapsed() > PATIENCE {
                let what = format!("`{}` did not begin to", program.display());
                return Err(fault(std::io::Error::other(what)));
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(moto)
    }

    /// Where it answers.
    pub fn endpoint_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
