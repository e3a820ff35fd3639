//! Names and tags: every stack's name says whose it is, and every resource carries the same few tags.

use std::collections::BTreeMap;

/// CloudFormation's limit on a stack's name, in characters.
///
/// See [CreateStack](https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateStack.html).
pub const STACK_NAME_MAX: usize = 128;

/// Outputs that follow from names, as the templates make them: stack, output, and the value. `{home}` is the region that
/// the stack is in, `{region}` that of what it holds, which differ where it copies that to other regions. A test of the whole deploy
/// holds them against what stands.
const NAMED_OUTPUTS: &[(&str, &str, &str)] = &[
    (
        "artifacts",
        "ArtifactBucketName",
        "{project}-{account}-{region}-{environment}",
    ),
    ("table", "TableName", "{project}-{home}-{environment}-table"),
    (
        "table",
        "TableArn",
        "arn:{partition}:dynamodb:{region}:{account}:table/{project}-{home}-{environment}-table",
    ),
    (
        "automation",
        "StateMachineArn",
        "arn:{partition}:states:{region}:{account}:stateMachine:{project}-{region}-{environment}-release",
    ),
];

/// What names and tags are made from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Naming {
    /// The project's name.
    pub project: String,
    /// The region that is deployed to.
    pub region: String,
    /// The environment's name.
    pub environment: String,
}

impl Naming {
    /// `<project>-<region>-<environment>-<stack>`, cut to CloudFormation's limit.
    pub fn stack(&self, stack: &str) -> String {
        let mut name = format!(
            "{}-{}-{}-{stack}",
            self.project, self.region, self.environment
        );
        name.truncate(STACK_NAME_MAX);
        name
    }

    /// What an output of a stack is in `account` and `region`, where that follows from names alone: so that it is known
    /// of each stack of a stack set. `None` for outputs that only a stack itself can tell.
    pub fn output(&self, stack: &str, output: &str, account: &str, region: &str) -> Option<String> {
        self.output_at(stack, output, account, (region, region))
    }

    /// What an output of a stack of this region is of the copy that it has in another `region`; `None` as for
    /// [`output`](Self::output).
    pub fn copied_output(
        &self,
        stack: &str,
        output: &str,
        account: &str,
        region: &str,
    ) -> Option<String> {
        self.output_at(stack, output, account, (region, &self.region))
    }

    fn output_at(
        &self,
        stack: &str,
        output: &str,
        account: &str,
        (region, home): (&str, &str),
    ) -> Option<String> {
        let (_, _, pattern) = NAMED_OUTPUTS
            .iter()
            .find(|(of, name, _)| (*of, *name) == (stack, output))?;
        let filled = pattern
            .replace("{project}", &self.project)
            .replace("{environment}", &self.environment)
            .replace("{account}", account)
            .replace("{region}", region)
            .replace("{home}", home)
            .replace("{partition}", partition(region));
        Some(filled)
    }

    /// The roles by which self-managed stack sets make stacks: of this region and environment, since IAM's names are
    /// global to an account. The longest has 63 characters, within IAM's 64.
    pub fn stack_set_roles(&self) -> StackSetRoles {
        let name = |what| {
            format!(
                "{}-{}-{}-{what}",
                self.project, self.region, self.environment
            )
        };
        StackSetRoles {
            administration: name("stackset-admin"),
            execution: name("stackset-exec"),
        }
    }

    /// The tags of a stack, which CloudFormation hands on to its resources. `extra` (the environment's own) gives way
    /// to the project's, since `destroy` and the cost report find resources by them.
    pub fn tags(
        &self,
        stack: &str,
        source: &Source,
        extra: &BTreeMap<String, String>,
    ) -> BTreeMap<String, String> {
        let mut tags = extra.clone();
        let own = [
            ("project", Some(self.project.as_str())),
            ("environment", Some(self.environment.as_str())),
            ("stack", Some(stack)),
            ("git-commit", source.commit.as_deref()),
            ("git-repository", Some(source.repository.as_str())),
            ("managed-by", Some("stackway")),
        ];
        tags.extend(
            own.into_iter()
                .filter_map(|(key, value)| Some((key.to_owned(), value?.to_owned()))),
        );
        tags
    }
}

/// The names of the roles of self-managed stack sets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StackSetRoles {
    /// The role that CloudFormation takes in the account of the set.
    pub administration: String,
    /// The role that it takes in each target account.
    pub execution: String,
}

impl StackSetRoles {
    /// The administration role's ARN in `account`, in the partition that `region` belongs to.
    ///
    /// See [ARNs](https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html).
    pub fn administration_arn(&self, account: &str, region: &str) -> String {
        format!(
            "arn:{}:iam::{account}:role/{}",
            partition(region),
            self.administration
        )
    }
}

/// The partition that a region belongs to.
fn partition(region: &str) -> &'static str {
    match region.split('-').collect::<Vec<_>>().as_slice() {
        ["cn", ..] => "aws-cn",
        ["us", "gov", ..] => "aws-us-gov",
        ["eusc", ..] => "aws-eusc",
        _ => "aws",
    }
}

/// Where what is deployed comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Source {
    /// The last commit that changed what the stack is made from, if the work tree is a git checkout.
    pub commit: Option<String>,
    /// The repository's address.
    pub repository: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn naming() -> Naming {
        Naming {
            project: "stackway".into(),
            region: "eu-west-2".into(),
            environment: "dev".into(),
        }
    }

    #[test]
    fn names_say_whose_the_stack_is() {
        assert_eq!(naming().stack("table"), "stackway-eu-west-2-dev-table");
        assert_eq!(naming().stack(&"x".repeat(200)).len(), STACK_NAME_MAX);
    }

    #[test]
    fn outputs_that_follow_from_names() {
        for (stack, output, region, expected) in [
            (
                "table",
                "TableArn",
                "us-east-1",
                Some("arn:aws:dynamodb:us-east-1:111111111111:table/stackway-us-east-1-dev-table"),
            ),
            (
                "artifacts",
                "ArtifactBucketName",
                "cn-north-1",
                Some("stackway-111111111111-cn-north-1-dev"),
            ),
            ("artifacts", "EncryptionKey", "us-east-1", None),
            ("api", "TableArn", "us-east-1", None),
        ] {
            let found = naming().output(stack, output, "111111111111", region);
            assert_eq!(found.as_deref(), expected, "{stack} {output}");
        }
    }

    #[test]
    fn roles_of_stack_sets_fit_iam() {
        let longest = Naming {
            project: "p".repeat(20),
            region: "ap-southeast-1".into(),
            environment: "e".repeat(12),
        }
        .stack_set_roles();
        assert!(longest.administration.len() <= 64 && longest.execution.len() <= 64);
        let roles = naming().stack_set_roles();
        for (region, expected) in [
            (
                "eu-west-2",
                "arn:aws:iam::1:role/stackway-eu-west-2-dev-stackset-admin",
            ),
            (
                "cn-north-1",
                "arn:aws-cn:iam::1:role/stackway-eu-west-2-dev-stackset-admin",
            ),
            (
                "us-gov-west-1",
                "arn:aws-us-gov:iam::1:role/stackway-eu-west-2-dev-stackset-admin",
            ),
        ] {
            assert_eq!(roles.administration_arn("1", region), expected);
        }
    }

    #[test]
    fn the_project_s_tags_win() {
        let extra = BTreeMap::from([
            ("team".to_owned(), "a".to_owned()),
            ("stack".to_owned(), "b".to_owned()),
        ]);
        let source = Source {
            commit: Some("abc".into()),
            repository: "r".into(),
        };
        let tags = naming().tags("table", &source, &extra);
        assert_eq!(
            (tags["team"].as_str(), tags["stack"].as_str()),
            ("a", "table")
        );
        assert_eq!(tags.len(), 7);
    }
}
