use serde::Deserialize;
use toml::Spanned;

use super::environment::{Texts, distinct};
use super::error::{Fault, ValueError};
use super::{AccountId, Region};

/// How a stack is placed in an environment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Placement {
    /// As one stack, in the environment's first region.
    #[default]
    Stack,
    /// As a stack set, over these targets.
    StackSet {
        /// Accounts that each get the stack (self-managed permissions).
        accounts: Vec<AccountId>,
        /// Units of the organisation whose accounts get the stack (service-managed permissions).
        organizational_units: Vec<OrganizationalUnit>,
        /// The regions in each account; never empty.
        regions: Vec<Region>,
    },
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

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Place {
    Stack,
    StackSet,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawPlacement {
    place: Spanned<Place>,
    #[serde(default)]
    accounts: Texts,
    #[serde(default)]
    organizational_units: Texts,
    #[serde(default)]
    regions: Texts,
}

impl RawPlacement {
    pub(super) fn check(self) -> Result<Placement, Fault> {
        let span = self.place.span();
        let fault = |message: &str, hint: &str| {
            Err(Fault {
                span: span.clone(),
                message: message.to_owned(),
                hint: Some(hint.to_owned()),
            })
        };
        let targets = (
            !self.accounts.is_empty(),
            !self.organizational_units.is_empty(),
        );
        match self.place.into_inner() {
            Place::Stack if targets != (false, false) || !self.regions.is_empty() => fault(
                "`place = \"stack\"` takes no targets",
                "remove `accounts`, `organizational_units` and `regions`, or say `place = \"stack-set\"`",
            ),
            Place::Stack => Ok(Placement::Stack),
            Place::StackSet if targets.0 == targets.1 => fault(
                "a stack set is placed over `accounts` or over `organizational_units`",
                "give one of the two",
            ),
            Place::StackSet if self.regions.is_empty() => fault(
                "a stack set without regions makes no stack",
                "add `regions = [\"eu-west-2\"]`",
            ),
            Place::StackSet => Ok(Placement::StackSet {
                accounts: distinct(self.accounts)?,
                organizational_units: distinct(self.organizational_units)?,
                regions: distinct(self.regions)?,
            }),
        }
    }
}
