//! Plans of imports, and what is refused.

use std::path::Path;

use super::*;

const TEMPLATE: &str = r#"
AWSTemplateFormatVersion: "2010-09-09"
Parameters:
  Project: {Type: String}
  HasLog: {Type: String, Default: "false"}
Conditions:
  Log: !Equals [!Ref HasLog, "true"]
Resources:
  Table:
    Type: AWS::DynamoDB::Table
    DeletionPolicy: Delete
    Properties:
      TableName: !Sub "${Project}-table"
  Bucket:
    Type: AWS::S3::Bucket
    DeletionPolicy: Retain
    Properties:
      Tags: [{Key: table, Value: !Ref Table}]
  LogBucket:
    Type: AWS::S3::Bucket
    Condition: Log
  Policy:
    Type: AWS::S3::BucketPolicy
    Properties:
      Bucket: !Ref Bucket
Outputs:
  Name: {Value: !Ref Table, Description: x}
"#;

struct Case {
    only: &'static [&'static str],
    given: &'static [(&'static str, &'static str, &'static str)],
    names: &'static [(&'static str, &'static str)],
    /// The resources that a standing stack holds.
    held: Option<&'static [&'static str]>,
}

const TYPES: &[(&str, &str)] = &[
    ("AWS::DynamoDB::Table", "TableName"),
    ("AWS::S3::Bucket", "BucketName"),
];

fn plan(case: &Case) -> Result<ImportPlan, Vec<ImportFault>> {
    let template = Template::parse(TEMPLATE, Path::new("t.yaml")).unwrap();
    let mut standing = template.clone();
    let held: BTreeSet<String> = (case.held.unwrap_or_default().iter())
        .map(|id| (*id).to_owned())
        .collect();
    if case.held.is_some() {
        let only = r#"{"Parameters": {"Old": {"Type": "String"}}, "Resources": {"Table": {"Type": "AWS::DynamoDB::Table"}}, "Outputs": {"Old": {"Value": "x"}}}"#;
        standing = Template::parse(only, Path::new("s.json")).unwrap();
    }
    let version = Version {
        template: &template,
        values: BTreeMap::from([("Project".to_owned(), "acme".to_owned())]),
    };
    let only: Vec<String> = case.only.iter().map(|id| (*id).to_owned()).collect();
    let mut given: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
    for (id, name, value) in case.given {
        let of = given.entry((*id).to_owned()).or_default();
        of.insert((*name).to_owned(), (*value).to_owned());
    }
    let names = (case.names.iter())
        .map(|(kind, name)| ((*kind).to_owned(), vec![(*name).to_owned()]))
        .collect();
    ImportPlan::new(&ImportWish {
        version: &version,
        only: &only,
        given: &given,
        names: &names,
        standing: case.held.map(|_| (&standing, &held)),
    })
}

fn target(id: &str, kind: &str, name: &str, value: &str) -> ImportTarget {
    ImportTarget {
        logical_id: id.into(),
        resource_type: kind.into(),
        identifier: BTreeMap::from([(name.into(), value.into())]),
    }
}

#[test]
fn a_new_stack_gets_what_is_taken_in_alone() {
    let plan = plan(&Case {
        only: &["Table"],
        given: &[],
        names: TYPES,
        held: None,
    })
    .unwrap();
    let table = target("Table", "AWS::DynamoDB::Table", "TableName", "acme-table");
    assert_eq!(plan.targets, [table]);
    assert_eq!(plan.left, ["Bucket", "Policy"]);
    assert_eq!(plan.parameters, ["Project", "HasLog"]);
    let body: Value = serde_json::from_str(&plan.template_body).unwrap();
    let resources: Vec<_> = body["Resources"].as_object().unwrap().keys().collect();
    assert_eq!(resources, ["Table"]);
    assert_eq!(body.get("Outputs"), None);
    let name = json!({"Fn::Sub": "${Project}-table"});
    assert_eq!(body["Resources"]["Table"]["Properties"]["TableName"], name);
}

#[test]
fn a_stack_that_stands_keeps_all_that_it_has() {
    let plan = plan(&Case {
        only: &["Bucket"],
        given: &[("Bucket", "BucketName", "logs-1")],
        names: TYPES,
        held: Some(&["Table"]),
    })
    .unwrap();
    assert_eq!(
        plan.targets,
        [target("Bucket", "AWS::S3::Bucket", "BucketName", "logs-1")]
    );
    let body: Value = serde_json::from_str(&plan.template_body).unwrap();
    assert_eq!(
        body["Resources"]["Table"],
        json!({"Type": "AWS::DynamoDB::Table"})
    );
    assert_eq!(body["Resources"]["Bucket"]["DeletionPolicy"], "Retain");
    assert_eq!(body["Outputs"], json!({"Old": {"Value": "x"}}));
    assert_eq!(plan.parameters, ["Old", "Project", "HasLog"]);
}

#[track_caller]
fn refused(case: Case, expected: &[&str]) {
    let faults = plan(&case).unwrap_err();
    let faults: Vec<_> = faults.iter().map(ToString::to_string).collect();
    assert_eq!(faults, expected);
}

#[test]
fn what_cannot_be_imported_is_refused_with_every_reason() {
    let all = Case {
        only: &[],
        given: &[],
        names: TYPES,
        held: None,
    };
    refused(
        Case { ..all },
        &[
            "what `Bucket` is known by is not said: BucketName",
            "`Policy` has no DeletionPolicy, which CloudFormation asks of what is imported",
            "`Policy` is of type AWS::S3::BucketPolicy, which CloudFormation cannot import",
        ],
    );
    refused(
        Case {
            only: &["Tabel", "LogBucket"],
            ..all
        },
        &[
            "the template has no resource `Tabel`",
            "the template has no resource `LogBucket`",
        ],
    );
    refused(
        Case {
            only: &["Bucket"],
            given: &[("Bucket", "BucketName", "b")],
            ..all
        },
        &[
            "`Bucket` refers to `Table`, which the stack does not hold and the import does not take in",
        ],
    );
    refused(
        Case {
            only: &["Table"],
            held: Some(&["Table"]),
            ..all
        },
        &["the stack holds `Table` already"],
    );
    refused(
        Case {
            held: Some(&["Table", "Bucket", "Policy"]),
            ..all
        },
        &["the stack holds every resource of its template already"],
    );
    refused(
        Case {
            only: &["Table"],
            names: &[],
            ..all
        },
        &["what `Table` is known by is not said: the service does not tell which properties"],
    );
}

#[test]
fn what_a_person_says_counts_where_the_service_does_not_tell() {
    let plan = plan(&Case {
        only: &["Table"],
        given: &[("Table", "TableName", "orders")],
        names: &[],
        held: None,
    });
    let table = target("Table", "AWS::DynamoDB::Table", "TableName", "orders");
    assert_eq!(plan.unwrap().targets, [table]);
}
