//! What a template allows against a rule, with a reason: `Metadata: {Stackway: {Allowed: [{Rule: …, Reason: …}]}}`.

use std::collections::BTreeSet;

use serde_json::Value;
use stackway_infra::template::Template;

use super::{Breach, Finding};

/// The findings that nothing allows, and those on what is allowed: without a reason, of no rule, or of a rule that has
/// nothing against the resource.
pub(super) fn without(
    file: &str,
    template: &Template,
    breaches: Vec<Breach>,
    rules: &BTreeSet<String>,
) -> Vec<Finding> {
    let mut found = Vec::new();
    for (id, resource) in &template.resources {
        let of_resource = |rule: &str, reason: String, fix: &str| Finding {
            file: file.to_owned(),
            line: template.line_of(&["Resources", id, "Metadata"]),
            rule: rule.to_owned(),
            resource: Some(id.clone()),
            reason,
            fix: fix.to_owned(),
        };
        for (rule, reason) in allowed(&resource.metadata) {
            if !rules.contains(rule) {
                found.push(of_resource(
                    "allowed",
                    format!("no rule is called `{rule}`"),
                    "correct the name, or remove it from Allowed",
                ));
            } else if reason.trim().is_empty() {
                found.push(of_resource(
                    "allowed",
                    format!("`{rule}` is allowed without a reason"),
                    "add the Reason",
                ));
            } else if !breaches
                .iter()
                .any(|breach| breach.resource == *id && breach.rule == rule)
            {
                found.push(of_resource(
                    "allowed",
                    format!("`{rule}` has nothing against it"),
                    "remove it from Allowed",
                ));
            }
        }
    }
    let left = breaches.into_iter().filter(|breach| {
        let metadata = template.resources.get(&breach.resource);
        !metadata.is_some_and(|resource| {
            allowed(&resource.metadata)
                .any(|(rule, reason)| rule == breach.rule && !reason.trim().is_empty())
        })
    });
    found.extend(left.map(|breach| {
        let path: Vec<_> = breach.path.iter().map(String::as_str).collect();
        Finding {
            file: file.to_owned(),
            line: template.line_of(&path),
            rule: breach.rule,
            resource: Some(breach.resource).filter(|id| !id.is_empty()),
            reason: breach.reason,
            fix: breach.fix,
        }
    }));
    found.sort_by(|a, b| (a.line, &a.rule, &a.reason).cmp(&(b.line, &b.rule, &b.reason)));
    found.dedup();
    found
}

/// Each rule that a resource allows, with its reason.
fn allowed(metadata: &Value) -> impl Iterator<Item = (&str, &str)> {
    let list = metadata["Stackway"]["Allowed"].as_array();
    list.into_iter().flatten().map(|one| {
        let text = |key: &str| one[key].as_str().unwrap_or_default();
        (text("Rule"), text("Reason"))
    })
}
