use super::Guarded;
use crate::cloud::CloudError;
use crate::stack::{StackEvent, StackStatus};

/// Why a flow ended before its goal.
#[derive(Clone, Debug, thiserror::Error)]
pub enum FlowError {
    /// A call failed.
    #[error(transparent)]
    Cloud(#[from] CloudError),
    /// The stack takes no operation until somebody acts.
    #[error("stack `{stack}` is in {status}{}", reason.as_ref().map(|r| format!(": {r}")).unwrap_or_default())]
    Stuck {
        /// The stack's name in the project.
        label: String,
        /// The stack's name in CloudFormation.
        stack: String,
        /// Its status.
        status: StackStatus,
        /// What led there, where CloudFormation says so.
        reason: Option<String>,
        /// The resources whose rollback failed, which the next one may leave out; logical ids.
        skippable: Vec<String>,
    },
    /// A resource was named to be left out of a rollback that did not fail by it.
    #[error("{logical_id} of stack `{stack}` cannot be skipped: {}", match failed.as_slice() { [] => "no resource's rollback failed".to_owned(), failed => format!("those whose rollback failed are {}", failed.join(", ")) })]
    NotSkippable {
        /// The stack, by its name in the project.
        stack: String,
        /// The resource.
        logical_id: String,
        /// The resources whose rollback failed.
        failed: Vec<String>,
    },
    /// A person stopped the deploy.
    #[error("interrupted")]
    Interrupted {
        /// Each stack, by its name in the project, and what became of it.
        stacks: Vec<(String, String)>,
    },
    /// The change set could not be made.
    #[error("stack `{stack}`: the change set failed: {reason}")]
    ChangeSet {
        /// The stack's name in CloudFormation.
        stack: String,
        /// CloudFormation's reason.
        reason: String,
    },
    /// The operation failed.
    #[error("stack `{stack}` ended in {status}")]
    Failed {
        /// The stack's name in CloudFormation.
        stack: String,
        /// Its status now.
        status: String,
        /// The failed resources, root causes first.
        failures: Vec<StackEvent>,
    },
    /// An output that another stack needs is not there.
    #[error("stack `{stack}` has no output `{output}`, which `{needed_by}` needs")]
    MissingOutput {
        /// The stack that should have it, by its name in the project.
        stack: String,
        /// The output.
        output: String,
        /// The stack that needs it, by its name in the project.
        needed_by: String,
    },
    /// A stack is not as its operation should have left it.
    #[error("stack `{stack}` is still there after its deletion, in {status}")]
    Left {
        /// The stack's name in CloudFormation.
        stack: String,
        /// Its status.
        status: String,
    },
    /// Stacks or tables are protected, and nobody said that this may be lifted.
    #[error("protection against deletion is on for {}", stacks.iter().chain(tables).map(String::as_str).collect::<Vec<_>>().join(", "))]
    Protected {
        /// The stacks with termination protection, by their names in CloudFormation.
        stacks: Vec<String>,
        /// The tables with deletion protection.
        tables: Vec<String>,
    },
    /// The change set would take resources away that hold data; it is deleted again.
    #[error("stack `{stack}`: {} {}", guarded.first().map_or("", |one| one.logical_id.as_str()), guarded.first().map_or("", |one| one.loss.verb()))]
    Guarded {
        /// The stack, by its name in the project.
        stack: String,
        /// The resources, one at least.
        guarded: Vec<Guarded>,
    },
    /// What a stack needs could not be prepared.
    #[error("{0}")]
    Input(String),
    /// More than one stack failed; the first is told in full.
    #[error("{first}; {} more failed", others.len())]
    Several {
        /// The first failure, in deploy order.
        first: Box<FlowError>,
        /// The others.
        others: Vec<FlowError>,
    },
}
