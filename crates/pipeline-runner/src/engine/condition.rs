use stackway_pipeline_defs::model::{
    BeforeEntry, OnFailure, OnSuccess, Operator, Rule, SkipRule, Stage,
};

use super::{Order, Runner};
use crate::{ErrorKind, Execution, RunError};

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

impl Runner<'_> {
    /// The first rule that does not hold, and why.
    pub(super) async fn broken(
        &self,
        order: &Order,
        stage: &str,
        rules: &[Rule],
        execution: &Execution,
    ) -> Result<Option<String>, RunError> {
        for rule in rules {
            let why = match rule {
                Rule::Skip(SkipRule::VariableCheck {
                    variable,
                    operator,
                    value,
                    ..
                }) => {
                    let found = self.variables(execution).text_if_known(variable)?;
                    let holds = match &found {
                        Some(found) => compare(found, *operator, value)?,
                        None => false,
                    };
                    (!holds).then(|| match found {
                        Some(found) => {
                            format!("`{found}` is not {} `{value}`", word(*operator))
                        }
                        None => format!("{variable} has no value"),
                    })
                }
                Rule::Commands(commands) => self
                    .rule_commands(order, stage, commands, execution)
                    .await?
                    .map(|failure| failure.message),
                other => {
                    return Err(RunError::new(
                        ErrorKind::Definition,
                        format!("rule `{}` does not run on this machine", other.name()),
                    ));
                }
            };
            if let Some(why) = why {
                return Ok(Some(format!("rule {}: {why}", rule.name())));
            }
        }
        Ok(None)
    }
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
