//! What would make a line cheaper.

/// The step that takes most off an item, in a sentence.
pub(super) fn cheaper(item: &str) -> &'static str {
    match item {
        "lambda-gb-seconds-x86" => "build for arm64: a GB-second is a fifth cheaper",
        "lambda-gb-seconds-arm" => "give it less memory, or less to do",
        "lambda-requests" => "answer more with each request, or let a cache answer",
        "lambda-provisioned-gb-seconds" => {
            "provision fewer, or by schedule: it is paid by the hour, used or not"
        }
        "lambda-storage-gb-seconds" => "512 MB of temporary storage are free",
        "http-api-requests" => "a function URL has no price of its own",
        "rest-api-requests" => "an HTTP API costs less than a third",
        "dynamodb-write-units" | "dynamodb-read-units" => {
            "BillingMode PROVISIONED: 25 write and 25 read units are free, and steady traffic costs less beyond"
        }
        "dynamodb-write-capacity" | "dynamodb-read-capacity" => {
            "fewer units: 25 of each are free, over all tables of the account"
        }
        "dynamodb-storage" => "let items expire; 25 GB are free",
        "dynamodb-pitr" => "PointInTimeRecovery false, where the data can be made again",
        "s3-storage" => "keep versions for fewer days",
        "s3-puts" | "s3-gets" => "fewer, larger objects",
        "ecr-storage" => "keep fewer images",
        "kms-keys" => "CustomerManagedKey false: the services' own keys are free",
        "kms-requests" => "bucket keys make one request of many",
        "logs-ingestion" => {
            "log less (LogLevel warn, where there is one): what is not written costs nothing"
        }
        "logs-storage" => "keep logs for fewer days",
        "alarms" => "ten alarms are free, over all regions of the account",
        "custom-metrics" => "ten metrics are free; Logs Insights counts in logs without one",
        "dashboards" => "three dashboards are free, over all regions of the account",
        "xray-traces" => "sample: 100,000 traces a month are free",
        "secrets" => "a standard SecureString parameter is free",
        "secret-requests" => "read a secret once for each start",
        "state-transitions" => "fewer states, or an express state machine",
        "codepipeline-minutes" => "fewer and shorter actions: each is rounded up to a minute",
        "codebuild-small-minutes" => "cache dependencies; arm1.small costs a third less",
        "codebuild-medium-minutes" | "codebuild-large-minutes" => {
            "a smaller machine, if the build is not twice as slow"
        }
        "fargate-vcpu-hours" | "fargate-gb-hours" => {
            "build for arm64: a fifth cheaper; or stop it outside of hours"
        }
        "public-ipv4-hours" => "fewer public addresses: each is paid by the hour",
        "vpc-endpoint-hours" => {
            "one zone serves the others; a network that reaches the service needs none"
        }
        "alb-hours" | "alb-lcu-hours" => "an HTTP API before the service is paid by request",
        "transfer-out" => "smaller or cached answers; 100 GB are free",
        _ => "use less of it",
    }
}
