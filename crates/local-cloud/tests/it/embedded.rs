//! The embedded DynamoDB over HTTP.

use std::net::TcpListener;

use serde_json::{Value, json};
use stackway_local_cloud::{EmbeddedDynamoDb, EmbeddedError};

use crate::http::dynamodb;

fn table() -> Value {
    json!({
        "TableName": "items",
        "AttributeDefinitions": [
            {"AttributeName": "GUID", "AttributeType": "S"},
            {"AttributeName": "DateReceived", "AttributeType": "S"},
        ],
        "KeySchema": [
            {"AttributeName": "GUID", "KeyType": "HASH"},
            {"AttributeName": "DateReceived", "KeyType": "RANGE"},
        ],
        "BillingMode": "PAY_PER_REQUEST",
    })
}

fn item() -> Value {
    json!({"GUID": {"S": "a"}, "DateReceived": {"S": "2026-01-01"}, "Message": {"S": "hello"}})
}

#[test]
fn an_item_is_stored_and_read_over_http() {
    let embedded = EmbeddedDynamoDb::start(0).unwrap();
    assert!(embedded.create_table(&table()).unwrap());
    let endpoint = embedded.endpoint_url();
    assert!(endpoint.starts_with("http://127.0.0.1:"), "{endpoint}");
    let (status, body) = dynamodb(
        &endpoint,
        "PutItem",
        &json!({"TableName": "items", "Item": item()}),
    );
    assert_eq!((status, body), (200, json!({})));
    let (status, body) = dynamodb(&endpoint, "Scan", &json!({"TableName": "items"}));
    assert_eq!((status, &body["Items"]), (200, &json!([item()])));
}

#[test]
fn a_table_that_exists_is_left_as_it_is() {
    let embedded = EmbeddedDynamoDb::start(0).unwrap();
    assert!(embedded.create_table(&table()).unwrap());
    assert!(!embedded.create_table(&table()).unwrap());
}

#[test]
fn a_file_keeps_items_between_two_runs() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("deeper").join("items.db");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let first = EmbeddedDynamoDb::start_at(&path, 0).unwrap();
    first.create_table(&table()).unwrap();
    dynamodb(
        &first.endpoint_url(),
        "PutItem",
        &json!({"TableName": "items", "Item": item()}),
    );
    runtime.block_on(first.shutdown());
    let second = EmbeddedDynamoDb::start_at(&path, 0).unwrap();
    assert!(!second.create_table(&table()).unwrap());
    let (_, body) = dynamodb(
        &second.endpoint_url(),
        "Scan",
        &json!({"TableName": "items"}),
    );
    assert_eq!(body["Items"], json!([item()]));
}

#[tokio::test]
async fn shutdown_frees_the_port() {
    let embedded = EmbeddedDynamoDb::start(0).unwrap();
    let port = embedded.port();
    embedded.shutdown().await;
    EmbeddedDynamoDb::start(port).unwrap().shutdown().await;
}

#[track_caller]
fn check_error(error: &EmbeddedError, expected: &str) {
    let mut text = error.to_string();
    if let Some(hint) = error.hint() {
        text.push_str("\nhint: ");
        text.push_str(hint);
    }
    assert_eq!(text, expected);
}

#[test]
fn a_taken_port_is_named() {
    let other = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = other.local_addr().unwrap().port();
    let error = EmbeddedDynamoDb::start(port).unwrap_err();
    check_error(
        &error,
        &format!(
            "port {port} is in use: the embedded DynamoDB cannot listen on 127.0.0.1:{port}\n\
             hint: stop what listens there, or choose another port"
        ),
    );
}

#[test]
fn a_refused_table_is_named() {
    let embedded = EmbeddedDynamoDb::start(0).unwrap();
    let mut definition = table();
    definition["AttributeDefinitions"] = json!([]);
    let error = embedded.create_table(&definition).unwrap_err();
    assert!(matches!(&error, EmbeddedError::CreateTable { table, .. } if table == "items"));
    let error = embedded.create_table(&json!({"TableName": 7})).unwrap_err();
    assert!(matches!(error, EmbeddedError::Definition(_)), "{error:?}");
}
