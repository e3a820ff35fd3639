//! What would make a deploy fail, found before it begins. No I/O.

mod actions;
mod names;

pub use actions::{actions_for, known_type};
pub use names::{NamedResource, named_resources};

use std::collections::{BTreeMap, BTreeSet};

use crate::naming::Naming;

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// As it should be.
    Ok,
    /// It could not be looked at; it may be good or bad.
    NotChecked,
    /// A deploy works, and somebody should look at it.
    Warning,
    /// A deploy would fail.
    Error,
}

impl Severity {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::NotChecked => "not checked",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// What one check found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// A name for the kind of finding that stays, such as `stack-name`.
    pub id: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// What was looked at and how it is.
    pub detail: String,
    /// What to do about it; there is none where all is well.
    pub fix: Option<String>,
}

impl Finding {
    /// All is well.
    pub fn ok(id: &'static str, detail: impl Into<String>) -> Self {
        Self {
            id,
            severity: Severity::Ok,
            detail: detail.into(),
            fix: None,
        }
    }

    /// Something that should be otherwise.
    pub fn new(
        id: &'static str,
        severity: Severity,
        detail: impl Into<String>,
        fix: impl Into<String>,
    ) -> Self {
        Self {
            id,
            severity,
            detail: detail.into(),
            fix: Some(fix.into()),
        }
    }
}

/// Whether a stack's tags say that it is the environment's. A stack that was made by hand, or by another project under
/// the same name, is not, and a deploy would overwrite it.
pub fn is_ours(naming: &Naming, tags: &BTreeMap<String, String>) -> bool {
    [
        ("project", naming.project.as_str()),
        ("environment", naming.environment.as_str()),
        ("managed-by", "stackway"),
    ]
    .iter()
    .all(|(key, value)| tags.get(*key).is_some_and(|tag| tag == value))
}

/// The tag by which a stack says that it is another project's or environment's, with its value.
pub fn of_another<'a>(
    naming: &Naming,
    tags: &'a BTreeMap<String, String>,
) -> Option<(&'static str, &'a str)> {
    let own = [
        ("project", naming.project.as_str()),
        ("environment", naming.environment.as_str()),
    ];
    own.into_iter().find_map(|(key, value)| {
        let tag = tags.get(key).filter(|tag| tag.as_str() != value)?;
        Some((key, tag.as_str()))
    })
}

/// How many stacks may be added: `limit` is the account's quota in the region, `standing` how many there are.
pub fn quota(limit: u32, standing: u32, to_add: u32) -> Finding {
    const ID: &str = "stack-quota";
    let fix =
        "delete stacks that nobody uses, or have the quota `Stack count` of CloudFormation raised";
    let free = limit.saturating_sub(standing);
    let detail = format!("{standing} of {limit} stacks in the region, {to_add} to add");
    if to_add > free {
        Finding::new(ID, Severity::Error, detail, fix)
    } else if (free - to_add).saturating_mul(10) < limit {
        Finding::new(
            ID,
            Severity::Warning,
            format!("{detail}: nearly used up"),
            fix,
        )
    } else {
        Finding::ok(ID, detail)
    }
}

/// What the simulation of permissions says: `denied` are the actions that are not allowed, of `asked` in all.
pub fn permissions(principal: &str, asked: usize, denied: &BTreeSet<String>) -> Finding {
    const ID: &str = "iam-actions";
    if denied.is_empty() {
        return Finding::ok(ID, format!("{principal} is allowed all {asked} actions"));
    }
    let names: Vec<_> = denied.iter().map(String::as_str).collect();
    Finding::new(
        ID,
        // Resource policies, conditions and service control policies have their say only in the call itself.
        Severity::Warning,
        format!(
            "{principal} is not allowed {} of {asked} actions that a deploy may take: {}",
            denied.len(),
            names.join(", ")
        ),
        "allow them to the principal, unless the simulation misjudges a condition of its policies",
    )
}

/// The principal that permissions are simulated for, read from a caller's ARN.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Principal {
    /// A user's ARN, which can be simulated as it is.
    User(String),
    /// A role by its name: the ARN of a session does not have the role's path.
    Role(String),
    /// One that cannot be simulated, such as the account's root.
    Other,
}

impl Principal {
    /// Reads a caller's ARN, as STS tells it.
    ///
    /// See [IAM identifiers](https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html).
    pub fn of_caller(arn: &str) -> Self {
        let rest = arn.splitn(6, ':').nth(5).unwrap_or_default();
        match rest.split('/').collect::<Vec<_>>().as_slice() {
            ["user", ..] => Self::User(arn.to_owned()),
            ["assumed-role", role, ..] | ["role", .., role] => Self::Role((*role).to_owned()),
            _ => Self::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotas() {
        for (limit, standing, to_add, expected) in [
            (2_000, 10, 3, Severity::Ok),
            (2_000, 1_798, 3, Severity::Warning),
            (2_000, 1_997, 3, Severity::Warning),
            (2_000, 1_998, 3, Severity::Error),
            (200, 300, 0, Severity::Warning),
            (200, 300, 1, Severity::Error),
        ] {
            let finding = quota(limit, standing, to_add);
            assert_eq!(finding.severity, expected, "{limit} {standing} {to_add}");
            assert_eq!(finding.fix.is_some(), expected != Severity::Ok);
        }
    }

    #[test]
    fn principals() {
        for (arn, expected) in [
            (
                "arn:aws:iam::1:user/team/ann",
                Principal::User("arn:aws:iam::1:user/team/ann".into()),
            ),
            (
                "arn:aws:sts::1:assumed-role/AWSReservedSSO_Admin_1/ann@x.org",
                Principal::Role("AWSReservedSSO_Admin_1".into()),
            ),
            (
                "arn:aws:iam::1:role/deploy/ci",
                Principal::Role("ci".into()),
            ),
            ("arn:aws:iam::1:root", Principal::Other),
            ("arn:aws:sts::1:federated-user/ann", Principal::Other),
            ("", Principal::Other),
        ] {
            assert_eq!(Principal::of_caller(arn), expected, "{arn}");
        }
    }

    #[test]
    fn whose_a_stack_is() {
        let naming = Naming {
            project: "stackway".into(),
            region: "eu-west-2".into(),
            environment: "dev".into(),
        };
        let tags = |pairs: &[(&str, &str)]| {
            pairs
                .iter()
                .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
                .collect()
        };
        let ours = [
            ("project", "stackway"),
            ("environment", "dev"),
            ("managed-by", "stackway"),
        ];
        assert!(is_ours(&naming, &tags(&ours)));
        for without in 0..ours.len() {
            let mut some = ours.to_vec();
            some.remove(without);
            assert!(!is_ours(&naming, &tags(&some)));
            some.push((ours[without].0, "other"));
            assert!(!is_ours(&naming, &tags(&some)));
        }
    }

    #[test]
    fn what_is_denied_is_named() {
        let denied = BTreeSet::from(["s3:CreateBucket".to_owned()]);
        let finding = permissions("role x", 9, &denied);
        assert_eq!(finding.severity, Severity::Warning);
        assert!(
            finding
                .detail
                .ends_with("1 of 9 actions that a deploy may take: s3:CreateBucket")
        );
        assert_eq!(
            permissions("role x", 9, &BTreeSet::new()).severity,
            Severity::Ok
        );
    }
}
