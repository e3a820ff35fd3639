//! `Ref` and `Fn::GetAtt`: parameters, pseudo parameters, resources.

use std::sync::Arc;

use super::{Evaluator, Form, Given, Scope, Unknown, Value};
use crate::template::Node;

/// The property that is a resource's name, and so what `Ref` gives, where the template sets it.
const NAMES: &[(&str, &str)] = &[
    ("AWS::DynamoDB::GlobalTable", "TableName"),
    ("AWS::DynamoDB::Table", "TableName"),
    ("AWS::ECR::Repository", "RepositoryName"),
    ("AWS::Lambda::Function", "FunctionName"),
    ("AWS::Logs::LogGroup", "LogGroupName"),
    ("AWS::S3::Bucket", "BucketName"),
];

impl Evaluator<'_> {
    /// What `Ref` gives.
    pub(super) fn reference(&mut self, name: &str, line: usize, scope: &Scope) -> Value {
        if let Some(value) = scope.get(name) {
            return Value::Text(value.to_owned());
        }
        let name = &scope.substitute(name);
        if name.starts_with("AWS::") {
            return self.pseudo(name, line);
        }
        if let Some(parameter) = self.parameters.get(name.as_str()).copied() {
            return self.parameter(name, parameter);
        }
        match self.resources.get(name.as_str()).copied() {
            Some(resource) => self.named(name, resource),
            // Inside a loop a resource can be one that a loop makes; those are not told apart from a slip.
            None if !name.is_empty() && self.makes_in_loops() => Value::Resource(name.clone()),
            None => self.missing(
                line,
                format!("`{name}` is neither a parameter nor a resource"),
            ),
        }
    }

    fn makes_in_loops(&self) -> bool {
        self.resources
            .keys()
            .any(|id| id.starts_with("Fn::ForEach::"))
    }

    /// See [pseudo parameters](https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/pseudo-parameter-reference.html).
    fn pseudo(&mut self, name: &str, line: usize) -> Value {
        let text = |text: &str| Value::Text(text.to_owned());
        let filled = |why: &str| Value::Unknown(Unknown::of_form(Form::Filled, line, why));
        let china = self.place.region.starts_with("cn-");
        match name {
            "AWS::Region" => text(&self.place.region),
            "AWS::AccountId" => match &self.place.account {
                Some(account) => text(account),
                None => filled("the account is not known"),
            },
            "AWS::StackName" => text(&self.place.stack_name),
            "AWS::Partition" if china => text("aws-cn"),
            "AWS::Partition" if self.place.region.starts_with("us-gov-") => text("aws-us-gov"),
            "AWS::Partition" => text("aws"),
            "AWS::URLSuffix" if china => text("amazonaws.com.cn"),
            "AWS::URLSuffix" => text("amazonaws.com"),
            "AWS::NoValue" => Value::Absent,
            "AWS::NotificationARNs" => Value::List(Vec::new()),
            "AWS::StackId" => filled("the stack's id is known after the deployment"),
            _ => self.missing(line, format!("`{name}` is no pseudo parameter")),
        }
    }

    fn parameter(&mut self, name: &str, declared: &Arc<Node>) -> Value {
        let kind = declared
            .get("Type")
            .and_then(|kind| kind.text())
            .unwrap_or("String");
        let default = declared.get("Default").map(|default| match default.text() {
            Some(text) => text.to_owned(),
            None => String::new(),
        });
        let text = match self.given.get(name) {
            Some(Given::Text(text)) => text.clone(),
            Some(Given::Later(form, why)) => {
                return Value::Unknown(Unknown::of_form(*form, declared.line, why.clone()));
            }
            None => {
                let Some(text) = default else {
                    let why = format!("parameter `{name}` has no value and no default");
                    return self.missing(declared.line, why);
                };
                text
            }
        };
        if kind.starts_with("AWS::SSM::Parameter::Value<") {
            let why = format!("parameter `{name}` is read from SSM when the stack is deployed");
            return Value::unknown(declared.line, why);
        }
        self.text += text.len();
        if kind == "CommaDelimitedList" || kind.starts_with("List<") {
            if text.is_empty() {
                return Value::List(Vec::new());
            }
            let items = text
                .split(',')
                .map(|item| Value::Text(item.trim().to_owned()));
            return Value::List(items.collect());
        }
        Value::Text(text)
    }

    fn named(&mut self, id: &str, resource: &Arc<Node>) -> Value {
        let kind = resource
            .get("Type")
            .and_then(|kind| kind.text())
            .unwrap_or_default();
        let property = NAMES
            .iter()
            .find(|(named, _)| *named == kind)
            .map(|(_, property)| property);
        let name = property.and_then(|property| resource.get("Properties")?.get(property));
        let Some(name) = name else {
            return Value::Resource(id.to_owned());
        };
        match self.value(name, &Scope::default()) {
            Value::Text(name) => Value::Text(name),
            _ => Value::Resource(id.to_owned()),
        }
    }

    /// What `Fn::GetAtt` gives: nothing that is known before the resource is there.
    pub(super) fn attribute(&mut self, resource: &str, attribute: &str, line: usize) -> Value {
        if self.resources.contains_key(resource) || self.makes_in_loops() {
            let why = format!("`{resource}.{attribute}` is known after the deployment");
            let form = if attribute.ends_with("Arn") {
                Form::Arn
            } else {
                Form::Any
            };
            return Value::Unknown(Unknown {
                resource: Some(resource.to_owned()),
                ..Unknown::of_form(form, line, why)
            });
        }
        self.missing(
            line,
            format!("`{resource}.{attribute}`: `{resource}` is no resource"),
        )
    }
}
