//! What a plan adds to a month's cost, stack by stack.

#[cfg(test)]
use rust_decimal::Decimal;
use serde::Serialize;
use stackway_cost::diff::Difference;
use stackway_cost::estimate::Amount;
use stackway_cost::report::{exact, money, signed};
use stackway_infra::stack_def::StackGraph;

use super::{Selection, Usage, book};
use crate::failure::Failure;

/// What a plan adds to a month, and what it was estimated with. docs/plan.md describes it as JSON.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct PlanCost {
    pub(crate) currency: String,
    pub(crate) profile: String,
    pub(crate) account_plan: String,
    pub(crate) price_book: String,
    #[serde(flatten)]
    pub(crate) month: MonthlyChange,
    #[serde(skip)]
    stacks: Vec<(String, StackCost)>,
}

/// What a plan adds to a stack's month.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct StackCost {
    #[serde(flatten)]
    pub(crate) month: MonthlyChange,
    /// What comes and has no price, with the reason: it is in no amount.
    pub(crate) not_priced: Vec<String>,
}

/// Amounts of a month.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct MonthlyChange {
    /// What stands.
    #[serde(serialize_with = "as_amount")]
    pub(crate) before: Amount,
    /// What the plan leads to.
    #[serde(serialize_with = "as_amount")]
    pub(crate) after: Amount,
    /// What it adds.
    #[serde(serialize_with = "as_amount")]
    pub(crate) monthly: Amount,
}

/// As the cost report writes amounts: decimal strings.
fn as_amount<S: serde::Serializer>(amount: &Amount, serializer: S) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct Exact {
        list: String,
        after_free_tier: String,
    }
    Exact {
        list: exact(amount.list),
        after_free_tier: exact(amount.after_free),
    }
    .serialize(serializer)
}

impl MonthlyChange {
    fn new(before: Amount, after: Amount) -> Self {
        Self {
            before,
            after,
            monthly: after - before,
        }
    }

    /// Whether a month costs what it did, by the price list too.
    pub(crate) fn is_none(&self) -> bool {
        self.monthly == Amount::default()
    }

    /// What it adds after the free tier, with a sign.
    pub(crate) fn signed(&self) -> String {
        signed(self.monthly.after_free)
    }

    /// In a phrase: `+1.00 USD a month, 0.00 before and 1.00 after the free tier (+1.20 by the list)`.
    pub(crate) fn phrase(&self, currency: &str) -> String {
        let after = money(self.after.after_free);
        if self.is_none() {
            return format!("no difference, {after} {currency} a month after the free tier");
        }
        let list = if self.monthly.list == self.monthly.after_free {
            String::new()
        } else {
            format!(" ({} by the list)", signed(self.monthly.list))
        };
        format!(
            "{} {currency} a month after the free tier, from {} to {after}{list}",
            self.signed(),
            money(self.before.after_free),
        )
    }
}

impl PlanCost {
    /// What it adds that those of the `changed` stacks become what `planned` has.
    ///
    /// The free tier is shared by all stacks of the environment, so that one which stays can cost more by what another one
    /// uses. The sum of the stacks is the whole.
    pub(crate) fn of(
        before: &Selection,
        planned: &Selection,
        changed: &[&str],
        usage: &Usage,
    ) -> Result<Self, Failure> {
        let graph = StackGraph::all().map_err(crate::commands::status::graph_failure)?;
        let after = before.changed_to(planned, changed, &graph);
        let book = book()?;
        let basis = usage.basis(&book)?;
        let difference = Difference::new(
            (String::new(), before.estimate(basis)?),
            (String::new(), after.estimate(basis)?),
        );
        let of = |amounts: &[(String, Amount)], name: &str| {
            let found = amounts.iter().find(|(stack, _)| stack == name);
            found.map(|(_, amount)| *amount).unwrap_or_default()
        };
        let (was, is) = (difference.before.by_stack(), difference.after.by_stack());
        let stacks = graph.deploy_order().iter().map(|def| {
            let missing = (difference.newly_unpriced())
                .filter(|missing| missing.stack == def.name && !missing.covered)
                .map(|missing| format!("{}: {}", missing.resource, missing.why));
            let mut not_priced: Vec<_> = missing.collect();
            not_priced.dedup();
            let month = MonthlyChange::new(of(&was, def.name), of(&is, def.name));
            (def.name.to_owned(), StackCost { month, not_priced })
        });
        Ok(Self {
            stacks: stacks.collect(),
            currency: difference.after.currency.clone(),
            profile: difference.after.profile.clone(),
            account_plan: difference.after.account.name().to_owned(),
            price_book: difference.after.book_version.clone(),
            month: MonthlyChange::new(difference.before.total(), difference.after.total()),
        })
    }

    /// What it adds to a stack's month.
    pub(crate) fn of_stack(&self, name: &str) -> Option<StackCost> {
        let found = self.stacks.iter().find(|(stack, _)| stack == name);
        found.map(|(_, cost)| cost.clone())
    }

    /// Whether anything that comes has no price.
    pub(crate) fn is_whole(&self) -> bool {
        (self.stacks.iter()).all(|(_, cost)| cost.not_priced.is_empty())
    }

    /// All of it in a sentence.
    pub(crate) fn sentence(&self) -> String {
        let doubt = if self.is_whole() {
            ""
        } else {
            "; what is not priced is not in it"
        };
        format!(
            "cost: {}{doubt}; usage `{}`, account {}, price book {}",
            self.month.phrase(&self.currency),
            self.profile,
            self.account_plan,
            self.price_book
        )
    }

    /// Figures for the tests of what is made of them.
    #[cfg(test)]
    pub(crate) fn sample(stacks: &[(&str, [i64; 4], &[&str])]) -> Self {
        let amount = |list: i64, free: i64| Amount {
            list: Decimal::new(list, 2),
            after_free: Decimal::new(free, 2),
        };
        let stacks: Vec<_> = (stacks.iter())
            .map(|(name, [list, free, new_list, new_free], not_priced)| {
                let cost = StackCost {
                    month: MonthlyChange::new(amount(*list, *free), amount(*new_list, *new_free)),
                    not_priced: not_priced.iter().map(ToString::to_string).collect(),
                };
                ((*name).to_owned(), cost)
            })
            .collect();
        let sum = |of: fn(&MonthlyChange) -> Amount| -> Amount {
            stacks.iter().map(|(_, cost)| of(&cost.month)).sum()
        };
        Self {
            currency: "USD".to_owned(),
            profile: "learning".to_owned(),
            account_plan: "always-free".to_owned(),
            price_book: "2026-11".to_owned(),
            month: MonthlyChange::new(sum(|month| month.before), sum(|month| month.after)),
            stacks,
        }
    }
}
