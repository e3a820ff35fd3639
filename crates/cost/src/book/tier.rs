//! Tiers: a price that changes with the quantity of a month.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// A price that holds from a quantity on.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Tier {
    /// The monthly quantity from which it holds.
    pub from: Decimal,
    /// The price of one unit.
    pub price: Decimal,
}

/// What a monthly quantity costs: each unit at the price of the tier that it falls into. Nothing for less than none.
pub fn cost(tiers: &[Tier], quantity: Decimal) -> Decimal {
    let mut sum = Decimal::ZERO;
    for (position, tier) in tiers.iter().enumerate() {
        let until = (tiers.get(position + 1)).map_or(quantity, |next| next.from.min(quantity));
        if until > tier.from {
            sum += (until - tier.from) * tier.price;
        }
    }
    sum
}

/// What is wrong with tiers, if anything is.
pub(super) fn check(tiers: &[Tier]) -> Result<(), String> {
    match tiers.first() {
        None => return Err("there is no tier".to_owned()),
        Some(first) if !first.from.is_zero() => {
            return Err("the first tier does not start at 0".to_owned());
        }
        Some(_) => {}
    }
    if tiers.windows(2).any(|pair| pair[0].from >= pair[1].from) {
        return Err("the tiers do not rise".to_owned());
    }
    if tiers.iter().any(|tier| tier.price.is_sign_negative()) {
        return Err("a price is below zero".to_owned());
    }
    Ok(())
}
