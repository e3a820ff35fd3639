//! A line of an estimate, and amounts of money.

use std::ops::{Add, Sub};

use rust_decimal::Decimal;

use super::Deployment;
use crate::book::PriceBook;
use crate::evaluate::Resource;
use crate::service::{Charge, HOURS};

/// Decimals of a quantity: a KB of a GB. So rounded, quantities and their costs add up to the last digit.
const QUANTITY_DECIMALS: u32 = 6;

/// An amount for a month, before and after the free tier.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Amount {
    /// By the price list alone.
    pub list: Decimal,
    /// With what is free taken away.
    pub after_free: Decimal,
}

impl Amount {
    /// The amount for an hour; a month has 730.
    #[must_use]
    pub fn hourly(self) -> Self {
        let hours = Decimal::from(HOURS);
        Self {
            list: self.list / hours,
            after_free: self.after_free / hours,
        }
    }

    /// The amount for twelve months.
    #[must_use]
    pub fn yearly(self) -> Self {
        let months = Decimal::from(12);
        Self {
            list: self.list * months,
            after_free: self.after_free * months,
        }
    }
}

impl Add for Amount {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            list: self.list + other.list,
            after_free: self.after_free + other.after_free,
        }
    }
}

impl Sub for Amount {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self {
            list: self.list - other.list,
            after_free: self.after_free - other.after_free,
        }
    }
}

impl std::iter::Sum for Amount {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::default(), Add::add)
    }
}

/// What one resource is billed for one item.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// The stack's short name.
    pub stack: String,
    /// The region.
    pub region: String,
    /// The account, where it is known.
    pub account: Option<String>,
    /// The resource's logical id.
    pub resource: String,
    /// Its type.
    pub resource_type: String,
    /// The line of the template that it starts at.
    pub line: usize,
    /// The service's code: `AWSLambda`.
    pub service: String,
    /// The item's id in the price book.
    pub item: String,
    /// What the item is, for people.
    pub title: String,
    /// The usage type as a bill has it, where the book has a price.
    pub usage_type: Option<String>,
    /// The quantity of a month.
    pub quantity: Decimal,
    /// How much of the quantity is free.
    pub free: Decimal,
    /// What the quantity counts.
    pub unit: String,
    /// The price of a unit in the first tier; `None` where the book has no price.
    pub price: Option<Decimal>,
    /// The monthly cost by the price list; `None` where the book has no price.
    pub list: Option<Decimal>,
    /// The monthly cost after the free tier; `None` where that is not known.
    pub after_free: Option<Decimal>,
}

impl Line {
    pub(super) fn of(
        deployment: &Deployment<'_>,
        resource: &Resource,
        charge: &Charge,
        book: &PriceBook,
    ) -> Option<Self> {
        let item = book.items.get(charge.item)?;
        let price = book.price(charge.item, &deployment.place.region);
        Some(Self {
            stack: deployment.stack.clone(),
            region: deployment.place.region.clone(),
            account: deployment.place.account.clone(),
            resource: resource.id.clone(),
            resource_type: resource.resource_type.clone(),
            line: resource.line,
            service: item.service.clone(),
            item: charge.item.to_owned(),
            title: item.title.clone(),
            usage_type: price.map(|price| price.usage_type.clone()),
            quantity: charge.quantity.round_dp(QUANTITY_DECIMALS).normalize(),
            free: Decimal::ZERO,
            unit: item.unit.clone(),
            price: price
                .and_then(|price| price.tiers.first())
                .map(|tier| tier.price),
            list: None,
            after_free: None,
        })
    }

    /// What would make it cheaper, in a sentence.
    pub fn cheaper(&self) -> &'static str {
        super::advice::cheaper(&self.item)
    }

    /// What is known of its cost.
    pub fn amount(&self) -> Amount {
        Amount {
            list: self.list.unwrap_or_default(),
            after_free: self.after_free.unwrap_or_default(),
        }
    }
}

/// Something that the estimate has no amount for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotPriced {
    /// The stack's short name.
    pub stack: String,
    /// The region.
    pub region: String,
    /// The account, where it is known.
    pub account: Option<String>,
    /// The resource's logical id.
    pub resource: String,
    /// Its type.
    pub resource_type: String,
    /// The line of the template that it starts at.
    pub line: usize,
    /// The item whose price is missing; `None` where the whole resource is not priced.
    pub item: Option<String>,
    /// Why.
    pub why: String,
    /// Whether none of it is paid all the same, since the free tier covers it.
    pub covered: bool,
}

impl NotPriced {
    pub(super) fn of(
        deployment: &Deployment<'_>,
        resource: &Resource,
        item: Option<String>,
        why: String,
    ) -> Self {
        Self {
            stack: deployment.stack.clone(),
            region: deployment.place.region.clone(),
            account: deployment.place.account.clone(),
            resource: resource.id.clone(),
            resource_type: resource.resource_type.clone(),
            line: resource.line,
            item,
            why,
            covered: false,
        }
    }
}
