//! From YAML with short tags to the JSON that CloudFormation has for it.

use serde_json::{Map, Number, Value as Json, json};
use serde_yaml_ng::Value as Yaml;
use serde_yaml_ng::value::TaggedValue;

/// The functions that have a short form besides `Ref` and `Condition`.
///
/// See [intrinsic functions](https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference.html).
const FUNCTIONS: &[&str] = &[
    "And",
    "Base64",
    "Cidr",
    "Equals",
    "FindInMap",
    "GetAZs",
    "GetAtt",
    "If",
    "ImportValue",
    "Join",
    "Length",
    "Not",
    "Or",
    "Select",
    "Split",
    "Sub",
    "ToJsonString",
    "Transform",
];

/// The value with each function in its long form, or what is wrong with it.
pub(super) fn long_form(value: Yaml) -> Result<Json, String> {
    Ok(match value {
        Yaml::Null => Json::Null,
        Yaml::Bool(bool) => Json::Bool(bool),
        Yaml::Number(number) => self::number(&number),
        Yaml::String(text) => Json::String(text),
        Yaml::Sequence(items) => {
            Json::Array(items.into_iter().map(long_form).collect::<Result<_, _>>()?)
        }
        Yaml::Mapping(entries) => {
            let mut object = Map::new();
            for (key, value) in entries {
                let key = key_text(key)?;
                let value = long_form(value)?;
                let value = if key == "Fn::GetAtt" {
                    attribute(value)
                } else {
                    value
                };
                object.insert(key, value);
            }
            Json::Object(object)
        }
        Yaml::Tagged(tagged) => function(*tagged)?,
    })
}

fn function(tagged: TaggedValue) -> Result<Json, String> {
    let tag = tagged.tag.to_string();
    let name = tag.trim_start_matches('!');
    let argument = long_form(tagged.value)?;
    Ok(match name {
        "Ref" | "Condition" => json!({ name: argument }),
        "GetAtt" => json!({ "Fn::GetAtt": attribute(argument) }),
        _ if FUNCTIONS.contains(&name) => json!({ format!("Fn::{name}"): argument }),
        _ => return Err(format!("`{tag}` is no function of CloudFormation")),
    })
}

/// `Resource.Attribute` as the pair that it stands for; an attribute can have dots itself.
fn attribute(argument: Json) -> Json {
    match argument.as_str().and_then(|text| text.split_once('.')) {
        Some((resource, attribute)) => json!([resource, attribute]),
        None => argument,
    }
}

fn number(number: &serde_yaml_ng::Number) -> Json {
    let float = || number.as_f64().and_then(Number::from_f64).map(Json::Number);
    let integer = number
        .as_i64()
        .map(Json::from)
        .or_else(|| number.as_u64().map(Json::from));
    // Infinity and NaN are words to JSON.
    integer
        .or_else(float)
        .unwrap_or_else(|| Json::String(number.to_string()))
}

fn key_text(key: Yaml) -> Result<String, String> {
    match key {
        Yaml::String(text) => Ok(text),
        Yaml::Number(number) => Ok(number.to_string()),
        Yaml::Bool(bool) => Ok(bool.to_string()),
        Yaml::Null | Yaml::Sequence(_) | Yaml::Mapping(_) | Yaml::Tagged(_) => {
            Err("a key is not text".to_owned())
        }
    }
}

/// A scalar as the text that CloudFormation makes of it.
pub(super) fn scalar(value: &Json) -> Option<String> {
    match value {
        Json::String(text) => Some(text.clone()),
        Json::Number(number) => Some(number.to_string()),
        Json::Bool(bool) => Some(bool.to_string()),
        Json::Null | Json::Array(_) | Json::Object(_) => None,
    }
}
