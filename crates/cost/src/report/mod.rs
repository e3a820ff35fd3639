//! Estimates and differences, written down: a table for a terminal, JSON, CSV, Markdown, one HTML page.
//!
//! All forms are of the same figures. JSON has them in full, to six decimals; the forms for people round to cents.

mod chart;
mod csv;
mod difference;
mod html;
mod json;
mod markdown;
mod number;
#[cfg(test)]
mod tests;
mod text;

use std::collections::{HashMap, HashSet};

use crate::estimate::{Amount, Estimate, Line};

pub use number::{exact, money, quantity, signed};

/// An estimate with the name of what it is of.
#[derive(Clone, Copy, Debug)]
pub struct Report<'a> {
    /// What is priced: an environment's name, a file's.
    pub title: &'a str,
    /// The estimate.
    pub estimate: &'a Estimate,
}

/// What stands after an amount that is not all of it.
const DOUBT: &str = " + ?";

/// The amounts of a stack or a service.
struct Group {
    name: String,
    amount: Amount,
    /// [`DOUBT`], or nothing.
    doubt: &'static str,
}

/// A row of a table for people: lines of the same thing in several accounts are one.
struct Row<'a> {
    line: &'a Line,
    copies: usize,
    amount: Amount,
    quantity: rust_decimal::Decimal,
    known: bool,
}

impl<'a> Report<'a> {
    /// The lines that are not zero, those of several accounts together, the dearest first within a stack.
    fn rows(&self) -> Vec<Row<'a>> {
        let mut rows: Vec<Row<'a>> = Vec::new();
        let mut places = HashMap::new();
        for line in self
            .estimate
            .lines
            .iter()
            .filter(|line| !line.quantity.is_zero())
        {
            let name = (&line.stack, &line.region, &line.resource, &line.item);
            let place = *places.entry(name).or_insert(rows.len());
            match rows.get_mut(place) {
                Some(row) => {
                    row.copies += 1;
                    row.amount = row.amount + line.amount();
                    row.quantity += line.quantity;
                }
                None => rows.push(Row {
                    line,
                    copies: 1,
                    amount: line.amount(),
                    quantity: line.quantity,
                    known: line.list.is_some(),
                }),
            }
        }
        rows
    }

    /// The three dearest rows after the free tier, each with what would make it cheaper.
    fn dear(&self) -> Vec<String> {
        let mut rows = self.rows();
        rows.retain(|row| row.amount.after_free > rust_decimal::Decimal::ZERO);
        rows.sort_by_key(|row| std::cmp::Reverse(row.amount.after_free));
        (rows.iter().take(3))
            .map(|row| {
                format!(
                    "{}.{}, {}: {}; {}",
                    row.line.stack,
                    row.line.resource,
                    row.line.title,
                    money(row.amount.after_free),
                    row.line.cheaper()
                )
            })
            .collect()
    }

    /// What is not priced, each thing once, however many accounts have it.
    fn not_priced(&self) -> Vec<String> {
        let mut seen = HashSet::new();
        let texts = self.estimate.not_priced.iter().map(|missing| {
            format!(
                "{}.{} (line {}): {}",
                missing.stack, missing.resource, missing.line, missing.why
            )
        });
        texts.filter(|text| seen.insert(text.clone())).collect()
    }

    /// What could not be resolved.
    fn unresolved(&self) -> Vec<String> {
        let mut said: Vec<(&str, &str, Vec<String>)> = Vec::new();
        for (stack, gap) in &self.estimate.gaps {
            let line = gap.line.to_string();
            let same = |(other, what, _): &&mut (&str, &str, Vec<String>)| {
                *other == stack && *what == gap.what
            };
            match said.iter_mut().find(same) {
                Some((_, _, lines)) => lines.push(line),
                None => said.push((stack, &gap.what, vec![line])),
            }
        }
        (said.into_iter())
            .map(|(stack, what, lines)| {
                let word = if lines.len() == 1 { "line" } else { "lines" };
                format!("{stack}, {word} {}: {what}", lines.join(", "))
            })
            .collect()
    }

    /// The mark after the amounts of a stack of which something is not priced.
    fn doubt_of_stack(&self, stack: &str) -> &'static str {
        let mut missing = self.estimate.not_priced.iter();
        if missing.any(|missing| !missing.covered && missing.stack == stack) {
            DOUBT
        } else {
            ""
        }
    }

    /// The mark after the amounts of a service of which something is not priced.
    fn doubt_of_service(&self, service: &str) -> &'static str {
        let mut lines = self.estimate.lines.iter();
        if lines.any(|line| line.service == service && line.after_free.is_none()) {
            DOUBT
        } else {
            ""
        }
    }

    /// The monthly amounts by what is named, each with its mark.
    fn groups(&self) -> [(&'static str, Vec<Group>); 2] {
        let group = |doubt: &'static str, (name, amount): (String, Amount)| Group {
            name,
            amount,
            doubt,
        };
        let stacks = self.estimate.by_stack().into_iter();
        let services = self.estimate.by_service().into_iter();
        [
            (
                "stack",
                stacks
                    .map(|stack| group(self.doubt_of_stack(&stack.0), stack))
                    .collect(),
            ),
            (
                "service",
                services
                    .map(|service| group(self.doubt_of_service(&service.0), service))
                    .collect(),
            ),
        ]
    }

    /// What is unused in this profile: lines of quantity zero.
    fn unused(&self) -> usize {
        (self.estimate.lines.iter())
            .filter(|line| line.quantity.is_zero())
            .count()
    }

    /// The regions, as a list in words.
    fn regions(&self) -> String {
        self.estimate.regions.join(", ")
    }

    /// Whether the usage costs nothing: to the cent, with the exact amount where it is not quite so; `None` where
    /// something is not priced.
    fn verdict(&self) -> String {
        let amount = self.estimate.total().after_free;
        let whole = if self.estimate.is_whole() {
            "every resource is priced"
        } else {
            "without what is not priced, below"
        };
        if amount.is_zero() {
            format!("to pay: 0.00 a month; {whole}")
        } else if amount.round_dp(2).is_zero() {
            format!(
                "to pay: 0.00 a month, {} before it is rounded to cents; {whole}",
                exact(amount)
            )
        } else {
            format!("to pay: {} a month; {whole}", money(amount))
        }
    }
}

/// What is said of the credits plan.
fn credits(estimate: &Estimate) -> Option<String> {
    let runway = estimate.runway.as_ref()?;
    let ends = runway.money_runs_out();
    let why = match runway.used_up {
        Some(used_up) if used_up == ends => {
            format!("{} of credits are used up", money(runway.balance))
        }
        _ => "the free plan ends, six months after the account was opened".to_owned(),
    };
    Some(format!("credits pay for it until {ends}, when {why}"))
}

/// What is said of the allowance that is left first.
fn first_to_leave(estimate: &Estimate) -> Option<String> {
    let first = estimate.first_to_leave()?;
    Some(format!(
        "first to leave the free tier: {}, above {} {} a month ({} now), at {} × this usage",
        first.title,
        number::quantity(first.amount),
        number::plural(&first.unit, first.amount),
        number::quantity(first.used),
        number::factor(first.headroom()),
    ))
}

/// Allowances of which more is used than is free.
fn left(estimate: &Estimate) -> Vec<String> {
    (estimate.used.iter())
        .filter(|used| used.is_left())
        .map(|used| {
            format!(
                "beyond the free tier: {}, {} of {} {}",
                used.title,
                number::quantity(used.used),
                number::quantity(used.amount),
                number::plural(&used.unit, used.amount),
            )
        })
        .collect()
}
