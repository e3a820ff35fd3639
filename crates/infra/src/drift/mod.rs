//! How far resources are from what their stack made of them. No I/O.
//!
//! See [drift](https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-stack-drift.html).

use std::fmt;

/// What detecting drift found of a resource.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DriftStatus {
    /// It is gone.
    Deleted,
    /// Properties that the template sets have other values.
    Modified,
    /// CloudFormation could not look at it.
    Failed,
    /// It is as the template says, as far as the template says anything.
    InSync,
    /// Nothing looked at it: its type takes no part in detecting drift.
    NotChecked,
    /// A status that this version does not know.
    Unknown(String),
}

impl DriftStatus {
    /// Reads a `StackResourceDriftStatus`.
    pub fn parse(name: &str) -> Self {
        match name {
            "DELETED" => Self::Deleted,
            "MODIFIED" => Self::Modified,
            "UNKNOWN" => Self::Failed,
            "IN_SYNC" => Self::InSync,
            "NOT_CHECKED" | "UNSUPPORTED" => Self::NotChecked,
            other => Self::Unknown(other.to_owned()),
        }
    }

    /// Whether the resource is not as its template says.
    pub fn is_drift(&self) -> bool {
        matches!(self, Self::Deleted | Self::Modified)
    }

    /// Whether it is not known how the resource is, although it should be.
    pub fn is_failure(&self) -> bool {
        matches!(self, Self::Failed | Self::Unknown(_))
    }
}

impl fmt::Display for DriftStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Deleted => "deleted",
            Self::Modified => "modified",
            Self::Failed => "could not be checked",
            Self::InSync => "in sync",
            Self::NotChecked => "not checked",
            Self::Unknown(name) => name,
        })
    }
}

/// One property that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PropertyDifference {
    /// Where, as a JSON pointer: `/Tags/0/Value`.
    pub path: String,
    /// What the template says; `None` where the property was added.
    pub expected: Option<String>,
    /// What is there; `None` where the property was removed.
    pub actual: Option<String>,
}

impl PropertyDifference {
    /// Reads a difference. CloudFormation writes the side that is missing as `null`; values whose name says that they
    /// are secret are masked.
    pub fn new(path: &str, kind: &str, expected: &str, actual: &str) -> Self {
        let secret = {
            let path = path.to_lowercase();
            ["password", "secret", "token", "credential", "privatekey"]
                .iter()
                .any(|word| path.contains(word))
        };
        let shown = |value: &str| {
            if secret {
                "****".to_owned()
            } else {
                value.to_owned()
            }
        };
        Self {
            path: path.to_owned(),
            expected: (kind != "ADD").then(|| shown(expected)),
            actual: (kind != "REMOVE").then(|| shown(actual)),
        }
    }
}

/// What was found of one resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourceDrift {
    /// Its name in the template.
    pub logical_id: String,
    /// Its name in its service.
    pub physical_id: String,
    /// Such as `AWS::Logs::LogGroup`.
    pub resource_type: String,
    /// What was found.
    pub status: DriftStatus,
    /// Why, where CloudFormation says so.
    pub reason: Option<String>,
    /// The properties that differ.
    pub differences: Vec<PropertyDifference>,
}

impl ResourceDrift {
    /// What brings template and resource together where the service does not revert drift itself: a sentence without
    /// its full stop, or `None` where there is nothing to repair. `stack` is the stack's name in the project.
    ///
    /// A deploy of the same template does not: CloudFormation compares templates, and not what is there.
    pub fn repair(&self, stack: &str) -> Option<String> {
        let id = &self.logical_id;
        match self.status {
            DriftStatus::Modified => Some(format!(
                "to keep the change, write it into cloudformation/{stack}.yaml or the parameter behind it and deploy; to \
                 undo it, set the properties back in the resource's own service"
            )),
            DriftStatus::Deleted => Some(format!(
                "take `{id}` out of cloudformation/{stack}.yaml and deploy, then put it back and deploy; if it was made \
                 again by hand, put it back by a change set of type IMPORT"
            )),
            DriftStatus::Failed | DriftStatus::Unknown(_) => Some(
                "allow the role that looks the read actions of the resource's service, then look again".to_owned(),
            ),
            DriftStatus::InSync | DriftStatus::NotChecked => None,
        }
    }
}

/// What was found of a stack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StackDrift {
    /// The stack's ARN.
    pub stack_id: String,
    /// Why some resources could not be looked at, where CloudFormation says so.
    pub reason: Option<String>,
    /// Every resource of the stack: what drifted first, then by name.
    pub resources: Vec<ResourceDrift>,
}

impl StackDrift {
    /// Puts what was `found` beside all `resources` of the stack (logical id, physical id, type): what nothing was found
    /// of was not checked.
    pub fn new(
        stack_id: &str,
        reason: Option<String>,
        found: Vec<ResourceDrift>,
        resources: impl IntoIterator<Item = (String, String, String)>,
    ) -> Self {
        let mut all = found;
        for (logical_id, physical_id, resource_type) in resources {
            if !all.iter().any(|drift| drift.logical_id == logical_id) {
                all.push(ResourceDrift {
                    logical_id,
                    physical_id,
                    resource_type,
                    status: DriftStatus::NotChecked,
                    reason: None,
                    differences: Vec::new(),
                });
            }
        }
        all.sort_by(|a, b| (&a.status, &a.logical_id).cmp(&(&b.status, &b.logical_id)));
        Self {
            stack_id: stack_id.to_owned(),
            reason,
            resources: all,
        }
    }

    /// The resources that are not as their template says.
    pub fn drifted(&self) -> impl Iterator<Item = &ResourceDrift> {
        self.resources
            .iter()
            .filter(|drift| drift.status.is_drift())
    }

    /// The resources that could not be looked at.
    pub fn failed(&self) -> impl Iterator<Item = &ResourceDrift> {
        self.resources
            .iter()
            .filter(|drift| drift.status.is_failure())
    }

    /// How many resources were looked at, drifted or not.
    pub fn checked(&self) -> usize {
        let checked =
            |drift: &&ResourceDrift| drift.status.is_drift() || drift.status == DriftStatus::InSync;
        self.resources.iter().filter(checked).count()
    }

    /// The types that nothing looked at, each once, in order.
    pub fn types_not_checked(&self) -> Vec<&str> {
        let mut types: Vec<_> = self
            .resources
            .iter()
            .filter(|drift| drift.status == DriftStatus::NotChecked)
            .map(|drift| drift.resource_type.as_str())
            .collect();
        types.sort_unstable();
        types.dedup();
        types
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(path: &str, kind: &str, expected: Option<&str>, actual: Option<&str>) {
        let difference = PropertyDifference::new(path, kind, "a", "b");
        assert_eq!(
            (difference.expected.as_deref(), difference.actual.as_deref()),
            (expected, actual)
        );
    }

    #[test]
    fn the_side_that_is_missing_is_none() {
        check("/RetentionInDays", "NOT_EQUAL", Some("a"), Some("b"));
        check("/Tags/1", "ADD", None, Some("b"));
        check("/Tags/1", "REMOVE", Some("a"), None);
        check(
            "/Environment/Variables/API_TOKEN",
            "NOT_EQUAL",
            Some("****"),
            Some("****"),
        );
        check("/MasterUserPassword", "REMOVE", Some("****"), None);
    }

    #[test]
    fn every_resource_is_accounted_for() {
        let found = |id: &str, status: &str| ResourceDrift {
            logical_id: id.to_owned(),
            physical_id: id.to_owned(),
            resource_type: "AWS::Logs::LogGroup".to_owned(),
            status: DriftStatus::parse(status),
            reason: None,
            differences: Vec::new(),
        };
        let resource = |id: &str| (id.to_owned(), id.to_owned(), "AWS::X::Y".to_owned());
        let drift = StackDrift::new(
            "arn",
            None,
            vec![
                found("A", "IN_SYNC"),
                found("B", "MODIFIED"),
                found("C", "DELETED"),
                found("D", "UNKNOWN"),
                found("E", "FUTURE"),
            ],
            ["A", "B", "Z", "F"].map(resource),
        );
        let order: Vec<_> = drift
            .resources
            .iter()
            .map(|drift| format!("{} {}", drift.logical_id, drift.status))
            .collect();
        assert_eq!(
            order,
            [
                "C deleted",
                "B modified",
                "D could not be checked",
                "A in sync",
                "F not checked",
                "Z not checked",
                "E FUTURE"
            ]
        );
        assert_eq!(
            (
                drift.drifted().count(),
                drift.failed().count(),
                drift.checked()
            ),
            (2, 2, 3)
        );
        assert_eq!(drift.types_not_checked(), ["AWS::X::Y"]);
        for drift in &drift.resources {
            let wanted = drift.status.is_drift() || drift.status.is_failure();
            assert_eq!(
                drift.repair("api").is_some(),
                wanted,
                "{}",
                drift.logical_id
            );
        }
    }
}
