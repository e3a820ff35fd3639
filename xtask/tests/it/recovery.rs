//! Deploys that fail, are interrupted or killed, and what the next one makes of it.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::workbench::{LOCAL as CONFIG, Workbench};

const TABLE: &str = "cloudformation/table.yaml";

/// Resources of which the second waits some seconds for a signal that nobody sends.
fn never_ready(seconds: u32) -> String {
    format!(
        "
  Handle:
    Type: AWS::CloudFormation::WaitConditionHandle
  Wait:
    Type: AWS::CloudFormation::WaitCondition
    DependsOn: Table
    Properties:
      Handle: !Ref Handle
      Timeout: \"{seconds}\"

Outputs:"
    )
}

/// The template of the table as it is; with a resource that never comes to be until it is written back.
struct Template<'a> {
    bench: &'a Workbench,
    good: String,
}

impl<'a> Template<'a> {
    fn of(bench: &'a Workbench) -> Self {
        let good = std::fs::read_to_string(bench.file(TABLE)).unwrap();
        Self { bench, good }
    }

    fn spoil(&self, seconds: u32) {
        let spoiled = self.good.replacen("\nOutputs:", &never_ready(seconds), 1);
        assert_ne!(spoiled, self.good);
        std::fs::write(self.bench.file(TABLE), spoiled).unwrap();
    }

    fn repair(&self) {
        std::fs::write(self.bench.file(TABLE), &self.good).unwrap();
    }
}

fn status(bench: &Workbench) -> Value {
    let report = bench
        .run(&["status", "--format", "json"])
        .succeeded()
        .json();
    let stacks = report["stacks"].as_array().unwrap();
    let table = stacks.iter().find(|stack| stack["name"] == "table");
    table.unwrap().clone()
}

const DEPLOY: [&str; 3] = ["deploy", "--stack", "table"];

/// Starts a deploy, and returns once the table's stack waits; what was said until then comes with it.
fn deploy_until_it_waits(bench: &Workbench) -> (Child, BufReader<impl Read + use<>>, String) {
    let mut deploy = bench
        .command(&DEPLOY)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = String::new();
    let mut lines = BufReader::new(deploy.stderr.take().unwrap());
    while !said
        .lines()
        .any(|line| line.contains("_IN_PROGRESS") && line.contains(" Wait AWS"))
    {
        assert_ne!(lines.read_line(&mut said).unwrap(), 0, "{said}");
    }
    (deploy, lines, said)
}

fn signal(process: &Child, signal: &str) {
    let pid = process.id().to_string();
    let sent = Command::new("kill").args([signal, &pid]).status().unwrap();
    assert!(sent.success());
}

#[test]
fn a_failed_creation_is_explained_and_made_anew_on_a_yes() {
    let bench = Workbench::with_config(CONFIG);
    let template = Template::of(&bench);
    template.spoil(1);
    bench
        .run(&DEPLOY)
        .refused(7, &["ended in ROLLBACK_COMPLETE"]);
    template.repair();

    let explained = bench.run(&DEPLOY);
    let words = [
        "is in ROLLBACK_COMPLETE: its first creation failed, so it can only be deleted",
        "cause: Wait (AWS::CloudFormation::WaitCondition): WaitCondition timed out",
        "`cargo xtask deploy --env local --recreate`, which removes the stack and makes it anew",
    ];
    explained.refused(7, &words);
    assert_eq!(status(&bench)["status"], "ROLLBACK_COMPLETE");
    // The answer to another question does not remove a stack.
    bench
        .run(&["deploy", "--stack", "table", "--yes"])
        .refused(7, &words);

    let anew = bench
        .run(&["deploy", "--stack", "table", "--recreate"])
        .succeeded();
    for words in [
        "removing it: nothing else gets it out of ROLLBACK_COMPLETE",
        "1 created, 0 updated",
    ] {
        assert!(anew.stderr.contains(words), "{}", anew.stderr);
    }
    let again = bench
        .run(&["deploy", "--stack", "table", "--recreate"])
        .succeeded();
    assert!(
        again.stderr.contains("no changes: 1 stacks match"),
        "what stands is never made anew: {}",
        again.stderr
    );
    bench
        .run(&["deploy", "--skip", "Table"])
        .refused(2, &["--continue-rollback"]);
}

#[test]
fn a_failed_update_is_rolled_back_and_the_next_goes_through() {
    let bench = Workbench::with_config(CONFIG);
    let template = Template::of(&bench);
    bench.run(&DEPLOY).succeeded();
    template.spoil(1);
    bench.run(&DEPLOY).refused(
        7,
        &[
            "ended in UPDATE_ROLLBACK_COMPLETE",
            "WaitCondition timed out",
        ],
    );
    assert_eq!(
        status(&bench)["outcome"],
        "last update rolled back; as it was before"
    );
    template.repair();
    let parameters = "\n[environments.local.parameters.table]\nPointInTimeRecovery = \"false\"\n";
    std::fs::write(bench.file("stackway.toml"), format!("{CONFIG}{parameters}")).unwrap();
    let updated = bench.run(&DEPLOY).succeeded();
    assert!(
        updated.stderr.contains("0 created, 1 updated"),
        "{}",
        updated.stderr
    );
    assert_eq!(status(&bench)["status"], "UPDATE_COMPLETE");
}

/// The first Ctrl-C cancels the update and shows its rollback.
#[test]
fn an_interrupted_update_is_cancelled_and_rolled_back() {
    let bench = Workbench::with_config(CONFIG);
    let template = Template::of(&bench);
    bench.run(&DEPLOY).succeeded();
    template.spoil(4);
    let (mut deploy, mut lines, mut said) = deploy_until_it_waits(&bench);
    signal(&deploy, "-INT");
    lines.read_to_string(&mut said).unwrap();
    assert_eq!(deploy.wait().unwrap().code(), Some(130), "{said}");
    for words in [
        "cancelled: CloudFormation rolls the update back",
        "UPDATE_ROLLBACK_IN_PROGRESS",
        "error: interrupted",
        "cause: table: UPDATE_ROLLBACK_COMPLETE",
        "`cargo xtask deploy --env local` continues from what stands",
    ] {
        assert!(said.contains(words), "`{words}` is not in\n{said}");
    }
    template.repair();
    let again = bench.run(&DEPLOY).succeeded();
    assert!(again.stderr.contains("no changes"), "{}", again.stderr);
}

/// The second Ctrl-C leaves at once, and says what goes on without it; a creation cannot be cancelled.
#[test]
fn an_interrupted_creation_goes_on_and_a_second_interrupt_leaves_it() {
    let bench = Workbench::with_config(CONFIG);
    let template = Template::of(&bench);
    template.spoil(6);
    let (mut deploy, mut lines, mut said) = deploy_until_it_waits(&bench);
    signal(&deploy, "-INT");
    while !said.contains("cannot be cancelled") {
        assert_ne!(lines.read_line(&mut said).unwrap(), 0, "{said}");
    }
    signal(&deploy, "-INT");
    lines.read_to_string(&mut said).unwrap();
    assert_eq!(deploy.wait().unwrap().code(), Some(130), "{said}");
    for words in [
        "is in CREATE_IN_PROGRESS, which cannot be cancelled",
        "CloudFormation goes on with the operations it has begun",
        "`cargo xtask deploy --env local` continues",
    ] {
        assert!(said.contains(words), "`{words}` is not in\n{said}");
    }
    assert_eq!(status(&bench)["status"], "CREATE_IN_PROGRESS");
}

/// A deploy that is killed leaves an operation; the next waits for it, and converges.
#[test]
fn what_a_killed_deploy_has_begun_is_waited_for() {
    let bench = Workbench::with_config(CONFIG);
    let template = Template::of(&bench);
    bench.run(&DEPLOY).succeeded();
    template.spoil(3);
    let (mut deploy, _, _) = deploy_until_it_waits(&bench);
    signal(&deploy, "-KILL");
    deploy.wait().unwrap();
    template.repair();
    let again = bench.run(&DEPLOY).succeeded();
    for words in [
        "is in UPDATE_IN_PROGRESS: waiting for that operation to end",
        "UPDATE_ROLLBACK_COMPLETE",
        "no changes",
    ] {
        assert!(again.stderr.contains(words), "{}", again.stderr);
    }
}

/// Calls CloudFormation behind the deploy's back, as any client would.
fn cloudformation(bench: &Workbench, action: &str, parameters: &str) -> String {
    let authorization = "AWS4-HMAC-SHA256 Credential=000000000000/20260101/eu-west-2/cloudformation/aws4_request, \
                         SignedHeaders=host, Signature=0";
    let stack = "stackway-eu-west-2-local-table";
    let answer = ureq::post(format!("http://127.0.0.1:{}/", bench.port()))
        .header("authorization", authorization)
        .header("content-type", "application/x-www-form-urlencoded")
        .send(format!(
            "Action={action}&Version=2010-05-15&StackName={stack}{parameters}"
        ))
        .unwrap()
        .body_mut()
        .read_to_string()
        .unwrap();
    // What follows differs from answer to answer.
    let (answer, _) = answer.split_once("<ResponseMetadata>").unwrap();
    answer.to_owned()
}

#[test]
fn a_protected_environment_guards_its_stacks_and_their_data() {
    let config = format!("{CONFIG}protect = true\n");
    let bench = Workbench::with_config(&config);
    let first = bench.run(&DEPLOY).succeeded();
    assert!(
        first.stderr.contains("table        protected: "),
        "{}",
        first.stderr
    );
    let closed = cloudformation(&bench, "GetStackPolicy", "");
    assert!(
        closed.contains("Update:Replace") && !closed.contains("NotResource"),
        "{closed}"
    );
    let again = bench.run(&DEPLOY).succeeded();
    assert!(
        again.stderr.contains("no changes") && !again.stderr.contains("protected:"),
        "{}",
        again.stderr
    );
    let template = Template::of(&bench);
    let renamed = template
        .good
        .replacen("${Environment}-table\"", "${Environment}-table2\"", 1);
    std::fs::write(bench.file(TABLE), renamed).unwrap();
    bench
        .run(&DEPLOY)
        .refused(13, &["--allow-replace table/Table"]);
    bench
        .run(&["deploy", "--stack", "table", "--allow-replace", "Table"])
        .succeeded();
    assert_eq!(
        cloudformation(&bench, "GetStackPolicy", ""),
        closed,
        "closed again"
    );
    // So that the bench can be taken down.
    cloudformation(
        &bench,
        "UpdateTerminationProtection",
        "&EnableTerminationProtection=false",
    );
}
