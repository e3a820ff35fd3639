//! The embedded DynamoDB, in a process of its own.

use serde_json::json;
use stackway_local_cloud::EmbeddedDynamoDb;

use crate::{Done, TABLE, tell};

/// Serves until the process is ended.
pub(crate) async fn run() -> Done {
    let database = EmbeddedDynamoDb::start(0)?;
    database.create_table(&json!({
        "TableName": TABLE,
        "AttributeDefinitions": [
            {"AttributeName": "GUID", "AttributeType": "S"},
            {"AttributeName": "DateReceived", "AttributeType": "S"},
        ],
        "KeySchema": [
            {"AttributeName": "GUID", "KeyType": "HASH"},
            {"AttributeName": "DateReceived", "KeyType": "RANGE"},
        ],
        "BillingMode": "PAY_PER_REQUEST",
    }))?;
    tell(&json!({ "address": database.endpoint_url() }))?;
    std::future::pending::<()>().await;
    Ok(())
}
