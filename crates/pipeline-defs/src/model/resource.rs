/// What an environment has and calls by a name of its own: an ARN, an address, a bucket.
///
/// Each form writes it in its own way: the template refers to it, a declaration has its value, a workflow reads it from
/// the repository's variables, a run on this machine asks the environment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Resource {
    /// The project's name.
    Project,
    /// The environment's name.
    Environment,
    /// The region's code.
    Region,
    /// The account's id.
    Account,
    /// The partition: `aws`.
    Partition,
    /// The ARN of the connection to the repository's host.
    Connection,
    /// The repository at its host: `owner/name`.
    RepositoryId,
    /// The bucket that builds and artifacts are kept in.
    ArtifactBucket,
    /// The name of the image repository.
    ImageRepository,
    /// The address of the image repository, without a tag.
    ImageRepositoryUri,
    /// The table's name.
    TableName,
    /// The table's ARN.
    TableArn,
    /// The name of the secret that holds the API's token, or `none`.
    TokenSecret,
    /// The name of the state machine that verifies a release.
    ReleaseMachine,
    /// The ARN of the topic that hears of approvals and failures.
    Topic,
    /// The ARN of the role that CloudFormation makes stacks with.
    StackRole,
    /// The name of a pipeline of this project, by its short name.
    Pipeline(&'static str),
    /// The name of a CodeBuild project, by the short name of its build.
    Build(&'static str),
    /// The ARN of a report group, by the short name of its build and its own.
    ReportGroup(&'static str, &'static str),
}

/// `<project>-<region>-<environment>-`: 20, 14 and 12 characters at most, and the dashes.
const PREFIX: usize = 20 + 1 + 14 + 1 + 12 + 1;
/// `arn:aws-us-gov:<service>:<region>:<account>:`, with the longest service.
const ARN: usize = 4 + 11 + 16 + 15 + 13;

impl Resource {
    /// The most characters that its value can have, by the bounds of the templates' parameters.
    pub(crate) fn longest(self) -> usize {
        match self {
            Self::Project => 20,
            Self::Environment | Self::Account => 12,
            Self::Region => 14,
            Self::Partition => 10,
            Self::Connection => ARN + "connection/".len() + 36,
            Self::RepositoryId => 140,
            Self::ArtifactBucket => 63,
            Self::ImageRepository => PREFIX + 3,
            Self::ImageRepositoryUri => PREFIX + 3 + 12 + ".dkr.ecr..amazonaws.com.cn/".len() + 14,
            Self::TableName => 60,
            Self::TableArn => ARN + "table/".len() + 60,
            Self::TokenSecret => PREFIX + "api-token".len(),
            Self::ReleaseMachine => PREFIX + "release".len(),
            Self::Topic => ARN + PREFIX + "pipelines".len(),
            Self::StackRole => ARN + "role/".len() + 64,
            Self::Pipeline(name) | Self::Build(name) => PREFIX + name.len(),
            Self::ReportGroup(build, report) => {
                ARN + PREFIX + "report-group/".len() + build.len() + 1 + report.len()
            }
        }
    }
}
