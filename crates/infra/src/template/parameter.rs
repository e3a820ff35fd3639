//! Parameters, and whether values fit them.

use std::collections::BTreeMap;
use std::fmt;

use regex_lite::Regex;

use crate::config::nearest;

/// CloudFormation's limit on a parameter's value, in bytes.
///
/// See [quotas](https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html).
const VALUE_MAX: usize = 4096;

/// An entry of `Parameters`.
///
/// See [parameters](https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/parameters-section-structure.html).
#[derive(Clone, Debug, PartialEq)]
pub struct Parameter {
    /// `String`, `Number`, `CommaDelimitedList`, or a type of AWS.
    pub parameter_type: String,
    /// What it is for.
    pub description: Option<String>,
    /// Its value where none is given.
    pub default: Option<String>,
    /// Whether its value is a secret.
    pub no_echo: bool,
    /// The values that it may have; empty: any.
    pub allowed_values: Vec<String>,
    /// The pattern that its whole value has, in Java's notation.
    pub allowed_pattern: Option<String>,
    /// What its author says of its bounds.
    pub constraint_description: Option<String>,
    /// The least length, in characters.
    pub min_length: Option<usize>,
    /// The greatest length, in characters.
    pub max_length: Option<usize>,
    /// The least value of a number.
    pub min_value: Option<f64>,
    /// The greatest value of a number.
    pub max_value: Option<f64>,
}

/// Why a value is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ParameterFaultKind {
    /// The template declares no such parameter.
    Undeclared,
    /// There is no value and no default.
    Missing,
    /// The value is outside the declared bounds.
    Bounds,
}

/// A parameter whose value is refused. It shows as a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParameterFault {
    parameter: String,
    kind: ParameterFaultKind,
    message: String,
}

impl ParameterFault {
    /// The parameter's name.
    pub fn parameter(&self) -> &str {
        &self.parameter
    }

    /// Why it is refused.
    pub fn kind(&self) -> ParameterFaultKind {
        self.kind
    }
}

impl fmt::Display for ParameterFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for ParameterFault {}

impl Parameter {
    /// Whether anything but its type bounds its value.
    pub fn is_bounded(&self) -> bool {
        let length = self.max_length.is_some() || self.allowed_pattern.is_some();
        let value = self.min_value.is_some() && self.max_value.is_some();
        let typed = self.parameter_type.starts_with("AWS::")
            || self.parameter_type.starts_with("List<AWS::");
        typed || length || value || !self.allowed_values.is_empty()
    }

    /// What is wrong with a value, if anything is, as the end of a sentence that starts with it.
    pub fn refusal(&self, value: &str) -> Option<String> {
        if value.len() > VALUE_MAX {
            return Some(format!("is longer than {VALUE_MAX} bytes"));
        }
        let items: Vec<_> = if self.is_list() {
            value.split(',').map(str::trim).collect()
        } else {
            vec![value]
        };
        let refusal = items.iter().find_map(|item| self.item_refusal(item))?;
        Some(match &self.constraint_description {
            Some(description) => format!("{refusal} ({description})"),
            None => refusal,
        })
    }

    fn is_list(&self) -> bool {
        self.parameter_type == "CommaDelimitedList" || self.parameter_type.starts_with("List<")
    }

    fn item_refusal(&self, item: &str) -> Option<String> {
        if matches!(self.parameter_type.as_str(), "Number" | "List<Number>") {
            let Some(number) = item
                .trim()
                .parse::<f64>()
                .ok()
                .filter(|number| number.is_finite())
            else {
                return Some("is not a number".to_owned());
            };
            if let Some(least) = self.min_value.filter(|least| number < *least) {
                return Some(format!("is less than {least}"));
            }
            if let Some(most) = self.max_value.filter(|most| number > *most) {
                return Some(format!("is more than {most}"));
            }
        }
        let length = item.chars().count();
        if let Some(least) = self.min_length.filter(|least| length < *least) {
            return Some(format!("has {length} characters and needs {least} or more"));
        }
        if let Some(most) = self.max_length.filter(|most| length > *most) {
            return Some(format!(
                "has {length} characters and may have {most} at most"
            ));
        }
        if !self.allowed_values.is_empty()
            && !self.allowed_values.iter().any(|allowed| allowed == item)
        {
            return Some(format!("is not one of: {}", self.allowed_values.join(", ")));
        }
        let pattern = self.allowed_pattern.as_deref()?;
        // CloudFormation's patterns are Java's and cover the whole value; one that this library does not know is left
        // to CloudFormation.
        let regex = Regex::new(&format!(r"\A(?:{pattern})\z")).ok()?;
        (!regex.is_match(item)).then(|| format!("does not match `{pattern}`"))
    }
}

/// The faults of a set of values, by parameter.
pub(super) fn check_all(
    declared: &BTreeMap<String, Parameter>,
    given: &BTreeMap<String, String>,
) -> Vec<ParameterFault> {
    let names: Vec<_> = declared.keys().collect();
    let undeclared = given.keys().filter(|name| !declared.contains_key(*name)).map(|name| {
        let guess = nearest(name, &names).map(|guess| format!("did you mean `{guess}`? ")).unwrap_or_default();
        let choices: Vec<_> = names.iter().map(|name| name.as_str()).collect();
        let choices = if choices.is_empty() { "none".to_owned() } else { choices.join(", ") };
        ParameterFault {
            parameter: name.clone(),
            kind: ParameterFaultKind::Undeclared,
            message: format!("the template declares no parameter `{name}`; {guess}its parameters are: {choices}"),
        }
    });
    let refused = declared.iter().filter_map(|(name, parameter)| {
        let Some(value) = given.get(name).or(parameter.default.as_ref()) else {
            return Some(ParameterFault {
                parameter: name.clone(),
                kind: ParameterFaultKind::Missing,
                message: format!("`{name}` has no value and no default"),
            });
        };
        let refusal = parameter.refusal(value)?;
        let shown = if parameter.no_echo {
            "****".to_owned()
        } else {
            value.chars().take(100).collect()
        };
        Some(ParameterFault {
            parameter: name.clone(),
            kind: ParameterFaultKind::Bounds,
            message: format!("`{name}` = `{shown}` {refusal}"),
        })
    });
    undeclared.chain(refused).collect()
}
