//! The free tier: which quantities of a month are free.

use rust_decimal::Decimal;

use super::Line;
use crate::book::{AllowanceKind, PriceBook};
use crate::usage::Account;

/// Items whose quantity follows from the template: more traffic does not use more of them.
const FIXED: &[&str] = &[
    "alarms",
    "custom-metrics",
    "dashboards",
    "dynamodb-read-capacity",
    "dynamodb-write-capacity",
];

/// How much of an allowance is used.
#[derive(Clone, Debug, PartialEq)]
pub struct Used {
    /// The allowance's id.
    pub id: String,
    /// What it is, for people.
    pub title: String,
    /// What is free in a month.
    pub amount: Decimal,
    /// What is used in a month, free or not.
    pub used: Decimal,
    /// What both count.
    pub unit: String,
    /// Whether more traffic uses more of it.
    pub grows: bool,
}

impl Used {
    /// The part of the allowance that is used: 1 is all of it.
    pub fn share(&self) -> Decimal {
        self.used / self.amount
    }

    /// Whether more is used than is free.
    pub fn is_left(&self) -> bool {
        self.used > self.amount
    }

    /// By how much this usage can grow until the allowance is left.
    pub fn headroom(&self) -> Decimal {
        if self.used.is_zero() {
            return Decimal::MAX;
        }
        self.amount / self.used
    }
}

/// Sets what is free of each line, and tells the allowances that are used, the most used first.
pub(super) fn apply(lines: &mut [Line], book: &PriceBook, account: &Account) -> Vec<Used> {
    let mut used = Vec::new();
    for allowance in &book.free {
        let applies = match allowance.kind {
            AllowanceKind::Always => true,
            AllowanceKind::TwelveMonths => *account == Account::TwelveMonths,
        };
        let total: Decimal = (lines.iter())
            .filter(|line| allowance.items.contains(&line.item))
            .map(|line| line.quantity)
            .sum();
        if !applies || total.is_zero() {
            continue;
        }
        share_out(lines, &allowance.items, allowance.amount, total);
        used.push(Used {
            id: allowance.id.clone(),
            title: allowance.title.clone(),
            amount: allowance.amount,
            used: total.normalize(),
            unit: allowance.unit.clone(),
            grows: !(allowance.items.iter()).all(|item| FIXED.contains(&item.as_str())),
        });
    }
    used.sort_by_key(|used| std::cmp::Reverse(used.share()));
    used
}

/// Shares an allowance out among its lines by their quantity; the last takes what rounding leaves.
fn share_out(lines: &mut [Line], items: &[String], amount: Decimal, total: Decimal) {
    let mut left = amount.min(total);
    let mut ahead = total;
    for line in lines.iter_mut().filter(|line| items.contains(&line.item)) {
        line.free = if left >= ahead {
            line.quantity
        } else {
            (line.quantity / ahead * left)
                .round_dp(6)
                .min(left)
                .min(line.quantity)
        };
        left -= line.free;
        ahead -= line.quantity;
    }
}
