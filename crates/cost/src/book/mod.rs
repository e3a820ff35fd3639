//! The price book: what a unit of each service costs in each region, and what is free.
//!
//! The book is a file of the repository, `crates/cost/prices.json`, built into the program. Each price names its
//! source and that source's date. A region that the book does not have is refused; a price that it does not have makes
//! a line unpriced, and never zero.

mod offer;
#[cfg(test)]
mod tests;
mod tier;

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

pub use offer::{OfferError, Products, Refreshed, usage_type_of};
pub use tier::{Tier, cost};

/// The book that this program was built with.
const EMBEDDED: &str = include_str!("../../prices.json");

/// The version of the file's form that this program reads.
const FORMAT: u32 = 1;

/// Prices that are the same everywhere and belong to no region.
pub const GLOBAL: &str = "global";

/// Prices by item and region, with their sources, and the free allowances.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct PriceBook {
    format: u32,
    /// The day on which the book was last changed, as `2026-11-24`.
    pub version: String,
    /// The currency of every price: `USD`.
    pub currency: String,
    /// The regions that can be priced.
    pub regions: Vec<String>,
    /// Where prices are from, by the key that prices name.
    pub sources: BTreeMap<String, Source>,
    /// What can be priced, by its id.
    pub items: BTreeMap<String, Item>,
    /// What is free each month.
    pub free: Vec<Allowance>,
}

/// Where a price is from.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// Its address.
    pub url: String,
    /// The day of its publication, or on which it was read where it does not say.
    pub date: String,
    /// What is to be known of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// Something that AWS bills.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Item {
    /// The service's code: `AWSLambda`.
    pub service: String,
    /// The usage type without its region's prefix: `Lambda-GB-Second`.
    pub usage: String,
    /// The operation, where the usage type is used for several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<String>,
    /// What the quantity counts: `GB-second`.
    pub unit: String,
    /// What it is, for people.
    pub title: String,
    /// The price by region.
    pub prices: BTreeMap<String, Price>,
}

/// The price of an item in a region.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Price {
    /// The usage type as bills and price lists have it: `EUW2-Lambda-GB-Second`.
    pub usage_type: String,
    /// Prices of a unit, by the monthly quantity from which they hold. The last goes on without end: where a source
    /// gives the first tier alone, that is an upper bound, since prices fall with quantity.
    pub tiers: Vec<Tier>,
    /// The key of its source.
    pub source: String,
}

/// A quantity that is free each month.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Allowance {
    /// Its id.
    pub id: String,
    /// What it is, for people.
    pub title: String,
    /// For whom it is.
    pub kind: AllowanceKind,
    /// How much, in `unit`.
    pub amount: Decimal,
    /// What the amount counts.
    pub unit: String,
    /// The items that share it.
    pub items: Vec<String>,
    /// The key of its source.
    pub source: String,
}

/// For whom an allowance is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum AllowanceKind {
    /// For every account, always.
    Always,
    /// For accounts that were opened before 15 July 2025, in their first twelve months.
    TwelveMonths,
}

/// A book that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the price book is not usable: {0}")]
pub struct BookError(String);

/// A region that the book does not have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the price book has no region `{region}`")]
pub struct UnknownRegion {
    /// The region that was asked for.
    pub region: String,
    /// The regions that there are.
    pub regions: Vec<String>,
}

impl PriceBook {
    /// The book that this program was built with.
    ///
    /// # Errors
    /// Where the file in the repository was damaged; a test holds that it is whole.
    pub fn embedded() -> Result<Self, BookError> {
        Self::parse(EMBEDDED)
    }

    /// Reads a book, and holds it to its own rules: known sources and items, tiers that start at zero and rise.
    ///
    /// # Errors
    /// What is wrong with it, with the place.
    pub fn parse(json: &str) -> Result<Self, BookError> {
        let book: Self =
            serde_json::from_str(json).map_err(|error| BookError(error.to_string()))?;
        if book.format != FORMAT {
            let what = format!(
                "its format is {}, and this program reads {FORMAT}",
                book.format
            );
            return Err(BookError(what));
        }
        for (id, item) in &book.items {
            for (region, price) in &item.prices {
                if region != GLOBAL && !book.regions.contains(region) {
                    return Err(BookError(format!(
                        "`{id}` has a price for `{region}`, which is no region of it"
                    )));
                }
                if !book.sources.contains_key(&price.source) {
                    return Err(BookError(format!(
                        "`{id}` in {region} names source `{}`, which is not there",
                        price.source
                    )));
                }
                tier::check(&price.tiers)
                    .map_err(|what| BookError(format!("`{id}` in {region}: {what}")))?;
            }
        }
        for allowance in &book.free {
            if let Some(id) = allowance
                .items
                .iter()
                .find(|id| !book.items.contains_key(*id))
            {
                return Err(BookError(format!(
                    "allowance `{}` names `{id}`, which is no item",
                    allowance.id
                )));
            }
            if !book.sources.contains_key(&allowance.source) || allowance.amount <= Decimal::ZERO {
                return Err(BookError(format!(
                    "allowance `{}` has no source, or no amount",
                    allowance.id
                )));
            }
        }
        Ok(book)
    }

    /// The book as its file is written.
    pub fn to_json(&self) -> String {
        // Our own types: string keys, no failing serializers.
        serde_json::to_string_pretty(self).unwrap_or_default() + "\n"
    }

    /// Whether a region can be priced.
    ///
    /// # Errors
    /// [`UnknownRegion`] with those that can.
    pub fn check_region(&self, region: &str) -> Result<(), UnknownRegion> {
        if self.regions.iter().any(|known| known == region) {
            return Ok(());
        }
        Err(UnknownRegion {
            region: region.to_owned(),
            regions: self.regions.clone(),
        })
    }

    /// The price of an item in a region, or everywhere.
    pub fn price(&self, item: &str, region: &str) -> Option<&Price> {
        let prices = &self.items.get(item)?.prices;
        prices.get(region).or_else(|| prices.get(GLOBAL))
    }
}
