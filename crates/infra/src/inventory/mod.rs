//! What an environment has in an account: what `destroy` plans from, and what its proof counts. No I/O.

mod arn;
mod contents;
mod owner;

pub(crate) use arn::{cluster_of_task, is_arn_of, kept_listed, kind_of, part_of};
pub use contents::{
    ADVANCED_PARAMETERS, BucketContents, Contents, FunctionContents, KeyState, RepositoryContents,
    TableContents,
};
pub use owner::Owner;

use std::collections::BTreeMap;
use std::fmt;

use time::OffsetDateTime;

use crate::stack::{Stack, StackResource};

/// By what a stack was found.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Evidence {
    /// It has a name that the project gives.
    Name,
    /// Its tags name project and environment.
    Tags,
    /// A pipeline of the project made it, or is declared to.
    Pipeline(String),
}

impl fmt::Display for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name => f.write_str("by name"),
            Self::Tags => f.write_str("by tags"),
            Self::Pipeline(name) => write!(f, "made by pipeline {name}"),
        }
    }
}

/// A stack that is there.
#[derive(Clone, Debug)]
pub struct FoundStack {
    /// Its name in the project, or its whole name where the project has no template for it.
    pub label: String,
    /// The stack.
    pub stack: Stack,
    /// By what it was found.
    pub evidence: Vec<Evidence>,
    /// What it holds.
    pub resources: Vec<FoundResource>,
}

/// A resource of a [`FoundStack`].
#[derive(Clone, Debug)]
pub struct FoundResource {
    /// The resource.
    pub resource: StackResource,
    /// What is in it, for those that hold something.
    pub contents: Option<Contents>,
    /// Whether its service refuses its deletion until that protection is lifted.
    pub deletion_protection: bool,
}

/// What kind of thing a [`Leftover`] is, in the order in which they go: what calls and reads before what it reads, and
/// keys after all that they encrypt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LeftoverKind {
    /// An alias of a function that is not the environment's.
    FunctionAlias,
    /// A published version of such a function.
    FunctionVersion,
    /// A function, with its versions and aliases.
    Function,
    /// A bucket.
    Bucket,
    /// An image repository.
    Repository,
    /// A group of test reports.
    ReportGroup,
    /// A log group.
    LogGroup,
    /// A table.
    Table,
    /// A parameter of the Parameter Store.
    Parameter,
    /// A secret.
    Secret,
    /// A key.
    Key,
    /// A resource of another type that a deleted stack was told to keep.
    Kept,
    /// Anything else that carries the project's tags.
    Tagged,
}

impl LeftoverKind {
    /// What a person calls one of them.
    pub fn singular(self) -> &'static str {
        match self {
            Self::FunctionAlias => "function alias",
            Self::FunctionVersion => "function version",
            Self::Function => "function",
            Self::Bucket => "bucket",
            Self::Repository => "image repository",
            Self::ReportGroup => "report group",
            Self::LogGroup => "log group",
            Self::Table => "table",
            Self::Parameter => "parameter",
            Self::Secret => "secret",
            Self::Key => "key",
            Self::Kept => "kept resource",
            Self::Tagged => "tagged resource",
        }
    }
}

/// How a deleted stack left a thing.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct KeptBy {
    /// The stack's name.
    pub stack: String,
    /// The resource's type in CloudFormation.
    pub resource_type: String,
}

/// Whether a [`Leftover`] can be removed now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Removable {
    /// `destroy` removes it.
    Now,
    /// `destroy` schedules its deletion, which can be called off until it goes.
    Later {
        /// How many days it waits.
        days: i32,
    },
    /// It is on its way out, and nothing hastens it.
    Waits {
        /// When it goes.
        until: Option<OffsetDateTime>,
    },
    /// `destroy` does not know how to remove such a thing; a person can.
    ByHand,
}

/// A thing of the environment that no stack owns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leftover {
    /// What it is.
    pub kind: LeftoverKind,
    /// Its name, or its ARN where it has no other.
    pub id: String,
    /// What is in it.
    pub contents: Contents,
    /// Whether it can be removed now.
    pub removable: Removable,
    /// Whether its service refuses its deletion until that protection is lifted.
    pub deletion_protection: bool,
    /// The deleted stack that kept it, where one did.
    pub kept_by: Option<KeptBy>,
}

impl Leftover {
    /// Whether `destroy` does something about it.
    pub fn is_work(&self) -> bool {
        matches!(self.removable, Removable::Now | Removable::Later { .. })
    }
}

/// A service that the endpoint lacks: nothing of its kind was looked for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct NotOffered {
    /// What was not looked for.
    pub what: &'static str,
    /// What the endpoint answered.
    pub answer: String,
}

/// A pipeline of the project that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundPipeline {
    /// Its name.
    pub name: String,
    /// Its stages, in order.
    pub stages: Vec<String>,
    /// The executions under way, by id.
    pub running: Vec<String>,
}

/// A stack set that a pipeline of the project made, or is declared to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct MadeSet {
    /// Its name.
    pub name: String,
    /// Where it is, if that is not the environment's region.
    pub region: Option<String>,
}

/// Everything of an environment that was found.
#[derive(Clone, Debug, Default)]
pub struct Inventory {
    /// The stacks, in the order in which they can be removed.
    pub stacks: Vec<FoundStack>,
    /// The pipelines.
    pub pipelines: Vec<FoundPipeline>,
    /// The stack sets that the pipelines name; nobody has looked whether they are there.
    pub made_sets: Vec<MadeSet>,
    /// The stacks that the pipelines name in other regions, by region, each with its pipeline. Nobody has looked there.
    pub elsewhere: BTreeMap<String, BTreeMap<String, String>>,
    /// What no stack owns, by kind.
    pub leftovers: Vec<Leftover>,
    /// What could not be looked for, on an emulator.
    pub not_offered: Vec<NotOffered>,
}

impl Inventory {
    /// Whether there is nothing to remove and nothing to wait for.
    pub fn is_empty(&self) -> bool {
        self.stacks.is_empty() && self.leftovers.is_empty()
    }

    /// Whether something is there that `destroy` removes.
    pub fn has_work(&self) -> bool {
        !self.stacks.is_empty() || self.leftovers.iter().any(Leftover::is_work)
    }

    /// The leftovers of a kind.
    pub fn of_kind(&self, kind: LeftoverKind) -> impl Iterator<Item = &Leftover> {
        self.leftovers
            .iter()
            .filter(move |leftover| leftover.kind == kind)
    }

    /// How many things are there: stacks and what no stack owns.
    pub fn count(&self) -> usize {
        self.stacks.len() + self.leftovers.len()
    }

    /// The stacks of which `DeleteStack` is refused.
    pub fn protected(&self) -> impl Iterator<Item = &FoundStack> {
        self.stacks
            .iter()
            .filter(|found| found.stack.termination_protection)
    }

    /// The tables of which `DeleteTable` is refused, of stacks and of none, each with the stack or itself as its label.
    pub fn protected_tables(&self) -> Vec<(&str, &str)> {
        let of_stacks = self.stacks.iter().flat_map(|stack| {
            stack
                .resources
                .iter()
                .filter(|found| found.deletion_protection)
                .map(|found| (stack.label.as_str(), found.resource.physical_id.as_str()))
        });
        let loose = self
            .leftovers
            .iter()
            .filter(|leftover| leftover.deletion_protection)
            .map(|leftover| (leftover.id.as_str(), leftover.id.as_str()));
        of_stacks.chain(loose).collect()
    }
}
