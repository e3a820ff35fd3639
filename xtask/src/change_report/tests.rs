//! One report with everything in it, in each of its renders.

use anstream::adapter::strip_str;
use serde_json::json;
use stackway_infra::stack::{
    Action, Attribute, Cause, Policy, PropertyChange, Replacement, ResourceChange, Shown,
};
use stackway_infra::template_diff::NamedChange;

use super::*;

fn value(text: &str) -> Shown {
    Shown::Value(json!(text))
}

fn property(path: &str, before: Shown, after: Shown, cause: Cause) -> PropertyChange {
    PropertyChange {
        attribute: Attribute::Properties,
        path: path.to_owned(),
        before,
        after,
        recreation: Replacement::Never,
        dynamic: false,
        causes: vec![cause],
    }
}

fn modify(id: &str, kind: &str, properties: Vec<PropertyChange>) -> ResourceChange {
    ResourceChange {
        scope: vec![Attribute::Properties],
        properties,
        ..ResourceChange::new(Action::Modify, id, kind)
    }
}

fn role(actions: &[&str]) -> serde_json::Value {
    json!({"Policies": [{"PolicyName": "table", "PolicyDocument": {"Statement": [
        {"Effect": "Allow", "Action": actions, "Resource": "arn:aws:dynamodb:eu-west-2:111111111111:table/t"}
    ]}}]})
}

/// A table that is replaced, and what has to do with access.
fn guarded_changes() -> Vec<ResourceChange> {
    let replaced = ResourceChange {
        replacement: Replacement::Always,
        policy: Some(Policy::ReplaceAndRetain),
        physical_id: Some("old".to_owned()),
        ..modify(
            "Table",
            "AWS::DynamoDB::Table",
            vec![
                PropertyChange {
                    recreation: Replacement::Always,
                    ..property("TableName", value("old"), value("new"), Cause::Template)
                },
                property(
                    "Tags[team]",
                    Shown::Absent,
                    Shown::Value(json!({"Key": "team", "Value": "a"})),
                    Cause::Template,
                ),
            ],
        )
    };
    let role = ResourceChange {
        before: Some(role(&["dynamodb:GetItem", "dynamodb:Scan"])),
        after: Some(role(&["dynamodb:GetItem", "dynamodb:DeleteItem"])),
        ..modify(
            "Role",
            "AWS::IAM::Role",
            vec![
                property(
                    "Policies[table].PolicyDocument.Statement[0].Action[1]",
                    value("dynamodb:Scan"),
                    value("dynamodb:DeleteItem"),
                    Cause::Template,
                ),
                property(
                    "Description",
                    Shown::Absent,
                    value("what ```it``` does"),
                    Cause::Template,
                ),
            ],
        )
    };
    let group = ResourceChange {
        after: Some(
            json!({"SecurityGroupIngress": [{"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "CidrIp": "0.0.0.0/0"}]}),
        ),
        ..ResourceChange::new(Action::Add, "Group", "AWS::EC2::SecurityGroup")
    };
    vec![replaced, role, group]
}

fn table_changes() -> StackChanges {
    let function = modify(
        "Function",
        "AWS::Lambda::Function",
        vec![
            property(
                "Environment.Variables.PASSWORD",
                Shown::Secret,
                Shown::Secret,
                Cause::Parameter("Password".to_owned()),
            ),
            property(
                "Environment.Variables.TABLE_ARN",
                value("arn:old"),
                Shown::KnownAfterApply,
                Cause::Attribute("Table.Arn".to_owned()),
            ),
            property("Layers[0]", value("layer"), Shown::Absent, Cause::Template),
            property(
                "VpcConfig",
                Shown::NotGiven,
                Shown::NotGiven,
                Cause::Template,
            ),
        ],
    );
    let may = ResourceChange {
        replacement: Replacement::Conditional,
        policy: Some(Policy::ReplaceAndDelete),
        ..modify(
            "Queue",
            "AWS::SQS::Queue",
            vec![PropertyChange {
                recreation: Replacement::Conditional,
                ..property(
                    "QueueName",
                    value("a"),
                    Shown::KnownAfterApply,
                    Cause::Resource("Table".to_owned()),
                )
            }],
        )
    };
    let removed = ResourceChange {
        policy: Some(Policy::Delete),
        ..ResourceChange::new(Action::Remove, "Bucket", "AWS::S3::Bucket")
    };
    let retagged = ["Topic", "Alarm"].map(|id| ResourceChange {
        scope: vec![Attribute::Tags],
        ..ResourceChange::new(Action::Modify, id, "AWS::SNS::Topic")
    });
    StackChanges {
        is_new: false,
        resources: [
            guarded_changes(),
            vec![function, may, removed],
            retagged.into(),
        ]
        .concat(),
        parameters: vec![
            NamedChange::of_texts("TableName", Some("old"), Some("new")),
            NamedChange::of_texts("DbPassword", Some("a"), Some("b")),
        ],
        tags: vec![NamedChange::of_texts(
            "git-commit",
            Some("abc"),
            Some("def"),
        )],
        outputs: vec![NamedChange::of_texts(
            "TableArn",
            None,
            Some("${Table.Arn}"),
        )],
    }
}

fn report() -> ChangeReport {
    let new = StackChanges {
        is_new: true,
        resources: vec![ResourceChange {
            properties: vec![property(
                "BucketName",
                Shown::Absent,
                value("files"),
                Cause::Template,
            )],
            ..ResourceChange::new(Action::Add, "Files", "AWS::S3::Bucket")
        }],
        parameters: vec![NamedChange::of_texts("Project", None, Some("stackway"))],
        ..StackChanges::default()
    };
    let mut template = StackReport::new("artifacts", "stackway-artifacts", Source::Templates, new);
    template
        .notes
        .push("no change set: it needs Name of `base`, which does not stand yet".to_owned());
    let stacks = vec![
        template,
        StackReport::new(
            "table",
            "stackway-table",
            Source::ChangeSet,
            table_changes(),
        ),
        StackReport::without_changes("secrets", "stackway-secrets", Verdict::Unchanged, None),
        StackReport::without_changes(
            "automation",
            "stackway-automation",
            Verdict::Failed,
            Some("Template error: <b>".to_owned()),
        ),
        StackReport::without_changes(
            "api",
            "stackway-api",
            Verdict::LeftOut,
            Some("the pipeline owns it in `prod`".to_owned()),
        ),
    ];
    ChangeReport {
        environment: "prod".to_owned(),
        region: "eu-west-2".to_owned(),
        compared: "what stands in account 111111111111 with the work tree".to_owned(),
        summary: Summary::of(&stacks),
        stacks,
        cost: None,
        stack_sets: Vec::new(),
    }
    .with_cost(PlanCost::sample(&[
        (
            "artifacts",
            [0, 0, 124, 100],
            &["Files: the price book has no price for it"],
        ),
        ("table", [600, 350, 600, 350], &[]),
        ("secrets", [40, 0, 40, 40], &[]),
        ("automation", [0, 0, 0, 0], &[]),
    ]))
}

#[test]
fn as_text() {
    insta::assert_snapshot!(strip_str(&text(&report(), false)).to_string());
}

#[test]
fn as_text_with_all_of_it() {
    let mut report = report();
    report.stacks.truncate(1);
    report.cost = None;
    insta::assert_snapshot!(strip_str(&text(&report, true)).to_string());
}

#[test]
fn as_markdown() {
    insta::assert_snapshot!(markdown(&report()));
}

#[test]
fn as_json() {
    insta::assert_json_snapshot!(report());
}
