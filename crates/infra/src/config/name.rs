//! Names that end up inside names on AWS, so that their letters and lengths matter.

use std::borrow::Borrow;
use std::fmt;

use serde::{Deserialize, Deserializer};

use super::error::{ValueError, nearest};
use crate::stack_def::{STACK_SET_ROLES, STACKS};

/// The project's name: lowercase letters, digits and hyphens, 2 to 20 characters.
///
/// The bound leaves room in an S3 bucket's name (63 characters) for region, environment and purpose.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(try_from = "String")]
pub struct ProjectName(String);

/// An environment's name: lowercase letters, digits and hyphens, 2 to 12 characters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(try_from = "String")]
pub struct EnvironmentName(String);

/// The name of one of Stackway's stacks.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(try_from = "String")]
pub struct StackName(String);

impl TryFrom<String> for ProjectName {
    type Error = ValueError;

    fn try_from(text: String) -> Result<Self, ValueError> {
        check(&text, "project", 20)?;
        Ok(Self(text))
    }
}

impl TryFrom<String> for EnvironmentName {
    type Error = ValueError;

    fn try_from(text: String) -> Result<Self, ValueError> {
        check(&text, "environment", 12)?;
        Ok(Self(text))
    }
}

impl TryFrom<String> for StackName {
    type Error = ValueError;

    fn try_from(text: String) -> Result<Self, ValueError> {
        let all = STACKS.iter().chain(STACK_SET_ROLES);
        let names: Vec<_> = all.map(|def| def.name).collect();
        if names.contains(&text.as_str()) {
            return Ok(Self(text));
        }
        let guess = nearest(&text, &names)
            .map(|guess| format!("did you mean `{guess}`? "))
            .unwrap_or_default();
        Err(ValueError::new(
            format!("no stack is called `{text}`"),
            format!("{guess}the stacks are: {}", names.join(", ")),
        ))
    }
}

fn check(text: &str, what: &str, most: usize) -> Result<(), ValueError> {
    let letters = text
        .bytes()
        .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    let starts = text
        .bytes()
        .next()
        .is_some_and(|byte| byte.is_ascii_lowercase());
    if letters && starts && !text.ends_with('-') && (2..=most).contains(&text.len()) {
        return Ok(());
    }
    Err(ValueError::new(
        format!(
            "`{text}` cannot be the name of {} {what}",
            if what.starts_with('e') { "an" } else { "a" }
        ),
        format!(
            "use lowercase letters, digits and hyphens, a letter first and no hyphen last, 2 to {most} characters"
        ),
    ))
}

/// The address of a git repository.
pub(super) fn repository<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let text = String::deserialize(deserializer)?;
    if text
        .strip_prefix("https://")
        .is_some_and(|rest| rest.contains('/') && !rest.contains(['@', ' ']))
    {
        return Ok(text);
    }
    // An address with a password in it is not repeated: errors end up in logs.
    let message = if text.contains('@') {
        "the repository's address names a user".to_owned()
    } else {
        format!("`{text}` is not the address of a repository")
    };
    Err(serde::de::Error::custom(ValueError::new(
        message,
        "give it as https://HOST/OWNER/NAME, without a user or a password",
    )))
}

macro_rules! text {
    ($($name:ident)*) => {$(
        impl $name {
            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl PartialEq<$name> for str {
            fn eq(&self, other: &$name) -> bool {
                self == other.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )*};
}

text!(ProjectName EnvironmentName StackName);
