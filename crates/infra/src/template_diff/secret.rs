//! What is a secret, and is therefore never shown.

use std::collections::BTreeMap;

use serde_json::Value;

use super::value::Step;

/// What stands in place of a secret; CloudFormation writes the same for a `NoEcho` parameter.
pub const MASK: &str = "****";

/// Words in a name that make its value a secret.
const WORDS: &[&str] = &[
    "password",
    "passwd",
    "passphrase",
    "secret",
    "token",
    "credential",
    "apikey",
    "privatekey",
    "accesskey",
];

/// Ends of a name whose value says where a secret is, or how it is treated, and not what it is.
const NOT_SECRET: &[&str] = &[
    "arn", "arns", "id", "ids", "name", "names", "type", "url", "uri", "ttl", "policy", "version",
    "days", "hours", "minutes", "seconds", "secrets", "enabled",
];

/// Dynamic references whose value is a secret.
///
/// See [dynamic references](https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references.html).
const REFERENCES: &[&str] = &["{{resolve:secretsmanager:", "{{resolve:ssm-secure:"];

/// Whether what has this name is a secret: `DbPassword` is, `DbPasswordSecretArn` is not, nor is the key of a policy's
/// condition such as `token.actions.githubusercontent.com:sub`.
pub fn is_secret_name(name: &str) -> bool {
    let plain: String = name
        .chars()
        .filter(|one| !matches!(one, '_' | '-'))
        .flat_map(char::to_lowercase)
        .collect();
    !plain.contains(':')
        && WORDS.iter().any(|word| plain.contains(word))
        && !NOT_SECRET.iter().any(|end| plain.ends_with(end))
}

/// The value, its keys in order, with every secret in it masked: by the names of its keys, by dynamic references, and in the
/// `{Name, Value}` pairs that environments are written in.
pub fn masked(value: Value) -> Value {
    walk(value, false)
}

/// The value at the end of a path, masked where the path names a secret.
pub fn masked_at(path: &[Step], value: Option<Value>) -> Option<Value> {
    let secret = path.iter().enumerate().any(|(at, step)| match step {
        Step::Key(key) => is_secret_name(key),
        // `Environment[DB_PASSWORD].Value`; a statement may be called what it likes.
        Step::Item {
            name: Some(name), ..
        } => is_secret_name(name) && path.get(at + 1) == Some(&Step::Key("Value".to_owned())),
        Step::Item { .. } => false,
    });
    value.map(|value| walk(value, secret))
}

fn walk(value: Value, secret: bool) -> Value {
    match value {
        Value::String(text) => {
            let reference = REFERENCES.iter().any(|start| text.contains(start));
            Value::String(if secret || reference {
                MASK.to_owned()
            } else {
                text
            })
        }
        Value::Number(_) if secret => Value::String(MASK.to_owned()),
        Value::Array(items) => items.into_iter().map(|item| walk(item, secret)).collect(),
        Value::Object(entries) => {
            let named = ["Name", "Key", "ParameterKey"]
                .iter()
                .filter_map(|key| entries.get(*key)?.as_str())
                .any(is_secret_name);
            // In the order of the keys, whatever order the JSON library keeps.
            let ordered: BTreeMap<_, _> = entries.into_iter().collect();
            ordered
                .into_iter()
                .map(|(key, value)| {
                    let hide = secret || is_secret_name(&key) || (named && key.ends_with("Value"));
                    let value = walk(value, hide);
                    (key, value)
                })
                .collect()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => value,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn names_of_secrets() {
        for (name, expected) in [
            ("DbPassword", true),
            ("DB_PASSWORD", true),
            ("api-key", true),
            ("SecretString", true),
            ("AuthToken", true),
            ("TokenSecretArn", false),
            ("SecretId", false),
            ("Secrets", false),
            ("PasswordPolicy", false),
            ("token.actions.githubusercontent.com:sub", false),
            ("Key", false),
            ("TableName", false),
        ] {
            assert_eq!(is_secret_name(name), expected, "{name}");
        }
    }

    #[test]
    fn secrets_are_masked_wherever_they_are() {
        for (value, expected) in [
            (
                json!({"MasterUserPassword": "x"}),
                json!({"MasterUserPassword": MASK}),
            ),
            (
                json!({"Variables": {"API_TOKEN": "x", "LEVEL": "info"}}),
                json!({"Variables": {"API_TOKEN": MASK, "LEVEL": "info"}}),
            ),
            (
                json!([{"Name": "PASSWORD", "Value": "x"}]),
                json!([{"Name": "PASSWORD", "Value": MASK}]),
            ),
            (
                json!([{"Name": "LEVEL", "Value": "x"}]),
                json!([{"Name": "LEVEL", "Value": "x"}]),
            ),
            (
                json!({"A": "{{resolve:secretsmanager:s:SecretString:p}}"}),
                json!({"A": MASK}),
            ),
            (
                json!({"A": "x{{resolve:ssm-secure:/p:1}}"}),
                json!({"A": MASK}),
            ),
            (
                json!({"A": "{{resolve:ssm:/p:1}}"}),
                json!({"A": "{{resolve:ssm:/p:1}}"}),
            ),
            (
                json!({"Secret": {"A": ["x", 1, true]}}),
                json!({"Secret": {"A": [MASK, MASK, true]}}),
            ),
            (
                json!({"GenerateSecret": true}),
                json!({"GenerateSecret": true}),
            ),
        ] {
            assert_eq!(masked(value), expected);
        }
    }

    #[test]
    fn a_path_can_name_a_secret() {
        let key = |key: &str| Step::Key(key.to_owned());
        let item = |name: &str| Step::Item {
            name: Some(name.to_owned()),
            before: None,
            after: None,
        };
        for (path, expected) in [
            (vec![key("Environment"), key("DB_PASSWORD")], MASK),
            (vec![item("DB_PASSWORD"), key("Value")], MASK),
            (vec![item("ReadsSecret"), key("Action")], "x"),
            (vec![key("Description")], "x"),
        ] {
            assert_eq!(
                masked_at(&path, Some(json!("x"))),
                Some(json!(expected)),
                "{path:?}"
            );
        }
    }
}
