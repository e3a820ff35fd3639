use serde::Deserialize;

use super::error::ValueError;
use super::stack_set::StackSetPlacement;

/// How a stack is placed in an environment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Placement {
    /// As one stack, in the environment's first region.
    #[default]
    Stack,
    /// As a stack set, over these targets.
    StackSet(Box<StackSetPlacement>),
}

/// The id of an organizational unit (`ou-…`) or of a root (`r-…`).
///
/// See [OrganizationalUnit](https://docs.aws.amazon.com/organizations/latest/APIReference/API_OrganizationalUnit.html).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(try_from = "String")]
pub struct OrganizationalUnit(String);

impl OrganizationalUnit {
    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for OrganizationalUnit {
    type Error = ValueError;

    fn try_from(text: String) -> Result<Self, ValueError> {
        let part = |part: &str, least: usize| {
            (least..=32).contains(&part.len())
                && part
                    .bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
        };
        let good = match text.split('-').collect::<Vec<_>>().as_slice() {
            ["r", root] => part(root, 4),
            ["ou", root, unit] => part(root, 4) && part(unit, 8),
            _ => false,
        };
        if good {
            return Ok(Self(text));
        }
        Err(ValueError::new(
            format!("`{text}` is not the id of an organizational unit"),
            "an id has the form `ou-ab12-11111111`, or `r-ab12` for the root",
        ))
    }
}
