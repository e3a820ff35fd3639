//! The figures that a profile can have.

/// A figure that a profile can have: `lambda.requests`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Metric {
    /// Its key: the table and the name in it.
    pub key: &'static str,
    /// What it counts.
    pub unit: &'static str,
    /// What it is, for one resource and a month.
    pub meaning: &'static str,
}

const fn metric(key: &'static str, unit: &'static str, meaning: &'static str) -> Metric {
    Metric { key, unit, meaning }
}

/// Every figure; docs/cost.md has the same table, and a test holds that it does.
pub const METRICS: &[Metric] = &[
    metric(
        "alb.lcu",
        "LCU",
        "load balancer capacity units in use, on average",
    ),
    metric("codebuild.builds", "builds", "builds of a project"),
    metric(
        "codebuild.minutes",
        "minutes",
        "minutes of a build, rounded up",
    ),
    metric(
        "codepipeline.action_minutes",
        "minutes",
        "minutes of all actions of a run, each rounded up",
    ),
    metric("codepipeline.runs", "runs", "runs of a pipeline"),
    metric("dynamodb.item_kb", "KB", "size of an item"),
    metric(
        "dynamodb.reads",
        "reads",
        "strongly consistent reads of one item; an eventually consistent one counts half",
    ),
    metric("dynamodb.storage_gb", "GB", "size of a table"),
    metric("dynamodb.writes", "writes", "writes of one item"),
    metric("ecr.image_mb", "MB", "compressed size of an image"),
    metric("ecr.images", "images", "images that a repository holds"),
    metric(
        "fargate.hours",
        "hours",
        "hours that each task of a service runs",
    ),
    metric(
        "http_api.request_kb",
        "KB",
        "size of a request; each 512 KB count as one",
    ),
    metric("http_api.requests", "requests", "requests to an HTTP API"),
    metric(
        "http_api.response_kb",
        "KB",
        "size of a response, sent to the internet",
    ),
    metric("kms.requests", "requests", "uses of a key"),
    metric(
        "lambda.duration_ms",
        "ms",
        "billed duration of an invocation",
    ),
    metric("lambda.requests", "requests", "invocations of a function"),
    metric("logs.ingested_gb", "GB", "what is written to a log group"),
    metric("rest_api.requests", "requests", "requests to a REST API"),
    metric(
        "rest_api.response_kb",
        "KB",
        "size of a response, sent to the internet",
    ),
    metric("s3.gets", "requests", "GET and other requests to a bucket"),
    metric(
        "s3.puts",
        "requests",
        "PUT, COPY, POST and LIST requests to a bucket",
    ),
    metric("s3.storage_gb", "GB", "size of a bucket, all versions"),
    metric("secrets.calls", "calls", "reads of a secret"),
    metric("sns.publishes", "requests", "messages to a topic"),
    metric("sqs.requests", "requests", "requests to a queue"),
    metric("states.executions", "runs", "runs of a state machine"),
    metric("states.transitions", "transitions", "transitions of a run"),
    metric(
        "vpc_endpoint.gb",
        "GB",
        "what goes through an interface endpoint",
    ),
    metric("xray.traces", "traces", "traces that a function records"),
];
