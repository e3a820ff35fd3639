//! The rules in cfn-guard's language, evaluated in this process.
//!
//! See [cfn-guard](https://docs.aws.amazon.com/cfn-guard/latest/ug/writing-rules.html).

use std::collections::BTreeSet;
use std::path::Path;

use cfn_guard::{ValidateInput, run_checks};
use serde_json::Value;
use stackway_infra::template::Template;

use super::{Breach, files};
use crate::failure::{Failure, Kind};

/// Files of rules.
pub(crate) struct Rules(Vec<(String, String)>);

impl Rules {
    /// The rules of a folder.
    pub(crate) fn load(folder: &Path) -> Result<Self, Failure> {
        let mut all = Vec::new();
        for path in files(folder, "guard")? {
            let text = std::fs::read_to_string(&path)
                .map_err(|error| Failure::io("read", &path, &error))?;
            all.push((path.display().to_string(), text));
        }
        Ok(Self(all))
    }

    /// Every rule's name, those that are not cfn-guard's among them.
    pub(crate) fn names(&self) -> BTreeSet<String> {
        let written = self.0.iter().flat_map(|(_, text)| {
            text.lines()
                .filter_map(|line| line.strip_prefix("rule "))
                .filter_map(|rest| rest.split_whitespace().next())
        });
        written
            .chain(super::iam::RULES)
            .map(str::to_owned)
            .collect()
    }

    /// What the rules have against a template.
    pub(super) fn breaches(&self, file: &str, template: &Template) -> Result<Vec<Breach>, Failure> {
        let mut all = Vec::new();
        for (name, rules) in &self.0 {
            let refused = |why: String| {
                Failure::new(
                    Kind::Configuration,
                    format!("cfn-guard cannot hold `{file}` against `{name}`"),
                )
                .cause(why)
            };
            let report = run_checks(
                ValidateInput {
                    content: &template.text,
                    file_name: file,
                },
                ValidateInput {
                    content: rules,
                    file_name: name,
                },
                false,
            )
            .map_err(|error| refused(error.to_string()))?;
            let report: Value =
                serde_json::from_str(&report).map_err(|error| refused(error.to_string()))?;
            for rule in report["not_compliant"].as_array().into_iter().flatten() {
                let rule = &rule["Rule"];
                let name = rule["name"].as_str().unwrap_or_default();
                clauses(name, &rule["checks"], &mut all);
            }
        }
        Ok(all)
    }
}

/// The clauses of a report that do not hold: each has its check, with the path that it came to, and its message.
fn clauses(rule: &str, value: &Value, all: &mut Vec<Breach>) {
    match value {
        Value::Array(values) => values.iter().for_each(|value| clauses(rule, value, all)),
        Value::Object(object) => {
            let message = object
                .get("messages")
                .and_then(|messages| messages["custom_message"].as_str())
                .filter(|message| !message.is_empty());
            if let Some(message) = message {
                // A check of something that is not there at all came to no path.
                let check = object.get("check");
                let path: Vec<_> = check
                    .and_then(first_path)
                    .unwrap_or("/Resources")
                    .split('/')
                    .filter(|key| !key.is_empty())
                    .map(str::to_owned)
                    .collect();
                let (reason, fix) = message.split_once('|').unwrap_or((message, ""));
                all.push(Breach {
                    rule: rule.to_owned(),
                    resource: path.get(1).cloned().unwrap_or_default(),
                    path,
                    reason: reason.trim().to_owned(),
                    fix: fix.trim().to_owned(),
                });
            } else {
                object.values().for_each(|value| clauses(rule, value, all));
            }
        }
        _ => {}
    }
}

/// The first path that a check names.
fn first_path(value: &Value) -> Option<&str> {
    match value {
        Value::Object(object) => object
            .get("path")
            .and_then(Value::as_str)
            .or_else(|| object.values().find_map(first_path)),
        Value::Array(values) => values.iter().find_map(first_path),
        _ => None,
    }
}
