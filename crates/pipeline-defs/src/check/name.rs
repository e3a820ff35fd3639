use super::{Faults, VALUE_MAX};
use crate::model::Variable;

const NAME_MAX: usize = 100;
const VARIABLE_MAX: usize = 128;
const DESCRIPTION_MAX: usize = 200;
/// `<project>-<region>-<environment>-` at its longest.
const PREFIX_MAX: usize = 49;

/// Letters, digits and `.`, `@`, `-`, `_`: pipelines, stages, actions and rules.
const NAME: &str = ".@-_";
/// Letters, digits and `@`, `-`, `_`: namespaces and variables.
const WORD: &str = "@-_";
/// Letters, digits and `-`, `_`.
const ARTIFACT: &str = "-_";

fn check(what: &str, name: &str, more: &str, most: usize, faults: &mut Faults) {
    let fits = |c: char| c.is_ascii_alphanumeric() || more.contains(c);
    if name.is_empty() || name.chars().count() > most {
        faults.add(format!(
            "{what} `{name}` has {} characters; it may have 1 to {most}",
            name.chars().count()
        ));
    } else if let Some(wrong) = name.chars().find(|c| !fits(*c)) {
        let more: Vec<_> = more.chars().map(String::from).collect();
        faults.add(format!(
            "{what} `{name}` has a `{wrong}`: letters, digits and {} are allowed",
            more.join(" ")
        ));
    }
}

pub(super) fn pipeline(name: &str, faults: &mut Faults) {
    check("the name", name, NAME, NAME_MAX - PREFIX_MAX, faults);
}

pub(super) fn stage(name: &str, faults: &mut Faults) {
    check("the name", name, NAME, NAME_MAX, faults);
}

pub(super) fn action(name: &str, faults: &mut Faults) {
    check("the name", name, NAME, NAME_MAX, faults);
}

pub(super) fn rule(name: &str, faults: &mut Faults) {
    check("the rule's name", name, NAME, NAME_MAX, faults);
}

pub(super) fn artifact(name: &str, faults: &mut Faults) {
    check("artifact", name, ARTIFACT, NAME_MAX, faults);
}

pub(super) fn namespace(name: &str, faults: &mut Faults) {
    check("namespace", name, WORD, NAME_MAX, faults);
    if ["variables", "codepipeline"].contains(&name) {
        faults.add(format!("namespace `{name}` is one of CodePipeline's own"));
    }
}

pub(super) fn environment_variable(name: &str, faults: &mut Faults) {
    check("environment variable", name, "_", VARIABLE_MAX, faults);
}

pub(super) fn variable(variable: &Variable, faults: &mut Faults) {
    check("variable", variable.name, WORD, VARIABLE_MAX, faults);
    if variable
        .default
        .is_some_and(|text| text.is_empty() || text.chars().count() > VALUE_MAX)
    {
        let message = format!(
            "the default of variable `{}` may have 1 to {VALUE_MAX} characters",
            variable.name
        );
        faults.add(message);
    }
    if variable.description.chars().count() > DESCRIPTION_MAX {
        let message = format!(
            "the description of variable `{}` may have {DESCRIPTION_MAX} characters",
            variable.name
        );
        faults.add(message);
    }
}
