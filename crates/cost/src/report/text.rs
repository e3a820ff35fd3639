//! The report for a terminal: tables with bars.

use std::fmt::Write as _;

use comfy_table::{CellAlignment, Table, presets};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;

use super::number::{money, percent, plural, price, quantity};
use super::{Group, Report, Row, credits, first_to_leave, left};
use crate::estimate::Amount;

/// Letters that the longest bar takes, on a terminal that is wide enough and on one that is not.
const BAR: u32 = 20;
const SHORT_BAR: u32 = 8;

/// The width from which on bars are long.
const WIDE: usize = 100;

/// A bar whose length is `part` of `whole`, of so many letters at most, in eighths of one.
fn bar(part: Decimal, whole: Decimal, letters: u32) -> String {
    if whole.is_zero() || part <= Decimal::ZERO {
        return String::new();
    }
    let eighths = (part / whole).min(Decimal::ONE) * Decimal::from(letters * 8);
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

/// A table for a narrow terminal. A row of one cell is a heading, which goes over the columns beside it; the first column
/// takes what the others leave, and the end of what is longer is left out.
pub(super) fn narrow(head: [&str; 4], rows: &[Vec<String>], width: usize) -> String {
    let widths = [1, 2, 3].map(|column| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        let widest = cells.map(|cell| cell.chars().count()).max();
        widest.unwrap_or_default().max(head[column].len())
    });
    let first = width
        .saturating_sub(widths.iter().sum::<usize>() + 3 * 2 + 1)
        .clamp(12, 40);
    let head = head.map(str::to_owned).to_vec();
    let mut out = String::new();
    for row in std::iter::once(&head).chain(rows) {
        match row.as_slice() {
            [] => {}
            // Writing to a string cannot fail.
            [heading] => {
                let _ = writeln!(out, " {heading}");
            }
            [title, cells @ ..] => {
                let _ = write!(out, " {}", cut(title, first));
                for (cell, width) in cells.iter().zip(widths) {
                    let _ = write!(out, "  {cell:>width$}");
                }
                out.push('\n');
            }
        }
    }
    out
}

/// Whether a table fits a terminal; one without a width takes any.
pub(super) fn fits(table: &str, width: Option<usize>) -> bool {
    width.is_none_or(|width| table.lines().all(|line| line.chars().count() <= width))
}

impl Report<'_> {
    /// The report for a terminal of so many letters; where no width is given, tables are as wide as they are.
    pub fn text(&self, width: Option<usize>) -> String {
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
        let bar = match width {
            Some(width) if width < WIDE => SHORT_BAR,
            _ => BAR,
        };
        for (what, groups) in self.groups() {
            out += &self.amounts(what, &groups, bar);
            out += "\n";
        }
        let lines = self.wide_lines();
        out += &match width {
            Some(width) if !fits(&lines, Some(width)) => self.narrow_lines(width),
            _ => lines,
        };
        out += &self.unused_line();
        out += "\n";
        out += &self.allowances(bar);
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

    fn amounts(&self, what: &str, groups: &[Group], letters: u32) -> String {
        let most = groups
            .iter()
            .map(|group| group.amount.list)
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
            .map(|group| {
                let bar = bar(group.amount.list, most, letters) + group.doubt;
                row(&group.name, group.amount, bar.trim_start().to_owned())
            })
            .collect();
        if what == "stack" {
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

    fn wide_lines(&self) -> String {
        let rows = self.rows().into_iter().map(|row| {
            let line = row.line;
            vec![
                named(&row),
                line.title.clone(),
                quantity(row.quantity),
                plural(&line.unit, row.quantity),
                line.price.map_or_else(|| "?".to_owned(), price),
                list_amount(&row),
                paid_amount(&row),
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
        table(&header, &[2, 4, 5, 6], rows.collect())
    }

    /// The same for a narrow terminal: a resource's lines below its name, and prices left out.
    fn narrow_lines(&self, width: usize) -> String {
        let mut rows: Vec<Vec<String>> = Vec::new();
        let mut last = String::new();
        for row in self.rows() {
            let name = named(&row);
            if name != last {
                rows.push(vec![name.clone()]);
                last = name;
            }
            let (used, unit) = (quantity(row.quantity), plural(&row.line.unit, row.quantity));
            rows.push(vec![
                format!("  {}", row.line.title),
                format!("{used} {unit}"),
                list_amount(&row),
                paid_amount(&row),
            ]);
        }
        narrow(["resource", "quantity", "list", "to pay"], &rows, width)
    }

    fn unused_line(&self) -> String {
        format!(
            "{} resources; {} are billed for nothing of their own, {} lines are not used in this profile\n",
            self.estimate.resources,
            self.estimate.without_charge,
            self.unused()
        )
    }

    fn allowances(&self, letters: u32) -> String {
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
                bar(used.share(), Decimal::ONE, letters),
            ]
        });
        let header = ["free tier", "used", "of", "", "share", ""];
        table(&header, &[1, 2, 4], rows.collect()) + "\n"
    }
}

/// A resource, with the number of accounts that have it.
fn named(row: &Row<'_>) -> String {
    let (stack, resource) = (&row.line.stack, &row.line.resource);
    match row.copies {
        1 => format!("{stack}.{resource}"),
        copies => format!("{stack}.{resource} ({copies} accounts)"),
    }
}

fn list_amount(row: &Row<'_>) -> String {
    if row.known {
        money(row.amount.list)
    } else {
        "?".to_owned()
    }
}

fn paid_amount(row: &Row<'_>) -> String {
    let known = row.line.after_free;
    known.map_or_else(|| "?".to_owned(), |_| money(row.amount.after_free))
}

/// A text of just so many letters; the end of a long one is left out.
fn cut(text: &str, width: usize) -> String {
    let shown: String = if text.chars().count() > width {
        text.chars().take(width - 1).chain(['…']).collect()
    } else {
        text.to_owned()
    };
    format!("{shown:<width$}")
}
