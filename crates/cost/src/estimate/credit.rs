//! The credits plan: until when there is nothing to pay.
//!
//! See [plans](https://docs.aws.amazon.com/awsaccountbilling/latest/aboutv2/free-tier-plans.html).

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;
use time::{Date, Duration, Month};

use crate::usage::Credits;

/// Months after its opening at which the free plan of an account ends.
const PLAN_MONTHS: u8 = 6;

/// How long credits last at the estimated rate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Runway {
    /// What is left of the credits, in USD.
    pub balance: Decimal,
    /// The day on which they are used up; `None` where nothing uses them, or not within a hundred years.
    pub used_up: Option<Date>,
    /// The day on which the free plan ends, six months after the account was opened.
    pub plan_ends: Date,
}

impl Runway {
    /// The first day on which something is to be paid, if the plan is not upgraded before.
    pub fn money_runs_out(&self) -> Date {
        self.used_up
            .map_or(self.plan_ends, |used_up| used_up.min(self.plan_ends))
    }
}

pub(super) fn runway(credits: &Credits, monthly: Decimal, today: Date) -> Runway {
    // A year of twelve equal months, day by day.
    let daily = monthly * Decimal::from(12) / Decimal::from(365);
    let days = if daily.is_zero() {
        None
    } else {
        (credits.balance.checked_div(daily)).and_then(|days| days.floor().to_i64())
    };
    Runway {
        balance: credits.balance,
        used_up: days
            .filter(|days| *days <= 36_500)
            .and_then(|days| today.checked_add(Duration::days(days))),
        plan_ends: after_months(credits.opened, PLAN_MONTHS),
    }
}

/// The same day some months later; the month's last where it has no such day.
fn after_months(date: Date, months: u8) -> Date {
    let later = u8::from(date.month()) - 1 + months;
    let year = date.year() + i32::from(later / 12);
    let month = Month::try_from(later % 12 + 1).unwrap_or(Month::January);
    let day = date.day().min(month.length(year));
    Date::from_calendar_date(year, month, day).unwrap_or(date)
}

#[cfg(test)]
mod tests {
    use time::macros::date;

    use super::*;

    #[test]
    fn the_date_on_which_the_money_runs_out() {
        for (balance, monthly, opened, expected) in [
            ("100", "0", date!(2026 - 10 - 01), date!(2027 - 04 - 01)),
            // 365 days at 12 a year.
            ("12", "1", date!(2026 - 10 - 01), date!(2027 - 04 - 01)),
            ("1", "1", date!(2026 - 10 - 01), date!(2026 - 12 - 24)),
            ("0", "1", date!(2026 - 10 - 01), date!(2026 - 11 - 24)),
            (
                "100",
                "0.0000000000001",
                date!(2026 - 08 - 31),
                date!(2027 - 02 - 28),
            ),
        ] {
            let credits = Credits {
                balance: balance.parse().unwrap(),
                opened,
            };
            let runway = runway(&credits, monthly.parse().unwrap(), date!(2026 - 11 - 24));
            assert_eq!(runway.money_runs_out(), expected, "{balance} at {monthly}");
        }
    }
}
