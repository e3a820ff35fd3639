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
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use async_trait::async_trait;

    use super::*;
    use crate::cloud::fake::FakeCloud;

    /// A cloud that answers as it is told to.
    #[derive(Clone)]
    struct Answers {
        fault: Result<Option<String>, CloudError>,
        limit: Result<Option<u32>, CloudError>,
        denied: Result<BTreeSet<String>, CloudError>,
        connection: ConnectionState,
        taken: Result<bool, CloudError>,
    }

    #[async_trait]
    impl StackRules for Answers {
        async fn template_fault(&self, _: &str) -> Result<Option<String>, CloudError> {
            self.fault.clone()
        }
        async fn stack_limit(&self) -> Result<Option<u32>, CloudError> {
            self.limit.clone()
        }
        async fn stack_count(&self) -> Result<u32, CloudError> {
            Ok(5)
        }
    }

    #[async_trait]
    impl Permissions for Answers {
        async fn role_arn(&self, name: &str) -> Result<String, CloudError> {
            Ok(format!("arn:aws:iam::1:role/path/{name}"))
        }
        async fn denied(&self, _: &str, _: &[&str]) -> Result<BTreeSet<String>, CloudError> {
            self.denied.clone()
        }
    }

    #[async_trait]
    impl Connections for Answers {
        async fn connection(&self, _: &str) -> Result<ConnectionState, CloudError> {
            Ok(self.connection.clone())
        }
    }

    #[async_trait]
    impl Names for Answers {
        async fn is_taken(&self, _: &str, _: &str) -> Result<bool, CloudError> {
            self.taken.clone()
        }
    }

    fn good() -> Answers {
        Answers {
            fault: Ok(None),
            limit: Ok(Some(2_000)),
            denied: Ok(BTreeSet::new()),
            connection: ConnectionState::Available,
            taken: Ok(false),
        }
    }

    fn refused(code: &str) -> CloudError {
        CloudError::Refused {
            operation: "service:Call",
            code: code.to_owned(),
            message: "no".to_owned(),
        }
    }

    const ROLE: &str = "arn:aws:sts::1:assumed-role/deployer/me";

    /// The findings that are not `ok` (all where `all`), as `id severity`. `status` is the stack's; none: it is not there.
    async fn run(
        answers: &Answers,
        status: Option<&str>,
        ours: bool,
        depth: Depth,
        caller: &str,
    ) -> Vec<String> {
        let tags: &[(&str, &str)] = if ours {
            &[
                ("project", "acme"),
                ("environment", "dev"),
                ("managed-by", "stackway"),
            ]
        } else {
            &[]
        };
        run_with(answers, status, tags, &[], depth, caller).await
    }

    async fn run_with(
        answers: &Answers,
        status: Option<&str>,
        tags: &[(&str, &str)],
        adopt: &[String],
        depth: Depth,
        caller: &str,
    ) -> Vec<String> {
        let text = "Resources:\n  B: {Type: \"AWS::S3::Bucket\", Properties: {BucketName: b}}\n\
                    \x20 C: {Type: \"AWS::CodeConnections::Connection\"}\n";
        let template = Template::parse(text, Path::new("t.yaml")).unwrap();
        let naming = Naming {
            project: "acme".into(),
            region: "eu-west-2".into(),
            environment: "dev".into(),
        };
        let cloud = FakeCloud::new();
        if let Some(status) = status {
            cloud.put_stack("acme-api", status, &[]);
            cloud.put_resource(
                "acme-api",
                "C",
                "AWS::CodeConnections::Connection",
                "CREATE_COMPLETE",
            );
            cloud.put_tags("acme-api", tags);
        }
        let preflight = Preflight {
            stacks: &cloud,
            rules: answers,
            permissions: (!caller.is_empty()).then_some(answers as &dyn Permissions),
            connections: answers,
            names: answers,
            naming: &naming,
            caller_arn: caller,
            adopt,
        };
        let wanted = [WantedStack {
            label: "api",
            stack_name: "acme-api".to_owned(),
            template: &template,
            values: BTreeMap::new(),
        }];
        let findings = preflight.check(&wanted, depth).await.unwrap();
        assert_eq!(cloud.writes(), [""; 0], "a preflight only reads");
        for finding in &findings {
            assert_eq!(
                finding.fix.is_some(),
                finding.severity != Severity::Ok,
                "{finding:?}"
            );
        }
        let told = |finding: &Finding| format!("{} {}", finding.id, finding.severity.as_str());
        findings.iter().map(told).collect()
    }

    /// Only what is not `ok`.
    async fn bad(answers: &Answers, status: Option<&str>) -> Vec<String> {
        let mut found = run(answers, status, true, Depth::Full, ROLE).await;
        found.retain(|finding| !finding.ends_with(" ok"));
        found
    }

    #[tokio::test]
    async fn a_new_stack_is_looked_at_from_all_sides() {
        let all = [
            "stack-name ok",
            "template ok",
            "resource-name ok",
            "stack-quota ok",
            "iam-actions ok",
        ];
        assert_eq!(run(&good(), None, true, Depth::Deploy, ROLE).await, all);
        assert_eq!(
            run(
                &good(),
                Some("REVIEW_IN_PROGRESS"),
                false,
                Depth::Deploy,
                ROLE
            )
            .await,
            all
        );
    }

    #[tokio::test]
    async fn before_a_deploy_a_standing_stack_costs_few_calls() {
        let few = ["stack-name ok", "connection ok"];
        assert_eq!(
            run(&good(), Some("UPDATE_COMPLETE"), true, Depth::Deploy, ROLE).await,
            few
        );
        let full = [
            "stack-name ok",
            "template ok",
            "connection ok",
            "stack-quota ok",
            "iam-actions ok",
        ];
        assert_eq!(
            run(&good(), Some("UPDATE_COMPLETE"), true, Depth::Full, ROLE).await,
            full
        );
    }

    /// A stack that another tool made is taken over where a person says so, unless it says whose it is.
    #[tokio::test]
    async fn a_stack_of_another_tool_is_taken_over_on_request() {
        let api = ["api".to_owned()];
        for (tags, adopt, expected) in [
            (&[][..], &api[..], "stack-name warning"),
            (&[("team", "orders")], &api, "stack-name warning"),
            (&[("project", "acme")], &api, "stack-name warning"),
            (&[("project", "other")], &api, "stack-name error"),
            (&[("environment", "prod")], &api, "stack-name error"),
            (&[], &["table".to_owned()], "stack-name error"),
            (&[], &[], "stack-name error"),
        ] {
            let status = Some("CREATE_COMPLETE");
            let found = run_with(&good(), status, tags, adopt, Depth::Deploy, ROLE).await;
            assert_eq!(found[0], expected, "{tags:?} {adopt:?}");
        }
    }

    #[tokio::test]
    async fn each_check_has_its_finding() {
        let found = run(&good(), Some("UPDATE_COMPLETE"), false, Depth::Deploy, ROLE).await;
        assert_eq!(found[0], "stack-name error");
        let fault = Answers {
            fault: Ok(Some("no Resources".to_owned())),
            ..good()
        };
        assert_eq!(bad(&fault, None).await, ["template error"]);
        let taken = Answers {
            taken: Ok(true),
            ..good()
        };
        assert_eq!(bad(&taken, None).await, ["resource-name error"]);
        assert_eq!(
            bad(&taken, Some("CREATE_COMPLETE")).await,
            [""; 0],
            "its own bucket is no clash"
        );
        let full = Answers {
            limit: Ok(Some(5)),
            ..good()
        };
        assert_eq!(bad(&full, None).await, ["stack-quota error"]);
        let denied = Answers {
            denied: Ok(BTreeSet::from(["s3:CreateBucket".to_owned()])),
            ..good()
        };
        assert_eq!(bad(&denied, None).await, ["iam-actions warning"]);
        let pending = Answers {
            connection: ConnectionState::Pending,
            ..good()
        };
        assert_eq!(
            bad(&pending, Some("CREATE_COMPLETE")).await,
            ["connection warning"]
        );
    }

    #[tokio::test]
    async fn what_cannot_be_looked_at_is_never_a_pass() {
        for code in ["AccessDenied", "InvalidAction", "Throttling"] {
            let error = || refused(code);
            let answers = Answers {
                fault: Err(error()),
                limit: Err(error()),
                denied: Err(error()),
                taken: Err(error()),
                ..good()
            };
            let all = ["template", "resource-name", "stack-quota", "iam-actions"];
            let all = all.map(|id| format!("{id} not checked"));
            assert_eq!(bad(&answers, None).await, all, "{code}");
        }
        for caller in ["", "arn:aws:iam::1:root"] {
            let found = run(&good(), None, true, Depth::Full, caller).await;
            assert_eq!(found.last().unwrap(), "iam-actions not checked", "{caller}");
        }
    }

    /// A type that the emulator lacks is a fault where it would be made, and wherever there is no emulator.
    #[tokio::test]
    async fn types_that_are_switched_off_may_be_unknown_to_an_emulator() {
        let unknown = |kind: &str| Answers {
            fault: Ok(Some(format!(
                "Template format error: Unrecognized resource types: [{kind}]"
            ))),
            ..good()
        };
        let (off, made) = (
            unknown("AWS::New::Thing"),
            unknown("AWS::New::Thing, AWS::S3::Bucket"),
        );
        let template = async |answers: &Answers, caller: &str| {
            let findings = run(answers, None, false, Depth::Full, caller).await;
            findings.iter().any(|finding| finding == "template error")
        };
        assert!(!template(&off, "").await);
        assert!(template(&made, "").await);
        assert!(template(&off, ROLE).await);
    }
}
