//! What CloudFormation would refuse, and an emulator might not.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde_json::Value;

use super::Template;
use super::condition::Conditions;
use super::locate::line_of;
use super::reference::{PSEUDO, Reference, condition_references, references};
use crate::config::nearest;

/// CloudFormation's limit on a template that is sent with the call, in bytes. From a bucket it may have 1 MB.
///
/// See [quotas](https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html).
pub const BODY_MAX: usize = 51_200;

const PARAMETERS_MAX: usize = 200;
const RESOURCES_MAX: usize = 500;
const OUTPUTS_MAX: usize = 200;

/// A fault of a template. It shows as `line <line>: <path>: <what is wrong>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Where, as keys with dots between: `Resources.Table`.
    pub path: String,
    /// The line of that key in the text, from 1, where it is found.
    pub line: Option<usize>,
    /// What is wrong.
    pub message: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(line) = self.line {
            write!(f, "line {line}: ")?;
        }
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        f.write_str(&self.message)
    }
}

pub(super) fn template(template: &Template) -> Vec<Fault> {
    let mut check = Check {
        template,
        faults: Vec::new(),
    };
    check.limits();
    check.parameters();
    check.conditions();
    check.resources();
    check.outputs();
    check.cycles();
    check.faults
}

/// References from what exists under `values` to resources that do not.
pub(super) fn dangling(template: &Template, values: &BTreeMap<String, String>) -> Vec<Fault> {
    let conditions = Conditions::new(template, values);
    let mut check = Check {
        template,
        faults: Vec::new(),
    };
    let expressions =
        (template.resources.iter())
            .map(|(name, resource)| {
                (
                    "Resources",
                    name,
                    &resource.properties,
                    resource.condition.as_deref(),
                )
            })
            .chain((template.outputs.iter()).map(|(name, output)| {
                ("Outputs", name, &output.value, output.condition.as_deref())
            }));
    for (section, name, value, condition) in expressions {
        if !conditions.may_hold(condition) {
            continue;
        }
        for reference in references(value, &|condition| conditions.holds(condition)) {
            let (Reference::Name(target) | Reference::Attribute(target, _)) = reference else {
                continue;
            };
            let off = template
                .resources
                .get(&target)
                .and_then(|resource| resource.condition.as_deref());
            if let Some(off) = off.filter(|off| conditions.holds(off) == Some(false)) {
                let message = format!("refers to `{target}`, which condition `{off}` switches off");
                check.fault(&[section, name], message);
            }
        }
    }
    check.faults
}

struct Check<'a> {
    template: &'a Template,
    faults: Vec<Fault>,
}

impl Check<'_> {
    fn fault(&mut self, path: &[&str], message: impl Into<String>) {
        self.faults.push(Fault {
            path: path.join("."),
            line: line_of(&self.template.text, path),
            message: message.into(),
        });
    }

    fn limits(&mut self) {
        let size = self.template.text.len();
        if size > BODY_MAX {
            self.fault(
                &[],
                format!("the template has {size} bytes; CloudFormation takes {BODY_MAX} at most"),
            );
        }
        let counts = [
            ("Parameters", self.template.parameters.len(), PARAMETERS_MAX),
            ("Resources", self.template.resources.len(), RESOURCES_MAX),
            ("Outputs", self.template.outputs.len(), OUTPUTS_MAX),
        ];
        for (section, count, most) in counts {
            if count > most {
                self.fault(
                    &[section],
                    format!("there are {count}; CloudFormation takes {most} at most"),
                );
            }
        }
        if self.template.transform.is_some() {
            self.fault(
                &["Transform"],
                "stack sets refuse macros: write the resources out",
            );
        }
    }

    fn parameters(&mut self) {
        for (name, parameter) in &self.template.parameters {
            let path = ["Parameters", name];
            if parameter.description.is_none() {
                self.fault(&path, "has no description");
            }
            if !parameter.is_bounded() {
                self.fault(&path, "has no bounds: add AllowedValues, AllowedPattern, MaxLength, or MinValue and MaxValue");
            }
            if !known_type(&parameter.parameter_type) {
                self.fault(
                    &path,
                    format!("`{}` is not a parameter's type", parameter.parameter_type),
                );
            }
            if self.template.resources.contains_key(name) {
                self.fault(&path, "a resource has the same name");
            }
            if let Some(refusal) = parameter
                .default
                .as_ref()
                .and_then(|default| parameter.refusal(default))
            {
                self.fault(&path, format!("its own default {refusal}"));
            }
        }
    }

    fn conditions(&mut self) {
        for (name, expression) in &self.template.conditions {
            let path = ["Conditions", name];
            let function = expression
                .as_object()
                .and_then(|object| object.keys().next())
                .map(String::as_str);
            if !matches!(
                function,
                Some("Fn::Equals" | "Fn::And" | "Fn::Or" | "Fn::Not" | "Condition")
            ) {
                self.fault(
                    &path,
                    "a condition is made of Fn::Equals, Fn::And, Fn::Or, Fn::Not and Condition",
                );
            }
            for reference in condition_references(expression) {
                match &reference {
                    Reference::Name(target) if self.template.resources.contains_key(target) => {
                        self.fault(
                            &path,
                            format!(
                                "refers to resource `{target}`: a condition sees parameters alone"
                            ),
                        );
                    }
                    Reference::Attribute(..) => {
                        self.fault(&path, "a condition cannot use Fn::GetAtt");
                    }
                    _ => self.resolve(&path, &reference),
                }
            }
        }
    }

    fn resources(&mut self) {
        for (name, resource) in &self.template.resources {
            let path = ["Resources", name];
            if !resource_type(&resource.resource_type) {
                self.fault(
                    &path,
                    format!("`{}` is not a resource's type", resource.resource_type),
                );
            }
            let policies = [
                (
                    "DeletionPolicy",
                    &resource.deletion_policy,
                    "Delete, Retain, RetainExceptOnCreate, Snapshot",
                ),
                (
                    "UpdateReplacePolicy",
                    &resource.update_replace_policy,
                    "Delete, Retain, Snapshot",
                ),
            ];
            for (key, policy, choices) in policies {
                if let Some(policy) = policy
                    .as_deref()
                    .filter(|policy| !choices.split(", ").any(|one| one == *policy))
                {
                    self.fault(
                        &["Resources", name, key],
                        format!("`{policy}` is not one of: {choices}"),
                    );
                }
            }
            if let Some(condition) = &resource.condition {
                self.resolve(&path, &Reference::Condition(condition.clone()));
            }
            for other in &resource.depends_on {
                if !self.template.resources.contains_key(other) {
                    let guess = guess(other, self.template.resources.keys());
                    let message = format!("DependsOn names `{other}`, which is no resource{guess}");
                    self.fault(&path, message);
                }
            }
            self.expression(&path, &resource.properties);
        }
    }

    fn outputs(&mut self) {
        for (name, output) in &self.template.outputs {
            let path = ["Outputs", name];
            if output.description.is_none() {
                self.fault(&path, "has no description");
            }
            if let Some(condition) = &output.condition {
                self.resolve(&path, &Reference::Condition(condition.clone()));
            }
            self.expression(&path, &output.value);
            if let Some(export) = &output.export {
                self.expression(&path, export);
            }
        }
    }

    fn expression(&mut self, path: &[&str], value: &Value) {
        for reference in references(value, &|_| None) {
            self.resolve(path, &reference);
        }
    }

    fn resolve(&mut self, path: &[&str], reference: &Reference) {
        let template = self.template;
        let message = match reference {
            Reference::Name(name)
                if template.parameters.contains_key(name)
                    || template.resources.contains_key(name)
                    || PSEUDO.contains(&name.as_str()) =>
            {
                return;
            }
            Reference::Name(name) => {
                format!(
                    "`{name}` is neither a parameter nor a resource{}",
                    guess(
                        name,
                        template.parameters.keys().chain(template.resources.keys())
                    )
                )
            }
            Reference::Attribute(name, _) if template.resources.contains_key(name) => return,
            Reference::Attribute(name, attribute) => {
                format!(
                    "`{name}.{attribute}`: `{name}` is no resource{}",
                    guess(name, template.resources.keys())
                )
            }
            Reference::Condition(name) if template.conditions.contains_key(name) => return,
            Reference::Condition(name) => format!(
                "`{name}` is no condition{}",
                guess(name, template.conditions.keys())
            ),
            Reference::Mapping(name) if template.mappings.contains_key(name) => return,
            Reference::Mapping(name) => format!(
                "`{name}` is no mapping{}",
                guess(name, template.mappings.keys())
            ),
            Reference::Malformed(message) => message.clone(),
        };
        self.fault(path, message);
    }

    /// Resources, and conditions, that wait for each other.
    fn cycles(&mut self) {
        let template = self.template;
        let resources = template.resources.iter().map(|(name, resource)| {
            let found = references(&resource.properties, &|_| None);
            let named = found.into_iter().filter_map(|reference| match reference {
                Reference::Name(name) | Reference::Attribute(name, _) => Some(name),
                Reference::Condition(_) | Reference::Mapping(_) | Reference::Malformed(_) => None,
            });
            (
                name.clone(),
                named.chain(resource.depends_on.iter().cloned()).collect(),
            )
        });
        let conditions = template.conditions.iter().map(|(name, expression)| {
            let named = condition_references(expression)
                .into_iter()
                .filter_map(|reference| match reference {
                    Reference::Condition(name) => Some(name),
                    _ => None,
                });
            (name.clone(), named.collect())
        });
        for (section, graph) in [
            ("Resources", resources.collect()),
            ("Conditions", conditions.collect()),
        ] {
            if let Some(cycle) = in_cycles(graph) {
                let message = match cycle.as_slice() {
                    [_] => "waits for itself".to_owned(),
                    _ => format!("these wait for each other: {}", cycle.join(", ")),
                };
                self.fault(&[section, &cycle[0]], message);
            }
        }
    }
}

/// The name that was meant, as the end of a sentence.
fn guess<'a>(name: &str, choices: impl Iterator<Item = &'a String>) -> String {
    let choices: Vec<_> = choices.collect();
    nearest(name, &choices)
        .map(|guess| format!(", did you mean `{guess}`?"))
        .unwrap_or_default()
}

/// The names that are left when all that waits for nothing is taken away, from both ends.
fn in_cycles(mut graph: BTreeMap<String, BTreeSet<String>>) -> Option<Vec<String>> {
    loop {
        let waited_for: BTreeSet<_> = graph.values().flatten().cloned().collect();
        let before = graph.len();
        let names: BTreeSet<_> = graph.keys().cloned().collect();
        graph.retain(|name, needs| !needs.is_disjoint(&names) && waited_for.contains(name));
        if graph.len() == before {
            break;
        }
    }
    (!graph.is_empty()).then(|| graph.into_keys().collect())
}

fn known_type(text: &str) -> bool {
    let aws = |text: &str| {
        text.starts_with("AWS::EC2::") || text.starts_with("AWS::Route53::HostedZone::")
    };
    let inner = |prefix: &str| {
        text.strip_prefix(prefix)
            .and_then(|rest| rest.strip_suffix('>'))
    };
    matches!(
        text,
        "String" | "Number" | "CommaDelimitedList" | "AWS::SSM::Parameter::Name"
    ) || aws(text)
        || inner("List<").is_some_and(|one| one == "Number" || aws(one))
        || inner("AWS::SSM::Parameter::Value<").is_some()
}

fn resource_type(text: &str) -> bool {
    let parts: Vec<_> = text.split("::").collect();
    let least = if parts[0] == "Custom" { 2 } else { 3 };
    let word = |part: &&str| {
        !part.is_empty()
            && part
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"_@-".contains(&byte))
    };
    (least..=4).contains(&parts.len()) && parts.iter().all(word)
}
