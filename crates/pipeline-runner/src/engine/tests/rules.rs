//! Rules of conditions, and what is refused before anything runs.

use stackway_pipeline_defs::model::{
    CodeBuildRule, Ecs, LambdaInvoke, OnSuccess, Provider, Rule, S3Source, StateInput,
    StepFunctions,
};

use super::stacks::stack_action;
use super::*;

fn alarm(state: &str, states: &[&str]) -> Rule {
    Rule::CloudWatchAlarm {
        name: "Alarm".to_owned(),
        alarm: state.into(),
        states: states.iter().map(ToString::to_string).collect(),
        wait_minutes: None,
    }
}

fn function(name: &str) -> SkipRule {
    SkipRule::LambdaInvoke {
        name: "Function".to_owned(),
        function: name.into(),
        user_parameters: None,
    }
}

fn window(cron: &str) -> Rule {
    Rule::DeploymentWindow {
        name: "Window".to_owned(),
        cron: cron.to_owned(),
        time_zone: None,
    }
}

fn guarded(before_entry: BeforeEntry) -> Stage {
    Stage {
        before_entry: Some(before_entry),
        ..Stage::new("Guarded", vec![commands("A", &["true"])])
    }
}

#[tokio::test]
async fn rules_hold_or_say_why_not() {
    for (rule, why) in [
        (alarm("ok", &[]), None),
        (
            alarm("alarm", &[]),
            Some("rule Alarm: alarm `alarm` is in ALARM"),
        ),
        (alarm("alarm", &["INSUFFICIENT_DATA"]), None),
        (
            alarm("ok", &["OK"]),
            Some("rule Alarm: alarm `ok` is in OK"),
        ),
        (window("* * * ? * * *"), None),
        (
            window("* * * ? * * 2020"),
            Some("rule Window: `* * * ? * * 2020` never comes again"),
        ),
        (Rule::Skip(function("good")), None),
        (
            Rule::Skip(function("bad")),
            Some("rule Function: function `bad` failed: not ready"),
        ),
        (
            Rule::Skip(function("thrown")),
            Some("rule Function: function `thrown` failed: E: why"),
        ),
    ] {
        let pipelines = [pipeline(draft(
            "one",
            vec![guarded(BeforeEntry::Fail(vec![rule]))],
        ))];
        let bench = Bench::new();
        let outcome = bench.run(&pipelines, bench.order("one")).await;
        let causes = outcome.failure.map(|error| error.causes);
        assert_eq!(causes.as_ref().map(|causes| causes[0].as_str()), why);
    }
}

#[tokio::test]
async fn a_rule_skips_fails_or_rolls_back_and_can_be_skipped_itself() {
    let skipped = [pipeline(draft(
        "one",
        vec![guarded(BeforeEntry::Skip(vec![function("bad")]))],
    ))];
    let bench = Bench::new();
    let outcome = bench.run(&skipped, bench.order("one")).await;
    assert!(picture(&outcome.executions[0]).contains("Guarded Skipped: A NotStarted×0"));

    let mut stage = Stage::new("Guarded", vec![commands("A", &["true"])]);
    stage.on_success = Some(OnSuccess::Rollback(vec![alarm("alarm", &[])]));
    let back = [pipeline(draft("one", vec![stage]))];
    let bench = Bench::new();
    let skip = Order {
        skip_rules: vec!["Guarded/Alarm".to_owned()],
        ..bench.order("one")
    };
    assert!(bench.run(&back, skip).await.failure.is_none());
    let failed = bench.run(&back, bench.order("one")).await.failure.unwrap();
    let causes = failed.causes.join("\n");
    assert!(
        causes.contains("was rolled back to what execution"),
        "{causes}"
    );

    let unknown = Order {
        skip_rules: vec!["Guarded/None".to_owned()],
        ..bench.order("one")
    };
    let error = bench.runner(&back).run(unknown).await.unwrap_err();
    assert!(error.message.contains("no rule `Guarded/None`"), "{error}");
    assert_eq!(error.hint.as_deref(), Some("the rules are: Guarded/Alarm"));
}

#[tokio::test]
async fn rules_are_looked_at_side_by_side() {
    let slow = |name: &str| {
        Rule::Commands(stackway_pipeline_defs::model::CommandsRule {
            name: name.to_owned(),
            commands: vec!["sleep 1".into()],
            input: SOURCE.to_owned(),
        })
    };
    let rules = vec![slow("A"), slow("B"), slow("C")];
    let pipelines = [pipeline(draft(
        "one",
        vec![guarded(BeforeEntry::Fail(rules))],
    ))];
    let bench = Bench::new();
    let outcome = bench.run(&pipelines, bench.order("one")).await;
    let execution = &outcome.executions[0];
    let took = execution.ended.unwrap() - execution.started;
    assert!(took < 2_800, "{took} ms");
}

#[tokio::test]
async fn a_function_gets_a_job_of_codepipeline() {
    let invoke = LambdaInvoke {
        function: "echo".into(),
        user_parameters: Some("#{SourceVariables.BranchName}".into()),
    };
    let action = Action::new("Call", invoke).reads(SOURCE);
    let stages = vec![Stage::new("Invoke", vec![action])];
    let pipelines = [pipeline(draft("one", stages))];
    let bench = Bench::new();
    let outcome = bench.run(&pipelines, bench.order("one")).await;
    assert!(outcome.failure.is_none());
    let execution = &outcome.executions[0];
    let log = bench
        .runner(&pipelines)
        .executions
        .log(execution, "Invoke", "Call");
    let log = std::fs::read_to_string(log).unwrap();
    let event = log
        .lines()
        .find_map(|line| line.strip_prefix("it answered "));
    let event: serde_json::Value = serde_json::from_str(event.unwrap()).unwrap();
    let job = &event["CodePipeline.job"];
    assert_eq!(job["accountId"], "000000000000");
    let data = &job["data"];
    let configuration = &data["actionConfiguration"]["configuration"];
    assert_eq!(configuration["UserParameters"], "main");
    let place = &data["inputArtifacts"][0]["location"]["s3Location"];
    assert_eq!(place["bucketName"], "bucket");
    assert!(data.get("continuationToken").is_none());

    let never = LambdaInvoke {
        function: "never".into(),
        user_parameters: None,
    };
    let stages = vec![Stage::new("Invoke", vec![Action::new("Call", never)])];
    let pipelines = [pipeline(draft("one", stages))];
    let short = Order {
        timeout: Some(std::time::Duration::from_millis(1_500)),
        ..bench.order("one")
    };
    let failure = bench.run(&pipelines, short).await.failure.unwrap();
    assert!(
        failure.message.contains("before function `never` was done"),
        "{failure}"
    );
}

#[tokio::test]
async fn what_cannot_run_here_is_refused_before_anything_begins() {
    let ecs = Ecs {
        cluster: "c".into(),
        service: "s".into(),
        file: None,
        timeout_minutes: None,
        task_roles: Vec::new(),
    };
    let machine = StepFunctions {
        name: "machine".into(),
        input: StateInput::Empty,
        prefix: None,
    };
    let foreign = Rule::CodeBuild(CodeBuildRule {
        name: "Other".to_owned(),
        project: "somebody-else-s".into(),
        input: SOURCE.to_owned(),
    });
    let with = |provider: Provider| {
        let reads = matches!(provider, Provider::Ecs(_));
        let action = Action {
            provider,
            inputs: reads.then(|| SOURCE.to_owned()).into_iter().collect(),
            ..Action::new("Last", ManualApproval::default())
        };
        Stage::new("Last", vec![action])
    };
    let mut with_output = with(Provider::StepFunctions(machine));
    with_output.actions[0] = with_output.actions[0].clone().makes("Output", &[]);
    for (last, message, hint) in [
        (
            with(Provider::Ecs(ecs)),
            "action `Last/Last` is of ECS",
            "--until STAGE",
        ),
        (
            with_output,
            "action `Last/Last` is of StepFunctions",
            "--until STAGE",
        ),
        (
            guarded(BeforeEntry::Fail(vec![foreign])),
            "rule `Guarded/Other` is of CodeBuild",
            "--skip-rule Guarded/Other",
        ),
        (
            guarded(BeforeEntry::Fail(vec![window("* * 25 ? * * *")])),
            "rule `Guarded/Window` is of DeploymentWindow",
            "--skip-rule Guarded/Window",
        ),
    ] {
        let first = Stage::new("First", vec![commands("A", &["true"])]);
        let pipelines = [pipeline(draft("one", vec![first, last]))];
        let bench = Bench::new();
        let runner = bench.runner(&pipelines);
        let error = runner.run(bench.order("one")).await.unwrap_err();
        assert!(error.message.contains(message), "{error}");
        assert!(error.hint.unwrap().contains(hint));
        assert!(!bench.folder.path().join("runs/executions").exists());
        // What comes before it runs all the same.
        let until = Order {
            until: Some("First".to_owned()),
            ..bench.order("one")
        };
        assert!(bench.run(&pipelines, until).await.failure.is_none());
    }
    let mut from_bucket = draft(
        "one",
        vec![Stage::new("First", vec![commands("A", &["true"])])],
    );
    from_bucket.sources[0] = SourceAction::new(
        "Repository",
        S3Source {
            bucket: "b".into(),
            key: "k.zip".into(),
            poll: false,
        },
        SOURCE,
    );
    let Stage { actions, .. } = &mut from_bucket.stages[0];
    if let Provider::Commands(commands) = &mut actions[0].provider {
        commands.environment.clear();
    }
    let bench = Bench::new();
    let pipelines = [pipeline(from_bucket)];
    let error = bench
        .runner(&pipelines)
        .run(bench.order("one"))
        .await
        .unwrap_err();
    assert!(
        error
            .message
            .contains("source `Repository` of pipeline `one` is of S3"),
        "{error}"
    );
}

#[tokio::test]
async fn an_action_of_another_region_is_not_carried_out_in_this_one() {
    for (region, is_refused) in [("eu-west-2", false), ("us-east-1", true)] {
        let mut action = Action::new("Stack", stack_action(ActionMode::CreateUpdate)).reads(SOURCE);
        let Provider::CloudFormation(stack) = &mut action.provider else {
            unreachable!()
        };
        stack.change_set = None;
        action.region = Some(region.to_owned());
        let stages = vec![Stage::new("Deploy", vec![action])];
        let pipelines = [pipeline(draft("one", stages))];
        let bench = Bench::new();
        let begun = bench.runner(&pipelines).run(bench.order("one")).await;
        assert_eq!(begun.is_err(), is_refused);
        if let Err(error) = begun {
            let words =
                "action `Deploy/Stack` works in us-east-1, and this environment is in eu-west-2";
            assert_eq!(error.message, words);
        }
    }
}

#[tokio::test]
async fn pipelines_that_start_one_another_are_refused() {
    let starts = |name: &'static str, other: &'static str| {
        let invocation = Invocation {
            pipeline: other,
            variables: Vec::new(),
            revisions: Vec::new(),
        };
        pipeline(draft(
            name,
            vec![Stage::new("Invoke", vec![Action::new("Next", invocation)])],
        ))
    };
    let pipelines = [
        starts("first", "second"),
        starts("second", "third"),
        starts("third", "second"),
    ];
    let bench = Bench::new();
    let error = bench
        .runner(&pipelines)
        .run(bench.order("first"))
        .await
        .unwrap_err();
    assert_eq!(error.message, "pipeline `second` would start itself");
    assert_eq!(error.causes, ["first → second → third → second"]);
    assert!(!bench.folder.path().join("runs/executions").exists());
}
