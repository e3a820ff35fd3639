//! The service behind API Gateway: events of an HTTP API, payload format 2.0.
//!
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html>

use std::sync::Arc;

use axum::Router;
use lambda_http::{Context, LambdaEvent};
use serde_json::{Value, json};
use stackway_api::{lambda, router, store::MemoryStore};

async fn invoke(router: &Router, method: &str, path: &str, body: Value) -> (u16, String) {
    let event = json!({
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": "",
        "headers": {"host": "id.execute-api.eu-west-2.amazonaws.com", "content-type": "application/x-www-form-urlencoded"},
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "id",
            "domainName": "id.execute-api.eu-west-2.amazonaws.com",
            "http": {"method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1", "userAgent": "curl"},
            "requestId": "gateway-1",
            "routeKey": "$default",
            "stage": "$default",
            "timeEpoch": 0
        },
        "body": body,
        "isBase64Encoded": body.is_string()
    });
    let mut context = Context::default();
    context.request_id.push_str("invocation-1");
    let event = serde_json::from_value(event).unwrap();
    let answer = lambda::answer(router.clone(), LambdaEvent::new(event, context));
    let answer = json!(answer.await.unwrap());
    assert_eq!(answer["headers"]["x-request-id"], "invocation-1");
    assert_eq!(answer["isBase64Encoded"], false);
    let status = answer["statusCode"].as_u64().unwrap().try_into().unwrap();
    let body = answer["body"].as_str().unwrap_or_default();
    (status, body.to_owned())
}

#[tokio::test]
async fn an_item_passes_through_the_gateway() {
    let router = router(Arc::new(MemoryStore::new()));
    // {"GUID":"é 1","DateReceived":"2024-05-01T12:00:00","Message":"hello"}: curl's type makes the gateway send base64.
    let body = "eyJHVUlEIjoiw6kgMSIsIkRhdGVSZWNlaXZlZCI6IjIwMjQtMDUtMDFUMTI6MDA6MDAiLCJNZXNzYWdlIjoiaGVsbG8ifQ==";
    let (status, _) = invoke(&router, "POST", "/dynamodb", json!(body)).await;
    assert_eq!(status, 204);
    // The gateway hands over paths percent-decoded; an emulator may not.
    for path in [
        "/v1/items/é 1/2024-05-01T12:00:00Z",
        "/v1/items/%C3%A9%201/2024-05-01T12%3A00%3A00Z",
    ] {
        let (status, item) = invoke(&router, "GET", path, Value::Null).await;
        assert_eq!(status, 200, "{path}");
        assert!(item.contains("hello"), "{path}: {item}");
    }
    let path = "/dynamodb/é 1/2024-05-01T12:00:00";
    let (status, _) = invoke(&router, "DELETE", path, Value::Null).await;
    assert_eq!(status, 204);
    let (_, list) = invoke(&router, "GET", "/dynamodb", Value::Null).await;
    assert_eq!(list, "[]");
}
