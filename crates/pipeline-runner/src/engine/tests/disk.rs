//! A disk that is full.

use std::fs::File;
use std::io::Read as _;
use std::os::unix::fs::symlink;

use rustix::process::{Resource as Limited, Rlimit, getrlimit, setrlimit};

use super::*;

/// A full disk names itself, and leaves the execution as it is.
#[track_caller]
fn is_told(failure: Option<RunError>, path: &str) {
    let failure = failure.unwrap();
    let text = format!("{} {}", failure.message, failure.causes.join(" "));
    assert!(text.contains(path), "{failure:?}");
    let hint = failure.hint.as_deref().unwrap_or_default();
    assert!(hint.contains("free some disk space"), "{failure:?}");
}

#[tokio::test]
async fn a_log_that_has_no_room_ends_its_action() {
    let stages = vec![
        Stage::new("Say", vec![commands("Say", &["echo hello"])]),
        Stage::new("After", vec![commands("After", &["true"])]),
    ];
    let pipelines = [pipeline(draft("one", stages))];
    let bench = Bench::new();
    let runner = bench.runner(&pipelines);
    let order = || Order {
        id: Some("full".to_owned()),
        ..bench.order("one")
    };
    let logs = runner.executions.folder("one", "full").join("logs");
    std::fs::create_dir_all(&logs).unwrap();
    // Every write to it fails with "no space left on device".
    symlink("/dev/full", logs.join("Say-Say.log")).unwrap();
    let outcome = runner.run(order()).await.unwrap();
    is_told(outcome.failure, "Say-Say.log");
    let kept = runner.executions.find("one", None).unwrap();
    assert_eq!(kept.status, Status::Failed);
    assert_eq!(
        picture(&kept),
        "Source Succeeded: Repository Succeeded×1\n\
         Say Failed: Say Failed×1\n\
         After NotStarted: After NotStarted×0\n"
    );
    std::fs::remove_file(logs.join("Say-Say.log")).unwrap();
    let outcome = runner.retry(order(), None).await.unwrap();
    assert!(outcome.failure.is_none(), "{:?}", outcome.failure);
}

const LIMITED: &str = "STACKWAY_TEST_LIMITED_FILES";

/// The other process of [`files_that_find_no_room_end_a_run_that_is_retried`].
#[tokio::test]
#[ignore = "runs in a process whose files another test limits"]
async fn runs_with_limited_files() {
    if std::env::var_os(LIMITED).is_none() {
        return;
    }
    let bench = Bench::new();
    let mut noise = Vec::new();
    let random = File::open("/dev/urandom").unwrap();
    random.take(1 << 20).read_to_end(&mut noise).unwrap();
    std::fs::write(bench.folder.path().join("repository/noise"), noise).unwrap();
    bench.git(&["add", "--all"]);
    bench.git(&["commit", "--quiet", "--no-gpg-sign", "--message", "Noise"]);
    let loud = "head -c 3000000 /dev/zero | tr '\\0' x | fold -w 1000";
    let stages = vec![Stage::new("Say", vec![commands("Loud", &[loud])])];
    let pipelines = [pipeline(draft("one", stages))];
    let runner = bench.runner(&pipelines);
    let maximum = getrlimit(Limited::Fsize).maximum;
    let limit = |current| setrlimit(Limited::Fsize, Rlimit { current, maximum }).unwrap();

    // No room for the artifact of the source; then none for the action's log; then enough.
    limit(Some(200_000));
    let outcome = runner.run(bench.order("one")).await.unwrap();
    is_told(outcome.failure, "git archive");
    let kept = runner.executions.find("one", None).unwrap();
    assert_eq!(kept.status, Status::Failed);
    assert!(
        picture(&kept).starts_with("Source Failed"),
        "{}",
        picture(&kept)
    );
    limit(Some(2_000_000));
    let outcome = runner.retry(bench.order("one"), None).await.unwrap();
    is_told(outcome.failure, "Say-Loud.log");
    limit(maximum);
    let outcome = runner.retry(bench.order("one"), None).await.unwrap();
    assert!(outcome.failure.is_none(), "{:?}", outcome.failure);
}

#[test]
fn files_that_find_no_room_end_a_run_that_is_retried() {
    // The signal that comes with the limit would end the process; ignored, writes fail as on a full disk.
    let child = Command::new("sh")
        .args(["-c", "trap '' XFSZ; exec \"$0\" \"$@\""])
        .arg(std::env::current_exe().unwrap())
        .args([
            "--ignored",
            "--exact",
            "--nocapture",
            "engine::tests::disk::runs_with_limited_files",
        ])
        .env(LIMITED, "yes")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&child.stdout);
    let errors = String::from_utf8_lossy(&child.stderr);
    assert!(child.status.success(), "{said}\n{errors}");
    assert!(said.contains("1 passed"), "{said}");
}
