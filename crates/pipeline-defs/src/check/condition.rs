use std::ops::RangeInclusive;

use super::{Faults, action, name, repeated};
use crate::model::{Draft, OnFailure, Rule, Stage};

const RULES: RangeInclusive<usize> = 1..=5;
const COMMANDS: RangeInclusive<usize> = 1..=50;
const STATES: [&str; 3] = ["ALARM", "OK", "INSUFFICIENT_DATA"];

pub(super) fn check(draft: &Draft, stage: &Stage, faults: &mut Faults) {
    let before = stage
        .before_entry
        .as_ref()
        .map(|condition| ("before entry", condition.rules()));
    let success = stage
        .on_success
        .as_ref()
        .map(|condition| ("on success", condition.rules().to_vec()));
    let failure = match &stage.on_failure {
        Some(OnFailure::RollbackUnless(rules)) => Some(("on failure", rules.clone())),
        _ => None,
    };
    for (when, rules) in before.into_iter().chain(success).chain(failure) {
        if !RULES.contains(&rules.len()) {
            faults.add(format!(
                "has {} rules {when}; a condition takes 1 to 5",
                rules.len()
            ));
        }
        for twice in repeated(rules.iter().map(Rule::name)) {
            faults.add(format!("two rules {when} are called `{twice}`"));
        }
        for rule in &rules {
            self::rule(draft, rule, faults);
        }
    }
}

fn rule(draft: &Draft, rule: &Rule, faults: &mut Faults) {
    faults.at(rule.name());
    name::rule(rule.name(), faults);
    action::values(&rule.configuration(), faults);
    match rule {
        Rule::Commands(_) => {
            if !COMMANDS.contains(&rule.commands().len()) {
                faults.add(format!(
                    "has {} commands; a rule takes 1 to 50",
                    rule.commands().len()
                ));
            }
            for command in rule.commands() {
                action::one_command(&command.to_string(), faults);
            }
        }
        Rule::CloudWatchAlarm { states, .. } => {
            for state in states
                .iter()
                .filter(|state| !STATES.contains(&state.as_str()))
            {
                faults.add(format!(
                    "`{state}` is no state of an alarm: {}",
                    STATES.join(", ")
                ));
            }
        }
        Rule::DeploymentWindow { cron, .. } => {
            let fields = cron.split_whitespace().count();
            if !(6..=7).contains(&fields) {
                faults.add(format!(
                    "cron expression `{cron}` has {fields} fields; it takes 6 or 7"
                ));
            }
        }
        Rule::Skip(_) | Rule::CodeBuild(_) => {}
    }
    if let Some(input) = rule.input() {
        let makes = |stage: &Stage| {
            stage
                .actions
                .iter()
                .flat_map(|action| &action.outputs)
                .any(|output| output.name == input)
        };
        let made = draft.sources.iter().any(|source| source.output == input)
            || draft.stages.iter().any(makes);
        if !made {
            faults.add(format!("reads artifact `{input}`, which nothing makes"));
        }
    }
    faults.action = None;
}
