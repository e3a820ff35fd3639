//! What each kind of resource is billed for.

use super::*;

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
