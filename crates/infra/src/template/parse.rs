//! From text to the model.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Map, Value};

use super::error::TemplateError;
use super::locate::line_of;
use super::normalize::{long_form, scalar};
use super::{Output, Parameter, Resource, Template};
use crate::config::nearest;

const SECTIONS: &[&str] = &[
    "AWSTemplateFormatVersion",
    "Conditions",
    "Description",
    "Hooks",
    "Mappings",
    "Metadata",
    "Outputs",
    "Parameters",
    "Resources",
    "Rules",
    "Transform",
];

const RESOURCE_KEYS: &[&str] = &[
    "Condition",
    "CreationPolicy",
    "DeletionPolicy",
    "DependsOn",
    "Metadata",
    "Properties",
    "Type",
    "UpdatePolicy",
    "UpdateReplacePolicy",
];

const OUTPUT_KEYS: &[&str] = &["Condition", "Description", "Export", "Value"];

const PARAMETER_KEYS: &[&str] = &[
    "AllowedPattern",
    "AllowedValues",
    "ConstraintDescription",
    "Default",
    "Description",
    "MaxLength",
    "MaxValue",
    "MinLength",
    "MinValue",
    "NoEcho",
    "Type",
];

pub(super) fn template(text: &str, path: &Path) -> Result<Template, TemplateError> {
    let yaml: serde_yaml_ng::Value =
        serde_yaml_ng::from_str(text).map_err(|error| TemplateError::syntax(path, &error))?;
    let place = Place {
        text,
        path,
        keys: Vec::new(),
    };
    let root = long_form(yaml).map_err(|message| {
        let tag = message.split('`').nth(1).unwrap_or_default();
        let line = text
            .lines()
            .position(|line| !tag.is_empty() && line.contains(tag))
            .map(|line| line + 1);
        TemplateError::shape(path, line, message)
    })?;
    let root = place.object(&root)?;
    place.known(root, SECTIONS, "a template")?;
    if let Some(version) = root.get("AWSTemplateFormatVersion")
        && version != "2010-09-09"
    {
        return Err(place
            .at("AWSTemplateFormatVersion")
            .error("the format version is \"2010-09-09\""));
    }
    let resources = place.entries(root, "Resources", resource)?;
    if resources.is_empty() {
        return Err(place.at("Resources").error("there is no resource"));
    }
    Ok(Template {
        text: text.to_owned(),
        description: place.text(root, "Description")?,
        parameters: place.entries(root, "Parameters", parameter)?,
        mappings: place.entries(root, "Mappings", |_, value| Ok(value.clone()))?,
        conditions: place.entries(root, "Conditions", |_, value| Ok(value.clone()))?,
        resources,
        outputs: place.entries(root, "Outputs", output)?,
        transform: root.get("Transform").cloned(),
    })
}

/// The text of a template that was parsed before.
pub(super) fn document(text: &str) -> Value {
    let yaml = serde_yaml_ng::from_str(text).ok();
    yaml.and_then(|yaml| long_form(yaml).ok())
        .unwrap_or_default()
}

fn resource(place: &Place<'_>, value: &Value) -> Result<Resource, TemplateError> {
    let object = place.object(value)?;
    place.known(object, RESOURCE_KEYS, "a resource")?;
    let depends_on = match object.get("DependsOn") {
        None => Vec::new(),
        Some(Value::String(one)) => vec![one.clone()],
        Some(Value::Array(names)) if names.iter().all(Value::is_string) => names
            .iter()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect(),
        Some(_) => {
            return Err(place
                .at("DependsOn")
                .error("this is the name of a resource, or a list of names"));
        }
    };
    let properties = object.get("Properties").cloned().unwrap_or_default();
    if !properties.is_object() && !properties.is_null() {
        return Err(place
            .at("Properties")
            .error("the properties are keys and values"));
    }
    Ok(Resource {
        resource_type: place.required(object, "Type")?,
        properties,
        condition: place.text(object, "Condition")?,
        depends_on,
        deletion_policy: place.text(object, "DeletionPolicy")?,
        update_replace_policy: place.text(object, "UpdateReplacePolicy")?,
        metadata: object.get("Metadata").cloned().unwrap_or_default(),
    })
}

fn output(place: &Place<'_>, value: &Value) -> Result<Output, TemplateError> {
    let object = place.object(value)?;
    place.known(object, OUTPUT_KEYS, "an output")?;
    Ok(Output {
        description: place.text(object, "Description")?,
        value: object
            .get("Value")
            .cloned()
            .ok_or_else(|| place.error("`Value` is missing"))?,
        export: object
            .get("Export")
            .and_then(|export| export.get("Name"))
            .cloned(),
        condition: place.text(object, "Condition")?,
    })
}

fn parameter(place: &Place<'_>, value: &Value) -> Result<Parameter, TemplateError> {
    let object = place.object(value)?;
    place.known(object, PARAMETER_KEYS, "a parameter")?;
    let number = |key: &str| match place.text(object, key)? {
        None => Ok(None),
        Some(text) => match text.parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(Some(number)),
            _ => Err(place.at(key).error(&format!("`{text}` is not a number"))),
        },
    };
    let length = |key: &str| match place.text(object, key)? {
        None => Ok(None),
        Some(text) => text
            .parse()
            .map(Some)
            .map_err(|_| place.at(key).error(&format!("`{text}` is not a length"))),
    };
    let no_echo = match place.text(object, "NoEcho")?.as_deref() {
        None | Some("false") => false,
        Some("true") => true,
        Some(_) => return Err(place.at("NoEcho").error("this is true or false")),
    };
    let allowed_values = match object.get("AllowedValues") {
        None => Vec::new(),
        Some(Value::Array(values)) => values
            .iter()
            .map(|value| {
                scalar(value).ok_or_else(|| place.at("AllowedValues").error("a value is not text"))
            })
            .collect::<Result<_, _>>()?,
        Some(_) => return Err(place.at("AllowedValues").error("this is a list of values")),
    };
    Ok(Parameter {
        parameter_type: place.required(object, "Type")?,
        description: place.text(object, "Description")?,
        default: place.text(object, "Default")?,
        no_echo,
        allowed_values,
        allowed_pattern: place.text(object, "AllowedPattern")?,
        constraint_description: place.text(object, "ConstraintDescription")?,
        min_length: length("MinLength")?,
        max_length: length("MaxLength")?,
        min_value: number("MinValue")?,
        max_value: number("MaxValue")?,
    })
}

/// Where the parser is, for its errors.
struct Place<'a> {
    text: &'a str,
    path: &'a Path,
    keys: Vec<&'a str>,
}

impl<'a> Place<'a> {
    fn at<'b>(&self, key: &'b str) -> Place<'b>
    where
        'a: 'b,
    {
        let mut keys: Vec<&'b str> = self.keys.clone();
        keys.push(key);
        Place {
            text: self.text,
            path: self.path,
            keys,
        }
    }

    fn error(&self, message: &str) -> TemplateError {
        let message = match self.keys.as_slice() {
            [] => message.to_owned(),
            keys => format!("{}: {message}", keys.join(".")),
        };
        TemplateError::shape(self.path, line_of(self.text, &self.keys), message)
    }

    fn object<'v>(&self, value: &'v Value) -> Result<&'v Map<String, Value>, TemplateError> {
        value
            .as_object()
            .ok_or_else(|| self.error("this is not keys and values"))
    }

    fn known(
        &self,
        object: &Map<String, Value>,
        keys: &[&str],
        what: &str,
    ) -> Result<(), TemplateError> {
        match object.keys().find(|key| !keys.contains(&key.as_str())) {
            None => Ok(()),
            Some(key) => {
                let guess = nearest(key, keys)
                    .map(|guess| format!(", did you mean `{guess}`?"))
                    .unwrap_or_default();
                Err(self
                    .at(key)
                    .error(&format!("{what} has no such key{guess}")))
            }
        }
    }

    /// A scalar as text.
    fn text(
        &self,
        object: &Map<String, Value>,
        key: &str,
    ) -> Result<Option<String>, TemplateError> {
        object
            .get(key)
            .map(|value| scalar(value).ok_or_else(|| self.at(key).error("this is not text")))
            .transpose()
    }

    fn required(&self, object: &Map<String, Value>, key: &str) -> Result<String, TemplateError> {
        self.text(object, key)?
            .ok_or_else(|| self.error(&format!("`{key}` is missing")))
    }

    /// The named entries of a section.
    fn entries<T>(
        &self,
        root: &Map<String, Value>,
        section: &str,
        parse: impl Fn(&Place<'_>, &Value) -> Result<T, TemplateError>,
    ) -> Result<BTreeMap<String, T>, TemplateError> {
        let section_place = self.at(section);
        let Some(value) = root.get(section) else {
            return Ok(BTreeMap::new());
        };
        let mut entries = BTreeMap::new();
        for (name, value) in section_place.object(value)? {
            let place = section_place.at(name);
            if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
                return Err(place.error("a name has letters and digits alone"));
            }
            entries.insert(name.clone(), parse(&place, value)?);
        }
        Ok(entries)
    }
}
