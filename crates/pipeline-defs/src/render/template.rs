use super::declaration::{self, Dialect};
use super::policy::{self, Statement};
use super::{RenderError, RenderedFile, buildspec};
use crate::model::{Build, Part, Pipeline, Resource, Text};
use crate::tree::{Tag, Tree};

/// The template that the pipelines are resources of.
pub(super) const PATH: &str = "cloudformation/delivery.yaml";

/// Where the rendered part of the template starts and ends, as whole lines.
const START: &str = "  # What follows is rendered by `cargo xtask render` from crates/pipeline-defs: edits there are lost.";
const END: &str = "  # Here ends what is rendered.";

/// The template with its rendered part made anew; the rest is as it was.
pub(super) fn file(pipelines: &[Pipeline], template: &str) -> Result<RenderedFile, RenderError> {
    let marker = || RenderError::Marker {
        path: PATH,
        start: START.trim_start(),
        end: END.trim_start(),
    };
    let after = |mark: &str, from: usize| {
        let place = template[from..]
            .find(&format!("{mark}\n"))
            .ok_or_else(marker)?;
        Ok::<_, RenderError>((from + place, from + place + mark.len() + 1))
    };
    let (_, start) = after(START, 0)?;
    let (end, _) = after(END, start)?;
    let contents = [
        &template[..start],
        "\n",
        &resources(pipelines),
        &template[end..],
    ]
    .concat();
    Ok(RenderedFile {
        path: PATH.to_owned(),
        contents,
        definition: "crates/pipeline-defs/src/pipelines".to_owned(),
    })
}

fn resources(pipelines: &[Pipeline]) -> String {
    let mut text = String::new();
    let all = pipelines.iter().flat_map(|pipeline| {
        let builds = pipeline.builds.iter().flat_map(build);
        builds.chain(self::pipeline(pipeline)).collect::<Vec<_>>()
    });
    for (name, tree) in all {
        text.push_str(&Tree::map([(name, tree)]).to_yaml_at(2));
        text.push('\n');
    }
    text
}

/// CloudFormation's form: keys start in upper case, resources are referred to.
struct Template;

impl Dialect for Template {
    fn key(&self, key: &'static str) -> String {
        buildspec::capitalised(key)
    }

    fn text(&self, text: &Text) -> Tree {
        if let [Part::Resource(resource)] = text.parts() {
            match place(*resource) {
                Place::Ref(name) => return tagged(Tag::Ref, name),
                Place::GetAtt(path) => return tagged(Tag::GetAtt, path),
                Place::Sub(_) => {}
            }
        }
        let has_resource = text
            .parts()
            .iter()
            .any(|part| matches!(part, Part::Resource(_)));
        if has_resource {
            sub(substituted(text))
        } else {
            Tree::Text(text.to_string())
        }
    }
}

/// How the template gets at a resource.
enum Place {
    Ref(&'static str),
    GetAtt(String),
    Sub(String),
}

fn place(resource: Resource) -> Place {
    match resource {
        Resource::Project => Place::Ref("Project"),
        Resource::Environment => Place::Ref("Environment"),
        Resource::Region => Place::Ref("AWS::Region"),
        Resource::Account => Place::Ref("AWS::AccountId"),
        Resource::Partition => Place::Ref("AWS::Partition"),
        Resource::Connection => Place::GetAtt("Connection.ConnectionArn".to_owned()),
        Resource::RepositoryId => Place::Ref("RepositoryId"),
        Resource::ArtifactBucket => Place::Ref("ArtifactBucketName"),
        Resource::ImageRepository => Place::Ref("ImageRepositoryName"),
        Resource::ImageRepositoryUri => Place::Ref("ImageRepositoryUri"),
        Resource::TableName => Place::Ref("TableName"),
        Resource::TableArn => Place::Ref("TableArn"),
        Resource::TokenSecret => Place::Ref("TokenSecretName"),
        Resource::Topic => Place::Ref("Topic"),
        Resource::StackRole => Place::GetAtt("StackRole.Arn".to_owned()),
        // By name: pipelines may name one another, and a reference would go round in a circle.
        Resource::Pipeline(name) | Resource::Build(name) => Place::Sub(full_name(name)),
        // By name: the stack `api` must come after `delivery`, so that this one waits for none but what it must.
        Resource::ReleaseMachine => Place::Sub(full_name("release")),
        Resource::ReportGroup(build, report) => {
            Place::GetAtt(format!("{}.Arn", group_id(build, report)))
        }
    }
}

/// A name's value under `!Sub`.
fn full_name(name: &str) -> String {
    format!("${{Project}}-${{AWS::Region}}-${{Environment}}-{name}")
}

fn substituted(text: &Text) -> String {
    text.write(|part| match part {
        Part::Literal(text) => text.replace("${", "${!"),
        Part::Variable(reference) => reference.to_string(),
        Part::Resource(resource) => match place(*resource) {
            Place::Ref(name) => format!("${{{name}}}"),
            Place::GetAtt(path) => format!("${{{path}}}"),
            Place::Sub(text) => text,
        },
    })
}

fn tagged(tag: Tag, text: impl Into<String>) -> Tree {
    Tree::Tagged(tag, Box::new(Tree::text(text)))
}

fn sub(text: impl Into<String>) -> Tree {
    tagged(Tag::Sub, text)
}

fn choice(condition: &str, then: Tree, otherwise: Tree) -> Tree {
    Tree::Tagged(
        Tag::If,
        Box::new(Tree::List(vec![Tree::text(condition), then, otherwise])),
    )
}

fn no_value() -> Tree {
    tagged(Tag::Ref, "AWS::NoValue")
}

/// A logical id's part: `test` is `Test`, `my-build` is `MyBuild`.
fn word(name: &str) -> String {
    name.split(|c: char| !c.is_ascii_alphanumeric())
        .map(buildspec::capitalised)
        .collect()
}

fn group_id(build: &str, report: &str) -> String {
    format!("{}{}Reports", word(build), word(report))
}

fn resource(kind: &str, properties: Tree) -> Tree {
    Tree::map([("Type", Tree::text(kind)), ("Properties", properties)])
}

fn log_group(name: String, comment: &'static str) -> Tree {
    let properties = Tree::map([
        ("LogGroupName", sub(name)),
        ("RetentionInDays", tagged(Tag::Ref, "LogRetentionDays")),
    ]);
    Tree::map([
        (
            "Type",
            Tree::Commented(comment, Box::new(Tree::text("AWS::Logs::LogGroup"))),
        ),
        ("DeletionPolicy", Tree::text("Delete")),
        ("UpdateReplacePolicy", Tree::text("Retain")),
        ("Properties", properties),
    ])
}

/// A service that works with a role of the stack.
#[derive(Clone, Copy)]
enum Service {
    CodeBuild,
    CodePipeline,
}

impl Service {
    fn principal(self) -> &'static str {
        match self {
            Self::CodeBuild => "codebuild.amazonaws.com",
            Self::CodePipeline => "codepipeline.amazonaws.com",
        }
    }
}

/// A role that one service may take, and it for one resource of this account alone.
fn role(description: String, service: Service, source_arn: String, statements: Vec<Tree>) -> Tree {
    // CodeBuild's guide promises both keys. CodePipeline's does not: there they hold wherever it sends them.
    let (equals, like) = match service {
        Service::CodeBuild => ("StringEquals", "ArnEquals"),
        Service::CodePipeline => ("StringEqualsIfExists", "ArnEqualsIfExists"),
    };
    let account = tagged(Tag::Ref, "AWS::AccountId");
    let condition = Tree::map([
        (equals, Tree::map([("aws:SourceAccount", account)])),
        (like, Tree::map([("aws:SourceArn", sub(source_arn))])),
    ]);
    let trust = Tree::map([
        ("Effect", Tree::text("Allow")),
        (
            "Principal",
            Tree::map([("Service", Tree::text(service.principal()))]),
        ),
        ("Action", Tree::text("sts:AssumeRole")),
        ("Condition", condition),
    ]);
    let document = |statements: Vec<Tree>| {
        Tree::map([
            ("Version", Tree::text("2012-10-17")),
            ("Statement", Tree::List(statements)),
        ])
    };
    let policy = Tree::map([
        ("PolicyName", Tree::text("actions")),
        ("PolicyDocument", document(statements)),
    ]);
    resource(
        "AWS::IAM::Role",
        Tree::map([
            ("Description", sub(description)),
            ("AssumeRolePolicyDocument", document(vec![trust])),
            ("Policies", Tree::List(vec![policy])),
        ]),
    )
}

fn allow(sid: &str, actions: &[&str], resources: Vec<Tree>) -> Tree {
    Tree::map([
        ("Sid", Tree::text(sid)),
        ("Effect", Tree::text("Allow")),
        ("Action", Tree::texts(actions.iter().copied())),
        ("Resource", Tree::List(resources)),
    ])
}

/// The artifact bucket, and its key where there is one.
fn artifact_statements() -> Vec<Tree> {
    let bucket = "arn:${AWS::Partition}:s3:::${ArtifactBucketName}";
    let key = allow(
        "ArtifactKey",
        &[
            "kms:Decrypt",
            "kms:DescribeKey",
            "kms:Encrypt",
            "kms:GenerateDataKey",
            "kms:ReEncryptFrom",
            "kms:ReEncryptTo",
        ],
        vec![tagged(Tag::Ref, "ArtifactKeyArn")],
    );
    vec![
        allow(
            "ArtifactBucket",
            &["s3:GetBucketVersioning", "s3:ListBucket"],
            vec![sub(bucket)],
        ),
        allow(
            "Artifacts",
            &["s3:GetObject", "s3:GetObjectVersion", "s3:PutObject"],
            vec![sub(format!("{bucket}/*"))],
        ),
        choice("HasKey", key, no_value()),
    ]
}

fn statement(statement: &Statement) -> Tree {
    let resources = statement
        .resources
        .iter()
        .map(|text| Template.text(text))
        .collect();
    let mut tree = allow(&statement.sid, &statement.actions, resources);
    if !statement.conditions.is_empty() {
        let conditions = statement.conditions.iter().map(|condition| {
            (
                condition.operator,
                Tree::map([(condition.key, Template.text(&condition.value))]),
            )
        });
        tree.insert("Condition", Tree::map(conditions));
    }
    tree
}

fn pipeline(pipeline: &Pipeline) -> Vec<(String, Tree)> {
    let id = word(pipeline.name);
    let name = full_name(pipeline.name);
    let mut all = Vec::new();
    if policy::has_managed_compute(pipeline) {
        let group = format!("/aws/codepipeline/{name}");
        let comment = "What CodePipeline runs by itself: Commands, and builds of images.";
        all.push((format!("{id}PipelineLogGroup"), log_group(group, comment)));
    }
    let mut statements = artifact_statements();
    statements.extend(policy::statements(pipeline).iter().map(statement));
    let arn =
        format!("arn:${{AWS::Partition}}:codepipeline:${{AWS::Region}}:${{AWS::AccountId}}:{name}");
    let description = format!(
        "What pipeline {} of ${{Project}}, ${{Environment}} may do",
        pipeline.name
    );
    all.push((
        format!("{id}PipelineRole"),
        role(description, Service::CodePipeline, arn, statements),
    ));

    let key = Tree::map([
        ("Id", tagged(Tag::Ref, "ArtifactKeyArn")),
        ("Type", Tree::text("KMS")),
    ]);
    let store = Tree::map([
        ("Type", Tree::text("S3")),
        ("Location", tagged(Tag::Ref, "ArtifactBucketName")),
        ("EncryptionKey", choice("HasKey", key, no_value())),
    ]);
    let mut properties = Tree::map([
        ("Name", sub(name)),
        (
            "RoleArn",
            tagged(Tag::GetAtt, format!("{id}PipelineRole.Arn")),
        ),
        ("ArtifactStore", store),
    ]);
    for (key, value) in declaration::structure(pipeline, &Template) {
        properties.insert(key, value);
    }
    all.push((
        format!("{id}Pipeline"),
        resource("AWS::CodePipeline::Pipeline", properties),
    ));
    all
}

fn build(build: &Build) -> Vec<(String, Tree)> {
    let id = word(build.name);
    let name = full_name(build.name);
    let mut all = vec![(
        format!("{id}BuildLogGroup"),
        log_group(
            format!("/aws/codebuild/{name}"),
            "Declared, so that it has a retention and goes with the stack.",
        ),
    )];
    let mut groups = Vec::new();
    for report in &build.buildspec.reports {
        let group = group_id(build.name, report.group);
        let properties = Tree::map([
            ("Name", sub(format!("{name}-{}", report.group))),
            ("Type", Tree::text(report.group_type())),
            // Without it a group with reports makes the stack's deletion fail.
            ("DeleteReports", Tree::Bool(true)),
            (
                "ExportConfig",
                Tree::map([("ExportConfigType", Tree::text("NO_EXPORT"))]),
            ),
        ]);
        groups.push(tagged(Tag::GetAtt, format!("{group}.Arn")));
        all.push((group, resource("AWS::CodeBuild::ReportGroup", properties)));
    }
    let log = tagged(Tag::GetAtt, format!("{id}BuildLogGroup.Arn"));
    let mut statements = artifact_statements();
    statements.push(allow(
        "Log",
        &["logs:CreateLogStream", "logs:PutLogEvents"],
        vec![log],
    ));
    if !groups.is_empty() {
        // Not CreateReportGroup: every group is the stack's.
        let actions = [
            "codebuild:BatchPutCodeCoverages",
            "codebuild:BatchPutTestCases",
            "codebuild:CreateReport",
            "codebuild:UpdateReport",
        ];
        statements.push(allow("Reports", &actions, groups));
    }
    let arn = format!(
        "arn:${{AWS::Partition}}:codebuild:${{AWS::Region}}:${{AWS::AccountId}}:project/{name}"
    );
    let description = format!(
        "What build {} of ${{Project}}, ${{Environment}} may do",
        build.name
    );
    all.push((
        format!("{id}BuildRole"),
        role(description, Service::CodeBuild, arn, statements),
    ));
    all.push((
        format!("{id}Build"),
        resource("AWS::CodeBuild::Project", project(build, &id, name)),
    ));
    all
}

fn project(build: &Build, id: &str, name: String) -> Tree {
    // What the shell substitutes is not for CloudFormation; what stands for a report group is.
    let mut escaped = build.clone();
    let phases = &mut escaped.buildspec.phases;
    for phase in [
        &mut phases.install,
        &mut phases.pre_build,
        &mut phases.build,
        &mut phases.post_build,
    ] {
        for command in phase.commands.iter_mut().chain(&mut phase.finally) {
            *command = command.replace("${", "${!");
        }
    }
    let spec = buildspec::tree(&escaped, |group| {
        format!("${{{}.Arn}}", group_id(build.name, group))
    })
    .to_yaml();
    let source = Tree::map([
        ("Type", Tree::text("CODEPIPELINE")),
        (
            "BuildSpec",
            Tree::Tagged(Tag::Sub, Box::new(Tree::Lines(spec))),
        ),
    ]);
    let environment = Tree::map([
        (
            "Type",
            choice(
                "IsArm",
                Tree::text("ARM_CONTAINER"),
                Tree::text("LINUX_CONTAINER"),
            ),
        ),
        ("ComputeType", tagged(Tag::Ref, "BuildComputeType")),
        (
            "Image",
            choice(
                "IsArm",
                Tree::text("aws/codebuild/amazonlinux-aarch64-standard:3.0"),
                Tree::text("aws/codebuild/amazonlinux-x86_64-standard:5.0"),
            ),
        ),
        ("ImagePullCredentialsType", Tree::text("CODEBUILD")),
    ]);
    let cache = Tree::map([
        ("Type", tagged(Tag::Ref, "BuildCache")),
        (
            "Location",
            choice(
                "CachesInBucket",
                sub(format!("${{ArtifactBucketName}}/cache/{}", build.name)),
                no_value(),
            ),
        ),
        (
            "Modes",
            choice(
                "CachesOnHost",
                Tree::texts(["LOCAL_CUSTOM_CACHE"]),
                no_value(),
            ),
        ),
    ]);
    let logs = Tree::map([
        ("Status", Tree::text("ENABLED")),
        ("GroupName", tagged(Tag::Ref, format!("{id}BuildLogGroup"))),
    ]);
    Tree::map([
        ("Name", sub(name)),
        (
            "Description",
            Tree::text(buildspec::capitalised(build.summary)),
        ),
        (
            "ServiceRole",
            tagged(Tag::GetAtt, format!("{id}BuildRole.Arn")),
        ),
        (
            "EncryptionKey",
            choice("HasKey", tagged(Tag::Ref, "ArtifactKeyArn"), no_value()),
        ),
        ("TimeoutInMinutes", tagged(Tag::Ref, "BuildTimeoutMinutes")),
        ("QueuedTimeoutInMinutes", Tree::Int(60)),
        ("Source", source),
        (
            "Artifacts",
            Tree::map([("Type", Tree::text("CODEPIPELINE"))]),
        ),
        ("Environment", environment),
        ("Cache", cache),
        ("LogsConfig", Tree::map([("CloudWatchLogs", logs)])),
    ])
}
