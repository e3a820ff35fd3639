use super::declaration::Dialect;
use super::{RenderedFile, declaration, definition};
use crate::model::{Part, Pipeline, Resource, Text};
use crate::tree::Tree;

/// An environment as values: what a declaration needs that a template would refer to.
///
/// Names follow the templates' own; a test holds them to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Site {
    /// The project's name.
    pub project: String,
    /// The environment's name.
    pub environment: String,
    /// The region's code.
    pub region: String,
    /// The account's id, 12 digits.
    pub account: String,
    /// `aws`, or `aws-cn`, `aws-us-gov`.
    pub partition: String,
    /// `owner/name`.
    pub repository_id: String,
    /// The id of the connection: a UUID that CodeConnections gives.
    pub connection_id: String,
    /// The ARN of the key that encrypts artifacts, if there is one.
    pub key_arn: Option<String>,
}

/// IAM's limit on a role's name.
const ROLE_NAME_MAX: usize = 64;

impl Site {
    /// An environment as AWS's documents have one: for what is measured or checked without one.
    pub fn example() -> Self {
        let account = "111122223333";
        let id = "00000000-0000-0000-0000-000000000000";
        Self {
            project: "stackway".to_owned(),
            environment: "prod".to_owned(),
            region: "eu-west-2".to_owned(),
            account: account.to_owned(),
            partition: "aws".to_owned(),
            repository_id: "example/stackway".to_owned(),
            connection_id: id.to_owned(),
            key_arn: Some(format!("arn:aws:kms:eu-west-2:{account}:key/{id}")),
        }
    }

    /// `<project>-<region>-<environment>-<what>`.
    pub fn name(&self, what: &str) -> String {
        format!(
            "{}-{}-{}-{what}",
            self.project, self.region, self.environment
        )
    }

    fn arn(&self, service: &str, resource: &str) -> String {
        format!(
            "arn:{}:{service}:{}:{}:{resource}",
            self.partition, self.region, self.account
        )
    }

    fn role(&self, what: &str) -> String {
        let mut name = self.name(what);
        name.truncate(ROLE_NAME_MAX);
        format!("arn:{}:iam::{}:role/{name}", self.partition, self.account)
    }

    /// What the environment calls a resource.
    pub fn value(&self, resource: Resource) -> String {
        match resource {
            Resource::Project => self.project.clone(),
            Resource::Environment => self.environment.clone(),
            Resource::Region => self.region.clone(),
            Resource::Account => self.account.clone(),
            Resource::Partition => self.partition.clone(),
            Resource::Connection => self.arn(
                "codeconnections",
                &format!("connection/{}", self.connection_id),
            ),
            Resource::RepositoryId => self.repository_id.clone(),
            Resource::ArtifactBucket => {
                format!(
                    "{}-{}-{}-{}",
                    self.project, self.account, self.region, self.environment
                )
            }
            Resource::ImageRepository => self.name("api"),
            Resource::ImageRepositoryUri => {
                let suffix = if self.partition == "aws-cn" {
                    ".cn"
                } else {
                    ""
                };
                format!(
                    "{}.dkr.ecr.{}.amazonaws.com{suffix}/{}",
                    self.account,
                    self.region,
                    self.name("api")
                )
            }
            Resource::TableName => self.name("table"),
            Resource::TableArn => self.arn("dynamodb", &format!("table/{}", self.name("table"))),
            Resource::TokenSecret => self.name("api-token"),
            Resource::ReleaseMachine => self.name("release"),
            Resource::Topic => self.arn("sns", &self.name("pipelines")),
            Resource::StackRole => self.role("stacks"),
            Resource::Pipeline(name) | Resource::Build(name) => self.name(name),
            Resource::ReportGroup(build, report) => self.arn(
                "codebuild",
                &format!("report-group/{}-{report}", self.name(build)),
            ),
        }
    }

    /// The text with the environment's values, and variables as CodePipeline writes them.
    pub fn text(&self, text: &Text) -> String {
        text.write(|part| match part {
            Part::Literal(text) => text.clone(),
            Part::Variable(reference) => reference.to_string(),
            Part::Resource(resource) => self.value(*resource),
        })
    }
}

impl Dialect for &Site {
    fn key(&self, key: &'static str) -> String {
        key.to_owned()
    }

    fn text(&self, text: &Text) -> Tree {
        Tree::Text(Site::text(self, text))
    }
}

/// `codepipeline/<name>.json`.
pub(super) fn declaration(pipeline: &Pipeline, site: &Site) -> RenderedFile {
    let mut store = Tree::map([
        ("type", Tree::text("S3")),
        ("location", Tree::Text(site.value(Resource::ArtifactBucket))),
    ]);
    let key = site.key_arn.as_deref();
    let key = key.map(|arn| Tree::map([("id", Tree::text(arn)), ("type", Tree::text("KMS"))]));
    store.insert_some("encryptionKey", key);
    let mut tree = Tree::map([
        ("name", Tree::Text(site.name(pipeline.name))),
        ("roleArn", Tree::Text(site.role(pipeline.name))),
        ("artifactStore", store),
    ]);
    for (key, value) in declaration::structure(pipeline, &site) {
        tree.insert(key, value);
    }
    RenderedFile {
        path: format!("codepipeline/{}.json", pipeline.name),
        contents: Tree::map([("pipeline", tree)]).to_json(),
        definition: definition(pipeline.name),
    }
}
