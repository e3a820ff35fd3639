use crate::model::{
    Action, CloudFormation, EcrBuildAndPublish, Ecs, Grant, LambdaDeploy, Pipeline, Provider,
    Registry, Resource, Source, SourceAction, Text,
};

/// A statement of a policy: what may be done, and to what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// Its name: the stage and action that need it.
    pub sid: String,
    /// IAM's names of the calls.
    pub actions: Vec<&'static str>,
    /// ARNs; `*` only where the service knows no ARN for a call.
    pub resources: Vec<Text>,
    /// What must hold as well.
    pub conditions: Vec<Condition>,
}

/// A condition of a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// IAM's name of the comparison.
    pub operator: &'static str,
    /// What is compared.
    pub key: &'static str,
    /// With what.
    pub value: Text,
}

/// What the pipeline's role may do, action by action. The artifact bucket and its key are apart.
///
/// Each is from the *service role permissions* of the action's page in the CodePipeline guide, and narrowed to what
/// [service authorization](https://docs.aws.amazon.com/service-authorization/latest/reference/) has an ARN for.
pub(super) fn statements(pipeline: &Pipeline) -> Vec<Statement> {
    let mut all = Vec::new();
    for source in &pipeline.sources {
        named(
            &mut all,
            &format!("{} {}", pipeline.source_stage, source.name),
            self::source(source),
        );
    }
    for stage in &pipeline.stages {
        for action in &stage.actions {
            named(
                &mut all,
                &format!("{} {}", stage.name, action.name),
                self::action(pipeline, action),
            );
        }
    }
    all
}

/// Gives statements the name of their action; a Sid has letters and digits alone.
fn named(all: &mut Vec<Statement>, name: &str, grants: Vec<(Grant, Vec<Condition>)>) {
    let word: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
    for (index, (grant, conditions)) in grants.into_iter().enumerate() {
        let number = if index == 0 {
            String::new()
        } else {
            (index + 1).to_string()
        };
        all.push(Statement {
            sid: format!("{word}{number}"),
            actions: grant.actions,
            resources: grant.resources,
            conditions,
        });
    }
}

type Grants = Vec<(Grant, Vec<Condition>)>;

fn allow(
    actions: &[&'static str],
    resources: impl IntoIterator<Item = Text>,
) -> (Grant, Vec<Condition>) {
    let grant = Grant {
        actions: actions.to_vec(),
        resources: resources.into_iter().collect(),
    };
    (grant, Vec::new())
}

/// `arn:<partition>:<service>:<region>:<account>:<resource>`.
fn arn(service: &str, resource: impl Into<Text>) -> Text {
    Text::arn(service, [resource.into()])
}

fn after(prefix: &str, text: &Text) -> Text {
    [prefix.into(), text.clone()].into()
}

fn source(source: &SourceAction) -> Grants {
    match &source.source {
        // Connections made before 2024 have the older service's name in their ARN and its prefix in policies.
        Source::CodeConnections(repository) => vec![allow(
            &[
                "codeconnections:UseConnection",
                "codestar-connections:UseConnection",
            ],
            [repository.connection.clone()],
        )],
        Source::S3(object) => {
            let bucket = Text::from([
                "arn:".into(),
                Resource::Partition.into(),
                ":s3:::".into(),
                object.bucket.clone(),
            ]);
            let key = Text::from([bucket.clone(), "/".into(), object.key.clone()]);
            vec![
                allow(
                    &["s3:GetBucketVersioning", "s3:ListBucketVersions"],
                    [bucket],
                ),
                allow(
                    &["s3:GetObject", "s3:GetObjectVersion", "s3:GetObjectTagging"],
                    [key],
                ),
            ]
        }
    }
}

fn action(pipeline: &Pipeline, action: &Action) -> Grants {
    // Another account's role has what it needs itself.
    if let Some(role) = &action.role {
        return vec![allow(&["sts:AssumeRole"], [role.clone()])];
    }
    match &action.provider {
        Provider::CodeBuild(build) => vec![allow(
            &[
                "codebuild:BatchGetBuilds",
                "codebuild:StartBuild",
                "codebuild:StopBuild",
            ],
            [arn(
                "codebuild",
                after("project/", &Resource::Build(build.build).into()),
            )],
        )],
        Provider::Commands(commands) => {
            let mut all = vec![managed_compute_logs(pipeline)];
            all.extend(
                commands
                    .grants
                    .iter()
                    .map(|grant| (grant.clone(), Vec::new())),
            );
            all
        }
        Provider::EcrBuildAndPublish(image) => self::image(pipeline, image),
        Provider::ManualApproval(approval) => approval
            .topic
            .iter()
            .map(|topic| allow(&["sns:Publish"], [topic.clone()]))
            .collect(),
        Provider::CloudFormation(stack) => cloudformation(stack),
        Provider::StackSet(set) => vec![allow(
            &[
                "cloudformation:CreateStackInstances",
                "cloudformation:CreateStackSet",
                "cloudformation:DescribeStackSet",
                "cloudformation:DescribeStackSetOperation",
                "cloudformation:ListStackInstances",
                "cloudformation:UpdateStackSet",
            ],
            [stack_set(&set.name)],
        )],
        Provider::StackInstances(instances) => vec![allow(
            &[
                "cloudformation:CreateStackInstances",
                "cloudformation:DescribeStackSetOperation",
                "cloudformation:ListStackInstances",
                "cloudformation:UpdateStackInstances",
            ],
            [stack_set(&instances.name)],
        )],
        Provider::Invocation(invocation) => vec![allow(
            &["codepipeline:StartPipelineExecution"],
            [arn("codepipeline", Resource::Pipeline(invocation.pipeline))],
        )],
        Provider::LambdaInvoke(invoke) => {
            vec![allow(
                &["lambda:InvokeFunction"],
                [arn("lambda", after("function:", &invoke.function))],
            )]
        }
        Provider::LambdaDeploy(deploy) => lambda_deploy(pipeline, deploy),
        Provider::StepFunctions(machine) => vec![
            allow(
                &["states:DescribeStateMachine", "states:StartExecution"],
                [machine.arn()],
            ),
            // An execution's name is made while it runs.
            allow(
                &["states:DescribeExecution"],
                [arn(
                    "states",
                    Text::from(["execution:".into(), machine.name.clone(), ":*".into()]),
                )],
            ),
        ],
        Provider::Ecs(service) => ecs(service),
    }
}

fn ecs(service: &Ecs) -> Grants {
    let arn_of = Text::from([
        "service/".into(),
        service.cluster.clone(),
        "/".into(),
        service.service.clone(),
    ]);
    let mut all = vec![
        allow(
            &["ecs:DescribeServices", "ecs:UpdateService"],
            [arn("ecs", arn_of)],
        ),
        // Reading a task definition takes no ARN.
        allow(&["ecs:DescribeTaskDefinition"], ["*".into()]),
        allow(
            &["ecs:RegisterTaskDefinition", "ecs:TagResource"],
            [arn("ecs", "task-definition/*")],
        ),
    ];
    if !service.task_roles.is_empty() {
        all.push(pass(service.task_roles.clone(), "ecs-tasks.amazonaws.com"));
    }
    all
}

fn image(pipeline: &Pipeline, image: &EcrBuildAndPublish) -> Grants {
    let repository = arn("ecr", after("repository/", &image.repository));
    let mut all = vec![managed_compute_logs(pipeline)];
    match image.registry {
        Registry::Private => {
            all.push(allow(&["ecr:GetAuthorizationToken"], ["*".into()]));
            all.push(allow(
                &[
                    "ecr:BatchCheckLayerAvailability",
                    "ecr:CompleteLayerUpload",
                    "ecr:DescribeRepositories",
                    "ecr:GetDownloadUrlForLayer",
                    "ecr:InitiateLayerUpload",
                    "ecr:PutImage",
                    "ecr:UploadLayerPart",
                ],
                [repository],
            ));
        }
        Registry::Public => {
            all.push(allow(
                &[
                    "ecr-public:GetAuthorizationToken",
                    "sts:GetServiceBearerToken",
                ],
                ["*".into()],
            ));
            let repository = Text::from([
                "arn:".into(),
                Resource::Partition.into(),
                ":ecr-public::".into(),
                Resource::Account.into(),
                ":repository/".into(),
                image.repository.clone(),
            ]);
            all.push(allow(
                &[
                    "ecr-public:BatchCheckLayerAvailability",
                    "ecr-public:CompleteLayerUpload",
                    "ecr-public:DescribeRepositories",
                    "ecr-public:InitiateLayerUpload",
                    "ecr-public:PutImage",
                    "ecr-public:UploadLayerPart",
                ],
                [repository],
            ));
        }
    }
    all
}

fn lambda_deploy(pipeline: &Pipeline, deploy: &LambdaDeploy) -> Grants {
    let function = arn("lambda", after("function:", &deploy.function));
    let versions = Text::from([function.clone(), ":*".into()]);
    let mut all = vec![
        allow(
            &[
                "lambda:GetAlias",
                "lambda:GetFunctionConfiguration",
                "lambda:GetProvisionedConcurrencyConfig",
                "lambda:PublishVersion",
                "lambda:UpdateAlias",
                "lambda:UpdateFunctionCode",
            ],
            [function, versions],
        ),
        managed_compute_logs(pipeline),
    ];
    if !deploy.alarms.is_empty() {
        let alarms = deploy
            .alarms
            .iter()
            .map(|alarm| arn("cloudwatch", after("alarm:", alarm)));
        all.push(allow(&["cloudwatch:DescribeAlarms"], alarms));
    }
    all
}

fn cloudformation(stack: &CloudFormation) -> Grants {
    let stacks = arn(
        "cloudformation",
        Text::from(["stack/".into(), stack.scope.clone(), "/*".into()]),
    );
    let mut all = vec![allow(
        &[
            "cloudformation:CreateChangeSet",
            "cloudformation:CreateStack",
            "cloudformation:DeleteChangeSet",
            "cloudformation:DeleteStack",
            "cloudformation:DescribeChangeSet",
            "cloudformation:DescribeStackEvents",
            "cloudformation:DescribeStackResources",
            "cloudformation:DescribeStacks",
            "cloudformation:ExecuteChangeSet",
            "cloudformation:GetTemplate",
            "cloudformation:SetStackPolicy",
            "cloudformation:TagResource",
            "cloudformation:UntagResource",
            "cloudformation:UpdateStack",
        ],
        [stacks],
    )];
    // It takes a template, which has no ARN.
    all.push(allow(&["cloudformation:ValidateTemplate"], ["*".into()]));
    all.extend(
        stack
            .role
            .iter()
            .map(|role| pass(vec![role.clone()], "cloudformation.amazonaws.com")),
    );
    all
}

fn stack_set(name: &Text) -> Text {
    arn(
        "cloudformation",
        Text::from(["stackset/".into(), name.clone(), ":*".into()]),
    )
}

/// Hands roles on to one service alone.
fn pass(roles: Vec<Text>, service: &'static str) -> (Grant, Vec<Condition>) {
    let condition = Condition {
        operator: "StringEquals",
        key: "iam:PassedToService",
        value: service.into(),
    };
    (allow(&["iam:PassRole"], roles).0, vec![condition])
}

/// The log group of what CodePipeline runs by itself. The stack declares it, so it need not be made.
fn managed_compute_logs(pipeline: &Pipeline) -> (Grant, Vec<Condition>) {
    let group = after(
        "log-group:/aws/codepipeline/",
        &Resource::Pipeline(pipeline.name).into(),
    );
    let streams = Text::from([arn("logs", group), ":*".into()]);
    allow(&["logs:CreateLogStream", "logs:PutLogEvents"], [streams])
}

/// Whether CodePipeline runs something by itself for one of the actions, and so writes a log.
pub(super) fn has_managed_compute(pipeline: &Pipeline) -> bool {
    pipeline
        .stages
        .iter()
        .flat_map(|stage| &stage.actions)
        .any(|action| {
            matches!(
                action.provider,
                Provider::Commands(_) | Provider::EcrBuildAndPublish(_) | Provider::LambdaDeploy(_)
            )
        })
}
