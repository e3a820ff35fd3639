use super::LeftoverKind;

/// Whether the ARN is that of the resource which CloudFormation knows by `id`: the id alone, or behind a separator.
pub(crate) fn is_arn_of(arn: &str, id: &str) -> bool {
    let arn = arn.strip_suffix(":*").unwrap_or(arn);
    arn.strip_suffix(id).is_some_and(|before| {
        before.is_empty() || id.starts_with('/') || before.ends_with([':', '/'])
    })
}

/// What kind of thing an ARN names, and the id by which it is looked at.
pub(crate) fn kind_of(arn: &str) -> (LeftoverKind, String) {
    let parts: Vec<_> = arn.splitn(6, ':').collect();
    let tagged = (LeftoverKind::Tagged, arn.to_owned());
    let [_, _, service, _, _, rest] = parts[..] else {
        return tagged;
    };
    let behind = |before: &str| rest.strip_prefix(before).map(str::to_owned);
    let found = match service {
        "s3" => Some((LeftoverKind::Bucket, rest.to_owned())),
        "ecr" => behind("repository/").map(|name| (LeftoverKind::Repository, name)),
        "logs" => behind("log-group:").map(|name| {
            let name = name.strip_suffix(":*").unwrap_or(&name).to_owned();
            (LeftoverKind::LogGroup, name)
        }),
        "dynamodb" => behind("table/")
            .filter(|name| !name.contains('/'))
            .map(|name| (LeftoverKind::Table, name)),
        "kms" => behind("key/").map(|id| (LeftoverKind::Key, id)),
        // A name in a hierarchy begins with a slash, which the ARN has anyhow.
        "ssm" => behind("parameter/").map(|name| {
            let name = if name.contains('/') {
                format!("/{name}")
            } else {
                name
            };
            (LeftoverKind::Parameter, name)
        }),
        "secretsmanager" => behind("secret:").map(|_| (LeftoverKind::Secret, arn.to_owned())),
        "lambda" => behind("function:").map(|name| match name.split_once(':') {
            None => (LeftoverKind::Function, name),
            Some((_, part)) if part.bytes().all(|byte| byte.is_ascii_digit()) => {
                (LeftoverKind::FunctionVersion, arn.to_owned())
            }
            Some(_) => (LeftoverKind::FunctionAlias, arn.to_owned()),
        }),
        _ => None,
    };
    found.unwrap_or(tagged)
}

/// The function and the version or alias that an ARN names.
pub(crate) fn part_of(arn: &str) -> Option<(&str, &str)> {
    arn.split_once(":function:")?.1.split_once(':')
}

/// The cluster that a task of ECS goes with.
pub(crate) fn cluster_of_task(arn: &str) -> Option<&str> {
    let (_, task) = arn.split_once(":task/")?;
    let (cluster, _) = task.split_once('/')?;
    arn.contains(":ecs:").then_some(cluster)
}

/// The type and the identifier by which the Cloud Control API looks at a thing whose tags may be listed when it is gone: ECS keeps
/// what was deleted for a while, and deregistered task definitions without end, as INACTIVE.
///
/// See [DeregisterTaskDefinition](https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DeregisterTaskDefinition.html).
pub(crate) fn kept_listed(arn: &str) -> Option<(&'static str, String)> {
    if let Some(cluster) = cluster_of_task(arn) {
        return Some(("AWS::ECS::Cluster", cluster.to_owned()));
    }
    let [_, _, "ecs", _, _, rest] = arn.splitn(6, ':').collect::<Vec<_>>()[..] else {
        return None;
    };
    let parts: Vec<_> = rest.split('/').collect();
    match parts[..] {
        ["cluster", name] => Some(("AWS::ECS::Cluster", name.to_owned())),
        ["service", cluster, _] => Some(("AWS::ECS::Service", format!("{arn}|{cluster}"))),
        ["task-definition", _] => Some(("AWS::ECS::TaskDefinition", arn.to_owned())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arn_is_told_from_one_that_ends_alike() {
        for (arn, id, expected) in [
            ("arn:aws:s3:::files", "files", true),
            ("arn:aws:s3:::my-files", "files", false),
            ("arn:aws:dynamodb:r:1:table/t", "t", true),
            ("arn:aws:dynamodb:r:1:table/tt", "t", false),
            ("arn:aws:ssm:r:1:parameter/p/e/name", "/p/e/name", true),
            (
                "arn:aws:logs:r:1:log-group:/aws/lambda/f:*",
                "/aws/lambda/f",
                true,
            ),
            ("arn:aws:sns:r:1:topic", "arn:aws:sns:r:1:topic", true),
            ("arn:aws:apigateway:r::/apis/abc", "abc", true),
        ] {
            assert_eq!(is_arn_of(arn, id), expected, "{arn} {id}");
        }
    }

    #[test]
    fn arns_are_read() {
        for (arn, kind, id) in [
            ("arn:aws:s3:::files", LeftoverKind::Bucket, "files"),
            (
                "arn:aws:ecr:r:1:repository/a/b",
                LeftoverKind::Repository,
                "a/b",
            ),
            (
                "arn:aws:logs:r:1:log-group:/aws/x:*",
                LeftoverKind::LogGroup,
                "/aws/x",
            ),
            ("arn:aws:kms:r:1:key/1-2", LeftoverKind::Key, "1-2"),
            ("arn:aws:ssm:r:1:parameter/p", LeftoverKind::Parameter, "p"),
            (
                "arn:aws:ssm:r:1:parameter/a/b",
                LeftoverKind::Parameter,
                "/a/b",
            ),
            (
                "arn:aws:secretsmanager:r:1:secret:a/b-Ab12Cd",
                LeftoverKind::Secret,
                "arn:aws:secretsmanager:r:1:secret:a/b-Ab12Cd",
            ),
            ("arn:aws:lambda:r:1:function:f", LeftoverKind::Function, "f"),
            (
                "arn:aws:lambda:r:1:function:f:12",
                LeftoverKind::FunctionVersion,
                "arn:aws:lambda:r:1:function:f:12",
            ),
            (
                "arn:aws:lambda:r:1:function:f:live",
                LeftoverKind::FunctionAlias,
                "arn:aws:lambda:r:1:function:f:live",
            ),
            (
                "arn:aws:lambda:r:1:layer:l",
                LeftoverKind::Tagged,
                "arn:aws:lambda:r:1:layer:l",
            ),
            ("arn:aws:dynamodb:r:1:table/t", LeftoverKind::Table, "t"),
            (
                "arn:aws:sns:r:1:t",
                LeftoverKind::Tagged,
                "arn:aws:sns:r:1:t",
            ),
            ("nonsense", LeftoverKind::Tagged, "nonsense"),
        ] {
            assert_eq!(kind_of(arn), (kind, id.to_owned()));
        }
    }

    #[test]
    fn what_ecs_lists_on_is_looked_at_by_its_identifier() {
        let service = "arn:aws:ecs:r:1:service/c/s";
        let definition = "arn:aws:ecs:r:1:task-definition/f:3";
        for (arn, expected) in [
            (
                "arn:aws:ecs:r:1:cluster/c",
                Some(("AWS::ECS::Cluster", "c")),
            ),
            (
                "arn:aws:ecs:r:1:task/c/1a2b",
                Some(("AWS::ECS::Cluster", "c")),
            ),
            (
                service,
                Some(("AWS::ECS::Service", "arn:aws:ecs:r:1:service/c/s|c")),
            ),
            (definition, Some(("AWS::ECS::TaskDefinition", definition))),
            ("arn:aws:ecs:r:1:capacity-provider/p", None),
            ("arn:aws:sns:r:1:task/c/1", None),
            ("nonsense", None),
        ] {
            let expected = expected.map(|(kind, id)| (kind, id.to_owned()));
            assert_eq!(kept_listed(arn), expected, "{arn}");
        }
    }
}
