use std::collections::BTreeSet;

use serde_json::{Value, json};

/// A stack policy that denies the replacement and the deletion of resources that hold data.
///
/// CloudFormation enforces it in every update, whoever makes it: see
/// [Prevent updates to stack resources](https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/protect-stack-resources.html).
/// It names types and not resources, so that one which a later template drops is still covered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StackPolicy(Value);

impl StackPolicy {
    /// The policy for these types; `except` are logical ids that may be replaced or deleted all the same.
    pub fn protecting(types: &[&str], except: &BTreeSet<String>) -> Self {
        let mut deny = json!({
            "Effect": "Deny",
            "Principal": "*",
            "Action": ["Update:Replace", "Update:Delete"],
            "Condition": { "StringEquals": { "ResourceType": types } },
        });
        if except.is_empty() {
            deny["Resource"] = json!("*");
        } else {
            let named = except.iter().map(|id| format!("LogicalResourceId/{id}"));
            deny["NotResource"] = named.collect();
        }
        // What a policy does not allow it denies.
        let allow =
            json!({ "Effect": "Allow", "Principal": "*", "Action": "Update:*", "Resource": "*" });
        Self(json!({ "Statement": [deny, allow] }))
    }

    /// Whether a stack's policy document says the same.
    pub fn is(&self, document: &str) -> bool {
        serde_json::from_str::<Value>(document).is_ok_and(|value| value == self.0)
    }

    /// The document.
    pub fn document(&self) -> String {
        self.0.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TYPES: [&str; 2] = ["AWS::DynamoDB::Table", "AWS::S3::Bucket"];

    #[track_caller]
    fn check(except: &[&str], key: &str, value: Value) {
        let except = except.iter().map(|&id| id.to_owned()).collect();
        let policy = StackPolicy::protecting(&TYPES, &except);
        let document: Value = serde_json::from_str(&policy.document()).unwrap();
        let [deny, allow] = document["Statement"].as_array().unwrap().as_slice() else {
            panic!("{document}")
        };
        let mut expected = json!({
            "Effect": "Deny",
            "Principal": "*",
            "Action": ["Update:Replace", "Update:Delete"],
            "Condition": {
                "StringEquals": { "ResourceType": ["AWS::DynamoDB::Table", "AWS::S3::Bucket"] }
            },
        });
        expected[key] = value;
        assert_eq!(*deny, expected);
        assert_eq!(
            *allow,
            json!({ "Effect": "Allow", "Principal": "*", "Action": "Update:*", "Resource": "*" })
        );
    }

    #[test]
    fn types_are_denied_and_names_excepted() {
        check(&[], "Resource", json!("*"));
        check(
            &["Table", "Key"],
            "NotResource",
            json!(["LogicalResourceId/Key", "LogicalResourceId/Table"]),
        );
    }

    #[test]
    fn a_policy_is_compared_by_what_it_says() {
        let policy = StackPolicy::protecting(&TYPES, &BTreeSet::new());
        assert!(policy.is(&policy.document()));
        assert!(
            policy.is(&policy.document().replace(",\"", ",\n  \"")),
            "spaces do not matter"
        );
        for other in ["", "{}", "not JSON"] {
            assert!(!policy.is(other), "{other}");
        }
        let open = StackPolicy::protecting(&TYPES, &BTreeSet::from(["Table".to_owned()]));
        assert!(!policy.is(&open.document()));
    }
}
