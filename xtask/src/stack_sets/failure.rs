use std::collections::BTreeMap;

use stackway_infra::flow::roll_out::RollOutError;
use stackway_infra::stack_set::{OperationOutcome, OperationResult};

use crate::failure::{Failure, Kind};

impl Failure {
    /// A failed roll-out, with every instance's reason and the next step.
    pub(crate) fn of_roll_out(error: RollOutError, kind: Kind, environment: &str) -> Self {
        let again = match kind {
            Kind::Destroy => format!("`cargo xtask destroy --env {environment}`"),
            _ => format!("`cargo xtask deploy --env {environment}`"),
        };
        let message = error.to_string();
        match error {
            RollOutError::Cloud(error) => {
                Self::from(error).hint(format!("{again} continues from what stands"))
            }
            RollOutError::Ended {
                operation,
                failed,
                cancelled,
                instances,
                ..
            } => {
                let mut failure = Self::new(kind, message);
                failure.causes.extend(operation.reason);
                failure.causes.extend(reasons(&failed));
                if cancelled > 0 {
                    failure = failure.cause(format!(
                        "{cancelled} of {instances} instances had no turn, and are as they were"
                    ));
                }
                match operation.status.outcome() {
                    OperationOutcome::Stopped => failure.hint(format!(
                        "somebody stopped it; {again} does what is left"
                    )),
                    OperationOutcome::Unknown => failure.hint(
                        "this version does not know the status: look at the operation in CloudFormation's console",
                    ),
                    _ => failure.hint(format!(
                        "remove the causes, then run {again}; it works on the instances that are behind alone"
                    )),
                }
            }
            RollOutError::Stuck { pairs, .. } => {
                let mut failure = Self::new(kind, message);
                failure.causes.extend(together(pairs.iter().map(
                    |(pair, reason)| (reason.as_str(), pair.to_string()),
                )));
                failure.hint(format!(
                    "remove the cause in each account; where an account is out of reach for good, \
                     `cargo xtask stack-set remove --retain-stacks` lets go of its stacks; then run {again}"
                ))
            }
            RollOutError::PermissionModel { .. } => Self::new(kind, message)
                .cause("a set cannot go from accounts to organizational units, or back")
                .hint(format!(
                    "remove it with `cargo xtask destroy --env {environment}`, then deploy again"
                )),
            RollOutError::Lost { .. } | RollOutError::Contended { .. } => {
                Self::new(kind, message).hint(format!(
                    "`cargo xtask stack-set status --env {environment}` shows what runs; {again} continues"
                ))
            }
            RollOutError::Guarded { stack, guarded, .. } => {
                let mut failure = Self::guarded(&stack, &guarded, environment);
                if let Some(first) = failure.hints.first_mut() {
                    "nothing was changed in any account".clone_into(first);
                }
                failure
            }
        }
    }
}

/// Each reason once, with the instances that it is true of.
fn reasons(failed: &[OperationResult]) -> Vec<String> {
    together(failed.iter().map(|result| {
        let reason = result.reason.as_deref().unwrap_or("no reason given");
        (reason, result.pair.to_string())
    }))
}

fn together<'a>(pairs: impl Iterator<Item = (&'a str, String)>) -> Vec<String> {
    let mut by_reason: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (reason, pair) in pairs {
        by_reason.entry(reason).or_default().push(pair);
    }
    by_reason
        .into_iter()
        .map(|(reason, pairs)| format!("{}: {reason}", pairs.join(", ")))
        .collect()
}

#[cfg(test)]
mod tests {
    use stackway_infra::stack_set::{
        OperationAction, OperationStatus, Pair, ResultStatus, StackSetOperation,
    };

    use super::*;

    fn ended(status: &str) -> RollOutError {
        let failed = |place: &str, reason: &str| OperationResult {
            pair: Pair::new(place, "eu-west-1"),
            status: ResultStatus::Failed,
            reason: Some(reason.to_owned()),
        };
        RollOutError::Ended {
            stack_set: "stackway-eu-west-2-prod-table".to_owned(),
            operation: Box::new(StackSetOperation {
                id: "stackway-create-1".to_owned(),
                action: OperationAction::Create,
                status: OperationStatus::parse(status),
                reason: None,
                created_at: None,
                ended_at: None,
            }),
            failed: vec![
                failed("111111111111", "the role cannot be assumed"),
                failed("222222222222", "a table of this name exists"),
                failed("333333333333", "the role cannot be assumed"),
            ],
            cancelled: 2,
            instances: 6,
        }
    }

    #[test]
    fn a_failed_operation_is_a_failure_with_each_instance_s_reason() {
        let mut shown = String::new();
        for status in ["FAILED", "STOPPED", "PAUSED"] {
            let failure = Failure::of_roll_out(ended(status), Kind::Deploy, "prod");
            assert_ne!(failure.kind.exit_code(), 0);
            shown += &[
                &failure.message,
                "\n  ",
                &failure.causes.join("\n  "),
                "\n  > ",
                &failure.hints.join("\n  > "),
                "\n",
            ]
            .concat();
        }
        insta::assert_snapshot!(shown, @r"
        stack set `stackway-eu-west-2-prod-table`: CREATE ended in FAILED
          222222222222/eu-west-1: a table of this name exists
          111111111111/eu-west-1, 333333333333/eu-west-1: the role cannot be assumed
          2 of 6 instances had no turn, and are as they were
          > remove the causes, then run `cargo xtask deploy --env prod`; it works on the instances that are behind alone
        stack set `stackway-eu-west-2-prod-table`: CREATE ended in STOPPED
          222222222222/eu-west-1: a table of this name exists
          111111111111/eu-west-1, 333333333333/eu-west-1: the role cannot be assumed
          2 of 6 instances had no turn, and are as they were
          > somebody stopped it; `cargo xtask deploy --env prod` does what is left
        stack set `stackway-eu-west-2-prod-table`: CREATE ended in PAUSED
          222222222222/eu-west-1: a table of this name exists
          111111111111/eu-west-1, 333333333333/eu-west-1: the role cannot be assumed
          2 of 6 instances had no turn, and are as they were
          > this version does not know the status: look at the operation in CloudFormation's console
        ");
    }
}
