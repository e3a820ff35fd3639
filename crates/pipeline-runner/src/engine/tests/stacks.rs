//! CloudFormation actions: what each mode asks of the stacks, and what its parameters are.

use super::*;

pub(super) fn stack_action(mode: ActionMode) -> CloudFormation {
    CloudFormation {
        mode,
        stack: "one".into(),
        scope: "one-*".into(),
        template: Some(ArtifactPath::new(SOURCE, "stack.yaml")),
        configuration: Some(ArtifactPath::new(SOURCE, "stack.json")),
        parameters: None,
        capabilities: None,
        role: Some(Resource::StackRole.into()),
        change_set: Some("release".into()),
        output_file: None,
    }
}

#[tokio::test]
async fn a_stack_action_gives_what_its_mode_needs_and_keeps_the_outputs() {
    let overrides = r#"{"A": {"Fn::GetArtifactAtt": ["SourceArtifact", "ObjectKey"]}, "B": {"Fn::GetParam": ["SourceArtifact", "values.json", "Key"]}}"#;
    let replace = CloudFormation {
        parameters: Some(overrides.into()),
        ..stack_action(ActionMode::ChangeSetReplace)
    };
    let execute = CloudFormation {
        template: None,
        configuration: None,
        role: None,
        output_file: Some("folder/outputs.json".to_owned()),
        ..stack_action(ActionMode::ChangeSetExecute)
    };
    let mut read = commands("Read", &["grep -q http://here folder/outputs.json"]).run_order(3);
    read.inputs = vec!["Outputs".to_owned()];
    let stages = vec![Stage::new(
        "Deploy",
        vec![
            Action::new("Make", replace).reads(SOURCE),
            Action::new("Execute", execute)
                .makes("Outputs", &[])
                .run_order(2),
            read,
        ],
    )];
    let pipelines = [pipeline(draft("one", stages))];
    let bench = Bench::new();
    let outcome = bench.run(&pipelines, bench.order("one")).await;
    assert!(outcome.failure.is_none(), "{:?}", outcome.failure);
    let sha256 = &outcome.executions[0].artifacts[SOURCE];
    let orders = bench.cloud.0.lock().unwrap();
    let [made, executed] = orders.as_slice() else {
        panic!("{orders:?}")
    };
    assert_eq!(made.parameters["A"], format!("{sha256}.zip"));
    assert_eq!(made.parameters["B"], "from a file");
    assert_eq!(made.policy.as_deref(), Some(r#"{"Statement":[]}"#));
    assert_eq!(
        (made.mode.as_str(), executed.mode.as_str()),
        ("CHANGE_SET_REPLACE", "CHANGE_SET_EXECUTE")
    );
    assert!(executed.template.is_empty() && executed.parameters.is_empty());
    for order in [made, executed] {
        assert_eq!(order.change_set.as_deref(), Some("release"));
    }
}

#[tokio::test]
async fn overrides_that_say_nothing_are_refused_with_their_name() {
    for (overrides, words) in [
        ("[]", "cannot be read"),
        (r#"{"A": 1}"#, "`A` is no value"),
        (
            r#"{"A": {"Fn::GetArtifactAtt": ["SourceArtifact", "Size"]}}"#,
            "no attribute `Size`",
        ),
        (
            r#"{"A": {"Fn::GetArtifactAtt": ["Other", "URL"]}}"#,
            "does not read artifact `Other`",
        ),
        (
            r#"{"A": {"Fn::GetParam": ["SourceArtifact", "values.json", "Number"]}}"#,
            "`Number` in `values.json` of artifact `SourceArtifact` is no text",
        ),
        (
            r#"{"A": {"Fn::GetParam": ["SourceArtifact", "values.json", "None"]}}"#,
            "has no key `None`",
        ),
        (
            r#"{"A": {"Fn::GetParam": ["SourceArtifact", "none.json", "Key"]}}"#,
            "cannot read `none.json`",
        ),
    ] {
        let stack = CloudFormation {
            parameters: Some(overrides.into()),
            change_set: None,
            ..stack_action(ActionMode::CreateUpdate)
        };
        let stages = vec![Stage::new(
            "Deploy",
            vec![Action::new("Stack", stack).reads(SOURCE)],
        )];
        let pipelines = [pipeline(draft("one", stages))];
        let bench = Bench::new();
        let outcome = bench.run(&pipelines, bench.order("one")).await;
        let error = outcome.failure.unwrap();
        assert!(error.message.contains(words), "{overrides}: {error}");
        assert!(bench.cloud.0.lock().unwrap().is_empty());
    }
}
