use std::fmt;

use super::{DriftStatus, Pair};

/// Whether an instance is as its set says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InstanceStatus {
    /// It is.
    Current,
    /// Its last operation failed, was cancelled, or has not reached it yet.
    Outdated,
    /// A deletion failed: updates leave it out until somebody acts.
    Inoperable,
    /// A status of the future.
    Unknown(String),
}

impl InstanceStatus {
    /// Reads the service's name for it.
    pub fn parse(text: &str) -> Self {
        match text {
            "CURRENT" => Self::Current,
            "OUTDATED" => Self::Outdated,
            "INOPERABLE" => Self::Inoperable,
            other => Self::Unknown(other.to_owned()),
        }
    }

    /// The service's name for it.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Current => "CURRENT",
            Self::Outdated => "OUTDATED",
            Self::Inoperable => "INOPERABLE",
            Self::Unknown(name) => name,
        }
    }
}

impl fmt::Display for InstanceStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How the last operation left an instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DetailedStatus {
    /// No operation has begun.
    Pending,
    /// One is under way.
    Running,
    /// It ended well.
    Succeeded,
    /// It failed; the stack may be in any state.
    Failed,
    /// The import of a stack failed.
    FailedImport,
    /// It was stopped, or failures elsewhere stopped it before its turn.
    Cancelled,
    /// A deletion failed.
    Inoperable,
    /// The account is suspended or closed.
    SkippedSuspendedAccount,
    /// A status of the future.
    Unknown(String),
}

/// Every status, with the service's name for it.
const DETAILED: [(DetailedStatus, &str); 8] = [
    (DetailedStatus::Pending, "PENDING"),
    (DetailedStatus::Running, "RUNNING"),
    (DetailedStatus::Succeeded, "SUCCEEDED"),
    (DetailedStatus::Failed, "FAILED"),
    (DetailedStatus::FailedImport, "FAILED_IMPORT"),
    (DetailedStatus::Cancelled, "CANCELLED"),
    (DetailedStatus::Inoperable, "INOPERABLE"),
    (
        DetailedStatus::SkippedSuspendedAccount,
        "SKIPPED_SUSPENDED_ACCOUNT",
    ),
];

impl DetailedStatus {
    /// Reads the service's name for it.
    pub fn parse(text: &str) -> Self {
        DETAILED.iter().find(|(_, name)| *name == text).map_or_else(
            || Self::Unknown(text.to_owned()),
            |(status, _)| status.clone(),
        )
    }

    /// The service's name for it.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Unknown(name) => name,
            known => DETAILED
                .iter()
                .find(|(status, _)| status == known)
                .map_or("UNKNOWN", |(_, name)| name),
        }
    }
}

impl fmt::Display for DetailedStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A stack of a set: the reference to it, which is there even where the stack could not be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StackInstance {
    /// Its account and region.
    pub pair: Pair,
    /// The target unit through which the account got it; `None` where the set is self-managed.
    pub organizational_unit: Option<String>,
    /// The stack's ARN; `None` where none was made.
    pub stack_id: Option<String>,
    /// Whether it is as the set says.
    pub status: InstanceStatus,
    /// How the last operation left it, where the service says so.
    pub detailed: Option<DetailedStatus>,
    /// Why, where the service says so.
    pub reason: Option<String>,
    /// What the last drift detection found.
    pub drift: DriftStatus,
}

/// What an instance's statuses mean for the next roll-out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It is as the set says.
    Current,
    /// Its stack is behind.
    Behind(String),
    /// It has no stack: making it failed, was cancelled, or has not begun.
    Missing(String),
    /// Updates leave it out until somebody acts.
    Inoperable(String),
    /// Its account is suspended or closed.
    Suspended,
    /// The service says what this version does not know.
    Unknown(String),
}

impl StackInstance {
    /// The pair that calls on a set name to reach it: of its unit where there is one.
    pub fn target(&self) -> Pair {
        match &self.organizational_unit {
            Some(unit) => Pair::new(unit, &self.pair.region),
            None => self.pair.clone(),
        }
    }

    /// What its statuses mean, once for the whole project.
    pub fn standing(&self) -> Standing {
        let why = || {
            let status = self
                .detailed
                .as_ref()
                .map_or(self.status.as_str(), DetailedStatus::as_str);
            match &self.reason {
                Some(reason) => format!("{status}: {reason}"),
                None => status.to_owned(),
            }
        };
        if self.detailed == Some(DetailedStatus::SkippedSuspendedAccount) {
            return Standing::Suspended;
        }
        match &self.status {
            InstanceStatus::Current => Standing::Current,
            InstanceStatus::Inoperable => Standing::Inoperable(why()),
            InstanceStatus::Outdated if self.stack_id.is_none() => Standing::Missing(why()),
            InstanceStatus::Outdated => Standing::Behind(why()),
            InstanceStatus::Unknown(name) => Standing::Unknown(name.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instance(status: &str, detailed: &str, stack_id: Option<&str>) -> StackInstance {
        StackInstance {
            pair: Pair::new("111111111111", "eu-west-1"),
            organizational_unit: None,
            stack_id: stack_id.map(str::to_owned),
            status: InstanceStatus::parse(status),
            detailed: Some(DetailedStatus::parse(detailed)),
            reason: None,
            drift: DriftStatus::NotChecked,
        }
    }

    #[test]
    fn every_status_keeps_its_name() {
        for (status, name) in &DETAILED {
            assert_eq!(&DetailedStatus::parse(name), status);
            assert_eq!(status.as_str(), *name);
        }
        for name in ["CURRENT", "OUTDATED", "INOPERABLE", "LOST"] {
            assert_eq!(InstanceStatus::parse(name).as_str(), name);
        }
        assert_eq!(DetailedStatus::parse("LOST").as_str(), "LOST");
    }

    #[test]
    fn statuses_mean_one_thing() {
        let arn = Some("arn:aws:cloudformation:eu-west-1:111111111111:stack/s/1");
        let text = str::to_owned;
        for (status, detailed, stack, expected) in [
            ("CURRENT", "SUCCEEDED", arn, Standing::Current),
            ("OUTDATED", "FAILED", arn, Standing::Behind(text("FAILED"))),
            (
                "OUTDATED",
                "CANCELLED",
                None,
                Standing::Missing(text("CANCELLED")),
            ),
            (
                "INOPERABLE",
                "INOPERABLE",
                arn,
                Standing::Inoperable(text("INOPERABLE")),
            ),
            (
                "OUTDATED",
                "SKIPPED_SUSPENDED_ACCOUNT",
                arn,
                Standing::Suspended,
            ),
            ("LOST", "FAILED", arn, Standing::Unknown(text("LOST"))),
        ] {
            assert_eq!(
                instance(status, detailed, stack).standing(),
                expected,
                "{status} {detailed}"
            );
        }
    }
}
