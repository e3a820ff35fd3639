use std::collections::BTreeMap;

use futures::future::{join_all, try_join_all};

use super::FlowError;
use crate::cloud::{
    CloudError, ConnectionState, Connections, Names, Permissions, StackRules, Stacks,
};
use crate::naming::Naming;
use crate::preflight::{
    Finding, Principal, Severity, actions_for, is_ours, named_resources, of_another, permissions,
    quota,
};
use crate::stack::{Outcome, Stack};
use crate::template::Template;

/// A stack that is about to be deployed.
#[derive(Clone, Debug)]
pub struct WantedStack<'a> {
    /// Its name in the project.
    pub label: &'static str,
    /// Its name in CloudFormation.
    pub stack_name: String,
    /// Its template.
    pub template: &'a Template,
    /// Parameters that are known beforehand, and pseudo parameters.
    pub values: BTreeMap<String, String>,
}

/// How much is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// What can make this deploy fail: of stacks that stand, only whose they are.
    Deploy,
    /// Everything.
    Full,
}

/// Looks for what would make a deploy fail. It only reads, and asks side by side.
#[derive(Clone, Copy)]
pub struct Preflight<'a> {
    /// CloudFormation's stacks.
    pub stacks: &'a dyn Stacks,
    /// What CloudFormation can say beforehand.
    pub rules: &'a dyn StackRules,
    /// IAM; `None` where there are no permissions to ask for, as on an emulator.
    pub permissions: Option<&'a dyn Permissions>,
    /// Connections to source providers.
    pub connections: &'a dyn Connections,
    /// Names that are taken.
    pub names: &'a dyn Names,
    /// What the environment is called.
    pub naming: &'a Naming,
    /// The caller's ARN.
    pub caller_arn: &'a str,
    /// Stacks that a person takes over, whatever made them; by their names in the project.
    pub adopt: &'a [String],
}

impl Preflight<'_> {
    /// All findings, in the order of the stacks and then of the checks. A check whose lookup fails is a finding that is
    /// not checked.
    ///
    /// # Errors
    /// Where the stacks themselves cannot be looked up.
    pub async fn check(
        &self,
        wanted: &[WantedStack<'_>],
        depth: Depth,
    ) -> Result<Vec<Finding>, FlowError> {
        let standing = try_join_all(
            wanted
                .iter()
                .map(|wanted| self.stacks.describe_stack(&wanted.stack_name)),
        )
        .await?;
        let stacks: Vec<(&WantedStack<'_>, Option<Stack>)> = wanted
            .iter()
            .zip(standing)
            .map(|(wanted, stack)| (wanted, stack.filter(stands)))
            .collect();
        let new = stacks.iter().filter(|(_, stack)| stack.is_none()).count();
        let each = join_all(
            stacks
                .iter()
                .map(|(wanted, stack)| self.stack(wanted, stack.as_ref(), depth)),
        );
        let (each, quota, permissions) = futures::join!(
            each,
            self.quota(new, depth),
            self.permitted(wanted, new, depth)
        );
        Ok(each
            .into_iter()
            .flatten()
            .chain(quota)
            .chain(permissions)
            .collect())
    }

    async fn stack(
        &self,
        wanted: &WantedStack<'_>,
        stack: Option<&Stack>,
        depth: Depth,
    ) -> Vec<Finding> {
        let mut findings = vec![self.owned(wanted, stack)];
        let look = depth == Depth::Full || stack.is_none();
        let (template, names, connections) = futures::join!(
            async {
                if look {
                    Some(self.template(wanted).await)
                } else {
                    None
                }
            },
            async {
                if stack.is_none() {
                    self.free_names(wanted).await
                } else {
                    Vec::new()
                }
            },
            self.connected(wanted, stack)
        );
        findings.extend(template);
        findings.extend(names);
        findings.extend(connections);
        findings
    }

    /// A stack of that name that is somebody else's would be overwritten.
    fn owned(&self, wanted: &WantedStack<'_>, stack: Option<&Stack>) -> Finding {
        const ID: &str = "stack-name";
        let name = &wanted.stack_name;
        match stack {
            None => Finding::ok(ID, format!("{}: `{name}` is free", wanted.label)),
            Some(stack) if is_ours(self.naming, &stack.tags) => Finding::ok(
                ID,
                format!("{}: `{name}` is this environment's", wanted.label),
            ),
            Some(stack) => {
                let other = of_another(self.naming, &stack.tags);
                let is_adopted = self.adopt.iter().any(|label| label == wanted.label);
                match other {
                    Some((key, value)) if is_adopted => Finding::new(
                        ID,
                        Severity::Error,
                        format!(
                            "{}: `{name}` is not taken over: its tag `{key}` is `{value}`",
                            wanted.label
                        ),
                        "remove the tag with the tool that set it, if the stack is yours",
                    ),
                    None if is_adopted => Finding::new(
                        ID,
                        Severity::Warning,
                        format!(
                            "{}: `{name}` lacks this project's tags, and is taken over",
                            wanted.label
                        ),
                        "nothing, if it is yours; from now on no other tool may change it",
                    ),
                    _ => Finding::new(
                        ID,
                        Severity::Error,
                        format!(
                            "{}: a stack `{name}` is there that lacks the tags of this project and environment",
                            wanted.label
                        ),
                        format!(
                            "if it is yours, take it over with `cargo xtask deploy --env {} --adopt {}`; else change the project's \
                             or the environment's name in stackway.toml",
                            self.naming.environment, wanted.label
                        ),
                    ),
                }
            }
        }
    }

    async fn template(&self, wanted: &WantedStack<'_>) -> Finding {
        const ID: &str = "template";
        match self.rules.template_fault(&wanted.template.text).await {
            Ok(None) => Finding::ok(
                ID,
                format!("{}: CloudFormation takes the template", wanted.label),
            ),
            Ok(Some(fault)) if self.is_switched_off(wanted, &fault) => Finding::ok(
                ID,
                format!(
                    "{}: CloudFormation takes the template; what the emulator lacks of it is switched off",
                    wanted.label
                ),
            ),
            Ok(Some(fault)) => Finding::new(
                ID,
                Severity::Error,
                format!(
                    "{}: CloudFormation refuses the template: {fault}",
                    wanted.label
                ),
                format!("correct cloudformation/{}.yaml", wanted.label),
            ),
            Err(error) => not_checked(ID, &format!("{}: the template", wanted.label), &error),
        }
    }

    /// Whether the fault is that of types which the values switch off. An emulator refuses them when it is asked about the
    /// template alone, and takes the template with these values. AWS knows all of its types.
    fn is_switched_off(&self, wanted: &WantedStack<'_>, fault: &str) -> bool {
        let Some((_, rest)) = fault.split_once("Unrecognized resource types: [") else {
            return false;
        };
        let unknown = rest.split(']').next().unwrap_or_default();
        let made = wanted.template.resource_types(&wanted.values);
        self.permissions.is_none()
            && !unknown
                .split(',')
                .any(|kind| made.values().any(|made| made == kind.trim()))
    }

    /// Names that the stack would give, and that somebody has.
    async fn free_names(&self, wanted: &WantedStack<'_>) -> Vec<Finding> {
        const ID: &str = "resource-name";
        let named = named_resources(wanted.template, &wanted.values);
        join_all(named.iter().map(|resource| async move {
            let what = format!("{}: {} `{}`", wanted.label, resource.resource_type, resource.name);
            match self.names.is_taken(&resource.resource_type, &resource.name).await {
                Ok(false) => Finding::ok(ID, format!("{what} is free")),
                Ok(true) => Finding::new(
                    ID,
                    Severity::Error,
                    format!("{what} is there already, and not in the stack, which does not exist"),
                    "import it into the stack, delete it if what it holds may go, or change the name",
                ),
                Err(error) => not_checked(ID, &what, &error),
            }
        }))
        .await
    }

    /// A connection that nobody has authorised makes every pipeline fail at its source.
    async fn connected(&self, wanted: &WantedStack<'_>, stack: Option<&Stack>) -> Vec<Finding> {
        const ID: &str = "connection";
        let is_connection = |resource_type: &str| {
            matches!(
                resource_type,
                "AWS::CodeConnections::Connection" | "AWS::CodeStarConnections::Connection"
            )
        };
        let wants = (wanted.template.resources.values())
            .any(|resource| is_connection(&resource.resource_type));
        let Some(stack) = stack.filter(|_| wants) else {
            return Vec::new();
        };
        let resources = match self.stacks.stack_resources(&stack.id).await {
            Ok(resources) => resources,
            Err(error) => {
                return vec![not_checked(
                    ID,
                    &format!("{}: its connection", wanted.label),
                    &error,
                )];
            }
        };
        let connections = resources
            .into_iter()
            .filter(|resource| is_connection(&resource.resource_type));
        join_all(connections.map(|resource| async move {
            let what = format!("{}: connection {}", wanted.label, resource.logical_id);
            match self.connections.connection(&resource.physical_id).await {
                Ok(ConnectionState::Available) => Finding::ok(ID, format!("{what} is authorised")),
                Ok(ConnectionState::Pending) => Finding::new(
                    ID,
                    Severity::Warning,
                    format!("{what} is PENDING: nobody has authorised it, so no pipeline gets its source"),
                    "open Developer Tools > Connections in the AWS console, choose it, and `Update pending connection`",
                ),
                Ok(ConnectionState::Broken(state)) => Finding::new(
                    ID,
                    Severity::Warning,
                    format!("{what} is in {state}"),
                    "open Developer Tools > Connections in the AWS console, and authorise it again",
                ),
                Err(error) => not_checked(ID, &what, &error),
            }
        }))
        .await
    }

    async fn quota(&self, new: usize, depth: Depth) -> Option<Finding> {
        if new == 0 && depth == Depth::Deploy {
            return None;
        }
        let looked = futures::try_join!(self.rules.stack_limit(), self.rules.stack_count());
        Some(match looked {
            Ok((Some(limit), standing)) => {
                quota(limit, standing, u32::try_from(new).unwrap_or(u32::MAX))
            }
            Ok((None, _)) => Finding::new(
                "stack-quota",
                Severity::NotChecked,
                "CloudFormation does not say how many stacks the account may have",
                "look at the quota `Stack count` of CloudFormation in Service Quotas",
            ),
            Err(error) => not_checked("stack-quota", "the quota of stacks", &error),
        })
    }

    async fn permitted(
        &self,
        wanted: &[WantedStack<'_>],
        new: usize,
        depth: Depth,
    ) -> Option<Finding> {
        const ID: &str = "iam-actions";
        if new == 0 && depth == Depth::Deploy {
            return None;
        }
        let Some(iam) = self.permissions else {
            return Some(Finding::new(
                ID,
                Severity::NotChecked,
                "the permissions that a deploy takes: an emulator has none to ask for",
                "run `cargo xtask doctor` for an environment on AWS",
            ));
        };
        let arn = match Principal::of_caller(self.caller_arn) {
            Principal::User(arn) => Ok(arn),
            Principal::Role(name) => iam.role_arn(&name).await,
            Principal::Other => {
                return Some(Finding::new(
                    ID,
                    Severity::NotChecked,
                    format!(
                        "the permissions of {}, which IAM does not simulate",
                        self.caller_arn
                    ),
                    "use a role or a user in place of the account's root",
                ));
            }
        };
        let types = wanted
            .iter()
            .flat_map(|wanted| wanted.template.resource_types(&wanted.values).into_values());
        let types: Vec<String> = types.collect();
        let actions: Vec<&str> = actions_for(types.iter().map(String::as_str))
            .into_iter()
            .collect();
        let denied = match arn {
            Ok(arn) => iam.denied(&arn, &actions).await.map(|denied| (arn, denied)),
            Err(error) => Err(error),
        };
        Some(match denied {
            Ok((arn, denied)) => permissions(&arn, actions.len(), &denied),
            Err(error) => not_checked(ID, "the permissions that a deploy takes", &error),
        })
    }
}

/// A stack that holds something; an empty shell is nobody's yet.
fn stands(stack: &Stack) -> bool {
    !matches!(
        stack.status.outcome(),
        Outcome::Deleted | Outcome::AwaitingExecution
    )
}

fn not_checked(id: &'static str, what: &str, error: &CloudError) -> Finding {
    let (why, fix) = if error.is_unknown_operation() {
        (
            "the endpoint does not know the call",
            "look on AWS: an emulator lacks it",
        )
    } else {
        (
            "the lookup failed",
            "allow the call to whoever deploys, or look yourself",
        )
    };
    Finding::new(
        id,
        Severity::NotChecked,
        format!("{what}: {why} ({error})"),
        fix,
    )
}

#[cfg(test)]
mod tests;
