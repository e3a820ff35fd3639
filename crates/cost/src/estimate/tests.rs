mod billed;
mod properties;

use time::macros::date;

use super::*;
use crate::evaluate::Form;

/// One resource of every kind that is billed by use alone.
const ON_DEMAND: &str = "
Resources:
  Function:
    Type: AWS::Lambda::Function
    Properties: {MemorySize: 512, TracingConfig: {Mode: Active}, EphemeralStorage: {Size: 1024}}
  Arm: {Type: AWS::Lambda::Function, Properties: {Architectures: [arm64]}}
  Http: {Type: AWS::ApiGatewayV2::Api, Properties: {ProtocolType: HTTP}}
  Rest: {Type: AWS::ApiGateway::RestApi}
  Table:
    Type: AWS::DynamoDB::Table
    Properties:
      BillingMode: PAY_PER_REQUEST
      PointInTimeRecoverySpecification: {PointInTimeRecoveryEnabled: true}
      GlobalSecondaryIndexes: [{IndexName: a}]
  Bucket: {Type: AWS::S3::Bucket}
  Repository: {Type: AWS::ECR::Repository}
  Log: {Type: AWS::Logs::LogGroup, Properties: {RetentionInDays: 30}}
  Pipeline: {Type: AWS::CodePipeline::Pipeline, Properties: {PipelineType: V2}}
  Project: {Type: AWS::CodeBuild::Project}
  Machine: {Type: AWS::StepFunctions::StateMachine}
  Topic: {Type: AWS::SNS::Topic}
  Queue: {Type: AWS::SQS::Queue}
";

/// What is billed by the hour or the piece, used or not.
const FIXED: &str = "
Resources:
  Table:
    Type: AWS::DynamoDB::Table
    Properties:
      ProvisionedThroughput: {ReadCapacityUnits: 25, WriteCapacityUnits: 25}
      GlobalSecondaryIndexes: [{ProvisionedThroughput: {ReadCapacityUnits: 5, WriteCapacityUnits: 1}}]
  Key: {Type: AWS::KMS::Key}
  Secret: {Type: AWS::SecretsManager::Secret, Properties: {ReplicaRegions: [{Region: us-east-1}]}}
  Alarm: {Type: AWS::CloudWatch::Alarm, Properties: {Period: 300}}
  MathAlarm:
    Type: AWS::CloudWatch::Alarm
    Properties: {Metrics: [{Id: a, MetricStat: {}}, {Id: b, MetricStat: {}}, {Id: c, Expression: a+b}]}
  Board: {Type: AWS::CloudWatch::Dashboard}
  Filter: {Type: AWS::Logs::MetricFilter}
  Eip: {Type: AWS::EC2::EIP}
  Balancer: {Type: AWS::ElasticLoadBalancingV2::LoadBalancer, Properties: {Subnets: [a, b, c]}}
  Tasks:
    Type: AWS::ECS::TaskDefinition
    Properties: {Cpu: 256, Memory: '512', RuntimePlatform: {CpuArchitecture: ARM64}}
  Service:
    Type: AWS::ECS::Service
    Properties:
      LaunchType: FARGATE
      DesiredCount: 2
      TaskDefinition: !Ref Tasks
      NetworkConfiguration: {AwsvpcConfiguration: {AssignPublicIp: ENABLED}}
  F: {Type: AWS::Lambda::Function, Properties: {FunctionName: f, MemorySize: 1024}}
  Live:
    Type: AWS::Lambda::Alias
    Properties:
      FunctionName: !Ref F
      ProvisionedConcurrencyConfig: {ProvisionedConcurrentExecutions: 2}
  Parameter: {Type: AWS::SSM::Parameter, Properties: {Tier: Advanced}}
";

fn place(region: &str, account: &str) -> Place {
    Place {
        region: region.to_owned(),
        account: Some(account.to_owned()),
        stack_name: "s".to_owned(),
    }
}

fn with(texts: &[(&str, &str)], profile: &Profile, account: &Account) -> Estimate {
    let templates: Vec<_> = texts
        .iter()
        .map(|(text, _)| Template::parse(text).unwrap())
        .collect();
    let deployments: Vec<_> = (templates.iter().zip(texts).enumerate())
        .map(|(position, (template, (_, region)))| Deployment {
            stack: format!("s{position}"),
            template,
            given: BTreeMap::new(),
            place: place(region, "111111111111"),
        })
        .collect();
    let basis = Basis {
        book: &PriceBook::embedded().unwrap(),
        profile_name: "p",
        profile,
        account,
        today: date!(2026 - 11 - 24),
    };
    estimate(&deployments, basis).unwrap()
}

fn profile(figures: &[(&'static str, &str)]) -> Profile {
    Profile {
        figures: (figures.iter())
            .map(|(key, figure)| (*key, figure.parse().unwrap()))
            .collect(),
        resources: BTreeMap::new(),
    }
}

/// The lines of a template, each as `resource item quantity (free) list after`.
#[track_caller]
fn check(text: &str, region: &str, figures: &[(&'static str, &str)], expected: &[&str]) {
    let estimate = with(&[(text, region)], &profile(figures), &Account::AlwaysFree);
    let shown = |amount: Option<Decimal>| {
        amount.map_or("?".to_owned(), |amount| amount.normalize().to_string())
    };
    let lines: Vec<_> = (estimate.lines.iter())
        .filter(|line| !line.quantity.is_zero())
        .map(|line| {
            format!(
                "{} {} {} ({}) {} {}",
                line.resource,
                line.item,
                line.quantity.normalize(),
                line.free.normalize(),
                shown(line.list),
                shown(line.after_free)
            )
        })
        .collect();
    assert_eq!(lines, expected);
}

#[test]
fn an_unknown_region_is_refused_with_the_list() {
    let template = Template::parse(ON_DEMAND).unwrap();
    let deployment = Deployment {
        stack: "s".into(),
        template: &template,
        given: BTreeMap::new(),
        place: place("eu-north-1", "1"),
    };
    let basis = Basis {
        book: &PriceBook::embedded().unwrap(),
        profile_name: "p",
        profile: &Profile::default(),
        account: &Account::AlwaysFree,
        today: date!(2026 - 11 - 24),
    };
    let error = estimate(&[deployment], basis).unwrap_err();
    assert_eq!(error.region, "eu-north-1");
    assert_eq!(
        error.regions,
        [
            "eu-central-1",
            "eu-west-1",
            "eu-west-2",
            "us-east-1",
            "us-east-2"
        ]
    );
}

#[test]
fn plans_differ_in_what_is_free() {
    let usage = profile(&[
        ("http_api.requests", "3000000"),
        ("s3.storage_gb", "1"),
        ("s3.puts", "3000"),
    ]);
    let after = |account: &Account| {
        let estimate = with(&[(ON_DEMAND, "us-east-1")], &usage, account);
        (
            estimate.total().after_free.normalize().to_string(),
            estimate.runway,
        )
    };
    assert_eq!(after(&Account::AlwaysFree).0, "3.038");
    // A million requests, five GB and 2,000 PUTs less.
    assert_eq!(after(&Account::TwelveMonths).0, "2.005");
    let credits = Account::Credits(crate::usage::Credits {
        balance: Decimal::from(3),
        opened: date!(2026 - 10 - 01),
    });
    let (amount, runway) = after(&credits);
    assert_eq!(amount, "3.038");
    assert_eq!(runway.unwrap().money_runs_out(), date!(2026 - 12 - 24));
}

#[test]
fn each_region_of_a_stack_set_has_its_price() {
    let usage = profile(&[("http_api.requests", "1000000")]);
    let api = "Resources: {A: {Type: AWS::ApiGatewayV2::Api}}";
    let texts = [(api, "us-east-1"), (api, "eu-west-2"), (api, "eu-west-2")];
    let estimate = with(&texts, &usage, &Account::AlwaysFree);
    assert_eq!(estimate.total().list.normalize().to_string(), "3.32");
    assert_eq!(estimate.regions, ["us-east-1", "eu-west-2"]);
}

#[test]
fn the_allowance_that_is_left_first_is_told() {
    let usage = profile(&[
        ("lambda.requests", "100000"),
        ("xray.traces", "50000"),
        ("sns.publishes", "2000000"),
    ]);
    let estimate = with(
        &[(ON_DEMAND, "us-east-1"), (FIXED, "us-east-1")],
        &usage,
        &Account::AlwaysFree,
    );
    let left: Vec<_> = estimate
        .used
        .iter()
        .filter(|used| used.is_left())
        .map(|used| used.id.as_str())
        .collect();
    assert_eq!(
        left,
        [
            "sns-requests",
            "dynamodb-read-capacity",
            "dynamodb-write-capacity"
        ]
    );
    let first = estimate.first_to_leave().unwrap();
    assert_eq!(
        (first.id.as_str(), first.headroom()),
        ("xray-traces", Decimal::TWO)
    );
}

#[test]
fn outputs_are_handed_on() {
    let template = Template::parse(
        "Resources: {T: {Type: AWS::DynamoDB::Table, Properties: {TableName: t}}}\n\
         Outputs: {Name: {Value: !Ref T}, Arn: {Value: !GetAtt T.Arn}}",
    )
    .unwrap();
    let deployment = Deployment {
        stack: "table".into(),
        template: &template,
        given: BTreeMap::new(),
        place: place("eu-west-2", "1"),
    };
    let given = outputs(&deployment);
    assert_eq!(given["Name"], Given::Text("t".into()));
    assert_eq!(
        given["Arn"],
        Given::Later(
            Form::Arn,
            "output `Arn` of `table` is known after its deployment".into()
        )
    );
}
