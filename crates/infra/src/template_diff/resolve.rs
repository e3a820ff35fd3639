//! What a template's expressions come to, as far as parameters alone decide it.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::secret::MASK;
use crate::template::Template;

/// A template with the values of its parameters: one side of a comparison.
#[derive(Clone, Debug)]
pub struct Version<'a> {
    /// The template.
    pub template: &'a Template,
    /// Values by name, of parameters and of pseudo parameters such as `AWS::Region`. Defaults fill the rest; what has
    /// neither stays a reference.
    pub values: BTreeMap<String, String>,
}

impl Version<'_> {
    /// The pseudo parameters that a stack's ARN tells.
    pub fn of_arn(stack_id: &str) -> BTreeMap<String, String> {
        let parts: Vec<_> = stack_id.splitn(6, ':').collect();
        let [_, partition, _, region, account, resource] = parts.as_slice() else {
            return BTreeMap::new();
        };
        let suffix = if *partition == "aws-cn" {
            "amazonaws.com.cn"
        } else {
            "amazonaws.com"
        };
        let known = [
            ("AWS::Partition", *partition),
            ("AWS::Region", *region),
            ("AWS::AccountId", *account),
            ("AWS::StackId", stack_id),
            (
                "AWS::StackName",
                resource.split('/').nth(1).unwrap_or_default(),
            ),
            ("AWS::URLSuffix", suffix),
        ];
        known
            .into_iter()
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect()
    }

    /// What the parameter is, its default included; `None` where nobody knows yet.
    pub fn value(&self, parameter: &str) -> Option<&str> {
        let default = || self.template.parameters.get(parameter)?.default.as_ref();
        self.values
            .get(parameter)
            .or_else(default)
            .map(String::as_str)
    }

    /// Whether the resource or output under this condition exists; `true` where that cannot be told.
    pub fn exists(&self, condition: Option<&str>) -> bool {
        condition
            .and_then(|condition| self.template.condition_holds(condition, &self.values))
            .unwrap_or(true)
    }

    /// The expression with what is known filled in; `None` for `AWS::NoValue`.
    ///
    /// A reference that only CloudFormation can resolve reads `${Resource}` or `${Resource.Attribute}`. What comes from
    /// a `NoEcho` parameter is masked. Scalars are texts, as they are to CloudFormation.
    pub fn resolve(&self, value: &Value) -> Option<Value> {
        Some(match value {
            Value::Null => Value::Null,
            Value::Bool(one) => Value::String(one.to_string()),
            Value::Number(one) => Value::String(one.to_string()),
            Value::String(_) => value.clone(),
            Value::Array(items) => items.iter().filter_map(|item| self.resolve(item)).collect(),
            Value::Object(object) => match object.iter().next() {
                Some((function, argument))
                    if object.len() == 1 && (function == "Ref" || function.starts_with("Fn::")) =>
                {
                    return self.function(function, argument);
                }
                _ => self.entries(object),
            },
        })
    }

    fn entries(&self, object: &Map<String, Value>) -> Value {
        object
            .iter()
            .filter_map(|(key, value)| Some((key.clone(), self.resolve(value)?)))
            .collect()
    }

    fn function(&self, name: &str, argument: &Value) -> Option<Value> {
        match (name, argument) {
            ("Ref", Value::String(target)) if target == "AWS::NoValue" => return None,
            ("Ref", Value::String(target)) => return Some(self.reference(target)),
            ("Fn::GetAtt", Value::Array(pair)) => {
                if let [Value::String(resource), Value::String(attribute)] = pair.as_slice() {
                    return Some(Value::String(format!("${{{resource}.{attribute}}}")));
                }
            }
            ("Fn::Sub", Value::String(text)) => return Some(self.substitute(text, &Map::new())),
            ("Fn::Sub", Value::Array(pair)) => {
                if let [Value::String(text), Value::Object(own)] = pair.as_slice() {
                    return Some(self.substitute(text, own));
                }
            }
            ("Fn::If", Value::Array(parts)) => {
                if let [Value::String(condition), yes, no] = parts.as_slice() {
                    match self.template.condition_holds(condition, &self.values) {
                        Some(true) => return self.resolve(yes),
                        Some(false) => return self.resolve(no),
                        None => {}
                    }
                }
            }
            ("Fn::Join", Value::Array(parts)) => {
                if let [Value::String(between), list] = parts.as_slice()
                    && let Some(Value::Array(items)) = self.resolve(list)
                    && let Some(texts) = items.iter().map(Value::as_str).collect::<Option<Vec<_>>>()
                {
                    let secret = texts.contains(&MASK);
                    return Some(Value::String(if secret {
                        MASK.to_owned()
                    } else {
                        texts.join(between)
                    }));
                }
            }
            _ => {}
        }
        let argument = self.resolve(argument)?;
        if has_mask(&argument) {
            return Some(Value::String(MASK.to_owned()));
        }
        Some(Value::Object(Map::from_iter([(name.to_owned(), argument)])))
    }

    fn reference(&self, name: &str) -> Value {
        let Some(parameter) = self.template.parameters.get(name) else {
            let known = self.values.get(name).cloned();
            return Value::String(known.unwrap_or_else(|| format!("${{{name}}}")));
        };
        if parameter.no_echo {
            return Value::String(MASK.to_owned());
        }
        match self.value(name) {
            None => Value::String(format!("${{{name}}}")),
            Some(list)
                if parameter.parameter_type == "CommaDelimitedList"
                    || parameter.parameter_type.starts_with("List<") =>
            {
                list.split(',').map(|item| item.trim().to_owned()).collect()
            }
            Some(value) => Value::String(value.to_owned()),
        }
    }

    fn substitute(&self, text: &str, own: &Map<String, Value>) -> Value {
        let mut made = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${") {
            made += before;
            let Some((name, after)) = after.split_once('}') else {
                made += "${";
                rest = after;
                continue;
            };
            rest = after;
            if let Some(literal) = name.strip_prefix('!') {
                made += &["${", literal, "}"].concat();
                continue;
            }
            let value = match own.get(name) {
                Some(expression) => self.resolve(expression),
                None if name.contains('.') => None,
                None => Some(self.reference(name)),
            };
            match value {
                Some(Value::String(value)) if value == MASK => return Value::String(value),
                Some(Value::String(value)) => made += &value,
                _ => made += &["${", name, "}"].concat(),
            }
        }
        Value::String(made + rest)
    }
}

/// Whether a masked value is in it.
pub(super) fn has_mask(value: &Value) -> bool {
    match value {
        Value::String(text) => text == MASK,
        Value::Array(items) => items.iter().any(has_mask),
        Value::Object(entries) => entries.values().any(has_mask),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[track_caller]
    fn check(expression: &str, expected: &str) {
        let text = format!(
            "Parameters:\n  Name: {{Type: String}}\n  Open: {{Type: String, Default: 'true'}}\n  Unknown: {{Type: String}}\n  \
             Key: {{Type: String, NoEcho: true}}\n  Many: {{Type: CommaDelimitedList, Default: 'a, b'}}\n\
             Conditions:\n  IsOpen: !Equals [!Ref Open, 'true']\n  IsUnknown: !Equals [!Ref Unknown, 'true']\n\
             Resources:\n  Other:\n    Type: AWS::S3::Bucket\n  One:\n    Type: A::B::C\n    Properties:\n      P: {expression}\n"
        );
        let template = Template::parse(&text, Path::new("t.yaml")).unwrap();
        let values = [("Name", "n"), ("Key", "k"), ("AWS::Region", "eu-west-2")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()));
        let version = Version {
            template: &template,
            values: values.into(),
        };
        let found = version
            .resolve(&template.resources["One"].properties)
            .unwrap();
        let shown = found.get("P").map_or("-".to_owned(), Value::to_string);
        assert_eq!(shown, expected, "{expression}");
    }

    #[test]
    fn what_parameters_decide_is_filled_in() {
        for (expression, expected) in [
            ("!Ref Name", r#""n""#),
            ("!Ref AWS::Region", r#""eu-west-2""#),
            ("!Ref AWS::AccountId", r#""${AWS::AccountId}""#),
            ("!Ref Other", r#""${Other}""#),
            ("!Ref Unknown", r#""${Unknown}""#),
            ("!Ref AWS::NoValue", "-"),
            ("!Ref Many", r#"["a","b"]"#),
            ("!GetAtt Other.Arn", r#""${Other.Arn}""#),
            (
                "!Sub '${Name}-${AWS::Region}-${Other.Arn}-${!Literal}'",
                r#""n-eu-west-2-${Other.Arn}-${Literal}""#,
            ),
            ("!Sub ['${Own}', {Own: !Ref Name}]", r#""n""#),
            (
                "!Join ['-', [a, !Ref Name, !Ref Other]]",
                r#""a-n-${Other}""#,
            ),
            ("!If [IsOpen, 1, 2]", r#""1""#),
            ("!If [IsOpen, !Ref AWS::NoValue, 2]", "-"),
            (
                "!If [IsUnknown, 1, 2]",
                r#"{"Fn::If":["IsUnknown","1","2"]}"#,
            ),
            (
                "!Select [0, !Ref Many]",
                r#"{"Fn::Select":["0",["a","b"]]}"#,
            ),
            ("{A: true, B: 1}", r#"{"A":"true","B":"1"}"#),
        ] {
            check(expression, expected);
        }
    }

    #[test]
    fn what_flows_from_a_secret_is_masked() {
        for expression in [
            "!Ref Key",
            "!Sub 'x-${Key}'",
            "!Sub ['${Own}', {Own: !Ref Key}]",
            "!Join ['', [a, !Ref Key]]",
            "!Base64 {Ref: Key}",
            "!If [IsUnknown, !Ref Key, b]",
        ] {
            check(expression, r#""****""#);
        }
    }
}
