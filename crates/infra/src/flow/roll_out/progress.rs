use super::RollOutPlan;
use crate::stack_set::{OperationAction, OperationResult, StackSetOperation};

/// Something a person may want to see while a roll-out runs.
#[derive(Clone, Debug)]
pub enum RollOutProgress {
    /// Work on the set begins.
    Started,
    /// An operation was under way already: of somebody else, or of an earlier run that was killed. It has its turn.
    Waiting {
        /// The operation.
        operation: StackSetOperation,
        /// Whether it is Stackway's own, by its id.
        own: bool,
    },
    /// What is to be done is known.
    Planned(Box<RollOutPlan>),
    /// An operation begins.
    Began {
        /// What it does.
        action: OperationAction,
        /// Its id.
        operation: String,
        /// How many accounts or units times regions it names; `None`: whatever there is.
        instances: Option<usize>,
    },
    /// The operation is further with an instance than at the last look.
    Instance(OperationResult),
    /// The operation is over, one way or the other.
    Ended(StackSetOperation),
    /// The set is as wanted already.
    NoChanges,
    /// The set is as wanted now, or gone.
    Done,
}

/// Where roll-outs tell their progress: the set's name, and what happened.
pub trait RollOutObserver: Send + Sync {
    /// Takes one piece of progress.
    fn observe_roll_out(&self, stack_set: &str, progress: &RollOutProgress);
}
