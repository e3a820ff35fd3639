use std::collections::BTreeMap;

use time::macros::date;

use super::*;
use crate::book::PriceBook;
use crate::diff::Difference;
use crate::estimate::{Basis, Deployment, estimate};
use crate::evaluate::{Given, Place};
use crate::template::Template;
use crate::usage::{Account, Credits, UsageFile};

const API: &str = "
Parameters:
  Memory: {Type: Number, Default: 256}
  Who: {Type: String}
Resources:
  Function: {Type: AWS::Lambda::Function, Properties: {MemorySize: !Ref Memory, TracingConfig: {Mode: Active}}}
  Log: {Type: AWS::Logs::LogGroup, Properties: {RetentionInDays: 30, LogGroupName: !Ref Who}}
  Http: {Type: AWS::ApiGatewayV2::Api, Properties: {ProtocolType: HTTP}}
  Role: {Type: AWS::IAM::Role}
  '<script>': {Type: 'AWS::X|Y::\"Z\"'}
";

const DATA: &str = "
Resources:
  Table: {Type: AWS::DynamoDB::Table, Properties: {BillingMode: PAY_PER_REQUEST, PointInTimeRecoverySpecification: {PointInTimeRecoveryEnabled: true}}}
  Key: {Type: AWS::KMS::Key}
  Machine: {Type: AWS::StepFunctions::StateMachine}
";

const PROVISIONED: &str = "
Resources:
  Table: {Type: AWS::DynamoDB::Table, Properties: {ProvisionedThroughput: {ReadCapacityUnits: 25, WriteCapacityUnits: 25}}}
  Machine: {Type: AWS::StepFunctions::StateMachine}
";

fn sample(data: &str, memory: &str, profile: &str, account: &Account) -> Estimate {
    let file = UsageFile::embedded().unwrap();
    let (api, data) = (
        Template::parse(API).unwrap(),
        Template::parse(data).unwrap(),
    );
    let place = |account: Option<&str>| Place {
        region: "eu-west-2".into(),
        account: account.map(str::to_owned),
        stack_name: "s".into(),
    };
    let deployment = |stack: &str, template, place| Deployment {
        stack: stack.into(),
        template,
        given: BTreeMap::new(),
        place,
    };
    let mut first = deployment("api", &api, place(None));
    first
        .given
        .insert("Memory".into(), Given::Text(memory.into()));
    let deployments = [
        first,
        deployment("data", &data, place(Some("111111111111"))),
        deployment("data", &data, place(Some("222222222222"))),
    ];
    let basis = Basis {
        book: &PriceBook::embedded().unwrap(),
        profile_name: profile,
        profile: &file.profiles[profile],
        account,
        today: date!(2026 - 11 - 24),
    };
    estimate(&deployments, basis).unwrap()
}

fn small() -> Estimate {
    sample(DATA, "512", "small", &Account::AlwaysFree)
}

fn credits() -> Account {
    Account::Credits(Credits {
        balance: 100.into(),
        opened: date!(2026 - 10 - 01),
    })
}

#[test]
fn text() {
    let estimate = small();
    let report = Report {
        title: "prod",
        estimate: &estimate,
    };
    insta::assert_snapshot!(report.text(None));
}

#[test]
fn text_for_a_narrow_terminal() {
    let estimate = small();
    let report = Report {
        title: "prod",
        estimate: &estimate,
    };
    let text = report.text(Some(80));
    // Sentences break where the terminal breaks them; lines of tables must not.
    for line in text.lines().filter(|line| line.starts_with(' ')) {
        assert!(line.chars().count() <= 80, "{line}");
    }
    insta::assert_snapshot!(text);
}

#[test]
fn text_of_a_credits_account() {
    let estimate = sample(DATA, "512", "learning", &credits());
    let report = Report {
        title: "sandbox",
        estimate: &estimate,
    };
    insta::assert_snapshot!(report.text(None));
}

#[test]
fn json() {
    let estimate = sample(DATA, "512", "small", &credits());
    let report = Report {
        title: "prod",
        estimate: &estimate,
    };
    insta::assert_snapshot!(report.json());
}

#[test]
fn csv() {
    let estimate = small();
    let report = Report {
        title: "prod",
        estimate: &estimate,
    };
    insta::assert_snapshot!(report.csv().replace("\r\n", "\n"));
}

#[test]
fn markdown() {
    let estimate = small();
    let report = Report {
        title: "prod",
        estimate: &estimate,
    };
    insta::assert_snapshot!(report.markdown());
}

#[test]
fn html() {
    let estimate = small();
    let report = Report {
        title: "prod",
        estimate: &estimate,
    };
    let page = report.html();
    assert!(
        !page.contains("<script"),
        "no script, and nothing of the template as one"
    );
    assert!(
        !page.contains("src=") && !page.contains("<link") && !page.contains("@import"),
        "no other file"
    );
    insta::assert_snapshot!(page);
}

#[test]
fn differences() {
    let named = |name: &str, estimate| (name.to_owned(), estimate);
    let change = Difference::new(
        named("deployed", small()),
        named(
            "work tree",
            sample(PROVISIONED, "256", "small", &Account::AlwaysFree),
        ),
    );
    let all = [
        change.text("prod", None),
        change.text("prod", Some(80)),
        change.markdown("prod"),
        change.csv().replace("\r\n", "\n"),
        change.json("prod"),
        Difference::new(named("HEAD", small()), named("work tree", small())).text("prod", None),
    ];
    insta::assert_snapshot!(all.join("\n----\n"));
}
