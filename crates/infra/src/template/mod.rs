//! A CloudFormation template as a model: what it declares, whether CloudFormation would take it, and with which parameters.
//!
//! Emulators accept much that AWS refuses: an unresolved `Ref`, a parameter that is not declared, a value outside its
//! bounds. So the checks are here, and run before the first call. Nothing here does I/O but [`Template::load`], which
//! reads one file.
//!
//! See the [template reference](https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-anatomy.html).

mod check;
mod condition;
mod error;
mod locate;
mod normalize;
mod parameter;
mod parse;
mod reference;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::Path;

use serde_json::Value;

pub use check::{BODY_MAX, Fault};
pub use error::{TemplateError, TemplateErrorKind};
pub use parameter::{Parameter, ParameterFault, ParameterFaultKind};

/// A template. Intrinsic functions are in their long form: `{"Ref": …}`, `{"Fn::GetAtt": [resource, attribute]}`.
#[derive(Clone, Debug, PartialEq)]
pub struct Template {
    /// The text as it was read; what is sent to CloudFormation.
    pub text: String,
    /// What the template says that it is.
    pub description: Option<String>,
    /// What it can be told.
    pub parameters: BTreeMap<String, Parameter>,
    /// Tables of constants: map, first key, second key.
    pub mappings: BTreeMap<String, Value>,
    /// Named conditions, as expressions.
    pub conditions: BTreeMap<String, Value>,
    /// What it makes.
    pub resources: BTreeMap<String, Resource>,
    /// What it tells.
    pub outputs: BTreeMap<String, Output>,
    /// The macros that it asks for; Stackway's templates have none, since stack sets refuse them.
    pub transform: Option<Value>,
}

/// An entry of `Resources`.
#[derive(Clone, Debug, PartialEq)]
pub struct Resource {
    /// Its type, such as `AWS::DynamoDB::Table`.
    pub resource_type: String,
    /// Its properties; `null` where it has none.
    pub properties: Value,
    /// The condition under which it exists.
    pub condition: Option<String>,
    /// The resources that it waits for without naming them in a property.
    pub depends_on: Vec<String>,
    /// What becomes of it when it leaves the stack.
    pub deletion_policy: Option<String>,
    /// What becomes of it when another takes its place.
    pub update_replace_policy: Option<String>,
    /// What is said of it for others than CloudFormation; `null` where nothing is.
    pub metadata: Value,
}

/// An entry of `Outputs`.
#[derive(Clone, Debug, PartialEq)]
pub struct Output {
    /// What it is for.
    pub description: Option<String>,
    /// Its value, as an expression.
    pub value: Value,
    /// The name under which other stacks can import it, as an expression.
    pub export: Option<Value>,
    /// The condition under which it exists.
    pub condition: Option<String>,
}

/// What CloudFormation wants to be told before it makes a stack that could widen permissions.
///
/// See [CreateChangeSet](https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateChangeSet.html).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Capability {
    /// The template has IAM resources.
    Iam,
    /// It has IAM resources with names of their own; this one covers [`Capability::Iam`].
    NamedIam,
}

impl Capability {
    /// The name that the API wants.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Iam => "CAPABILITY_IAM",
            Self::NamedIam => "CAPABILITY_NAMED_IAM",
        }
    }
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Template {
    /// The line, from 1, of the key that `path` leads to; of its nearest parent that is found, otherwise.
    pub fn line_of(&self, path: &[&str]) -> Option<usize> {
        locate::line_of(&self.text, path)
    }

    /// Reads and parses a file.
    ///
    /// # Errors
    /// [`TemplateErrorKind::NotFound`] where there is no such file, and what [`Template::parse`] says.
    pub fn load(path: &Path) -> Result<Self, TemplateError> {
        let text =
            std::fs::read_to_string(path).map_err(|error| TemplateError::unread(path, &error))?;
        Self::parse(&text, path)
    }

    /// Parses YAML or JSON; `path` is what errors call the file.
    ///
    /// # Errors
    /// Where the text is not YAML or not the shape of a template, with the line where one is known.
    pub fn parse(text: &str, path: &Path) -> Result<Self, TemplateError> {
        parse::template(text, path)
    }

    /// The whole as JSON, with functions in their long form.
    pub fn document(&self) -> Value {
        parse::document(&self.text)
    }

    /// The capabilities to declare; the least that suffices.
    pub fn capabilities(&self) -> Vec<Capability> {
        let iam = self
            .resources
            .values()
            .filter(|resource| resource.resource_type.starts_with("AWS::IAM::"));
        iam.map(|resource| {
            let name = match resource.resource_type.as_str() {
                "AWS::IAM::Group" => "GroupName",
                "AWS::IAM::InstanceProfile" => "InstanceProfileName",
                "AWS::IAM::ManagedPolicy" => "ManagedPolicyName",
                "AWS::IAM::Role" => "RoleName",
                "AWS::IAM::User" => "UserName",
                _ => return Capability::Iam,
            };
            if resource.properties.get(name).is_some() {
                Capability::NamedIam
            } else {
                Capability::Iam
            }
        })
        .max()
        .into_iter()
        .collect()
    }

    /// Everything that makes CloudFormation refuse the template, or that breaks this project's rules for one:
    /// names that do not resolve, cycles, limits, a parameter without description or bounds, an output without
    /// description, a macro. Empty: good.
    pub fn check(&self) -> Vec<Fault> {
        check::template(self)
    }

    /// Holds values against the declared parameters.
    ///
    /// # Errors
    /// Each value that CloudFormation would refuse, and each that it would miss.
    pub fn check_parameters(
        &self,
        given: &BTreeMap<String, String>,
    ) -> Result<(), Vec<ParameterFault>> {
        let faults = parameter::check_all(&self.parameters, given);
        if faults.is_empty() {
            Ok(())
        } else {
            Err(faults)
        }
    }

    /// References that lead to a resource which these values switch off. `values` are parameters (defaults fill the
    /// rest) and pseudo parameters, such as `AWS::Region`.
    pub fn check_conditions(&self, values: &BTreeMap<String, String>) -> Vec<Fault> {
        check::dangling(self, values)
    }

    /// Whether a condition holds under these values (parameters, whose defaults fill the rest, and pseudo parameters);
    /// `None` where that cannot be told.
    pub fn condition_holds(&self, name: &str, values: &BTreeMap<String, String>) -> Option<bool> {
        condition::Conditions::new(self, values).holds(name)
    }

    /// The names that an expression depends on: parameters and resources (attributes as `Resource.Attribute`), also
    /// those that decide its conditions.
    pub fn depends_on(&self, expression: &Value) -> BTreeSet<String> {
        let mut names = BTreeSet::new();
        let mut seen = BTreeSet::new();
        let mut waiting = reference::references(expression, &|_| None);
        while let Some(reference) = waiting.pop() {
            match reference {
                reference::Reference::Name(name) => {
                    names.insert(name);
                }
                reference::Reference::Attribute(resource, attribute) => {
                    names.insert(format!("{resource}.{attribute}"));
                }
                reference::Reference::Condition(name) => {
                    if let Some(expression) = self.conditions.get(&name)
                        && seen.insert(name)
                    {
                        waiting.extend(reference::condition_references(expression));
                    }
                }
                reference::Reference::Mapping(_) | reference::Reference::Malformed(_) => {}
            }
        }
        names
    }

    /// Whether what exists under these values may refer to a parameter. A condition that cannot be decided counts as
    /// either.
    pub fn uses_parameter(&self, name: &str, values: &BTreeMap<String, String>) -> bool {
        let conditions = condition::Conditions::new(self, values);
        let wanted = reference::Reference::Name(name.to_owned());
        self.resources
            .values()
            .filter(|resource| conditions.may_hold(resource.condition.as_deref()))
            .any(|resource| {
                reference::references(&resource.properties, &|name| conditions.holds(name))
                    .contains(&wanted)
            })
    }

    /// The types of the resources that exist under these values, by logical id. `values` are parameters (defaults fill
    /// the rest) and pseudo parameters, such as `AWS::Region`. A condition that cannot be decided counts as true.
    pub fn resource_types(&self, values: &BTreeMap<String, String>) -> BTreeMap<String, String> {
        let conditions = condition::Conditions::new(self, values);
        self.resources
            .iter()
            .filter(|(_, resource)| conditions.may_hold(resource.condition.as_deref()))
            .map(|(name, resource)| (name.clone(), resource.resource_type.clone()))
            .collect()
    }
}
