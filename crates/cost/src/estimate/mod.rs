//! The estimate: quantities, what they cost by the price book, and what of it is free.
//!
//! Sums are decimal. A line's cost is what it adds to the lines before it, so that the lines of an item add up to what
//! all of them cost together, tiers included, to the last digit.

mod advice;
mod credit;
mod free_tier;
mod line;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use time::Date;

pub use credit::Runway;
pub use free_tier::Used;
pub use line::{Amount, Line, NotPriced};

use crate::book::{PriceBook, UnknownRegion, cost};
use crate::evaluate::{Evaluator, Gap, Given, Place};
use crate::service::{Billed, Subject, billed};
use crate::template::Template;
use crate::usage::{Account, Profile};

/// A template in one account and region.
#[derive(Clone, Debug)]
pub struct Deployment<'a> {
    /// The stack's short name: `table`.
    pub stack: String,
    /// Its template.
    pub template: &'a Template,
    /// Its parameters.
    pub given: BTreeMap<String, Given>,
    /// Where it would be.
    pub place: Place,
}

/// What estimates are made with.
#[derive(Clone, Copy, Debug)]
pub struct Basis<'a> {
    /// The prices.
    pub book: &'a PriceBook,
    /// The name of the usage profile.
    pub profile_name: &'a str,
    /// The usage.
    pub profile: &'a Profile,
    /// What the account has free.
    pub account: &'a Account,
    /// The day of the estimate, from which credits run.
    pub today: Date,
}

/// What some templates cost.
#[derive(Clone, Debug, PartialEq)]
pub struct Estimate {
    /// `USD`.
    pub currency: String,
    /// The price book's version.
    pub book_version: String,
    /// The usage profile.
    pub profile: String,
    /// What the account has free.
    pub account: Account,
    /// The regions, in the order of the deployments.
    pub regions: Vec<String>,
    /// What is billed, in the order of the deployments.
    pub lines: Vec<Line>,
    /// What is not priced, and why.
    pub not_priced: Vec<NotPriced>,
    /// What could not be resolved in a template, by stack.
    pub gaps: Vec<(String, Gap)>,
    /// How many resources there are.
    pub resources: usize,
    /// How many of them are billed for nothing of their own.
    pub without_charge: usize,
    /// The allowances that are used, the most used first.
    pub used: Vec<Used>,
    /// How long credits last, for an account that has them.
    pub runway: Option<Runway>,
}

/// The outputs of a template that others can be given, as far as they are known before a deployment.
pub fn outputs(deployment: &Deployment<'_>) -> BTreeMap<String, Given> {
    let mut evaluator = Evaluator::new(deployment.template, &deployment.given, &deployment.place);
    (evaluator.outputs().into_iter())
        .map(|(name, value)| {
            let why = || {
                let stack = &deployment.stack;
                format!("output `{name}` of `{stack}` is known after its deployment")
            };
            let given = match value.text() {
                Some(text) => Given::Text(text.to_owned()),
                None => Given::Later(value.form(), why()),
            };
            (name, given)
        })
        .collect()
}

/// Estimates what templates cost together.
///
/// The free tier and the tiers of prices are shared by all of them, as AWS shares them in an organisation.
///
/// # Errors
/// [`UnknownRegion`] where the price book does not have one of the regions.
pub fn estimate(
    deployments: &[Deployment<'_>],
    basis: Basis<'_>,
) -> Result<Estimate, UnknownRegion> {
    let mut estimate = Estimate {
        currency: basis.book.currency.clone(),
        book_version: basis.book.version.clone(),
        profile: basis.profile_name.to_owned(),
        account: basis.account.clone(),
        regions: Vec::new(),
        lines: Vec::new(),
        not_priced: Vec::new(),
        gaps: Vec::new(),
        resources: 0,
        without_charge: 0,
        used: Vec::new(),
        runway: None,
    };
    for deployment in deployments {
        basis.book.check_region(&deployment.place.region)?;
        if !estimate.regions.contains(&deployment.place.region) {
            estimate.regions.push(deployment.place.region.clone());
        }
        estimate.add(deployment, basis);
    }
    estimate.used = free_tier::apply(&mut estimate.lines, basis.book, basis.account);
    estimate.price(basis.book);
    estimate.name_unpriced();
    estimate.gaps.sort();
    estimate.gaps.dedup();
    if let Account::Credits(credits) = basis.account {
        let monthly = estimate.total().after_free;
        estimate.runway = Some(credit::runway(credits, monthly, basis.today));
    }
    Ok(estimate)
}

impl Estimate {
    fn add(&mut self, deployment: &Deployment<'_>, basis: Basis<'_>) {
        let mut evaluator =
            Evaluator::new(deployment.template, &deployment.given, &deployment.place);
        let resources = evaluator.resources();
        let mut gaps = evaluator.gaps();
        self.resources += resources.len();
        for resource in &resources {
            let mut subject = Subject {
                stack: &deployment.stack,
                resource,
                stack_resources: &resources,
                profile: basis.profile,
                gaps: &mut gaps,
            };
            match billed(&mut subject) {
                Billed::Nothing => self.without_charge += 1,
                Billed::NotPriced(why) => {
                    self.not_priced
                        .push(NotPriced::of(deployment, resource, None, why));
                }
                Billed::For(charges) => {
                    for charge in charges {
                        self.lines
                            .extend(Line::of(deployment, resource, &charge, basis.book));
                    }
                }
            }
        }
        self.gaps
            .extend(gaps.into_iter().map(|gap| (deployment.stack.clone(), gap)));
    }

    /// Gives each line its cost, before and after the free tier.
    fn price(&mut self, book: &PriceBook) {
        let mut before: BTreeMap<(String, String), (Decimal, Decimal)> = BTreeMap::new();
        for line in &mut self.lines {
            let key = (line.item.clone(), line.region.clone());
            let (all, paid) = before.entry(key).or_default();
            let paid_here = line.quantity - line.free;
            if let Some(price) = book.price(&line.item, &line.region) {
                let added = |so_far: Decimal, more: Decimal| {
                    cost(&price.tiers, so_far + more) - cost(&price.tiers, so_far)
                };
                line.list = Some(added(*all, line.quantity));
                line.after_free = Some(added(*paid, paid_here));
            } else if paid_here.is_zero() {
                // Whatever it costs, none of it is paid.
                line.after_free = Some(Decimal::ZERO);
            }
            *all += line.quantity;
            *paid += paid_here;
        }
    }

    /// Lists the lines whose price the book does not have. None of them is dropped.
    fn name_unpriced(&mut self) {
        for line in self.lines.iter().filter(|line| line.list.is_none()) {
            let within = if line.after_free.is_some() {
                "; none of it is paid, since the free tier covers it"
            } else {
                ""
            };
            self.not_priced.push(NotPriced {
                stack: line.stack.clone(),
                region: line.region.clone(),
                account: line.account.clone(),
                resource: line.resource.clone(),
                resource_type: line.resource_type.clone(),
                line: line.line,
                item: Some(line.item.clone()),
                why: format!(
                    "the price book has no price for {} {} in {}{within}",
                    line.service, line.title, line.region
                ),
                covered: line.after_free.is_some(),
            });
        }
    }

    /// What all of it costs in a month.
    pub fn total(&self) -> Amount {
        self.lines.iter().map(Line::amount).sum()
    }

    /// The monthly amounts by stack, in the order of the deployments.
    pub fn by_stack(&self) -> Vec<(String, Amount)> {
        self.grouped(|line| &line.stack)
    }

    /// The monthly amounts by service, the dearest first.
    pub fn by_service(&self) -> Vec<(String, Amount)> {
        let mut services = self.grouped(|line| &line.service);
        // A service of which nothing is used is not billed.
        services.retain(|(service, _)| {
            (self.lines.iter()).any(|line| line.service == *service && !line.quantity.is_zero())
        });
        services.sort_by_key(|(_, amount)| std::cmp::Reverse((amount.after_free, amount.list)));
        services
    }

    fn grouped(&self, key: impl Fn(&Line) -> &String) -> Vec<(String, Amount)> {
        let mut groups: Vec<(String, Amount)> = Vec::new();
        for line in &self.lines {
            let name = key(line);
            match groups.iter_mut().find(|(group, _)| group == name) {
                Some((_, amount)) => *amount = *amount + line.amount(),
                None => groups.push((name.clone(), line.amount())),
            }
        }
        groups
    }

    /// Whether every resource has a price or is billed for nothing, and every line is either priced or free.
    pub fn is_whole(&self) -> bool {
        self.not_priced.iter().all(|missing| missing.covered)
    }

    /// The dearest lines after the free tier, at most `most`.
    pub fn dearest(&self, most: usize) -> Vec<&Line> {
        let mut lines: Vec<&Line> = (self.lines.iter())
            .filter(|line| line.amount().after_free > Decimal::ZERO)
            .collect();
        lines.sort_by_key(|line| std::cmp::Reverse(line.amount().after_free));
        lines.truncate(most);
        lines
    }

    /// The allowance that this usage leaves first, of those that grow with traffic and are not left yet.
    pub fn first_to_leave(&self) -> Option<&Used> {
        self.used.iter().find(|used| used.grows && !used.is_left())
    }
}
