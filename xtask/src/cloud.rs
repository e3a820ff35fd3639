//! Connects the flows to a cloud: AWS, an emulator of the user's, or the emulator that `deploy` starts itself.

use std::collections::BTreeMap;

use stackway_infra::aws::{self, CloudFormation, S3, Sts};
use stackway_infra::clock::{PollInterval, SystemClock};
use stackway_infra::cloud::{Identity as _, Stacks as _};
use stackway_infra::flow::{Observer, Tools};
use stackway_infra::stack::{Outcome, Stack};
use stackway_local_cloud::{Emulator, EmulatorError, RunningEmulator};

use crate::failure::{Failure, Kind};
use crate::preflight::PreflightCalls;
use crate::project::Project;
use crate::settings::{Endpoint, Settings};
use crate::ui::Ui;

/// A cloud that answers, with the account already checked.
pub(crate) struct Cloud {
    pub(crate) stacks: CloudFormation,
    pub(crate) objects: S3,
    /// What the adapters of single commands are made from.
    pub(crate) config: aws::SdkConfig,
    pub(crate) account: String,
    pub(crate) caller_arn: String,
    /// Where calls go, unless to AWS itself.
    pub(crate) endpoint_url: Option<String>,
    /// Whether the emulator is one that this project started.
    pub(crate) own_emulator: bool,
    poll: PollInterval,
    pub(crate) preflight: PreflightCalls,
}

impl Cloud {
    /// For commands that write: starts the project's own emulator if it does not run.
    pub(crate) async fn for_writing(ui: &Ui, settings: &Settings) -> Result<Self, Failure> {
        let Endpoint::Own { port } = settings.endpoint else {
            return Self::connect(settings).await;
        };
        let emulator = emulator(&settings.project, port);
        emulator
            .install(&|text: &str| ui.say(text))
            .await
            .map_err(emulator_failure)?;
        let running = emulator.start().await.map_err(emulator_failure)?;
        if let Some(pid) = running.stale_pid {
            ui.say(format!(
                "the emulator of an earlier run (pid {pid}) is gone, and what it held with it"
            ));
        }
        if running.found {
            ui.detail(format!(
                "found the emulator at {} (pid {})",
                running.endpoint_url, running.pid
            ));
        } else {
            ui.say(format!(
                "started the emulator at {} (pid {})",
                running.endpoint_url, running.pid
            ));
        }
        Self::on_emulator(settings, &running).await
    }

    /// For commands that only read: `None` where the project's own emulator does not run, since nothing is deployed
    /// then.
    pub(crate) async fn for_reading(settings: &Settings) -> Result<Option<Self>, Failure> {
        let Endpoint::Own { port } = settings.endpoint else {
            return Self::connect(settings).await.map(Some);
        };
        match emulator(&settings.project, port)
            .running()
            .await
            .map_err(emulator_failure)?
        {
            Some(running) => Self::on_emulator(settings, &running).await.map(Some),
            None => Ok(None),
        }
    }

    async fn on_emulator(settings: &Settings, running: &RunningEmulator) -> Result<Self, Failure> {
        let mut cloud = Self::without_account(settings, &running.endpoint_url).await?;
        cloud.own_emulator = true;
        Ok(cloud)
    }

    async fn connect(settings: &Settings) -> Result<Self, Failure> {
        match &settings.endpoint {
            Endpoint::Given(url) => Self::without_account(settings, url).await,
            Endpoint::Aws { endpoint_url } => {
                Self::with_account(settings, endpoint_url.as_deref()).await
            }
            Endpoint::Own { port } => {
                Self::without_account(settings, &format!("http://127.0.0.1:{port}")).await
            }
        }
    }

    /// An emulator: its account is the one that stackway.toml names, and credentials are not read.
    async fn without_account(settings: &Settings, url: &str) -> Result<Self, Failure> {
        let account = settings
            .environment
            .accounts
            .first()
            .map_or_else(|| "000000000000".to_owned(), ToString::to_string);
        let config = aws::without_account(&account, &settings.naming.region, url);
        let caller = Sts::new(&config).caller().await.map_err(|error| {
            Failure::from(error).hint(format!("check that an emulator answers at {url}"))
        })?;
        Ok(Self::new(
            &config,
            caller.account,
            caller.arn,
            Some(url.to_owned()),
            PollInterval::LOCAL,
        ))
    }

    /// AWS: whose the credentials are is checked against stackway.toml before anything else.
    async fn with_account(
        settings: &Settings,
        endpoint_url: Option<&str>,
    ) -> Result<Self, Failure> {
        let environment = &settings.environment;
        if environment.accounts.is_empty() {
            return Err(Failure::new(
                Kind::Configuration,
                format!(
                    "environment `{}` names no account that it may touch",
                    environment.name
                ),
            )
            .hint(format!(
                "put the account's id in `accounts` of [environments.{}] in stackway.toml",
                environment.name
            )));
        }
        let config = aws::from_standard_chain(&settings.naming.region, endpoint_url).await;
        let caller = Sts::new(&config).caller().await?;
        let allowed: Vec<_> = environment
            .accounts
            .iter()
            .map(ToString::to_string)
            .collect();
        if !allowed.contains(&caller.account) {
            return Err(Failure::new(
                Kind::Account,
                format!(
                    "the credentials are of account {}, which environment `{}` may not touch",
                    caller.account, environment.name
                ),
            )
            .cause(format!("stackway.toml allows {}", allowed.join(", ")))
            .hint("use other credentials (AWS_PROFILE), or another environment (--env)"));
        }
        Ok(Self::new(
            &config,
            caller.account,
            caller.arn,
            endpoint_url.map(str::to_owned),
            PollInterval::AWS,
        ))
    }

    fn new(
        config: &aws::SdkConfig,
        account: String,
        caller_arn: String,
        endpoint_url: Option<String>,
        poll: PollInterval,
    ) -> Self {
        Self {
            stacks: CloudFormation::new(config),
            objects: S3::new(config),
            preflight: PreflightCalls::new(config, endpoint_url.is_some()),
            config: config.clone(),
            account,
            caller_arn,
            endpoint_url,
            own_emulator: false,
            poll,
        }
    }

    /// How often to ask.
    pub(crate) fn poll_interval(&self) -> PollInterval {
        self.poll
    }

    /// What flows work with.
    pub(crate) fn tools<'a>(&'a self, observer: &'a dyn Observer) -> Tools<'a> {
        Tools {
            stacks: &self.stacks,
            clock: &SystemClock,
            poll: self.poll,
            observer,
        }
    }

    /// The stack and the template that it was last deployed from; `None` where nothing of it is deployed.
    pub(crate) async fn deployed(&self, name: &str) -> Result<Option<(Stack, String)>, Failure> {
        let Some(stack) = self.stacks.describe_stack(name).await? else {
            return Ok(None);
        };
        if matches!(
            stack.status.outcome(),
            Outcome::Deleted | Outcome::AwaitingExecution
        ) {
            return Ok(None);
        }
        let template = self.stacks.stack_template(&stack.id).await?;
        Ok(Some((stack, template)))
    }

    /// The stack's outputs, with addresses that answer from this machine.
    ///
    /// An emulator gives an HTTP API the address that it would have on AWS, which no name server knows; the same API
    /// answers under a path of the emulator itself.
    pub(crate) fn outputs(&self, stack: &Stack) -> BTreeMap<String, String> {
        let mut outputs = stack.outputs.clone();
        if let (Some(endpoint), Some(id)) = (&self.endpoint_url, stack.outputs.get("ApiId"))
            && let Some(url) = outputs.get_mut("ApiUrl")
            && !url.starts_with(endpoint.as_str())
        {
            *url = emulated_api_url(endpoint, id);
        }
        outputs
    }
}

/// `$default`, the stage, is percent-encoded so that the address survives a shell.
fn emulated_api_url(endpoint: &str, api_id: &str) -> String {
    format!("{endpoint}/_aws/execute-api/{api_id}/%24default")
}

/// The project's own emulator. STACKWAY_STATE_DIR moves its pid and log file, so that tests can have one of their own.
pub(crate) fn emulator(project: &Project, port: u16) -> Emulator {
    let emulator = Emulator::new(project.state_dir().join("emulator"), port);
    match std::env::var_os("STACKWAY_STATE_DIR") {
        Some(folder) => emulator.with_state_dir(folder),
        None => emulator,
    }
}

pub(crate) fn emulator_failure(error: EmulatorError) -> Failure {
    let kind = match error {
        EmulatorError::PythonMissing
        | EmulatorError::PythonTooOld { .. }
        | EmulatorError::VenvModuleMissing => Kind::Tool,
        _ => Kind::Emulator,
    };
    Failure::new(kind, error.to_string()).hint(error.hint())
}
