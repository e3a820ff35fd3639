//! Usage: how much of everything happens in a month, from `usage.toml`.
//!
//! A profile has a figure for each kind of resource, which holds for each resource of that kind, and figures of their
//! own for single resources.

mod file;
mod metric;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use time::Date;

pub use file::UsageError;
pub use metric::{METRICS, Metric};

/// The file of the repository, for templates that are priced outside of one.
const EMBEDDED: &str = include_str!("../../../../usage.toml");

/// `usage.toml`, read.
#[derive(Clone, Debug, PartialEq)]
pub struct UsageFile {
    /// The profile that is used where none is named.
    pub default_profile: String,
    /// What the account has free.
    pub account: Account,
    /// The profiles by name.
    pub profiles: BTreeMap<String, Profile>,
}

/// Figures for a month, by the key of their [`Metric`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Profile {
    /// For each resource of a kind.
    pub figures: BTreeMap<&'static str, Decimal>,
    /// For single resources, by `stack.LogicalId` or `LogicalId`.
    pub resources: BTreeMap<String, BTreeMap<&'static str, Decimal>>,
}

/// What an account has free beside what every account has.
///
/// See [free plan and paid plan](https://docs.aws.amazon.com/awsaccountbilling/latest/aboutv2/free-tier-plans.html).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Account {
    /// Nothing: the allowances of every account alone.
    #[default]
    AlwaysFree,
    /// The first twelve months of an account that was opened before 15 July 2025.
    TwelveMonths,
    /// Credits, for an account that was opened since.
    Credits(Credits),
}

/// Credits of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credits {
    /// What is left of them, in USD.
    pub balance: Decimal,
    /// The day on which the account was opened; the free plan ends six months later.
    pub opened: Date,
}

impl Account {
    /// The name that `usage.toml` and the command line have for it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::AlwaysFree => "always-free",
            Self::TwelveMonths => "twelve-months",
            Self::Credits(_) => "credits",
        }
    }
}

impl UsageFile {
    /// Reads the text of a `usage.toml`.
    ///
    /// # Errors
    /// What is wrong with it, with the line.
    pub fn parse(text: &str) -> Result<Self, UsageError> {
        file::parse(text)
    }

    /// The file that this program was built with.
    ///
    /// # Errors
    /// Where the file in the repository was damaged; a test holds that it is whole.
    pub fn embedded() -> Result<Self, UsageError> {
        Self::parse(EMBEDDED)
    }

    /// The profile of that name.
    ///
    /// # Errors
    /// [`UsageError`] with the names that there are.
    pub fn profile(&self, name: &str) -> Result<&Profile, UsageError> {
        self.profiles.get(name).ok_or_else(|| {
            let names: Vec<_> = self.profiles.keys().map(String::as_str).collect();
            UsageError {
                line: None,
                message: format!(
                    "no profile is called `{name}`; there are: {}",
                    names.join(", ")
                ),
            }
        })
    }
}

impl Profile {
    /// The figure for a resource: its own, that of its kind, or 0. `key` is a [`Metric`]'s.
    pub fn figure(&self, stack: &str, resource: &str, key: &'static str) -> Decimal {
        let own = |name: &str| {
            self.resources
                .get(name)
                .and_then(|own| own.get(key))
                .copied()
        };
        own(&format!("{stack}.{resource}"))
            .or_else(|| own(resource))
            .or_else(|| self.figures.get(key).copied())
            .unwrap_or_default()
    }
}
