//! What takes requests has a policy, so that there is one to deny those without TLS.

use serde_json::Value;
use stackway_infra::template::Template;

use super::Breach;

/// What is reached by requests, its policy and the property that names it there, and the rule that the policy is held by.
const REACHED: [(&str, &str, &str, &str); 2] = [
    (
        "AWS::S3::Bucket",
        "AWS::S3::BucketPolicy",
        "Bucket",
        "bucket_takes_tls_alone",
    ),
    (
        "AWS::SNS::Topic",
        "AWS::SNS::TopicPolicy",
        "Topics",
        "topic_takes_tls_alone",
    ),
];

/// The buckets and topics of a template that no policy of it names.
pub(super) fn breaches(template: &Template) -> Vec<Breach> {
    let mut all = Vec::new();
    for (id, resource) in &template.resources {
        let Some((_, policy, property, rule)) = REACHED
            .iter()
            .find(|(reached, ..)| *reached == resource.resource_type)
        else {
            continue;
        };
        let has_policy = template.resources.values().any(|other| {
            other.resource_type == *policy && refers_to(&other.properties[*property], id)
        });
        if !has_policy {
            all.push(Breach {
                rule: (*rule).to_owned(),
                resource: id.clone(),
                path: vec!["Resources".to_owned(), id.clone()],
                reason: "it has no policy, so that requests without TLS are not denied".to_owned(),
                fix: format!("add an {policy} that denies them where aws:SecureTransport is false"),
            });
        }
    }
    all
}

fn refers_to(value: &Value, id: &str) -> bool {
    match value {
        Value::Array(items) => items.iter().any(|item| refers_to(item, id)),
        Value::Object(object) => {
            object.get("Ref").is_some_and(|name| name == id)
                || object.values().any(|value| refers_to(value, id))
        }
        _ => false,
    }
}
