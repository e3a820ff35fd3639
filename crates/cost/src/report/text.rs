//! The report for a terminal: tables with bars.

use std::fmt::Write as _;

use comfy_table::{CellAlignment, Table, presets};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;

use super::number::{money, percent, plural, price, quantity};
use super::{Report, credits, first_to_leave, left};
use crate::estimate::Amount;

/// Letters that the longest bar takes.
const BAR: u32 = 20;

/// A bar whose length is `part` of `whole`, in eighths of a letter.
pub(super) fn bar(part: Decimal, whole: Decimal) -> String {
    if whole.is_zero() || part <= Decimal::ZERO {
        return String::new();
    }
    let eighths = (part / whole).min(Decimal::ONE) * Decimal::from(BAR * 8);
    // What is there is seen.
    let eighths = eighths.round().to_usize().unwrap_or_default().max(1);
    let last = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"][eighths % 8];
    "█".repeat(eighths / 8) + last
}

/// A table without lines; the columns named are numbers.
pub(super) fn table(header: &[&str], numbers: &[usize], rows: Vec<Vec<String>>) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(header);
    table.add_rows(rows);
    for column in numbers {
        if let Some(column) = table.column_mut(*column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let lines: Vec<_> = table
        .lines()
        .map(|line| line.trim_end().to_owned())
        .collect();
    lines.join("\n") + "\n"
}

impl Report<'_> {
    /// The report for a terminal.
    pub fn text(&self) -> String {
        let estimate = self.estimate;
        let mut out = String::new();
        // Writing to a string cannot fail.
        let _ = writeln!(
            out,
            "{} in {}: {} a month, usage `{}`, account {}\n",
            self.title,
            self.regions(),
            estimate.currency,
            estimate.profile,
            estimate.account.name()
        );
        out += &self.amounts("stack", &estimate.by_stack(), true);
        out += "\n";
        out += &self.amounts("service", &estimate.by_service(), false);
        out += "\n";
        out += &self.lines();
        out += "\n";
        out += &self.allowances();
        let _ = writeln!(out, "{}", self.verdict());
        for said in left(estimate)
            .into_iter()
            .chain(first_to_leave(estimate))
            .chain(credits(estimate))
        {
            let _ = writeln!(out, "{said}");
        }
        for (what, said) in [
            ("dear", self.dear()),
            ("not priced", self.not_priced()),
            ("unresolved", self.unresolved()),
        ] {
            for said in said {
                let _ = writeln!(out, "{what}: {said}");
            }
        }
        out
    }

    fn amounts(&self, what: &str, groups: &[(String, Amount)], total: bool) -> String {
        let most = groups
            .iter()
            .map(|(_, amount)| amount.list)
            .max()
            .unwrap_or_default();
        let row = |name: &str, amount: Amount, bar: String| {
            vec![
                name.to_owned(),
                money(amount.list),
                money(amount.after_free),
                bar,
            ]
        };
        let mut rows: Vec<_> = (groups.iter())
            .map(|(name, amount)| row(name, *amount, bar(amount.list, most)))
            .collect();
        if total {
            let sum = self.estimate.total();
            let rates = format!(
                "{} an hour, {} a year",
                money(sum.hourly().after_free),
                money(sum.yearly().after_free)
            );
            rows.push(row("total", sum, rates));
        }
        table(&[what, "list", "after free tier", ""], &[1, 2], rows)
    }

    fn lines(&self) -> String {
        let rows = self.rows().into_iter().map(|row| {
            let line = row.line;
            let copies = if row.copies > 1 {
                format!(" ({} accounts)", row.copies)
            } else {
                String::new()
            };
            let known = |amount| {
                if row.known {
                    money(amount)
                } else {
                    "?".to_owned()
                }
            };
            vec![
                format!("{}.{}{copies}", line.stack, line.resource),
                line.title.clone(),
                quantity(row.quantity),
                plural(&line.unit, row.quantity),
                line.price.map_or_else(|| "?".to_owned(), price),
                known(row.amount.list),
                line.after_free
                    .map_or_else(|| "?".to_owned(), |_| money(row.amount.after_free)),
            ]
        });
        let header = [
            "resource",
            "for",
            "quantity",
            "",
            "price",
            "list",
            "after free tier",
        ];
        let mut out = table(&header, &[2, 4, 5, 6], rows.collect());
        let unused = self.unused();
        let free = self.estimate.without_charge;
        let _ = writeln!(
            out,
            "{} resources; {free} are billed for nothing of their own, {unused} lines are not used in this profile",
            self.estimate.resources
        );
        out
    }

    fn allowances(&self) -> String {
        if self.estimate.used.is_empty() {
            return String::new();
        }
        let rows = self.estimate.used.iter().map(|used| {
            vec![
                used.title.clone(),
                quantity(used.used),
                quantity(used.amount),
                plural(&used.unit, used.amount),
                percent(used.share()),
                bar(used.share(), Decimal::ONE),
            ]
        });
        let header = ["free tier", "used", "of", "", "share", ""];
        table(&header, &[1, 2, 4], rows.collect()) + "\n"
    }
}
