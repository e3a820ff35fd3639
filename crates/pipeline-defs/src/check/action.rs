use std::ops::RangeInclusive;

use super::{Faults, VALUE_MAX, name, repeated};
use crate::model::{
    Action, CloudFormation, CodeBuild, Commands, Draft, Ecs, EnvironmentKind, EnvironmentVariable,
    LambdaDeploy, Provider, Shift, StateInput, StepFunctions, Targets, Text,
};

const RUN_ORDERS: RangeInclusive<u16> = 1..=999;
const MINUTES: RangeInclusive<u32> = 5..=86_400;
const COMMANDS: RangeInclusive<usize> = 1..=50;
const COMMAND_MAX: usize = 1000;
const ENVIRONMENT_MAX: usize = 10;
const ENVIRONMENT_VALUE_MAX: usize = 2000;
const OUTPUT_VARIABLES_MAX: usize = 15;
const FILES_MAX: usize = 10;
const FILE_MAX: usize = 128;
const ALARMS_MAX: usize = 10;
/// Two days, the longest that a Lambda deploy action may shift traffic for.
const SHIFT_MINUTES_MAX: u32 = 2 * 24 * 60;

/// The actions of the first stage.
pub(super) fn sources(draft: &Draft, faults: &mut Faults) {
    faults.enter(draft.source_stage);
    name::stage(draft.source_stage, faults);
    if draft.sources.is_empty() {
        faults.add("has no action; the first stage needs a source");
    }
    for twice in repeated(draft.sources.iter().map(|source| source.name.as_str())) {
        faults.add(format!("two actions are called `{twice}`"));
    }
    for source in &draft.sources {
        faults.at(&source.name);
        name::action(&source.name, faults);
        name::artifact(&source.output, faults);
        if let Some(namespace) = &source.namespace {
            name::namespace(namespace, faults);
        }
        values(&source.source.configuration(), faults);
    }
    faults.leave();
}

/// One action of a later stage.
pub(super) fn check(draft: &Draft, action: &Action, faults: &mut Faults) {
    name::action(&action.name, faults);
    if !RUN_ORDERS.contains(&action.run_order) {
        faults.add(format!("run order {} is not in 1 to 999", action.run_order));
    }
    if let Some(namespace) = &action.namespace {
        name::namespace(namespace, faults);
    }
    if let Some(minutes) = action.timeout_minutes {
        if !MINUTES.contains(&minutes) {
            faults.add(format!(
                "a timeout of {minutes} minutes is not in 5 to 86400"
            ));
        }
        if !matches!(action.provider, Provider::ManualApproval(_)) {
            faults.add("only a manual approval may have a timeout of its own");
        }
    }
    let (inputs, outputs) = action.provider.artifacts();
    for (what, count, range) in [
        ("reads", action.inputs.len(), inputs),
        ("makes", action.outputs.len(), outputs),
    ] {
        if !range.contains(&count) {
            let (least, most) = (range.start(), range.end());
            let range = if least == most {
                least.to_string()
            } else {
                format!("{least} to {most}")
            };
            faults.add(format!(
                "{what} {count} artifacts; {} takes {range}",
                action.provider.name()
            ));
        }
    }
    for output in &action.outputs {
        name::artifact(&output.name, faults);
        if matches!(action.provider, Provider::Commands(_)) {
            let fits = |file: &String| !file.is_empty() && file.len() <= FILE_MAX;
            if output.files.is_empty()
                || output.files.len() > FILES_MAX
                || !output.files.iter().all(fits)
            {
                faults.add(format!(
                    "artifact `{}` needs 1 to {FILES_MAX} patterns of 1 to {FILE_MAX} characters",
                    output.name
                ));
            }
        } else if !output.files.is_empty() {
            faults.add(format!(
                "artifact `{}` names files, which only Commands choose",
                output.name
            ));
        }
    }
    values(&action.provider.configuration(), faults);
    provider(draft, action, faults);
}

fn provider(draft: &Draft, action: &Action, faults: &mut Faults) {
    match &action.provider {
        Provider::CodeBuild(build) => code_build(draft, action, build, faults),
        Provider::Commands(commands) => self::commands(commands, faults),
        Provider::CloudFormation(stack) => cloudformation(action, stack, faults),
        Provider::StackSet(set) => {
            reads(action, &set.template.artifact, faults);
            if !set.service_managed && set.organizations_auto_deployment.is_some() {
                faults.add("only a service-managed stack set deploys to new accounts by itself");
            }
            if set.organizations_auto_deployment.is_some() && set.targets.is_some() {
                faults.add("a stack set that deploys to new accounts by itself takes no targets");
            }
            set.targets.iter().for_each(|all| targets(all, faults));
        }
        Provider::StackInstances(instances) => targets(&instances.targets, faults),
        Provider::LambdaDeploy(deploy) => lambda_deploy(action, deploy, faults),
        Provider::StepFunctions(machine) => state_machine(action, machine, faults),
        Provider::Ecs(Ecs {
            timeout_minutes: Some(minutes),
            ..
        }) if !(1..=60).contains(minutes) => {
            faults.add(format!(
                "a deployment timeout of {minutes} minutes is not in 1 to 60"
            ));
        }
        Provider::EcrBuildAndPublish(_)
        | Provider::ManualApproval(_)
        | Provider::Invocation(_)
        | Provider::LambdaInvoke(_)
        | Provider::Ecs(_) => {}
    }
}

/// The values of a configuration, at their longest.
pub(super) fn values(configuration: &[(&'static str, Text)], faults: &mut Faults) {
    for (key, value) in configuration {
        if value.is_empty() {
            faults.add(format!("{key} is empty"));
        }
        let longest = value.longest();
        if longest > VALUE_MAX {
            faults.add(format!(
                "{key} can have {longest} characters; CodePipeline takes {VALUE_MAX}"
            ));
        }
    }
}

fn reads(action: &Action, artifact: &str, faults: &mut Faults) {
    if !action.inputs.iter().any(|input| input == artifact) {
        faults.add(format!(
            "names a file of artifact `{artifact}`, which it does not read"
        ));
    }
}

fn code_build(draft: &Draft, action: &Action, build: &CodeBuild, faults: &mut Faults) {
    if !draft.builds.iter().any(|known| known.name == build.build) {
        faults.add(format!(
            "names build `{}`, which the pipeline does not have",
            build.build
        ));
    }
    match &build.primary_source {
        Some(primary) => reads(action, primary, faults),
        None if action.inputs.len() > 1 => {
            faults.add("reads several artifacts and does not say which the build runs in");
        }
        None => {}
    }
    environment(&build.environment, faults);
}

fn environment(environment: &[EnvironmentVariable], faults: &mut Faults) {
    for twice in repeated(environment.iter().map(|variable| variable.name)) {
        faults.add(format!("environment variable `{twice}` is there twice"));
    }
    for variable in environment {
        name::environment_variable(variable.name, faults);
        if variable.value.is_empty() || variable.value.longest() > ENVIRONMENT_VALUE_MAX {
            faults.add(format!(
                "environment variable `{}` may have 1 to {ENVIRONMENT_VALUE_MAX} characters",
                variable.name
            ));
        }
    }
}

fn commands(commands: &Commands, faults: &mut Faults) {
    if !COMMANDS.contains(&commands.commands.len()) {
        faults.add(format!(
            "has {} commands; CodePipeline takes 1 to 50",
            commands.commands.len()
        ));
    }
    for command in &commands.commands {
        one_command(command, faults);
        if command.contains("#{") {
            faults.add(format!("reads a variable in `{command}`: hand it over in the environment, where no shell reads it"));
        }
    }
    if commands.environment.len() > ENVIRONMENT_MAX {
        faults.add(format!(
            "has {} environment variables; CodePipeline takes {ENVIRONMENT_MAX}",
            commands.environment.len()
        ));
    }
    if commands
        .environment
        .iter()
        .any(|variable| variable.kind == EnvironmentKind::ParameterStore)
    {
        faults.add("Commands read no parameter store");
    }
    if commands.output_variables.len() > OUTPUT_VARIABLES_MAX {
        faults.add(format!(
            "has {} output variables; CodePipeline takes {OUTPUT_VARIABLES_MAX}",
            commands.output_variables.len()
        ));
    }
    environment(&commands.environment, faults);
}

pub(super) fn one_command(command: &str, faults: &mut Faults) {
    if command.trim().is_empty() || command.chars().count() > COMMAND_MAX {
        faults.add(format!(
            "command `{command}` may have 1 to {COMMAND_MAX} characters"
        ));
    }
    if command.contains(['\n', '\r']) {
        faults.add(format!(
            "command `{}` has several lines",
            command.lines().next().unwrap_or_default()
        ));
    }
}

fn cloudformation(action: &Action, stack: &CloudFormation, faults: &mut Faults) {
    let mode = stack.mode.text();
    for file in stack.template.iter().chain(&stack.configuration) {
        reads(action, &file.artifact, faults);
    }
    if stack.mode.needs_template() == Some(true) && stack.template.is_none() {
        faults.add(format!("action mode {mode} needs a template"));
    }
    if stack.mode.needs_role() && stack.role.is_none() {
        faults.add(format!("action mode {mode} needs a role"));
    }
    if stack.mode.needs_change_set() && stack.change_set.is_none() {
        faults.add(format!("action mode {mode} needs a change set's name"));
    }
    if stack.output_file.is_some() != (action.outputs.len() == 1) {
        faults.add("an output file and an output artifact go together");
    }
    for text in stack.capabilities.iter().filter_map(Text::literal) {
        for one in text.split(',') {
            if ![
                "CAPABILITY_IAM",
                "CAPABILITY_NAMED_IAM",
                "CAPABILITY_AUTO_EXPAND",
            ]
            .contains(&one)
            {
                faults.add(format!("`{one}` is no capability"));
            }
        }
    }
}

fn targets(targets: &Targets, faults: &mut Faults) {
    if targets.regions.is_empty() {
        faults.add("targets name no region");
    }
    if targets
        .failure_tolerance_percent
        .is_some_and(|percent| percent > 100)
    {
        faults.add("the failure tolerance is more than 100 percent");
    }
    if targets
        .max_concurrent_percent
        .is_some_and(|percent| !(1..=100).contains(&percent))
    {
        faults.add("the accounts at once are not 1 to 100 percent");
    }
}

fn lambda_deploy(action: &Action, deploy: &LambdaDeploy, faults: &mut Faults) {
    if deploy.version.is_none() && action.inputs.is_empty() {
        faults.add("deploys neither an artifact nor a published version");
    }
    if deploy.alias.is_none() && (deploy.version.is_some() || deploy.shift != Shift::AllAtOnce) {
        faults.add("a version and a strategy are for an alias, and there is none");
    }
    if deploy.alarms.len() > ALARMS_MAX {
        faults.add(format!(
            "has {} alarms; the action takes {ALARMS_MAX}",
            deploy.alarms.len()
        ));
    }
    let minutes = match deploy.shift {
        Shift::AllAtOnce => return,
        Shift::Canary { minutes, .. } => u32::from(minutes),
        Shift::Linear { percent, minutes } => {
            100_u32.div_ceil(u32::from(percent).max(1)) * u32::from(minutes)
        }
    };
    let (Shift::Canary { percent, .. } | Shift::Linear { percent, .. }) = deploy.shift else {
        return;
    };
    if !(1..=99).contains(&percent) {
        faults.add(format!("a part of {percent} percent is not in 1 to 99"));
    }
    if !(1..=SHIFT_MINUTES_MAX).contains(&minutes) {
        faults.add(format!(
            "requests would move for {minutes} minutes; the action takes 1 to {SHIFT_MINUTES_MAX}"
        ));
    }
}

fn state_machine(action: &Action, machine: &StepFunctions, faults: &mut Faults) {
    let from_file = matches!(machine.input, StateInput::File(_));
    if from_file && action.inputs.is_empty() {
        faults.add("takes its input from a file, and reads no artifact");
    }
    if !from_file && !action.inputs.is_empty() {
        faults.add("reads an artifact, and takes no file of it");
    }
}
