//! Who may do what: the permissions and network rules that a change set gives and takes.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::Value;

#[cfg(test)]
use super::resource::Action;
use super::resource::ResourceChange;

/// Properties that give access; what changes in them is told as [`Access`].
const PROPERTIES: &[&str] = &[
    "AssumeRolePolicyDocument",
    "KeyPolicy",
    "ManagedPolicyArns",
    "PermissionsBoundary",
    "PolicyDocument",
    "PolicyText",
    "RepositoryPolicyText",
    "ResourcePolicy",
    "SecurityGroupEgress",
    "SecurityGroupIngress",
];

/// Something that a change set allows, or no longer does.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Access {
    /// The resource that it is declared in, by its name in the template.
    pub logical_id: String,
    /// Whether it is given; else it is taken.
    pub given: bool,
    /// What it is.
    #[serde(flatten)]
    pub kind: AccessKind,
}

/// A permission or a network rule.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum AccessKind {
    /// Part of a policy's statement.
    Statement {
        /// `Allow` or `Deny`.
        effect: String,
        /// Who; empty in the policy of an identity.
        principals: Vec<String>,
        /// The actions that are given or taken. A statement that keeps the others is not told in full.
        actions: Vec<String>,
        /// On what; empty in a trust policy.
        resources: Vec<String>,
        /// The condition, as JSON.
        condition: Option<String>,
    },
    /// A managed policy, by its ARN, or a permissions boundary.
    ManagedPolicy {
        /// The policy's ARN.
        arn: String,
    },
    /// A rule of a security group.
    Network {
        /// `ingress` or `egress`.
        direction: &'static str,
        /// Such as `tcp`; `all` for -1.
        protocol: String,
        /// Such as `443` or `8000-8080`; `all` where there is no bound.
        ports: String,
        /// A CIDR, a prefix list or a security group.
        peer: String,
    },
}

/// Whether a property gives access, by any of the keys in its path.
pub fn is_access_property(path: &str) -> bool {
    path.split(['.', '[', ']'])
        .any(|part| PROPERTIES.contains(&part))
}

impl ResourceChange {
    /// The access that the change gives and takes; empty where it has none, or where its properties are not known.
    pub fn access(&self) -> Vec<Access> {
        let (old, new) = (
            self.rules(self.before.as_ref()),
            self.rules(self.after.as_ref()),
        );
        let mut found = Vec::new();
        let keys: BTreeSet<_> = old.keys().chain(new.keys()).collect();
        for key in keys {
            let none = BTreeSet::new();
            let (was, is) = (old.get(key).unwrap_or(&none), new.get(key).unwrap_or(&none));
            for (given, parts) in [(false, was - is), (true, is - was)] {
                if !parts.is_empty() {
                    found.push(Access {
                        logical_id: self.logical_id.clone(),
                        given,
                        kind: key.clone().with(parts.into_iter().collect()),
                    });
                }
            }
        }
        found
    }

    /// The rules of all policies and security groups in the properties; the actions of statements by the rest of them.
    fn rules(&self, properties: Option<&Value>) -> BTreeMap<Rule, BTreeSet<String>> {
        let mut rules = BTreeMap::new();
        let Some(properties) = properties else {
            return rules;
        };
        match self.resource_type.as_str() {
            "AWS::Lambda::Permission" => {
                let condition: serde_json::Map<_, _> = [
                    "SourceArn",
                    "SourceAccount",
                    "PrincipalOrgID",
                    "FunctionUrlAuthType",
                ]
                .iter()
                .filter_map(|key| Some(((*key).to_owned(), properties.get(*key)?.clone())))
                .collect();
                let rule = Rule::Statement {
                    effect: "Allow".to_owned(),
                    principals: texts(properties.get("Principal")),
                    resources: texts(properties.get("FunctionName")),
                    condition: (!condition.is_empty())
                        .then(|| Value::Object(condition).to_string()),
                };
                rules.insert(rule, texts(properties.get("Action")).into_iter().collect());
            }
            "AWS::EC2::SecurityGroupIngress" => add_network("ingress", properties, &mut rules),
            "AWS::EC2::SecurityGroupEgress" => add_network("egress", properties, &mut rules),
            _ => find(properties, &mut rules),
        }
        rules
    }
}

/// What two versions of a rule have in common.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Rule {
    Statement {
        effect: String,
        principals: Vec<String>,
        resources: Vec<String>,
        condition: Option<String>,
    },
    ManagedPolicy,
    Network {
        direction: &'static str,
        protocol: String,
        ports: String,
        peer: String,
    },
}

impl Rule {
    fn network(direction: &'static str, rule: &Value) -> Self {
        let text = |key: &str| rule.get(key).map(plain);
        let protocol = text("IpProtocol")
            .filter(|protocol| protocol != "-1")
            .unwrap_or_else(|| "all".to_owned());
        let ports = match (text("FromPort"), text("ToPort")) {
            (Some(from), Some(to)) if from == to => from,
            (Some(from), Some(to)) => format!("{from}-{to}"),
            (Some(one), None) | (None, Some(one)) => one,
            (None, None) => "all".to_owned(),
        };
        let peers = [
            "CidrIp",
            "CidrIpv6",
            "SourceSecurityGroupId",
            "DestinationSecurityGroupId",
            "SourcePrefixListId",
            "DestinationPrefixListId",
            "SourceSecurityGroupName",
        ];
        let peer = peers.iter().find_map(|key| text(key)).unwrap_or_default();
        Self::Network {
            direction,
            protocol,
            ports,
            peer,
        }
    }

    fn with(self, parts: Vec<String>) -> AccessKind {
        match self {
            Self::Statement {
                effect,
                principals,
                resources,
                condition,
            } => AccessKind::Statement {
                effect,
                principals,
                actions: parts,
                resources,
                condition,
            },
            Self::ManagedPolicy => AccessKind::ManagedPolicy {
                arn: parts.join(", "),
            },
            Self::Network {
                direction,
                protocol,
                ports,
                peer,
            } => AccessKind::Network {
                direction,
                protocol,
                ports,
                peer,
            },
        }
    }
}

/// A network rule is there or not: it has one part.
fn add_network(
    direction: &'static str,
    rule: &Value,
    rules: &mut BTreeMap<Rule, BTreeSet<String>>,
) {
    rules.insert(Rule::network(direction, rule), [String::new()].into());
}

/// Looks for policies and rules wherever they are in the properties.
fn find(value: &Value, rules: &mut BTreeMap<Rule, BTreeSet<String>>) {
    match value {
        Value::Object(entries) => {
            if let Some(statements) = entries.get("Statement") {
                let list = statements
                    .as_array()
                    .map_or(std::slice::from_ref(statements), Vec::as_slice);
                for statement in list {
                    statement_rule(statement, rules);
                }
                return;
            }
            for (key, inner) in entries {
                match key.as_str() {
                    "ManagedPolicyArns" | "PermissionsBoundary" => {
                        rules
                            .entry(Rule::ManagedPolicy)
                            .or_default()
                            .extend(texts(Some(inner)));
                    }
                    "SecurityGroupIngress" | "SecurityGroupEgress" => {
                        let direction = if key.ends_with("Ingress") {
                            "ingress"
                        } else {
                            "egress"
                        };
                        for rule in inner.as_array().into_iter().flatten() {
                            add_network(direction, rule, rules);
                        }
                    }
                    _ => find(inner, rules),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| find(item, rules)),
        // Some services take their policy as text.
        Value::String(text) if text.starts_with('{') && text.contains("\"Statement\"") => {
            if let Ok(policy) = serde_json::from_str::<Value>(text) {
                find(&policy, rules);
            }
        }
        _ => {}
    }
}

fn statement_rule(statement: &Value, rules: &mut BTreeMap<Rule, BTreeSet<String>>) {
    let not = |key: &str| -> Vec<String> {
        texts(statement.get(key))
            .into_iter()
            .map(|text| format!("not {text}"))
            .collect()
    };
    let both = |key: &str, other: &str| -> Vec<String> {
        let mut all = texts(statement.get(key));
        all.extend(not(other));
        all
    };
    let rule = Rule::Statement {
        effect: statement
            .get("Effect")
            .map_or_else(|| "Allow".to_owned(), plain),
        principals: both("Principal", "NotPrincipal"),
        resources: both("Resource", "NotResource"),
        condition: statement.get("Condition").map(ToString::to_string),
    };
    rules
        .entry(rule)
        .or_default()
        .extend(both("Action", "NotAction"));
}

/// A text, or the texts of a list or of an object's lists, in order and once.
fn texts(value: Option<&Value>) -> Vec<String> {
    let found: BTreeSet<String> = match value {
        None | Some(Value::Null) => BTreeSet::new(),
        Some(Value::Array(items)) => items.iter().map(plain).collect(),
        Some(Value::Object(entries))
            if entries.len() == 1 && entries.keys().any(|key| key.starts_with("Fn::")) =>
        {
            entries
                .iter()
                .map(|(key, value)| format!("{key} {value}"))
                .collect()
        }
        Some(Value::Object(entries)) => entries
            .values()
            .flat_map(|value| texts(Some(value)))
            .collect(),
        Some(one) => [plain(one)].into(),
    };
    found.into_iter().collect()
}

fn plain(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn changed(kind: &str, before: Value, after: Value) -> Vec<String> {
        let mut change = ResourceChange::new(Action::Modify, "R", kind);
        (change.before, change.after) = (
            Some(before).filter(|one| !one.is_null()),
            Some(after).filter(|one| !one.is_null()),
        );
        change
            .access()
            .iter()
            .map(|access| {
                let sign = if access.given { "+" } else { "-" };
                format!("{sign} {}", serde_json::to_string(&access.kind).unwrap())
            })
            .collect()
    }

    fn policy(actions: Value) -> Value {
        json!({"Policies": [{"PolicyName": "table", "PolicyDocument": {"Statement": [
            {"Effect": "Allow", "Action": actions, "Resource": "arn:t"}
        ]}}]})
    }

    #[test]
    fn an_action_that_is_added_is_told_alone() {
        let found = changed(
            "AWS::IAM::Role",
            policy(json!(["a:One", "a:Two"])),
            policy(json!(["a:Two", "a:Three"])),
        );
        assert_eq!(
            found,
            [
                r#"- {"kind":"statement","effect":"Allow","principals":[],"actions":["a:One"],"resources":["arn:t"],"condition":null}"#,
                r#"+ {"kind":"statement","effect":"Allow","principals":[],"actions":["a:Three"],"resources":["arn:t"],"condition":null}"#,
            ]
        );
        assert!(
            changed(
                "AWS::IAM::Role",
                policy(json!("a:One")),
                policy(json!(["a:One"]))
            )
            .is_empty()
        );
    }

    #[test]
    fn all_that_gives_access_is_found() {
        for (kind, after, words) in [
            (
                "AWS::IAM::Role",
                json!({"AssumeRolePolicyDocument": {"Statement": {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}}}),
                &["lambda.amazonaws.com", "sts:AssumeRole"][..],
            ),
            (
                "AWS::IAM::Role",
                json!({"ManagedPolicyArns": ["arn:aws:iam::aws:policy/AdministratorAccess"]}),
                &["managed_policy", "AdministratorAccess"],
            ),
            (
                "AWS::Lambda::Permission",
                json!({"Action": "lambda:InvokeFunction", "FunctionName": "f", "Principal": "s3.amazonaws.com", "SourceArn": "arn:b"}),
                &["s3.amazonaws.com", "SourceArn", "lambda:InvokeFunction"],
            ),
            (
                "AWS::EC2::SecurityGroup",
                json!({"SecurityGroupIngress": [{"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "CidrIp": "0.0.0.0/0"}]}),
                &["ingress", "tcp", "22", "0.0.0.0/0"],
            ),
            (
                "AWS::EC2::SecurityGroupEgress",
                json!({"IpProtocol": "-1", "CidrIpv6": "::/0"}),
                &["egress", "\"all\"", "::/0"],
            ),
            (
                "AWS::SNS::TopicPolicy",
                json!({"PolicyDocument": {"Statement": [{"Effect": "Deny", "NotPrincipal": "x", "NotAction": "sns:*", "Resource": "*"}]}}),
                &["not x", "not sns:*", "Deny"],
            ),
            (
                "AWS::X::Y",
                json!({"Policy": "{\"Statement\": [{\"Effect\": \"Allow\", \"Action\": \"a:B\", \"Resource\": \"*\"}]}"}),
                &["a:B"],
            ),
        ] {
            let found = changed(kind, Value::Null, after);
            assert_eq!(found.len(), 1, "{kind} {found:?}");
            for word in words {
                assert!(
                    found[0].starts_with("+ ") && found[0].contains(word),
                    "{kind}: {word}: {found:?}"
                );
            }
        }
        assert!(changed("AWS::S3::Bucket", Value::Null, json!({"BucketName": "b"})).is_empty());
    }

    #[test]
    fn what_is_removed_is_taken() {
        let group = json!({"SecurityGroupIngress": [{"IpProtocol": "tcp", "FromPort": 80, "ToPort": 81, "CidrIp": "10.0.0.0/8"}]});
        assert_eq!(
            changed(
                "AWS::EC2::SecurityGroup",
                group.clone(),
                json!({"SecurityGroupIngress": []})
            ),
            [
                r#"- {"kind":"network","direction":"ingress","protocol":"tcp","ports":"80-81","peer":"10.0.0.0/8"}"#
            ]
        );
        assert!(changed("AWS::EC2::SecurityGroup", group.clone(), group).is_empty());
    }
}
