use std::time::Duration;

use chrono::Utc;
use futures::future::try_join_all;
use stackway_pipeline_defs::model::{
    Action, BeforeEntry, CodeBuild, CodeBuildRule, OnFailure, OnSuccess, Operator, Part, Resource,
    Rule, SkipRule, Stage, Text,
};
use tokio::time::Instant;

use super::function::Call;
use super::window::Window;
use super::{Order, Runner};
use crate::{ErrorKind, Event, Execution, Log, RunError};

/// How often an alarm is looked at, and how long a wait for a window lasts at most before the clock is looked at again.
const LOOK: Duration = Duration::from_secs(1);
/// The state that fails a rule where it names none.
const ALARM: &str = "ALARM";

/// All rules of a stage.
pub(super) fn rules(stage: &Stage) -> Vec<Rule> {
    let mut all = stage
        .before_entry
        .as_ref()
        .map(BeforeEntry::rules)
        .unwrap_or_default();
    all.extend(stage.on_success.iter().flat_map(OnSuccess::rules).cloned());
    if let Some(OnFailure::RollbackUnless(rules)) = &stage.on_failure {
        all.extend(rules.iter().cloned());
    }
    all
}

/// The short name of the build that a rule of CodeBuild runs, where it is one of the pipelines' own.
pub(super) fn build_of(rule: &CodeBuildRule) -> Option<&'static str> {
    match rule.project.parts() {
        [Part::Resource(Resource::Build(name))] => Some(name),
        _ => None,
    }
}

impl Runner<'_> {
    /// The first rule that does not hold, and why. Rules are looked at side by side, as CodePipeline does.
    pub(super) async fn broken(
        &self,
        order: &Order,
        stage: &str,
        rules: &[Rule],
        execution: &Execution,
    ) -> Result<Option<String>, RunError> {
        let checks = rules
            .iter()
            .map(|rule| self.why_broken(order, stage, rule, execution));
        let found = try_join_all(checks).await?;
        let mut broken = rules.iter().zip(found);
        Ok(broken.find_map(|(rule, why)| Some(format!("rule {}: {}", rule.name(), why?))))
    }

    /// Why a rule does not hold, if it does not.
    async fn why_broken(
        &self,
        order: &Order,
        stage: &str,
        rule: &Rule,
        execution: &Execution,
    ) -> Result<Option<String>, RunError> {
        let label = format!("{stage}/{}", rule.name());
        if order.skip_rules.contains(&label) {
            let text = format!("rule {label} counts as held: --skip-rule");
            self.watcher.see(&Event::Note { text: &text });
            return Ok(None);
        }
        let log = || {
            let path = self.executions.log(execution, stage, rule.name());
            Log::open(&label, &path, self.watcher)
        };
        match rule {
            Rule::Skip(SkipRule::VariableCheck {
                variable,
                operator,
                value,
                ..
            }) => self.variable(execution, variable, *operator, value),
            Rule::Skip(SkipRule::LambdaInvoke {
                function,
                user_parameters,
                ..
            }) => {
                let call = Call {
                    function,
                    user_parameters: user_parameters.as_ref(),
                    inputs: Vec::new(),
                };
                let called = self.call(order, &call, execution, &log()?).await;
                why_of(called.map(|_| None))
            }
            Rule::Commands(commands) => {
                let log = log()?;
                let run = self.rule_commands(order, stage, commands, execution, &log);
                Ok(run.await?.map(|failure| failure.message))
            }
            Rule::CodeBuild(build) => {
                let log = log()?;
                let run = self.rule_build(order, &label, build, execution, &log);
                why_of(run.await)
            }
            Rule::CloudWatchAlarm {
                alarm,
                states,
                wait_minutes,
                ..
            } => {
                let alarm = self.variables(execution).text(alarm)?;
                self.alarm(&alarm, states, *wait_minutes).await
            }
            Rule::DeploymentWindow {
                cron, time_zone, ..
            } => {
                let window = Window::parse(cron, time_zone.as_deref())?;
                self.window(&label, cron, &window).await
            }
        }
    }

    fn variable(
        &self,
        execution: &Execution,
        variable: &Text,
        operator: Operator,
        value: &str,
    ) -> Result<Option<String>, RunError> {
        let Some(found) = self.variables(execution).text_if_known(variable)? else {
            return Ok(Some(format!("{variable} has no value")));
        };
        let holds = compare(&found, operator, value)?;
        Ok((!holds).then(|| format!("`{found}` is not {} `{value}`", word(operator))))
    }

    /// Runs one of the pipelines' builds in the rule's artifact.
    async fn rule_build(
        &self,
        order: &Order,
        label: &str,
        rule: &CodeBuildRule,
        execution: &Execution,
        log: &Log<'_>,
    ) -> Result<Option<RunError>, RunError> {
        let build = CodeBuild {
            build: build_of(rule).unwrap_or_default(),
            is_test: true,
            primary_source: None,
            environment: Vec::new(),
        };
        let action = Action::new(&rule.name, build.clone()).reads(&rule.input);
        let run = self.code_build(order, label, &action, &build, execution, log);
        Ok(run.await?.failure)
    }

    /// Holds once the alarm is in none of the states, which fail it at the end of its wait.
    ///
    /// See [the rule](https://docs.aws.amazon.com/codepipeline/latest/userguide/rule-reference-CloudWatchAlarm.html).
    async fn alarm(
        &self,
        alarm: &str,
        states: &[String],
        wait_minutes: Option<u32>,
    ) -> Result<Option<String>, RunError> {
        let fails = |state: &str| match states {
            [] => state == ALARM,
            some => some.iter().any(|one| one == state),
        };
        let wait = Duration::from_secs(u64::from(wait_minutes.unwrap_or(0)) * 60);
        let deadline = Instant::now() + wait;
        loop {
            let state = self.cloud.alarm_state(alarm).await?;
            if !fails(&state) {
                return Ok(None);
            }
            if Instant::now() + LOOK > deadline {
                return Ok(Some(format!("alarm `{alarm}` is in {state}")));
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Waits until the window is open.
    async fn window(
        &self,
        label: &str,
        cron: &str,
        window: &Window,
    ) -> Result<Option<String>, RunError> {
        let mut is_told = false;
        loop {
            let now = Utc::now();
            let Some(opens) = window.opens(now) else {
                return Ok(Some(format!("`{cron}` never comes again")));
            };
            let Ok(left) = (opens - now).to_std() else {
                return Ok(None);
            };
            if left.is_zero() {
                return Ok(None);
            }
            if !is_told {
                is_told = true;
                let text = format!(
                    "waits for the deployment window of {label}, which opens at {}; `--skip-rule {label}` goes on without it",
                    opens.format("%Y-%m-%d %H:%M UTC")
                );
                self.watcher.see(&Event::Note { text: &text });
            }
            tokio::time::sleep(left.min(LOOK)).await;
        }
    }
}

/// A failure of what a rule runs breaks the rule; that it could not be run is an error.
fn why_of(result: Result<Option<RunError>, RunError>) -> Result<Option<String>, RunError> {
    let failure = match result {
        Ok(failure) => failure,
        Err(error) if error.kind == ErrorKind::Failed => Some(error),
        Err(error) => return Err(error),
    };
    Ok(failure.map(|error| match error.causes.first() {
        Some(cause) => format!("{}: {cause}", error.message),
        None => error.message,
    }))
}
fn word(operator: Operator) -> &'static str {
    match operator {
        Operator::Equals => "equal to",
        Operator::NotEquals => "different from",
        Operator::Contains => "a text that contains",
        Operator::Matches => "a match of",
    }
}

fn compare(found: &str, operator: Operator, value: &str) -> Result<bool, RunError> {
    Ok(match operator {
        Operator::Equals => found == value,
        Operator::NotEquals => found != value,
        Operator::Contains => found.contains(value),
        Operator::Matches => regex_lite::Regex::new(&format!("^(?:{value})$"))
            .map_err(|error| {
                RunError::new(
                    ErrorKind::Definition,
                    format!("`{value}` is no regular expression"),
                )
                .cause(error.to_string())
            })?
            .is_match(found),
    })
}
