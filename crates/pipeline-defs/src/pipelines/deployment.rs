use super::{SOURCE, STACK, source};
use crate::model::{
    Action, ActionMode, ArtifactPath, CloudFormation, Commands, Draft, EnvironmentVariable,
    ExecutionMode, ManualApproval, OnFailure, Resource, Stage, StateInput, StepFunctions, Text,
    Variable,
};

const CONFIGURATION: &str = "ConfigurationArtifact";
const CONFIGURATION_FILE: &str = "template-configuration.json";
const DEPLOY: &str = "DeployVariables";
/// Seven days, which is what AWS gives without being asked.
const APPROVAL_MINUTES: u32 = 7 * 24 * 60;

pub(super) fn draft() -> Draft {
    let variable = |name, default, description| Variable {
        name,
        default,
        description,
    };
    Draft {
        name: "deployment",
        summary: "Deploys a template once a person has approved, and goes back where it does not answer",
        execution_mode: ExecutionMode::Queued,
        variables: vec![
            variable("StackName", None, "The stack to create or update."),
            variable(
                "ActionMode",
                Some("CREATE_UPDATE"),
                "What CloudFormation does to the stack.",
            ),
            variable(
                "Capabilities",
                Some("CAPABILITY_IAM"),
                "What the template may do, with commas between.",
            ),
            variable(
                "TemplatePath",
                None,
                "The template, as a path in the repository.",
            ),
            variable(
                "ParameterOverrides",
                Some("{}"),
                "Parameters as a JSON object; they beat those of the template configuration.",
            ),
        ],
        triggers: Vec::new(),
        source_stage: "Source",
        sources: vec![source(false)],
        stages: vec![approval(), cloudformation()],
        builds: Vec::new(),
    }
}

fn approval() -> Stage {
    let approval = ManualApproval {
        topic: Some(Resource::Topic.into()),
        comment: Some(
            "Deploy commit #{SourceVariables.CommitId} to stack #{variables.StackName}?".into(),
        ),
        link: None,
    };
    Stage::new(
        "Approval",
        vec![Action::new("Approve", approval).timeout_minutes(APPROVAL_MINUTES)],
    )
}

/// Deploys, and proves it, in one stage: a rollback is of one stage, so the proof must be in the stage that it undoes.
fn cloudformation() -> Stage {
    let configure = Commands {
        commands: vec![format!(
            r#"sed "s/COMMIT_ID/$COMMIT_ID/" "cloudformation/configuration/$ENVIRONMENT/{STACK}.json" > {CONFIGURATION_FILE}"#
        )],
        environment: vec![
            EnvironmentVariable::plain("COMMIT_ID", "#{SourceVariables.CommitId}"),
            EnvironmentVariable::plain("ENVIRONMENT", Resource::Environment),
        ],
        ..Commands::default()
    };
    let deploy = CloudFormation {
        mode: ActionMode::Given("#{variables.ActionMode}".into()),
        stack: "#{variables.StackName}".into(),
        scope: Text::from([
            Resource::Project.into(),
            "-".into(),
            Resource::Region.into(),
            "-".into(),
            Resource::Environment.into(),
            "-*".into(),
        ]),
        template: Some(ArtifactPath::new(SOURCE, "#{variables.TemplatePath}")),
        configuration: Some(ArtifactPath::new(CONFIGURATION, CONFIGURATION_FILE)),
        parameters: Some("#{variables.ParameterOverrides}".into()),
        capabilities: Some("#{variables.Capabilities}".into()),
        role: Some(Resource::StackRole.into()),
        change_set: None,
        output_file: None,
    };
    let verify = StepFunctions {
        name: Resource::ReleaseMachine.into(),
        input: StateInput::Literal(Text::json_object([
            ("url", &format!("#{{{DEPLOY}.ApiUrl}}").as_str().into()),
            ("commit", &"#{SourceVariables.CommitId}".into()),
        ])),
        prefix: None,
    };
    Stage {
        on_failure: Some(OnFailure::Rollback),
        ..Stage::new(
            "CloudFormation",
            vec![
                // The stack's tags, the commit among them: `destroy` finds the stack by them.
                Action::new("Configure", configure)
                    .reads(SOURCE)
                    .makes(CONFIGURATION, &[CONFIGURATION_FILE]),
                Action::new("Deploy", deploy)
                    .reads(SOURCE)
                    .reads(CONFIGURATION)
                    .namespace(DEPLOY)
                    .run_order(2),
                Action::new("Verify", verify).run_order(3),
            ],
        )
    }
}
