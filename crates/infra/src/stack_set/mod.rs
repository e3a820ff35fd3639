//! Stack sets: one template, rolled out as a stack in each of many (account, region) pairs.
//!
//! Everything here works on pairs, never on a list of accounts beside a list of regions: a new account in a region that
//! others stand in already is a pair of its own. See
//! [StackSets concepts](https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/stacksets-concepts.html).

mod drift;
mod group;
mod instance;
mod operation;
mod pair;
mod plan;
mod preferences;
mod steps;

use std::collections::BTreeMap;
use std::fmt;

pub use drift::{DriftStatus, InstanceDrift, ResourceDrift, SetDrift};
pub use group::{Product, products};
pub use instance::{DetailedStatus, InstanceStatus, StackInstance, Standing};
pub use operation::{
    OperationAction, OperationOutcome, OperationResult, OperationStatus, ResultStatus,
    StackSetOperation,
};
pub use pair::Pair;
pub use plan::{Overrides, PairPlan, UpdateCause, WantedPairs};
pub use preferences::{Amount, ConcurrencyMode, Preferences, RegionConcurrency};
pub use steps::{OPERATION_PREFIX, Step, steps};

/// The longest name of a stack set, in characters.
///
/// See [CreateStackSet](https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateStackSet.html).
pub const STACK_SET_NAME_MAX: usize = 128;

/// As whom the calls on a stack set are made.
///
/// A stack set that a delegated administrator made is found by no call without it, so it is part of every call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CallAs {
    /// As the account that the set belongs to: any account for self-managed permissions, the management account of the
    /// organisation for service-managed ones.
    #[default]
    Caller,
    /// As a delegated administrator of the organisation.
    DelegatedAdmin,
}

impl fmt::Display for CallAs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Caller => "self",
            Self::DelegatedAdmin => "delegated-admin",
        })
    }
}

/// Which stack set a call is about, and as whom it is made.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StackSetAddress {
    /// The set's name.
    pub name: String,
    /// As whom.
    pub call_as: CallAs,
}

/// Who may make the stacks of a set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Permissions {
    /// The account's own roles: one here that may assume one there.
    SelfManaged {
        /// The ARN of the role that CloudFormation takes in the account of the set.
        administration_role: String,
        /// The name of the role that it takes in each target account.
        execution_role: String,
    },
    /// The organisation's: roles that AWS makes, over organizational units.
    ServiceManaged(AutoDeployment),
}

impl Permissions {
    /// Whether targets are organizational units in place of accounts.
    pub fn is_service_managed(&self) -> bool {
        matches!(self, Self::ServiceManaged(_))
    }
}

/// What happens by itself as accounts come to a unit and leave it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AutoDeployment {
    /// Whether an account that joins a target unit gets the stack, and one that leaves loses it.
    pub enabled: bool,
    /// Whether an account that leaves keeps its stack.
    pub retain_on_removal: bool,
}

/// Whether a set is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StackSetStatus {
    /// It takes operations.
    Active,
    /// It is gone; lists name it for a while.
    Deleted,
    /// A status of the future.
    Unknown(String),
}

impl StackSetStatus {
    /// Reads the service's name for it.
    pub fn parse(text: &str) -> Self {
        match text {
            "ACTIVE" => Self::Active,
            "DELETED" => Self::Deleted,
            other => Self::Unknown(other.to_owned()),
        }
    }
}

impl fmt::Display for StackSetStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Active => "ACTIVE",
            Self::Deleted => "DELETED",
            Self::Unknown(name) => name,
        })
    }
}

/// What a stack set is made from: what an update may change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StackSetDefinition {
    /// The template, up to 51,200 bytes.
    pub template_body: String,
    /// Parameters by name, for every instance that does not override them.
    pub parameters: BTreeMap<String, String>,
    /// Tags by key, which every stack and its resources get too.
    pub tags: BTreeMap<String, String>,
    /// Such as `CAPABILITY_NAMED_IAM`.
    pub capabilities: Vec<String>,
    /// Who may make the stacks.
    pub permissions: Permissions,
}

/// A stack set as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StackSet {
    /// Its name.
    pub name: String,
    /// `<name>:<uuid>`: tells it from an earlier one of the same name.
    pub id: String,
    /// Whether it is there.
    pub status: StackSetStatus,
    /// What it is made from.
    pub definition: StackSetDefinition,
    /// What the last drift detection found.
    pub drift: SetDrift,
}

/// A stack set as lists show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StackSetSummary {
    /// Its name, and as whom it was found.
    pub address: StackSetAddress,
    /// Its id.
    pub id: String,
    /// Whether it is there.
    pub status: StackSetStatus,
    /// Whether its permissions are service-managed.
    pub service_managed: bool,
}

/// How a standing set differs from the wanted definition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DefinitionChange {
    /// Another template.
    Template,
    /// Another value of a parameter, or one more or less.
    Parameters,
    /// Another tag.
    Tags,
    /// Another capability.
    Capabilities,
    /// Other roles.
    Roles,
    /// Auto-deployment is to be switched.
    AutoDeployment,
    /// Self-managed in place of service-managed, or the other way: no update can do that.
    PermissionModel,
}

impl fmt::Display for DefinitionChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Template => "template",
            Self::Parameters => "parameters",
            Self::Tags => "tags",
            Self::Capabilities => "capabilities",
            Self::Roles => "roles",
            Self::AutoDeployment => "auto-deployment",
            Self::PermissionModel => "permission model",
        })
    }
}

impl StackSetDefinition {
    /// What an update to `wanted` would change; empty where nothing would.
    pub fn changes(&self, wanted: &Self) -> Vec<DefinitionChange> {
        let sorted = |names: &[String]| {
            let mut names = names.to_vec();
            names.sort_unstable();
            names
        };
        let mut changes = Vec::new();
        let mut note = |differs: bool, change| {
            if differs {
                changes.push(change);
            }
        };
        // The service gives a template back without the white space at its end.
        note(
            self.template_body.trim_end() != wanted.template_body.trim_end(),
            DefinitionChange::Template,
        );
        note(
            self.parameters != wanted.parameters,
            DefinitionChange::Parameters,
        );
        note(self.tags != wanted.tags, DefinitionChange::Tags);
        note(
            // What the service was not told about, it does not tell: some leave capabilities out.
            !self.capabilities.is_empty()
                && sorted(&self.capabilities) != sorted(&wanted.capabilities),
            DefinitionChange::Capabilities,
        );
        match (&self.permissions, &wanted.permissions) {
            (Permissions::ServiceManaged(here), Permissions::ServiceManaged(there)) => {
                note(here != there, DefinitionChange::AutoDeployment);
            }
            (Permissions::SelfManaged { .. }, Permissions::SelfManaged { .. }) => {
                note(
                    self.permissions != wanted.permissions,
                    DefinitionChange::Roles,
                );
            }
            _ => note(true, DefinitionChange::PermissionModel),
        }
        changes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn definition() -> StackSetDefinition {
        StackSetDefinition {
            template_body: "Resources: {}".to_owned(),
            parameters: BTreeMap::from([("A".to_owned(), "1".to_owned())]),
            tags: BTreeMap::new(),
            capabilities: vec!["CAPABILITY_IAM".to_owned()],
            permissions: Permissions::SelfManaged {
                administration_role: "arn:aws:iam::111111111111:role/a".to_owned(),
                execution_role: "e".to_owned(),
            },
        }
    }

    #[track_caller]
    fn check(change: impl FnOnce(&mut StackSetDefinition), expected: &[DefinitionChange]) {
        let mut wanted = definition();
        change(&mut wanted);
        assert_eq!(definition().changes(&wanted), expected);
    }

    #[test]
    fn an_update_is_named_by_what_it_changes() {
        check(|_| {}, &[]);
        check(|wanted| wanted.template_body += "\n", &[]);
        check(
            |wanted| wanted.template_body += "\nOutputs: {}",
            &[DefinitionChange::Template],
        );
        check(
            |wanted| wanted.parameters.clear(),
            &[DefinitionChange::Parameters],
        );
        check(
            |wanted| {
                wanted.tags.insert("a".to_owned(), "b".to_owned());
            },
            &[DefinitionChange::Tags],
        );
        check(
            |wanted| wanted.capabilities.clear(),
            &[DefinitionChange::Capabilities],
        );
        check(
            |wanted| {
                wanted.permissions = Permissions::ServiceManaged(AutoDeployment::default());
            },
            &[DefinitionChange::PermissionModel],
        );
        check(
            |wanted| {
                wanted.permissions = Permissions::SelfManaged {
                    administration_role: "arn:aws:iam::111111111111:role/b".to_owned(),
                    execution_role: "e".to_owned(),
                };
            },
            &[DefinitionChange::Roles],
        );
    }
}
