//! What a request leaves behind for whoever operates the service: X-Ray's datagrams, as the service sends them itself.

use std::{net::UdpSocket, sync::Arc, time::Duration};

use axum::body::Body;
use http::Request;
use serde_json::Value;
use stackway_api::{router, store::DynamoDbStore};
use stackway_local_cloud::EmbeddedDynamoDb;
use tower::ServiceExt;

use crate::stores::{create_table, settings};

const ROOT: &str = "1-5759e988-bd862e3fe1be46a994272793";

#[tokio::test]
async fn calls_of_the_table_are_subsegments_of_a_sampled_request() {
    let database = EmbeddedDynamoDb::start(0).unwrap();
    create_table(&database.endpoint_url()).await;
    let daemon = UdpSocket::bind("127.0.0.1:0").unwrap();
    daemon
        .set_read_timeout(Some(Duration::from_millis(200)))
        .unwrap();
    let mut settings = settings(&database.endpoint_url());
    settings.daemon = Some(daemon.local_addr().unwrap());
    let service = router(Arc::new(DynamoDbStore::new(settings)));
    let ask = async |path: &str, sampled: u8| {
        let trace = format!("Root={ROOT};Parent=53995c3f42cd8ad8;Sampled={sampled}");
        let request = Request::get(path)
            .header("x-amzn-trace-id", trace)
            .body(Body::empty())
            .unwrap();
        let answer = service.clone().oneshot(request).await.unwrap();
        assert_eq!(answer.status(), 200);
    };
    let told = || {
        let mut buffer = [0; 2048];
        let length = daemon.recv(&mut buffer).ok()?;
        let text = std::str::from_utf8(&buffer[..length]).unwrap();
        let (_, document) = text.split_once('\n').unwrap();
        Some(serde_json::from_str::<Value>(document).unwrap())
    };

    ask("/v1/items", 1).await;
    let document = told().unwrap();
    assert_eq!(document["name"], "DynamoDB");
    assert_eq!(document["trace_id"], ROOT);
    assert_eq!(document["parent_id"], "53995c3f42cd8ad8");
    assert_eq!(document["aws"]["operation"], "Scan");
    let (start, end) = (&document["start_time"], &document["end_time"]);
    assert!(start.as_f64().unwrap() <= end.as_f64().unwrap());

    ask("/v1/items", 0).await;
    ask("/health", 1).await;
    assert_eq!(told(), None);
    database.shutdown().await;
}
