//! The rules in cfn-guard's language, evaluated in this process.
//!
//! See [cfn-guard](https://docs.aws.amazon.com/cfn-guard/latest/ug/writing-rules.html).

use std::collections::BTreeSet;
use std::io::Cursor;
use std::path::Path;

use cfn_guard::commands::validate::{OutputFormatType, ShowSummaryType};
use cfn_guard::commands::{Executable as _, FAILURE_STATUS_CODE, SUCCESS_STATUS_CODE};
use cfn_guard::utils::reader::{ReadBuffer, Reader};
use cfn_guard::utils::writer::{WriteBuffer, Writer};
use cfn_guard::{CommandBuilder as _, ValidateBuilder};
use serde_json::{Map, Value, json};
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
        let resources = resources(template);
        // One by one: beside findings of another file, a file that cannot be read would go unheard.
        for (name, rules) in &self.0 {
            let refused = |why: String| {
                Failure::new(
                    Kind::Configuration,
                    format!("cfn-guard cannot hold `{file}` against `{name}`"),
                )
                .cause(why)
            };
            let report = validate(&json!({ "data": [resources], "rules": [rules] }))
                .map_err(|error| refused(error.to_string()))?
                .map_err(refused)?;
            let report: Value =
                serde_json::from_str(&report).map_err(|error| refused(error.to_string()))?;
            let reports = report.as_array().into_iter().flatten();
            let broken = reports.filter_map(|report| report["not_compliant"].as_array());
            for rule in broken.flatten() {
                let rule = &rule["Rule"];
                let name = rule["name"].as_str().unwrap_or_default();
                clauses(name, &rule["checks"], &mut all);
            }
        }
        Ok(all)
    }
}

/// Runs cfn-guard's `validate` over a payload and returns its report, or what it says against the rules themselves.
///
/// `run_checks`, which is made for this, loses all but the last 8 KiB of a report (3.2.1).
fn validate(payload: &Value) -> Result<Result<String, String>, cfn_guard::Error> {
    let command = ValidateBuilder::default()
        .payload(true)
        .structured(true)
        .output_format(OutputFormatType::JSON)
        .show_summary(vec![ShowSummaryType::None])
        .try_build()?;
    let mut reader = Reader::new(ReadBuffer::Cursor(Cursor::new(
        payload.to_string().into_bytes(),
    )));
    let memory = || WriteBuffer::Vec(Vec::new());
    let mut writer = Writer::new_with_err(memory(), memory())?;
    let code = command.execute(&mut writer, &mut reader)?;
    Ok(match code {
        SUCCESS_STATUS_CODE | FAILURE_STATUS_CODE => Ok(writer.into_string()?),
        _ => Err(writer.err_to_stripped()?.trim().to_owned()),
    })
}

/// The resources as JSON: cfn-guard does not read all that YAML may be.
fn resources(template: &Template) -> String {
    let resources = template.resources.iter().map(|(id, resource)| {
        let mut all = Map::from_iter([("Type".to_owned(), json!(resource.resource_type))]);
        let policies = [
            ("DeletionPolicy", &resource.deletion_policy),
            ("UpdateReplacePolicy", &resource.update_replace_policy),
        ];
        for (name, policy) in policies {
            all.extend(
                policy
                    .as_ref()
                    .map(|policy| (name.to_owned(), json!(policy))),
            );
        }
        if !resource.properties.is_null() {
            all.insert("Properties".to_owned(), resource.properties.clone());
        }
        (id.clone(), Value::Object(all))
    });
    json!({ "Resources": resources.collect::<Map<_, _>>() }).to_string()
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
