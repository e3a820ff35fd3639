use std::fmt::Write as _;

use crate::check::together;
use crate::model::{
    Action, ActionMode, ArtifactPath, BeforeEntry, Build, Buildspec, CloudFormation, CodeBuild,
    Commands, CommandsRule, Draft, EcrBuildAndPublish, Ecs, EnvironmentKind, EnvironmentVariable,
    ExecutionMode, Filter, Invocation, LambdaDeploy, ManualApproval, OnFailure, OnSuccess, Phase,
    Phases, Pipeline, PushFilter, Registry, Report, ReportFormat, RetryMode, Rule, S3Source, Shift,
    SkipRule, SourceAction, Stage, StateInput, StepFunctions, Targets, Trigger, Variable,
};

/// A pipeline that holds: a bucket, commands that make an artifact and a variable, a person.
fn sound() -> Draft {
    let source = S3Source {
        bucket: "bucket".into(),
        key: "source.zip".into(),
        poll: false,
    };
    Draft {
        name: "sound",
        summary: "",
        execution_mode: ExecutionMode::Queued,
        variables: vec![Variable {
            name: "Colour",
            default: Some("red"),
            description: "",
        }],
        triggers: Vec::new(),
        source_stage: "Source",
        sources: vec![SourceAction::new("Bucket", source, "Code")],
        stages: vec![
            Stage::new("Build", vec![make("Make", "Made")]),
            Stage::new(
                "Approval",
                vec![Action::new("Person", ManualApproval::default())],
            ),
        ],
        builds: vec![Build {
            name: "test",
            summary: "",
            buildspec: Buildspec {
                phases: Phases {
                    build: Phase::of(&["true"]),
                    ..Phases::default()
                },
                ..Buildspec::default()
            },
        }],
    }
}

fn make(name: &str, artifact: &str) -> Action {
    let commands = Commands {
        commands: vec!["make".to_owned()],
        output_variables: vec!["SIZE".to_owned()],
        ..Commands::default()
    };
    Action::new(name, commands)
        .reads("Code")
        .makes(artifact, &["out"])
}

fn shell(name: &str, value: &str) -> Action {
    let commands = Commands {
        commands: vec!["true".to_owned()],
        environment: vec![EnvironmentVariable::plain("VALUE", value)],
        ..Commands::default()
    };
    Action::new(name, commands).reads("Code")
}

fn stack(mode: ActionMode) -> CloudFormation {
    CloudFormation {
        mode,
        stack: "stack".into(),
        scope: "stack".into(),
        template: None,
        configuration: None,
        parameters: None,
        capabilities: None,
        role: None,
        change_set: None,
        output_file: None,
    }
}

fn variable_check(name: &str) -> SkipRule {
    SkipRule::VariableCheck {
        name: name.to_owned(),
        variable: "#{variables.Colour}".into(),
        operator: crate::model::Operator::Equals,
        value: "red".to_owned(),
    }
}

/// Adds an action to the second stage.
fn with(action: Action) -> impl FnOnce(&mut Draft) {
    |draft| draft.stages[0].actions.push(action)
}

#[test]
fn the_pattern_holds() {
    sound().check().unwrap();
}

/// Each line of the snapshot is one way to spoil the pattern, and what is said of it.
#[test]
#[expect(clippy::too_many_lines, reason = "a table: each case is a line or few")]
fn what_aws_would_refuse() {
    let long = "x".repeat(101);
    let mut text = String::new();
    let mut case = |what: &str, spoil: Box<dyn FnOnce(&mut Draft)>| {
        let mut draft = sound();
        spoil(&mut draft);
        let faults = draft.check().expect_err(what);
        writeln!(text, "{what}").unwrap();
        for fault in faults {
            writeln!(text, "    {fault}").unwrap();
        }
    };
    macro_rules! cases {
        ($($what:literal => $spoil:expr),* $(,)?) => {$( case($what, Box::new($spoil)); )*};
    }
    cases! {
        "a pipeline's name" => |draft: &mut Draft| draft.name = "a b",
        "a long stage's name" => move |draft: &mut Draft| draft.stages[0].name = Box::leak(long.into_boxed_str()),
        "an action without a name" => with(shell("", "x")),
        "one stage" => |draft: &mut Draft| draft.stages.clear(),
        "a stage without an action" => |draft: &mut Draft| draft.stages[1].actions.clear(),
        "two stages of one name" => |draft: &mut Draft| draft.stages[1].name = "Source",
        "two actions of one name" => with(shell("Make", "x")),
        "no source" => |draft: &mut Draft| draft.sources.clear(),
        "51 stages" => |draft: &mut Draft| {
            for index in 0..48 {
                let name: &'static str = Box::leak(format!("S{index}").into_boxed_str());
                draft.stages.push(Stage::new(name, vec![Action::new("Person", ManualApproval::default())]));
            }
        },
        "a run order" => with(shell("Late", "x").run_order(1000)),
        "a timeout of what has none" => with(shell("Slow", "x").timeout_minutes(60)),
        "a short timeout" => |draft: &mut Draft| draft.stages[1].actions[0].timeout_minutes = Some(4),
        "an artifact that nothing makes" => with(shell("Reader", "x").reads("Nowhere")),
        "an artifact made twice" => with(make("Again", "Made")),
        "an artifact that a source makes too" => with(make("Again", "Code")),
        "an artifact made later" => with(shell("Early", "x").reads("Made")),
        "an artifact made at the same time" => with(shell("Beside", "x").reads("Made").run_order(1)),
        "too many artifacts" => with(Action::new("Person2", ManualApproval::default()).reads("Code")),
        "a pattern of files where none is chosen" => with(Action::new("Stack", stack(ActionMode::DeleteOnly)).makes("Out", &["a"])),
        "an unknown variable" => with(shell("Shell", "#{variables.Color}")),
        "an unknown namespace" => with(shell("Shell", "#{Nowhere.X}")),
        "an unknown variable of a namespace" => with(shell("Shell", "#{SourceVariables.CommitId}")),
        "a variable of CodePipeline's" => with(shell("Shell", "#{codepipeline.Name}")),
        "a malformed variable" => with(shell("Shell", "#{variables}")),
        "a variable read before it is made" => |draft: &mut Draft| {
            draft.stages[0].actions[0].namespace = Some("Made".to_owned());
            draft.stages[0].actions.push(shell("Beside", "#{Made.SIZE}"));
        },
        "a namespace taken twice" => |draft: &mut Draft| {
            draft.stages[0].actions[0].namespace = Some("SourceVariables".to_owned());
        },
        "a namespace of CodePipeline's" => |draft: &mut Draft| {
            draft.stages[0].actions[0].namespace = Some("variables".to_owned());
        },
        "a variable twice" => |draft: &mut Draft| draft.variables.push(draft.variables[0].clone()),
        "a variable in a command" => |draft: &mut Draft| {
            let commands = Commands { commands: vec!["echo #{variables.Colour}".to_owned()], ..Commands::default() };
            draft.stages[0].actions.push(Action::new("Echo", commands).reads("Code"));
        },
        "a command of two lines" => |draft: &mut Draft| {
            let commands = Commands { commands: vec!["a\nb".to_owned()], ..Commands::default() };
            draft.stages[0].actions.push(Action::new("Lines", commands).reads("Code"));
        },
        "no commands" => with(Action::new("Nothing", Commands::default()).reads("Code")),
        "an environment of the parameter store" => |draft: &mut Draft| {
            let mut action = shell("Shell", "x");
            if let crate::model::Provider::Commands(commands) = &mut action.provider {
                commands.environment[0].kind = EnvironmentKind::ParameterStore;
            }
            draft.stages[0].actions.push(action);
        },
        "an unknown build" => with(Action::new("Build", CodeBuild {
            build: "nothing", is_test: true, primary_source: None, environment: Vec::new(),
        }).reads("Code")),
        "two inputs and no primary one" => |draft: &mut Draft| {
            let build = CodeBuild { build: "test", is_test: true, primary_source: None, environment: Vec::new() };
            draft.stages[0].actions.push(Action::new("Build", build).reads("Code").reads("Made").run_order(2));
        },
        "a long value" => with(Action::new("Image", EcrBuildAndPublish {
            repository: "r".into(), docker_file: None, tags: vec!["t".repeat(1001).into()], registry: Registry::Private,
        }).reads("Code")),
        "a stack without role and template" => with(Action::new("Stack", stack(ActionMode::CreateUpdate))),
        "a change set without a name" => with(Action::new("Stack", stack(ActionMode::ChangeSetExecute))),
        "a template of an artifact that is not read" => with(Action::new("Stack", CloudFormation {
            template: Some(ArtifactPath::new("Code", "t.yaml")), role: Some("r".into()), capabilities: Some("CAPABILITY_ALL".into()),
            ..stack(ActionMode::CreateUpdate)
        })),
        "targets out of bounds" => with(Action::new("Instances", crate::model::StackInstances {
            name: "set".into(),
            targets: Targets { accounts: "1".into(), regions: Vec::new(), failure_tolerance_percent: Some(101), max_concurrent_percent: Some(0) },
            parameters: None,
        })),
        "a function without code" => with(Action::new("Function", LambdaDeploy {
            function: "f".into(), alias: None, version: None, shift: Shift::Linear { percent: 1, minutes: 60 }, alarms: Vec::new(),
        })),
        "an input file without an artifact" => with(Action::new("Machine", StepFunctions {
            name: "machine".into(), input: StateInput::File("in.json".to_owned()), prefix: None,
        })),
        "a long deployment to ECS" => with(Action::new("Service", Ecs {
            cluster: "c".into(), service: "s".into(), file: None, timeout_minutes: Some(61), task_roles: Vec::new(),
        }).reads("Code")),
        "six rules" => |draft: &mut Draft| {
            let rules = (0..6).map(|index| variable_check(&format!("R{index}"))).collect();
            draft.stages[0].before_entry = Some(BeforeEntry::Skip(rules));
        },
        "no rules" => |draft: &mut Draft| draft.stages[0].on_success = Some(OnSuccess::Fail(Vec::new())),
        "a rule that reads what its own stage makes" => |draft: &mut Draft| {
            draft.stages[0].actions[0].namespace = Some("Made".to_owned());
            draft.stages[0].before_entry = Some(BeforeEntry::Skip(vec![SkipRule::VariableCheck {
                name: "Size".to_owned(), variable: "#{Made.SIZE}".into(), operator: crate::model::Operator::Equals, value: "1".to_owned(),
            }]));
        },
        "rules that do not fit" => |draft: &mut Draft| draft.stages[0].on_success = Some(OnSuccess::Fail(vec![
            Rule::DeploymentWindow { name: "Window".to_owned(), cron: "* *".to_owned(), time_zone: None },
            Rule::CloudWatchAlarm { name: "Alarm".to_owned(), alarm: "a".into(), states: vec!["RED".to_owned()], wait_minutes: None },
            Rule::Commands(CommandsRule { name: "Shell".to_owned(), commands: Vec::new(), input: "Nowhere".to_owned() }),
        ])),
        "a rollback in parallel" => |draft: &mut Draft| {
            draft.execution_mode = ExecutionMode::Parallel;
            draft.stages[0].on_failure = Some(OnFailure::Rollback);
        },
        "a trigger of a bucket" => |draft: &mut Draft| draft.triggers.push(Trigger {
            source: "Bucket".to_owned(), push: vec![PushFilter::Tags(Filter::including(&["v*"]))], pull_request: Vec::new(),
        }),
        "a trigger of nothing" => |draft: &mut Draft| draft.triggers.push(Trigger { source: "Nowhere".to_owned(), ..Trigger::default() }),
        "nine patterns" => |draft: &mut Draft| draft.triggers.push(Trigger {
            source: "Bucket".to_owned(), push: vec![PushFilter::Tags(Filter::including(&["a"; 9]))], pull_request: Vec::new(),
        }),
        "a build that does nothing" => |draft: &mut Draft| draft.builds[0].buildspec.phases = Phases::default(),
        "a build whose parts do not fit" => |draft: &mut Draft| {
            let spec = &mut draft.builds[0].buildspec;
            spec.environment.exported = vec!["1X"];
            spec.environment.variables = vec![("A", String::new()), ("A", String::new())];
            spec.phases.build.commands.push("echo #{a.b}".to_owned());
            spec.phases.post_build.finally.push("true".to_owned());
            let report = Report { group: "junit", summary: "", files: Vec::new(), base_directory: None, format: ReportFormat::JunitXml };
            spec.reports = vec![report.clone(), report];
        },
    }
    insta::assert_snapshot!(text);
}

/// A retry is no condition and has no rules: nothing of it can be wrong.
#[test]
fn a_retry_holds() {
    let mut draft = sound();
    draft.stages[0].on_failure = Some(OnFailure::Retry(RetryMode::AllActions));
    draft.check().unwrap();
}

fn invoking(
    name: &'static str,
    invoked: &'static str,
    variables: &[(&'static str, &str)],
) -> Pipeline {
    let mut draft = sound();
    draft.name = name;
    draft.builds.clear();
    let invocation = Invocation {
        pipeline: invoked,
        variables: variables
            .iter()
            .map(|(name, value)| (*name, (*value).into()))
            .collect(),
        revisions: Vec::new(),
    };
    draft.stages[1].actions = vec![Action::new("Start", invocation)];
    draft.check().unwrap()
}

#[test]
fn pipelines_that_do_not_go_together() {
    let mut needy = sound();
    needy.builds.clear();
    needy.name = "needy";
    needy.variables[0].default = None;
    let needy = needy.check().unwrap();
    let mut text = String::new();
    for pipelines in [
        vec![invoking("a", "b", &[])],
        vec![invoking("a", "b", &[]), invoking("b", "a", &[])],
        vec![invoking("a", "a", &[])],
        vec![invoking("a", "needy", &[("Color", "red")]), needy.clone()],
        vec![
            sound().check().unwrap(),
            Draft {
                name: "other",
                ..sound()
            }
            .check()
            .unwrap(),
        ],
    ] {
        for fault in together(&pipelines) {
            writeln!(text, "{fault}").unwrap();
        }
        text.push('\n');
    }
    assert_eq!(
        together(&[invoking("a", "needy", &[("Colour", "red")]), needy]),
        []
    );
    insta::assert_snapshot!(text);
}
