//! The real process as a plain server, over the embedded DynamoDB.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    process::{Child, Command, Stdio},
};

use serde_json::{Value, json};
use stackway_local_cloud::EmbeddedDynamoDb;

/// A server that stops with the test.
struct Server {
    child: Child,
    log: BufReader<std::process::ChildStderr>,
    address: String,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_stackway-api"));
    command.env_clear().stderr(Stdio::piped());
    command
}

impl Server {
    fn start(endpoint: &str) -> Self {
        Self::start_with(endpoint, &[])
    }

    fn start_with(endpoint: &str, variables: &[(&str, &str)]) -> Self {
        let mut child = command()
            .envs(variables.iter().copied())
            .env("TABLE_NAME", "items")
            .env("AWS_REGION", "eu-west-2")
            .env("AWS_ACCESS_KEY_ID", "local")
            .env("AWS_SECRET_ACCESS_KEY", "local")
            .env("AWS_ENDPOINT_URL_DYNAMODB", endpoint)
            .env("LISTEN_ADDR", "127.0.0.1:0")
            .spawn()
            .unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap());
        let address = log_line(&mut log)["address"].as_str().unwrap().to_owned();
        Self {
            child,
            log,
            address,
        }
    }

    fn send(&self, line: &str, headers: &str, body: &str) -> String {
        let mut socket = TcpStream::connect(&self.address).unwrap();
        let length = body.len();
        write!(
            socket,
            "{line} HTTP/1.1\r\nhost: test\r\nconnection: close\r\n{headers}content-length: {length}\r\n\r\n{body}"
        )
        .unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).unwrap();
        answer
    }
}

fn log_line(log: &mut impl BufRead) -> Value {
    let mut line = String::new();
    log.read_line(&mut line).unwrap();
    serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"))
}

fn database() -> EmbeddedDynamoDb {
    let database = EmbeddedDynamoDb::start(0).unwrap();
    let table = json!({
        "TableName": "items",
        "AttributeDefinitions": [
            {"AttributeName": "GUID", "AttributeType": "S"},
            {"AttributeName": "DateReceived", "AttributeType": "S"}
        ],
        "KeySchema": [
            {"AttributeName": "GUID", "KeyType": "HASH"},
            {"AttributeName": "DateReceived", "KeyType": "RANGE"}
        ],
        "BillingMode": "PAY_PER_REQUEST"
    });
    assert!(database.create_table(&table).unwrap());
    database
}

#[test]
fn the_process_serves_logs_and_stops() {
    let database = database();
    let mut server = Server::start(&database.endpoint_url());

    let body = r#"{"GUID":"a","DateReceived":"2024-05-01T12:00:00","Message":"private words"}"#;
    let curl = "content-type: application/x-www-form-urlencoded\r\n\
                x-request-id: r-1\r\n\
                x-amzn-trace-id: Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1\r\n";
    let stored = server.send("POST /dynamodb", curl, body);
    assert!(stored.starts_with("HTTP/1.1 204 "), "{stored}");
    let list = server.send("GET /dynamodb", "", "");
    assert!(list.contains("private words"), "{list}");
    let ready = server.send("GET /ready", "", "");
    assert!(ready.starts_with("HTTP/1.1 200 "), "{ready}");

    let line = log_line(&mut server.log);
    assert_eq!(line["request_id"], "r-1");
    assert_eq!(line["trace_id"], "1-5759e988-bd862e3fe1be46a994272793");
    assert_eq!(line["method"], "POST");
    assert_eq!(line["route"], "/dynamodb");
    assert_eq!(line["status"], 204);

    let terminated = Command::new("kill")
        .arg(server.child.id().to_string())
        .status()
        .unwrap();
    assert!(terminated.success());
    assert!(server.child.wait().unwrap().success());
    let mut rest = line.to_string();
    server.log.read_to_string(&mut rest).unwrap();
    assert!(rest.contains("stopping"), "{rest}");
    assert!(!rest.contains("private words"), "{rest}");
}

/// What CloudWatch takes metrics from: the specification's own rules for a line.
#[test]
fn a_request_s_line_has_its_metrics() {
    let database = database();
    let variables = [
        ("METRICS", "route"),
        ("AWS_LAMBDA_FUNCTION_NAME", "items-api"),
    ];
    let mut server = Server::start_with(&database.endpoint_url(), &variables);
    server.send("GET /v1/items", "", "");
    server.send("GET /v1/items/a/soon", "", "");
    server.send("GET /health", "", "");
    // Each thread writes its own lines when it comes to rest.
    let lines = [(); 3].map(|()| log_line(&mut server.log));
    let of = |route: &str| lines.iter().find(|line| line["route"] == route).unwrap();
    let (list, health) = (of("/v1/items"), of("/health"));
    let wrong = of("/v1/items/{guid}/{date_received}");
    for line in [list, wrong, health] {
        let sets = line["_aws"]["CloudWatchMetrics"].as_array().unwrap();
        assert_eq!(sets.len(), 2);
        for set in sets {
            for dimension in set["Dimensions"][0].as_array().unwrap() {
                assert!(line[dimension.as_str().unwrap()].is_string(), "{line}");
            }
            for metric in set["Metrics"].as_array().unwrap() {
                let name = metric["Name"].as_str().unwrap();
                let value = &line[name];
                assert!(
                    value.is_u64() || (name == "table_ms" && value.is_null()),
                    "{name}: {line}"
                );
            }
        }
    }
    assert_eq!(list["service"], "items-api");
    assert_eq!(
        (&list["cold_starts"], &wrong["cold_starts"]),
        (&json!(1), &json!(0))
    );
    assert!(list["table_ms"].as_u64().unwrap() > 0);
    assert_eq!(health["table_ms"], Value::Null);
    assert_eq!(
        (
            &wrong["client_errors"],
            &list["client_errors"],
            &wrong["server_errors"]
        ),
        (&json!(1), &json!(0), &json!(0))
    );
}

#[test]
fn missing_settings_are_named() {
    let output = command().output().unwrap();
    assert!(!output.status.success());
    let said = String::from_utf8(output.stderr).unwrap();
    for name in [
        "TABLE_NAME",
        "AWS_REGION",
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
    ] {
        assert!(said.contains(&format!("{name} is not set")), "{said}");
    }
}
