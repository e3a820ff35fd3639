//! The image, run as an engine runs it.

use std::process::Command;
use std::time::Duration;

use crate::workbench::Workbench;

/// A container that ends with the test.
pub(crate) struct Container(pub(crate) String);

impl Drop for Container {
    fn drop(&mut self) {
        let _ = Command::new("docker")
            .args(["rm", "--force", &self.0])
            .output();
    }
}

pub(crate) fn docker(args: &[&str]) -> String {
    let output = Command::new("docker").args(args).output().unwrap();
    assert!(
        output.status.success(),
        "docker {args:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// Whether a Docker engine answers. A test that is skipped without one says so; where one is asked for it fails.
#[expect(clippy::print_stderr, reason = "a skipped test says so")]
pub(crate) fn engine_answers() -> bool {
    let info = Command::new("docker").arg("info").output();
    let answers = info.is_ok_and(|output| output.status.success());
    if !answers {
        assert!(
            std::env::var_os("STACKWAY_REQUIRE_DOCKER").is_none(),
            "no Docker engine answers"
        );
        eprintln!("skipped: no Docker engine answers");
    }
    answers
}

/// The same code as the release, built in a fraction of the time.
#[test]
fn the_image_serves_over_a_container() {
    if !engine_answers() {
        return;
    }
    let output = tempfile::tempdir().unwrap();
    let report = Workbench::new()
        .run(&[
            "package",
            "--profile",
            "local",
            "--image",
            "always",
            "--format",
            "json",
            "--output",
            output.path().to_str().unwrap(),
        ])
        .succeeded()
        .json();
    assert_eq!(report["loaded"], true);
    let image = report["image"]["name"].as_str().unwrap();
    let format = "{{.Config.User}} {{json .Config.Entrypoint}} {{.Architecture}}";
    let said = docker(&["image", "inspect", "--format", format, image]);
    assert!(said.starts_with(r#"65532:65532 ["/bootstrap"]"#), "{said}");

    let container = Container(docker(&[
        "run",
        "--detach",
        "--read-only",
        "--publish",
        "127.0.0.1::8080",
        "--env",
        "TABLE_NAME=items",
        "--env",
        "AWS_REGION=eu-west-2",
        "--env",
        "AWS_ACCESS_KEY_ID=local",
        "--env",
        "AWS_SECRET_ACCESS_KEY=local",
        image,
    ]));
    let address = docker(&["port", &container.0, "8080/tcp"]);
    let url = format!("http://{}/", address.lines().next().unwrap());
    let answer = (0..100)
        .find_map(|_| {
            std::thread::sleep(Duration::from_millis(100));
            ureq::get(&url).call().ok()
        })
        .unwrap_or_else(|| panic!("{url} does not answer: {}", docker(&["logs", &container.0])));
    assert_eq!(answer.status(), 200);
    docker(&["stop", "--time", "10", &container.0]);
    let code = docker(&["inspect", "--format", "{{.State.ExitCode}}", &container.0]);
    assert_eq!(code, "0", "it ends by itself when it is asked to");
}

/// Runs it where nothing but the compiler is on PATH.
#[test]
fn what_is_missing_is_one_error_with_the_next_step() {
    let folder = tempfile::tempdir().unwrap();
    let sysroot = Command::new("rustc")
        .args(["--print", "sysroot"])
        .output()
        .unwrap();
    let sysroot = String::from_utf8(sysroot.stdout).unwrap();
    let rustc = std::path::Path::new(sysroot.trim()).join("bin/rustc");
    std::os::unix::fs::symlink(rustc, folder.path().join("rustc")).unwrap();
    let path = folder.path().to_str().unwrap();
    let bench = Workbench::new();
    let other = if cfg!(target_arch = "x86_64") {
        "arm64"
    } else {
        "x86_64"
    };
    for (args, words) in [
        (
            &["--libc", "musl", "--arch", other][..],
            &["hint: install"][..],
        ),
        (&["--libc", "glibc", "--arch", other], &["hint: install"]),
        (
            &["--image", "always"],
            &["there is no `docker` command", "hint: start"],
        ),
    ] {
        let args = [&["package"], args].concat();
        bench.run_with(&args, &[("PATH", path)]).refused(4, words);
    }
    let host = bench.run_with(&["package", "--image", "never"], &[("PATH", path)]);
    host.refused(4, &["`cc` does not run", "hint: install"]);
}
