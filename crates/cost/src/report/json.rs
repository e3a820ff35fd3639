//! JSON. Its form is documented in docs/cost.md and stable: keys are added, and none changes its meaning.

use serde::Serialize;

use super::Report;
use super::number::{exact, price};
use crate::diff::{Difference, Known};
use crate::estimate::{Amount, Estimate, Line, Used};

/// The version of the form.
const FORMAT: u32 = 1;

/// An amount as two decimal strings.
#[derive(Debug, Serialize)]
pub(super) struct Money {
    list: String,
    after_free_tier: String,
}

impl From<Amount> for Money {
    fn from(amount: Amount) -> Self {
        Self {
            list: exact(amount.list),
            after_free_tier: exact(amount.after_free),
        }
    }
}

/// An amount of a line; what is not known is `null`.
#[derive(Debug, Serialize)]
struct LineMoney {
    list: Option<String>,
    after_free_tier: Option<String>,
}

#[derive(Debug, Serialize)]
struct Document<'a> {
    format: u32,
    title: &'a str,
    currency: &'a str,
    region: &'a str,
    regions: &'a [String],
    profile: &'a str,
    account_plan: &'a str,
    price_book: &'a str,
    complete: bool,
    hourly: Money,
    monthly: Money,
    yearly: Money,
    stacks: Vec<Group>,
    services: Vec<Group>,
    lines: Vec<LineJson<'a>>,
    not_priced: Vec<NotPricedJson<'a>>,
    unresolved: Vec<Unresolved<'a>>,
    free_tier: Vec<AllowanceJson<'a>>,
    first_to_leave: Option<AllowanceJson<'a>>,
    dearest: Vec<Dear<'a>>,
    credits: Option<CreditsJson>,
}

#[derive(Debug, Serialize)]
struct Group {
    name: String,
    monthly: Money,
}

#[derive(Debug, Serialize)]
struct LineJson<'a> {
    stack: &'a str,
    region: &'a str,
    account: Option<&'a str>,
    resource: &'a str,
    #[serde(rename = "type")]
    resource_type: &'a str,
    line: usize,
    service: &'a str,
    item: &'a str,
    usage_type: Option<&'a str>,
    quantity: String,
    free_quantity: String,
    unit: &'a str,
    price: Option<String>,
    monthly: LineMoney,
}

#[derive(Debug, Serialize)]
struct NotPricedJson<'a> {
    stack: &'a str,
    region: &'a str,
    account: Option<&'a str>,
    resource: &'a str,
    #[serde(rename = "type")]
    resource_type: &'a str,
    line: usize,
    item: Option<&'a str>,
    reason: &'a str,
}

#[derive(Debug, Serialize)]
struct Unresolved<'a> {
    stack: &'a str,
    line: usize,
    reason: &'a str,
}

#[derive(Debug, Serialize)]
struct AllowanceJson<'a> {
    id: &'a str,
    used: String,
    free: String,
    unit: &'a str,
    headroom: String,
}

#[derive(Debug, Serialize)]
struct Dear<'a> {
    stack: &'a str,
    resource: &'a str,
    item: &'a str,
    monthly: Money,
    cheaper: &'a str,
}

#[derive(Debug, Serialize)]
struct CreditsJson {
    balance: String,
    used_up: Option<String>,
    plan_ends: String,
    money_runs_out: String,
}

#[derive(Debug, Serialize)]
struct DifferenceDocument<'a> {
    format: u32,
    title: &'a str,
    currency: &'a str,
    before: Side<'a>,
    after: Side<'a>,
    monthly: Money,
    lines: Vec<ChangeJson<'a>>,
}

#[derive(Debug, Serialize)]
struct Side<'a> {
    name: &'a str,
    monthly: Money,
    complete: bool,
}

#[derive(Debug, Serialize)]
struct ChangeJson<'a> {
    change: &'static str,
    stack: &'a str,
    region: &'a str,
    account: Option<&'a str>,
    resource: &'a str,
    #[serde(rename = "type")]
    resource_type: &'a str,
    item: &'a str,
    before: LineMoney,
    after: LineMoney,
    monthly: LineMoney,
}

impl From<Known> for LineMoney {
    fn from(known: Known) -> Self {
        Self {
            list: known.list.map(exact),
            after_free_tier: known.after_free.map(exact),
        }
    }
}

impl Report<'_> {
    /// The report as JSON.
    pub fn json(&self) -> String {
        let estimate = self.estimate;
        let total = estimate.total();
        let groups = |groups: Vec<(String, Amount)>| {
            (groups.into_iter())
                .map(|(name, amount)| Group {
                    name,
                    monthly: amount.into(),
                })
                .collect()
        };
        let document = Document {
            format: FORMAT,
            title: self.title,
            currency: &estimate.currency,
            region: estimate.regions.first().map_or("", String::as_str),
            regions: &estimate.regions,
            profile: &estimate.profile,
            account_plan: estimate.account.name(),
            price_book: &estimate.book_version,
            complete: estimate.is_whole(),
            hourly: total.hourly().into(),
            monthly: total.into(),
            yearly: total.yearly().into(),
            stacks: groups(estimate.by_stack()),
            services: groups(estimate.by_service()),
            lines: estimate.lines.iter().map(line).collect(),
            not_priced: (estimate.not_priced.iter())
                .map(|missing| NotPricedJson {
                    stack: &missing.stack,
                    region: &missing.region,
                    account: missing.account.as_deref(),
                    resource: &missing.resource,
                    resource_type: &missing.resource_type,
                    line: missing.line,
                    item: missing.item.as_deref(),
                    reason: &missing.why,
                })
                .collect(),
            unresolved: (estimate.gaps.iter())
                .map(|(stack, gap)| Unresolved {
                    stack,
                    line: gap.line,
                    reason: &gap.what,
                })
                .collect(),
            free_tier: estimate.used.iter().map(allowance).collect(),
            first_to_leave: estimate.first_to_leave().map(allowance),
            dearest: (estimate.dearest(3).into_iter())
                .map(|line| Dear {
                    stack: &line.stack,
                    resource: &line.resource,
                    item: &line.item,
                    monthly: line.amount().into(),
                    cheaper: line.cheaper(),
                })
                .collect(),
            credits: estimate.runway.as_ref().map(|runway| CreditsJson {
                balance: exact(runway.balance),
                used_up: runway.used_up.map(|date| date.to_string()),
                plan_ends: runway.plan_ends.to_string(),
                money_runs_out: runway.money_runs_out().to_string(),
            }),
        };
        written(&document)
    }
}

fn allowance(used: &Used) -> AllowanceJson<'_> {
    AllowanceJson {
        id: &used.id,
        used: exact(used.used),
        free: exact(used.amount),
        unit: &used.unit,
        headroom: exact(used.headroom()),
    }
}

fn line(line: &Line) -> LineJson<'_> {
    LineJson {
        stack: &line.stack,
        region: &line.region,
        account: line.account.as_deref(),
        resource: &line.resource,
        resource_type: &line.resource_type,
        line: line.line,
        service: &line.service,
        item: &line.item,
        usage_type: line.usage_type.as_deref(),
        quantity: exact(line.quantity),
        free_quantity: exact(line.free),
        unit: &line.unit,
        price: line.price.map(price),
        monthly: LineMoney {
            list: line.list.map(exact),
            after_free_tier: line.after_free.map(exact),
        },
    }
}

impl Difference {
    /// The difference as JSON.
    pub fn json(&self, title: &str) -> String {
        written(&DifferenceDocument {
            format: FORMAT,
            title,
            currency: &self.after.currency,
            before: side(&self.before_name, &self.before),
            after: side(&self.after_name, &self.after),
            monthly: self.monthly().into(),
            lines: (self.lines.iter())
                .map(|change| ChangeJson {
                    change: change.kind.as_str(),
                    stack: &change.line.stack,
                    region: &change.line.region,
                    account: change.line.account.as_deref(),
                    resource: &change.line.resource,
                    resource_type: &change.line.resource_type,
                    item: &change.line.item,
                    before: change.before.into(),
                    after: change.after.into(),
                    monthly: change.monthly().into(),
                })
                .collect(),
        })
    }
}

fn side<'a>(name: &'a str, estimate: &Estimate) -> Side<'a> {
    Side {
        name,
        monthly: estimate.total().into(),
        complete: estimate.is_whole(),
    }
}

fn written(document: &impl Serialize) -> String {
    // Our own types: string keys, no failing serializers.
    serde_json::to_string_pretty(document).unwrap_or_default()
}
