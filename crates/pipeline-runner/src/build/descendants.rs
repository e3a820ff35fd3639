//! Processes that a build has started and that have left its process group, by `setsid` or a double fork.

/// The variable that every process of a build inherits: its value tells one build from another.
pub(super) const MARK: &str = "STACKWAY_BUILD";

/// How often a walk is repeated: what is about to end may have started another.
#[cfg(target_os = "linux")]
const WALKS: usize = 10;

/// Ends every process that carries the mark. One that has cleared its environment is not found.
#[cfg(target_os = "linux")]
pub(super) fn end(mark: &str) {
    use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

    let wanted = format!("{MARK}={mark}");
    for _ in 0..WALKS {
        let Ok(entries) = std::fs::read_dir("/proc") else {
            return;
        };
        let mut found = false;
        for entry in entries.flatten() {
            let pid = entry
                .file_name()
                .to_str()
                .and_then(|name| name.parse().ok());
            let Some(pid) = pid.and_then(Pid::from_raw) else {
                continue;
            };
            // Held before it is looked at, so that no other process of the same number is meant.
            let Ok(process) = pidfd_open(pid, PidfdFlags::empty()) else {
                continue;
            };
            let environment = std::fs::read(entry.path().join("environ")).unwrap_or_default();
            let mut variables = environment.split(|byte| *byte == 0);
            if variables.any(|variable| variable == wanted.as_bytes()) {
                found |= pidfd_send_signal(process, Signal::KILL).is_ok();
            }
        }
        if !found {
            return;
        }
    }
}

/// Elsewhere, the process group is all that is ended.
#[cfg(not(target_os = "linux"))]
pub(super) fn end(_: &str) {}

/// What the guard of a build runs once its runner is gone: the same, without the runner.
pub(super) fn guard(mark: &str) -> String {
    format!(
        "cat >/dev/null
for _ in 1 2 3; do
for file in /proc/[0-9]*/environ; do
if grep -qsF '{MARK}={mark}' \"$file\"; then pid=${{file#/proc/}}; kill -KILL \"${{pid%/environ}}\"; fi
done
done
kill -KILL 0"
    )
}
