//! The real process as a plain server, over the embedded DynamoDB.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    sync::mpsc,
    time::{Duration, Instant},
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
            .env("TABLE_NAME", "items")
            .env("AWS_REGION", "eu-west-2")
            .env("AWS_ACCESS_KEY_ID", "local")
            .env("AWS_SECRET_ACCESS_KEY", "local")
            .env("AWS_ENDPOINT_URL_DYNAMODB", endpoint)
            .env("LISTEN_ADDR", "127.0.0.1:0")
            .envs(variables.iter().copied())
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

    /// As an engine asks a container to end.
    fn terminate(&self) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").arg(id).status().unwrap().success());
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

    server.terminate();
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
    let variables = [("METRICS", "route"), ("SERVICE_NAME", "items-api")];
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
        (&json!(0), &json!(0))
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

/// As a task on ECS: its credentials come from an endpoint, once for all requests.
#[test]
fn a_task_s_own_credentials_sign_requests() {
    let database = database();
    let endpoint = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/own", endpoint.local_addr().unwrap());
    let (told, asked) = mpsc::channel();
    std::thread::spawn(move || {
        let answer = r#"{"AccessKeyId":"task","SecretAccessKey":"s","Token":"t","Expiration":"2099-01-01T00:00:00Z"}"#;
        for socket in endpoint.incoming() {
            let mut socket = BufReader::new(socket.unwrap());
            let mut line = String::new();
            socket.read_line(&mut line).unwrap();
            told.send(line).unwrap();
            let length = answer.len();
            write!(
                socket.get_mut(),
                "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{answer}"
            )
            .unwrap();
        }
    });
    let variables = [
        ("AWS_ACCESS_KEY_ID", ""),
        ("AWS_SECRET_ACCESS_KEY", ""),
        ("AWS_CONTAINER_CREDENTIALS_FULL_URI", url.as_str()),
    ];
    let server = Server::start_with(&database.endpoint_url(), &variables);
    for _ in 0..2 {
        let ready = server.send("GET /ready", "", "");
        assert!(ready.starts_with("HTTP/1.1 200 "), "{ready}");
    }
    assert_eq!(
        asked.try_iter().collect::<Vec<_>>(),
        ["GET /own HTTP/1.1\r\n"]
    );
}

#[test]
fn the_process_tells_whether_another_is_well() {
    let database = database();
    let server = Server::start(&database.endpoint_url());
    let check = || {
        let mut health = command();
        health.arg("health").env("LISTEN_ADDR", &server.address);
        let output = health.output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        (output.status.success(), said)
    };
    assert_eq!(check(), (true, String::new()));
    server.terminate();
    let patience = Instant::now();
    while check().0 {
        assert!(patience.elapsed() < Duration::from_secs(10));
    }
    let (_, said) = check();
    assert!(said.contains("does not answer"), "{said}");
}

#[test]
fn a_server_answers_on_for_a_while_after_it_is_asked_to_stop() {
    let database = database();
    let variables = [("STOP_DELAY_SECONDS", "2")];
    let mut server = Server::start_with(&database.endpoint_url(), &variables);
    server.terminate();
    let line = log_line(&mut server.log);
    assert_eq!(
        (&line["message"], &line["seconds"]),
        (&json!("asked to stop"), &json!(2))
    );
    let health = server.send("GET /health", "", "");
    assert!(health.starts_with("HTTP/1.1 200 "), "{health}");
    assert!(server.child.wait().unwrap().success());
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
