use super::expression::step_id;
use super::job::variable;
use super::unmirrored;
use crate::model::{
    Action, Build, CloudFormation, Commands, Draft, EcrBuildAndPublish, EnvironmentKind,
    EnvironmentVariable, Pipeline, Provider, Registry, Stage, StateInput, StepFunctions, Text,
};
use crate::render::RenderError;
use crate::tree::Tree;

/// Actions by the commit of a release: a tag can be moved.
const CHECKOUT: Pinned = Pinned(
    "actions/checkout",
    "3d3c42e5aac5ba805825da76410c181273ba90b1",
    "v7.0.1",
);
const UPLOAD: Pinned = Pinned(
    "actions/upload-artifact",
    "043fb46d1a93c77aae656e7c1c64a875d1fc6a0a",
    "v7.0.1",
);
const CACHE: Pinned = Pinned(
    "Swatinem/rust-cache",
    "6323deb102c322ba6fcbdcafc7e3dddab59af2b6",
    "v2.9.2",
);
const CREDENTIALS: Pinned = Pinned(
    "aws-actions/configure-aws-credentials",
    "ec61189d14ec14c8efccab744f656cffd0e33f37",
    "v6.1.0",
);

/// What is priced where the repository's variable names no other environment.
const DEFAULT_ENVIRONMENT: &str = "prod";

/// An action, its commit and the release that the commit is.
struct Pinned(&'static str, &'static str, &'static str);

fn uses(pinned: &Pinned) -> (&'static str, Tree) {
    (
        "uses",
        Tree::Pinned(format!("{}@{}", pinned.0, pinned.1), pinned.2),
    )
}

/// Whether the action's step calls AWS, and so needs a role.
pub(super) fn calls_aws(provider: &Provider) -> bool {
    match provider {
        Provider::Commands(commands) => !commands.grants.is_empty(),
        Provider::CodeBuild(_) | Provider::ManualApproval(_) => false,
        _ => true,
    }
}

pub(super) fn checkout() -> Tree {
    let with = Tree::map([("persist-credentials", Tree::Bool(false))]);
    Tree::map([uses(&CHECKOUT), ("with", with)])
}

/// A pull request is checked out as its merge into the branch: two commits have the branch as the first parent.
pub(super) fn checkout_with_parents() -> Tree {
    let with = Tree::map([
        ("fetch-depth", Tree::Int(2)),
        ("persist-credentials", Tree::Bool(false)),
    ]);
    Tree::map([uses(&CHECKOUT), ("with", with)])
}

/// Tells on the run's page what the pull request adds to a month. Where the repository sets a limit, a month that costs more
/// fails the step, with the difference still told.
pub(super) fn cost() -> Tree {
    let environment = [
        (
            "ENVIRONMENT",
            format!("${{{{ vars.ENVIRONMENT || '{DEFAULT_ENVIRONMENT}' }}}}"),
        ),
        ("MAX_MONTHLY", "${{ vars.MAX_MONTHLY }}".to_owned()),
    ]
    .map(|(name, value)| (name.to_owned(), Tree::Text(value)));
    run(
        "Tell what it costs",
        None,
        environment.into(),
        &[
            "cargo xtask cost --env \"$ENVIRONMENT\" --diff HEAD^1 --format markdown ${MAX_MONTHLY:+--max-monthly \"$MAX_MONTHLY\"} >> \"$GITHUB_STEP_SUMMARY\"".to_owned(),
        ],
    )
}

pub(super) fn cache() -> Tree {
    Tree::map([uses(&CACHE)])
}

pub(super) fn credentials() -> Tree {
    let with = Tree::map([
        ("role-to-assume", Tree::text("${{ vars.AWS_ROLE_ARN }}")),
        ("aws-region", Tree::text("${{ vars.AWS_REGION }}")),
    ]);
    Tree::map([uses(&CREDENTIALS), ("with", with)])
}

/// The steps of an action.
pub(super) fn action(
    pipeline: &Pipeline,
    stage: &Stage,
    action: &Action,
) -> Result<Vec<Tree>, RenderError> {
    let refuse = |message: &str| Err(unmirrored(pipeline, stage, &action.name, message));
    let environment =
        |variables: &[EnvironmentVariable]| -> Result<Vec<(String, Tree)>, RenderError> {
            if variables
                .iter()
                .any(|variable| variable.kind != EnvironmentKind::Plain)
            {
                return Err(unmirrored(
                    pipeline,
                    stage,
                    &action.name,
                    "a step reads no parameter store and no secret of AWS",
                ));
            }
            Ok(variables
                .iter()
                .map(|one| variable(pipeline, stage, one.name, &one.value))
                .collect())
        };
    match &action.provider {
        Provider::CodeBuild(build) => {
            let variables = environment(&build.environment)?;
            match pipeline.build(build.build) {
                Some(build) => Ok(self::build(build, variables)),
                None => refuse("names a build that the pipeline does not have"),
            }
        }
        Provider::Commands(commands) => Ok(vec![self::commands(
            action,
            commands,
            environment(&commands.environment)?,
        )]),
        Provider::EcrBuildAndPublish(image) if image.registry == Registry::Private => {
            Ok(vec![self::image(pipeline, stage, action, image)])
        }
        Provider::ManualApproval(approval) => Ok(vec![approved(
            pipeline,
            stage,
            action,
            approval.comment.as_ref(),
        )]),
        Provider::CloudFormation(stack) => cloudformation(pipeline, stage, action, stack),
        Provider::StepFunctions(machine) => match &machine.input {
            StateInput::File(_) => refuse("a state machine's input is given in the definition"),
            StateInput::Empty => Ok(vec![state_machine(
                pipeline,
                stage,
                action,
                machine,
                &"{}".into(),
            )]),
            StateInput::Literal(input) => {
                Ok(vec![state_machine(pipeline, stage, action, machine, input)])
            }
        },
        Provider::Invocation(_) => {
            refuse("a workflow is called by a job of its own: give the action a stage of its own")
        }
        _ => refuse("GitHub Actions have no step for it"),
    }
}

/// A step that runs lines in one shell, which ends at the first that fails.
fn run(name: &str, id: Option<String>, environment: Vec<(String, Tree)>, lines: &[String]) -> Tree {
    let mut tree = Tree::map([("name", Tree::text(name))]);
    tree.insert_some("id", id.map(Tree::Text));
    tree.insert("shell", Tree::text("bash"));
    if !environment.is_empty() {
        tree.insert("env", Tree::Map(environment));
    }
    tree.insert(
        "run",
        Tree::Lines(
            lines
                .iter()
                .flat_map(|line| [line.as_str(), "\n"])
                .collect(),
        ),
    );
    tree
}

/// A build: one shell up to the end of `build`, as CodeBuild has it, then what runs although it failed.
pub(super) fn build(build: &Build, given: Vec<(String, Tree)>) -> Vec<Tree> {
    let spec = &build.buildspec;
    let mut environment: Vec<(String, Tree)> = spec
        .environment
        .variables
        .iter()
        .filter(|(name, _)| !given.iter().any(|(other, _)| other == name))
        .map(|(name, value)| ((*name).to_owned(), Tree::text(value.as_str())))
        .collect();
    environment.extend(given);
    let phases = &spec.phases;
    let main = [&phases.install, &phases.pre_build, &phases.build];
    let lines: Vec<_> = main
        .into_iter()
        .flat_map(|phase| phase.commands.clone())
        .collect();
    let mut steps = vec![run(
        &super::super::buildspec::capitalised(build.name),
        None,
        environment.clone(),
        &lines,
    )];
    let last: Vec<_> = main
        .into_iter()
        .flat_map(|phase| phase.finally.clone())
        .chain(phases.post_build.commands.clone())
        .chain(phases.post_build.finally.clone())
        .collect();
    if !last.is_empty() {
        let mut step = run("Afterwards", None, environment, &last);
        step.insert("if", Tree::text("${{ !cancelled() }}"));
        steps.push(step);
    }
    steps.extend(spec.reports.iter().map(|report| {
        let base = report
            .base_directory
            .map(|base| format!("{base}/"))
            .unwrap_or_default();
        let paths = report
            .files
            .iter()
            .flat_map(|file| [base.as_str(), file, "\n"])
            .collect::<String>();
        let with = Tree::map([
            (
                "name",
                Tree::text(format!("{}-{}", build.name, report.group)),
            ),
            ("path", Tree::text(paths.trim_end())),
            ("if-no-files-found", Tree::text("warn")),
        ]);
        Tree::map([
            ("name", Tree::text(format!("Report {}", report.summary))),
            ("if", Tree::text("${{ !cancelled() }}")),
            uses(&UPLOAD),
            ("with", with),
        ])
    }));
    steps
}

fn commands(action: &Action, commands: &Commands, environment: Vec<(String, Tree)>) -> Tree {
    let mut lines = commands.commands.clone();
    lines.extend(
        commands
            .output_variables
            .iter()
            .map(|name| format!("echo \"{name}=${name}\" >> \"$GITHUB_OUTPUT\"")),
    );
    let id = (!commands.output_variables.is_empty()).then(|| step_id(action));
    run(&action.name, id, environment, &lines)
}

fn approved(pipeline: &Draft, stage: &Stage, action: &Action, comment: Option<&Text>) -> Tree {
    let question = comment.cloned().unwrap_or_else(|| "Approved".into());
    let environment = vec![variable(pipeline, stage, "QUESTION", &question)];
    run(
        &action.name,
        None,
        environment,
        &["echo \"approved: $QUESTION\"".to_owned()],
    )
}

fn image(pipeline: &Draft, stage: &Stage, action: &Action, image: &EcrBuildAndPublish) -> Tree {
    let mut environment = vec![variable(pipeline, stage, "REPOSITORY", &image.repository)];
    let tags: Vec<Text> = if image.tags.is_empty() {
        vec!["latest".into()]
    } else {
        image.tags.clone()
    };
    let names: Vec<_> = (1..=tags.len())
        .map(|number| format!("TAG_{number}"))
        .collect();
    environment.extend(
        names
            .iter()
            .zip(&tags)
            .map(|(name, tag)| variable(pipeline, stage, name, tag)),
    );
    let folder = image.docker_file.as_deref().unwrap_or(".");
    let mut lines = vec![
        "uri=$(aws ecr describe-repositories --repository-names \"$REPOSITORY\" --query \"repositories[0].repositoryUri\" --output text)".to_owned(),
        "aws ecr get-login-password | docker login --username AWS --password-stdin \"${uri%%/*}\"".to_owned(),
    ];
    let options: String = names
        .iter()
        .flat_map(|name| [" --tag \"$uri:$", name, "\""])
        .collect();
    lines.push(format!("docker build{options} {folder}"));
    lines.extend(
        names
            .iter()
            .map(|name| format!("docker push \"$uri:${name}\"")),
    );
    lines.push(format!(
        "digest=$(aws ecr describe-images --repository-name \"$REPOSITORY\" --image-ids \"imageTag=${}\" --query \"imageDetails[0].imageDigest\" --output text)",
        names[0]
    ));
    lines.push("echo \"ECRImageDigestId=$digest\" >> \"$GITHUB_OUTPUT\"".to_owned());
    lines.push("echo \"ECRRepositoryName=$REPOSITORY\" >> \"$GITHUB_OUTPUT\"".to_owned());
    run(&action.name, Some(step_id(action)), environment, &lines)
}

/// An execution of a state machine by the CLI, to its end. The ARN is made of what the role itself is of, so that a
/// repository needs no variable more.
fn state_machine(
    pipeline: &Draft,
    stage: &Stage,
    action: &Action,
    machine: &StepFunctions,
    input: &Text,
) -> Tree {
    let id = step_id(action);
    let prefix = machine.prefix.as_deref().unwrap_or(&id);
    let run = "${{ github.run_id }}-${{ github.run_attempt }}";
    let environment = vec![
        variable(pipeline, stage, "STATE_MACHINE", &machine.name),
        variable(pipeline, stage, "INPUT", input),
        (
            "EXECUTION_NAME".to_owned(),
            Tree::Text(format!("{prefix}-{run}")),
        ),
    ];
    let lines = [
        "IFS=: read -r _ partition _ _ account _ <<< \"$(aws sts get-caller-identity --query Arn --output text)\"",
        "machine=arn:$partition:states:$AWS_REGION:$account:stateMachine:$STATE_MACHINE",
        "execution=$(aws stepfunctions start-execution --state-machine-arn \"$machine\" --name \"$EXECUTION_NAME\" --input \"$INPUT\" --query executionArn --output text)",
        "status=RUNNING",
        "while [ \"$status\" = RUNNING ]; do sleep 5; status=$(aws stepfunctions describe-execution --execution-arn \"$execution\" --query status --output text); done",
        "why=$(aws stepfunctions describe-execution --execution-arn \"$execution\" --query \"join(': ', [error || '', cause || ''])\" --output text)",
        "if [ \"$status\" != SUCCEEDED ]; then echo \"$execution ended in $status: $why\" >&2; exit 1; fi",
        "echo \"ExecutionArn=$execution\" >> \"$GITHUB_OUTPUT\"",
        "echo \"StateMachineArn=$machine\" >> \"$GITHUB_OUTPUT\"",
    ]
    .map(str::to_owned);
    self::run(&action.name, Some(id), environment, &lines)
}

/// A stack by the CLI, which makes and executes a change set as the action does. Overrides beat the configuration file.
fn cloudformation(
    pipeline: &Draft,
    stage: &Stage,
    action: &Action,
    stack: &CloudFormation,
) -> Result<Vec<Tree>, RenderError> {
    let refuse = |message: &str| unmirrored(pipeline, stage, &action.name, message);
    let template = stack
        .template
        .as_ref()
        .ok_or_else(|| refuse("only what deploys a template can be mirrored"))?;
    let role = stack
        .role
        .as_ref()
        .ok_or_else(|| refuse("only what has a role can be mirrored"))?;
    let configuration = stack
        .configuration
        .as_ref()
        .and_then(|file| file.path.literal())
        .ok_or_else(|| refuse("only what has a template configuration can be mirrored"))?;
    let literal =
        |text: &Option<Text>, otherwise: &str| text.clone().unwrap_or_else(|| otherwise.into());
    let environment = vec![
        variable(pipeline, stage, "ACTION_MODE", &stack.mode.text()),
        variable(pipeline, stage, "STACK_NAME", &stack.stack),
        variable(pipeline, stage, "TEMPLATE_PATH", &template.path),
        variable(
            pipeline,
            stage,
            "CAPABILITIES",
            &literal(&stack.capabilities, ""),
        ),
        variable(pipeline, stage, "ROLE_ARN", role),
        variable(
            pipeline,
            stage,
            "PARAMETER_OVERRIDES",
            &literal(&stack.parameters, "{}"),
        ),
    ];
    let mut lines: Vec<String> = [
        "case $ACTION_MODE in CREATE_UPDATE | REPLACE_ON_FAILURE) ;; *) echo \"action mode $ACTION_MODE is for CodePipeline\" >&2; exit 1 ;; esac",
    ]
    .map(str::to_owned)
    .to_vec();
    lines.push(format!("jq --argjson overrides \"$PARAMETER_OVERRIDES\" '{{Parameters: (.Parameters + $overrides)}}' {configuration} > parameters.json"));
    lines.push(format!("mapfile -t tags < <(jq --raw-output '.Tags | to_entries[] | \"\\(.key)=\\(.value)\"' {configuration})"));
    lines.push("IFS=, read -r -a capabilities <<< \"$CAPABILITIES\"".to_owned());
    lines.push("aws cloudformation deploy --no-fail-on-empty-changeset --stack-name \"$STACK_NAME\" --template-file \"$TEMPLATE_PATH\" --role-arn \"$ROLE_ARN\" --capabilities \"${capabilities[@]}\" --parameter-overrides file://parameters.json --tags \"${tags[@]}\"".to_owned());
    lines.push("aws cloudformation describe-stacks --stack-name \"$STACK_NAME\" --query \"Stacks[0].Outputs\" --output json | jq --raw-output '.[] | \"\\(.OutputKey)=\\(.OutputValue)\"' >> \"$GITHUB_OUTPUT\"".to_owned());
    Ok(vec![run(
        &action.name,
        Some(step_id(action)),
        environment,
        &lines,
    )])
}
