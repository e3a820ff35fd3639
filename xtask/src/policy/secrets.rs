//! Text that looks like a secret. What is found is never shown.

use std::sync::LazyLock;

use regex_lite::Regex;

use super::Finding;

pub(super) const RULE: &str = "no_secret_is_written_down";

/// The forms of secrets that tell what they are, as their issuers document them.
static FORMS: LazyLock<Vec<(&str, Regex)>> = LazyLock::new(|| {
    [
        ("an access key of AWS", r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"),
        ("a private key", r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----"),
        ("a token of GitHub", r"\b(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{22,})"),
        ("a token of Slack", r"\bxox[abprs]-[A-Za-z0-9-]{10,}"),
        (
            "a value with a secret's name",
            r#"(?i)\b(?:[a-z]+[_-]?)?(?:secret|password|passwd|token|api[_-]?key)["']?\s*[:=]\s*["']?[A-Za-z0-9/+=_-]{20,}["']?\s*$"#,
        ),
    ]
    .into_iter()
    .filter_map(|(what, pattern)| Some((what, Regex::new(pattern).ok()?)))
    .collect()
});

/// The lines of a text that hold what looks like a secret.
pub(super) fn findings(file: &str, text: &str) -> Vec<Finding> {
    let mut found = Vec::new();
    for (number, line) in text.lines().enumerate() {
        if let Some((what, _)) = FORMS.iter().find(|(_, form)| form.is_match(line)) {
            found.push(Finding {
                file: file.to_owned(),
                line: Some(number + 1),
                rule: RULE.to_owned(),
                resource: None,
                reason: format!("it looks like {what}"),
                fix: "keep it in Secrets Manager, and revoke it if it was committed".to_owned(),
            });
        }
    }
    found
}
