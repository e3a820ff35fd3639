//! A thing that no stack owns, as it is told: why it is there, and what it costs.

use rust_decimal::Decimal;
use serde::Serialize;
use stackway_cost::book::PriceBook;
use stackway_cost::report::money;
use stackway_infra::inventory::{ADVANCED_PARAMETERS, Leftover, LeftoverKind, Removable};

use super::{Lost, lost};

/// The bytes of a gigabyte, as AWS counts them in prices.
const GIGABYTE: u64 = 1 << 30;

#[derive(Debug, Serialize)]
pub(super) struct LeftoverFound {
    pub(super) kind: &'static str,
    pub(super) id: String,
    pub(super) holds: Vec<Lost>,
    pub(super) bytes: Option<u64>,
    /// `now`, `waits` or `by hand`.
    pub(super) removable: &'static str,
    pub(super) why: String,
    /// In USD; null where that is not known.
    pub(super) cost_a_month: Option<String>,
}

impl LeftoverFound {
    pub(super) fn new(leftover: &Leftover, region: &str) -> Self {
        let kept = leftover.kept_by.as_ref();
        let whose = kept.map_or_else(
            || "no stack owns it".to_owned(),
            |kept| format!("stack {} was told to keep it", kept.stack),
        );
        let (removable, mut why) = match &leftover.removable {
            Removable::Now => ("now", whose),
            Removable::Later { days } => (
                "later",
                format!(
                    "{whose}; it goes {days} days after this, costs nothing until then, and can be brought back"
                ),
            ),
            Removable::Waits { until } => (
                "waits",
                until.map_or_else(
                    || "waits for its deletion".to_owned(),
                    |until| format!("waits for its deletion on {}", until.date()),
                ),
            ),
            Removable::ByHand => ("by hand", format!("{whose}; {}", by_hand(leftover, region))),
        };
        if leftover.deletion_protection {
            why += "; deletion protection is on";
        }
        Self {
            kind: leftover.kind.singular(),
            id: leftover.id.clone(),
            holds: lost(Some(&leftover.contents)),
            bytes: leftover.contents.bytes,
            removable,
            why,
            cost_a_month: cost_a_month(leftover, region).map(money),
        }
    }
}

/// Why it is left to a person, and where that person goes.
fn by_hand(leftover: &Leftover, region: &str) -> String {
    let service = match &leftover.kept_by {
        Some(kept) => kept.resource_type.split("::").nth(1),
        None => leftover.id.split(':').nth(2),
    };
    let service = service.unwrap_or("its service");
    let what = leftover.kept_by.as_ref().map_or_else(
        || "its tags are the environment's, and such things are".to_owned(),
        |kept| format!("an {} is", kept.resource_type),
    );
    format!("{what} not removed here: delete it in the console of {service}, region {region}")
}

/// What it costs to keep for a month, in USD; `None` where no price is known.
fn cost_a_month(leftover: &Leftover, region: &str) -> Option<Decimal> {
    let (item, quantity) = match (leftover.kind, &leftover.removable) {
        // What waits costs nothing, nor does code that is not called.
        (LeftoverKind::Key | LeftoverKind::Secret, Removable::Waits { .. })
        | (
            LeftoverKind::ReportGroup
            | LeftoverKind::Function
            | LeftoverKind::FunctionVersion
            | LeftoverKind::FunctionAlias,
            _,
        ) => {
            return Some(Decimal::ZERO);
        }
        (LeftoverKind::Key, _) => ("kms-keys", Decimal::ONE),
        (LeftoverKind::Secret, _) => ("secrets", Decimal::ONE),
        (LeftoverKind::Bucket, _) => ("s3-storage", gigabytes(leftover)?),
        (LeftoverKind::Table, _) => ("dynamodb-storage", gigabytes(leftover)?),
        (LeftoverKind::Repository, _) => ("ecr-storage", gigabytes(leftover)?),
        (LeftoverKind::LogGroup, _) => ("logs-storage", gigabytes(leftover)?),
        (LeftoverKind::Parameter, _) => {
            let counts = &leftover.contents.counts;
            if !counts.iter().any(|(_, what)| *what == ADVANCED_PARAMETERS) {
                return Some(Decimal::ZERO);
            }
            ("ssm-advanced-parameters", Decimal::ONE)
        }
        (LeftoverKind::Kept | LeftoverKind::Tagged, _) => return None,
    };
    let book = PriceBook::embedded().ok()?;
    let price = book.price(item, region)?;
    Some(stackway_cost::book::cost(&price.tiers, quantity))
}

fn gigabytes(leftover: &Leftover) -> Option<Decimal> {
    Some(Decimal::from(leftover.contents.bytes?) / Decimal::from(GIGABYTE))
}
