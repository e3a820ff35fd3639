use crate::model::{Action, Draft, Part, Reference, Resource, Stage, Text};

/// A stage's name as a job's id: `CloudFormation` is `cloudformation`.
pub(super) fn job_id(stage: &str) -> String {
    let fits = |c: char| {
        if c.is_ascii_alphanumeric() || c == '-' || c == '_' {
            c
        } else {
            '-'
        }
    };
    stage
        .chars()
        .map(|c| fits(c.to_ascii_lowercase()))
        .collect()
}

/// An action's name as a step's id.
pub(super) fn step_id(action: &Action) -> String {
    job_id(&action.name)
}

/// The repository variable that holds what the environment calls a resource.
fn repository_variable(resource: Resource) -> String {
    let name = match resource {
        Resource::Project => "PROJECT",
        Resource::Environment => "ENVIRONMENT",
        Resource::Region => "AWS_REGION",
        Resource::Account => "AWS_ACCOUNT",
        Resource::Partition => "AWS_PARTITION",
        Resource::Connection => "CONNECTION_ARN",
        Resource::RepositoryId => return "github.repository".to_owned(),
        Resource::ArtifactBucket => "ARTIFACT_BUCKET",
        Resource::ImageRepository => "IMAGE_REPOSITORY",
        Resource::ImageRepositoryUri => "IMAGE_REPOSITORY_URI",
        Resource::TableName => "TABLE_NAME",
        Resource::TableArn => "TABLE_ARN",
        Resource::TokenSecret => "TOKEN_SECRET_NAME",
        Resource::Topic => "TOPIC_ARN",
        Resource::StackRole => "STACK_ROLE_ARN",
        Resource::ReleaseMachine => return full_name("release"),
        Resource::Pipeline(name) | Resource::Build(name) => return full_name(name),
        Resource::ReportGroup(build, report) => return full_name(&format!("{build}-{report}")),
    };
    format!("vars.{name}")
}

/// `<project>-<region>-<environment>-<what>`.
fn full_name(what: &str) -> String {
    format!("format('{{0}}-{{1}}-{{2}}-{what}', vars.PROJECT, vars.AWS_REGION, vars.ENVIRONMENT)")
}

/// Where a variable's value is in a workflow.
fn variable(pipeline: &Draft, stage: &Stage, reference: &Reference) -> String {
    let name = reference.name.as_str();
    match reference.namespace.as_str() {
        "variables" => return format!("inputs.{name}"),
        "codepipeline" => return "github.run_id".to_owned(),
        _ => {}
    }
    let is_source = |namespace: &str| {
        pipeline
            .sources
            .iter()
            .any(|source| source.namespace.as_deref() == Some(namespace))
    };
    if is_source(&reference.namespace) {
        return match name {
            "CommitId" => "github.sha",
            "BranchName" => "github.ref_name",
            "TagName" => "(github.ref_type == 'tag' && github.ref_name || '')",
            "CommitMessage" => "github.event.head_commit.message",
            "AuthorDate" => "github.event.head_commit.timestamp",
            _ => "github.repository",
        }
        .to_owned();
    }
    let makes = |action: &&Action| action.namespace.as_ref() == Some(&reference.namespace);
    if let Some(action) = stage.actions.iter().find(makes) {
        return format!("steps.{}.outputs.{name}", step_id(action));
    }
    let earlier = pipeline
        .stages
        .iter()
        .find(|stage| stage.actions.iter().any(|action| makes(&action)));
    let job = earlier.map(|stage| job_id(stage.name)).unwrap_or_default();
    format!("needs.{job}.outputs.{name}")
}

/// A value of a workflow: literal text, and expressions in `${{ }}`. It goes into `env` or `with` alone, never into a
/// command.
pub(super) fn text(pipeline: &Draft, stage: &Stage, text: &Text) -> String {
    text.write(|part| match part {
        Part::Literal(literal) => literal.clone(),
        Part::Variable(reference) => format!("${{{{ {} }}}}", variable(pipeline, stage, reference)),
        Part::Resource(resource) => format!("${{{{ {} }}}}", repository_variable(*resource)),
    })
}

/// The expression of a text that is one variable, without `${{ }}`.
pub(super) fn bare(pipeline: &Draft, stage: &Stage, text: &Text) -> Option<String> {
    match text.parts() {
        [Part::Variable(reference)] => Some(variable(pipeline, stage, reference)),
        _ => None,
    }
}

/// The variables of a stage's actions that later stages read, each with the step that makes it.
pub(super) fn read_later(pipeline: &Draft, stage: &Stage) -> Vec<(String, String)> {
    let position = pipeline
        .stages
        .iter()
        .position(|one| one.name == stage.name);
    let later = pipeline
        .stages
        .iter()
        .skip(position.map_or(0, |position| position + 1));
    let mut all: Vec<(String, String)> = Vec::new();
    for action in later.flat_map(|stage| &stage.actions) {
        let configuration = action.provider.configuration();
        let texts = configuration.iter().map(|(_, text)| text);
        let environment = action
            .provider
            .environment()
            .iter()
            .map(|variable| &variable.value);
        for reference in texts.chain(environment).flat_map(Text::references) {
            let maker = stage
                .actions
                .iter()
                .find(|one| one.namespace.as_ref() == Some(&reference.namespace));
            if let Some(maker) = maker {
                let output = (reference.name.clone(), step_id(maker));
                if !all.contains(&output) {
                    all.push(output);
                }
            }
        }
    }
    all
}
