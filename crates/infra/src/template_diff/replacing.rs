//! Which properties cannot change on a resource that is there, so that another takes its place.
//!
//! A change set says it; this is for plans that ask nobody. The facts are `createOnlyProperties` and
//! `conditionalCreateOnlyProperties` of the
//! [resource provider schemas](https://docs.aws.amazon.com/cloudformation-cli/latest/userguide/resource-type-schema.html),
//! of the types that the project's templates use, and of those near them.

use crate::stack::Replacement;

/// A type, the properties that replace it, and those that may.
type Row = (
    &'static str,
    &'static [&'static str],
    &'static [&'static str],
);

const TYPES: &[Row] = &[
    ("AWS::ApiGatewayV2::Api", &["ProtocolType"], &[]),
    ("AWS::ApiGatewayV2::Authorizer", &["ApiId"], &[]),
    ("AWS::ApiGatewayV2::Integration", &["ApiId"], &[]),
    ("AWS::ApiGatewayV2::Route", &["ApiId"], &[]),
    ("AWS::ApiGatewayV2::Stage", &["ApiId", "StageName"], &[]),
    (
        "AWS::ApiGatewayV2::VpcLink",
        &["SecurityGroupIds", "SubnetIds"],
        &[],
    ),
    (
        "AWS::ApplicationAutoScaling::ScalableTarget",
        &["ResourceId", "ScalableDimension", "ServiceNamespace"],
        &[],
    ),
    (
        "AWS::ApplicationAutoScaling::ScalingPolicy",
        &[
            "PolicyName",
            "ResourceId",
            "ScalableDimension",
            "ScalingTargetId",
            "ServiceNamespace",
        ],
        &[],
    ),
    (
        "AWS::Budgets::Budget",
        &["NotificationsWithSubscribers"],
        &["Budget"],
    ),
    (
        "AWS::CE::AnomalyMonitor",
        &[
            "MonitorDimension",
            "MonitorSpecification",
            "MonitorType",
            "ResourceTags",
        ],
        &[],
    ),
    ("AWS::CE::AnomalySubscription", &["ResourceTags"], &[]),
    ("AWS::CloudFormation::WaitConditionHandle", &[], &[]),
    ("AWS::CloudWatch::Alarm", &["AlarmName"], &[]),
    ("AWS::CloudWatch::Dashboard", &["DashboardName"], &[]),
    ("AWS::CodeBuild::Project", &["Name"], &[]),
    ("AWS::CodeBuild::ReportGroup", &["Name", "Type"], &[]),
    (
        "AWS::CodeConnections::Connection",
        &["ConnectionName", "HostArn", "ProviderType"],
        &[],
    ),
    (
        "AWS::CodeDeploy::Application",
        &["ApplicationName", "ComputePlatform"],
        &[],
    ),
    (
        "AWS::CodeDeploy::DeploymentGroup",
        &["ApplicationName", "DeploymentGroupName"],
        &[],
    ),
    ("AWS::CodePipeline::Pipeline", &["Name"], &[]),
    (
        "AWS::DynamoDB::GlobalTable",
        &["TableName"],
        &["GlobalTableSourceArn", "KeySchema", "LocalSecondaryIndexes"],
    ),
    (
        "AWS::DynamoDB::Table",
        &["ImportSourceSpecification", "TableName"],
        &["KeySchema", "LocalSecondaryIndexes"],
    ),
    ("AWS::EC2::RouteTable", &["VpcId"], &[]),
    (
        "AWS::EC2::SecurityGroup",
        &["GroupDescription", "GroupName", "VpcId"],
        &[],
    ),
    (
        "AWS::EC2::SecurityGroupEgress",
        &[
            "CidrIp",
            "CidrIpv6",
            "DestinationPrefixListId",
            "DestinationSecurityGroupId",
            "FromPort",
            "GroupId",
            "IpProtocol",
            "ToPort",
        ],
        &[],
    ),
    (
        "AWS::EC2::SecurityGroupIngress",
        &[
            "CidrIp",
            "CidrIpv6",
            "FromPort",
            "GroupId",
            "GroupName",
            "IpProtocol",
            "SourcePrefixListId",
            "SourceSecurityGroupId",
            "SourceSecurityGroupName",
            "SourceSecurityGroupOwnerId",
            "ToPort",
        ],
        &[],
    ),
    (
        "AWS::EC2::Subnet",
        &[
            "AvailabilityZone",
            "AvailabilityZoneId",
            "CidrBlock",
            "Ipv6Native",
            "OutpostArn",
            "VpcId",
        ],
        &["Ipv6CidrBlock"],
    ),
    (
        "AWS::EC2::SubnetRouteTableAssociation",
        &["RouteTableId", "SubnetId"],
        &[],
    ),
    ("AWS::EC2::VPC", &["CidrBlock"], &["InstanceTenancy"]),
    (
        "AWS::EC2::VPCEndpoint",
        &[
            "ResourceConfigurationArn",
            "ServiceName",
            "ServiceNetworkArn",
            "ServiceRegion",
            "VpcEndpointType",
            "VpcId",
        ],
        &[],
    ),
    (
        "AWS::ECR::Repository",
        &["EncryptionConfiguration", "RepositoryName"],
        &[],
    ),
    ("AWS::ECS::Cluster", &["ClusterName"], &[]),
    (
        "AWS::ECS::Service",
        &["Cluster", "Role", "SchedulingStrategy", "ServiceName"],
        &["LaunchType"],
    ),
    (
        "AWS::ECS::TaskDefinition",
        &[
            "ContainerDefinitions",
            "Cpu",
            "EphemeralStorage",
            "ExecutionRoleArn",
            "Family",
            "IpcMode",
            "Memory",
            "NetworkMode",
            "PidMode",
            "PlacementConstraints",
            "ProxyConfiguration",
            "RequiresCompatibilities",
            "RuntimePlatform",
            "TaskRoleArn",
            "Volumes",
        ],
        &[],
    ),
    (
        "AWS::ElasticLoadBalancingV2::Listener",
        &["LoadBalancerArn"],
        &[],
    ),
    (
        "AWS::ElasticLoadBalancingV2::LoadBalancer",
        &["Name", "Scheme", "Type"],
        &[],
    ),
    (
        "AWS::ElasticLoadBalancingV2::TargetGroup",
        &[
            "IpAddressType",
            "Name",
            "Port",
            "Protocol",
            "ProtocolVersion",
            "TargetType",
            "VpcId",
        ],
        &[],
    ),
    ("AWS::Events::Rule", &["Name"], &["EventBusName"]),
    (
        "AWS::IAM::InstanceProfile",
        &["InstanceProfileName", "Path"],
        &[],
    ),
    (
        "AWS::IAM::ManagedPolicy",
        &["Description", "ManagedPolicyName", "Path"],
        &[],
    ),
    ("AWS::IAM::OIDCProvider", &["Url"], &[]),
    ("AWS::IAM::Policy", &[], &[]),
    ("AWS::IAM::Role", &["Path", "RoleName"], &[]),
    ("AWS::KMS::Alias", &["AliasName"], &[]),
    ("AWS::KMS::Key", &[], &[]),
    ("AWS::Lambda::Alias", &["FunctionName", "Name"], &[]),
    (
        "AWS::Lambda::Function",
        &["FunctionName", "PackageType", "TenancyConfig"],
        &["DurableConfig"],
    ),
    (
        "AWS::Lambda::Permission",
        &[
            "Action",
            "EventSourceToken",
            "FunctionName",
            "FunctionUrlAuthType",
            "InvokedViaFunctionUrl",
            "Principal",
            "PrincipalOrgID",
            "SourceAccount",
            "SourceArn",
        ],
        &[],
    ),
    (
        "AWS::Lambda::Version",
        &[
            "CodeSha256",
            "Description",
            "FunctionName",
            "ProvisionedConcurrencyConfig",
            "RuntimePolicy",
        ],
        &[],
    ),
    ("AWS::Logs::LogGroup", &["LogGroupName"], &[]),
    ("AWS::Logs::QueryDefinition", &[], &[]),
    (
        "AWS::S3::Bucket",
        &["BucketName", "BucketNamePrefix", "BucketNamespace"],
        &[],
    ),
    ("AWS::S3::BucketPolicy", &["Bucket"], &[]),
    (
        "AWS::SNS::Subscription",
        &["Endpoint", "Protocol", "TopicArn"],
        &["Region"],
    ),
    ("AWS::SNS::Topic", &["FifoTopic", "TopicName"], &[]),
    ("AWS::SNS::TopicPolicy", &[], &[]),
    ("AWS::SQS::Queue", &["FifoQueue", "QueueName"], &[]),
    ("AWS::SSM::Parameter", &["Name"], &[]),
    ("AWS::SecretsManager::RotationSchedule", &["SecretId"], &[]),
    ("AWS::SecretsManager::Secret", &["Name"], &[]),
    (
        "AWS::ServiceDiscovery::PrivateDnsNamespace",
        &["Name", "Vpc"],
        &[],
    ),
    (
        "AWS::ServiceDiscovery::Service",
        &["HealthCheckCustomConfig", "Name", "NamespaceId", "Type"],
        &[],
    ),
    (
        "AWS::StepFunctions::StateMachine",
        &["StateMachineName", "StateMachineType"],
        &[],
    ),
];

/// Whether a change of this property replaces a resource of this type. A type that is not in the table may be replaced
/// by any change.
pub(super) fn recreation(resource_type: &str, property: &str) -> Replacement {
    let Some((_, always, conditional)) = TYPES.iter().find(|(name, ..)| *name == resource_type)
    else {
        return Replacement::Conditional;
    };
    if always.contains(&property) {
        Replacement::Always
    } else if conditional.contains(&property) {
        Replacement::Conditional
    } else {
        Replacement::Never
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::template::Template;

    #[test]
    fn each_type_of_the_project_s_templates_is_in_the_table() {
        let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../cloudformation"));
        let roles = crate::stack_def::STACK_SET_ROLES;
        for def in crate::stack_def::STACKS.iter().chain(roles) {
            let template = Template::load(&folder.join(format!("{}.yaml", def.name))).unwrap();
            for resource in template.resources.values() {
                let kind = resource.resource_type.as_str();
                assert!(
                    TYPES.iter().any(|(name, ..)| *name == kind),
                    "{kind} has no row in TYPES: look up createOnlyProperties of its schema"
                );
            }
        }
    }

    #[test]
    fn what_a_change_asks_for() {
        for (kind, property, expected) in [
            ("AWS::DynamoDB::Table", "TableName", Replacement::Always),
            (
                "AWS::DynamoDB::Table",
                "KeySchema",
                Replacement::Conditional,
            ),
            ("AWS::DynamoDB::Table", "BillingMode", Replacement::Never),
            ("AWS::KMS::Key", "KeyPolicy", Replacement::Never),
            ("Custom::Thing", "Any", Replacement::Conditional),
        ] {
            assert_eq!(recreation(kind, property), expected, "{kind} {property}");
        }
        assert!(TYPES.is_sorted_by_key(|row| row.0));
    }
}
