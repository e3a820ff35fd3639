use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use stackway_pipeline_defs::model::Resource;

use super::{Build, Buildspec, Built};
use crate::artifact::Store;
use crate::{
    Cloud, ErrorKind, Event, ImageOrder, Log, Parameter, RunError, SecretReference, StackOrder,
    Watcher,
};

struct Nowhere;

#[async_trait]
impl Cloud for Nowhere {
    fn value(&self, _: Resource) -> Result<String, RunError> {
        Ok(String::new())
    }

    fn environment(&self) -> BTreeMap<String, String> {
        BTreeMap::new()
    }

    async fn deploy(
        &self,
        _: &StackOrder,
        _: &Log<'_>,
    ) -> Result<BTreeMap<String, String>, RunError> {
        Ok(BTreeMap::new())
    }

    async fn publish(
        &self,
        _: &ImageOrder<'_>,
        _: &Log<'_>,
    ) -> Result<BTreeMap<String, String>, RunError> {
        Ok(BTreeMap::new())
    }

    async fn parameter(&self, name: &str) -> Result<Parameter, RunError> {
        Ok(Parameter {
            value: format!("value of {name}"),
            is_secret: name.starts_with("/secret"),
        })
    }

    async fn secret(&self, reference: &SecretReference) -> Result<String, RunError> {
        let stage = reference.version_stage.as_deref().unwrap_or("AWSCURRENT");
        Ok(format!(
            r#"{{"user": "{} {stage}", "number": 12345}}"#,
            reference.id
        ))
    }
}

struct Silent;

#[async_trait]
impl Watcher for Silent {
    fn see(&self, _: &Event<'_>) {}

    async fn ask(&self, _: &str) -> Option<bool> {
        None
    }
}

struct Ran {
    folder: tempfile::TempDir,
    result: Result<Built, RunError>,
    log: String,
}

async fn run(spec: &str, outputs: &[&str], timeout: Duration) -> Ran {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    for name in ["src", "scripts"] {
        std::fs::create_dir(path(name)).unwrap();
    }
    let spec = Buildspec::parse("test.yml", spec).unwrap();
    let store = Store::open(&path("store")).unwrap();
    let outputs: Vec<_> = outputs.iter().map(ToString::to_string).collect();
    let log = Log::open("Test/Test", &path("log"), &Silent).unwrap();
    let build = Build {
        spec: &spec,
        folder: &path("src"),
        scripts: &path("scripts"),
        variables: BTreeMap::from([("PATH".to_owned(), std::env::var("PATH").unwrap_or_default())]),
        overrides: BTreeMap::from([("GIVEN".to_owned(), "by the action".to_owned())]),
        store: &store,
        outputs: &outputs,
        cloud: &Nowhere,
        timeout: Some(timeout),
    };
    let result = build.run(&log).await;
    let log = std::fs::read_to_string(path("log")).unwrap();
    Ran {
        folder,
        result,
        log,
    }
}

const LONG: Duration = Duration::from_mins(1);

/// Runs phases, and compares what they print and how the build ends.
async fn phases(spec: &str, printed: &[&str], failure: Option<&str>) {
    let ran = run(&format!("version: 0.2\n{spec}"), &[], LONG).await;
    let lines: Vec<_> = ran
        .log
        .lines()
        .filter(|line| !line.starts_with("==") && !line.starts_with("$ "))
        .collect();
    assert_eq!(lines, printed, "{spec}");
    let built = ran.result.unwrap();
    let found = built.failure.map(|failure| failure.message);
    assert_eq!(found.as_deref(), failure, "{spec}");
}

#[tokio::test]
async fn one_shell_runs_all_commands() {
    phases(
        r#"
env: {shell: bash, variables: {A: one, GIVEN: by the file, N: 3}, parameter-store: {P: /a/b}}
phases:
  install: {commands: [export B=two, mkdir d, cd d, "f() { echo function; }"]}
  build: {commands: ['echo "$A $B $N"', 'basename "$PWD"', f, 'echo "$GIVEN"', 'echo "$P"', "printf no-line-break", cat]}
"#,
        &["one two 3", "d", "function", "by the action", "***", "no-line-break"],
        None,
    )
    .await;
}

#[tokio::test]
async fn failures_follow_the_rules_of_phases() {
    let fails = |phase: &str, more: &str| {
        let each = ["install", "pre_build", "build", "post_build"].map(|name| {
            let command = if name == phase { "'false'" } else { "'true'" };
            let more = if name == phase { more } else { "" };
            format!("  {name}: {{{more}commands: [echo {name}, {command}, echo after], finally: [echo at last]}}\n")
        });
        format!("phases:\n{}", each.concat())
    };
    let good = |name: &'static str| [name, "after", "at last"];
    let bad = |name: &'static str| [name, "at last"];
    let said = |name: &str| format!("`false` ended with status 1 in phase {name}");
    phases(
        &fails("install", ""),
        &bad("install"),
        Some(&said("install")),
    )
    .await;
    let lines = [&good("install")[..], &bad("pre_build")].concat();
    phases(&fails("pre_build", ""), &lines, Some(&said("pre_build"))).await;
    let before = [&good("install")[..], &good("pre_build"), &bad("build")].concat();
    let all = [&before[..], &good("post_build")].concat();
    phases(&fails("build", ""), &all, Some(&said("build"))).await;
    phases(
        &fails("build", "on-failure: ABORT, "),
        &before,
        Some(&said("build")),
    )
    .await;
    let told = "`false` ended with status 1 in phase build; on-failure is CONTINUE";
    let all = [&before[..], &[told], &good("post_build")].concat();
    phases(&fails("build", "on-failure: CONTINUE, "), &all, None).await;
    phases(
        "phases: {build: {commands: [echo $CODEBUILD_BUILD_SUCCEEDING, exit 3]}, post_build: {commands: echo $CODEBUILD_BUILD_SUCCEEDING}}",
        &["1", "the command ended the shell with status 3; the next one gets a new shell", "0"],
        Some("`exit 3` ended with status 3 in phase build"),
    )
    .await;
}

#[tokio::test]
async fn variables_artifacts_and_reports_are_handed_on() {
    let spec = r#"
version: "0.2"
env: {exported-variables: [VERSION, UNSET]}
phases:
  build:
    commands:
      - export VERSION=1.2
      - mkdir out && echo a > out/a.txt && echo b > out/b.bin
      - printf '<testsuites><testsuite><testcase classname="m" name="good"/><testcase classname="m" name="bad"><failure/></testcase><testcase name="left"><skipped/></testcase></testsuite></testsuites>' > junit.xml
      - printf 'SF:a\nLF:10\nLH:9\nend_of_record\n' > lcov.info
      - "false"
reports:
  junit: {files: [junit.xml], file-format: JUNITXML}
  arn:aws:codebuild:r:1:report-group/x-cover: {files: [lcov.info], file-format: LCOV}
artifacts: {files: ["*.txt"], base-directory: out}
"#;
    let ran = run(spec, &["Out"], LONG).await;
    let built = ran.result.unwrap();
    assert!(built.failure.is_some());
    assert_eq!(built.exported["VERSION"], "1.2");
    assert_eq!(built.exported["UNSET"], "");
    let texts: Vec<_> = built
        .reports
        .iter()
        .map(super::ReportSummary::text)
        .collect();
    assert_eq!(
        texts,
        [
            "report x-cover: 9 of 10 lines (90.0 %)",
            "report junit: 1 passed, 1 failed, 1 skipped"
        ]
    );
    assert_eq!(built.reports[1].failed, ["m bad"]);
    let path = ran.folder.path().join("store");
    let path = path.join(format!("{}.zip", built.artifacts["Out"]));
    let mut zip = zip::ZipArchive::new(std::fs::File::open(path).unwrap()).unwrap();
    let names: Vec<_> = (0..zip.len())
        .map(|index| zip.by_index(index).unwrap().name().unwrap().to_string())
        .collect();
    assert_eq!(names, ["a.txt"]);
}

#[tokio::test]
async fn a_command_that_never_ends_is_ended_with_its_children() {
    let spec = "version: 0.2\nphases: {build: {commands: ['setsid sleep 1000 & echo $!', 'sleep 1000 & echo $!; wait']}}";
    let start = Instant::now();
    let ran = run(spec, &[], Duration::from_millis(600)).await;
    let error = ran.result.unwrap_err();
    assert!(error.message.contains("the time was over"), "{error}");
    assert!(start.elapsed() < Duration::from_secs(20));
    let children: Vec<_> = ran
        .log
        .lines()
        .filter(|line| line.parse::<u32>().is_ok())
        .collect();
    assert_eq!(children.len(), 2, "{}", ran.log);
    for _ in 0..100 {
        if children.iter().all(|child| is_gone(child)) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("one of {children:?} is still there");
}

/// Whether a process has ended; one that nobody has asked about yet has no command any more.
fn is_gone(process: &str) -> bool {
    let line = std::fs::read(Path::new("/proc").join(process).join("cmdline"));
    line.unwrap_or_default().is_empty()
}

const HELD: &str = "STACKWAY_TEST_BUILD_THAT_IS_KILLED";

/// The other process of [`a_killed_runner_leaves_no_process`].
#[tokio::test]
#[ignore = "runs in the process that another test kills"]
async fn runs_until_it_is_killed() {
    let Ok(path) = std::env::var(HELD) else {
        return;
    };
    let spec = format!(
        "version: 0.2\nphases: {{build: {{commands: ['setsid sleep 1000 & echo $! > {path}', 'sleep 1000 & echo $! >> {path}; wait']}}}}"
    );
    let _ = run(&spec, &[], LONG).await;
}

#[test]
fn a_killed_runner_leaves_no_process() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pid");
    let mut runner = std::process::Command::new(std::env::current_exe().unwrap())
        .args([
            "--ignored",
            "--exact",
            "build::tests::runs_until_it_is_killed",
        ])
        .env(HELD, &path)
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let within = |what: &str, done: &dyn Fn() -> bool| {
        for _ in 0..500 {
            if done() {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("{what}");
    };
    let pid = || std::fs::read_to_string(&path).unwrap_or_default();
    within("the commands have not begun", &|| {
        pid().lines().count() == 2
    });
    // SIGKILL: no code of the runner runs any more.
    runner.kill().unwrap();
    runner.wait().unwrap();
    within("a command is still there", &|| pid().lines().all(is_gone));
}

#[tokio::test]
async fn output_without_end_is_ended() {
    for command in ["yes", "yes | tr -d '\\n'"] {
        let spec = format!("version: 0.2\nphases:\n  build:\n    commands:\n      - {command}\n");
        let error = run(&spec, &[], LONG).await.result.unwrap_err();
        assert_eq!(
            error.message,
            "`Test/Test` wrote more than 64 MiB, or a million lines"
        );
    }
}

#[test]
fn a_buildspec_that_codebuild_would_refuse_is_refused() {
    for (text, why) in [
        ("version: 0.2\nphases: {biuld: {commands: []}}", "biuld"),
        ("version: 0.2\nphases: {}\nphase: {}", "phase"),
        ("version: 0.1\nphases: {}", "version is `0.1`"),
        (
            "version: 0.2\nphases: {build: {on-failure: RETRY, commands: []}}",
            "RETRY",
        ),
        ("version: 0.2", "phases"),
        ("version: [", ""),
    ] {
        let error = Buildspec::parse("buildspecs/test.yml", text).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Definition);
        assert!(error.message.contains("buildspecs/test.yml"));
        assert!(error.causes[0].contains(why), "{:?}", error.causes);
    }
}

#[tokio::test]
async fn an_artifact_that_leaves_the_sources_is_refused() {
    for (commands, files, words) in [
        ("ln -s /etc/passwd out.txt", "'*.txt'", "a link that leaves"),
        ("'true'", "../secret", "leaves the folder"),
        ("'true'", "/etc/passwd", "leaves the folder"),
        ("'true'", "none.txt", "no file fits"),
    ] {
        let spec = format!(
            "version: 0.2\nphases: {{build: {{commands: [{commands}]}}}}\nartifacts: {{files: [{files}]}}"
        );
        let failure = run(&spec, &["Out"], LONG).await.result.unwrap().failure;
        let failure = failure.unwrap();
        assert!(failure.message.contains(words), "{failure}");
    }
}

#[tokio::test]
async fn secrets_reach_commands_and_nothing_else() {
    phases(
        r#"
env:
  parameter-store: {P: /a/b, S: /secret/c}
  secrets-manager: {WHOLE: name, USER: "name:user", OLD: "name:user:AWSPREVIOUS", N: "name:number"}
phases:
  build:
    commands:
      - test "$P" = "value of /a/b"
      - test "$USER" = "name AWSCURRENT"
      - test "$OLD" = "name AWSPREVIOUS"
      - test "$N" = 12345
      - echo "$WHOLE"; echo "a $S b $USER c"; echo "$N$N"
"#,
        &["***", "a *** b *** c", "******"],
        None,
    )
    .await;
    for (env, words) in [
        (
            "secrets-manager: {A: 'name:none'}",
            "secret `name` has no value of key `none`",
        ),
        ("secrets-manager: {A: ':x'}", "no reference to a secret"),
        (
            "secrets-manager: {A: 'name:user'}, exported-variables: [A]",
            "exported variable `A` holds a secret",
        ),
        (
            "parameter-store: {A: /secret/c}, exported-variables: [A]",
            "exported variable `A` holds a secret",
        ),
    ] {
        let spec =
            format!("version: 0.2\nenv: {{{env}}}\nphases: {{build: {{commands: ['true']}}}}");
        let error = run(&spec, &[], LONG).await.result.unwrap_err();
        assert!(error.message.contains(words), "{error:?}");
        assert!(!format!("{error:?}").contains("AWSCURRENT"), "{error:?}");
    }
    let spec = "version: 0.2\nenv: {parameter-store: {A: /a/b}, exported-variables: [A]}\nphases: {build: {commands: ['true']}}";
    let built = run(spec, &[], LONG).await.result.unwrap();
    assert_eq!(built.exported["A"], "value of /a/b");
}
