//! Removing an environment: what there is, how it goes, and the proof that nothing is left.

mod leftovers;
mod order;
mod remove;
mod sweep;
mod take;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod unowned_tests;

use super::Tools;
use crate::cloud::{
    AnyResource, Functions, HeldParameters, HeldSecrets, Images, Keys, LogGroups, Objects,
    PipelineStacks, ReportGroups, StackControl, StackList, Tables, Tagged,
};
use crate::inventory::{Inventory, LeftoverKind, Owner};

/// Where an environment's things are looked for and removed.
#[derive(Clone, Copy)]
pub struct Holdings<'a> {
    /// All stacks.
    pub stacks: &'a dyn StackList,
    /// S3.
    pub objects: &'a dyn Objects,
    /// ECR.
    pub images: &'a dyn Images,
    /// DynamoDB.
    pub tables: &'a dyn Tables,
    /// CloudWatch Logs.
    pub log_groups: &'a dyn LogGroups,
    /// CodeBuild.
    pub report_groups: &'a dyn ReportGroups,
    /// CodePipeline.
    pub pipelines: &'a dyn PipelineStacks,
    /// KMS.
    pub keys: &'a dyn Keys,
    /// The Parameter Store.
    pub parameters: &'a dyn HeldParameters,
    /// Secrets Manager.
    pub secrets: &'a dyn HeldSecrets,
    /// Lambda.
    pub functions: &'a dyn Functions,
    /// The Cloud Control API.
    pub any: &'a dyn AnyResource,
    /// The Resource Groups Tagging API.
    pub tagged: &'a dyn Tagged,
}

/// What a destroy may do beyond deleting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Leave {
    /// Switch the termination protection of stacks, and the deletion protection of tables, off.
    pub lift_protection: bool,
    /// Delete a stack in `DELETE_FAILED` for good, where the cause cannot be removed: its resources stay then.
    pub force_delete: bool,
    /// The endpoint is an emulator, which may lack a service. On AWS, a service that does not answer is a failure.
    pub emulator: bool,
    /// How many days keys and secrets wait for their deletion, 7 to 30.
    pub recovery_days: i32,
}

impl Default for Leave {
    /// Nothing but deleting, with as much time to call it off as KMS and Secrets Manager give by themselves.
    fn default() -> Self {
        Self {
            lift_protection: false,
            force_delete: false,
            emulator: false,
            recovery_days: 30,
        }
    }
}

/// Takes an environment's inventory, removes what is in it, and takes the inventory again.
#[derive(Clone, Copy)]
pub struct Destroyer<'a> {
    /// What the flow works with.
    pub tools: Tools<'a>,
    /// Termination protection.
    pub control: &'a dyn StackControl,
    /// The other services.
    pub holdings: Holdings<'a>,
    /// Whose things these are.
    pub owner: &'a Owner,
    /// What is allowed.
    pub leave: Leave,
}

/// A step on the way, told through [`Progress::Removal`](super::Progress::Removal).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Removal {
    /// The stack's termination protection is off by now.
    ProtectionLifted,
    /// A table's deletion protection is off by now.
    TableProtectionLifted {
        /// The table.
        table: String,
    },
    /// The pipeline's stages take nothing in any more, and so many executions were stopped.
    PipelineStopped {
        /// How many executions.
        executions: usize,
    },
    /// A repository was emptied.
    ImagesDeleted {
        /// Its name.
        repository: String,
        /// How many images.
        images: u64,
    },
    /// The deletion failed for these resources; their cause is removed as far as is known, and it is repeated.
    Repeated {
        /// Their logical ids.
        resources: Vec<String>,
    },
    /// The stack is deleted by force, and these resources stay.
    Forced {
        /// Their logical ids.
        resources: Vec<String>,
    },
    /// A thing that no stack owned is gone.
    Gone(LeftoverKind),
    /// A thing that no stack owned waits for its deletion.
    Scheduled {
        /// What it is.
        kind: LeftoverKind,
        /// How many days it waits.
        days: i32,
    },
}

/// A stack that is gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Removed {
    /// Its name in the project.
    pub label: String,
    /// Its name in CloudFormation.
    pub stack_name: String,
    /// How many resources it held.
    pub resources: usize,
}

/// What a destroy has done, and what a second look found.
#[derive(Clone, Debug, Default)]
pub struct Destroyed {
    /// The stacks that are gone, in the order in which they went.
    pub removed: Vec<Removed>,
    /// How many things went that no stack owned.
    pub leftovers: usize,
    /// What is there now.
    pub left: Inventory,
}
