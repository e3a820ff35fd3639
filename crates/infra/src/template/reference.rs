//! What an expression refers to.

use serde_json::{Map, Value};

/// Parameters that every template has.
///
/// See [pseudo parameters](https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/pseudo-parameter-reference.html).
pub(super) const PSEUDO: &[&str] = &[
    "AWS::AccountId",
    "AWS::NoValue",
    "AWS::NotificationARNs",
    "AWS::Partition",
    "AWS::Region",
    "AWS::StackId",
    "AWS::StackName",
    "AWS::URLSuffix",
];

/// One name in an expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Reference {
    /// A parameter or a resource.
    Name(String),
    /// An attribute of a resource.
    Attribute(String, String),
    /// A condition.
    Condition(String),
    /// A mapping.
    Mapping(String),
    /// A function that is not used as it can be.
    Malformed(String),
}

/// Everything that `value` refers to. `decided` tells of a condition whether it holds; where it does, only the branch
/// that counts is looked at.
pub(super) fn references(value: &Value, decided: &dyn Fn(&str) -> Option<bool>) -> Vec<Reference> {
    let mut walk = Walk {
        decided,
        found: Vec::new(),
        in_condition: false,
    };
    walk.value(value);
    walk.found
}

/// Everything that a condition's expression refers to. There, `Condition` is a function; elsewhere it is a key that
/// policies have.
pub(super) fn condition_references(value: &Value) -> Vec<Reference> {
    let mut walk = Walk {
        decided: &|_| None,
        found: Vec::new(),
        in_condition: true,
    };
    walk.value(value);
    walk.found
}

struct Walk<'a> {
    decided: &'a dyn Fn(&str) -> Option<bool>,
    found: Vec<Reference>,
    in_condition: bool,
}

impl Walk<'_> {
    fn value(&mut self, value: &Value) {
        match value {
            Value::Array(items) => items.iter().for_each(|item| self.value(item)),
            Value::Object(object) => self.object(object),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    fn object(&mut self, object: &Map<String, Value>) {
        let function = object.iter().find(|(key, _)| {
            *key == "Ref" || key.starts_with("Fn::") || (self.in_condition && *key == "Condition")
        });
        match function {
            Some((name, argument)) if object.len() == 1 => self.function(name, argument),
            Some((name, _)) => self.malformed(format!("`{name}` stands beside other keys")),
            None => object.values().for_each(|value| self.value(value)),
        }
    }

    fn function(&mut self, name: &str, argument: &Value) {
        match (name, argument) {
            ("Ref", Value::String(target)) => self.found.push(Reference::Name(target.clone())),
            ("Condition", Value::String(target)) => {
                self.found.push(Reference::Condition(target.clone()));
            }
            ("Ref" | "Condition", _) => self.malformed(format!("`{name}` takes one name")),
            ("Fn::GetAtt", Value::Array(pair)) => match pair.as_slice() {
                [Value::String(resource), Value::String(attribute)] => {
                    self.found
                        .push(Reference::Attribute(resource.clone(), attribute.clone()));
                }
                [Value::String(resource), attribute @ Value::Object(_)] => {
                    self.found
                        .push(Reference::Attribute(resource.clone(), String::new()));
                    self.value(attribute);
                }
                _ => self.malformed("`Fn::GetAtt` takes a resource and an attribute".to_owned()),
            },
            ("Fn::GetAtt", _) => {
                self.malformed("`Fn::GetAtt` takes a resource and an attribute".to_owned());
            }
            ("Fn::Sub", Value::String(text)) => self.substitution(text, None),
            ("Fn::Sub", Value::Array(pair)) => match pair.as_slice() {
                [Value::String(text), Value::Object(own)] => {
                    self.substitution(text, Some(own));
                    own.values().for_each(|value| self.value(value));
                }
                _ => self.malformed("`Fn::Sub` takes text, or text and a map of names".to_owned()),
            },
            ("Fn::Sub", _) => {
                self.malformed("`Fn::Sub` takes text, or text and a map of names".to_owned());
            }
            ("Fn::If", Value::Array(parts)) => match parts.as_slice() {
                [Value::String(condition), yes, no] => {
                    self.found.push(Reference::Condition(condition.clone()));
                    let decided = (self.decided)(condition);
                    if decided != Some(false) {
                        self.value(yes);
                    }
                    if decided != Some(true) {
                        self.value(no);
                    }
                }
                _ => self.malformed("`Fn::If` takes a condition's name and two values".to_owned()),
            },
            ("Fn::If", _) => {
                self.malformed("`Fn::If` takes a condition's name and two values".to_owned());
            }
            ("Fn::FindInMap", Value::Array(parts)) if (3..=4).contains(&parts.len()) => {
                if let Some(map) = parts[0].as_str() {
                    self.found.push(Reference::Mapping(map.to_owned()));
                }
                self.value(argument);
            }
            ("Fn::FindInMap", _) => {
                self.malformed("`Fn::FindInMap` takes a map and two keys".to_owned());
            }
            _ => self.value(argument),
        }
    }

    /// The names in `${…}`; `${!…}` is text, and names that the function brings along are not looked up.
    fn substitution(&mut self, text: &str, own: Option<&Map<String, Value>>) {
        let mut rest = text;
        while let Some((_, after)) = rest.split_once("${") {
            let Some((name, after)) = after.split_once('}') else {
                self.malformed(format!("`Fn::Sub` has a `${{` without its `}}`: {text}"));
                return;
            };
            rest = after;
            if name.starts_with('!') || own.is_some_and(|own| own.contains_key(name)) {
                continue;
            }
            self.found.push(match name.split_once('.') {
                Some((resource, attribute)) => {
                    Reference::Attribute(resource.to_owned(), attribute.to_owned())
                }
                None => Reference::Name(name.to_owned()),
            });
        }
    }

    fn malformed(&mut self, message: String) {
        self.found.push(Reference::Malformed(message));
    }
}
