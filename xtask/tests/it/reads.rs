//! A command that only reads makes no call that writes: every call goes through a proxy that records it.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use crate::workbench::Workbench;

const CONFIG: &str = r#"
[project]
name = "stackway"
repository = "https://github.com/example/stackway"

[environments.local]
kind = "local"
accounts = ["000000000000"]
regions = ["eu-west-2"]
delivery = "direct"
"#;

/// Passes requests on to the emulator, one a connection, and records what each asks for.
struct Proxy {
    port: u16,
    calls: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    fn before(emulator: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let calls = Arc::new(Mutex::new(Vec::new()));
        let record = Arc::clone(&calls);
        // It ends with the test's process.
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let record = Arc::clone(&record);
                std::thread::spawn(move || pass_on(client, emulator, &record));
            }
        });
        Self { port, calls }
    }

    fn calls(&self) -> Vec<String> {
        std::mem::take(&mut *self.calls.lock().unwrap())
    }
}

fn pass_on(client: TcpStream, emulator: u16, record: &Mutex<Vec<String>>) {
    let mut reader = BufReader::new(client);
    let mut head = Vec::new();
    loop {
        let mut line = String::new();
        // A connection that was opened for later, and never used.
        if reader.read_line(&mut line).unwrap_or(0) == 0 {
            return;
        }
        if line.trim().is_empty() {
            break;
        }
        head.push(line.trim_end().to_owned());
    }
    let header = |name: &str| {
        head.iter().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name)
                .then(|| value.trim().to_owned())
        })
    };
    let length = header("content-length").map_or(0, |length| length.parse().unwrap());
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    let action = String::from_utf8_lossy(&body)
        .split('&')
        .find_map(|pair| pair.strip_prefix("Action=").map(str::to_owned));
    let target =
        header("x-amz-target").and_then(|target| Some(target.rsplit_once('.')?.1.to_owned()));
    let call = action.or(target).unwrap_or_else(|| head[0].clone());
    record.lock().unwrap().push(call);

    let mut request: Vec<String> = head
        .iter()
        .filter(|line| !line.to_lowercase().starts_with("connection:"))
        .cloned()
        .collect();
    request.push("connection: close\r\n\r\n".to_owned());
    let mut server = TcpStream::connect(("127.0.0.1", emulator)).unwrap();
    server.write_all(request.join("\r\n").as_bytes()).unwrap();
    server.write_all(&body).unwrap();
    let mut answer = Vec::new();
    server.read_to_end(&mut answer).unwrap();
    // A client that was ended does not want it.
    let _ = reader.into_inner().write_all(&answer);
}

/// What a call begins with that changes nothing. `DetectStackDrift` compares, and changes no resource.
const READS: [&str; 10] = [
    "Describe", "List", "Get", "Head", "Detect", "Filter", "Validate", "Simulate", "GET /",
    "HEAD /",
];

/// What a plan makes, and removes again.
const OF_A_PLAN: [&str; 3] = ["CreateChangeSet", "DeleteChangeSet", "DeleteStack"];

#[test]
fn commands_that_read_make_no_call_that_writes() {
    let bench = Workbench::with_config(CONFIG);
    bench.run(&["deploy", "--stack", "table"]).succeeded();
    let proxy = Proxy::before(bench.port());
    let url = format!("http://127.0.0.1:{}", proxy.port);

    let commands: [(&[&str], &[&str]); 13] = [
        (&["status"], &[]),
        (&["outputs"], &[]),
        (&["outputs", "--as", "shell"], &[]),
        (&["dashboard"], &[]),
        (&["diff"], &[]),
        (&["drift"], &[]),
        (&["diagnose"], &[]),
        (&["logs"], &[]),
        (&["logs", "--all", "--format", "json"], &[]),
        (&["doctor"], &[]),
        (&["destroy", "--dry-run"], &[]),
        // The table stands, the artifacts are new: a shell is made for them.
        (&["plan", "--no-build"], &OF_A_PLAN),
        (&["plan", "--no-build", "--stack", "table"], &OF_A_PLAN[..2]),
    ];
    for (command, allowed) in commands {
        let args = [command, &["--endpoint-url", &url]].concat();
        bench.run(&args).succeeded();
        let calls: BTreeSet<String> = proxy.calls().into_iter().collect();
        assert!(!calls.is_empty(), "{command:?} makes no call");
        let writes: Vec<&String> = calls
            .iter()
            .filter(|call| !READS.iter().any(|read| call.starts_with(read)))
            .collect();
        assert_eq!(writes, allowed.iter().collect::<Vec<_>>(), "{command:?}");
    }
    // What comes from files alone calls nothing at all.
    bench.git(&["init", "--quiet"]);
    bench.git(&["add", "."]);
    bench.git(&["commit", "--quiet", "--message", "one"]);
    for command in [
        &["cost"][..],
        &["plan", "--offline"],
        &["deploy", "--dry-run"],
    ] {
        let variables = [("AWS_ENDPOINT_URL", url.as_str())];
        bench.run_with(command, &variables).succeeded();
        assert_eq!(proxy.calls(), [""; 0], "{command:?}");
    }
    // The proxy sees what writes.
    let args = ["deploy", "--stack", "artifacts", "--endpoint-url", &url];
    bench.run(&args).succeeded();
    let calls = proxy.calls();
    assert!(calls.contains(&"ExecuteChangeSet".to_owned()), "{calls:?}");
}
