//! Statements of policies, wherever in a resource they stand.

use serde_json::{Map, Value};
use stackway_infra::template::Template;

use super::Breach;

pub(super) const RULES: [&str; 4] = [
    "iam_names_its_actions",
    "iam_names_its_resources",
    "iam_passes_roles_to_a_service",
    "iam_trusts_nobody_in_particular",
];

/// Actions that AWS lets nobody narrow to a resource, or that ask for what has no ARN yet.
///
/// Source: the tables of the
/// [Service Authorization Reference](https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html).
const WITHOUT_ARN: &[&str] = &[
    "ce:CreateAnomalyMonitor",
    "ce:CreateAnomalySubscription",
    "cloudformation:GetTemplateSummary",
    "cloudformation:ListStacks",
    "cloudformation:ValidateTemplate",
    "cloudwatch:PutMetricData",
    "ecr:GetAuthorizationToken",
    "kms:CreateKey",
    "logs:CreateLogDelivery",
    "logs:DeleteLogDelivery",
    "logs:DescribeLogGroups",
    "logs:DescribeResourcePolicies",
    "logs:GetLogDelivery",
    "logs:ListLogDeliveries",
    "logs:PutResourcePolicy",
    "logs:UpdateLogDelivery",
    "secretsmanager:GetRandomPassword",
    "xray:GetSamplingRules",
    "xray:GetSamplingTargets",
    "xray:PutTelemetryRecords",
    "xray:PutTraceSegments",
];

/// What the statements of a template's resources allow too widely.
pub(super) fn breaches(template: &Template) -> Vec<Breach> {
    let mut all = Vec::new();
    for (id, resource) in &template.resources {
        let mut path = vec!["Resources".to_owned(), id.clone(), "Properties".to_owned()];
        walk(&resource.properties, &mut path, &mut |statement, path| {
            for (rule, reason, fix) in wide(statement) {
                all.push(Breach {
                    rule: rule.to_owned(),
                    resource: id.clone(),
                    path: path.to_vec(),
                    reason,
                    fix: fix.to_owned(),
                });
            }
        });
    }
    all
}

/// Takes a statement, and the keys that lead to it.
type Found<'a> = dyn FnMut(&Map<String, Value>, &[String]) + 'a;

/// Every statement under a value: an object with an effect and actions.
fn walk(value: &Value, path: &mut Vec<String>, found: &mut Found<'_>) {
    match value {
        Value::Object(object) => {
            if object.contains_key("Effect")
                && (object.contains_key("Action") || object.contains_key("NotAction"))
            {
                found(object, path);
                return;
            }
            for (key, value) in object {
                path.push(key.clone());
                walk(value, path, found);
                path.pop();
            }
        }
        Value::Array(values) => values.iter().for_each(|value| walk(value, path, found)),
        _ => {}
    }
}

/// What is too wide in a statement that allows: rule, reason and fix.
fn wide(statement: &Map<String, Value>) -> Vec<(&'static str, String, &'static str)> {
    let mut found = Vec::new();
    if statement.get("Effect").and_then(Value::as_str) != Some("Allow") {
        return found;
    }
    let sid = statement.get("Sid").and_then(Value::as_str).map_or_else(
        || "a statement".to_owned(),
        |sid| format!("statement `{sid}`"),
    );
    let actions = texts(statement.get("Action"));
    let of_resource = statement.contains_key("Principal");
    if statement.contains_key("NotAction") {
        found.push((
            RULES[0],
            format!("{sid} allows all but some actions"),
            "name the actions that are needed",
        ));
    }
    if let Some(action) = actions
        .iter()
        .find(|action| **action == "*" || action.ends_with(":*"))
    {
        found.push((
            RULES[0],
            format!("{sid} allows `{action}`"),
            "name the actions that are needed",
        ));
    }
    let everything =
        texts(statement.get("Resource")).contains(&"*") || statement.contains_key("NotResource");
    if everything && !of_resource {
        let narrow = actions.iter().find(|action| !WITHOUT_ARN.contains(action));
        if let Some(action) = narrow {
            found.push((
                RULES[1],
                format!("{sid} allows `{action}` on every resource"),
                "name the resources; an action that takes none goes to WITHOUT_ARN, or is allowed with a reason",
            ));
        }
    }
    let passes = actions.iter().any(|action| {
        let action = action.to_ascii_lowercase();
        matches!(
            action.as_str(),
            "iam:passrole" | "iam:pass*" | "iam:*" | "*"
        )
    });
    if passes && !mentions(statement.get("Condition"), "iam:PassedToService") {
        found.push((
            RULES[2],
            format!("{sid} passes roles to any service"),
            "add a condition on iam:PassedToService",
        ));
    }
    if everybody(statement.get("Principal")) && !statement.contains_key("Condition") {
        found.push((
            RULES[3],
            format!("{sid} allows everybody"),
            "name the principal, or add a condition",
        ));
    }
    found
}

/// The texts of a value that is one or a list of them.
fn texts(value: Option<&Value>) -> Vec<&str> {
    match value {
        Some(Value::Array(values)) => values.iter().filter_map(Value::as_str).collect(),
        Some(value) => value.as_str().into_iter().collect(),
        None => Vec::new(),
    }
}

fn everybody(principal: Option<&Value>) -> bool {
    match principal {
        Some(Value::Object(of)) => texts(of.get("AWS")).contains(&"*"),
        other => texts(other).contains(&"*"),
    }
}

/// Whether a condition is on this key.
fn mentions(condition: Option<&Value>, key: &str) -> bool {
    let Some(Value::Object(operators)) = condition else {
        return false;
    };
    operators.values().any(|keys| {
        keys.as_object()
            .is_some_and(|keys| keys.keys().any(|one| one.eq_ignore_ascii_case(key)))
    })
}
