use std::collections::BTreeSet;

use super::{Faults, repeated};
use crate::model::Build;

/// CodeBuild's limit on a project's name, and what comes before ours in it.
///
/// See [CreateProject](https://docs.aws.amazon.com/codebuild/latest/APIReference/API_CreateProject.html).
const NAME_MAX: usize = 150 - 49;

pub(super) fn check(build: &Build, faults: &mut Faults) {
    let mut fault = |message: String| faults.add(format!("build `{}`: {message}", build.name));
    let fits = |b: u8| b.is_ascii_alphanumeric() || b"-_".contains(&b);
    if build.name.is_empty() || build.name.len() > NAME_MAX || !build.name.bytes().all(fits) {
        fault(format!(
            "its name may have 1 to {NAME_MAX} letters, digits, - and _"
        ));
    }
    let phases = build.buildspec.phases.each();
    if phases.iter().all(|(_, phase)| phase.is_empty()) {
        fault("it runs nothing".to_owned());
    }
    for (name, phase) in phases {
        if phase.commands.is_empty() && !phase.finally.is_empty() {
            fault(format!(
                "phase {} has `finally` and no commands",
                name.as_str()
            ));
        }
        for command in phase.commands.iter().chain(&phase.finally) {
            if command.trim().is_empty() {
                fault(format!("phase {} has an empty command", name.as_str()));
            }
            if command.contains("#{") {
                fault(format!(
                    "phase {} reads a pipeline's variable in `{command}`: hand it over in the action's environment",
                    name.as_str()
                ));
            }
        }
    }
    let environment = &build.buildspec.environment;
    let given: Vec<_> = environment
        .variables
        .iter()
        .chain(&environment.parameter_store)
        .chain(&environment.secrets_manager)
        .map(|(name, _)| *name)
        .collect();
    for twice in repeated(given.iter().copied()) {
        fault(format!("environment variable `{twice}` is there twice"));
    }
    for name in given.iter().chain(&environment.exported) {
        let word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
        if name.is_empty() || !name.bytes().all(word) || name.as_bytes()[0].is_ascii_digit() {
            fault(format!("`{name}` is no name of an environment variable"));
        }
    }
    let mut groups = BTreeSet::new();
    for report in &build.buildspec.reports {
        if !groups.insert(report.group) {
            fault(format!("report `{}` is there twice", report.group));
        }
        if report.files.is_empty() {
            fault(format!("report `{}` has no files", report.group));
        }
    }
    if let Some(artifacts) = &build.buildspec.artifacts
        && artifacts.files.is_empty()
        && artifacts.secondary.is_empty()
    {
        fault("its artifacts have no files".to_owned());
    }
}
