//! The values of a template's expressions under given parameters: conditions, mappings, loops, intrinsic functions.
//!
//! What cannot be known before a deployment is a [`Value::Unknown`] that says why; what is wrong is a [`Gap`] with its
//! line. Nothing here fails: a template of any shape has an answer, and a bound on steps and text keeps it short.
//!
//! See [intrinsic functions](https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference.html).

mod cidr;
mod condition;
mod each;
mod function;
mod reference;
mod substitute;
#[cfg(test)]
mod tests;
mod value;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

pub use each::Scope;
pub use value::{Form, Unknown, Value};

use crate::template::{Kind, Node, Template};

/// How many nodes are looked at for one template; some ten times what a template of 500 resources has.
const STEPS_MAX: usize = 300_000;

/// How many bytes of text functions may make for one template.
const TEXT_MAX: usize = 32_000_000;

/// How deep expressions may be in one another: nested in the text, or by names that lead to names.
const DEPTH_MAX: usize = 150;

/// Why nothing is resolved any more.
const TOO_LARGE: &str = "the template is too large to be resolved whole";

/// How many gaps are kept; a thousand faults are as bad as these.
const GAPS_MAX: usize = 200;

/// What a parameter is given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Given {
    /// This value.
    Text(String),
    /// A value that is known after the deployment of something else, which the text describes.
    Later(Form, String),
}

/// Where a stack would be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The region's code.
    pub region: String,
    /// The account's 12 digits, where they are known.
    pub account: Option<String>,
    /// The stack's name.
    pub stack_name: String,
}

/// Something in a template that could not be resolved.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Gap {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong, as a sentence without its full stop.
    pub what: String,
}

/// A resource that a template makes under its parameters.
#[derive(Clone, Debug)]
pub struct Resource {
    /// Its logical id.
    pub id: String,
    /// The line that it starts at.
    pub line: usize,
    /// Its type; empty where it has none.
    pub resource_type: String,
    /// Its properties, resolved.
    pub properties: Value,
}

/// A template under given parameters, in one place.
pub struct Evaluator<'t> {
    template: &'t Template,
    place: &'t Place,
    given: &'t BTreeMap<String, Given>,
    parameters: HashMap<&'t str, &'t Arc<Node>>,
    conditions: HashMap<&'t str, &'t Arc<Node>>,
    mappings: HashMap<&'t str, &'t Arc<Node>>,
    /// Resources by logical id, as far as they are declared outside of loops.
    resources: HashMap<&'t str, &'t Arc<Node>>,
    held: HashMap<String, Option<bool>>,
    asking: Vec<String>,
    steps: usize,
    text: usize,
    depth: usize,
    stopped: bool,
    gaps: BTreeSet<Gap>,
}

impl<'t> Evaluator<'t> {
    /// Of this template, with these parameters, in this place.
    pub fn new(
        template: &'t Template,
        given: &'t BTreeMap<String, Given>,
        place: &'t Place,
    ) -> Self {
        let index = |section: &str| {
            (template.section(section).iter())
                .map(|(name, node)| (name.as_str(), node))
                .collect()
        };
        let mut evaluator = Self {
            parameters: index("Parameters"),
            conditions: index("Conditions"),
            mappings: index("Mappings"),
            resources: index("Resources"),
            template,
            place,
            given,
            held: HashMap::new(),
            asking: Vec::new(),
            steps: 0,
            text: 0,
            depth: 0,
            stopped: false,
            gaps: BTreeSet::new(),
        };
        evaluator.undeclared();
        evaluator.macros();
        evaluator
    }

    /// The resources that exist, in the order of the text. One whose condition cannot be told counts as there.
    pub fn resources(&mut self) -> Vec<Resource> {
        let Some(section) = self.template.section_node("Resources") else {
            return Vec::new();
        };
        let mut resources = Vec::new();
        for (id, node, scope) in self.expanded(&section, &Scope::default()) {
            if let Some(resource) = self.resource(id, &node, &scope) {
                resources.push(resource);
            }
            if self.spent(node.line) {
                break;
            }
        }
        resources
    }

    fn resource(&mut self, id: String, node: &Arc<Node>, scope: &Scope) -> Option<Resource> {
        if let Some(condition) = node.get("Condition").and_then(|name| name.text()) {
            let condition = scope.substitute(condition);
            match self.holds(&condition, node.line) {
                Some(true) => {}
                Some(false) => return None,
                None => self.gap(
                    node.line,
                    format!("`{id}`: condition `{condition}` cannot be told; it counts as there"),
                ),
            }
        }
        let kind = node.get("Type").map(|kind| self.value(kind, scope));
        let resource_type = if let Some(Value::Text(text)) = kind {
            text
        } else {
            self.gap(node.line, format!("`{id}` has no type"));
            String::new()
        };
        let properties = match node.get("Properties") {
            Some(properties) => self.value(properties, scope),
            None => Value::Absent,
        };
        Some(Resource {
            id,
            line: node.line,
            resource_type,
            properties,
        })
    }

    /// The outputs, by name; those that a condition switches off are left out.
    pub fn outputs(&mut self) -> BTreeMap<String, Value> {
        let Some(section) = self.template.section_node("Outputs") else {
            return BTreeMap::new();
        };
        let mut outputs = BTreeMap::new();
        for (name, node, scope) in self.expanded(&section, &Scope::default()) {
            let off = (node.get("Condition").and_then(|name| name.text()))
                .is_some_and(|condition| self.holds(condition, node.line) == Some(false));
            if !off && let Some(value) = node.get("Value") {
                outputs.insert(name, self.value(value, &scope));
            }
        }
        outputs
    }

    /// What could not be resolved so far, by line.
    pub fn gaps(&self) -> Vec<Gap> {
        self.gaps.iter().cloned().collect()
    }

    /// The value of an expression.
    pub fn value(&mut self, node: &Arc<Node>, scope: &Scope) -> Value {
        self.steps += 1;
        if self.spent(node.line) {
            return Value::unknown(node.line, TOO_LARGE);
        }
        if self.depth >= DEPTH_MAX {
            let why = "this waits for itself, or is nested too deep";
            return self.missing(node.line, why.to_owned());
        }
        self.depth += 1;
        let value = self.value_below(node, scope);
        self.depth -= 1;
        value
    }

    fn value_below(&mut self, node: &Arc<Node>, scope: &Scope) -> Value {
        match &node.kind {
            Kind::Null => Value::Absent,
            Kind::Text(text) => self.scalar(text, node.line, scope),
            Kind::List(items) => Value::List(
                (items.iter())
                    .map(|item| self.value(item, scope))
                    .filter(|value| *value != Value::Absent)
                    .collect(),
            ),
            Kind::Map(_) => match node.function() {
                // Outside of conditions, `Condition` is a key that policies have.
                Some((name, argument)) if name != "Condition" => {
                    self.function(name, argument, scope)
                }
                _ => {
                    let mut entries = BTreeMap::new();
                    for (key, value, scope) in self.expanded(node, scope) {
                        match self.value(&value, &scope) {
                            Value::Absent => {}
                            value => {
                                entries.insert(key, value);
                            }
                        }
                    }
                    Value::Map(entries)
                }
            },
        }
    }

    fn scalar(&mut self, text: &str, line: usize, scope: &Scope) -> Value {
        if text.contains("{{resolve:") {
            let shown: String = text.chars().take(60).collect();
            return Value::unknown(
                line,
                format!("`{shown}` is read when the stack is deployed"),
            );
        }
        let text = scope.substitute(text);
        self.text += text.len();
        Value::Text(text)
    }

    /// Notes what could not be resolved.
    fn gap(&mut self, line: usize, what: String) {
        if self.gaps.len() < GAPS_MAX {
            self.gaps.insert(Gap { line, what });
        }
    }

    /// Notes it, and answers with it.
    fn missing(&mut self, line: usize, why: String) -> Value {
        self.gap(line, why.clone());
        Value::unknown(line, why)
    }

    /// Whether the bounds are reached; from then on nothing is resolved, and the line where that was is a gap.
    fn spent(&mut self, line: usize) -> bool {
        let spent = self.steps > STEPS_MAX || self.text > TEXT_MAX;
        if spent && !self.stopped {
            self.stopped = true;
            self.gap(line, format!("{TOO_LARGE}; what follows is not priced"));
        }
        spent
    }

    /// Values that are given for parameters that the template does not declare.
    fn undeclared(&mut self) {
        let unknown: Vec<_> = (self.given.keys())
            .filter(|name| !self.parameters.contains_key(name.as_str()))
            .cloned()
            .collect();
        for name in unknown {
            self.gap(
                1,
                format!("a value is given for `{name}`, which is no parameter"),
            );
        }
    }

    fn macros(&mut self) {
        for (name, line) in self.template.transforms() {
            // Loops and the functions of the language extensions are resolved here.
            if name != "AWS::LanguageExtensions" {
                self.gap(line, format!("transform `{name}` runs when the stack is deployed; what it makes is not priced"));
            }
        }
    }
}
