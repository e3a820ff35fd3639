//! Two versions of a template, and what is told of them.

use std::fmt::Write;
use std::path::Path;

use proptest::prelude::*;

use super::*;

const BEFORE: &str = r"
Parameters:
  Level: {Type: String, Default: info}
  Open: {Type: String, Default: 'true'}
  Key: {Type: String, NoEcho: true}
Conditions:
  IsOpen: !Equals [!Ref Open, 'true']
Resources:
  Table:
    Type: AWS::DynamoDB::Table
    UpdateReplacePolicy: Retain
    Properties:
      TableName: one
      BillingMode: PAY_PER_REQUEST
      KeySchema: [{AttributeName: GUID, KeyType: HASH}]
  Role:
    Type: AWS::IAM::Role
    Properties:
      Policies:
        - PolicyName: p
          PolicyDocument: {Statement: [{Effect: Allow, Action: 'a:B', Resource: !GetAtt Table.Arn}]}
  Function:
    Type: AWS::Lambda::Function
    Properties:
      Environment:
        Variables: {LEVEL: !Ref Level, KEY: !Ref Key, DB_PASSWORD: literal}
  Extra:
    Type: AWS::S3::Bucket
    Condition: IsOpen
    DeletionPolicy: Retain
Outputs:
  Name: {Value: !Ref Table}
";

fn template(text: &str) -> Template {
    Template::parse(text, Path::new("t.yaml")).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

fn shown(shown: &Shown) -> String {
    match shown {
        Shown::Absent => "-".to_owned(),
        Shown::Value(Value::String(text)) => text.clone(),
        Shown::Value(value) => value.to_string(),
        Shown::Secret => "(secret)".to_owned(),
        Shown::KnownAfterApply => "(later)".to_owned(),
        Shown::NotGiven => "(?)".to_owned(),
    }
}

/// The difference as lines, as short as can be.
fn told(diff: &TemplateDiff) -> String {
    let mut text = String::new();
    for change in &diff.resources {
        writeln!(
            text,
            "{:?} {} {:?} {:?}",
            change.action, change.logical_id, change.replacement, change.policy
        )
        .unwrap();
        for property in change
            .properties
            .iter()
            .filter(|_| change.action == Action::Modify)
        {
            let causes: Vec<_> = property.causes.iter().map(ToString::to_string).collect();
            writeln!(
                text,
                "  {}: {} > {} {:?} by {}",
                property.place(),
                shown(&property.before),
                shown(&property.after),
                property.recreation,
                causes.join(", ")
            )
            .unwrap();
        }
    }
    for (what, changes) in [("parameter", &diff.parameters), ("output", &diff.outputs)] {
        for change in changes {
            writeln!(
                text,
                "{what} {}: {} > {}",
                change.name,
                shown(&change.before),
                shown(&change.after)
            )
            .unwrap();
        }
    }
    text
}

fn version<'a>(template: &'a Template, values: &[(&str, &str)]) -> Version<'a> {
    let values = values
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    Version { template, values }
}

#[track_caller]
fn check(from: &str, to: &str, values: &[(&str, &str)], expected: &str) {
    assert!(BEFORE.contains(from), "{from}");
    let (old, new) = (template(BEFORE), template(&BEFORE.replacen(from, to, 1)));
    let diff = TemplateDiff::new(Some(&version(&old, &[])), &version(&new, values));
    assert_eq!(told(&diff).trim(), expected.trim(), "{from} > {to}");
}

#[test]
fn what_a_change_of_the_template_does() {
    check("PAY_PER_REQUEST", "PAY_PER_REQUEST", &[], "");
    check(
        "PAY_PER_REQUEST",
        "PROVISIONED",
        &[],
        "Modify Table Never None\n  BillingMode: PAY_PER_REQUEST > PROVISIONED Never by the template",
    );
    check(
        "Retain\n    Properties",
        "Delete\n    Properties",
        &[],
        "Modify Table Never None\n  UpdateReplacePolicy: Retain > Delete Never by the template",
    );
    check(
        "AWS::S3::Bucket",
        "AWS::SQS::Queue",
        &[],
        "Modify Extra Always Some(ReplaceAndDelete)\n  Type: AWS::S3::Bucket > AWS::SQS::Queue Always by the template",
    );
}

#[test]
fn a_replacement_takes_along_what_refers_to_it() {
    check(
        "TableName: one",
        "TableName: two",
        &[],
        "Modify Role Never None
  Policies[0].PolicyDocument.Statement[0].Resource: ${Table.Arn} > (later) Never by Table.Arn
Modify Table Always Some(ReplaceAndRetain)
  TableName: one > two Always by the template",
    );
    check(
        "KeyType: HASH}]",
        "KeyType: HASH}, {AttributeName: Date, KeyType: RANGE}]",
        &[],
        r#"Modify Role Never None
  Policies[0].PolicyDocument.Statement[0].Resource: ${Table.Arn} > (later) Never by Table.Arn
Modify Table Conditional Some(ReplaceAndRetain)
  KeySchema[Date]: - > {"AttributeName":"Date","KeyType":"RANGE"} Conditional by the template"#,
    );
}

#[test]
fn what_parameters_and_conditions_do() {
    check(
        "info",
        "info",
        &[("Level", "debug")],
        "Modify Function Never None
  Environment.Variables.LEVEL: info > debug Never by parameter Level
parameter Level: info > debug",
    );
    check(
        "info",
        "info",
        &[("Open", "false")],
        "Remove Extra Never Some(Retain)\nparameter Open: true > false",
    );
    check(
        "Value: !Ref Table",
        "Value: !GetAtt Table.Arn",
        &[],
        "output Name: ${Table} > ${Table.Arn}",
    );
}

#[test]
fn secrets_are_not_told() {
    check(
        "literal",
        "another",
        &[],
        "Modify Function Never None\n  Environment.Variables.DB_PASSWORD: (secret) > (secret) Never by the template",
    );
    check("info", "info", &[("Key", "hunter2")], "");
    check(
        "LEVEL: !Ref Level",
        "LEVEL: !Sub 'x${Key}'",
        &[("Key", "hunter2")],
        "Modify Function Never None\n  Environment.Variables.LEVEL: info > (secret) Never by the template, parameter Key",
    );
    let (old, new) = (template(BEFORE), template(&BEFORE.replace("info", "debug")));
    let diff = TemplateDiff::new(
        Some(&version(&old, &[])),
        &version(&new, &[("Key", "hunter2")]),
    );
    let all = serde_json::to_string(&diff).unwrap() + &format!("{diff:?}");
    for secret in ["hunter2", "literal"] {
        assert!(!all.contains(secret), "{secret} is in {all}");
    }
}

#[test]
fn a_new_stack_is_all_additions() {
    let new = template(BEFORE);
    let diff = TemplateDiff::new(None, &version(&new, &[("Open", "false")]));
    let all: Vec<_> = diff
        .resources
        .iter()
        .map(|change| (&change.action, change.logical_id.as_str()))
        .collect();
    assert_eq!(
        all,
        [
            (&Action::Add, "Function"),
            (&Action::Add, "Role"),
            (&Action::Add, "Table")
        ]
    );
    assert_eq!(diff.resources[2].properties.len(), 3);
}

/// Templates of one kind, with a few things that vary.
fn varied() -> impl Strategy<Value = String> {
    (
        "[ab]",
        "info|debug",
        "Retain|Delete",
        proptest::collection::vec("[a-c]", 0..4),
        any::<bool>(),
    )
        .prop_map(|(name, level, policy, actions, extra)| {
            let mut text = BEFORE
                .replace("TableName: one", &format!("TableName: {name}"))
                .replace("Default: info", &format!("Default: {level}"))
                .replace(
                    "UpdateReplacePolicy: Retain",
                    &format!("UpdateReplacePolicy: {policy}"),
                )
                .replace("Action: 'a:B'", &format!("Action: {actions:?}"));
            if extra {
                text = text.replace("Outputs:", "  More:\n    Type: AWS::SNS::Topic\nOutputs:");
            }
            text
        })
}

proptest! {
    #[test]
    fn equal_templates_do_not_differ(text in varied()) {
        let (one, same) = (template(&text), template(&text));
        prop_assert!(TemplateDiff::new(Some(&version(&one, &[])), &version(&same, &[])).is_empty());
    }

    #[test]
    fn there_and_back_tells_of_the_same_resources(one in varied(), other in varied()) {
        let (one, other) = (template(&one), template(&other));
        let names = |before: &Template, after: &Template| -> Vec<String> {
            let diff = TemplateDiff::new(Some(&version(before, &[])), &version(after, &[]));
            diff.resources.into_iter().map(|change| change.logical_id).collect()
        };
        prop_assert_eq!(names(&one, &other), names(&other, &one));
        prop_assert_eq!(names(&one, &other).is_empty(), one.resources == other.resources && one.parameters == other.parameters);
    }
}
