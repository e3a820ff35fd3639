//! A difference, for a terminal and for a pull request.

use std::collections::HashSet;
use std::fmt::Write as _;

use super::markdown::escaped;
use super::number::{money, or_unknown, signed};
use super::text::{fits, narrow, table};
use crate::diff::Difference;

impl Difference {
    /// The difference for a terminal of so many letters; where no width is given, the table is as wide as it is.
    pub fn text(&self, title: &str, width: Option<usize>) -> String {
        let mut out = format!("{}\n\n", self.headline(title));
        if self.lines.is_empty() {
            return out.trim_end().to_owned() + "\n";
        }
        let rows = self.lines.iter().map(|change| {
            let line = &change.line;
            vec![
                change.kind.as_str().to_owned(),
                format!("{}.{}", line.stack, line.resource),
                line.title.clone(),
                or_unknown(change.before.after_free, money),
                or_unknown(change.after.after_free, money),
                or_unknown(change.monthly().after_free, signed),
                or_unknown(change.monthly().list, signed),
            ]
        });
        let header = [
            "",
            "resource",
            "for",
            "before",
            "after",
            "difference",
            "by the list",
        ];
        let table = table(&header, &[3, 4, 5, 6], rows.collect());
        out += &match width {
            Some(width) if !fits(&table, Some(width)) => self.narrow_lines(width),
            _ => table,
        };
        out += &self.doubts("");
        out
    }

    /// The lines for a narrow terminal: those of a resource below its name, and list prices left out.
    fn narrow_lines(&self, width: usize) -> String {
        let mut rows: Vec<Vec<String>> = Vec::new();
        let mut last = String::new();
        for change in &self.lines {
            let line = &change.line;
            let name = format!("{}.{}", line.stack, line.resource);
            if name != last {
                rows.push(vec![name.clone()]);
                last = name;
            }
            rows.push(vec![
                format!("  {} {}", change.kind.as_str(), line.title),
                or_unknown(change.before.after_free, money),
                or_unknown(change.after.after_free, money),
                or_unknown(change.monthly().after_free, signed),
            ]);
        }
        narrow(["", "before", "after", "difference"], &rows, width)
    }

    /// The difference as Markdown.
    pub fn markdown(&self, title: &str) -> String {
        let mut out = format!("## {}\n\n", self.headline(&escaped(title)));
        if !self.lines.is_empty() {
            out += "| | resource | for | before | after | difference | by the list |\n";
            out += "| --- | --- | --- | ---: | ---: | ---: | ---: |\n";
        }
        for change in &self.lines {
            let line = &change.line;
            let _ = writeln!(
                out,
                "| {} | {}.{} | {} | {} | {} | {} | {} |",
                change.kind.as_str(),
                escaped(&line.stack),
                escaped(&line.resource),
                line.title,
                or_unknown(change.before.after_free, money),
                or_unknown(change.after.after_free, money),
                or_unknown(change.monthly().after_free, signed),
                or_unknown(change.monthly().list, signed),
            );
        }
        if !self.lines.is_empty() {
            out += "\n";
        }
        let _ = writeln!(
            out,
            "{} a month after the free tier. Usage `{}`, account {}, price book {}.",
            self.after.currency,
            escaped(&self.after.profile),
            self.after.account.name(),
            self.after.book_version
        );
        let doubts = self.doubts("- ");
        if !doubts.is_empty() {
            out += "\n";
            out += &doubts;
        }
        out
    }

    /// One sentence: what the change costs.
    pub fn headline(&self, title: &str) -> String {
        let (before, after) = (
            self.before.total().after_free,
            self.after.total().after_free,
        );
        let currency = &self.after.currency;
        if self.lines.is_empty() {
            return format!(
                "{title}: no difference in cost from {} to {}, {} {currency} a month",
                self.before_name,
                self.after_name,
                money(after)
            );
        }
        format!(
            "{title}: {} {currency} a month from {} to {}, {} before and {} after",
            signed(after - before),
            self.before_name,
            self.after_name,
            money(before),
            money(after),
        )
    }

    /// What the work tree has that is not priced, each with `mark` before it.
    fn doubts(&self, mark: &str) -> String {
        let mut seen = HashSet::new();
        let mut lines = String::new();
        for missing in self.newly_unpriced() {
            let text = |text: &str| {
                if mark.is_empty() {
                    text.to_owned()
                } else {
                    escaped(text)
                }
            };
            let line = format!(
                "{mark}not priced: {}.{} (line {}): {}\n",
                text(&missing.stack),
                text(&missing.resource),
                missing.line,
                text(&missing.why)
            );
            // Several accounts lack the same.
            if seen.insert(line.clone()) {
                lines += &line;
            }
        }
        lines
    }
}
