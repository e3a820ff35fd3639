//! From the service's words to what is told, with and without the templates.

use std::path::Path;

use serde_json::{Value, json};

use super::*;
use crate::template::Template;
use crate::template_diff::Version;

fn detail(name: &str, recreation: &str, source: &str, entity: &str) -> DescribedDetail {
    DescribedDetail {
        attribute: "Properties".to_owned(),
        name: Some(name.to_owned()),
        recreation: Some(recreation.to_owned()),
        source: Some(source.to_owned()),
        causing_entity: Some(entity.to_owned()).filter(|entity| !entity.is_empty()),
        ..DescribedDetail::default()
    }
}

fn described(details: Vec<DescribedDetail>) -> DescribedChange {
    DescribedChange {
        action: "Modify".to_owned(),
        logical_id: "Function".to_owned(),
        resource_type: "AWS::Lambda::Function".to_owned(),
        replacement: Some("False".to_owned()),
        scope: vec!["Properties".to_owned()],
        details,
        ..DescribedChange::default()
    }
}

/// The properties as lines.
fn told(change: &ResourceChange) -> Vec<String> {
    let show = |shown: &Shown| serde_json::to_string(shown).unwrap();
    change
        .properties
        .iter()
        .map(|one| {
            let causes: Vec<_> = one.causes.iter().map(ToString::to_string).collect();
            let (before, after) = (show(&one.before), show(&one.after));
            format!(
                "{} {before} {after} {:?} by {}",
                one.place(),
                one.recreation,
                causes.join(", ")
            )
        })
        .collect()
}

#[test]
fn contexts_are_compared_leaf_by_leaf() {
    let context = |level: &str, arn: &str| {
        json!({
            "DeletionPolicy": level,
            "Properties": {"Environment": {"Variables": {"LEVEL": level, "TOKEN": level, "ARN": arn}}}
        })
        .to_string()
    };
    let change = ResourceChange::from(DescribedChange {
        before_context: Some(context("info", "arn:1")),
        after_context: Some(context("debug", "{{changeSet:KNOWN_AFTER_APPLY}}")),
        ..described(vec![
            DescribedDetail {
                dynamic: true,
                ..detail("Environment", "Never", "DirectModification", "")
            },
            detail("Environment", "Never", "ParameterReference", "Level"),
        ])
    });
    assert_eq!(
        told(&change),
        [
            r#"DeletionPolicy {"value":"info"} {"value":"debug"} Never by "#,
            r#"Environment.Variables.ARN {"value":"arn:1"} "known_after_apply" Never by parameter Level"#,
            r#"Environment.Variables.LEVEL {"value":"info"} {"value":"debug"} Never by parameter Level"#,
            r#"Environment.Variables.TOKEN "secret" "secret" Never by parameter Level"#,
        ]
    );
    assert!(!format!("{:?}", change.after).contains("\"TOKEN\": String(\"debug\")"));
}

#[test]
fn values_of_details_are_compared_where_there_are_no_contexts() {
    let value = |path: &str, before: Option<&str>, after: Option<&str>| DescribedDetail {
        path: Some(path.to_owned()),
        before: before.map(str::to_owned),
        after: after.map(str::to_owned),
        ..detail("P", "Always", "DirectModification", "")
    };
    for (one, expected) in [
        (
            value("/Properties/P", Some("a"), Some("b")),
            r#"P {"value":"a"} {"value":"b"} Always by the template"#,
        ),
        (
            value("/Properties/P/Q~1R/0/S", Some("1"), None),
            r#"P.Q/R[0].S {"value":"1"} "absent" Always by the template"#,
        ),
        (
            value("/Properties/P", Some("null"), Some("{\"A\":1}")),
            r#"P "absent" {"value":{"A":1}} Always by the template"#,
        ),
        (
            value("/Properties/P", Some("{\"A\":1}"), Some("{\"A\":2}")),
            r#"P.A {"value":1} {"value":2} Always by the template"#,
        ),
        (
            value(
                "/Properties/P",
                Some("(Truncated-Signature):a"),
                Some("(Truncated-Signature):b"),
            ),
            r#"P "not_given" "not_given" Always by the template"#,
        ),
        (
            value("/Properties/P", Some("****"), Some("****")),
            r#"P "secret" "secret" Always by the template"#,
        ),
        (
            value("/Properties/DbPassword", Some("a"), Some("b")),
            r#"DbPassword "secret" "secret" Always by the template"#,
        ),
        (
            value("/Properties/P", None, None),
            r#"P "not_given" "not_given" Always by the template"#,
        ),
    ] {
        assert_eq!(
            told(&ResourceChange::from(described(vec![one]))),
            [expected]
        );
    }
}

const TEMPLATE: &str = r"
Parameters:
  Level: {Type: String, Default: info}
  Key: {Type: String, NoEcho: true}
Resources:
  Function:
    Type: AWS::Lambda::Function
    Properties:
      FunctionName: f
      Environment: {Variables: {LEVEL: !Ref Level, KEY: !Sub 'k-${Key}'}}
  MasterKey: {Type: AWS::KMS::Key, Properties: {Description: d}}
  Repository:
    Type: AWS::ECR::Repository
    UpdateReplacePolicy: Retain
    Properties:
      EncryptionConfiguration: {EncryptionType: KMS, KmsKey: !GetAtt MasterKey.Arn}
  Traced: {Type: AWS::KMS::Key, Condition: IsTraced}
Conditions:
  IsTraced: !Equals [!Ref Level, trace]
";

fn explained(
    changes: Vec<DescribedChange>,
    deployed: Option<&str>,
    level: &str,
) -> Vec<ResourceChange> {
    let parse = |text: &str| Template::parse(text, Path::new("t.yaml")).unwrap();
    let (old, new) = (deployed.map(parse), parse(TEMPLATE));
    let values = |level: &str| {
        [
            ("Level".to_owned(), level.to_owned()),
            ("Key".to_owned(), "hunter2".to_owned()),
        ]
        .into()
    };
    let before = old.as_ref().map(|template| Version {
        template,
        values: values("info"),
    });
    let set = ChangeSet {
        id: "c".to_owned(),
        stack_id: "s".to_owned(),
        state: ChangeSetState::Ready,
        changes: changes.into_iter().map(ResourceChange::from).collect(),
    };
    set.explained(
        before.as_ref(),
        &Version {
            template: &new,
            values: values(level),
        },
    )
    .changes
}

#[test]
fn values_that_the_service_does_not_give_come_from_the_templates() {
    let detail = detail("Environment", "Never", "ParameterReference", "Level");
    let changes = explained(vec![described(vec![detail])], Some(TEMPLATE), "debug");
    assert_eq!(
        told(&changes[0]),
        [
            r#"Environment.Variables.LEVEL {"value":"info"} {"value":"debug"} Never by parameter Level"#
        ]
    );
}

#[test]
fn what_is_switched_off_before_and_after_does_not_change() {
    let change = || DescribedChange {
        logical_id: "Traced".to_owned(),
        ..described(vec![detail("KeyPolicy", "Never", "DirectModification", "")])
    };
    let stands = DescribedChange {
        physical_id: Some("key".to_owned()),
        ..change()
    };
    for (described, deployed, level, told) in [
        (change(), Some(TEMPLATE), "debug", 0),
        (change(), None, "debug", 0),
        (change(), Some(TEMPLATE), "trace", 1),
        (stands, Some(TEMPLATE), "debug", 1),
    ] {
        let changes = explained(vec![described], deployed, level);
        assert_eq!(changes.len(), told, "{level}");
    }
}

#[test]
fn what_flows_from_a_secret_is_masked_in_the_service_s_values_too() {
    let context = |key: &str| {
        json!({"Properties": {"FunctionName": "f", "Environment": {"Variables": {"KEY": key}}}})
            .to_string()
    };
    let change = DescribedChange {
        before_context: Some(context("k-one")),
        after_context: Some(context("k-hunter2")),
        ..described(vec![detail(
            "Environment",
            "Never",
            "ParameterReference",
            "Key",
        )])
    };
    let changes = explained(vec![change], Some(TEMPLATE), "info");
    assert_eq!(
        told(&changes[0]),
        [r#"Environment.Variables.KEY "secret" "secret" Never by parameter Key"#]
    );
    assert!(!format!("{changes:?}").contains("hunter2"), "{changes:?}");
}

fn conditional(id: &str, kind: &str, property: &str, entity: &str) -> DescribedChange {
    DescribedChange {
        logical_id: id.to_owned(),
        resource_type: kind.to_owned(),
        replacement: Some("Conditional".to_owned()),
        ..described(vec![DescribedDetail {
            dynamic: true,
            ..detail(property, "Always", "ResourceAttribute", entity)
        }])
    }
}

#[test]
fn a_replacement_that_cannot_come_about_is_ruled_out() {
    let key = |replacement: &str| DescribedChange {
        logical_id: "MasterKey".to_owned(),
        resource_type: "AWS::KMS::Key".to_owned(),
        replacement: Some(replacement.to_owned()),
        ..described(vec![detail(
            "Description",
            "Never",
            "DirectModification",
            "",
        )])
    };
    let repository = || {
        conditional(
            "Repository",
            "AWS::ECR::Repository",
            "EncryptionConfiguration",
            "MasterKey.Arn",
        )
    };
    let other = TEMPLATE.replace("EncryptionType: KMS", "EncryptionType: AES256");
    for (key, deployed, expected) in [
        // The key stays, and so does its ARN.
        (key("False"), Some(TEMPLATE), (Replacement::Never, None)),
        (
            key("True"),
            Some(TEMPLATE),
            (Replacement::Conditional, Some(Policy::ReplaceAndRetain)),
        ),
        (
            key("False"),
            Some(other.as_str()),
            (Replacement::Conditional, Some(Policy::ReplaceAndRetain)),
        ),
        (
            key("False"),
            None,
            (Replacement::Conditional, Some(Policy::ReplaceAndRetain)),
        ),
    ] {
        let changes = explained(vec![key, repository()], deployed, "info");
        assert_eq!(
            (changes[1].replacement, changes[1].policy.clone()),
            expected
        );
    }
}

#[test]
fn a_resource_that_is_made_shows_its_properties() {
    let change = DescribedChange {
        action: "Add".to_owned(),
        replacement: None,
        scope: Vec::new(),
        ..described(Vec::new())
    };
    let changes = explained(vec![change], None, "debug");
    assert_eq!(
        told(&changes[0]),
        [
            r#"Environment "absent" {"value":{"Variables":{"KEY":"****","LEVEL":"debug"}}} Never by "#,
            r#"FunctionName "absent" {"value":"f"} Never by "#,
        ]
    );
    assert_eq!(changes[0].before, None::<Value>);
}

#[test]
fn an_empty_change_set_is_not_a_failure() {
    let cases = [
        ("CREATE_PENDING", None, ChangeSetState::Pending),
        ("CREATE_IN_PROGRESS", None, ChangeSetState::Pending),
        ("CREATE_COMPLETE", None, ChangeSetState::Ready),
        (
            "FAILED",
            Some(
                "The submitted information didn't contain changes. Submit different information to create a change set.",
            ),
            ChangeSetState::Empty,
        ),
        (
            "FAILED",
            Some("No updates are to be performed."),
            ChangeSetState::Empty,
        ),
        (
            "FAILED",
            Some("Transform failed"),
            ChangeSetState::Failed("Transform failed".to_owned()),
        ),
    ];
    for (status, reason, expected) in cases {
        assert_eq!(
            ChangeSetState::parse(status, reason),
            expected,
            "{status} {reason:?}"
        );
    }
}
