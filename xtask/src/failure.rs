//! Failures: what went wrong, why, and what to do next; one exhaustive match turns a kind into an exit code.

use stackway_infra::cloud::CloudError;
use stackway_infra::flow::{FlowError, Guarded};
use stackway_infra::stack::{DeployAction, Loss, StackEvent, StackStatus};

/// What kind of thing failed. Each kind has its own exit code, documented in the README.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A check of `test`, `lint` or `doctor` did not pass.
    Check,
    /// Flags do not go together, in a way that clap cannot see.
    CommandLine,
    /// `stackway.toml`, a template or a parameter is wrong.
    Configuration,
    /// A tool that the command needs is missing or did not work.
    Tool,
    /// Nothing answers at the endpoint.
    Unreachable,
    /// Credentials are missing, refused, or of another account.
    Account,
    /// A stack could not be deployed.
    Deploy,
    /// Something is left after a destroy.
    Destroy,
    /// The local emulator could not be installed, started or stopped.
    Emulator,
    /// A file could not be read or written.
    Io,
    /// The question was answered with no, or could not be asked.
    Declined,
    /// What was asked for is not deployed.
    NotDeployed,
    /// A deploy would take a resource with its data away, and nobody agreed to that.
    Guarded,
    /// An execution of a pipeline failed.
    Pipeline,
    /// An execution of a pipeline was stopped, overtaken or cancelled.
    PipelineStopped,
    /// An execution of a pipeline waits for a person.
    PipelineWaits,
    /// Ctrl-C.
    Interrupted,
}

impl Kind {
    /// The process's exit code. 2 is clap's too.
    pub(crate) fn exit_code(self) -> u8 {
        match self {
            Self::Check => 1,
            Self::CommandLine => 2,
            Self::Configuration => 3,
            Self::Tool => 4,
            Self::Unreachable => 5,
            Self::Account => 6,
            Self::Deploy => 7,
            Self::Destroy => 8,
            Self::Emulator => 9,
            Self::Io => 10,
            Self::Declined => 11,
            Self::NotDeployed => 12,
            Self::Guarded => 13,
            Self::Pipeline => 14,
            Self::PipelineStopped => 15,
            Self::PipelineWaits => 16,
            Self::Interrupted => 130,
        }
    }
}

/// One failure, as it is shown: `error:`, `cause:` lines, `hint:` lines.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    pub(crate) kind: Kind,
    pub(crate) message: String,
    pub(crate) causes: Vec<String>,
    pub(crate) hints: Vec<String>,
}

impl Failure {
    pub(crate) fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            causes: Vec::new(),
            hints: Vec::new(),
        }
    }

    /// A file that could not be read or written; a full disk is named as one.
    pub(crate) fn io(doing: &str, path: &std::path::Path, error: &std::io::Error) -> Self {
        let failure = Self::new(Kind::Io, format!("cannot {doing} `{}`", path.display()))
            .cause(error.to_string());
        match error.kind() {
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => {
                failure.hint("free some disk space, then run the same command again; nothing half-written was kept")
            }
            std::io::ErrorKind::PermissionDenied => failure.hint("check who owns the folder"),
            _ => failure,
        }
    }

    pub(crate) fn cause(mut self, cause: impl Into<String>) -> Self {
        self.causes.push(cause.into());
        self
    }

    /// The failure with the causes that a flow gave, and what it said first as the first of them.
    pub(crate) fn within(self, message: impl Into<String>) -> Self {
        let mut outer = Self::new(self.kind, message).cause(self.message);
        outer.causes.extend(self.causes);
        outer.hints = self.hints;
        outer
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }
}

impl From<CloudError> for Failure {
    fn from(error: CloudError) -> Self {
        match error {
            CloudError::Unreachable { operation, message } => {
                Self::new(Kind::Unreachable, format!("no answer to {operation}")).cause(message)
            }
            CloudError::Credentials { operation, message } => Self::new(
                Kind::Account,
                format!("no credentials to call {operation} with"),
            )
            .cause(message)
            .hint("log in (`aws sso login`, or set AWS_PROFILE), then run the same command again"),
            CloudError::Refused {
                operation,
                code,
                message,
            } => {
                let kind = match code.as_str() {
                    "AccessDenied"
                    | "AccessDeniedException"
                    | "ExpiredToken"
                    | "ExpiredTokenException"
                    | "InvalidClientTokenId"
                    | "SignatureDoesNotMatch"
                    | "UnrecognizedClientException" => Kind::Account,
                    _ => Kind::Deploy,
                };
                let failure =
                    Self::new(kind, format!("{operation} was refused: {code}")).cause(message);
                match kind {
                    Kind::Account => failure.hint(
                        "check the credentials and their permissions with `cargo xtask doctor`",
                    ),
                    _ => failure,
                }
            }
            CloudError::File { path, message } => {
                Self::new(Kind::Io, format!("cannot read `{path}`")).cause(message)
            }
        }
    }
}

impl Failure {
    /// A flow's failure, with the next step; `again` is the command that continues, `destroy` the one that removes.
    pub(crate) fn of_flow(error: FlowError, kind: Kind, environment: &str) -> Self {
        let again = match kind {
            Kind::Destroy => format!("`cargo xtask destroy --env {environment}`"),
            _ => format!("`cargo xtask deploy --env {environment}`"),
        };
        match error {
            FlowError::Cloud(error) => {
                Self::from(error).hint(format!("{again} continues from what stands"))
            }
            FlowError::Stuck {
                label,
                stack,
                status,
                reason,
                skippable,
            } => {
                let what = standing(&status);
                let failure = Self::new(kind, format!("stack `{stack}` is in {status}: {what}"));
                let failure = match reason {
                    Some(reason) => failure.cause(reason),
                    None => failure,
                };
                failure.hint(way_out(&status, &label, &skippable, environment))
            }
            error @ FlowError::NotSkippable { .. } => Self::new(Kind::CommandLine, error.to_string())
                .hint("nothing was changed; name resources whose rollback failed, as LogicalId or STACK/LogicalId"),
            FlowError::Interrupted { stacks } => stacks
                .into_iter()
                .fold(
                    Self::new(Kind::Interrupted, "interrupted"),
                    |failure, (stack, what)| failure.cause(format!("{stack}: {what}")),
                )
                .hint(format!("{again} continues from what stands")),
            FlowError::ChangeSet { stack, reason } => Self::new(
                kind,
                format!("stack `{stack}`: CloudFormation made no change set"),
            )
            .cause(reason)
            .hint("nothing was changed; correct the template or its parameters, then deploy again"),
            FlowError::Failed {
                stack,
                status,
                failures,
            } => {
                let mut failure = Self::new(kind, format!("stack `{stack}` ended in {status}"));
                for event in failures.iter().take(5) {
                    let reason = event.reason.as_deref().unwrap_or("no reason given");
                    failure = failure.cause(format!(
                        "{} ({}): {reason}",
                        event.logical_id, event.resource_type
                    ));
                }
                let protected = |event: &StackEvent| {
                    event.resource_type == "AWS::DynamoDB::Table"
                        && event
                            .reason
                            .as_deref()
                            .is_some_and(|reason| reason.to_lowercase().contains("protect"))
                };
                if failures.iter().any(protected) {
                    failure = failure.hint(format!(
                        "to let the table go: set DeletionProtection = \"false\" under \
                         [environments.{environment}.parameters.table] in stackway.toml, and deploy"
                    ));
                }
                failure.hint(format!("remove the first cause, then run {again}"))
            }
            FlowError::MissingOutput {
                stack,
                output,
                needed_by,
            } => Self::new(
                Kind::Configuration,
                format!("stack `{stack}` has no output `{output}`, which `{needed_by}` needs"),
            )
            .hint(format!(
                "declare it in cloudformation/{stack}.yaml, then run {again}"
            )),
            FlowError::Left { stack, status } => {
                Self::new(kind, format!("stack `{stack}` is still there, in {status}"))
                    .hint(format!("run {again} again"))
            }
            FlowError::Protected { stacks, tables } => {
                Self::protected(&stacks, &tables, kind, environment)
            }
            FlowError::Guarded { stack, guarded } => Self::guarded(&stack, &guarded, environment),
            FlowError::Input(message) => Self::new(kind, message),
            FlowError::Several { first, others } => {
                let mut failure = Self::of_flow(*first, kind, environment);
                for other in others {
                    failure = failure.cause(format!("also: {other}"));
                }
                failure
            }
        }
    }
}

impl Failure {
    /// A destroy that was stopped before its first change.
    fn protected(stacks: &[String], tables: &[String], kind: Kind, environment: &str) -> Self {
        let what = match stacks.len() + tables.len() {
            1 => "1 thing".to_owned(),
            count => format!("{count} things"),
        };
        let mut failure = Self::new(
            kind,
            format!("{what} of `{environment}` may not be deleted: protection is on"),
        );
        for stack in stacks {
            failure = failure.cause(format!("stack {stack}: termination protection"));
        }
        for table in tables {
            failure = failure.cause(format!("table {table}: deletion protection"));
        }
        failure.hint("nothing was changed").hint(format!(
            "to remove them all the same, run `cargo xtask destroy --env {environment} --lift-protection`"
        ))
    }

    /// A deploy that was stopped before it took resources away that hold data.
    pub(crate) fn guarded(stack: &str, guarded: &[Guarded], environment: &str) -> Self {
        let what = match guarded {
            [one] => format!(
                "{} ({}) {}",
                one.logical_id,
                one.resource_type,
                one.loss.verb()
            ),
            all => format!("{} resources that hold data would be lost to it", all.len()),
        };
        let mut failure = Self::new(Kind::Guarded, format!("stack `{stack}`: {what}"));
        for one in guarded {
            let fate = one.fate.map(|fate| format!("; what is there is {fate}"));
            let physical = one.physical_id.as_ref().map(|id| format!(" `{id}`"));
            failure = failure.cause(format!(
                "{}{}: {}{}",
                one.logical_id,
                physical.unwrap_or_default(),
                one.causes.join("; "),
                fate.unwrap_or_default()
            ));
        }
        let flags: Vec<_> = guarded
            .iter()
            .map(|one| format!("--allow-replace {stack}/{}", one.logical_id))
            .collect();
        let anew = if guarded.iter().any(|one| one.loss == Loss::WithStack) {
            " --recreate"
        } else {
            ""
        };
        failure
            .hint("nothing was changed in this stack, and no change set of it is left")
            .hint(format!(
                "to let it happen, save the data first, then run `cargo xtask deploy --env {environment}{anew} {}`",
                flags.join(" ")
            ))
    }
}

/// How a stack came to a status in which it takes no change set.
fn standing(status: &StackStatus) -> &'static str {
    match status {
        StackStatus::RollbackComplete => "its first creation failed, so it can only be deleted",
        StackStatus::CreateFailed | StackStatus::RollbackFailed => "its creation failed part-way",
        StackStatus::DeleteFailed => "its deletion failed part-way",
        StackStatus::UpdateFailed => "its last update failed part-way",
        StackStatus::UpdateRollbackFailed => "its last update failed, and so did its undoing",
        StackStatus::ImportRollbackFailed => "an import failed, and so did its undoing",
        StackStatus::Unknown(_) => "this version does not know that status",
        _ => "it takes no update in this status",
    }
}

/// What gets a stack out of a status in which it takes no change set.
fn way_out(status: &StackStatus, label: &str, skippable: &[String], environment: &str) -> String {
    let deploy = format!("`cargo xtask deploy --env {environment}");
    match status.deploy_action() {
        DeployAction::Recreate => format!(
            "remove the cause, then run {deploy} --recreate`, which removes the stack and makes it anew"
        ),
        DeployAction::ContinueRollback => {
            let skips: Vec<_> = match skippable {
                [] => vec![format!("`--skip {label}/LogicalId`")],
                ids => ids
                    .iter()
                    .map(|id| format!("`--skip {label}/{id}`"))
                    .collect(),
            };
            format!(
                "remove the cause, then run {deploy} --continue-rollback`; what cannot be rolled back is left as it is \
                 with {}",
                skips.join(" ")
            )
        }
        DeployAction::RollBack => format!(
            "remove the cause, then run {deploy} --continue-rollback`, which undoes the update first"
        ),
        DeployAction::Stop | DeployAction::Create | DeployAction::Update | DeployAction::Wait => {
            format!(
                "nothing was done; look at the stack with `cargo xtask logs --env {environment} --stack {label}`"
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exit_codes_are_as_documented() {
        let readme = include_str!("../../README.md");
        for kind in [
            Kind::Check,
            Kind::CommandLine,
            Kind::Configuration,
            Kind::Tool,
            Kind::Unreachable,
            Kind::Account,
            Kind::Deploy,
            Kind::Destroy,
            Kind::Emulator,
            Kind::Io,
            Kind::Declined,
            Kind::NotDeployed,
            Kind::Guarded,
            Kind::Pipeline,
            Kind::PipelineStopped,
            Kind::PipelineWaits,
            Kind::Interrupted,
        ] {
            assert!(
                readme.contains(&format!("| {} |", kind.exit_code())),
                "README.md lacks exit code {}",
                kind.exit_code()
            );
        }
    }
}
