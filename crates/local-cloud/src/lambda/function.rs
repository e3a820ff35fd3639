//! The function's process: started as Lambda would, replaced where it ends.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use bytes::Bytes;
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::process::{Child, Command};
use tokio::sync::Mutex;

use super::{Invocation, InvokeError, RuntimeApi};

/// How long a process may take to end after SIGTERM.
const GRACE: Duration = Duration::from_secs(2);

/// What is run, and under which conditions.
#[derive(Debug, Clone)]
pub struct FunctionConfig {
    /// The executable: a package's `bootstrap`.
    pub program: PathBuf,
    /// Its arguments. Lambda gives none; a wrapper such as a profiler wants some.
    pub arguments: Vec<OsString>,
    /// The function's own environment, beside what Lambda sets.
    pub environment: Vec<(String, OsString)>,
    /// The function's name.
    pub name: String,
    /// The memory that the function is told it has, in MB. It is not held to it.
    pub memory_mb: u32,
    /// How long one invocation may take, the start of the process included.
    pub timeout: Duration,
    /// Whether the function's log goes to this process's stderr; else nowhere.
    pub show_log: bool,
}

impl FunctionConfig {
    /// The function `name` that `program` is, with 256 MB and 10 seconds, as the api stack has it.
    pub fn new(name: impl Into<String>, program: impl Into<PathBuf>) -> Self {
        Self {
            program: program.into(),
            arguments: Vec::new(),
            environment: Vec::new(),
            name: name.into(),
            memory_mb: 256,
            timeout: Duration::from_secs(10),
            show_log: false,
        }
    }

    /// Where both of the function's streams go: Lambda logs the one as the other.
    fn log(&self) -> Stdio {
        if self.show_log {
            std::io::stderr().into()
        } else {
            Stdio::null()
        }
    }

    /// What Lambda sets for a function on demand, and nothing of this process's environment.
    ///
    /// `AWS_EXECUTION_ENV` is not among it: Lambda sets that for its own runtimes alone.
    ///
    /// <https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime>
    fn lambda_environment(&self, api: &RuntimeApi) -> Vec<(&'static str, String)> {
        let root = self.program.parent().unwrap_or(Path::new("/var/task"));
        vec![
            ("AWS_LAMBDA_RUNTIME_API", api.address().to_string()),
            ("AWS_LAMBDA_FUNCTION_NAME", self.name.clone()),
            ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST".to_owned()),
            (
                "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
                self.memory_mb.to_string(),
            ),
            ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand".to_owned()),
            (
                "AWS_LAMBDA_LOG_GROUP_NAME",
                format!("/aws/lambda/{}", self.name),
            ),
            ("AWS_LAMBDA_LOG_STREAM_NAME", "local".to_owned()),
            ("LAMBDA_TASK_ROOT", root.display().to_string()),
            ("LAMBDA_RUNTIME_DIR", "/var/runtime".to_owned()),
            ("_HANDLER", "bootstrap".to_owned()),
            ("PATH", "/usr/local/bin:/usr/bin:/bin".to_owned()),
            ("LANG", "en_US.UTF-8".to_owned()),
            ("TZ", ":UTC".to_owned()),
        ]
    }
}

/// One process of a function, with the interface that it polls. It ends with this value.
#[derive(Debug)]
pub struct FunctionProcess {
    api: RuntimeApi,
    child: Child,
    timeout: Duration,
}

impl FunctionProcess {
    /// Starts the process. Whether it starts well is told by its first invocation.
    ///
    /// # Errors
    ///
    /// If the process or its interface cannot be started.
    pub async fn spawn(config: &FunctionConfig) -> std::io::Result<Self> {
        let api = RuntimeApi::start(&config.name).await?;
        let mut command = Command::new(&config.program);
        command
            .args(&config.arguments)
            .env_clear()
            .envs(config.lambda_environment(&api))
            .envs(config.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(config.log())
            .stderr(config.log())
            // The Ctrl-C that ends this process must not reach the function first.
            .process_group(0)
            .kill_on_drop(true);
        let child = command.spawn().map_err(|error| {
            let program = config.program.display();
            std::io::Error::new(error.kind(), format!("{program}: {error}"))
        })?;
        Ok(Self {
            api,
            child,
            timeout: config.timeout,
        })
    }

    /// The process, where it has not ended.
    pub fn pid(&self) -> Option<u32> {
        self.child.id()
    }

    /// Whether the process has not ended by itself, between two events.
    fn runs(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Gives the function one event.
    ///
    /// # Errors
    ///
    /// After any but [`InvokeError::Failed`] the process is of no further use.
    pub async fn invoke(&mut self, event: Bytes) -> Result<Invocation, InvokeError> {
        tokio::select! {
            biased;
            outcome = self.api.invoke(event, self.timeout) => outcome,
            status = self.child.wait() => Err(InvokeError::Exited(status?)),
        }
    }

    /// Waits until the function asks for its next event.
    ///
    /// # Errors
    ///
    /// [`InvokeError::Exited`], [`InvokeError::TimedOut`].
    pub async fn idle(&mut self) -> Result<(), InvokeError> {
        tokio::select! {
            biased;
            idle = tokio::time::timeout(self.timeout, self.api.idle()) => {
                idle.unwrap_or(Err(InvokeError::TimedOut(self.timeout)))
            }
            status = self.child.wait() => Err(InvokeError::Exited(status?)),
        }
    }

    /// Ends the process: SIGTERM, a time of grace, SIGKILL.
    ///
    /// # Errors
    ///
    /// If the process cannot be waited for.
    pub async fn stop(mut self) -> std::io::Result<ExitStatus> {
        self.signal(Signal::TERM);
        if let Ok(status) = tokio::time::timeout(GRACE, self.child.wait()).await {
            return status;
        }
        self.kill().await
    }

    /// Ends the process at once, as Lambda does where an invocation has failed it.
    async fn kill(mut self) -> std::io::Result<ExitStatus> {
        self.signal(Signal::KILL);
        self.child.wait().await
    }

    /// Signals the process and what it has started, where it has not been waited for: until then the number is its own.
    fn signal(&self, signal: Signal) {
        if let Some(pid) = self.pid().and_then(|pid| Pid::from_raw(pid.cast_signed())) {
            let _ = kill_process_group(pid, signal);
        }
    }
}

impl Drop for FunctionProcess {
    fn drop(&mut self) {
        self.signal(Signal::KILL);
    }
}

/// A function that answers one event at a time, for as long as it is wanted.
#[derive(Debug)]
pub struct Function {
    // The lock is the queue: events wait their turn in order, and a new configuration waits for the event under way.
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    config: FunctionConfig,
    process: Option<FunctionProcess>,
}

impl Function {
    /// Starts nothing yet: the first event does, as on Lambda.
    pub fn new(config: FunctionConfig) -> Self {
        Self {
            state: Mutex::new(State {
                config,
                process: None,
            }),
        }
    }

    /// Answers one event, with the process that there is or a new one.
    ///
    /// # Errors
    ///
    /// [`InvokeError`]; the next event is answered all the same, by a new process where this one has failed.
    pub async fn invoke(&self, event: Bytes) -> Result<Invocation, InvokeError> {
        let mut state = self.state.lock().await;
        // Taken out, so that a caller that goes away in the middle leaves no process with an event of its own.
        let mut process = match state.process.take_if(FunctionProcess::runs) {
            Some(process) => process,
            // The first event, or the process has ended by itself since the last.
            None => FunctionProcess::spawn(&state.config).await?,
        };
        let outcome = process.invoke(event).await;
        match &outcome {
            Ok(_) | Err(InvokeError::Failed(_)) => state.process = Some(process),
            Err(_) => drop(process.kill().await),
        }
        outcome
    }

    /// Runs later events with another configuration; the event under way ends on the old one.
    pub async fn replace(&self, config: FunctionConfig) {
        let mut state = self.state.lock().await;
        state.config = config;
        if let Some(process) = state.process.take() {
            drop(process.stop().await);
        }
    }

    /// Ends the process, after the event under way.
    pub async fn stop(&self) {
        let mut state = self.state.lock().await;
        if let Some(process) = state.process.take() {
            drop(process.stop().await);
        }
    }
}
