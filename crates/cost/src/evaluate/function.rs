//! The intrinsic functions, one by one.

use std::sync::Arc;

use base64::prelude::{BASE64_STANDARD, Engine as _};

use super::{Evaluator, Scope, Value, cidr};
use crate::template::Node;

impl Evaluator<'_> {
    /// The value of a function. One that is not used as it can be is a gap, and not known.
    pub(super) fn function(&mut self, name: &str, argument: &Arc<Node>, scope: &Scope) -> Value {
        let line = argument.line;
        let parts = argument.list().unwrap_or_default();
        match (name, parts) {
            ("Ref", _) => match argument.text() {
                Some(target) => self.reference(target, line, scope),
                None => self.missing(line, "`Ref` takes one name".to_owned()),
            },
            ("Fn::GetAtt", _) => self.get_att(argument, scope),
            ("Fn::Sub", _) => self.sub(argument, scope),
            ("Fn::If", [condition, yes, no]) => self.either(condition, yes, no, scope),
            ("Fn::Join", [separator, items]) => self.join(separator, items, scope),
            ("Fn::Split", [separator, text]) => self.split(separator, text, scope),
            ("Fn::Select", [index, items]) => self.select(index, items, scope),
            ("Fn::FindInMap", [map, first, second]) => {
                self.find_in_map(map, first, second, None, scope)
            }
            ("Fn::FindInMap", [map, first, second, options]) => {
                let default = options.get("DefaultValue").cloned();
                self.find_in_map(map, first, second, default.as_ref(), scope)
            }
            ("Fn::Cidr", [block, count, ..]) => self.cidr(block, count, parts.get(2), scope),
            (
                "Fn::If" | "Fn::Join" | "Fn::Split" | "Fn::Select" | "Fn::FindInMap" | "Fn::Cidr",
                _,
            ) => self.missing(line, format!("`{name}` is not used as it can be")),
            _ => self.of_one(name, argument, scope),
        }
    }

    /// A function of one argument, whatever that is.
    fn of_one(&mut self, name: &str, argument: &Arc<Node>, scope: &Scope) -> Value {
        let line = argument.line;
        match name {
            "Fn::Length" => match self.value(argument, scope) {
                Value::List(items) => Value::Text(items.len().to_string()),
                Value::Unknown(unknown) => Value::Unknown(unknown),
                _ => self.missing(line, "`Fn::Length` takes a list".to_owned()),
            },
            "Fn::ToJsonString" => match self.value(argument, scope).json() {
                Ok(json) => {
                    let text = json.to_string();
                    self.text += text.len();
                    Value::Text(text)
                }
                Err(unknown) => Value::Unknown(unknown),
            },
            "Fn::Base64" => match self.value(argument, scope) {
                Value::Text(text) => {
                    self.text += text.len();
                    Value::Text(BASE64_STANDARD.encode(text))
                }
                other => other,
            },
            "Fn::GetAZs" => Value::unknown(line, "the zones of a region are the account's own"),
            "Fn::ImportValue" => {
                let name = match self.value(argument, scope) {
                    Value::Text(name) => format!("`{name}`"),
                    _ => "a value".to_owned(),
                };
                let why =
                    format!("`Fn::ImportValue`: another stack's export {name} is not known here");
                self.missing(line, why)
            }
            "Fn::Transform" => {
                let why = "`Fn::Transform` runs when the stack is deployed";
                self.missing(line, why.to_owned())
            }
            "Fn::And" | "Fn::Or" | "Fn::Not" | "Fn::Equals" => {
                self.missing(line, format!("`{name}` stands outside of a condition"))
            }
            _ => {
                let shown: String = name.chars().take(60).collect();
                self.missing(line, format!("`{shown}` is no function of CloudFormation"))
            }
        }
    }

    fn either(
        &mut self,
        condition: &Arc<Node>,
        yes: &Arc<Node>,
        no: &Arc<Node>,
        scope: &Scope,
    ) -> Value {
        let line = condition.line;
        let Some(condition) = condition.text() else {
            let why = "`Fn::If` takes a condition's name and two values";
            return self.missing(line, why.to_owned());
        };
        let holds = self.holds(&scope.substitute(condition), line);
        if holds.is_none() {
            let what =
                format!("`Fn::If` takes the first value, since `{condition}` cannot be told");
            self.gap(line, what);
        }
        self.value(if holds == Some(false) { no } else { yes }, scope)
    }

    fn split(&mut self, separator: &Arc<Node>, text: &Arc<Node>, scope: &Scope) -> Value {
        let line = separator.line;
        match (self.value(separator, scope), self.value(text, scope)) {
            (Value::Text(separator), Value::Text(text)) if !separator.is_empty() => {
                self.text += text.len();
                let parts = text.split(separator.as_str());
                Value::List(parts.map(|part| Value::Text(part.to_owned())).collect())
            }
            (_, Value::Unknown(unknown)) => Value::Unknown(unknown),
            _ => self.missing(line, "`Fn::Split` takes a separator and text".to_owned()),
        }
    }

    fn cidr(
        &mut self,
        block: &Arc<Node>,
        count: &Arc<Node>,
        bits: Option<&Arc<Node>>,
        scope: &Scope,
    ) -> Value {
        let line = block.line;
        let bits = bits.map(|bits| self.value(bits, scope));
        let block = self.value(block, scope);
        let count = self.value(count, scope);
        match cidr::blocks(&block, &count, bits.as_ref()) {
            Ok(blocks) => Value::List(blocks.into_iter().map(Value::Text).collect()),
            Err(Some(unknown)) => Value::Unknown(unknown),
            Err(None) => {
                let why =
                    "`Fn::Cidr` takes an IPv4 block, a count up to 256 and the bits of a block";
                self.missing(line, why.to_owned())
            }
        }
    }

    fn get_att(&mut self, argument: &Arc<Node>, scope: &Scope) -> Value {
        let line = argument.line;
        let pair = match (argument.text(), argument.list()) {
            (Some(text), _) => text
                .split_once('.')
                .map(|(resource, attribute)| (resource.to_owned(), attribute.to_owned())),
            (None, Some([resource, rest @ ..])) if !rest.is_empty() => {
                resource.text().map(|resource| {
                    let attribute = rest.iter().map(|part| match self.value(part, scope) {
                        Value::Text(text) => text,
                        _ => "…".to_owned(),
                    });
                    (resource.to_owned(), attribute.collect::<Vec<_>>().join("."))
                })
            }
            _ => None,
        };
        match pair {
            Some((resource, attribute)) => {
                self.attribute(&scope.substitute(&resource), &attribute, line)
            }
            None => self.missing(
                line,
                "`Fn::GetAtt` takes a resource and an attribute".to_owned(),
            ),
        }
    }

    fn join(&mut self, separator: &Arc<Node>, items: &Arc<Node>, scope: &Scope) -> Value {
        let line = separator.line;
        let (Value::Text(separator), items) =
            (self.value(separator, scope), self.value(items, scope))
        else {
            return self.missing(line, "`Fn::Join` takes a separator and a list".to_owned());
        };
        let items = match items {
            Value::List(items) => items,
            Value::Unknown(unknown) => return Value::Unknown(unknown),
            _ => return self.missing(line, "`Fn::Join` takes a separator and a list".to_owned()),
        };
        let mut parts = Vec::with_capacity(items.len());
        for item in items {
            match item {
                Value::Text(text) => parts.push(text),
                Value::Unknown(unknown) => return Value::Unknown(unknown),
                Value::Resource(id) => {
                    return Value::unknown(
                        line,
                        format!("the name of `{id}` is known after the deployment"),
                    );
                }
                Value::Absent | Value::List(_) | Value::Map(_) => {
                    return self.missing(line, "`Fn::Join` has an item that is no text".to_owned());
                }
            }
        }
        self.text += parts
            .iter()
            .map(|part| part.len() + separator.len())
            .sum::<usize>();
        if self.spent(line) {
            return Value::unknown(line, super::TOO_LARGE);
        }
        Value::Text(parts.join(&separator))
    }

    fn select(&mut self, index: &Arc<Node>, items: &Arc<Node>, scope: &Scope) -> Value {
        let line = index.line;
        let index = match self.value(index, scope) {
            Value::Text(text) => text.trim().parse::<usize>().ok(),
            Value::Unknown(unknown) => return Value::Unknown(unknown),
            _ => None,
        };
        match (index, self.value(items, scope)) {
            (_, Value::Unknown(unknown)) => Value::Unknown(unknown),
            (Some(index), Value::List(mut items)) if index < items.len() => {
                items.swap_remove(index)
            }
            (Some(index), Value::List(items)) => {
                let why = format!("`Fn::Select` asks for item {index} of {}", items.len());
                self.missing(line, why)
            }
            _ => self.missing(line, "`Fn::Select` takes an index and a list".to_owned()),
        }
    }

    fn find_in_map(
        &mut self,
        map: &Arc<Node>,
        first: &Arc<Node>,
        second: &Arc<Node>,
        default: Option<&Arc<Node>>,
        scope: &Scope,
    ) -> Value {
        let line = map.line;
        let mut keys = Vec::with_capacity(3);
        for part in [map, first, second] {
            match self.value(part, scope) {
                Value::Text(text) => keys.push(text),
                Value::Unknown(unknown) if default.is_none() => return Value::Unknown(unknown),
                _ => break,
            }
        }
        let found = match keys.as_slice() {
            [map, first, second] => self.mappings.get(map.as_str()).copied().and_then(|map| {
                self.steps += map.entries().len() / 8;
                let row = map.get(first)?;
                self.steps += row.entries().len() / 8;
                row.get(second).cloned()
            }),
            _ => None,
        };
        match found.as_ref().or(default) {
            Some(value) => self.value(value, scope),
            None => self.missing(
                line,
                format!("`Fn::FindInMap` finds nothing at `{}`", keys.join("`, `")),
            ),
        }
    }
}
