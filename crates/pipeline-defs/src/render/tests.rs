use std::collections::BTreeSet;

use serde_json::Value;

use super::{RenderedFile, Site, Workspace, declarations, render, statements};
use crate::model::{Part, Pipeline, Provider, Resource};
use crate::pipelines;

const TEMPLATE: &str = include_str!("../../../../cloudformation/delivery.yaml");

fn files() -> Vec<RenderedFile> {
    let workspace = Workspace {
        delivery_template: TEMPLATE.to_owned(),
        environments: Vec::new(),
    };
    let mut files = render(&workspace).unwrap();
    files.extend(declarations(&Site::example()).unwrap());
    files
}

#[track_caller]
fn contents(path: &str) -> String {
    let file = files().into_iter().find(|file| file.path == path);
    file.unwrap_or_else(|| panic!("{path} is not rendered"))
        .contents
}

/// YAML as data; CloudFormation's short tags are left out, what they stand before stays.
fn yaml(text: &str) -> Value {
    fn plain(value: serde_yaml_ng::Value) -> Value {
        match value {
            serde_yaml_ng::Value::Tagged(tagged) => plain(tagged.value),
            serde_yaml_ng::Value::Sequence(items) => items.into_iter().map(plain).collect(),
            serde_yaml_ng::Value::Mapping(map) => Value::Object(
                map.into_iter()
                    .map(|(key, value)| (key.as_str().unwrap().to_owned(), plain(value)))
                    .collect(),
            ),
            leaf => serde_json::to_value(leaf).unwrap(),
        }
    }
    plain(serde_yaml_ng::from_str(text).unwrap())
}

fn texts(value: &Value) -> Vec<String> {
    let items = value.as_array().cloned().unwrap_or_default();
    items
        .iter()
        .map(|item| item.as_str().unwrap().to_owned())
        .collect()
}

/// The commands of a buildspec's phases, in the order that CodeBuild runs them in.
fn of_buildspec(spec: &Value) -> Vec<String> {
    let phases = ["install", "pre_build", "build", "post_build"];
    let phases = phases.iter().map(|phase| &spec["phases"][*phase]);
    phases
        .flat_map(|phase| [texts(&phase["commands"]), texts(&phase["finally"])].concat())
        .collect()
}

/// The commands of each action that has some, in the order of the stages: from the definition.
fn defined(pipeline: &Pipeline) -> Vec<(String, Vec<String>)> {
    let mut all = Vec::new();
    for stage in &pipeline.stages {
        for action in stage.in_order() {
            match &action.provider {
                Provider::CodeBuild(build) => {
                    let phases = pipeline
                        .build(build.build)
                        .unwrap()
                        .buildspec
                        .phases
                        .clone();
                    let phases = phases
                        .each()
                        .map(|(_, phase)| [phase.commands.clone(), phase.finally.clone()].concat());
                    all.push((format!("{}/{}", stage.name, action.name), phases.concat()));
                }
                Provider::Commands(commands) => {
                    all.push((
                        format!("{}/{}", stage.name, action.name),
                        commands.commands.clone(),
                    ));
                }
                _ => {}
            }
        }
    }
    all
}

/// The same from a declaration, whose keys `key` writes; a build's commands are its buildspec's.
fn declared(
    stages: &Value,
    key: impl Fn(&str) -> String,
    spec: impl Fn(&str) -> Value,
) -> Vec<(String, Vec<String>)> {
    let mut all = Vec::new();
    for stage in stages.as_array().unwrap() {
        for action in stage[key("actions")].as_array().unwrap() {
            let name = format!(
                "{}/{}",
                stage[key("name")].as_str().unwrap(),
                action[key("name")].as_str().unwrap()
            );
            let commands = texts(&action[key("commands")]);
            let project = action[key("configuration")]["ProjectName"].as_str();
            if !commands.is_empty() {
                all.push((name, commands));
            } else if let Some(project) = project {
                all.push((name, of_buildspec(&spec(project))));
            }
        }
    }
    all
}

/// The same from a workflow: the commands that are steps there, without what stands only there.
fn mirrored(workflow: &Value, expected: &[(String, Vec<String>)]) -> Vec<(String, Vec<String>)> {
    let jobs = workflow["jobs"].as_object().unwrap();
    let known: BTreeSet<_> = expected.iter().map(|(name, _)| name.clone()).collect();
    let mut all = Vec::new();
    // The jobs in the order of their needs: each needs all before it.
    let mut jobs: Vec<_> = jobs.values().collect();
    jobs.sort_by_key(|job| job["needs"].as_array().map_or(0, Vec::len));
    for job in jobs {
        for step in job["steps"].as_array().into_iter().flatten() {
            let name = format!(
                "{}/{}",
                job["name"].as_str().unwrap(),
                step["name"].as_str().unwrap_or_default()
            );
            if known.contains(&name) {
                let lines = step["run"].as_str().unwrap().lines().map(str::to_owned);
                all.push((name, lines.collect()));
            }
        }
    }
    all
}

#[test]
fn three_forms_run_the_same_commands_in_the_same_order() {
    let template = yaml(&contents("cloudformation/delivery.yaml"));
    let resources = &template["Resources"];
    let mut compared = 0;
    for pipeline in pipelines::all().unwrap() {
        let name = pipeline.name;
        let expected = defined(&pipeline);

        let declaration: Value =
            serde_json::from_str(&contents(&format!("codepipeline/{name}.json"))).unwrap();
        let from_file = |project: &str| {
            let build = project.strip_prefix("stackway-eu-west-2-prod-").unwrap();
            yaml(&contents(&format!("buildspecs/{build}.yml")))
        };
        let found = declared(&declaration["pipeline"]["stages"], str::to_owned, from_file);
        assert_eq!(
            found, expected,
            "codepipeline/{name}.json and its buildspecs"
        );

        let upper = |key: &str| key[..1].to_uppercase() + &key[1..];
        let inline = |project: &str| {
            let mut projects = resources.as_object().unwrap().values();
            let found = projects.find(|one| {
                one["Type"] == "AWS::CodeBuild::Project" && one["Properties"]["Name"] == project
            });
            let spec = found.unwrap()["Properties"]["Source"]["BuildSpec"]
                .as_str()
                .unwrap();
            // What CloudFormation does to a text under `!Sub`.
            yaml(&spec.replace("${!", "${"))
        };
        let resource = &resources[format!("{}Pipeline", upper(name))];
        let found = declared(&resource["Properties"]["Stages"], upper, inline);
        assert_eq!(found, expected, "the resource of {name}");

        let workflow = yaml(&contents(&format!(".github/workflows/{name}.yml")));
        assert_eq!(
            mirrored(&workflow, &expected),
            expected,
            "the workflow of {name}"
        );
        compared += expected.len();
    }
    assert_eq!(compared, 3, "actions with commands");
}

/// The declaration, the resource and the workflow start one state machine with one input; each role may do just that.
#[test]
fn three_forms_start_the_same_state_machine() {
    let last_action = |stages: &Value, key: &dyn Fn(&str) -> String| -> Value {
        let stage = stages.as_array().unwrap().last().unwrap();
        stage[key("actions")].as_array().unwrap().last().unwrap()[key("configuration")].clone()
    };
    let declaration: Value =
        serde_json::from_str(&contents("codepipeline/deployment.json")).unwrap();
    let declared = last_action(&declaration["pipeline"]["stages"], &str::to_owned);
    let template = yaml(&contents("cloudformation/delivery.yaml"));
    let resources = &template["Resources"];
    let upper = |key: &str| key[..1].to_uppercase() + &key[1..];
    let stages = &resources["DeploymentPipeline"]["Properties"]["Stages"];
    let resource = last_action(stages, &upper);
    let workflow = yaml(&contents(".github/workflows/deployment.yml"));
    let steps = workflow["jobs"]["cloudformation"]["steps"].as_array();
    let step = &steps.unwrap().last().unwrap()["env"];

    let arn = "arn:${AWS::Partition}:states:${AWS::Region}:${AWS::AccountId}";
    let name = "${Project}-${AWS::Region}-${Environment}-release";
    assert_eq!(
        resource["StateMachineArn"],
        format!("{arn}:stateMachine:{name}")
    );
    assert_eq!(
        declared["StateMachineArn"],
        "arn:aws:states:eu-west-2:111122223333:stateMachine:stackway-eu-west-2-prod-release"
    );
    assert!(
        step["STATE_MACHINE"]
            .as_str()
            .unwrap()
            .contains("{2}-release")
    );
    let input = r##"{"url":"#{DeployVariables.ApiUrl}","commit":"#{SourceVariables.CommitId}"}"##;
    assert_eq!(
        (&declared["Input"], &resource["Input"]),
        (&input.into(), &input.into())
    );
    let mirrored = input
        .replace(
            "#{DeployVariables.ApiUrl}",
            "${{ steps.deploy.outputs.ApiUrl }}",
        )
        .replace("#{SourceVariables.CommitId}", "${{ github.sha }}");
    assert_eq!(step["INPUT"], mirrored);

    let github = yaml(include_str!("../../../../cloudformation/github.yaml"));
    for role in [
        &resources["DeploymentPipelineRole"],
        &github["Resources"]["WorkflowRole"],
    ] {
        let policies = role["Properties"]["Policies"].to_string();
        for one in ["stateMachine", "execution"] {
            let after = if one == "execution" { ":*\"" } else { "\"" };
            let allowed = format!("\"{arn}:{one}:{name}{after}");
            assert!(
                policies.contains(&allowed),
                "{allowed} is not in {policies}"
            );
        }
        assert!(!policies.contains("secretsmanager:"), "{policies}");
    }
}

/// `*` stands only where a service knows no ARN for a call, and no call is a pattern.
#[test]
fn policies_name_calls_and_resources() {
    let without_arn = [
        "cloudformation:ValidateTemplate",
        "ecr:GetAuthorizationToken",
        "logs:CreateLogDelivery",
        "logs:DeleteLogDelivery",
        "logs:DescribeLogGroups",
        "logs:DescribeResourcePolicies",
        "logs:GetLogDelivery",
        "logs:ListLogDeliveries",
        "logs:PutResourcePolicy",
        "logs:UpdateLogDelivery",
    ];
    let template = yaml(&contents("cloudformation/delivery.yaml"));
    let mut seen = 0;
    for (name, resource) in template["Resources"].as_object().unwrap() {
        for policy in resource["Properties"]["Policies"]
            .as_array()
            .into_iter()
            .flatten()
        {
            for statement in policy["PolicyDocument"]["Statement"].as_array().unwrap() {
                // Under a condition: its name, the statement, nothing.
                let statement = statement.as_array().map_or(statement, |choice| &choice[1]);
                let list = |value: &Value| {
                    if value.is_array() {
                        texts(value)
                    } else {
                        vec![value.as_str().unwrap().to_owned()]
                    }
                };
                let actions = list(&statement["Action"]);
                assert!(
                    actions.iter().all(|action| !action.contains('*')),
                    "{name}: {actions:?}"
                );
                for resource in list(&statement["Resource"]) {
                    if resource == "*" {
                        let stray = actions
                            .iter()
                            .find(|action| !without_arn.contains(&action.as_str()));
                        assert_eq!(stray, None, "{name}: {statement}");
                    }
                }
                seen += 1;
            }
        }
    }
    assert!(seen > 20, "{seen} statements");
}

/// Every resource that a definition names is in some statement or configuration of the template.
#[test]
fn every_action_is_allowed_something() {
    for pipeline in pipelines::all().unwrap() {
        let sids: BTreeSet<_> = statements(&pipeline)
            .into_iter()
            .map(|statement| statement.sid)
            .collect();
        for stage in &pipeline.stages {
            for action in &stage.actions {
                let word: String = format!("{}{}", stage.name, action.name)
                    .chars()
                    .filter(char::is_ascii_alphanumeric)
                    .collect();
                assert!(sids.contains(&word), "{word} is not in {sids:?}");
            }
        }
    }
}

/// No text that a run or a person decides is part of a command: values reach shells through the environment.
#[test]
fn no_expression_is_in_a_command() {
    for file in files()
        .iter()
        .filter(|file| file.path.starts_with(".github/"))
    {
        let workflow = yaml(&file.contents);
        for job in workflow["jobs"].as_object().unwrap().values() {
            for step in job["steps"].as_array().into_iter().flatten() {
                let run = step["run"].as_str().unwrap_or_default();
                assert!(!run.contains("${{"), "{}: {run}", file.path);
                let uses = step["uses"].as_str().and_then(|uses| uses.split_once('@'));
                assert!(
                    uses.is_none_or(|(_, commit)| commit.len() == 40),
                    "{}: {step}",
                    file.path
                );
            }
            let write: Vec<_> = job["permissions"]
                .as_object()
                .unwrap()
                .iter()
                .filter(|(_, level)| *level == "write")
                .collect();
            assert!(
                write.iter().all(|(name, _)| *name == "id-token"),
                "{}: {write:?}",
                file.path
            );
        }
        assert_eq!(
            workflow["permissions"],
            serde_json::json!({}),
            "{}",
            file.path
        );
    }
}

#[test]
fn what_a_person_wrote_in_the_template_stays() {
    let first = contents("cloudformation/delivery.yaml");
    let again = Workspace {
        delivery_template: first.clone(),
        environments: Vec::new(),
    };
    let again = render(&again).unwrap();
    let again = again
        .iter()
        .find(|file| file.path == "cloudformation/delivery.yaml")
        .unwrap();
    assert_eq!(again.contents, first);
    let rest = |text: &str| {
        let (before, after) = text.split_once("  # What follows is rendered").unwrap();
        let (_, after) = after.split_once("  # Here ends what is rendered.").unwrap();
        (before.to_owned(), after.to_owned())
    };
    assert_eq!(rest(&first), rest(TEMPLATE));

    let error = render(&Workspace::default()).unwrap_err();
    insta::assert_snapshot!(error, @"`cloudformation/delivery.yaml` has no line `# What follows is rendered by `cargo xtask render` from crates/pipeline-defs: edits there are lost.` where the pipelines would start, or no line `# Here ends what is rendered.` after it");
}

/// Infra sends a template with the call, which takes 51,200 bytes.
#[test]
fn the_template_fits_a_call() {
    let size = contents("cloudformation/delivery.yaml").len();
    assert!(size <= 51_200, "{size} bytes");
}

#[test]
fn declarations_have_no_value_over_the_limit() {
    for pipeline in pipelines::all().unwrap() {
        let actions = pipeline.stages.iter().flat_map(|stage| &stage.actions);
        for (key, text) in actions.flat_map(|action| action.provider.configuration()) {
            let site = Site::example();
            let longest = text.longest();
            assert!(site.text(&text).len() <= longest, "{key}: {text}");
            for part in text.parts() {
                if let Part::Resource(resource) = part {
                    assert!(
                        site.value(*resource).len() <= resource.longest(),
                        "{resource:?}"
                    );
                }
            }
        }
    }
    assert_eq!(
        Site::example().value(Resource::TableArn),
        "arn:aws:dynamodb:eu-west-2:111122223333:table/stackway-eu-west-2-prod-table"
    );
}

#[test]
fn declaration_of_the_application() {
    insta::assert_snapshot!(contents("codepipeline/application.json"));
}

#[test]
fn declaration_of_the_deployment() {
    insta::assert_snapshot!(contents("codepipeline/deployment.json"));
}

/// Names that templates make, and that a declaration has to know.
#[test]
fn names_are_the_templates_own() {
    let names = [
        (
            Resource::ArtifactBucket,
            include_str!("../../../../cloudformation/artifacts.yaml"),
            "ArtifactBucket",
            "BucketName",
        ),
        (
            Resource::ImageRepository,
            include_str!("../../../../cloudformation/artifacts.yaml"),
            "Repository",
            "RepositoryName",
        ),
        (
            Resource::TableName,
            include_str!("../../../../cloudformation/table.yaml"),
            "Table",
            "TableName",
        ),
        (
            Resource::ReleaseMachine,
            include_str!("../../../../cloudformation/automation.yaml"),
            "Machine",
            "StateMachineName",
        ),
        (Resource::Topic, TEMPLATE, "Topic", "TopicName"),
    ];
    let site = Site::example();
    for (resource, template, id, property) in names {
        let name = yaml(template)["Resources"][id]["Properties"][property]
            .as_str()
            .unwrap()
            .to_owned();
        let name = [
            ("Project", &site.project),
            ("Environment", &site.environment),
            ("AWS::Region", &site.region),
            ("AWS::AccountId", &site.account),
        ]
        .iter()
        .fold(name, |name, (part, value)| {
            name.replace(&format!("${{{part}}}"), value)
        });
        let value = site.value(resource);
        assert_eq!(
            value.rsplit(':').next(),
            Some(name.as_str()),
            "{resource:?}"
        );
    }
}

/// The role that the pipelines' stack is made with may make each kind of resource that its template has.
#[test]
fn the_stack_s_role_reaches_what_the_stack_holds() {
    let services = [
        ("AWS::ApiGatewayV2::", "apigateway:"),
        ("AWS::CloudWatch::", "cloudwatch:"),
        ("AWS::CodeDeploy::", "codedeploy:"),
        ("AWS::IAM::", "iam:"),
        ("AWS::Lambda::", "lambda:"),
        ("AWS::Logs::", "logs:"),
        ("AWS::SSM::", "ssm:"),
    ];
    let delivery = yaml(TEMPLATE);
    let policies = delivery["Resources"]["StackRole"]["Properties"]["Policies"].to_string();
    let api = yaml(include_str!("../../../../cloudformation/api.yaml"));
    for (name, resource) in api["Resources"].as_object().unwrap() {
        let kind = resource["Type"].as_str().unwrap();
        let service = services.iter().find(|(prefix, _)| kind.starts_with(prefix));
        let (_, calls) = service.unwrap_or_else(|| {
            panic!(
                "{name} is a {kind}: allow StackRole in delivery.yaml to make it, and add it here"
            )
        });
        assert!(policies.contains(&format!("\"{calls}")), "{name}: {calls}");
    }
}
