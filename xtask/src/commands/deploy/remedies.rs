use std::io::IsTerminal;

use stackway_infra::flow::{FlowError, Remedies};
use stackway_infra::stack::DeployAction;

use crate::failure::Failure;
use crate::ui::Ui;

/// Tells why a stack takes no change set and asks for the way out of it; whether a person has agreed to one.
///
/// Nothing is asked where there is no terminal, or no way out.
///
/// # Errors
/// Where the answer is no.
pub(super) fn agreed(
    ui: &Ui,
    failure: &Failure,
    error: &FlowError,
    remedies: &mut Remedies,
) -> Result<bool, Failure> {
    let first = match error {
        FlowError::Several { first, .. } => first,
        error => error,
    };
    let FlowError::Stuck { label, status, .. } = first else {
        return Ok(false);
    };
    if !std::io::stdin().is_terminal() {
        return Ok(false);
    }
    let (question, agreed) = match status.deploy_action() {
        DeployAction::Recreate => (
            format!("Remove stack `{label}`, and make it anew?"),
            &mut remedies.recreate,
        ),
        DeployAction::ContinueRollback | DeployAction::RollBack => (
            format!("Undo the last update of stack `{label}`, then deploy?"),
            &mut remedies.continue_rollback,
        ),
        DeployAction::Stop | DeployAction::Create | DeployAction::Update | DeployAction::Wait => {
            return Ok(false);
        }
    };
    ui.failure(failure);
    ui.confirm(&question, label, false)?;
    agreed.add(label);
    Ok(true)
}
