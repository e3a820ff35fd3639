//! API Gateway, Route 53, load balancers, queues and topics: what others reach the service by.

use super::message;
use crate::diagnosis::KnownMessage;

const GATEWAY: &[&str] = &["AWS::ApiGateway"];

pub(super) const MESSAGES: &[KnownMessage] = &[
    message(
        "apigateway-no-log-role",
        GATEWAY,
        &["cloudwatch logs role arn must be set in account settings"],
        "a REST or WebSocket API logs with a role that is set once for the account and region, and none is set",
        "set it: an AWS::ApiGateway::Account with a role that has AmazonAPIGatewayPushToCloudWatchLogs",
    ),
    message(
        "apigateway-log-permission",
        GATEWAY,
        &["insufficient permissions to enable logging"],
        "whoever deploys may not set up log delivery, or the account has 10 log resource policies already",
        "allow logs:CreateLogDelivery, logs:PutResourcePolicy, logs:UpdateLogDelivery, logs:DescribeResourcePolicies \
         and logs:DescribeLogGroups to the role that deploys",
    ),
    message(
        "apigateway-no-methods",
        GATEWAY,
        &["the rest api doesn't contain any methods"],
        "the deployment was made before any method",
        "let the AWS::ApiGateway::Deployment depend on the methods",
    ),
    message(
        "apigateway-integration-missing",
        GATEWAY,
        &["no integration defined for method"],
        "a method has no integration at the time of the deployment",
        "give each method an integration, and let the deployment depend on the methods",
    ),
    message(
        "apigateway-stage-exists",
        GATEWAY,
        &["stage already exists"],
        "the API has a stage of that name that is not the stack's",
        "delete the stage, or choose another name",
    ),
    message(
        "apigateway-model-name",
        GATEWAY,
        &["invalid model identifier"],
        "a method names a model that is not there, or not yet",
        "let the method depend on the model",
    ),
    message(
        "apigateway-domain-exists",
        GATEWAY,
        &["the domain name you provided already exists"],
        "another API or account has that domain name",
        "delete it there, or choose another name",
    ),
    message(
        "apigateway-throttled",
        GATEWAY,
        &["too many requests"],
        "API Gateway limits how often its control plane may be called, some operations to once in 30 s or more",
        "wait a minute, then deploy again",
    ),
    message(
        "route53-record-exists",
        &["AWS::Route53::"],
        &["it already exists"],
        "the zone has that record, and it is not the stack's",
        "delete the record, or choose another name",
    ),
    message(
        "certificate-not-validated",
        &["AWS::CertificateManager::"],
        &["stabilize"],
        "nobody has answered the certificate's validation",
        "create the DNS record that ACM asks for, then deploy again",
    ),
    message(
        "sqs-deleted-recently",
        &["AWS::SQS::"],
        &["you must wait 60 seconds after deleting a queue"],
        "a queue of that name was deleted less than a minute ago",
        "wait a minute, then deploy again",
    ),
    message(
        "sns-subscription-protocol",
        &["AWS::SNS::"],
        &["invalid parameter: subscriptionarn"],
        "the subscription was never confirmed, so it has no ARN to change",
        "confirm it from the message that SNS sent, or remove it from the template",
    ),
];
