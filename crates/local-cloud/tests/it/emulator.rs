//! The emulator's process: what is found, what is refused, what is left.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::json;
use stackway_local_cloud::{Emulator, EmulatorError};

use crate::fake::{ends, fake, fake_on, is_alive, kill};
use crate::http;

/// An error as a person reads it, without what differs from run to run.
#[track_caller]
fn read_by_a_person(error: &EmulatorError, dir: &Path) -> String {
    let text = format!("error: {error}\nhint: {}", error.hint());
    text.replace(&dir.display().to_string(), "DIR")
}

#[tokio::test]
async fn a_second_start_finds_the_first() {
    let dir = tempfile::tempdir().unwrap();
    let emulator = fake(dir.path(), "serve", None);
    assert_eq!(emulator.running().await.unwrap(), None);
    let first = emulator.start().await.unwrap();
    assert!(!first.found);
    assert_eq!(
        first.endpoint_url,
        format!("http://127.0.0.1:{}", first.port)
    );
    let second = emulator.start().await.unwrap();
    assert!(second.found);
    assert_eq!((second.pid, second.port), (first.pid, first.port));
    assert_eq!(emulator.running().await.unwrap(), Some(second));
    assert!(emulator.stop().await.unwrap());
    assert!(ends(first.pid));
    assert_eq!(emulator.running().await.unwrap(), None);
    assert!(!emulator.stop().await.unwrap());
}

#[tokio::test]
async fn two_starts_at_once_make_one_process() {
    let dir = tempfile::tempdir().unwrap();
    let emulator = fake(dir.path(), "serve", None);
    let (one, other) = tokio::join!(emulator.start(), emulator.start());
    let (one, other) = (one.unwrap(), other.unwrap());
    assert_eq!(one.pid, other.pid);
    assert_ne!(one.found, other.found);
    assert!(emulator.stop().await.unwrap());
}

#[tokio::test]
async fn stop_ends_what_the_emulator_has_started() {
    let dir = tempfile::tempdir().unwrap();
    let pid_file = dir.path().join("child");
    let emulator = fake(dir.path(), "child", Some(&pid_file));
    emulator.start().await.unwrap();
    let child: u32 = std::fs::read_to_string(&pid_file).unwrap().parse().unwrap();
    assert!(is_alive(child));
    assert!(emulator.stop().await.unwrap());
    assert!(ends(child));
}

#[tokio::test]
async fn a_killed_emulator_is_replaced_and_its_functions_ended() {
    let dir = tempfile::tempdir().unwrap();
    let pid_file = dir.path().join("child");
    let emulator = fake(dir.path(), "child", Some(&pid_file));
    let first = emulator.start().await.unwrap();
    let child: u32 = std::fs::read_to_string(&pid_file).unwrap().parse().unwrap();
    kill(first.pid);
    assert_eq!(emulator.running().await.unwrap(), None);
    let second = emulator.start().await.unwrap();
    assert_eq!((second.found, second.stale_pid), (false, Some(first.pid)));
    if cfg!(target_os = "linux") {
        assert!(ends(child));
    }
    assert!(emulator.stop().await.unwrap());
}

#[tokio::test]
async fn a_pid_that_another_process_has_is_stale_and_not_stopped() {
    let dir = tempfile::tempdir().unwrap();
    let emulator = fake(dir.path(), "serve", None);
    let me = std::process::id();
    let state = json!({"pid": me, "port": 1, "started": "2026-01-01T00:00:00Z", "version": "1", "identity": "other"});
    std::fs::write(dir.path().join("emulator.json"), state.to_string()).unwrap();
    assert_eq!(emulator.running().await.unwrap(), None);
    assert_eq!(emulator.start().await.unwrap().stale_pid, Some(me));
    assert!(emulator.stop().await.unwrap());
}

/// The threads of a process that was killed let go of its port a moment after its pid is gone.
#[tokio::test]
async fn the_port_of_a_killed_emulator_is_waited_for() {
    let dir = tempfile::tempdir().unwrap();
    let last_thread = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = last_thread.local_addr().unwrap().port();
    let emulator = fake_on(dir.path(), port, "serve", None);
    let me = std::process::id();
    let state = json!({"pid": me, "port": port, "started": "2026-01-01T00:00:00Z", "version": "1", "identity": "other"});
    std::fs::write(dir.path().join("emulator.json"), state.to_string()).unwrap();
    let release = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        drop(last_thread);
    };
    let (started, ()) = tokio::join!(emulator.start(), release);
    assert_eq!(started.unwrap().port, port);
    assert!(emulator.stop().await.unwrap());
}

#[tokio::test]
async fn nothing_of_this_environment_reaches_the_emulator() {
    let dir = tempfile::tempdir().unwrap();
    let names = dir.path().join("names");
    let emulator = fake(dir.path(), "environment", Some(&names));
    emulator.start().await.unwrap();
    assert!(emulator.stop().await.unwrap());
    insta::assert_snapshot!(std::fs::read_to_string(names).unwrap());
}

#[tokio::test]
async fn a_taken_port_is_named_with_the_way_out() {
    let other = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = other.local_addr().unwrap().port();
    let dir = tempfile::tempdir().unwrap();
    let emulator = Emulator::new(dir.path(), port).with_command("/nonexistent", []);
    let error = emulator.start().await.unwrap_err();
    let text = read_by_a_person(&error, dir.path()).replace(&port.to_string(), "PORT");
    insta::assert_snapshot!(text);
    assert!(!dir.path().join("emulator.json").exists());
}

#[tokio::test]
async fn a_port_that_another_emulator_has_is_named_as_such() {
    let (theirs, mine) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let other = fake(theirs.path(), "serve", None);
    let port = other.start().await.unwrap().port;
    let emulator = Emulator::new(mine.path(), port).with_command("/nonexistent", []);
    let error = emulator.start().await.unwrap_err();
    assert!(other.stop().await.unwrap());
    let text = read_by_a_person(&error, mine.path()).replace(&port.to_string(), "PORT");
    insta::assert_snapshot!(text);
}

#[tokio::test]
async fn an_emulator_that_dies_leaves_its_last_words() {
    let dir = tempfile::tempdir().unwrap();
    let error = fake(dir.path(), "die", None).start().await.unwrap_err();
    insta::assert_snapshot!(read_by_a_person(&error, dir.path()));
    assert!(!dir.path().join("emulator.json").exists());
}

#[tokio::test]
async fn an_emulator_that_does_not_answer_is_stopped() {
    let dir = tempfile::tempdir().unwrap();
    let emulator = fake(dir.path(), "hang", None).with_start_timeout(Duration::from_secs(1));
    let error = emulator.start().await.unwrap_err();
    insta::assert_snapshot!(read_by_a_person(&error, dir.path()));
    assert!(!dir.path().join("emulator.json").exists());
}

#[tokio::test]
async fn a_start_that_is_cancelled_is_continued_by_the_next() {
    let dir = tempfile::tempdir().unwrap();
    let emulator = fake(dir.path(), "serve", None);
    let state = dir.path().join("emulator.json");
    tokio::select! {
        _ = emulator.start() => panic!("the script answers before it was read"),
        () = async { while !state.exists() { tokio::time::sleep(Duration::from_millis(1)).await } } => {}
    }
    assert!(emulator.start().await.unwrap().found);
    assert!(emulator.stop().await.unwrap());
}

#[tokio::test]
async fn a_state_file_that_cannot_be_read_is_named() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("emulator.json"), "{}").unwrap();
    let error = fake(dir.path(), "serve", None).start().await.unwrap_err();
    insta::assert_snapshot!(read_by_a_person(&error, dir.path()));
}

/// Installs with a script in place of Python and returns the error.
async fn install_with(script: &str) -> String {
    let dir = tempfile::tempdir().expect("a directory");
    let python = dir.path().join("python");
    if !script.is_empty() {
        std::fs::write(&python, format!("#!/bin/sh\n{script}\n")).expect("a script");
        let status = std::process::Command::new("chmod")
            .arg("+x")
            .arg(&python)
            .status();
        assert!(status.expect("chmod runs").success());
    }
    let emulator = Emulator::new(dir.path().join("emulator"), 0).with_python(&python);
    let error = emulator.install(&|_| {}).await.expect_err("a failure");
    assert!(
        !dir.path().join("emulator/venv").exists(),
        "a half installation is left"
    );
    assert!(!emulator.is_installed());
    read_by_a_person(&error, dir.path())
}

#[tokio::test]
async fn installing_without_python_says_so() {
    insta::assert_snapshot!(install_with("").await);
}

#[tokio::test]
async fn installing_without_the_venv_module_says_so() {
    let script = "echo 'The virtual environment was not created because ensurepip is not available.'; exit 1";
    insta::assert_snapshot!(install_with(script).await);
}

#[tokio::test]
async fn installing_without_network_says_so() {
    let script = r#"mkdir -p "$3/bin"
printf '#!/bin/sh\necho "ERROR: Could not find a version that satisfies the requirement ministack" >&2\nexit 1\n' > "$3/bin/python"
chmod +x "$3/bin/python""#;
    insta::assert_snapshot!(install_with(script).await);
}

#[tokio::test]
async fn starting_without_an_installation_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let error = Emulator::new(dir.path(), 0).start().await.unwrap_err();
    insta::assert_snapshot!(read_by_a_person(&error, dir.path()));
}

/// Where the real emulator is installed: shared with `cargo xtask`, so that it is installed once.
fn shared_dir() -> PathBuf {
    let given = std::env::var_os("STACKWAY_TEST_EMULATOR_DIR").map(PathBuf::from);
    given.unwrap_or_else(|| {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/stackway/emulator")
    })
}

#[tokio::test]
async fn ministack_starts_on_loopback_alone() {
    let state = tempfile::tempdir().unwrap();
    let emulator = Emulator::new(shared_dir(), 0).with_state_dir(state.path());
    emulator.install(&|_| {}).await.unwrap();
    assert!(emulator.is_installed());
    let running = emulator.start().await.unwrap();
    let (status, body) = http::dynamodb(&running.endpoint_url, "ListTables", &json!({}));
    assert_eq!((status, body), (200, json!({"TableNames": []})));
    // Everything that opens a listener on its first use is used once.
    let (status, _) = http::request(&running.endpoint_url, "GET", "/_ministack/ready", &[], "");
    assert_eq!(status, 200);
    let listeners = listeners(running.pid);
    assert!(emulator.stop().await.unwrap());
    assert!(ends(running.pid));
    if cfg!(target_os = "linux") {
        assert_eq!(listeners, [format!("0100007F:{:04X}", running.port)]);
    }
}

/// The local addresses on which a process listens, as in /proc/net/tcp; empty where there is no /proc.
fn listeners(pid: u32) -> Vec<String> {
    let Ok(descriptors) = std::fs::read_dir(format!("/proc/{pid}/fd")) else {
        return Vec::new();
    };
    let sockets: Vec<String> = descriptors
        .flatten()
        .filter_map(|entry| std::fs::read_link(entry.path()).ok())
        .filter_map(|link| {
            link.to_str()?
                .strip_prefix("socket:[")?
                .strip_suffix(']')
                .map(str::to_owned)
        })
        .collect();
    let mut found = Vec::new();
    for table in ["tcp", "tcp6", "udp", "udp6"] {
        let text = std::fs::read_to_string(format!("/proc/net/{table}")).unwrap_or_default();
        for line in text.lines().skip(1) {
            let fields: Vec<&str> = line.split_whitespace().collect();
            // 0A is LISTEN; a UDP socket that is bound without a peer has state 07.
            let listens = matches!(fields[3], "0A" | "07");
            if listens && sockets.iter().any(|socket| socket == fields[9]) {
                found.push(fields[1].to_owned());
            }
        }
    }
    found
}
