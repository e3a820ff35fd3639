//! What an expression comes to before anything is deployed.

use std::collections::BTreeMap;

/// The value of an expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// `null`, or `AWS::NoValue`: as though the key were not there.
    Absent,
    /// A scalar; numbers and booleans as they are written.
    Text(String),
    /// A list.
    List(Vec<Value>),
    /// Keys and values.
    Map(BTreeMap<String, Value>),
    /// A resource, by its logical id, whose name is known after the deployment alone.
    Resource(String),
    /// Something that the template and its parameters do not tell.
    Unknown(Unknown),
}

/// Why a value is not known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unknown {
    /// The line of the expression, from 1.
    pub line: usize,
    /// What is missing, as a part of a sentence: "`Table.Arn` is known after the deployment".
    pub why: String,
    /// The resource whose attribute it is, where it is one.
    pub resource: Option<String>,
    /// What is known of it all the same.
    pub form: Form,
}

/// What is known of a text before it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Form {
    /// Nothing.
    #[default]
    Any,
    /// It is not empty, as a name is not.
    Filled,
    /// It starts with `arn:`.
    Arn,
}

impl Form {
    /// Whether a text may turn out to be that one.
    pub(super) fn allows(self, text: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Filled => !text.is_empty(),
            Self::Arn => text.starts_with("arn:"),
        }
    }
}

impl Unknown {
    pub(super) fn new(line: usize, why: impl Into<String>) -> Self {
        Self {
            line,
            why: why.into(),
            resource: None,
            form: Form::Any,
        }
    }

    pub(super) fn of_form(form: Form, line: usize, why: impl Into<String>) -> Self {
        Self {
            form,
            ..Self::new(line, why)
        }
    }
}

impl Value {
    pub(super) fn unknown(line: usize, why: impl Into<String>) -> Self {
        Self::Unknown(Unknown::new(line, why))
    }

    /// What is known of a text that comes later; `Any` for what is known, or is no text.
    pub fn form(&self) -> Form {
        match self {
            Self::Resource(_) => Form::Filled,
            Self::Unknown(unknown) => unknown.form,
            Self::Absent | Self::Text(_) | Self::List(_) | Self::Map(_) => Form::Any,
        }
    }

    /// The value under a path of keys; `Absent` where one of them is missing. What is not known stays so.
    pub fn at(&self, path: &[&str]) -> &Self {
        let mut value = self;
        for key in path {
            match value {
                Self::Map(entries) => match entries.get(*key) {
                    Some(inner) => value = inner,
                    None => return &Self::Absent,
                },
                Self::Unknown(_) => return value,
                Self::Absent | Self::Text(_) | Self::List(_) | Self::Resource(_) => {
                    return &Self::Absent;
                }
            }
        }
        value
    }

    /// The scalar's text.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The items of a list; none where this is something else.
    pub fn items(&self) -> &[Self] {
        match self {
            Self::List(items) => items,
            _ => &[],
        }
    }

    /// JSON, as `Fn::ToJsonString` makes it; `Err` with the first part that is not known.
    pub(super) fn json(&self) -> Result<serde_json::Value, Unknown> {
        use serde_json::Value as Json;
        Ok(match self {
            Self::Absent => Json::Null,
            Self::Text(text) => Json::String(text.clone()),
            Self::List(items) => {
                Json::Array(items.iter().map(Self::json).collect::<Result<_, _>>()?)
            }
            Self::Map(entries) => Json::Object(
                (entries.iter())
                    .map(|(key, value)| Ok((key.clone(), value.json()?)))
                    .collect::<Result<_, Unknown>>()?,
            ),
            Self::Resource(id) => {
                let why = format!("the name of `{id}` is known after the deployment");
                return Err(Unknown::new(0, why));
            }
            Self::Unknown(unknown) => return Err(unknown.clone()),
        })
    }
}
