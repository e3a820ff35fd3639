use std::collections::BTreeMap;

use serde_json::Value;

use crate::template::Template;

/// Types whose names are taken once in an account and region, or once in the world, with the property that names them.
const NAMED: &[(&str, &str)] = &[
    ("AWS::DynamoDB::GlobalTable", "TableName"),
    ("AWS::DynamoDB::Table", "TableName"),
    ("AWS::ECR::Repository", "RepositoryName"),
    ("AWS::Logs::LogGroup", "LogGroupName"),
    ("AWS::S3::Bucket", "BucketName"),
];

/// A resource that the template gives a name of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedResource {
    /// Its name in the template.
    pub logical_id: String,
    /// Such as `AWS::S3::Bucket`.
    pub resource_type: String,
    /// The name that it will have.
    pub name: String,
}

/// The resources that exist under these values and whose names are known before they are made. `values` are parameters
/// (defaults fill the rest) and pseudo parameters, such as `AWS::Region`.
pub fn named_resources(
    template: &Template,
    values: &BTreeMap<String, String>,
) -> Vec<NamedResource> {
    let mut known: BTreeMap<String, String> = template
        .parameters
        .iter()
        .filter_map(|(name, parameter)| Some((name.clone(), parameter.default.clone()?)))
        .collect();
    known.extend(values.clone());
    let named = |(logical_id, resource_type): (String, String)| {
        let (_, property) = NAMED.iter().find(|(known, _)| *known == resource_type)?;
        let value = template
            .resources
            .get(&logical_id)?
            .properties
            .get(property)?;
        Some(NamedResource {
            name: resolve(value, &known)?,
            logical_id,
            resource_type,
        })
    };
    template
        .resource_types(values)
        .into_iter()
        .filter_map(named)
        .collect()
}

/// A name as text, where it is made of text and of values that are known.
fn resolve(value: &Value, known: &BTreeMap<String, String>) -> Option<String> {
    if let Some(text) = value.as_str() {
        return Some(text.to_owned());
    }
    if let Some(name) = value.get("Ref").and_then(Value::as_str) {
        return known.get(name).cloned();
    }
    let mut rest = value.get("Fn::Sub")?.as_str()?;
    let mut text = String::new();
    while let Some((before, after)) = rest.split_once("${") {
        let (name, after) = after.split_once('}')?;
        text += before;
        text += known.get(name)?;
        rest = after;
    }
    Some(text + rest)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[track_caller]
    fn check(property: &str, expected: Option<&str>) {
        let text = format!(
            "Parameters:\n  P: {{Type: String, Default: d}}\n  Q: {{Type: String}}\nConditions:\n  No: !Equals [a, b]\n\
             Resources:\n  B:\n    Type: AWS::S3::Bucket\n    Properties:\n      BucketName: {property}\n\
             \x20 Off:\n    Type: AWS::S3::Bucket\n    Condition: No\n    Properties:\n      BucketName: off\n\
             \x20 Other:\n    Type: AWS::SQS::Queue\n    Properties:\n      QueueName: q\n"
        );
        let template = Template::parse(&text, Path::new("t.yaml")).unwrap();
        let values = BTreeMap::from([("AWS::Region".to_owned(), "eu-west-2".to_owned())]);
        let found = named_resources(&template, &values);
        let names: Vec<_> = found
            .iter()
            .map(|resource| resource.name.as_str())
            .collect();
        assert_eq!(names, expected.into_iter().collect::<Vec<_>>());
    }

    #[test]
    fn names_that_are_known_beforehand() {
        check("plain", Some("plain"));
        check("!Ref P", Some("d"));
        check("!Ref Q", None);
        check("!Sub \"a-${P}-${AWS::Region}-b\"", Some("a-d-eu-west-2-b"));
        check("!Sub \"${Q}-b\"", None);
        check("!Sub \"${Other.Arn}\"", None);
        check("!If [No, a, b]", None);
    }

    #[test]
    fn the_project_s_own_table_has_a_name() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../cloudformation/table.yaml");
        let template = Template::load(&path).unwrap();
        let values = [
            ("Project", "acme"),
            ("Environment", "dev"),
            ("AWS::Region", "eu-west-2"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
        let found = named_resources(&template, &values.into());
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].name, "acme-eu-west-2-dev-table");
    }
}
