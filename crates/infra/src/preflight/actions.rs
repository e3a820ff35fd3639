use std::collections::BTreeSet;

/// What a deploy itself calls, whatever the templates hold.
const ALWAYS: &[&str] = &[
    "cloudformation:CreateChangeSet",
    "cloudformation:DeleteChangeSet",
    "cloudformation:DescribeChangeSet",
    "cloudformation:DescribeStackEvents",
    "cloudformation:DescribeStacks",
    "cloudformation:ExecuteChangeSet",
    "cloudformation:GetTemplate",
    "cloudformation:ListStackResources",
];

/// What CloudFormation calls in the name of whoever deploys, to make and to remove a resource of a type.
///
/// From the `handlers` of each type's schema: `aws cloudformation describe-type --type RESOURCE --type-name <type>`.
const BY_TYPE: &[(&str, &[&str])] = &[
    (
        "AWS::ApiGatewayV2::Api",
        &["apigateway:DELETE", "apigateway:GET", "apigateway:POST"],
    ),
    (
        "AWS::ApiGatewayV2::Authorizer",
        &["apigateway:DELETE", "apigateway:POST"],
    ),
    (
        "AWS::ApiGatewayV2::Integration",
        &["apigateway:DELETE", "apigateway:POST"],
    ),
    (
        "AWS::ApiGatewayV2::Route",
        &["apigateway:DELETE", "apigateway:POST"],
    ),
    (
        "AWS::ApiGatewayV2::Stage",
        &[
            "apigateway:DELETE",
            "apigateway:POST",
            "logs:CreateLogDelivery",
            "logs:DescribeLogGroups",
            "logs:DescribeResourcePolicies",
            "logs:PutResourcePolicy",
        ],
    ),
    (
        "AWS::ApiGatewayV2::VpcLink",
        &["apigateway:DELETE", "apigateway:GET", "apigateway:POST"],
    ),
    (
        "AWS::ApplicationAutoScaling::ScalableTarget",
        &[
            "application-autoscaling:DeregisterScalableTarget",
            "application-autoscaling:DescribeScalableTargets",
            "application-autoscaling:RegisterScalableTarget",
        ],
    ),
    (
        "AWS::ApplicationAutoScaling::ScalingPolicy",
        &[
            "application-autoscaling:DeleteScalingPolicy",
            "application-autoscaling:DescribeScalingPolicies",
            "application-autoscaling:PutScalingPolicy",
        ],
    ),
    (
        "AWS::Budgets::Budget",
        &["budgets:ModifyBudget", "budgets:ViewBudget"],
    ),
    (
        "AWS::CE::AnomalyMonitor",
        &[
            "ce:CreateAnomalyMonitor",
            "ce:DeleteAnomalyMonitor",
            "ce:GetAnomalyMonitors",
        ],
    ),
    (
        "AWS::CE::AnomalySubscription",
        &[
            "ce:CreateAnomalySubscription",
            "ce:DeleteAnomalySubscription",
            "ce:GetAnomalySubscriptions",
        ],
    ),
    ("AWS::CloudFormation::WaitConditionHandle", &[]),
    (
        "AWS::CloudWatch::Alarm",
        &["cloudwatch:DeleteAlarms", "cloudwatch:PutMetricAlarm"],
    ),
    (
        "AWS::CloudWatch::Dashboard",
        &["cloudwatch:DeleteDashboards", "cloudwatch:PutDashboard"],
    ),
    (
        "AWS::CodeBuild::Project",
        &[
            "codebuild:CreateProject",
            "codebuild:DeleteProject",
            "iam:PassRole",
        ],
    ),
    (
        "AWS::CodeBuild::ReportGroup",
        &["codebuild:CreateReportGroup", "codebuild:DeleteReportGroup"],
    ),
    (
        "AWS::CodeConnections::Connection",
        &[
            "codeconnections:CreateConnection",
            "codeconnections:DeleteConnection",
        ],
    ),
    (
        "AWS::CodeDeploy::Application",
        &[
            "codedeploy:CreateApplication",
            "codedeploy:DeleteApplication",
        ],
    ),
    (
        "AWS::CodeDeploy::DeploymentGroup",
        &[
            "codedeploy:CreateDeploymentGroup",
            "codedeploy:DeleteDeploymentGroup",
            "iam:PassRole",
        ],
    ),
    (
        "AWS::CodePipeline::Pipeline",
        &[
            "codepipeline:CreatePipeline",
            "codepipeline:DeletePipeline",
            "iam:PassRole",
        ],
    ),
    (
        "AWS::CodeStarConnections::Connection",
        &[
            "codestar-connections:CreateConnection",
            "codestar-connections:DeleteConnection",
        ],
    ),
    (
        "AWS::DynamoDB::GlobalTable",
        &[
            "dynamodb:BatchWriteItem",
            "dynamodb:CreateTable",
            "dynamodb:CreateTableReplica",
            "dynamodb:DeleteItem",
            "dynamodb:DeleteTable",
            "dynamodb:DeleteTableReplica",
            "dynamodb:DescribeTable",
            "dynamodb:GetItem",
            "dynamodb:PutItem",
            "dynamodb:Query",
            "dynamodb:Scan",
            "dynamodb:TagResource",
            "dynamodb:UpdateContinuousBackups",
            "dynamodb:UpdateItem",
            "dynamodb:UpdateTable",
            "iam:CreateServiceLinkedRole",
        ],
    ),
    (
        "AWS::DynamoDB::Table",
        &[
            "dynamodb:CreateTable",
            "dynamodb:DeleteTable",
            "dynamodb:DescribeTable",
            "dynamodb:TagResource",
            "dynamodb:UpdateContinuousBackups",
        ],
    ),
    (
        "AWS::EC2::RouteTable",
        &[
            "ec2:CreateRouteTable",
            "ec2:CreateTags",
            "ec2:DeleteRouteTable",
            "ec2:DescribeRouteTables",
        ],
    ),
    (
        "AWS::EC2::SecurityGroup",
        &[
            "ec2:AuthorizeSecurityGroupEgress",
            "ec2:AuthorizeSecurityGroupIngress",
            "ec2:CreateSecurityGroup",
            "ec2:DeleteSecurityGroup",
        ],
    ),
    (
        "AWS::EC2::Subnet",
        &[
            "ec2:CreateSubnet",
            "ec2:CreateTags",
            "ec2:DeleteSubnet",
            "ec2:DescribeSubnets",
            "ec2:ModifySubnetAttribute",
        ],
    ),
    (
        "AWS::EC2::SubnetRouteTableAssociation",
        &["ec2:AssociateRouteTable", "ec2:DisassociateRouteTable"],
    ),
    (
        "AWS::EC2::VPC",
        &[
            "ec2:CreateTags",
            "ec2:CreateVpc",
            "ec2:DeleteVpc",
            "ec2:DescribeVpcs",
            "ec2:ModifyVpcAttribute",
        ],
    ),
    (
        "AWS::EC2::VPCEndpoint",
        &[
            "ec2:CreateTags",
            "ec2:CreateVpcEndpoint",
            "ec2:DeleteVpcEndpoints",
            "ec2:DescribeVpcEndpoints",
        ],
    ),
    (
        "AWS::ECR::Repository",
        &[
            "ecr:CreateRepository",
            "ecr:DeleteRepository",
            "ecr:PutLifecyclePolicy",
            "ecr:SetRepositoryPolicy",
            "ecr:TagResource",
        ],
    ),
    (
        "AWS::ECS::Cluster",
        &["ecs:CreateCluster", "ecs:DeleteCluster"],
    ),
    (
        "AWS::ECS::Service",
        &["ecs:CreateService", "ecs:DeleteService", "iam:PassRole"],
    ),
    (
        "AWS::ECS::TaskDefinition",
        &[
            "ecs:DeregisterTaskDefinition",
            "ecs:RegisterTaskDefinition",
            "iam:PassRole",
        ],
    ),
    (
        "AWS::ElasticLoadBalancingV2::Listener",
        &[
            "elasticloadbalancing:CreateListener",
            "elasticloadbalancing:DeleteListener",
            "elasticloadbalancing:DescribeListeners",
        ],
    ),
    (
        "AWS::ElasticLoadBalancingV2::LoadBalancer",
        &[
            "elasticloadbalancing:AddTags",
            "elasticloadbalancing:CreateLoadBalancer",
            "elasticloadbalancing:DeleteLoadBalancer",
            "elasticloadbalancing:DescribeLoadBalancers",
            "elasticloadbalancing:ModifyLoadBalancerAttributes",
        ],
    ),
    (
        "AWS::ElasticLoadBalancingV2::TargetGroup",
        &[
            "elasticloadbalancing:AddTags",
            "elasticloadbalancing:CreateTargetGroup",
            "elasticloadbalancing:DeleteTargetGroup",
            "elasticloadbalancing:DescribeTargetGroups",
            "elasticloadbalancing:ModifyTargetGroupAttributes",
        ],
    ),
    (
        "AWS::Events::Rule",
        &[
            "events:DeleteRule",
            "events:PutRule",
            "events:PutTargets",
            "events:RemoveTargets",
        ],
    ),
    (
        "AWS::IAM::ManagedPolicy",
        &["iam:CreatePolicy", "iam:DeletePolicy"],
    ),
    (
        "AWS::IAM::OIDCProvider",
        &[
            "iam:CreateOpenIDConnectProvider",
            "iam:DeleteOpenIDConnectProvider",
        ],
    ),
    (
        "AWS::IAM::Policy",
        &["iam:DeleteRolePolicy", "iam:PutRolePolicy"],
    ),
    (
        "AWS::IAM::Role",
        &[
            "iam:AttachRolePolicy",
            "iam:CreateRole",
            "iam:DeleteRole",
            "iam:DeleteRolePolicy",
            "iam:DetachRolePolicy",
            "iam:GetRole",
            "iam:PutRolePolicy",
            "iam:TagRole",
        ],
    ),
    ("AWS::KMS::Alias", &["kms:CreateAlias", "kms:DeleteAlias"]),
    (
        "AWS::KMS::Key",
        &[
            "kms:CreateKey",
            "kms:DescribeKey",
            "kms:EnableKeyRotation",
            "kms:ScheduleKeyDeletion",
            "kms:TagResource",
        ],
    ),
    (
        "AWS::Lambda::Alias",
        &["lambda:CreateAlias", "lambda:DeleteAlias"],
    ),
    (
        "AWS::Lambda::Function",
        &[
            "iam:PassRole",
            "lambda:CreateFunction",
            "lambda:DeleteFunction",
            "lambda:GetFunction",
            "lambda:TagResource",
            "s3:GetObject",
        ],
    ),
    (
        "AWS::Lambda::Permission",
        &["lambda:AddPermission", "lambda:RemovePermission"],
    ),
    (
        "AWS::Lambda::Version",
        &["lambda:DeleteFunction", "lambda:PublishVersion"],
    ),
    (
        "AWS::Logs::LogGroup",
        &[
            "logs:CreateLogGroup",
            "logs:DeleteLogGroup",
            "logs:PutRetentionPolicy",
            "logs:TagResource",
        ],
    ),
    (
        "AWS::Logs::MetricFilter",
        &["logs:DeleteMetricFilter", "logs:PutMetricFilter"],
    ),
    (
        "AWS::Logs::QueryDefinition",
        &["logs:DeleteQueryDefinition", "logs:PutQueryDefinition"],
    ),
    (
        "AWS::S3::Bucket",
        &[
            "s3:CreateBucket",
            "s3:DeleteBucket",
            "s3:PutBucketLogging",
            "s3:PutBucketOwnershipControls",
            "s3:PutBucketPublicAccessBlock",
            "s3:PutBucketTagging",
            "s3:PutBucketVersioning",
            "s3:PutEncryptionConfiguration",
            "s3:PutLifecycleConfiguration",
        ],
    ),
    (
        "AWS::S3::BucketPolicy",
        &["s3:DeleteBucketPolicy", "s3:PutBucketPolicy"],
    ),
    (
        "AWS::SNS::Subscription",
        &["sns:Subscribe", "sns:Unsubscribe"],
    ),
    (
        "AWS::SNS::Topic",
        &["sns:CreateTopic", "sns:DeleteTopic", "sns:TagResource"],
    ),
    ("AWS::SNS::TopicPolicy", &["sns:SetTopicAttributes"]),
    (
        "AWS::SSM::Parameter",
        &[
            "ssm:AddTagsToResource",
            "ssm:DeleteParameter",
            "ssm:PutParameter",
        ],
    ),
    (
        "AWS::SecretsManager::RotationSchedule",
        &[
            "secretsmanager:CancelRotateSecret",
            "secretsmanager:RotateSecret",
        ],
    ),
    (
        "AWS::SecretsManager::Secret",
        &[
            "secretsmanager:CreateSecret",
            "secretsmanager:DeleteSecret",
            "secretsmanager:TagResource",
        ],
    ),
    (
        "AWS::ServiceDiscovery::PrivateDnsNamespace",
        &[
            "ec2:DescribeRegions",
            "ec2:DescribeVpcs",
            "route53:ChangeResourceRecordSets",
            "route53:CreateHostedZone",
            "route53:DeleteHostedZone",
            "route53:GetHostedZone",
            "route53:ListHostedZonesByName",
            "servicediscovery:CreatePrivateDnsNamespace",
            "servicediscovery:DeleteNamespace",
            "servicediscovery:GetNamespace",
            "servicediscovery:GetOperation",
            "servicediscovery:TagResource",
        ],
    ),
    (
        "AWS::ServiceDiscovery::Service",
        &[
            "servicediscovery:CreateService",
            "servicediscovery:DeleteService",
            "servicediscovery:GetService",
            "servicediscovery:TagResource",
        ],
    ),
    (
        "AWS::StepFunctions::StateMachine",
        &[
            "iam:PassRole",
            "states:CreateStateMachine",
            "states:DeleteStateMachine",
            "states:TagResource",
        ],
    ),
];

/// Whether the actions for resources of the type are known.
pub fn known_type(resource_type: &str) -> bool {
    BY_TYPE.iter().any(|(known, _)| *known == resource_type)
}

/// The actions that deploying resources of these types takes; types that are not known add none.
pub fn actions_for<'a>(types: impl IntoIterator<Item = &'a str>) -> BTreeSet<&'static str> {
    let mut actions: BTreeSet<_> = ALWAYS.iter().copied().collect();
    for resource_type in types {
        let found = BY_TYPE.iter().find(|(known, _)| *known == resource_type);
        actions.extend(
            found
                .into_iter()
                .flat_map(|(_, actions)| actions.iter().copied()),
        );
    }
    actions
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_and_every_action_has_a_service() {
        assert!(BY_TYPE.is_sorted_by_key(|(name, _)| *name));
        for (name, actions) in BY_TYPE {
            assert!(actions.is_sorted(), "{name}");
            assert!(
                actions
                    .iter()
                    .all(|action| action.split_once(':').is_some()),
                "{name}"
            );
        }
    }

    #[test]
    fn every_type_of_the_project_s_templates_is_known() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../cloudformation");
        let mut seen = 0;
        let files = std::fs::read_dir(folder)
            .unwrap()
            .map(|file| file.unwrap().path());
        for file in files.filter(|path| path.extension().is_some_and(|end| end == "yaml")) {
            let text = std::fs::read_to_string(file).unwrap();
            let types = text
                .lines()
                .filter_map(|line| line.trim().strip_prefix("Type: AWS::"));
            for resource_type in types {
                seen += 1;
                assert!(
                    known_type(&format!("AWS::{resource_type}")),
                    "add AWS::{resource_type} to BY_TYPE"
                );
            }
        }
        assert!(seen > 10);
    }

    #[test]
    fn actions_are_gathered_once() {
        let bare = actions_for([]);
        let some = actions_for([
            "AWS::Lambda::Alias",
            "AWS::Lambda::Alias",
            "AWS::New::Thing",
        ]);
        assert_eq!(some.len(), bare.len() + 2);
    }
}
