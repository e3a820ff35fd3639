//! The Dockerfile's image, run as Fargate and as Lambda run it.
//!
//! Its last stage is built as it stands, over an executable that is there: what the first stage builds upon may not be had
//! everywhere, and compiling is `package`'s own affair.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use serde_json::{Value, json};
use stackway_infra::template::Template;
use stackway_local_cloud::EmbeddedDynamoDb;
use stackway_local_cloud::lambda::RuntimeApi;

use crate::package::{Container, docker, engine_answers};
use crate::workbench::{Workbench, free_port, root};

/// An image that goes with the test.
struct Image(String);

impl Drop for Image {
    fn drop(&mut self) {
        let _ = Command::new("docker")
            .args(["image", "rm", "--force", &self.0])
            .output();
    }
}

impl Image {
    /// Builds the Dockerfile's last stage over the executable that `package` makes for any test.
    fn build() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let output = folder.path().join("package");
        let args = ["package", "--profile", "local", "--image", "never"];
        let report = Workbench::new()
            .run(&[&args[..], &["--format", "json", "--output", path(&output)]].concat())
            .succeeded()
            .json();
        let zip = std::fs::File::open(report["zip"]["path"].as_str().unwrap()).unwrap();
        let mut executable = Vec::new();
        let mut zip = zip::ZipArchive::new(zip).unwrap();
        let mut entry = zip.by_name("bootstrap").unwrap();
        entry.read_to_end(&mut executable).unwrap();
        let context = folder.path().join("context");
        std::fs::create_dir(&context).unwrap();
        let file = context.join("bootstrap");
        std::fs::write(&file, executable).unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).unwrap();

        let text = std::fs::read_to_string(root().join("Dockerfile")).unwrap();
        let (first, last) = text.split_once("\nFROM scratch\n").unwrap();
        assert!(first.contains(" AS build\n") && !last.contains("\nFROM "));
        let text =
            format!("FROM scratch AS build\nCOPY bootstrap /bootstrap\nFROM scratch\n{last}");
        std::fs::write(context.join("Dockerfile"), text).unwrap();
        let name = format!("stackway-image-test:{}", std::process::id());
        docker(&["build", "--quiet", "--tag", &name, path(&context)]);
        Self(name)
    }
}

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// The container of the container stack's task.
fn definition() -> Value {
    let template = Template::load(&root().join("cloudformation/container.yaml")).unwrap();
    let task = serde_json::to_value(&template.resources["TaskDefinition"].properties).unwrap();
    let [one] = task["ContainerDefinitions"].as_array().unwrap().as_slice() else {
        panic!("{task}");
    };
    one.clone()
}

/// What hands out a task's credentials, and each request that it gets.
fn credentials() -> (String, Receiver<String>) {
    let endpoint = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/task", endpoint.local_addr().unwrap());
    let (told, asked) = channel();
    std::thread::spawn(move || {
        let answer = r#"{"AccessKeyId":"task","SecretAccessKey":"s","Token":"t","Expiration":"2099-01-01T00:00:00Z"}"#;
        for socket in endpoint.incoming() {
            let mut socket = BufReader::new(socket.unwrap());
            let mut line = String::new();
            socket.read_line(&mut line).unwrap();
            let length = answer.len();
            write!(
                socket.get_mut(),
                "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{answer}"
            )
            .unwrap();
            if told.send(line).is_err() {
                return;
            }
        }
    });
    (url, asked)
}

/// The table stack's table, in this process.
fn database() -> EmbeddedDynamoDb {
    let template = Template::load(&root().join("cloudformation/table.yaml")).unwrap();
    let table = serde_json::to_value(&template.resources["Table"].properties).unwrap();
    let database = EmbeddedDynamoDb::start(0).unwrap();
    let table = json!({
        "TableName": "items",
        "AttributeDefinitions": table["AttributeDefinitions"],
        "KeySchema": table["KeySchema"],
        "BillingMode": "PAY_PER_REQUEST"
    });
    assert!(database.create_table(&table).unwrap());
    database
}

/// Starts the image on this machine's own network, where loopback is the database's and the test's.
fn run(image: &Image, flags: &[&str], variables: &[(String, String)]) -> Container {
    let mut args = vec!["run", "--detach", "--network", "host"];
    args.extend(flags);
    let variables: Vec<_> = (variables.iter())
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    for variable in &variables {
        args.extend(["--env", variable]);
    }
    args.push(&image.0);
    Container(docker(&args))
}

/// The variables of the task, as the template has them; `values` are what it takes from elsewhere.
fn variables(definition: &Value, values: &[(&str, &str)]) -> Vec<(String, String)> {
    let named = definition["Environment"].as_array().unwrap();
    let mut all: Vec<_> = (named.iter())
        .map(|variable| {
            let name = variable["Name"].as_str().unwrap();
            let given = values.iter().find(|(known, _)| *known == name);
            let value = given
                .map(|(_, value)| *value)
                .or(variable["Value"].as_str());
            let value = value.unwrap_or_else(|| panic!("{name} is not given"));
            (name.to_owned(), value.to_owned())
        })
        .collect();
    let extra = values
        .iter()
        .filter(|(name, _)| all.iter().all(|(known, _)| known != name));
    let extra: Vec<_> = extra
        .map(|(n, v)| ((*n).to_owned(), (*v).to_owned()))
        .collect();
    all.extend(extra);
    all
}

#[test]
fn the_dockerfile_s_image_runs_as_a_task_and_as_a_function_in_an_engine() {
    if !engine_answers() {
        return;
    }
    let image = Image::build();
    let format =
        "{{.Config.User}} {{json .Config.Entrypoint}} {{json .Config.Env}} {{json .RootFS.Layers}}";
    let said = docker(&["image", "inspect", "--format", format, &image.0]);
    let expected = r#"65532:65532 ["/bootstrap"] ["#;
    assert!(said.starts_with(expected), "{said}");
    assert_eq!(said.matches("sha256:").count(), 1, "one layer: {said}");
    let database = database();
    as_a_task(&image, &database);
    as_a_function(&image, &database);
}

/// By its definition: as its user, over a root that cannot be written, without capabilities, with credentials of its own.
fn as_a_task(image: &Image, database: &EmbeddedDynamoDb) {
    let definition = definition();
    let (credentials, asked) = credentials();
    let address = format!("127.0.0.1:{}", free_port());
    let user = definition["User"].as_str().unwrap();
    let patience = definition["StopTimeout"].to_string();
    assert_eq!(definition["ReadonlyRootFilesystem"], true);
    assert_eq!(
        definition["LinuxParameters"]["Capabilities"]["Drop"],
        json!(["ALL"])
    );
    let values = [
        ("LISTEN_ADDR", address.as_str()),
        ("AWS_REGION", "eu-west-2"),
        ("TABLE_NAME", "items"),
        ("LOG_LEVEL", "info"),
        ("METRICS", "service"),
        ("SERVICE_NAME", "of-the-test"),
        ("API_TOKEN_SECRET", "none"),
        ("API_TOKEN_GRACE_HOURS", "24"),
        ("STOP_DELAY_SECONDS", "1"),
        ("AWS_ENDPOINT_URL_DYNAMODB", &database.endpoint_url()),
        ("AWS_CONTAINER_CREDENTIALS_FULL_URI", credentials.as_str()),
    ];
    let flags = [
        "--read-only",
        "--cap-drop",
        "ALL",
        "--user",
        user,
        "--stop-timeout",
        &patience,
    ];
    let container = run(image, &flags, &variables(&definition, &values));
    let logs = || {
        let logs = Command::new("docker")
            .args(["logs", &container.0])
            .output()
            .unwrap();
        String::from_utf8(logs.stderr).unwrap()
    };

    // The engine's own check of it, in the form that takes no shell.
    let check = definition["HealthCheck"]["Command"].as_array().unwrap();
    let check: Vec<_> = check.iter().map(|part| part.as_str().unwrap()).collect();
    let ["CMD", check @ ..] = check.as_slice() else {
        panic!("{check:?}");
    };
    let healthy = || {
        let args = [&["exec", container.0.as_str()], check].concat();
        Command::new("docker")
            .args(args)
            .status()
            .unwrap()
            .success()
    };
    let well = (0..50).any(|_| {
        std::thread::sleep(Duration::from_millis(100));
        healthy()
    });
    assert!(well, "it does not get well: {}", logs());

    let pid = docker(&["inspect", "--format", "{{.State.Pid}}", &container.0]);
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = |name: &str| status.lines().find(|line| line.starts_with(name)).unwrap();
    assert_eq!(line("Uid:"), "Uid:\t65532\t65532\t65532\t65532");
    assert_eq!(line("CapEff:"), "CapEff:\t0000000000000000");

    let item =
        json!({"guid": "task", "date_received": "2024-05-01T12:00:00Z", "message": "by the task"});
    let stored = ureq::post(format!("http://{address}/v1/items"))
        .header("x-request-id", "Wq0y4gFkrPEEMFQ=")
        .send_json(item);
    let stored = stored.unwrap_or_else(|error| panic!("{error}: {}", logs()));
    assert_eq!(stored.status(), 201);
    let asked: Vec<_> = asked.try_iter().collect();
    assert_eq!(asked, ["GET /task HTTP/1.1\r\n"], "once for all requests");

    docker(&["stop", &container.0]);
    let code = docker(&["inspect", "--format", "{{.State.ExitCode}}", &container.0]);
    let logs = logs();
    assert_eq!(code, "0", "{logs}");
    for word in [
        "Wq0y4gFkrPEEMFQ=",
        "CloudWatchMetrics",
        "of-the-test",
        "asked to stop",
        "stopping",
    ] {
        assert!(logs.contains(word), "`{word}` is not logged:\n{logs}");
    }
    assert!(!logs.contains("by the task"), "{logs}");
}

/// Over Lambda's Runtime API, with Lambda's user in place of the image's.
fn as_a_function(image: &Image, database: &EmbeddedDynamoDb) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let api = runtime.block_on(RuntimeApi::start("image")).unwrap();
    let variables = [
        ("AWS_LAMBDA_RUNTIME_API", api.address().to_string()),
        ("AWS_LAMBDA_FUNCTION_NAME", "image".to_owned()),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST".to_owned()),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256".to_owned()),
        ("AWS_ACCESS_KEY_ID", "local".to_owned()),
        ("AWS_SECRET_ACCESS_KEY", "local".to_owned()),
        ("AWS_REGION", "eu-west-2".to_owned()),
        ("TABLE_NAME", "items".to_owned()),
        ("AWS_ENDPOINT_URL_DYNAMODB", database.endpoint_url()),
    ]
    .map(|(name, value)| (name.to_owned(), value));
    let container = run(image, &["--read-only", "--user", "993:990"], &variables);
    let path = "/v1/items/task/2024-05-01T12:00:00Z";
    let event = json!({
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": "",
        "headers": {"host": "id.execute-api.eu-west-2.amazonaws.com"},
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "id",
            "domainName": "id.execute-api.eu-west-2.amazonaws.com",
            "http": {"method": "GET", "path": path, "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1", "userAgent": "curl"},
            "requestId": "gateway-1",
            "routeKey": "$default",
            "stage": "$default",
            "timeEpoch": 0
        },
        "isBase64Encoded": false
    });
    let invoked = runtime.block_on(api.invoke(event.to_string().into(), Duration::from_secs(30)));
    let invoked = invoked.unwrap_or_else(|error| {
        panic!("{error}: {}", docker(&["logs", &container.0]));
    });
    let answer: Value = serde_json::from_slice(&invoked.payload).unwrap();
    assert_eq!(answer["statusCode"], 200, "{answer}");
    let body = answer["body"].as_str().unwrap();
    assert!(body.contains("by the task"), "{body}");
}
