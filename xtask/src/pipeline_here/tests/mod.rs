//! Pipelines of tests over an emulator: what the project's own two pipelines do not have.

mod images;
mod invoke;
mod rules;
mod secrets;
mod sets;
mod stacks;

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::process::Command;
use std::sync::Mutex;

use async_trait::async_trait;
use clap::Parser as _;
use stackway_local_cloud::{Emulator, Moto};
use stackway_pipeline_defs::model::{
    Action, ArtifactFormat, Build, Buildspec, CodeBuild, CodeConnections, Commands, Draft,
    ExecutionMode, Phase, Phases, Pipeline, Provider, Resource, SourceAction, Stage,
};
use stackway_pipeline_runner::artifact::Store;
use stackway_pipeline_runner::engine::{Approval, Order, Outcome, Runner};
use stackway_pipeline_runner::{Event, Executions, RunError, SourceOrder, Watcher};
use tokio::runtime::Runtime;

use super::{Here, site_of, variables};
use crate::cli::Cli;
use crate::cloud::{Cloud, emulator};
use crate::settings::{Endpoint, Settings};
use crate::ui::Ui;

const SOURCE: &str = "SourceArtifact";

/// An emulator, a repository, and where executions are kept; all of it ends with the test.
struct Bench {
    folder: tempfile::TempDir,
    runtime: Runtime,
    emulator: Option<Emulator>,
    settings: Settings,
    cloud: Cloud,
    ui: Ui,
    seen: Seen,
}

impl Bench {
    /// Over an emulator of its own.
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (ui, mut settings) = local();
        let port = TcpListener::bind(("127.0.0.1", 0))
            .and_then(|listener| listener.local_addr())
            .unwrap()
            .port();
        let own = emulator(&settings.project, port).with_state_dir(folder.path().join("emulator"));
        let runtime = Runtime::new().unwrap();
        let running = runtime.block_on(async {
            own.install(&|_: &str| {}).await.unwrap();
            own.start().await.unwrap()
        });
        settings.endpoint = Endpoint::Given(running.endpoint_url);
        let mut bench = Self::over(settings, folder, runtime, ui);
        bench.emulator = Some(own);
        bench
    }

    /// Over moto's server, which has what the project's own emulator lacks; it ends with the second value.
    fn over_moto() -> (Self, Moto) {
        let (ui, mut settings) = local();
        let runtime = Runtime::new().unwrap();
        let dir = settings.project.state_dir().join("moto");
        let moto = runtime.block_on(Moto::start(dir, &|_: &str| {})).unwrap();
        settings.endpoint = Endpoint::Given(moto.endpoint_url());
        let folder = tempfile::tempdir().unwrap();
        (Self::over(settings, folder, runtime, ui), moto)
    }

    fn over(settings: Settings, folder: tempfile::TempDir, runtime: Runtime, ui: Ui) -> Self {
        std::fs::create_dir(folder.path().join("repository")).unwrap();
        let cloud = runtime.block_on(Cloud::for_writing(&ui, &settings));
        Self {
            folder,
            runtime,
            emulator: None,
            cloud: cloud.unwrap_or_else(|failure| panic!("{failure:?}")),
            settings,
            ui,
            seen: Seen::default(),
        }
    }

    /// Commits files to the repository.
    fn commit(&self, files: &[(&str, &str)]) {
        for (name, text) in files {
            std::fs::write(self.folder.path().join("repository").join(name), text).unwrap();
        }
        for args in [
            &["init", "--quiet", "--initial-branch", "main"][..],
            &["add", "--all"],
            &[
                "commit",
                "--quiet",
                "--no-gpg-sign",
                "--message",
                "A commit",
            ],
        ] {
            let done = Command::new("git")
                .args(["-c", "user.name=a", "-c", "user.email=a@example.com"])
                .args(args)
                .current_dir(self.folder.path().join("repository"))
                .status()
                .unwrap();
            assert!(done.success());
        }
    }

    fn order(&self) -> Order {
        Order {
            pipeline: "one".to_owned(),
            source: SourceOrder {
                repository: self.folder.path().join("repository"),
                ..SourceOrder::default()
            },
            approval: Approval::Approve,
            ..Order::default()
        }
    }

    /// Runs the stages as pipeline `one`.
    fn run(&self, stages: Vec<Stage>) -> Outcome {
        self.run_with(stages, self.order())
    }

    fn run_with(&self, stages: Vec<Stage>, order: Order) -> Outcome {
        let outcome = self.begin(stages, order);
        outcome.unwrap_or_else(|error| panic!("{error:?}"))
    }

    fn begin(&self, stages: Vec<Stage>, order: Order) -> Result<Outcome, RunError> {
        let pipelines = [pipeline(stages)];
        let root = self.folder.path().join("runs");
        let bucket = [("ArtifactBucketName".to_owned(), "kept-artifacts".to_owned())];
        let here = Here {
            docker: false,
            ui: &self.ui,
            settings: &self.settings,
            cloud: &self.cloud,
            site: site_of(&self.settings, &self.cloud).unwrap(),
            outputs: [("artifacts", bucket.into())].into(),
        };
        let runner = Runner {
            pipelines: &pipelines,
            cloud: &here,
            watcher: &self.seen,
            executions: Executions::new(&root),
            store: Store::open(&root.join("artifacts")).unwrap(),
            machine: variables(),
            environment: "local".to_owned(),
        };
        self.runtime.block_on(runner.run(order))
    }

    /// Runs the stages, which succeed.
    #[track_caller]
    fn succeeds(&self, stages: Vec<Stage>) -> Outcome {
        let outcome = self.run(stages);
        let seen = self.seen.take();
        assert!(outcome.failure.is_none(), "{:?}\n{seen}", outcome.failure);
        outcome
    }

    /// Runs the stages, which are refused before anything begins.
    #[track_caller]
    fn refuses(&self, stages: Vec<Stage>) -> RunError {
        self.begin(stages, self.order()).unwrap_err()
    }

    /// Runs the stages, which fail; gives why.
    #[track_caller]
    fn fails(&self, stages: Vec<Stage>) -> String {
        let failure = self.run(stages).failure.unwrap();
        format!("{failure}\n{}", failure.causes.join("\n"))
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        if let Some(emulator) = &self.emulator {
            let _ = self.runtime.block_on(emulator.stop());
        }
    }
}

fn local() -> (Ui, Settings) {
    let cli = Cli::parse_from(["xtask", "--env", "local", "status"]);
    let settings = Settings::resolve_without_endpoint(&cli.global);
    let settings = settings.unwrap_or_else(|failure| panic!("{failure:?}"));
    (Ui::new(&cli.global), settings)
}

/// What a run told.
#[derive(Default)]
struct Seen(Mutex<Vec<String>>);

impl Seen {
    fn take(&self) -> String {
        std::mem::take(&mut *self.0.lock().unwrap()).join("\n")
    }
}

#[async_trait]
impl Watcher for Seen {
    fn see(&self, event: &Event<'_>) {
        self.0.lock().unwrap().push(match event {
            Event::Line { action, text } => format!("{action}: {text}"),
            other => format!("{other:?}"),
        });
    }

    async fn ask(&self, _: &str) -> Option<bool> {
        None
    }
}

fn pipeline(stages: Vec<Stage>) -> Pipeline {
    let source = CodeConnections {
        connection: Resource::Connection.into(),
        repository: Resource::RepositoryId.into(),
        branch: "main".into(),
        format: ArtifactFormat::Zip,
        detect_changes: false,
    };
    let draft = Draft {
        name: "one",
        summary: "A pipeline of a test",
        execution_mode: ExecutionMode::Queued,
        variables: Vec::new(),
        triggers: Vec::new(),
        source_stage: "Source",
        sources: vec![SourceAction::new("Repository", source, SOURCE)],
        stages,
        builds: vec![Build {
            name: "read",
            summary: "A build of a test",
            buildspec: Buildspec {
                phases: Phases {
                    build: Phase::of(&["true"]),
                    ..Phases::default()
                },
                ..Buildspec::default()
            },
        }],
    };
    draft.check().unwrap_or_else(|faults| {
        let faults: Vec<_> = faults.iter().map(ToString::to_string).collect();
        panic!("{}", faults.join("\n"))
    })
}

fn commands(name: &str, commands: &[&str]) -> Action {
    let commands = Commands {
        commands: commands.iter().map(ToString::to_string).collect(),
        ..Commands::default()
    };
    Action::new(name, commands)
}

/// What the action of this name handed on.
fn variables_of(outcome: &Outcome, name: &str) -> BTreeMap<String, String> {
    let stages = outcome.executions[0].stages.iter();
    let mut actions = stages.flat_map(|stage| &stage.actions);
    let action = actions.find(|action| action.name == name).unwrap();
    action.variables.clone()
}

/// A build that runs `buildspecs/<name>.yml` of the repository.
fn build(name: &'static str) -> CodeBuild {
    CodeBuild {
        build: name,
        is_test: false,
        primary_source: None,
        environment: Vec::new(),
    }
}
