use super::{BRANCH, SOURCE, STACK, TEMPLATE, VERSION_MARK, VERSIONS, source};
use crate::model::{
    Action, BeforeEntry, Build, Buildspec, CodeBuild, Commands, Draft, EcrBuildAndPublish,
    Environment, EnvironmentVariable, ExecutionMode, Filter, Grant, Invocation, OnFailure,
    Operator, Phase, Phases, PushFilter, Registry, Report, ReportFormat, Resource, RetryMode,
    SkipRule, SourceRevision, Stage, Text, Trigger,
};

const IMAGE: &str = "ImageVariables";
const COMMIT: &str = "#{SourceVariables.CommitId}";

pub(super) fn draft() -> Draft {
    Draft {
        name: "application",
        summary: "Tests a commit, builds its image and starts its deployment",
        execution_mode: ExecutionMode::Superseded,
        variables: Vec::new(),
        triggers: vec![Trigger {
            source: "Repository".to_owned(),
            push: vec![
                PushFilter::Branches {
                    branches: Filter::including(&[BRANCH]),
                    paths: Filter::default(),
                },
                PushFilter::Tags(Filter::including(&[VERSIONS])),
            ],
            pull_request: Vec::new(),
        }],
        source_stage: "Source",
        sources: vec![source(true)],
        stages: vec![test(), registry(), tag(), invoke()],
        builds: vec![test_build()],
    }
}

fn test() -> Stage {
    let build = CodeBuild {
        build: "test",
        is_test: true,
        primary_source: None,
        environment: Vec::new(),
    };
    Stage::new("Test", vec![Action::new("Test", build).reads(SOURCE)])
}

/// The image has the commit's id as its tag. Tags cannot be moved, so a commit is built once: to deliver it again, start
/// `deployment` with its image.
fn registry() -> Stage {
    let image = EcrBuildAndPublish {
        repository: Resource::ImageRepository.into(),
        docker_file: None,
        tags: vec![COMMIT.into()],
        registry: Registry::Private,
    };
    let action = Action::new("Image", image).reads(SOURCE).namespace(IMAGE);
    Stage {
        // A registry that base images come from fails now and then.
        on_failure: Some(OnFailure::Retry(RetryMode::FailedActions)),
        ..Stage::new("Registry", vec![action])
    }
}

/// Where a version's tag started the run, the image has it too.
fn tag() -> Stage {
    let version = "#{SourceVariables.TagName}";
    let commands = Commands {
        commands: vec![
            r#"manifest=$(aws ecr batch-get-image --repository-name "$REPOSITORY" --image-ids "imageDigest=$DIGEST" --query "images[0].imageManifest" --output text)"#.to_owned(),
            r#"aws ecr put-image --repository-name "$REPOSITORY" --image-tag "$VERSION" --image-manifest "$manifest""#.to_owned(),
        ],
        environment: vec![
            EnvironmentVariable::plain("REPOSITORY", Resource::ImageRepository),
            EnvironmentVariable::plain("DIGEST", format!("#{{{IMAGE}.ECRImageDigestId}}")),
            EnvironmentVariable::plain("VERSION", version),
        ],
        output_variables: Vec::new(),
        grants: vec![Grant {
            actions: vec!["ecr:BatchGetImage", "ecr:PutImage"],
            resources: vec![image_repository_arn()],
        }],
    };
    let rule = SkipRule::VariableCheck {
        name: "IsVersion".to_owned(),
        variable: version.into(),
        operator: Operator::Contains,
        value: VERSION_MARK.to_owned(),
    };
    Stage {
        before_entry: Some(BeforeEntry::Skip(vec![rule])),
        ..Stage::new("Tag", vec![Action::new("Version", commands).reads(SOURCE)])
    }
}

fn invoke() -> Stage {
    // By its digest, so that what was tested is what is deployed.
    let image = Text::from([
        Resource::ImageRepositoryUri.into(),
        format!("@#{{{IMAGE}.ECRImageDigestId}}").into(),
    ]);
    let overrides = Text::json_object([
        ("PackageType", &"Image".into()),
        ("ImageUri", &image),
        ("Architecture", &"x86_64".into()),
        ("TableName", &Resource::TableName.into()),
        ("TableArn", &Resource::TableArn.into()),
        ("TokenSecretName", &Resource::TokenSecret.into()),
    ]);
    let stack = Text::from([
        Resource::Project.into(),
        "-".into(),
        Resource::Region.into(),
        "-".into(),
        Resource::Environment.into(),
        format!("-{STACK}").into(),
    ]);
    let invocation = Invocation {
        pipeline: "deployment",
        variables: vec![
            ("ActionMode", "CREATE_UPDATE".into()),
            ("StackName", stack),
            ("TemplatePath", TEMPLATE.into()),
            ("ParameterOverrides", overrides),
        ],
        // The template of the same commit as the image.
        revisions: vec![SourceRevision {
            action: "Repository",
            kind: "COMMIT_ID",
            value: COMMIT.into(),
        }],
    };
    Stage::new("Invoke", vec![Action::new("Deployment", invocation)])
}

fn image_repository_arn() -> Text {
    [
        "arn:".into(),
        Resource::Partition.into(),
        ":ecr:".into(),
        Resource::Region.into(),
        ":".into(),
        Resource::Account.into(),
        ":repository/".into(),
        Resource::ImageRepository.into(),
    ]
    .into()
}

/// The tests of all crates but `xtask`, whose stories run pipelines themselves.
fn test_build() -> Build {
    Build {
        name: "test",
        summary: "formatting, clippy, and the tests with their coverage",
        buildspec: Buildspec {
            environment: Environment {
                shell: Some("bash"),
                variables: vec![
                    ("CARGO_TERM_COLOR", "never".to_owned()),
                    ("CARGO_INCREMENTAL", "0".to_owned()),
                    // With clippy, so that build scripts and procedural macros are compiled once.
                    ("CARGO_LLVM_COV_TARGET_DIR", "target".to_owned()),
                ],
                ..Environment::default()
            },
            phases: Phases {
                install: Phase::of(&[
                    "command -v cargo || curl --proto '=https' --tlsv1.2 --silent --show-error --fail https://sh.rustup.rs | sh -s -- -y --profile minimal",
                    r#"export PATH="$PWD/target/pipeline-tools/bin:$HOME/.cargo/bin:$PATH""#,
                    // A toolchain that rustup did not bring has its components from elsewhere.
                    "if command -v rustup; then rustup component add clippy llvm-tools rustfmt; fi",
                    "command -v cargo-llvm-cov || cargo install --locked --quiet --root target/pipeline-tools cargo-llvm-cov@0.9.1",
                    "command -v cargo-nextest || cargo install --locked --quiet --root target/pipeline-tools cargo-nextest@0.9.151",
                ]),
                build: Phase::of(&[
                    "cargo fmt --all --check",
                    "cargo clippy --workspace --all-targets --all-features --locked -- --deny warnings",
                    "mkdir -p target/pipeline-reports",
                    // What earlier runs counted goes, what they compiled stays: it is the cache.
                    "cargo llvm-cov clean --profraw-only",
                    "cargo llvm-cov nextest --no-clean --workspace --exclude xtask --all-features --locked --profile pipeline --lcov --output-path target/pipeline-reports/lcov.info",
                ]),
                ..Phases::default()
            },
            reports: vec![
                Report {
                    group: "junit",
                    summary: "the tests, by name",
                    files: vec!["junit.xml"],
                    base_directory: Some("target/nextest/pipeline"),
                    format: ReportFormat::JunitXml,
                },
                Report {
                    group: "coverage",
                    summary: "the lines that the tests reach",
                    files: vec!["lcov.info"],
                    base_directory: Some("target/pipeline-reports"),
                    format: ReportFormat::Lcov,
                },
            ],
            artifacts: None,
            cache: vec![
                "/root/.cargo/registry/**/*".to_owned(),
                "target/**/*".to_owned(),
            ],
        },
    }
}
