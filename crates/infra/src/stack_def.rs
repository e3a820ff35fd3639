//! Which stacks there are, what each needs of the others, and the order that follows.

use std::collections::{BTreeMap, BTreeSet};

/// A parameter of one stack that takes its value from another stack's output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Need {
    /// The parameter that is filled.
    pub parameter: &'static str,
    /// The stack that gives the value.
    pub stack: &'static str,
    /// Its output.
    pub output: &'static str,
    /// Whether the parameter keeps its default where that stack is not part of the deploy.
    pub if_there: bool,
}

/// Whether an environment has a stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// Every environment has it.
    Always,
    /// Every environment has it but those that name it in `without`: it costs nothing, or is within a free tier.
    Offered,
    /// Only environments that name it in `with` have it.
    OnRequest,
}

/// A stack that Stackway deploys: `cloudformation/<name>.yaml` and what it needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StackDef {
    /// Its name, and the name of its template.
    pub name: &'static str,
    /// What it holds, in a line.
    pub summary: &'static str,
    /// Parameters that come from other stacks.
    pub needs: &'static [Need],
    /// The package whose uploaded zip fills `CodeS3Bucket` and `CodeS3Key`, if the stack runs code. Such a stack also
    /// waits for the artifact bucket.
    pub package: Option<&'static str>,
    /// Whether an environment has it.
    pub presence: Presence,
    /// Outputs that others rely on; a template that lacks one is refused.
    pub outputs: &'static [&'static str],
}

/// The stack that holds the artifact bucket, and its output that names it.
pub const ARTIFACTS: (&str, &str) = ("artifacts", "ArtifactBucketName");

/// The stack that a pipeline deploys, where one delivers.
pub const DELIVERED: &str = "api";

/// What each package of [`STACKS`] is built from, beside the workspace's own files.
const CODE: &[(&str, &[&str])] = &[
    (
        "stackway-api",
        &["crates/api", "crates/aws-client", "crates/release-hook"],
    ),
    (
        "stackway-rotation",
        &["crates/rotation", "crates/aws-client"],
    ),
    (
        "stackway-release-check",
        &["crates/release-check", "crates/aws-client"],
    ),
];

/// The stack that verifies releases; pipelines start its state machine by name.
pub const VERIFICATION: &str = "automation";

/// The stack that holds the pipelines. It is there only where a pipeline delivers, and only where its types are.
pub const DELIVERY: &str = "delivery";

const fn need(parameter: &'static str, stack: &'static str, output: &'static str) -> Need {
    Need {
        parameter,
        stack,
        output,
        if_there: false,
    }
}

/// Every stack. To add one: a line here, and its template.
///
/// Of those that need nothing of each other the later is removed first: so `api`, which a pipeline may have made with a
/// role of `delivery`, comes after it.
pub const STACKS: &[StackDef] = &[
    StackDef {
        name: "artifacts",
        summary: "artifact bucket, image repository, key",
        needs: &[],
        package: None,
        presence: Presence::Always,
        outputs: &[
            "ArtifactBucketName",
            "EncryptionKey",
            "RepositoryArn",
            "RepositoryName",
            "RepositoryUri",
        ],
    },
    StackDef {
        name: "table",
        summary: "the DynamoDB table",
        needs: &[],
        package: None,
        presence: Presence::Always,
        outputs: &["TableName", "TableArn"],
    },
    StackDef {
        name: "secrets",
        summary: "the API's token, and its rotation",
        needs: &[],
        package: Some("stackway-rotation"),
        presence: Presence::Always,
        outputs: &["TokenSecretName"],
    },
    StackDef {
        name: "observability",
        summary: "dashboard, alarms and their topic, saved queries",
        needs: &[need("TableName", "table", "TableName")],
        package: None,
        presence: Presence::Always,
        outputs: &["TopicArn", "DashboardName"],
    },
    StackDef {
        name: VERIFICATION,
        summary: "the state machine that verifies a release",
        needs: &[need("TokenSecretName", "secrets", "TokenSecretName")],
        package: Some("stackway-release-check"),
        presence: Presence::Always,
        outputs: &["StateMachineArn"],
    },
    StackDef {
        name: DELIVERY,
        summary: "the pipelines, their builds and roles, the connection to the repository",
        needs: &[
            need("ArtifactBucketName", ARTIFACTS.0, ARTIFACTS.1),
            need("ArtifactKeyArn", ARTIFACTS.0, "EncryptionKey"),
            need("ImageRepositoryName", ARTIFACTS.0, "RepositoryName"),
            need("ImageRepositoryUri", ARTIFACTS.0, "RepositoryUri"),
            need("TableName", "table", "TableName"),
            need("TableArn", "table", "TableArn"),
            need("TokenSecretName", "secrets", "TokenSecretName"),
        ],
        package: None,
        presence: Presence::Always,
        outputs: &["ConnectionArn", "ApplicationPipelineName", "StackRoleArn"],
    },
    StackDef {
        name: DELIVERED,
        summary: "the Lambda and its HTTP API",
        needs: &[
            need("TableName", "table", "TableName"),
            need("TableArn", "table", "TableArn"),
            need("TokenSecretName", "secrets", "TokenSecretName"),
        ],
        package: Some("stackway-api"),
        presence: Presence::Always,
        outputs: &[
            "ApiUrl",
            "ApiId",
            "Authorizer",
            "AuthorizerId",
            "FunctionName",
        ],
    },
    StackDef {
        name: "container",
        summary: "the same image on Fargate, behind the same HTTP API",
        needs: &[
            need("ApiId", DELIVERED, "ApiId"),
            need("ApiAuthorizer", DELIVERED, "Authorizer"),
            need("ApiAuthorizerId", DELIVERED, "AuthorizerId"),
            need("RepositoryArn", ARTIFACTS.0, "RepositoryArn"),
            need("RepositoryUri", ARTIFACTS.0, "RepositoryUri"),
            need("TableName", "table", "TableName"),
            need("TableArn", "table", "TableArn"),
            need("TokenSecretName", "secrets", "TokenSecretName"),
        ],
        package: None,
        presence: Presence::OnRequest,
        outputs: &["ClusterName", "ServiceName", "LogGroupName"],
    },
    StackDef {
        name: "guardrails",
        summary: "a monthly budget with forecasts, and a monitor of anomalies",
        needs: &[],
        package: None,
        presence: Presence::Offered,
        outputs: &["BudgetName", "CostTopicArn"],
    },
    StackDef {
        name: "github",
        summary: "the identity provider and the role of the workflows on GitHub",
        needs: &[
            need("ImageRepositoryName", ARTIFACTS.0, "RepositoryName"),
            Need {
                if_there: true,
                ..need("StackRoleArn", DELIVERY, "StackRoleArn")
            },
        ],
        package: None,
        presence: Presence::OnRequest,
        outputs: &["WorkflowRoleArn"],
    },
];

/// The stacks of the roles by which self-managed stack sets are made; `stack-set roles` deploys them, since they go to
/// other accounts too.
pub const STACK_SET_ROLES: &[StackDef] = &[
    StackDef {
        name: "stack-set-administration",
        summary: "the role that CloudFormation takes to reach other accounts",
        needs: &[],
        package: None,
        presence: Presence::Always,
        outputs: &["AdministrationRoleArn"],
    },
    StackDef {
        name: "stack-set-execution",
        summary: "the role that makes stacks in an account that a stack set reaches",
        needs: &[],
        package: None,
        presence: Presence::Always,
        outputs: &["ExecutionRoleName"],
    },
];

impl StackDef {
    /// The stacks that must stand before this one, those that an environment may lack among them.
    pub fn needed_stacks(&self) -> BTreeSet<&'static str> {
        let package = self.package.map(|_| ARTIFACTS.0);
        self.needs
            .iter()
            .map(|need| need.stack)
            .chain(package)
            .collect()
    }

    /// The files and folders of the workspace that the stack is made from.
    pub fn sources(&self) -> Vec<String> {
        let mut sources = vec![format!("cloudformation/{}.yaml", self.name)];
        sources.extend(self.code().into_iter().map(str::to_owned));
        sources
    }

    /// Those of them that its code is built from.
    pub fn code(&self) -> Vec<&'static str> {
        let code = CODE
            .iter()
            .find(|(package, _)| Some(*package) == self.package);
        let of_the_workspace = ["Cargo.toml", "Cargo.lock"];
        code.map(|(_, folders)| [folders, &of_the_workspace[..]].concat())
            .unwrap_or_default()
    }
}

/// The stacks to work on, in the order of their needs.
#[derive(Clone, Debug)]
pub struct StackGraph {
    ordered: Vec<StackDef>,
}

/// A set of stacks that cannot be put in order.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GraphError {
    /// Nothing is called that.
    #[error("no stack is called `{name}`; there are: {}", choices.join(", "))]
    UnknownStack {
        /// The name asked for.
        name: String,
        /// The names that there are.
        choices: Vec<&'static str>,
    },
    /// A need names a stack or an output that does not exist.
    #[error("stack `{stack}` needs `{output}` of `{needed}`, which has no such output")]
    UnknownNeed {
        /// The stack with the need.
        stack: &'static str,
        /// The stack that it names.
        needed: &'static str,
        /// The output that it names.
        output: &'static str,
    },
    /// Stacks need each other.
    #[error("these stacks need each other: {}", .0.join(", "))]
    Cycle(Vec<&'static str>),
}

impl StackGraph {
    /// All stacks of [`STACKS`].
    pub fn all() -> Result<Self, GraphError> {
        Self::new(STACKS)
    }

    /// Puts `stacks` in the order of their needs; the order is the same each time.
    pub fn new(stacks: &[StackDef]) -> Result<Self, GraphError> {
        let by_name: BTreeMap<_, _> = stacks.iter().map(|def| (def.name, def)).collect();
        for def in stacks {
            let package = def.package.map(|_| (ARTIFACTS.0, ARTIFACTS.1));
            for (needed, output) in def
                .needs
                .iter()
                .filter(|need| !need.if_there || by_name.contains_key(need.stack))
                .map(|need| (need.stack, need.output))
                .chain(package)
            {
                if !by_name
                    .get(needed)
                    .is_some_and(|other| other.outputs.contains(&output))
                {
                    return Err(GraphError::UnknownNeed {
                        stack: def.name,
                        needed,
                        output,
                    });
                }
            }
        }
        let mut ordered: Vec<StackDef> = Vec::new();
        while ordered.len() < stacks.len() {
            let standing: BTreeSet<_> = ordered.iter().map(|def| def.name).collect();
            let ready: Vec<_> = stacks
                .iter()
                .filter(|def| {
                    let needed = def.needed_stacks();
                    let mut needed = needed.iter().filter(|need| by_name.contains_key(*need));
                    !standing.contains(def.name) && needed.all(|need| standing.contains(need))
                })
                .copied()
                .collect();
            if ready.is_empty() {
                let stuck = stacks
                    .iter()
                    .map(|def| def.name)
                    .filter(|name| !standing.contains(name));
                return Err(GraphError::Cycle(stuck.collect()));
            }
            ordered.extend(ready);
        }
        Ok(Self { ordered })
    }

    /// The stacks in deploy order: each after what it needs.
    pub fn deploy_order(&self) -> &[StackDef] {
        &self.ordered
    }

    /// Only `names` and, with `needs`, what they need in turn. No names: all stacks.
    pub fn select(&self, names: &[String], needs: bool) -> Result<Self, GraphError> {
        if names.is_empty() {
            return Ok(self.clone());
        }
        let mut wanted = BTreeSet::new();
        for name in names {
            let def = self
                .ordered
                .iter()
                .find(|def| def.name == name)
                .ok_or_else(|| GraphError::UnknownStack {
                    name: name.clone(),
                    choices: self.ordered.iter().map(|def| def.name).collect(),
                })?;
            wanted.insert(def.name);
        }
        if needs {
            for def in self.ordered.iter().rev() {
                if wanted.contains(def.name) {
                    wanted.extend(def.needed_stacks());
                }
            }
        }
        Ok(Self {
            ordered: self
                .ordered
                .iter()
                .filter(|def| wanted.contains(def.name))
                .copied()
                .collect(),
        })
    }

    /// The stacks of this graph that need `name`.
    pub fn dependents(&self, name: &str) -> Vec<&'static str> {
        self.ordered
            .iter()
            .filter(|def| def.needed_stacks().contains(name))
            .map(|def| def.name)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn def(name: &'static str, needs: &'static [Need]) -> StackDef {
        StackDef {
            name,
            summary: "",
            needs,
            package: None,
            presence: Presence::Always,
            outputs: &["Out"],
        }
    }

    const fn out_of(stack: &'static str) -> Need {
        Need {
            parameter: "P",
            stack,
            output: "Out",
            if_there: false,
        }
    }

    const NEED_A: &[Need] = &[out_of("a")];
    const NEED_B: &[Need] = &[out_of("b")];
    const NEED_Z: &[Need] = &[out_of("z")];

    fn names(graph: &StackGraph) -> Vec<&str> {
        graph.deploy_order().iter().map(|def| def.name).collect()
    }

    #[test]
    fn needs_give_the_order() {
        let stacks = [
            def("c", NEED_B),
            def("b", NEED_A),
            def("a", &[]),
            def("d", &[]),
        ];
        let graph = StackGraph::new(&stacks).unwrap();
        assert_eq!(names(&graph), ["a", "d", "b", "c"]);
        assert_eq!(
            names(&graph.select(&["c".into()], true).unwrap()),
            ["a", "b", "c"]
        );
        assert_eq!(names(&graph.select(&["c".into()], false).unwrap()), ["c"]);
        assert_eq!(graph.dependents("a"), ["b"]);
    }

    #[test]
    fn what_an_environment_lacks_is_not_waited_for() {
        const IF_THERE: &[Need] = &[Need {
            if_there: true,
            ..out_of("a")
        }];
        let with = StackGraph::new(&[def("b", IF_THERE), def("a", &[])]).unwrap();
        assert_eq!(names(&with), ["a", "b"]);
        let without = StackGraph::new(&[def("b", IF_THERE)]).unwrap();
        assert_eq!(names(&without), ["b"]);
    }

    #[test]
    fn what_cannot_be_ordered_is_refused() {
        let cycle = [def("a", NEED_B), def("b", NEED_A)];
        assert_eq!(
            StackGraph::new(&cycle).unwrap_err(),
            GraphError::Cycle(vec!["a", "b"])
        );
        let unknown = StackGraph::new(&[def("a", NEED_Z)]).unwrap_err();
        assert_eq!(
            unknown.to_string(),
            "stack `a` needs `Out` of `z`, which has no such output"
        );
        let graph = StackGraph::all().unwrap();
        let error = graph.select(&["tabel".into()], true).unwrap_err();
        assert_eq!(
            error.to_string(),
            "no stack is called `tabel`; there are: artifacts, table, guardrails, secrets, observability, automation, delivery, api, container, github"
        );
    }

    #[test]
    fn the_project_s_stacks_are_in_order() {
        assert_eq!(
            names(&StackGraph::all().unwrap()),
            [
                "artifacts",
                "table",
                "guardrails",
                "secrets",
                "observability",
                "automation",
                "delivery",
                "api",
                "container",
                "github"
            ]
        );
    }

    #[test]
    fn every_package_s_sources_are_known() {
        for def in STACKS {
            assert_eq!(
                def.package.is_some(),
                !def.code().is_empty(),
                "{}",
                def.name
            );
        }
    }
}
