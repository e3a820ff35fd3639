//! Flows: deploy and destroy, over the traits of [`crate::cloud`]. They never name an SDK type, never print and never
//! read the machine's clock.

mod deploy;
mod destroy;
mod diagnose;
mod diagnose_stack_set;
mod drift;
mod error;
mod follow;
mod guard;
mod history;
mod import;
#[cfg(test)]
mod import_tests;
mod pipeline;
#[cfg(test)]
mod pipeline_tests;
mod plan;
mod preflight;
pub mod roll_out;
mod stack_action;
mod state_machine;
#[cfg(test)]
mod tests;

pub use deploy::{
    Agreed, Deployed, Deployer, Outputs, Remedies, StackInput, StackInputs, WhatHappened,
};
pub use destroy::{Destroyed, Destroyer, Holdings, Leave, Removal, Removed};
pub use diagnose::{Diagnosed, Diagnoser};
pub use diagnose_stack_set::StackSetDiagnoser;
pub use drift::{DriftFinder, DriftFound};
pub use error::FlowError;
pub use guard::{AllowReplace, Guarded, ResourceNames};
pub use history::{Historian, StackHistory, Window, merged};
pub use import::Importer;
pub use pipeline::{PipelineError, PipelineWatcher};
pub use plan::{Plan, PlannedStack, Planner, Stop};
pub use preflight::{Depth, Preflight, WantedStack};
pub use stack_action::StackAction;
pub use state_machine::{MachineRun, MachineRunner};

use crate::clock::{Clock, PollInterval};
use crate::cloud::Stacks;
use crate::stack::{StackChanges, StackEvent};

/// Something a person may want to see while a flow runs.
#[derive(Clone, Debug)]
pub enum Progress {
    /// Work on the stack begins.
    Started,
    /// The stack was busy with an operation that somebody else, or an earlier run, started; it is waited for.
    Waiting {
        /// The status that it is in.
        status: String,
    },
    /// A change set is executed that an earlier run made of the same template and parameters, and left.
    Adopted,
    /// A person agreed that the stack is removed, as nothing else gets it out of this status.
    Removing {
        /// The status that it is in.
        status: String,
    },
    /// A person agreed that what is left of the last update is undone.
    Undoing {
        /// The resources that are left as they are.
        skip: Vec<String>,
    },
    /// The update was cancelled; CloudFormation rolls it back.
    Cancelled,
    /// The operation under way cannot be cancelled, and goes on.
    GoesOn {
        /// The status that it is in.
        status: String,
    },
    /// The stack is protected now: against its deletion, its data against replacement and removal.
    Protected,
    /// The contents of the change set are known; it is about to be executed.
    ChangeSet(Box<StackChanges>),
    /// CloudFormation recorded an event.
    Event(StackEvent),
    /// A bucket was emptied so that it can be deleted.
    Emptied {
        /// The bucket's name.
        bucket: String,
        /// How many objects, versions and delete markers went.
        objects: u64,
    },
    /// A step of a removal.
    Removal(Removal),
    /// The stack already matches its template, parameters and tags.
    NoChanges,
    /// The stack was created or updated, or is gone.
    Done,
}

/// Where flows tell their progress: the stack's name in the project, and what happened.
pub trait Observer: Send + Sync {
    /// Takes one piece of progress.
    fn observe(&self, stack: &str, progress: &Progress);
}

/// What every flow works with.
#[derive(Clone, Copy)]
pub struct Tools<'a> {
    /// CloudFormation.
    pub stacks: &'a dyn Stacks,
    /// Time.
    pub clock: &'a dyn Clock,
    /// How often to ask.
    pub poll: PollInterval,
    /// Where progress goes.
    pub observer: &'a dyn Observer,
}
