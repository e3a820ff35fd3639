use super::Text;

/// An action of the first stage: where a run gets what it works on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceAction {
    /// Its name, of 1 to 100 characters.
    pub name: String,
    /// What it reads.
    pub source: Source,
    /// The artifact that it makes.
    pub output: String,
    /// Where later actions find its variables.
    pub namespace: Option<String>,
}

/// Where a source is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A repository, through a connection of CodeConnections.
    CodeConnections(CodeConnections),
    /// An object of a versioned bucket.
    S3(S3Source),
}

/// A repository at GitHub, GitLab or Bitbucket.
///
/// See [the action](https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-CodestarConnectionSource.html).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodeConnections {
    /// The connection's ARN.
    pub connection: Text,
    /// `owner/name`.
    pub repository: Text,
    /// The branch that a start by hand takes; triggers with filters have their own.
    pub branch: Text,
    /// Whether later actions get files or a clone.
    pub format: ArtifactFormat,
    /// Whether a push to the branch starts the pipeline; filters of a trigger narrow it.
    pub detect_changes: bool,
}

/// What a repository's artifact is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArtifactFormat {
    /// A zip of the files.
    Zip,
    /// A reference that a CodeBuild action clones, with history.
    Clone,
}

/// An object of a bucket.
///
/// See [the action](https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-S3.html).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct S3Source {
    /// The bucket.
    pub bucket: Text,
    /// The object's key.
    pub key: Text,
    /// Whether CodePipeline looks for a new version itself; an event is better, and the price of its absence.
    pub poll: bool,
}

impl SourceAction {
    /// A source that makes `output` and has its variables in `SourceVariables`.
    pub fn new(name: &str, source: impl Into<Source>, output: &str) -> Self {
        Self {
            name: name.to_owned(),
            source: source.into(),
            output: output.to_owned(),
            namespace: Some("SourceVariables".to_owned()),
        }
    }
}

impl Source {
    /// What CodePipeline calls it.
    pub fn provider(&self) -> &'static str {
        match self {
            Self::CodeConnections(_) => "CodeStarSourceConnection",
            Self::S3(_) => "S3",
        }
    }

    /// Its configuration, by CodePipeline's keys.
    pub fn configuration(&self) -> Vec<(&'static str, Text)> {
        match self {
            Self::CodeConnections(source) => vec![
                ("ConnectionArn", source.connection.clone()),
                ("FullRepositoryId", source.repository.clone()),
                ("BranchName", source.branch.clone()),
                (
                    "OutputArtifactFormat",
                    match source.format {
                        ArtifactFormat::Zip => "CODE_ZIP",
                        ArtifactFormat::Clone => "CODEBUILD_CLONE_REF",
                    }
                    .into(),
                ),
                ("DetectChanges", source.detect_changes.to_string().into()),
            ],
            Self::S3(source) => vec![
                ("S3Bucket", source.bucket.clone()),
                ("S3ObjectKey", source.key.clone()),
                ("PollForSourceChanges", source.poll.to_string().into()),
            ],
        }
    }

    /// The variables that it makes. `TagName` is there only where a tag started the run.
    pub fn output_variables(&self) -> &'static [&'static str] {
        match self {
            Self::CodeConnections(_) => &[
                "AuthorDate",
                "BranchName",
                "CommitId",
                "CommitMessage",
                "ConnectionArn",
                "FullRepositoryName",
                "TagName",
            ],
            Self::S3(_) => &["BucketName", "ETag", "ObjectKey", "VersionId"],
        }
    }
}

impl From<CodeConnections> for Source {
    fn from(source: CodeConnections) -> Self {
        Self::CodeConnections(source)
    }
}

impl From<S3Source> for Source {
    fn from(source: S3Source) -> Self {
        Self::S3(source)
    }
}
