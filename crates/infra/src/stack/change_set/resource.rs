use std::fmt;

use serde::Serialize;
use serde_json::Value;

use crate::template_diff::MASK;

/// What stands in a change set for a value that is known once its resource is there.
pub(crate) const AFTER_APPLY: &str = "{{changeSet:KNOWN_AFTER_APPLY}}";

/// How a change set treats one resource.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ResourceChange {
    /// What happens to it.
    pub action: Action,
    /// The resource's name in the template.
    pub logical_id: String,
    /// Such as `AWS::S3::Bucket`.
    pub resource_type: String,
    /// The resource's name in its service, where it is there already.
    pub physical_id: Option<String>,
    /// Whether a modified resource is made anew.
    pub replacement: Replacement,
    /// What becomes of the resource that is there, where it leaves the stack or is replaced.
    pub policy: Option<Policy>,
    /// What of it changes, such as properties or tags.
    pub scope: Vec<Attribute>,
    /// What changes in it, leaf by leaf.
    pub properties: Vec<PropertyChange>,
    /// All its properties as they are, without secrets; null where they are not known.
    #[serde(skip)]
    pub before: Option<Value>,
    /// All its properties as they will be, without secrets.
    #[serde(skip)]
    pub after: Option<Value>,
}

impl ResourceChange {
    /// A change of which nothing more is known than what happens to which resource.
    pub fn new(action: Action, logical_id: &str, resource_type: &str) -> Self {
        Self {
            action,
            logical_id: logical_id.to_owned(),
            resource_type: resource_type.to_owned(),
            physical_id: None,
            replacement: Replacement::Never,
            policy: None,
            scope: Vec::new(),
            properties: Vec::new(),
            before: None,
            after: None,
        }
    }

    /// Whether nothing of it changes but its tags, which come from the stack.
    pub fn is_tags_alone(&self) -> bool {
        self.action == Action::Modify
            && self.replacement == Replacement::Never
            && !self.scope.is_empty()
            && self.scope.iter().all(|scope| *scope == Attribute::Tags)
    }

    /// The property changes that ask for a replacement, or may.
    pub fn replacing(&self) -> impl Iterator<Item = &PropertyChange> {
        self.properties
            .iter()
            .filter(|property| property.recreation != Replacement::Never)
    }
}

/// What happens to a resource.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// It is made.
    Add,
    /// It is changed, or replaced.
    Modify,
    /// It leaves the stack.
    Remove,
    /// A resource that is there comes under the stack.
    Import,
    /// Decided while the change set runs.
    Dynamic,
    /// Only what CloudFormation knows of it changes.
    SyncWithActual,
    /// An action that this version does not know.
    Unknown(String),
}

impl Action {
    /// Reads the service's word.
    pub fn parse(text: &str) -> Self {
        match text {
            "Add" => Self::Add,
            "Modify" => Self::Modify,
            "Remove" => Self::Remove,
            "Import" => Self::Import,
            "Dynamic" => Self::Dynamic,
            "SyncWithActual" => Self::SyncWithActual,
            other => Self::Unknown(other.to_owned()),
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Add => "Add",
            Self::Modify => "Modify",
            Self::Remove => "Remove",
            Self::Import => "Import",
            Self::Dynamic => "Dynamic",
            Self::SyncWithActual => "SyncWithActual",
            Self::Unknown(other) => other,
        })
    }
}

/// Whether a resource is made anew, from the least to the most.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Replacement {
    /// It stays.
    #[default]
    Never,
    /// It depends on values that are not known yet, or on what exactly changes.
    Conditional,
    /// Another takes its place.
    Always,
}

impl Replacement {
    /// Reads `Replacement` (`True`, `False`, `Conditional`) or `RequiresRecreation` (`Always`, `Never`,
    /// `Conditionally`). A word that is not known counts as conditional, since it may be the worst.
    pub fn parse(text: &str) -> Self {
        match text {
            "True" | "Always" => Self::Always,
            "False" | "Never" => Self::Never,
            _ => Self::Conditional,
        }
    }
}

/// What becomes of a resource that leaves the stack or is replaced.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Policy {
    /// It is deleted.
    Delete,
    /// It stays, outside of the stack.
    Retain,
    /// It is deleted after a snapshot.
    Snapshot,
    /// It is replaced, then deleted.
    ReplaceAndDelete,
    /// It is replaced and stays, outside of the stack.
    ReplaceAndRetain,
    /// It is replaced, then deleted after a snapshot.
    ReplaceAndSnapshot,
    /// A policy that this version does not know.
    Unknown(String),
}

impl Policy {
    /// Reads the service's word.
    pub fn parse(text: &str) -> Self {
        match text {
            "Delete" => Self::Delete,
            "Retain" => Self::Retain,
            "Snapshot" => Self::Snapshot,
            "ReplaceAndDelete" => Self::ReplaceAndDelete,
            "ReplaceAndRetain" => Self::ReplaceAndRetain,
            "ReplaceAndSnapshot" => Self::ReplaceAndSnapshot,
            other => Self::Unknown(other.to_owned()),
        }
    }

    /// What becomes of the resource, as the end of a sentence that names it.
    pub fn fate(&self) -> &'static str {
        match self {
            Self::Delete | Self::ReplaceAndDelete => "deleted with its data",
            Self::Retain | Self::ReplaceAndRetain => "kept, outside of the stack",
            Self::Snapshot | Self::ReplaceAndSnapshot => "deleted after a snapshot",
            Self::Unknown(_) => "treated by a policy that this version does not know",
        }
    }
}

/// The part of a resource's declaration that changes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Attribute {
    /// A property.
    Properties,
    /// `Metadata`.
    Metadata,
    /// `CreationPolicy`.
    CreationPolicy,
    /// `UpdatePolicy`.
    UpdatePolicy,
    /// `DeletionPolicy`.
    DeletionPolicy,
    /// `UpdateReplacePolicy`.
    UpdateReplacePolicy,
    /// Tags, its own or the stack's.
    Tags,
    /// The resource's type.
    Type,
    /// A part that this version does not know.
    Unknown(String),
}

impl Attribute {
    /// Reads the service's word.
    pub fn parse(text: &str) -> Self {
        match text {
            "Properties" => Self::Properties,
            "Metadata" => Self::Metadata,
            "CreationPolicy" => Self::CreationPolicy,
            "UpdatePolicy" => Self::UpdatePolicy,
            "DeletionPolicy" => Self::DeletionPolicy,
            "UpdateReplacePolicy" => Self::UpdateReplacePolicy,
            "Tags" => Self::Tags,
            "Type" => Self::Type,
            other => Self::Unknown(other.to_owned()),
        }
    }

    /// The key in a template.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Properties => "Properties",
            Self::Metadata => "Metadata",
            Self::CreationPolicy => "CreationPolicy",
            Self::UpdatePolicy => "UpdatePolicy",
            Self::DeletionPolicy => "DeletionPolicy",
            Self::UpdateReplacePolicy => "UpdateReplacePolicy",
            Self::Tags => "Tags",
            Self::Type => "Type",
            Self::Unknown(other) => other,
        }
    }
}

/// One leaf that changes.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PropertyChange {
    /// The part of the declaration that it is in.
    pub attribute: Attribute,
    /// Where: keys with dots, list members in brackets, such as `KeySchema[0].AttributeName`. Empty for all of it.
    pub path: String,
    /// What is there.
    pub before: Shown,
    /// What will be there.
    pub after: Shown,
    /// Whether a change here asks for a replacement.
    pub recreation: Replacement,
    /// Whether it is decided while the change set runs that it changes at all.
    pub dynamic: bool,
    /// What makes it change.
    pub causes: Vec<Cause>,
}

impl PropertyChange {
    /// The property of the resource that it is in, without what is below.
    pub fn property(&self) -> &str {
        self.path.split(['.', '[']).next().unwrap_or_default()
    }

    /// The path with its part of the declaration, where that is not the properties.
    pub fn place(&self) -> String {
        match (&self.attribute, self.path.as_str()) {
            (Attribute::Properties, path) => path.to_owned(),
            (attribute, "") => attribute.as_str().to_owned(),
            (Attribute::Tags, path) if path == "Tags" || path.starts_with("Tags") => {
                path.to_owned()
            }
            (attribute, path) => format!("{}.{path}", attribute.as_str()),
        }
    }
}

/// A value as it may be shown: never a secret.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Shown {
    /// There is none.
    Absent,
    /// The value; a reference that is not resolved reads `${Resource.Attribute}`.
    Value(Value),
    /// A secret, which is not shown.
    Secret,
    /// Known once the change set has run.
    KnownAfterApply,
    /// Not given by the service, as it is too long, or by an emulator that gives none.
    NotGiven,
}

impl Shown {
    /// Reads a value that holds no secret any more.
    pub fn of(value: Option<&Value>) -> Self {
        match value {
            None => Self::Absent,
            Some(Value::String(text)) if text == MASK => Self::Secret,
            Some(Value::String(text)) if text == AFTER_APPLY => Self::KnownAfterApply,
            Some(Value::String(text)) if text.starts_with("(Truncated-Signature)") => {
                Self::NotGiven
            }
            Some(value) => Self::Value(value.clone()),
        }
    }
}

/// What makes a property change.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// The template.
    Template,
    /// A parameter of this name.
    Parameter(String),
    /// Another resource, whose name this one refers to.
    Resource(String),
    /// An attribute of another resource: `Resource.Attribute`.
    Attribute(String),
    /// A nested stack.
    NestedStack,
    /// The tags of the stack.
    StackTags,
    /// A source that this version does not know.
    Unknown(String),
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Template => f.write_str("the template"),
            Self::Parameter(name) => write!(f, "parameter {name}"),
            Self::Resource(name) => write!(f, "resource {name}"),
            Self::Attribute(name) => f.write_str(name),
            Self::NestedStack => f.write_str("a nested stack"),
            Self::StackTags => f.write_str("the stack's tags"),
            Self::Unknown(other) => f.write_str(other),
        }
    }
}
