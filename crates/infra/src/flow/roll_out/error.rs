use std::collections::BTreeMap;

use crate::cloud::CloudError;
use crate::flow::Guarded;
use crate::stack_set::{OperationResult, Pair, ResultStatus, StackSetAddress, StackSetOperation};

/// Why a roll-out, or what else was asked of a stack set, ended before its goal.
#[derive(Clone, Debug, thiserror::Error)]
pub enum RollOutError {
    /// A call failed.
    #[error(transparent)]
    Cloud(#[from] CloudError),
    /// An operation did not succeed.
    #[error("stack set `{stack_set}`: {} ended in {}", operation.action, operation.status)]
    Ended {
        /// The set.
        stack_set: String,
        /// The operation.
        operation: Box<StackSetOperation>,
        /// The instances that failed, each with its reason.
        failed: Vec<OperationResult>,
        /// Instances whose turn did not come.
        cancelled: usize,
        /// Instances of the operation.
        instances: usize,
    },
    /// Resources would be lost with their data, and nobody agreed to that; nothing was changed.
    #[error("stack set `{stack_set}`: {} resources that hold data would be lost", guarded.len())]
    Guarded {
        /// The set.
        stack_set: String,
        /// The stack's name in the project.
        stack: String,
        /// What would be lost.
        guarded: Vec<Guarded>,
    },
    /// All else is done, and instances are left that take no operation.
    #[error("stack set `{stack_set}`: {} no operation", takes(pairs.len()))]
    Stuck {
        /// The set.
        stack_set: String,
        /// The instances, each with the reason.
        pairs: BTreeMap<Pair, String>,
    },
    /// A set cannot go from self-managed to service-managed permissions, or back.
    #[error("stack set `{stack_set}` has the other permission model")]
    PermissionModel {
        /// The set.
        stack_set: String,
    },
    /// The service does not know an operation that it has begun.
    #[error("stack set `{stack_set}`: operation {operation} is not known to CloudFormation")]
    Lost {
        /// The set.
        stack_set: String,
        /// The operation's id.
        operation: String,
    },
    /// Others kept on operating on the set.
    #[error("stack set `{stack_set}`: other operations kept coming in between")]
    Contended {
        /// The set.
        stack_set: String,
    },
}

impl RollOutError {
    pub(super) fn ended(
        at: &StackSetAddress,
        operation: StackSetOperation,
        results: Vec<OperationResult>,
    ) -> Self {
        let instances = results.len();
        let cancelled = results
            .iter()
            .filter(|result| result.status == ResultStatus::Cancelled)
            .count();
        Self::Ended {
            stack_set: at.name.clone(),
            operation: Box::new(operation),
            failed: results
                .into_iter()
                .filter(|result| result.status == ResultStatus::Failed)
                .collect(),
            cancelled,
            instances,
        }
    }
}

fn takes(count: usize) -> String {
    match count {
        1 => "1 instance takes".to_owned(),
        count => format!("{count} instances take"),
    }
}
