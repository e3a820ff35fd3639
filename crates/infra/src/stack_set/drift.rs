use std::fmt;

use super::Pair;

/// Whether something differs from what its template says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum DriftStatus {
    /// It does.
    Drifted,
    /// It does not.
    InSync,
    /// Nobody has looked since its last update.
    #[default]
    NotChecked,
    /// The service could not tell, or says what this version does not know.
    Unknown(String),
}

impl DriftStatus {
    /// Reads the service's name for it.
    pub fn parse(text: &str) -> Self {
        match text {
            "DRIFTED" | "MODIFIED" | "DELETED" => Self::Drifted,
            "IN_SYNC" => Self::InSync,
            "NOT_CHECKED" => Self::NotChecked,
            other => Self::Unknown(other.to_owned()),
        }
    }

    /// The service's name for it.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Drifted => "DRIFTED",
            Self::InSync => "IN_SYNC",
            Self::NotChecked => "NOT_CHECKED",
            Self::Unknown(name) => name,
        }
    }
}

impl fmt::Display for DriftStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What the last drift detection found over a whole set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SetDrift {
    /// Whether any instance has drifted.
    pub status: DriftStatus,
    /// Instances that have drifted.
    pub drifted: u32,
    /// Instances that have not.
    pub in_sync: u32,
    /// Instances for which the detection failed.
    pub failed: u32,
    /// Instances that the detection has not come to.
    pub in_progress: u32,
}

/// A resource that is not as its template says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourceDrift {
    /// Its name in the template.
    pub logical_id: String,
    /// Its name in the world.
    pub physical_id: String,
    /// Its type.
    pub resource_type: String,
    /// `MODIFIED` or `DELETED`, as the service says it.
    pub status: String,
    /// Each property that differs: its path, what the template says, and what is there.
    pub differences: Vec<(String, String, String)>,
}

/// The drift of one instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstanceDrift {
    /// Its account and region.
    pub pair: Pair,
    /// Whether it has drifted.
    pub status: DriftStatus,
    /// The resources that have.
    pub resources: Vec<ResourceDrift>,
}
