use std::collections::BTreeMap;

use super::Faults;
use crate::model::{Action, BeforeEntry, Draft, OutputVariables, Part, Provider, Stage, Text};

/// CodePipeline's own variables.
const OWN: [&str; 1] = ["PipelineExecutionId"];

/// What a namespace holds, and from when on.
struct Namespace {
    variables: OutputVariables,
    /// The stage, counted from the first, and the run order in it.
    made: (usize, u16),
}

/// Variables are declared, and made before they are read.
pub(super) fn check(draft: &Draft, faults: &mut Faults) {
    let mut known: BTreeMap<&str, Namespace> = BTreeMap::new();
    let add = |name, namespace, faults: &mut Faults, known: &mut BTreeMap<_, _>| {
        if known.insert(name, namespace).is_some() {
            faults.add(format!("namespace `{name}` is taken by another action"));
        }
    };
    faults.enter(draft.source_stage);
    for source in &draft.sources {
        faults.at(&source.name);
        if let Some(name) = source.namespace.as_deref() {
            let variables = source
                .source
                .output_variables()
                .iter()
                .map(ToString::to_string)
                .collect();
            let namespace = Namespace {
                variables: OutputVariables::Known(variables),
                made: (0, 1),
            };
            add(name, namespace, faults, &mut known);
        }
    }
    for (index, stage) in draft.stages.iter().enumerate() {
        faults.enter(stage.name);
        for action in &stage.actions {
            faults.at(&action.name);
            if let Some(name) = action.namespace.as_deref() {
                let namespace = Namespace {
                    variables: variables(draft, action),
                    made: (index + 1, action.run_order),
                };
                add(name, namespace, faults, &mut known);
            }
        }
    }

    faults.enter(draft.source_stage);
    for source in &draft.sources {
        faults.at(&source.name);
        for (key, text) in source.source.configuration() {
            read(draft, &known, key, &text, (0, 0), faults);
        }
    }
    for (index, stage) in draft.stages.iter().enumerate() {
        faults.enter(stage.name);
        for action in &stage.actions {
            faults.at(&action.name);
            let now = (index + 1, action.run_order);
            for (key, text) in action.provider.configuration() {
                read(draft, &known, key, &text, now, faults);
            }
            if let Provider::Commands(commands) = &action.provider {
                for variable in &commands.environment {
                    read(draft, &known, variable.name, &variable.value, now, faults);
                }
            }
        }
        rules(draft, &known, index + 1, stage, faults);
    }
    faults.leave();
}

/// Rules before entry see what earlier stages made, all others what this one made too.
fn rules(
    draft: &Draft,
    known: &BTreeMap<&str, Namespace>,
    index: usize,
    stage: &Stage,
    faults: &mut Faults,
) {
    let before = stage
        .before_entry
        .iter()
        .flat_map(BeforeEntry::rules)
        .map(|rule| (rule, (index, 0)));
    let after = stage
        .on_success
        .iter()
        .flat_map(|condition| condition.rules().to_vec());
    for (rule, now) in before.chain(after.map(|rule| (rule, (index, u16::MAX)))) {
        faults.at(rule.name());
        for (key, text) in rule.configuration() {
            read(draft, known, key, &text, now, faults);
        }
        for command in rule.commands() {
            read(draft, known, "a command", command, now, faults);
        }
    }
}

fn variables(draft: &Draft, action: &Action) -> OutputVariables {
    match &action.provider {
        Provider::CodeBuild(build) => {
            let build = draft.builds.iter().find(|known| known.name == build.build);
            let exported = build
                .map(|build| build.buildspec.environment.exported.as_slice())
                .unwrap_or_default();
            OutputVariables::Known(exported.iter().map(ToString::to_string).collect())
        }
        other => other.output_variables(),
    }
}

fn read(
    draft: &Draft,
    known: &BTreeMap<&str, Namespace>,
    place: &str,
    text: &Text,
    now: (usize, u16),
    faults: &mut Faults,
) {
    for part in text.parts() {
        let reference = match part {
            Part::Literal(literal) if literal.contains("#{") => {
                faults.add(format!("{place} has a malformed variable in `{literal}`"));
                continue;
            }
            Part::Variable(reference) => reference,
            _ => continue,
        };
        let name = reference.name.as_str();
        match reference.namespace.as_str() {
            "variables" => {
                if !draft.variables.iter().any(|variable| variable.name == name) {
                    faults.add(format!(
                        "{place} reads {reference}, and the pipeline has no variable `{name}`"
                    ));
                }
            }
            "codepipeline" => {
                if !OWN.contains(&name) {
                    faults.add(format!(
                        "{place} reads {reference}; CodePipeline's own are: {}",
                        OWN.join(", ")
                    ));
                }
            }
            other => {
                match known.get(other) {
                    None => faults.add(format!(
                        "{place} reads {reference}, and no action has namespace `{other}`"
                    )),
                    Some(namespace) if namespace.made >= now => {
                        faults.add(format!("{place} reads {reference} before the action of namespace `{other}` has run"));
                    }
                    Some(Namespace {
                        variables: OutputVariables::Known(names),
                        ..
                    }) if !names.iter().any(|one| one == name) => {
                        faults.add(format!(
                            "{place} reads {reference}, and namespace `{other}` has: {}",
                            names.join(", ")
                        ));
                    }
                    Some(_) => {}
                }
            }
        }
    }
}
