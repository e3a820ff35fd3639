//! The store contract, over every store at hand.

use std::{
    env,
    io::{self, Read, Write},
    net::TcpStream,
    os::unix::net::UnixStream,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use aws_sdk_dynamodb::{
    Client,
    config::{Credentials, Region, retry::RetryConfig},
    types::{AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType},
};
use stackway_api::store::{
    DynamoDbSettings, DynamoDbStore, ItemStore, MemoryStore, StoreError, contract,
};
use stackway_aws_client::{Connections, TrustRoots};
use stackway_local_cloud::EmbeddedDynamoDb;
use testcontainers::{
    GenericImage,
    core::{IntoContainerPort, WaitFor},
    runners::AsyncRunner,
};

const TABLE: &str = "contract";
const ENGINE_TIMEOUT: Duration = Duration::from_secs(5);

#[tokio::test]
async fn memory_keeps_the_contract() {
    contract::check(&MemoryStore::new()).await;
}

#[tokio::test]
async fn dynamodb_keeps_the_contract_over_the_embedded_one() {
    let database = EmbeddedDynamoDb::start(0).unwrap();
    check_dynamodb(&database.endpoint_url()).await;
    database.shutdown().await;
}

#[tokio::test]
async fn dynamodb_keeps_the_contract_over_a_container() {
    if !docker_answers() {
        skip_or_fail("no Docker engine answers");
        return;
    }
    let image =
        env::var("DYNAMODB_LOCAL_IMAGE").unwrap_or_else(|_| "amazon/dynamodb-local:latest".into());
    let (name, tag) = image.rsplit_once(':').unwrap_or((&image, "latest"));
    let container = GenericImage::new(name, tag)
        .with_exposed_port(8000.tcp())
        .with_wait_for(WaitFor::seconds(1))
        .start()
        .await
        .unwrap_or_else(|error| {
            panic!("cannot run {image} (DYNAMODB_LOCAL_IMAGE names another): {error}")
        });
    let host = container.get_host().await.unwrap().to_string();
    let port = container.get_host_port_ipv4(8000).await.unwrap();
    let endpoint = reachable(&["127.0.0.1", &host], port).await;
    create_table(&endpoint).await;
    // The image may hold a DynamoDB Local that is older than empty values.
    contract::check_but_empty_text(&store(&endpoint)).await;
}

/// The first of `hosts` at which the port answers, within half a minute: an engine may publish ports on loopback alone,
/// or on a host of its own.
async fn reachable(hosts: &[&str], port: u16) -> String {
    for _ in 0..300 {
        for host in hosts {
            if tokio::net::TcpStream::connect((*host, port)).await.is_ok() {
                return format!("http://{host}:{port}");
            }
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    panic!("nothing answers at port {port} of {}", hosts.join(" or "));
}

#[tokio::test]
async fn a_table_that_is_not_there_is_a_failure_and_no_absence() {
    let database = EmbeddedDynamoDb::start(0).unwrap();
    let store = store(&database.endpoint_url());
    let error = store.probe().await.unwrap_err();
    assert!(matches!(error, StoreError::Failed(_)), "{error}");
    assert!(
        error.to_string().contains("ResourceNotFoundException"),
        "{error}"
    );
    database.shutdown().await;
}

#[tokio::test]
async fn an_address_where_nobody_listens_is_a_failure_within_the_time_out() {
    let store = store("http://127.0.0.1:9");
    let error = tokio::time::timeout(Duration::from_secs(4), store.probe());
    let error = error.await.unwrap().unwrap_err();
    assert!(matches!(error, StoreError::Failed(_)), "{error}");
}

/// Has a table refuse every call with one error code, and says what the store made of it.
async fn refused_with(code: &str) -> (StoreError, usize) {
    let calls = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&calls);
    let body = format!(r#"{{"__type":"com.amazonaws.dynamodb.v20120810#{code}","message":"no"}}"#);
    let table = axum::Router::new().fallback(async move || {
        counter.fetch_add(1, Ordering::SeqCst);
        let media = [("content-type", "application/x-amz-json-1.0")];
        (http::StatusCode::BAD_REQUEST, media, body)
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let server = tokio::spawn(async move { axum::serve(listener, table).await });
    let error = store(&endpoint).page(1, None).await.unwrap_err();
    server.abort();
    (error, calls.load(Ordering::SeqCst))
}

#[tokio::test]
async fn a_throttle_is_told_at_once_and_from_a_broken_table() {
    for (code, throttled, tries) in [
        ("ProvisionedThroughputExceededException", true, 1),
        ("RequestLimitExceeded", true, 1),
        ("ThrottlingException", true, 1),
        ("RequestTimeout", false, 2),
        ("AccessDeniedException", false, 1),
        ("ResourceNotFoundException", false, 1),
    ] {
        let (error, calls) = refused_with(code).await;
        let told = matches!(error, StoreError::Throttled(_));
        assert_eq!((told, calls), (throttled, tries), "{code}: {error}");
    }
}

/// The SDK's own account of itself is written, and most of it signed, for each request anew.
#[tokio::test]
async fn a_request_names_its_sender_once() {
    let (sender, mut headers) = tokio::sync::mpsc::unbounded_channel();
    let table = axum::Router::new().fallback(async move |sent: http::HeaderMap| {
        sender.send(sent).unwrap();
        ([("content-type", "application/x-amz-json-1.0")], "{}")
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let server = tokio::spawn(async move { axum::serve(listener, table).await });
    store(&endpoint).probe().await.unwrap();
    server.abort();
    let sent = headers.recv().await.unwrap();
    assert_eq!(
        sent["user-agent"],
        concat!("stackway-api/", env!("CARGO_PKG_VERSION"))
    );
    let mut names: Vec<&str> = sent.keys().map(http::HeaderName::as_str).collect();
    names.sort_unstable();
    assert_eq!(
        names,
        [
            "authorization",
            "content-length",
            "content-type",
            "host",
            "user-agent",
            "x-amz-date",
            "x-amz-target"
        ]
    );
}

async fn check_dynamodb(endpoint: &str) {
    create_table(endpoint).await;
    contract::check(&store(endpoint)).await;
}

pub(crate) fn credentials() -> Credentials {
    Credentials::new("local", "local", None, None, "test")
}

pub(crate) fn store(endpoint: &str) -> DynamoDbStore {
    DynamoDbStore::new(settings(endpoint))
}

pub(crate) fn settings(endpoint: &str) -> DynamoDbSettings {
    DynamoDbSettings {
        table: TABLE.to_owned(),
        region: "eu-west-2".to_owned(),
        endpoint_url: Some(endpoint.to_owned()),
        credentials: credentials().into(),
        connections: Connections::new(TrustRoots::amazon(), Duration::from_secs(1)),
        daemon: None,
    }
}

/// Makes the table as cloudformation/table.yaml does. Waits for a database that is still starting.
pub(crate) async fn create_table(endpoint: &str) {
    let http = aws_smithy_http_client::Builder::new().build_http();
    let config = aws_sdk_dynamodb::Config::builder()
        .region(Region::new("eu-west-2"))
        .credentials_provider(credentials())
        .endpoint_url(endpoint)
        .http_client(http)
        .retry_config(RetryConfig::standard().with_max_attempts(8))
        .build();
    let attribute = |name: &str| {
        AttributeDefinition::builder()
            .attribute_name(name)
            .attribute_type(ScalarAttributeType::S)
            .build()
            .unwrap()
    };
    let key = |name: &str, kind| {
        KeySchemaElement::builder()
            .attribute_name(name)
            .key_type(kind)
            .build()
            .unwrap()
    };
    Client::from_conf(config)
        .create_table()
        .table_name(TABLE)
        .attribute_definitions(attribute("GUID"))
        .attribute_definitions(attribute("DateReceived"))
        .key_schema(key("GUID", KeyType::Hash))
        .key_schema(key("DateReceived", KeyType::Range))
        .billing_mode(BillingMode::PayPerRequest)
        .send()
        .await
        .unwrap();
}

/// Writes past the test harness, which would keep the words of a test that passes to itself.
fn skip_or_fail(reason: &str) {
    let required = env::var("STACKWAY_REQUIRE_DOCKER").is_ok_and(|value| value == "1");
    assert!(
        !required,
        "testcontainers: {reason}, and STACKWAY_REQUIRE_DOCKER is 1"
    );
    let line = format!("skipped: testcontainers: {reason}\n");
    io::stderr().write_all(line.as_bytes()).unwrap();
}

/// Whether an engine answers a ping at `DOCKER_HOST`, or at its usual socket.
fn docker_answers() -> bool {
    let host = env::var("DOCKER_HOST").unwrap_or_else(|_| "unix:///var/run/docker.sock".to_owned());
    let ping = || -> io::Result<String> {
        if let Some(path) = host.strip_prefix("unix://") {
            let socket = UnixStream::connect(path)?;
            socket.set_read_timeout(Some(ENGINE_TIMEOUT))?;
            exchange(socket)
        } else {
            let address = host
                .split_once("://")
                .map_or(host.as_str(), |(_, address)| address);
            let socket = TcpStream::connect(address)?;
            socket.set_read_timeout(Some(ENGINE_TIMEOUT))?;
            exchange(socket)
        }
    };
    ping().is_ok_and(|answer| answer.starts_with("HTTP/1") && answer.contains(" 200 "))
}

fn exchange(mut socket: impl Read + Write) -> io::Result<String> {
    socket.write_all(b"GET /_ping HTTP/1.0\r\nHost: docker\r\n\r\n")?;
    let mut answer = String::new();
    socket.read_to_string(&mut answer)?;
    Ok(answer)
}
