use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};
use stackway_pipeline_defs::model::Failed;
use tokio::time::Instant;

use super::buildspec::{Artifacts, Buildspec};
use super::cache::CacheRun;
use super::report::ReportSummary;
use super::secret::SecretReference;
use super::shell::{Ended, Shell, TIMEOUT, short};
use crate::artifact::{Selection, Store, pack};
use crate::{Cloud, ErrorKind, Log, RunError};

/// A build that is ready to run.
pub struct Build<'a> {
    /// What it runs.
    pub spec: &'a Buildspec,
    /// The unpacked sources; commands start here.
    pub folder: &'a Path,
    /// A folder for what the build itself needs.
    pub scripts: &'a Path,
    /// Variables of the machine, and CodeBuild's own.
    pub variables: BTreeMap<String, String>,
    /// Variables of the action, which beat the buildspec's.
    pub overrides: BTreeMap<String, String>,
    /// Where artifacts go.
    pub store: &'a Store,
    /// The names of the artifacts that the action makes: the first is the primary one, where it is the only one.
    pub outputs: &'a [String],
    /// Where parameters and secrets come from.
    pub cloud: &'a dyn Cloud,
    /// When it is given up.
    pub timeout: Option<Duration>,
}

/// What a build brought.
#[derive(Clone, Debug, Default)]
pub struct Built {
    /// Exported variables.
    pub exported: BTreeMap<String, String>,
    /// Artifacts by the names that the action gives them.
    pub artifacts: BTreeMap<String, String>,
    /// What its reports tell.
    pub reports: Vec<ReportSummary>,
    /// Where its time went.
    pub phases: Vec<PhaseRun>,
    /// What it found in its cache.
    pub caches: Vec<CacheRun>,
    /// Why it failed, if it did. Artifacts and reports are there all the same, as at CodeBuild.
    pub failure: Option<RunError>,
}

/// A phase of a build that ran.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PhaseRun {
    /// Its name.
    pub name: String,
    /// How long it took.
    pub milliseconds: u64,
    /// Its commands, in their order.
    pub commands: Vec<CommandRun>,
}

/// A command of a build that ran.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommandRun {
    /// Its first line.
    pub command: String,
    /// How long it took.
    pub milliseconds: u64,
    /// What it ended with.
    pub status: i32,
}

fn milliseconds(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)
}

impl Build<'_> {
    /// Runs it to its end.
    ///
    /// `install` and `pre_build` end the build where they fail; after a `build` that fails `post_build` runs.
    /// `on-failure` says otherwise: `ABORT` ends, `CONTINUE` goes on as if nothing had happened.
    ///
    /// See [build phase transitions](https://docs.aws.amazon.com/codebuild/latest/userguide/view-build-details-phases.html).
    ///
    /// # Errors
    /// Only what no phase has a say in: a shell or a secret that is not there, time that is over, a full disk.
    pub async fn run(&self, log: &Log<'_>) -> Result<Built, RunError> {
        // The kernel stamps files by a clock that is a tick behind at most: what the first command writes is a report too.
        let began = SystemTime::now() - Duration::from_millis(20);
        let deadline = Instant::now() + self.timeout.unwrap_or(TIMEOUT);
        let variables = self.environment(log).await?;
        let program = self.spec.env.shell.as_deref().unwrap_or("sh");
        let start = || Shell::start(program, self.folder, self.scripts, &variables);
        let mut shell = start()?;
        let mut built = Built::default();
        for (name, phase) in self.spec.each() {
            if name == "post_build" && built.failure.is_some() {
                shell
                    .run("export CODEBUILD_BUILD_SUCCEEDING=0", log, deadline)
                    .await?;
            }
            log.line(&format!("== {name}"))?;
            let mut failure = None;
            let mut timed = PhaseRun {
                name: name.to_owned(),
                ..PhaseRun::default()
            };
            let start_of_phase = Instant::now();
            for (is_last, command) in (phase.commands.list().iter().map(|command| (false, command)))
                .chain(phase.at_last.list().iter().map(|command| (true, command)))
            {
                if failure.is_some() && !is_last {
                    continue;
                }
                log.line(&format!("$ {}", short(command)))?;
                let start_of_command = Instant::now();
                let ended = shell.run(command, log, deadline).await?;
                timed.commands.push(CommandRun {
                    command: short(&log.hidden().masked(command)),
                    milliseconds: milliseconds(start_of_command),
                    status: ended.status(),
                });
                if let Ended::WithShell(status) = ended {
                    log.line(&format!(
                        "the command ended the shell with status {status}; the next one gets a new shell"
                    ))?;
                    shell = start()?;
                }
                if ended.status() != 0 && failure.is_none() {
                    failure = Some(RunError::new(
                        ErrorKind::Failed,
                        format!(
                            "`{}` ended with status {} in phase {name}",
                            short(&log.hidden().masked(command)),
                            ended.status()
                        ),
                    ));
                }
            }
            timed.milliseconds = milliseconds(start_of_phase);
            built.phases.push(timed);
            let Some(failure) = failure else { continue };
            let goes_on = match phase.failed() {
                Some(Failed::Continue) => {
                    log.line(&format!("{failure}; on-failure is CONTINUE"))?;
                    continue;
                }
                Some(Failed::Abort) => false,
                None => name == "build",
            };
            built.failure.get_or_insert(failure);
            if !goes_on {
                break;
            }
        }
        self.export(&mut shell, &mut built, log, deadline).await?;
        drop(shell);
        for (group, report) in &self.spec.reports {
            match ReportSummary::read(group, report, self.folder, began) {
                Ok(summary) => {
                    log.line(&summary.text())?;
                    let mut summary = summary;
                    for name in &mut summary.failed {
                        *name = log.hidden().masked(name).into_owned();
                        log.line(&format!("  failed: {name}"))?;
                    }
                    built.reports.push(summary);
                }
                // CodeBuild warns too, and goes on.
                Err(error) => log.line(&format!("warning: {error}"))?,
            }
        }
        if let Err(error) = self.artifacts(&mut built) {
            built.failure.get_or_insert(error);
        }
        Ok(built)
    }

    async fn environment(&self, log: &Log<'_>) -> Result<BTreeMap<String, String>, RunError> {
        let mut all = self.variables.clone();
        let env = &self.spec.env;
        for (name, value) in &env.variables {
            all.insert(name.clone(), value.text());
        }
        for (name, parameter) in &env.parameter_store {
            let value = parameter_of(self.cloud, parameter, log).await;
            all.insert(
                name.clone(),
                value.map_err(|error| of_variable(error, name))?,
            );
        }
        for (name, secret) in &env.secrets_manager {
            let value = secret_of(self.cloud, secret, log).await;
            all.insert(
                name.clone(),
                value.map_err(|error| of_variable(error, name))?,
            );
        }
        all.extend(self.overrides.clone());
        all.insert("CODEBUILD_BUILD_SUCCEEDING".to_owned(), "1".to_owned());
        Ok(all)
    }

    /// Asks the shell for what later actions are to know.
    async fn export(
        &self,
        shell: &mut Shell,
        built: &mut Built,
        log: &Log<'_>,
        deadline: Instant,
    ) -> Result<(), RunError> {
        for name in &self.spec.env.exported_variables {
            let is_word = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
                && !name.starts_with(|first: char| first.is_ascii_digit())
                && !name.is_empty();
            if !is_word {
                return Err(RunError::new(
                    ErrorKind::Definition,
                    format!("exported variable `{name}` is no name of a variable"),
                ));
            }
            let file: PathBuf = self.scripts.join(format!("exported-{name}"));
            let quoted = file.to_string_lossy().replace('\'', "'\\''");
            let command = format!("printf '%s' \"${{{name}-}}\" > '{quoted}'");
            shell.run(&command, log, deadline).await?;
            let value = std::fs::read_to_string(&file)
                .map_err(|error| RunError::io("read", &file, &error))?;
            let _ = std::fs::remove_file(&file);
            if log.hidden().is_in(&value) {
                return Err(RunError::new(
                    ErrorKind::Definition,
                    format!("exported variable `{name}` holds a secret, and would be kept with the execution"),
                )
                .hint("export the secret's name, and let the later action read it"));
            }
            built.exported.insert(name.clone(), value);
        }
        Ok(())
    }

    fn artifacts(&self, built: &mut Built) -> Result<(), RunError> {
        let Some(artifacts) = &self.spec.artifacts else {
            return match self.outputs {
                [] => Ok(()),
                _ if built.failure.is_some() => Ok(()),
                [name, ..] => Err(RunError::new(
                    ErrorKind::Definition,
                    format!("the buildspec makes no artifact, and the action has `{name}` from it"),
                )),
            };
        };
        for name in self.outputs {
            let one: &Artifacts = match artifacts.secondary.get(name) {
                Some(secondary) => secondary,
                None if artifacts.secondary.is_empty() => artifacts,
                None => {
                    return Err(RunError::new(
                        ErrorKind::Definition,
                        format!("the buildspec has no secondary artifact `{name}`"),
                    ));
                }
            };
            let selection = Selection {
                files: &one.files,
                base: one.base_directory.as_deref(),
                discard_paths: one.discard_paths.is_on(),
            };
            built
                .artifacts
                .insert(name.clone(), pack(self.folder, &selection, self.store)?);
        }
        Ok(())
    }
}

/// The value of a parameter, masked from now on.
pub(crate) async fn parameter_of(
    cloud: &dyn Cloud,
    name: &str,
    log: &Log<'_>,
) -> Result<String, RunError> {
    let parameter = cloud.parameter(name).await?;
    log.hidden().mask(&parameter.value, parameter.is_secret);
    Ok(parameter.value)
}

/// The value of a secret, masked from now on.
pub(crate) async fn secret_of(
    cloud: &dyn Cloud,
    reference: &str,
    log: &Log<'_>,
) -> Result<String, RunError> {
    let value = SecretReference::value(reference, cloud).await?;
    log.hidden().mask(&value, true);
    Ok(value)
}

fn of_variable(error: RunError, name: &str) -> RunError {
    error.cause(format!("it is the value of variable `{name}`"))
}
