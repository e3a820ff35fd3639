//! Emulators whose program is a small script, so that each way to fail takes a moment.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;
use std::time::Duration;

use stackway_local_cloud::Emulator;

/// The interpreter itself: what is on PATH may be a script that needs more environment than a fake gets.
pub(crate) static PYTHON: LazyLock<PathBuf> = LazyLock::new(|| {
    let output = Command::new("python3")
        .args(["-c", "import sys; print(sys.executable)"])
        .output()
        .expect("Python 3 is on PATH");
    PathBuf::from(String::from_utf8(output.stdout).expect("a path").trim())
});

/// An emulator that does as `deed` says, on any free port.
pub(crate) fn fake(dir: &Path, deed: &str, argument: Option<&Path>) -> Emulator {
    fake_on(dir, 0, deed, argument)
}

/// An emulator that does as `deed` says, on this port.
pub(crate) fn fake_on(dir: &Path, port: u16, deed: &str, argument: Option<&Path>) -> Emulator {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/fake.py");
    let mut arguments: Vec<OsString> = vec![script.into(), deed.into()];
    arguments.extend(argument.map(OsString::from));
    Emulator::new(dir, port)
        .with_command(PYTHON.clone(), arguments)
        .with_start_timeout(Duration::from_secs(20))
}

/// Whether a process exists and has not ended.
pub(crate) fn is_alive(pid: u32) -> bool {
    let output = Command::new("ps")
        .args(["-o", "stat=", "-p", &pid.to_string()])
        .output();
    let status = String::from_utf8(output.expect("ps runs").stdout).expect("text");
    !status.trim().is_empty() && !status.starts_with('Z')
}

/// Kills one process, and waits until it has ended.
pub(crate) fn kill(pid: u32) {
    let status = Command::new("kill").args(["-9", &pid.to_string()]).status();
    assert!(status.expect("kill runs").success());
    assert!(ends(pid), "process {pid} outlives SIGKILL");
}

/// Whether a process ends within seconds: a signal that was sent is not yet a process that is gone.
pub(crate) fn ends(pid: u32) -> bool {
    (0..200).any(|_| {
        let alive = is_alive(pid);
        if alive {
            std::thread::sleep(Duration::from_millis(10));
        }
        !alive
    })
}
