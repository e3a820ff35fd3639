//! The services that tell of money. All but CloudWatch answer in one region for the whole account.

mod budgets;
mod cloudwatch;
mod cost_explorer;
mod free_tier;
mod pricing;
#[cfg(test)]
mod tests;

use aws_config::Region;
use time::Date;
use time::macros::format_description;

pub use budgets::AwsBudgets;
pub use cloudwatch::CloudWatch;
pub use cost_explorer::CostExplorer;
pub use free_tier::FreeTier;
pub use pricing::PriceListApi;

/// Where bills, budgets, free-tier use and prices are answered for.
///
/// See [endpoints](https://docs.aws.amazon.com/general/latest/gr/billing.html).
fn home() -> Region {
    Region::from_static("us-east-1")
}

/// A day as these services write it.
fn day(date: Date) -> String {
    date.format(format_description!("[year]-[month]-[day]"))
        .unwrap_or_default()
}
