use proptest::prelude::*;
use time::macros::date;

use super::*;
use crate::evaluate::Form;
use crate::usage::{METRICS, UsageFile};

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
fn what_is_used_is_billed() {
    check(
        ON_DEMAND,
        "us-east-1",
        &[
            ("lambda.requests", "2000000"),
            ("lambda.duration_ms", "100"),
            ("xray.traces", "200000"),
            ("http_api.requests", "1000000"),
            ("http_api.request_kb", "600"),
            ("http_api.response_kb", "1048.576"),
            ("dynamodb.writes", "1000000"),
            ("dynamodb.reads", "1000000"),
            ("dynamodb.item_kb", "4.5"),
            ("dynamodb.storage_gb", "20"),
            ("s3.storage_gb", "10"),
            ("s3.puts", "1000"),
            ("s3.gets", "10000"),
            ("ecr.images", "10"),
            ("ecr.image_mb", "102.4"),
            ("logs.ingested_gb", "10"),
            ("codepipeline.runs", "10"),
            ("codepipeline.action_minutes", "20"),
            ("codebuild.builds", "10"),
            ("codebuild.minutes", "20"),
            ("states.executions", "1000"),
            ("states.transitions", "10"),
            ("sns.publishes", "3000000"),
            ("sqs.requests", "3000000"),
        ],
        &[
            // Two functions share what is free by their part.
            "Function lambda-requests 2000000 (500000) 0.4 0.3",
            // 200,000 seconds at half a GB: all of it is free.
            "Function lambda-gb-seconds-x86 100000 (100000) 1.66667 0",
            "Function lambda-storage-gb-seconds 100000 (0) ? ?",
            "Function xray-traces 200000 (100000) 1 0.5",
            "Arm lambda-requests 2000000 (500000) 0.4 0.3",
            "Arm lambda-gb-seconds-arm 25000 (25000) 0.333335 0",
            // 600 KB count as two requests.
            "Http http-api-requests 2000000 (0) 2 2",
            "Http transfer-out 1000 (100) 90 81",
            // 4.5 KB are five write units, and the index takes them too; two read units.
            "Table dynamodb-write-units 10000000 (0) 6.25 6.25",
            "Table dynamodb-read-units 2000000 (0) 0.25 0.25",
            "Table dynamodb-storage 40 (25) 10 3.75",
            "Table dynamodb-pitr 20 (0) 4 4",
            "Bucket s3-storage 10 (0) 0.23 0.23",
            "Bucket s3-puts 1000 (0) 0.005 0.005",
            "Bucket s3-gets 10000 (0) 0.004 0.004",
            "Repository ecr-storage 1 (0) 0.1 0.1",
            "Log logs-ingestion 10 (5) 5 2.5",
            "Log logs-storage 10 (5) 0.3 0.15",
            "Pipeline codepipeline-minutes 200 (100) 0.4 0.2",
            "Project codebuild-small-minutes 200 (100) 1 0.5",
            "Machine state-transitions 10000 (4000) 0.25 0.15",
            "Topic sns-requests 3000000 (1000000) 1.5 1",
            "Queue sqs-requests 3000000 (1000000) 1.2 0.8",
        ],
    );
}

#[test]
fn each_replica_is_billed() {
    let text = "
Parameters:
  Second: {Type: String, Default: us-east-1}
  Third: {Type: String, Default: ''}
Conditions:
  HasSecond: !Not [!Equals [!Ref Second, '']]
  HasThird: !Not [!Equals [!Ref Third, '']]
Resources:
  Table:
    Type: AWS::DynamoDB::GlobalTable
    Properties:
      BillingMode: PAY_PER_REQUEST
      Replicas:
        - Region: eu-west-2
          PointInTimeRecoverySpecification: {PointInTimeRecoveryEnabled: true}
        - !If [HasSecond, {Region: !Ref Second}, !Ref AWS::NoValue]
        - !If [HasThird, {Region: !Ref Third}, !Ref AWS::NoValue]
";
    check(
        text,
        "us-east-1",
        &[
            ("dynamodb.writes", "1000000"),
            ("dynamodb.reads", "1000000"),
            ("dynamodb.item_kb", "1"),
            ("dynamodb.storage_gb", "20"),
        ],
        &[
            "Table dynamodb-write-units 2000000 (0) 1.25 1.25",
            "Table dynamodb-read-units 1000000 (0) 0.125 0.125",
            "Table dynamodb-storage 40 (25) 10 3.75",
            "Table dynamodb-pitr 20 (0) 4 4",
        ],
    );
}

#[test]
fn a_state_machine_that_is_traced_pays_for_that_too() {
    check(
        "Resources: {Machine: {Type: AWS::StepFunctions::StateMachine, Properties: {TracingConfiguration: {Enabled: true}}}}",
        "us-east-1",
        &[("states.executions", "1000"), ("states.transitions", "10")],
        &[
            "Machine state-transitions 10000 (4000) 0.25 0.15",
            "Machine xray-traces 1000 (1000) 0.005 0",
        ],
    );
}

#[test]
fn what_stands_is_billed() {
    check(
        FIXED,
        "eu-west-2",
        &[
            ("fargate.hours", "730"),
            ("alb.lcu", "0.5"),
            ("secrets.calls", "10000"),
            ("kms.requests", "30000"),
        ],
        &[
            // 26 write units for 730 hours, of which 25 and a bit are free; the book has no price for them here.
            "Table dynamodb-write-capacity 18980 (18600) ? ?",
            "Table dynamodb-read-capacity 21900 (18600) ? ?",
            "Key kms-keys 1 (0) 1 1",
            "Key kms-requests 30000 (20000) 0.09 0.03",
            "Secret secrets 2 (0) 0.8 0.8",
            "Secret secret-requests 10000 (0) 0.05 0.05",
            "Alarm alarms 1 (1) 0.1 0",
            "MathAlarm alarms 2 (2) 0.2 0",
            "Board dashboards 1 (1) 3 0",
            "Filter custom-metrics 1 (1) 0.3 0",
            "Eip public-ipv4-hours 730 (0) 3.65 3.65",
            "Balancer alb-hours 730 (0) 19.3158 19.3158",
            "Balancer alb-lcu-hours 365 (0) 3.066 3.066",
            "Balancer public-ipv4-hours 2190 (0) 10.95 10.95",
            "Service fargate-arm-vcpu-hours 365 (0) 13.59625 13.59625",
            "Service fargate-arm-gb-hours 730 (0) 2.9857 2.9857",
            "Service public-ipv4-hours 1460 (0) 7.3 7.3",
            "Live lambda-provisioned-gb-seconds 5256000 (0) 25.3885824 25.3885824",
            "Parameter ssm-advanced-parameters 1 (0) 0.05 0.05",
        ],
    );
}

/// A service that scales from two tasks, found through Cloud Map in a network with endpoints.
const NETWORK: &str = "
Resources:
  Subnet: {Type: AWS::EC2::Subnet}
  Gateway: {Type: AWS::EC2::VPCEndpoint, Properties: {VpcEndpointType: Gateway}}
  Default: {Type: AWS::EC2::VPCEndpoint, Properties: {ServiceName: s3}}
  Logs:
    Type: AWS::EC2::VPCEndpoint
    Properties: {VpcEndpointType: Interface, SubnetIds: [!Ref Subnet, subnet-2]}
  Balancer: {Type: AWS::EC2::VPCEndpoint, Properties: {VpcEndpointType: GatewayLoadBalancer}}
  Names: {Type: AWS::ServiceDiscovery::PrivateDnsNamespace}
  Found: {Type: AWS::ServiceDiscovery::Service}
  Link: {Type: AWS::ApiGatewayV2::VpcLink}
  Task:
    Type: AWS::ECS::TaskDefinition
    Properties:
      Cpu: 512
      Memory: 1024
      ContainerDefinitions:
        - Name: api
          Environment: [{Name: OTHER, Value: route}, {Name: METRICS, Value: service}]
  Service: {Type: AWS::ECS::Service, Properties: {LaunchType: FARGATE, TaskDefinition: !Ref Task}}
  Scaling:
    Type: AWS::ApplicationAutoScaling::ScalableTarget
    Properties: {ScalableDimension: 'ecs:service:DesiredCount', MinCapacity: 2, MaxCapacity: 8}
";

#[test]
fn a_network_costs_by_its_endpoints_and_a_service_by_the_least_that_it_keeps() {
    check(
        NETWORK,
        "eu-west-2",
        &[("fargate.hours", "730"), ("vpc_endpoint.gb", "3")],
        &[
            "Logs vpc-endpoint-hours 1460 (0) 16.06 16.06",
            "Logs vpc-endpoint-gb 3 (0) 0.03 0.03",
            "Names hosted-zones 1 (0) 0.5 0.5",
            "Service fargate-vcpu-hours 730 (0) 33.9888 33.9888",
            "Service fargate-gb-hours 1460 (0) 7.4606 7.4606",
            "Service custom-metrics 6 (6) 1.8 0",
        ],
    );
}

#[test]
fn what_has_no_rule_is_said() {
    let text = "
Resources:
  Database: {Type: AWS::RDS::DBInstance}
  Role: {Type: AWS::IAM::Role}
  Nothing: {}
  Socket: {Type: AWS::ApiGatewayV2::Api, Properties: {ProtocolType: WEBSOCKET}}
  Old: {Type: AWS::CodePipeline::Pipeline}
  Fast: {Type: AWS::StepFunctions::StateMachine, Properties: {StateMachineType: EXPRESS}}
  Big: {Type: AWS::CodeBuild::Project, Properties: {Environment: {ComputeType: BUILD_GENERAL1_2XLARGE}}}
  Fifo: {Type: AWS::SQS::Queue, Properties: {FifoQueue: true}}
  Ec2: {Type: AWS::ECS::Service, Properties: {LaunchType: EC2}}
  Lost: {Type: AWS::ECS::Service, Properties: {LaunchType: FARGATE, TaskDefinition: elsewhere:1}}
  Function: {Type: AWS::Lambda::Function, Properties: {MemorySize: !Ref Nowhere, EphemeralStorage: {Size: lots}}}
";
    let estimate = with(
        &[(text, "us-east-1")],
        &Profile::default(),
        &Account::AlwaysFree,
    );
    let mut said: Vec<_> = (estimate.not_priced.iter())
        .map(|missing| {
            format!(
                "line {}: {}: {}",
                missing.line, missing.resource, missing.why
            )
        })
        .collect();
    said.extend(
        estimate
            .gaps
            .iter()
            .map(|(_, gap)| format!("line {}: {}", gap.line, gap.what)),
    );
    insta::assert_snapshot!(said.join("\n"));
    assert!(!estimate.is_whole());
    assert_eq!((estimate.resources, estimate.without_charge), (11, 1));
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

/// A profile of any figures, some of them zero.
fn profiles() -> impl Strategy<Value = Profile> {
    let figure = prop_oneof![
        Just(Decimal::ZERO),
        (0_u32..10_000).prop_map(Decimal::from),
        // Sums of more digits than a decimal has are rounded; no bill has so many.
        (0_i64..1_000_000_000, 3_u32..5).prop_map(|(number, scale)| Decimal::new(number, scale)),
    ];
    proptest::collection::vec(figure, METRICS.len()).prop_map(|figures| Profile {
        figures: METRICS
            .iter()
            .map(|metric| metric.key)
            .zip(figures)
            .collect(),
        resources: BTreeMap::new(),
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// The lines add up to the total, to the stacks and to the services, and to what each item costs as a whole.
    #[test]
    fn the_sum_of_the_parts_is_the_whole(profile in profiles(), region in 0..5_usize) {
        let book = PriceBook::embedded().unwrap();
        let region = book.regions[region].clone();
        let texts = [(ON_DEMAND, region.as_str()), (FIXED, region.as_str()), (ON_DEMAND, "eu-west-1")];
        let estimate = with(&texts, &profile, &Account::TwelveMonths);
        let total = estimate.total();
        let stacks: Amount = estimate.by_stack().into_iter().map(|(_, amount)| amount).sum();
        let services: Amount = estimate.by_service().into_iter().map(|(_, amount)| amount).sum();
        prop_assert_eq!(stacks, total);
        prop_assert_eq!(services, total);
        for (id, item) in &book.items {
            for (region, price) in &item.prices {
                let lines = || estimate.lines.iter().filter(|line| line.item == *id && line.region == *region);
                let quantity: Decimal = lines().map(|line| line.quantity).sum();
                let paid: Decimal = lines().map(|line| line.quantity - line.free).sum();
                let amount: Amount = lines().map(Line::amount).sum();
                prop_assert_eq!(amount.list, cost(&price.tiers, quantity));
                prop_assert_eq!(amount.after_free, cost(&price.tiers, paid));
            }
        }
        for line in &estimate.lines {
            prop_assert!(line.free >= Decimal::ZERO && line.free <= line.quantity);
            prop_assert!(line.amount().after_free <= line.amount().list || line.list.is_none());
        }
        for used in &estimate.used {
            let allowance = book.free.iter().find(|allowance| allowance.id == used.id).unwrap();
            let free: Decimal = (estimate.lines.iter())
                .filter(|line| allowance.items.contains(&line.item))
                .map(|line| line.free)
                .sum();
            prop_assert_eq!(free, used.amount.min(used.used));
        }
    }

    /// More of anything never costs less.
    #[test]
    fn more_usage_never_costs_less(profile in profiles(), metric in 0..METRICS.len(), more in 0_u32..1_000_000) {
        let mut larger = profile.clone();
        let key = METRICS[metric].key;
        let figure = profile.figures[key] + Decimal::from(more);
        larger.figures.insert(key, figure);
        let of = |profile| with(&[(ON_DEMAND, "eu-west-1"), (FIXED, "eu-west-2")], profile, &Account::AlwaysFree).total();
        let (before, after) = (of(&profile), of(&larger));
        prop_assert!(after.list >= before.list && after.after_free >= before.after_free);
    }
}

#[test]
fn no_usage_of_what_is_paid_by_use_costs_nothing() {
    let book = PriceBook::embedded().unwrap();
    for region in &book.regions {
        let estimate = with(
            &[(ON_DEMAND, region)],
            &Profile::default(),
            &Account::AlwaysFree,
        );
        assert_eq!(estimate.total(), Amount::default(), "{region}");
        assert!(
            estimate
                .lines
                .iter()
                .all(|line| line.after_free == Some(Decimal::ZERO)),
            "{region}"
        );
    }
}

#[test]
fn profiles_of_the_project_rise() {
    let file = UsageFile::embedded().unwrap();
    let of = |name: &str| {
        with(
            &[(ON_DEMAND, "us-east-1")],
            &file.profiles[name],
            &Account::AlwaysFree,
        )
        .total()
        .list
    };
    assert!(
        of("idle") < of("learning") && of("learning") < of("small") && of("small") < of("busy")
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(120))]

    /// Any text, and any shape of a template: an answer, or one error.
    #[test]
    fn no_template_panics(
        text in "\\PC{0,120}",
        value in "[\\[\\]{}a-zA:'\", ${}.!&*0-9-]{0,40}",
        kind in proptest::sample::select(vec![
            "AWS::Lambda::Function", "AWS::DynamoDB::Table", "AWS::ECS::Service", "AWS::CloudWatch::Alarm", "A::B::C",
        ]),
        key in proptest::sample::select(vec![
            "MemorySize", "BillingMode", "GlobalSecondaryIndexes", "Metrics", "DesiredCount", "'Fn::ForEach::A'", "Tier",
        ]),
        tag in proptest::sample::select(vec![
            "", "!Ref ", "!Sub ", "!If ", "!Join ", "!Select ", "!FindInMap ", "!Cidr ", "!GetAtt ", "!ToJsonString ",
        ]),
    ) {
        let shaped = format!("Resources:\n  R:\n    Type: {kind}\n    Condition: C\n    Properties:\n      {key}: {tag}{value}\nConditions:\n  C: !Equals [{value}, {value}]\n");
        for text in [text, shaped] {
            if Template::parse(&text).is_ok() {
                let usage = profile(&[("lambda.requests", "10"), ("fargate.hours", "730")]);
                with(&[(&text, "eu-west-1")], &usage, &Account::AlwaysFree);
            }
        }
    }
}
