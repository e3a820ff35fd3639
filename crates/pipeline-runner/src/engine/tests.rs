mod disk;
mod rules;
mod stacks;
mod turns;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::sync::Mutex;

use async_trait::async_trait;
use stackway_pipeline_defs::model::{
    Action, ActionMode, ArtifactFormat, ArtifactPath, BeforeEntry, CloudFormation, CodeConnections,
    Commands, Draft, EnvironmentVariable, ExecutionMode, Invocation, ManualApproval, OnFailure,
    Operator, Pipeline, Resource, RetryMode, SkipRule, SourceAction, Stage, Variable,
};

use super::{Approval, Order, Outcome, Runner};
use crate::artifact::Store;
use crate::{
    Answered, Cloud, ErrorKind, Event, Execution, Executions, ImageOrder, Log, RunError, Service,
    SourceOrder, StackOrder, Status, StoredArtifact, Watcher,
};

const SOURCE: &str = "SourceArtifact";

/// Stacks that are noted, and not made.
#[derive(Default)]
struct Noted(Mutex<Vec<StackOrder>>);

#[async_trait]
impl Cloud for Noted {
    fn value(&self, resource: Resource) -> Result<String, RunError> {
        Ok(format!("{resource:?}"))
    }

    fn environment(&self) -> BTreeMap<String, String> {
        BTreeMap::from([("AWS_REGION".to_owned(), "eu-west-2".to_owned())])
    }

    async fn keep(&self, _: &Path, sha256: &str, _: &Log<'_>) -> Result<StoredArtifact, RunError> {
        Ok(StoredArtifact {
            bucket: "bucket".to_owned(),
            key: format!("{sha256}.zip"),
            url: "https://bucket".to_owned(),
        })
    }

    async fn deploy(
        &self,
        order: &StackOrder,
        _: &Log<'_>,
    ) -> Result<BTreeMap<String, String>, RunError> {
        self.0.lock().unwrap().push(order.clone());
        Ok(BTreeMap::from([(
            "ApiUrl".to_owned(),
            "http://here".to_owned(),
        )]))
    }

    async fn call_function(&self, function: &str, event: &str) -> Result<Answered, RunError> {
        let document = match function {
            "good" => r#"{"outputVariables": {"A": "1"}}"#.to_owned(),
            "bad" => r#"{"failureDetails": {"message": "not ready"}}"#.to_owned(),
            "never" => r#"{"continuationToken": "again"}"#.to_owned(),
            "thrown" => r#"{"errorType": "E", "errorMessage": "why"}"#.to_owned(),
            // What it was called with.
            _ => event.to_owned(),
        };
        Ok(Answered {
            document,
            is_error: function == "thrown",
        })
    }

    async fn lacks(&self, service: Service) -> Result<Option<String>, RunError> {
        let is_lacking = service == Service::StackSets;
        Ok(is_lacking.then(|| "there are none".to_owned()))
    }

    async fn alarm_state(&self, name: &str) -> Result<String, RunError> {
        Ok(name.to_uppercase())
    }

    async fn publish(
        &self,
        _: &ImageOrder<'_>,
        _: &Log<'_>,
    ) -> Result<BTreeMap<String, String>, RunError> {
        Ok(BTreeMap::new())
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

/// A workspace with one commit, and where its executions are.
pub(super) struct Bench {
    pub(super) folder: tempfile::TempDir,
    cloud: Noted,
}

impl Bench {
    pub(super) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let repository = folder.path().join("repository");
        std::fs::create_dir(&repository).unwrap();
        for (name, text) in [
            ("stack.yaml", "Resources: {}"),
            (
                "stack.json",
                r#"{"Parameters": {"A": "file", "B": "file"}, "Tags": {"t": "1"}, "StackPolicy": {"Statement": []}}"#,
            ),
            ("values.json", r#"{"Key": "from a file", "Number": 1}"#),
        ] {
            std::fs::write(repository.join(name), text).unwrap();
        }
        let bench = Self {
            folder,
            cloud: Noted::default(),
        };
        bench.git(&["init", "--quiet", "--initial-branch", "main"]);
        bench.git(&["add", "--all"]);
        bench.git(&["commit", "--quiet", "--no-gpg-sign", "--message", "First"]);
        bench
    }

    fn git(&self, args: &[&str]) {
        let identity = ["-c", "user.name=a", "-c", "user.email=a@example.com"];
        let done = Command::new("git")
            .args(identity)
            .args(args)
            .current_dir(self.folder.path().join("repository"))
            .status()
            .unwrap();
        assert!(done.success());
    }

    pub(super) fn runner<'a>(&'a self, pipelines: &'a [Pipeline]) -> Runner<'a> {
        let root = self.folder.path().join("runs");
        let path = std::env::var("PATH").unwrap_or_default();
        Runner {
            pipelines,
            cloud: &self.cloud,
            watcher: &Silent,
            executions: Executions::new(&root),
            store: Store::open(&root.join("artifacts")).unwrap(),
            machine: BTreeMap::from([("PATH".to_owned(), path)]),
            environment: "local".to_owned(),
        }
    }

    pub(super) fn order(&self, pipeline: &str) -> Order {
        Order {
            pipeline: pipeline.to_owned(),
            source: SourceOrder {
                repository: self.folder.path().join("repository"),
                ..SourceOrder::default()
            },
            approval: Approval::Approve,
            ..Order::default()
        }
    }

    pub(super) async fn run(&self, pipelines: &[Pipeline], order: Order) -> Outcome {
        self.runner(pipelines).run(order).await.unwrap()
    }
}

fn source() -> SourceAction {
    let repository = CodeConnections {
        connection: Resource::Connection.into(),
        repository: Resource::RepositoryId.into(),
        branch: "main".into(),
        format: ArtifactFormat::Zip,
        detect_changes: false,
    };
    SourceAction::new("Repository", repository, SOURCE)
}

pub(super) fn draft(name: &'static str, stages: Vec<Stage>) -> Draft {
    Draft {
        name,
        summary: "A pipeline of a test",
        execution_mode: ExecutionMode::Queued,
        variables: Vec::new(),
        triggers: Vec::new(),
        source_stage: "Source",
        sources: vec![source()],
        stages,
        builds: Vec::new(),
    }
}

#[track_caller]
pub(super) fn pipeline(draft: Draft) -> Pipeline {
    draft.check().unwrap_or_else(|faults| {
        let faults: Vec<_> = faults.iter().map(ToString::to_string).collect();
        panic!("{}", faults.join("\n"))
    })
}

pub(super) fn commands(name: &str, commands: &[&str]) -> Action {
    let commands = Commands {
        commands: commands.iter().map(ToString::to_string).collect(),
        output_variables: vec!["SAID".to_owned()],
        environment: vec![EnvironmentVariable::plain(
            "COMMIT",
            "#{SourceVariables.CommitId}",
        )],
        ..Commands::default()
    };
    Action::new(name, commands).reads(SOURCE)
}

/// Stages and actions, each with its status.
pub(super) fn picture(execution: &Execution) -> String {
    let stages = execution.stages.iter().map(|stage| {
        let actions: Vec<_> = stage
            .actions
            .iter()
            .map(|action| format!("{} {}×{}", action.name, action.status.as_str(), action.runs))
            .collect();
        format!(
            "{} {}: {}\n",
            stage.name,
            stage.status.as_str(),
            actions.join(", ")
        )
    });
    stages.collect()
}

#[tokio::test]
async fn actions_hand_on_what_they_make() {
    let stack = CloudFormation {
        mode: ActionMode::CreateUpdate,
        stack: "one-#{variables.Name}".into(),
        scope: "one-*".into(),
        template: Some(ArtifactPath::new(SOURCE, "stack.yaml")),
        configuration: Some(ArtifactPath::new(SOURCE, "stack.json")),
        parameters: Some(r##"{"B":"#{Made.SAID}"}"##.into()),
        capabilities: Some("CAPABILITY_IAM".into()),
        role: Some(Resource::StackRole.into()),
        change_set: None,
        output_file: None,
    };
    let stages = vec![
        Stage::new(
            "Build",
            vec![
                commands(
                    "Say",
                    &["export SAID=\"hello $COMMIT\"", "echo made > a.txt"],
                )
                .namespace("Made")
                .makes("Files", &["*.txt"]),
            ],
        ),
        Stage::new(
            "Deploy",
            vec![
                Action::new("Stack", stack).reads(SOURCE).namespace("Stack"),
                commands("Use", &["test \"$URL\" = http://here", "cat a.txt"]).run_order(2),
            ],
        ),
    ];
    let mut one = draft("one", stages);
    one.variables.push(Variable {
        name: "Name",
        default: Some("stack"),
        description: "A name.",
    });
    // The last action reads the files of the first stage, and the stack's address.
    let last = &mut one.stages[1].actions[1];
    last.inputs = vec!["Files".to_owned()];
    let stackway_pipeline_defs::model::Provider::Commands(commands) = &mut last.provider else {
        unreachable!()
    };
    commands.environment = vec![EnvironmentVariable::plain("URL", "#{Stack.ApiUrl}")];
    let pipelines = [pipeline(one)];
    let bench = Bench::new();
    let outcome = bench.run(&pipelines, bench.order("one")).await;
    assert!(outcome.failure.is_none(), "{:?}", outcome.failure);
    let execution = &outcome.executions[0];
    assert_eq!(
        picture(execution),
        "Source Succeeded: Repository Succeeded×1\n\
         Build Succeeded: Say Succeeded×1\n\
         Deploy Succeeded: Stack Succeeded×1, Use Succeeded×1\n"
    );
    let commit = &execution.namespaces["SourceVariables"]["CommitId"];
    let stacks = bench.cloud.0.lock().unwrap();
    assert_eq!(stacks[0].stack, "one-stack");
    assert_eq!(stacks[0].parameters["A"], "file");
    assert_eq!(stacks[0].parameters["B"], format!("hello {commit}"));
    assert_eq!(stacks[0].tags["t"], "1");
    let work = bench
        .runner(&pipelines)
        .executions
        .folder("one", &execution.id);
    assert_eq!(std::fs::read_dir(work.join("work")).unwrap().count(), 0);
}

#[tokio::test]
async fn a_failed_stage_is_retried_from_where_it_failed() {
    let marker = tempfile::tempdir().unwrap();
    let path = marker.path().join("now-it-works");
    let test = format!("test -e {}", path.display());
    let stages = vec![
        Stage::new("First", vec![commands("Once", &["echo once"])]),
        Stage::new(
            "Second",
            vec![commands("Good", &["true"]), commands("Bad", &[&test])],
        ),
        Stage::new("Third", vec![commands("Last", &["true"])]),
    ];
    let pipelines = [pipeline(draft("one", stages))];
    let bench = Bench::new();
    let outcome = bench.run(&pipelines, bench.order("one")).await;
    let failure = outcome.failure.unwrap();
    assert!(failure.message.contains("`Second/Bad`"), "{failure}");
    assert_eq!(
        picture(&outcome.executions[0]),
        "Source Succeeded: Repository Succeeded×1\n\
         First Succeeded: Once Succeeded×1\n\
         Second Failed: Good Succeeded×1, Bad Failed×1\n\
         Third NotStarted: Last NotStarted×0\n"
    );
    std::fs::write(path, "").unwrap();
    let runner = bench.runner(&pipelines);
    let outcome = runner.retry(bench.order("one"), None).await.unwrap();
    assert!(outcome.failure.is_none());
    assert_eq!(
        picture(&outcome.executions[0]),
        "Source Succeeded: Repository Succeeded×1\n\
         First Succeeded: Once Succeeded×1\n\
         Second Succeeded: Good Succeeded×1, Bad Succeeded×2\n\
         Third Succeeded: Last Succeeded×1\n"
    );
    let again = runner.retry(bench.order("one"), None).await.unwrap_err();
    assert!(again.message.contains("nothing to retry"), "{again}");
}

#[tokio::test]
async fn conditions_retries_and_rollbacks_do_what_they_say() {
    let check = |value: &str| SkipRule::VariableCheck {
        name: "IsMain".to_owned(),
        variable: "#{SourceVariables.BranchName}".into(),
        operator: Operator::Matches,
        value: value.to_owned(),
    };
    let stages = vec![
        Stage {
            before_entry: Some(BeforeEntry::Skip(vec![check("rel.*")])),
            ..Stage::new("Skipped", vec![commands("A", &["true"])])
        },
        Stage {
            before_entry: Some(BeforeEntry::Skip(vec![check("ma.n")])),
            on_failure: Some(OnFailure::Retry(RetryMode::AllActions)),
            ..Stage::new("Twice", vec![commands("B", &["true"])])
        },
        Stage {
            on_failure: Some(OnFailure::Rollback),
            ..Stage::new("Back", vec![commands("C", &["true"])])
        },
    ];
    let pipelines = [pipeline(draft("one", stages))];
    let bench = Bench::new();
    let fail = |label: &str| Order {
        fail: vec![label.to_owned()],
        ..bench.order("one")
    };
    let first = bench.run(&pipelines, fail("Back/C")).await;
    let causes = first.failure.unwrap().causes.join("\n");
    assert!(causes.contains("it has never succeeded here"), "{causes}");

    let good = bench.run(&pipelines, bench.order("one")).await;
    assert!(good.failure.is_none());
    assert!(picture(&good.executions[0]).contains("Skipped Skipped: A NotStarted×0"));

    let twice = bench.run(&pipelines, fail("Twice/B")).await;
    assert!(picture(&twice.executions[0]).contains("Twice Failed: B Failed×2"));

    let back = bench.run(&pipelines, fail("Back/C")).await;
    let causes = back.failure.unwrap().causes.join("\n");
    let target = &good.executions[0].id;
    assert!(
        causes.contains(&format!("rolled back to what execution {target} had")),
        "{causes}"
    );
    let newest = bench
        .runner(&pipelines)
        .executions
        .find("one", None)
        .unwrap();
    assert_eq!(newest.rollback_of.as_ref(), Some(target));
    assert_eq!(newest.status, Status::Succeeded);
}

fn two() -> [Pipeline; 2] {
    let invocation = Invocation {
        pipeline: "second",
        variables: vec![("Name", "#{SourceVariables.CommitId}".into())],
        revisions: Vec::new(),
    };
    let first = draft(
        "first",
        vec![
            Stage::new(
                "Make",
                vec![commands("Say", &["export SAID=x"]).namespace("Made")],
            ),
            Stage::new("Invoke", vec![Action::new("Second", invocation)]),
        ],
    );
    let mut second = draft(
        "second",
        vec![
            Stage::new(
                "Approval",
                vec![Action::new("Approve", ManualApproval::default())],
            ),
            Stage::new("Say", vec![commands("Say", &["true"])]),
        ],
    );
    second.variables.push(Variable {
        name: "Name",
        default: None,
        description: "A name.",
    });
    [pipeline(first), pipeline(second)]
}

#[tokio::test]
async fn an_invoked_pipeline_runs_with_its_variables_and_its_approval() {
    let pipelines = two();
    let bench = Bench::new();
    let outcome = bench.run(&pipelines, bench.order("first")).await;
    assert!(outcome.failure.is_none(), "{:?}", outcome.failure);
    let [first, second] = outcome.executions.as_slice() else {
        panic!("{outcome:?}")
    };
    assert_eq!(
        second.namespaces["variables"]["Name"],
        first.namespaces["SourceVariables"]["CommitId"]
    );
    assert_eq!(second.invoked_by.as_ref(), Some(&first.id));

    let reject = Order {
        approval: Approval::Reject,
        from: Some("Invoke".to_owned()),
        ..bench.order("first")
    };
    let outcome = bench.run(&pipelines, reject).await;
    assert_eq!(outcome.failure.unwrap().kind, ErrorKind::Rejected);
    assert!(picture(&outcome.executions[0]).contains("Make Skipped"));
}

#[tokio::test]
async fn an_answer_from_elsewhere_is_taken() {
    let pipelines = two();
    let bench = Bench::new();
    let runner = bench.runner(&pipelines);
    let order = Order {
        approval: Approval::Ask,
        ..bench.order("first")
    };
    let elsewhere = async {
        loop {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            let Ok(execution) = runner.executions.find("second", None) else {
                continue;
            };
            if execution.stages[1].actions[0].status == Status::InProgress {
                runner
                    .executions
                    .decide(&execution, "Approval", "Approve", true)
                    .unwrap();
                return;
            }
        }
    };
    let (outcome, ()) = tokio::join!(runner.run(order), elsewhere);
    assert!(outcome.unwrap().failure.is_none());
}

#[tokio::test]
async fn a_wrong_order_is_refused_before_anything_runs() {
    let pipelines = two();
    let bench = Bench::new();
    let order = |change: &dyn Fn(&mut Order)| {
        let mut order = bench.order("first");
        change(&mut order);
        order
    };
    let cases: [(Order, &str); 6] = [
        (bench.order("third"), "there is no pipeline `third`"),
        (
            order(&|order| order.until = Some("Nowhere".to_owned())),
            "has no stage `Nowhere`",
        ),
        (
            order(&|order| order.fail = vec!["Make/Nothing".to_owned()]),
            "no action `Make/Nothing`",
        ),
        (
            order(&|order| {
                order.variables.insert("X".to_owned(), String::new());
            }),
            "has no variable `X`",
        ),
        (bench.order("second"), "needs variable `Name`"),
        (
            order(&|order| order.chain = vec!["first".to_owned(), "second".to_owned()]),
            "would start itself",
        ),
    ];
    for (order, words) in cases {
        let error = bench.runner(&pipelines).run(order).await.unwrap_err();
        assert!(error.message.contains(words), "{error}");
        assert!(!bench.folder.path().join("runs/executions").exists());
    }
}
