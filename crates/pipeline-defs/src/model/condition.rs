use super::Text;

/// What must hold before a stage is entered.
///
/// See [stage conditions](https://docs.aws.amazon.com/codepipeline/latest/userguide/stage-conditions.html).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BeforeEntry {
    /// The execution fails where a rule does not hold.
    Fail(Vec<Rule>),
    /// The stage is skipped where a rule does not hold.
    Skip(Vec<SkipRule>),
}

/// What must hold after a stage has succeeded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OnSuccess {
    /// The stage counts as failed where a rule does not hold.
    Fail(Vec<Rule>),
    /// The stage is rolled back where a rule does not hold.
    Rollback(Vec<Rule>),
}

/// What is done about a stage that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OnFailure {
    /// The stage runs again with what the last successful execution had. That is the whole stage and nothing else: so
    /// what makes a change and what proves it belong into one stage.
    Rollback,
    /// The same, where a rule does not hold.
    RollbackUnless(Vec<Rule>),
    /// The stage is tried once more.
    Retry(RetryMode),
}

/// What a retry repeats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetryMode {
    /// The actions that failed.
    FailedActions,
    /// All actions of the stage.
    AllActions,
}

/// A rule of a condition.
///
/// See [rules](https://docs.aws.amazon.com/codepipeline/latest/userguide/rule-reference.html).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rule {
    /// One that may also decide whether a stage is skipped.
    Skip(SkipRule),
    /// An alarm is not in these states for so long.
    CloudWatchAlarm {
        /// The rule's name.
        name: String,
        /// The alarm's name.
        alarm: Text,
        /// The states that fail the rule: `ALARM`, `OK`, `INSUFFICIENT_DATA`.
        states: Vec<String>,
        /// Minutes that the alarm is watched.
        wait_minutes: Option<u32>,
    },
    /// A build succeeds.
    CodeBuild(CodeBuildRule),
    /// Commands succeed.
    Commands(CommandsRule),
    /// The time fits a cron expression.
    DeploymentWindow {
        /// The rule's name.
        name: String,
        /// Six or seven fields.
        cron: String,
        /// An offset or a region: `UTC`, `Europe/London`.
        time_zone: Option<String>,
    },
}

/// A rule that can decide whether a stage is skipped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SkipRule {
    /// A function returns without an error.
    LambdaInvoke {
        /// The rule's name.
        name: String,
        /// The function's name.
        function: Text,
        /// What it gets.
        user_parameters: Option<Text>,
    },
    /// A variable compares to a value. One that has no value does not.
    VariableCheck {
        /// The rule's name.
        name: String,
        /// The variable, as a text that holds it.
        variable: Text,
        /// How it compares.
        operator: Operator,
        /// The value.
        value: String,
    },
}

/// How a variable is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    /// It is the value.
    Equals,
    /// It is not the value.
    NotEquals,
    /// It contains the value.
    Contains,
    /// It matches the value as a regular expression in Java's syntax.
    Matches,
}

/// A build as a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodeBuildRule {
    /// The rule's name.
    pub name: String,
    /// The CodeBuild project's name.
    pub project: Text,
    /// The artifact that it reads.
    pub input: String,
}

/// Commands as a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandsRule {
    /// The rule's name.
    pub name: String,
    /// 1 to 50 commands, of one line each.
    pub commands: Vec<Text>,
    /// The artifact that they run in.
    pub input: String,
}

impl Operator {
    /// What CodePipeline calls it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Equals => "EQ",
            Self::NotEquals => "NE",
            Self::Contains => "CONTAINS",
            Self::Matches => "MATCHES",
        }
    }
}

impl RetryMode {
    /// What CodePipeline calls it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::FailedActions => "FAILED_ACTIONS",
            Self::AllActions => "ALL_ACTIONS",
        }
    }
}

impl BeforeEntry {
    /// Its rules.
    pub fn rules(&self) -> Vec<Rule> {
        match self {
            Self::Fail(rules) => rules.clone(),
            Self::Skip(rules) => rules.iter().cloned().map(Rule::Skip).collect(),
        }
    }

    /// What happens where a rule does not hold, as CodePipeline calls it.
    pub fn result(&self) -> &'static str {
        match self {
            Self::Fail(_) => "FAIL",
            Self::Skip(_) => "SKIP",
        }
    }
}

impl OnSuccess {
    /// Its rules.
    pub fn rules(&self) -> &[Rule] {
        match self {
            Self::Fail(rules) | Self::Rollback(rules) => rules,
        }
    }

    /// What happens where a rule does not hold, as CodePipeline calls it.
    pub fn result(&self) -> &'static str {
        match self {
            Self::Fail(_) => "FAIL",
            Self::Rollback(_) => "ROLLBACK",
        }
    }
}

impl Rule {
    /// Its name.
    pub fn name(&self) -> &str {
        match self {
            Self::Skip(
                SkipRule::LambdaInvoke { name, .. } | SkipRule::VariableCheck { name, .. },
            )
            | Self::CloudWatchAlarm { name, .. }
            | Self::DeploymentWindow { name, .. } => name,
            Self::CodeBuild(rule) => &rule.name,
            Self::Commands(rule) => &rule.name,
        }
    }

    /// What CodePipeline calls it.
    pub fn provider(&self) -> &'static str {
        match self {
            Self::Skip(SkipRule::LambdaInvoke { .. }) => "LambdaInvoke",
            Self::Skip(SkipRule::VariableCheck { .. }) => "VariableCheck",
            Self::CloudWatchAlarm { .. } => "CloudWatchAlarm",
            Self::CodeBuild(_) => "CodeBuild",
            Self::Commands(_) => "Commands",
            Self::DeploymentWindow { .. } => "DeploymentWindow",
        }
    }

    /// Its configuration, by CodePipeline's keys.
    pub fn configuration(&self) -> Vec<(&'static str, Text)> {
        let mut all = Vec::new();
        match self {
            Self::Skip(SkipRule::LambdaInvoke {
                function,
                user_parameters,
                ..
            }) => {
                all.push(("FunctionName", function.clone()));
                all.extend(user_parameters.clone().map(|text| ("UserParameters", text)));
            }
            Self::Skip(SkipRule::VariableCheck {
                variable,
                operator,
                value,
                ..
            }) => {
                all.push(("Variable", variable.clone()));
                all.push(("Value", value.as_str().into()));
                all.push(("Operator", operator.as_str().into()));
            }
            Self::CloudWatchAlarm {
                alarm,
                states,
                wait_minutes,
                ..
            } => {
                all.push(("AlarmName", alarm.clone()));
                if !states.is_empty() {
                    all.push(("AlarmStates", states.join(",").into()));
                }
                all.extend(wait_minutes.map(|minutes| ("WaitTime", minutes.to_string().into())));
            }
            Self::CodeBuild(rule) => all.push(("ProjectName", rule.project.clone())),
            Self::Commands(_) => {}
            Self::DeploymentWindow {
                cron, time_zone, ..
            } => {
                all.push(("Cron", cron.as_str().into()));
                all.extend(time_zone.as_deref().map(|zone| ("TimeZone", zone.into())));
            }
        }
        all
    }

    /// The commands that it runs, if it does.
    pub fn commands(&self) -> &[Text] {
        match self {
            Self::Commands(rule) => &rule.commands,
            _ => &[],
        }
    }

    /// The artifact that it reads, if it does.
    pub fn input(&self) -> Option<&str> {
        match self {
            Self::CodeBuild(rule) => Some(&rule.input),
            Self::Commands(rule) => Some(&rule.input),
            _ => None,
        }
    }
}
