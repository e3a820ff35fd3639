//! The API without an emulator: `deploy --emulator none` and `dev --lambda`, from their start to their Ctrl-C.

use std::io::{BufRead, BufReader, Read};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant, SystemTime};

use serde_json::{Value, json};

use crate::workbench::{Workbench, root};

/// A command that serves, what it says so far and later.
struct Serving {
    child: Child,
    said: Receiver<String>,
    heard: String,
}

impl Serving {
    fn start(bench: &Workbench, args: &[&str]) -> Self {
        let mut child = bench
            .command(args)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (sender, said) = channel();
        let stderr = child.stderr.take().unwrap();
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        Self {
            child,
            said,
            heard: String::new(),
        }
    }

    /// Waits until the command says `word`; a build may come before.
    #[track_caller]
    fn hear(&mut self, word: &str) {
        let end = Instant::now() + Duration::from_mins(15);
        loop {
            let left = end.saturating_duration_since(Instant::now());
            let Ok(line) = self.said.recv_timeout(left) else {
                panic!("`{word}` is not said:\n{}", self.heard);
            };
            self.heard += &line;
            self.heard.push('\n');
            if line.contains(word) {
                return;
            }
        }
    }

    /// The processes that the command has started and that run.
    fn children(&self) -> Vec<String> {
        let parent = self.child.id().to_string();
        std::fs::read_dir("/proc")
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|pid| {
                // After the name in brackets: the state, the parent.
                let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
                let mut fields = stat.rsplit(')').next().unwrap_or_default().split(' ');
                fields.nth(2) == Some(&parent)
            })
            .collect()
    }

    /// Sends Ctrl-C, and returns the exit code and all that was said.
    fn interrupt(mut self) -> (Option<i32>, String) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
        let status = self.child.wait().unwrap();
        // Ends with the last process that has the pipe.
        while let Ok(line) = self.said.recv_timeout(Duration::from_secs(5)) {
            self.heard += &line;
            self.heard.push('\n');
        }
        (status.code(), std::mem::take(&mut self.heard))
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // Only where a test has failed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn post(url: &str, item: &Value) -> u16 {
    // As curl sends it: a type that the gateway hands over in base64.
    ureq::post(format!("{url}/dynamodb"))
        .header("content-type", "application/x-www-form-urlencoded")
        .send(item.to_string())
        .unwrap()
        .status()
        .as_u16()
}

fn get(url: &str, path: &str) -> Value {
    let mut answer = ureq::get(format!("{url}{path}")).call().unwrap();
    assert!(answer.headers().contains_key("apigw-requestid"));
    answer.body_mut().read_json().unwrap()
}

fn item() -> Value {
    json!({ "GUID": "é 1", "DateReceived": "2026-01-02T03:04:05Z", "Message": "hello" })
}

const ITEM: &str = "/v1/items/%C3%A9%201/2026-01-02T03%3A04%3A05Z";

#[track_caller]
fn nothing_is_left(port: u16, processes: &[String]) {
    assert!(TcpStream::connect(("127.0.0.1", port)).is_err());
    assert!(!processes.is_empty(), "the function ran");
    for pid in processes {
        assert!(
            !Path::new("/proc").join(pid).exists(),
            "process {pid} is left"
        );
    }
}

#[test]
fn deploy_answers_until_ctrl_c() {
    let bench = Workbench::new();
    let url = format!("http://127.0.0.1:{}", bench.port());
    let deploy = [
        "deploy",
        "--env",
        "local",
        "--emulator",
        "none",
        "--format",
        "json",
    ];
    let mut serving = Serving::start(&bench, &deploy);
    serving.hear("no stacks are made");
    serving.hear("answers");
    assert_eq!(post(&url, &item()), 204);
    assert_eq!(get(&url, ITEM)["message"], "hello");

    let processes = serving.children();
    let mut stdout = serving.child.stdout.take().unwrap();
    let (code, said) = serving.interrupt();
    assert_eq!(code, Some(130), "{said}");
    assert!(said.contains("starts afresh"), "{said}");
    assert!(
        said.contains(r#""status":204"#),
        "the function's log is shown:\n{said}"
    );
    nothing_is_left(bench.port(), &processes);
    let mut outputs = String::new();
    stdout.read_to_string(&mut outputs).unwrap();
    assert_eq!(
        serde_json::from_str::<Value>(&outputs).unwrap(),
        json!({
            "api": { "ApiUrl": url, "FunctionName": "stackway-eu-west-2-local-api" },
            "table": { "TableName": "stackway-eu-west-2-local-table" },
        })
    );
}

#[test]
fn dev_under_lambda_is_replaced_and_keeps_its_data() {
    let bench = Workbench::new();
    let port = bench.port().to_string();
    let url = format!("http://127.0.0.1:{port}");
    let mut serving = Serving::start(&bench, &["dev", "--lambda", "--port", &port]);
    serving.hear("serves the API");
    assert_eq!(post(&url, &item()), 204);
    let before = serving.children();

    // A new time and nothing else, so that cargo has nothing to build, and git sees no change.
    let watched = std::fs::File::open(root().join("Cargo.toml")).unwrap();
    watched.set_modified(SystemTime::now()).unwrap();
    serving.hear("a source file changed");
    serving.hear("meets the new API");
    assert_eq!(get(&url, ITEM)["message"], "hello");
    let after = serving.children();
    assert_ne!(before, after);

    let (code, said) = serving.interrupt();
    assert_eq!(code, Some(130), "{said}");
    nothing_is_left(bench.port(), &[before, after].concat());
}

#[test]
fn what_does_not_go_together() {
    let none = ["deploy", "--emulator", "none"];
    for (args, words) in [
        (
            &["--stack", "api"][..],
            &["`--stack`", "--emulator none"][..],
        ),
        (
            &["--endpoint-url", "http://127.0.0.1:1"],
            &["`--endpoint-url`", "--emulator none"],
        ),
        (&["--env", "sandbox"], &["`sandbox`", "--env local"]),
    ] {
        Workbench::new()
            .run(&[&none[..], args].concat())
            .refused(2, words);
    }
    let planned = Workbench::new().run(&[&none[..], &["--dry-run"]].concat());
    assert!(planned.succeeded().stderr.contains("would build"));
}
