//! `put_item` by the SDK and nothing else: the bound for the API's `POST`.

use std::time::{Duration, Instant, SystemTime};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::{Credentials, Region};
use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::json;

use crate::{Done, TABLE, tell};

pub(crate) fn client(endpoint: &str) -> Client {
    let http = aws_smithy_http_client::Builder::new().build_http();
    Client::from_conf(
        aws_sdk_dynamodb::Config::builder()
            .http_client(http)
            .endpoint_url(endpoint)
            .region(Region::from_static("eu-west-2"))
            .credentials_provider(Credentials::new("local", "local", None, None, "bench"))
            .build(),
    )
}

/// Calls from `connections` tasks for `seconds`, and tells how many and how long each took.
pub(crate) async fn run(endpoint: &str, connections: usize, seconds: f64) -> Done {
    let client = client(endpoint);
    let end = Instant::now() + Duration::from_secs_f64(seconds);
    let run = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)?
        .as_nanos();
    let tasks: Vec<_> = (0..connections)
        .map(|task| {
            let client = client.clone();
            tokio::spawn(async move {
                let mut times = Vec::new();
                while Instant::now() < end {
                    let start = Instant::now();
                    put(&client, format!("{run}-{task}-{}", times.len())).await?;
                    times.push(start.elapsed());
                }
                Ok::<_, aws_sdk_dynamodb::Error>(times)
            })
        })
        .collect();
    let start = Instant::now();
    let mut times = Vec::new();
    for task in tasks {
        times.extend(task.await??);
    }
    let elapsed = start.elapsed().as_secs_f64();
    times.sort_unstable();
    let at = |hundredth: usize| {
        let index = (times.len() * hundredth / 100).min(times.len().saturating_sub(1));
        times
            .get(index)
            .map_or(0.0, |time| time.as_secs_f64() * 1000.0)
    };
    #[expect(clippy::cast_precision_loss, reason = "a count of some thousands")]
    let per_second = times.len() as f64 / elapsed;
    tell(&json!({ "per_second": per_second, "p50_ms": at(50), "p99_ms": at(99) }))
}

async fn put(client: &Client, guid: String) -> Result<(), aws_sdk_dynamodb::Error> {
    client
        .put_item()
        .table_name(TABLE)
        .item("GUID", AttributeValue::S(guid))
        .item(
            "DateReceived",
            AttributeValue::S("2024-05-01T12:00:00.000000Z".to_owned()),
        )
        .item("Message", AttributeValue::S("hello".to_owned()))
        .condition_expression("attribute_not_exists(GUID)")
        .send()
        .await?;
    Ok(())
}
