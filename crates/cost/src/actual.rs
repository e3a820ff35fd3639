//! What was estimated beside what was billed, by usage type: which usage explains the gap.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use crate::estimate::Estimate;
use crate::service::HOURS;

/// What a period was billed for a usage type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Billed {
    /// The usage type: `EUW2-Request`.
    pub usage_type: String,
    /// The quantity of the period.
    pub quantity: Decimal,
    /// The amount of the period.
    pub amount: Decimal,
}

/// A usage type as it was estimated and as it was billed, both for a month.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compared {
    /// The usage type.
    pub usage_type: String,
    /// What it is, where the estimate has it.
    pub title: String,
    /// The estimated quantity.
    pub estimated_quantity: Decimal,
    /// The billed quantity, at the rate of the period.
    pub billed_quantity: Decimal,
    /// The estimated amount, after the free tier.
    pub estimated: Decimal,
    /// The billed amount, at the rate of the period.
    pub billed: Decimal,
}

impl Compared {
    /// How much more was billed than estimated.
    pub fn gap(&self) -> Decimal {
        self.billed - self.estimated
    }
}

/// Holds an estimate against the bill of some days, the largest gap first. Nothing where there were no days.
pub fn compare(estimate: &Estimate, billed: &[Billed], days: u16) -> Vec<Compared> {
    if days == 0 {
        return Vec::new();
    }
    let month = Decimal::from(HOURS) / Decimal::from(24_u32 * u32::from(days));
    let mut rows: BTreeMap<String, Compared> = BTreeMap::new();
    let empty = |usage_type: &str| Compared {
        usage_type: usage_type.to_owned(),
        title: String::new(),
        estimated_quantity: Decimal::ZERO,
        billed_quantity: Decimal::ZERO,
        estimated: Decimal::ZERO,
        billed: Decimal::ZERO,
    };
    for line in &estimate.lines {
        // A usage type without a price in the book is not known by the name that a bill has for it.
        let Some(usage_type) = &line.usage_type else {
            continue;
        };
        let row = rows
            .entry(usage_type.clone())
            .or_insert_with(|| empty(usage_type));
        row.title.clone_from(&line.title);
        row.estimated_quantity += line.quantity;
        row.estimated += line.amount().after_free;
    }
    for bill in billed {
        let row = rows
            .entry(bill.usage_type.clone())
            .or_insert_with(|| empty(&bill.usage_type));
        row.billed_quantity += (bill.quantity * month).round_dp(6);
        row.billed += (bill.amount * month).round_dp(6);
    }
    let mut rows: Vec<_> = (rows.into_values())
        .filter(|row| !row.estimated_quantity.is_zero() || !row.billed_quantity.is_zero())
        .collect();
    rows.sort_by_key(|row| std::cmp::Reverse((row.gap().abs(), row.billed)));
    rows
}

#[cfg(test)]
mod tests {
    use time::macros::date;

    use super::*;
    use crate::book::PriceBook;
    use crate::estimate::{Basis, Deployment, estimate};
    use crate::evaluate::Place;
    use crate::template::Template;
    use crate::usage::{Account, UsageFile};

    #[test]
    fn the_usage_that_explains_the_gap_comes_first() {
        let template = Template::parse("Resources: {A: {Type: AWS::ApiGatewayV2::Api}}").unwrap();
        let deployment = Deployment {
            stack: "api".into(),
            template: &template,
            given: BTreeMap::new(),
            place: Place {
                region: "eu-west-2".into(),
                account: None,
                stack_name: "s".into(),
            },
        };
        let file = UsageFile::embedded().unwrap();
        let basis = Basis {
            book: &PriceBook::embedded().unwrap(),
            profile_name: "learning",
            profile: &file.profiles["learning"],
            account: &Account::AlwaysFree,
            today: date!(2026 - 11 - 24),
        };
        let estimate = estimate(&[deployment], basis).unwrap();
        let bill = |usage_type: &str, quantity: i64, amount: i64| Billed {
            usage_type: usage_type.into(),
            quantity: quantity.into(),
            amount: Decimal::new(amount, 2),
        };
        let billed = [
            bill("EUW2-ApiGatewayHttpRequest", 1_000_000, 116),
            bill("EUW2-Surprise", 5, 500),
        ];
        let rows = compare(&estimate, &billed, 10);
        let shown: Vec<_> = (rows.iter())
            .map(|row| {
                format!(
                    "{} {} {} {}",
                    row.usage_type,
                    row.estimated_quantity.normalize(),
                    row.billed_quantity.normalize(),
                    row.gap().round_dp(2)
                )
            })
            .collect();
        // Ten days are a good third of a month.
        assert_eq!(
            shown,
            [
                "EUW2-Surprise 0 15.208333 15.21",
                "EUW2-ApiGatewayHttpRequest 1500 3041666.666667 3.53",
                "EUW2-DataTransfer-Out-Bytes 0.005722 0 0",
            ]
        );
        assert!(compare(&estimate, &billed, 0).is_empty());
    }
}
