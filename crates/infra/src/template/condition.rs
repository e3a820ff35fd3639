//! Which conditions hold under given values.

use std::collections::BTreeMap;

use serde_json::Value;

use super::Template;
use super::normalize::scalar;

/// How deep conditions may name each other; more is a cycle, which the check reports.
const DEPTH_MAX: usize = 64;

/// A template's conditions under given values of parameters and pseudo parameters.
pub(super) struct Conditions<'a> {
    template: &'a Template,
    values: &'a BTreeMap<String, String>,
}

impl<'a> Conditions<'a> {
    pub(super) fn new(template: &'a Template, values: &'a BTreeMap<String, String>) -> Self {
        Self { template, values }
    }

    /// Whether the named condition holds; `None` where that cannot be told.
    pub(super) fn holds(&self, name: &str) -> Option<bool> {
        self.named(name, 0)
    }

    /// Whether what has this condition may exist: it has none, or one that holds or cannot be decided.
    pub(super) fn may_hold(&self, name: Option<&str>) -> bool {
        name.and_then(|name| self.holds(name)).unwrap_or(true)
    }

    fn named(&self, name: &str, depth: usize) -> Option<bool> {
        if depth > DEPTH_MAX {
            return None;
        }
        self.expression(self.template.conditions.get(name)?, depth + 1)
    }

    fn expression(&self, value: &Value, depth: usize) -> Option<bool> {
        let (function, argument) = single(value)?;
        let parts = argument.as_array().map(Vec::as_slice).unwrap_or_default();
        let all = || {
            parts
                .iter()
                .map(|part| self.expression(part, depth))
                .collect::<Vec<_>>()
        };
        match function {
            "Condition" => self.named(argument.as_str()?, depth),
            "Fn::Equals" => match parts {
                [left, right] => Some(self.text(left)? == self.text(right)?),
                _ => None,
            },
            "Fn::Not" => match parts {
                [part] => self.expression(part, depth).map(|holds| !holds),
                _ => None,
            },
            "Fn::And" => joined(&all(), false),
            "Fn::Or" => joined(&all(), true),
            _ => None,
        }
    }

    fn text(&self, value: &Value) -> Option<String> {
        if let Some(text) = scalar(value) {
            return Some(text);
        }
        match single(value)? {
            ("Ref", name) => {
                let name = name.as_str()?;
                let default = || {
                    self.template
                        .parameters
                        .get(name)
                        .and_then(|parameter| parameter.default.as_ref())
                };
                self.values.get(name).or_else(default).cloned()
            }
            ("Fn::FindInMap", argument) => {
                let [map, first, second] = argument.as_array()?.as_slice() else {
                    return None;
                };
                let map = self.template.mappings.get(map.as_str()?)?;
                scalar(map.get(self.text(first)?)?.get(self.text(second)?)?)
            }
            _ => None,
        }
    }
}

/// `deciding` if one part is that; its opposite if all are; otherwise nobody knows.
fn joined(parts: &[Option<bool>], deciding: bool) -> Option<bool> {
    if parts.contains(&Some(deciding)) {
        return Some(deciding);
    }
    parts.iter().all(Option::is_some).then_some(!deciding)
}

fn single(value: &Value) -> Option<(&str, &Value)> {
    let object = value.as_object()?;
    let (key, argument) = object.iter().next()?;
    (object.len() == 1).then_some((key.as_str(), argument))
}
