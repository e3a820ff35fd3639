//! The state machine that verifies a release, executed on the emulator: against the API, and against one that is broken.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use stackway_infra::aws::{StepFunctions, without_account};
use stackway_infra::clock::{PollInterval, SystemClock};
use stackway_infra::cloud::{MachineExecution, MachineStatus};
use stackway_infra::flow::{MachineRun, MachineRunner};

use crate::endpoint::{Endpoint, exchange};
use crate::workbench::{LOCAL, Workbench};

const MACHINE: &str =
    "arn:aws:states:eu-west-2:000000000000:stateMachine:stackway-eu-west-2-local-release";

/// A deployed API, and the state machine that verifies it.
struct Stage {
    bench: Workbench,
    runtime: tokio::runtime::Runtime,
}

/// An execution that has ended.
struct Ended {
    arn: String,
    result: MachineExecution,
}

impl Stage {
    fn new() -> Self {
        let bench = Workbench::with_code(LOCAL);
        bench
            .run(&["deploy", "--stack", "automation", "--stack", "api"])
            .succeeded();
        Self {
            bench,
            runtime: tokio::runtime::Runtime::new().unwrap(),
        }
    }

    /// Deploys the state machine again, with more in stackway.toml.
    fn deploy_with(&self, more: &str) {
        let config = format!("{LOCAL}\n{more}");
        std::fs::write(self.bench.file("stackway.toml"), config).unwrap();
        let deploy = ["deploy", "--stack", "automation"];
        self.bench.run(&deploy).succeeded();
    }

    fn call(&self, service: &str, operation: &str, input: &Value) -> Value {
        Endpoint::of(&self.bench).json(service, operation, input)
    }

    fn api(&self) -> String {
        let outputs = self.bench.run(&["outputs", "--format", "json"]).succeeded();
        outputs.json()["api"]["ApiUrl"].as_str().unwrap().to_owned()
    }

    /// Lets the environment's parameter name this address.
    fn point_at(&self, url: &str) {
        let input = json!({
            "Name": "/stackway/local/api/url", "Value": url, "Type": "String", "Overwrite": true,
        });
        self.call("ssm", "AmazonSSM.PutParameter", &input);
    }

    fn verify(&self, name: &str, input: &Value) -> Ended {
        let config = without_account("000000000000", "eu-west-2", &Endpoint::of(&self.bench).0);
        let runner = MachineRunner {
            machines: &StepFunctions::new(&config),
            clock: &SystemClock,
            poll: PollInterval::LOCAL,
        };
        let input = input.to_string();
        let run = runner.run(MACHINE, name, &input);
        match self.runtime.block_on(run).unwrap() {
            MachineRun::Ended { execution, result } => Ended {
                arn: execution,
                result,
            },
            other => panic!("{other:?}"),
        }
    }

    fn described(&self, ended: &Ended, operation: &str) -> Value {
        let input = json!({ "executionArn": ended.arn, "maxResults": 1000 });
        self.call("states", &format!("AWSStepFunctions.{operation}"), &input)
    }

    /// The states that the execution came to, in order.
    fn states(&self, ended: &Ended) -> Vec<String> {
        let history = self.described(ended, "GetExecutionHistory");
        let events = history["events"].as_array().unwrap().iter();
        events
            .filter_map(|event| event["stateEnteredEventDetails"]["name"].as_str())
            .map(str::to_owned)
            .collect()
    }

    /// The GUIDs that the table holds.
    fn items(&self) -> Vec<String> {
        let table = json!({ "TableName": "stackway-eu-west-2-local-table" });
        let found = self.call("dynamodb", "DynamoDB_20120810.Scan", &table);
        let items = found["Items"].as_array().unwrap().iter();
        items
            .map(|item| item["GUID"]["S"].as_str().unwrap().to_owned())
            .collect()
    }
}

/// What stands before the API and answers in its place where it is told to.
#[derive(Clone)]
struct Proxy {
    api: String,
    /// Method and path of all requests so far.
    seen: Arc<Mutex<Vec<String>>>,
    fault: Fault,
}

/// An answer in place of the API's.
#[derive(Clone, Copy)]
struct Fault {
    method: &'static str,
    /// The paths begin so.
    path: &'static str,
    /// How many requests are answered so.
    times: usize,
    /// Whether the API has worked all the same.
    after: bool,
    answer: (u16, &'static str),
}

impl Proxy {
    fn start(api: &str, fault: Fault) -> (Self, String) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let proxy = Self {
            api: api.to_owned(),
            seen: Arc::default(),
            fault,
        };
        let serving = proxy.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                serving.answer(stream.unwrap());
            }
        });
        (proxy, url)
    }

    fn count(&self, method: &str) -> usize {
        let seen = self.seen.lock().unwrap();
        seen.iter().filter(|one| one.starts_with(method)).count()
    }

    fn answer(&self, mut stream: TcpStream) {
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        let mut words = line.split_whitespace();
        let (Some(method), Some(path)) = (words.next(), words.next()) else {
            return;
        };
        let mut length = 0;
        loop {
            let mut header = String::new();
            reader.read_line(&mut header).unwrap();
            match header.trim().split_once(':') {
                Some((name, value)) if name.eq_ignore_ascii_case("content-length") => {
                    length = value.trim().parse().unwrap();
                }
                Some(_) => {}
                None => break,
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).unwrap();

        let fault = &self.fault;
        let is_at_fault = method == fault.method && path.starts_with(fault.path);
        let before = self.count(&format!("{method} {}", fault.path));
        self.seen.lock().unwrap().push(format!("{method} {path}"));
        let fails = is_at_fault && before < fault.times;
        let real = (!fails || fault.after).then(|| self.forward(method, path, &body));
        let (status, text) = match real {
            Some(real) if !fails => real,
            _ => (fault.answer.0, fault.answer.1.to_owned()),
        };
        let answer = format!(
            "HTTP/1.1 {status} -\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{text}",
            if status == 204 { 0 } else { text.len() }
        );
        stream.write_all(answer.as_bytes()).unwrap();
    }

    fn forward(&self, method: &str, path: &str, body: &[u8]) -> (u16, String) {
        let header = ("content-type", "application/json");
        exchange(method, &format!("{}{path}", self.api), header, body)
    }
}

/// Where the paths of items begin.
const ITEM: &str = "/v1/items/verify-";

const fn fault(
    method: &'static str,
    path: &'static str,
    times: usize,
    after: bool,
    answer: (u16, &'static str),
) -> Fault {
    Fault {
        method,
        path,
        times,
        after,
        answer,
    }
}

/// The name of an execution, what is broken meanwhile, how often that request is seen, and the error and the cause by which
/// the execution fails, if it does.
type Case = (
    &'static str,
    Fault,
    usize,
    Option<(&'static str, &'static str)>,
);

const BROKEN: &[Case] = &[
    (
        "broken",
        fault("PATCH", ITEM, usize::MAX, false, (500, "broken")),
        4,
        Some((
            "Unavailable",
            "Update: PATCH /v1/items/verify-broken/2024-05-01T12:00:00Z answered 500, not 200: broken",
        )),
    ),
    (
        "another",
        fault("GET", ITEM, 1, false, (200, "{\"message\": \"another\"}")),
        1,
        Some((
            "WrongAnswer",
            "Read: GET /v1/items/verify-another/2024-05-01T12:00:00Z answered 200, but `message` is \"another\", not \
                 \"a release is verified\": {\"message\": \"another\"}",
        )),
    ),
    (
        "still-there",
        fault("DELETE", ITEM, 1, false, (204, "")),
        2,
        Some((
            "WrongAnswer",
            "Gone: GET /v1/items/verify-still-there/2024-05-01T12:00:00Z answered 200, not 404: ",
        )),
    ),
    // The first request has worked and nobody heard of it: the second finds its work done.
    (
        "unheard",
        fault("POST", "/v1/items", 1, true, (503, "busy")),
        2,
        None,
    ),
    (
        "slow-to-come",
        fault("GET", "/ready", 2, false, (404, "Not Found")),
        3,
        None,
    ),
];

#[test]
fn a_release_that_answers_is_verified_and_one_that_is_broken_is_told() {
    let stage = Stage::new();
    let api = stage.api();

    let good = stage.verify("good", &json!({"url": api, "commit": "0123abc"}));
    assert_eq!(
        good.result.status,
        MachineStatus::Succeeded,
        "{:?}",
        good.result
    );
    assert_eq!(
        stage.states(&good),
        [
            "Item",
            "Way",
            "Ready",
            "Create",
            "Read",
            "Update",
            "ReadAgain",
            "Delete",
            "Gone",
            "Verified"
        ]
    );
    let output = stage.described(&good, "DescribeExecution")["output"].clone();
    let output: Value = serde_json::from_str(output.as_str().unwrap()).unwrap();
    assert_eq!(output["Create"]["request"], "POST /v1/items");
    assert_eq!(output["Gone"]["status"], 404);
    assert!(stage.items().is_empty());

    for (name, fault, seen, end) in BROKEN.iter().copied() {
        let (proxy, url) = Proxy::start(&api, fault);
        stage.point_at(&url);
        let ended = stage.verify(name, &json!({}));
        assert_eq!(
            proxy.count(&format!("{} {}", fault.method, fault.path)),
            seen,
            "{name}"
        );
        match end {
            None => assert_eq!(ended.result.status, MachineStatus::Succeeded, "{name}"),
            Some((error, cause)) => {
                assert_eq!(
                    ended.result.status,
                    MachineStatus::Ended("FAILED".to_owned())
                );
                assert_eq!(ended.result.error.as_deref(), Some(error), "{name}");
                let said = ended.result.cause.as_deref().unwrap();
                assert!(said.starts_with(cause), "{name}: {said}");
                let states = stage.states(&ended);
                assert_eq!(
                    states[states.len() - 4..],
                    ["CleanUp", "Why", "Explain", "Failed"]
                );
            }
        }
        assert_eq!(stage.items(), Vec::<String>::new(), "{name} leaves nothing");
    }

    // Where nothing can be deleted either, the item is named.
    let (_, url) = Proxy::start(&api, fault("DELETE", ITEM, usize::MAX, false, (500, "")));
    stage.point_at(&url);
    let ended = stage.verify("stuck", &json!({}));
    let said = ended.result.cause.unwrap();
    assert!(
        said.ends_with("answered 500, not 204; item verify-stuck may be left"),
        "{said}"
    );
    assert_eq!(stage.items(), ["verify-stuck"]);

    // Another address than the environment's own is sent nothing.
    let (proxy, url) = Proxy::start(&api, fault("GET", "/", 0, false, (200, "")));
    let ended = stage.verify("elsewhere", &json!({ "url": url }));
    assert_eq!(ended.result.error.as_deref(), Some("WrongAddress"));
    assert_eq!(
        stage.states(&ended),
        ["Item", "Way", "Ready", "Why", "Explain", "Failed"]
    );
    assert_eq!(proxy.count(""), 0);

    // Behind an issuer's tokens, what is open to all is asked.
    stage.deploy_with(
        "[environments.local.parameters.api]\nAuthorizer = \"JWT\"\nJwtIssuer = \"https://issuer.example\"\nJwtAudience = \"a\"\n",
    );
    let (proxy, url) = Proxy::start(&api, fault("POST", "/", 0, false, (401, "")));
    stage.point_at(&url);
    let ended = stage.verify("issuer", &json!({}));
    assert_eq!(stage.states(&ended), ["Item", "Way", "Health", "Verified"]);
    assert_eq!(proxy.count("GET /health"), 1);
}
