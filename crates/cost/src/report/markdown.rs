//! Markdown, for a pull request.

use std::fmt::Write as _;

use super::number::{money, percent, plural, price, quantity};
use super::{Group, Report, credits, first_to_leave, left};

impl Report<'_> {
    /// The report as Markdown.
    pub fn markdown(&self) -> String {
        let estimate = self.estimate;
        let total = estimate.total();
        let mut out = String::new();
        let _ = writeln!(
            out,
            "## Cost of {} in {}\n\n**{} {} a month** after the free tier, {} by the price list. Usage `{}`, account {}, price \
             book {}.\n",
            escaped(self.title),
            self.regions(),
            money(total.after_free),
            estimate.currency,
            money(total.list),
            escaped(&estimate.profile),
            estimate.account.name(),
            estimate.book_version,
        );
        for (what, groups) in self.groups() {
            out += &groups_table(what, &groups);
        }
        out += "<details><summary>Every line</summary>\n\n";
        out += "| resource | for | quantity | price | list | after free tier |\n| --- | --- | ---: | ---: | ---: | ---: |\n";
        for row in self.rows() {
            let line = row.line;
            let known = |amount| {
                if row.known {
                    money(amount)
                } else {
                    "?".to_owned()
                }
            };
            let _ = writeln!(
                out,
                "| {}.{} | {} | {} {} | {} | {} | {} |",
                escaped(&line.stack),
                escaped(&line.resource),
                line.title,
                quantity(row.quantity),
                plural(&line.unit, row.quantity),
                line.price.map_or_else(|| "?".to_owned(), price),
                known(row.amount.list),
                line.after_free
                    .map_or_else(|| "?".to_owned(), |_| money(row.amount.after_free)),
            );
        }
        out += "\n</details>\n\n";
        if !estimate.used.is_empty() {
            out += "| free tier | used | of | share |\n| --- | ---: | ---: | ---: |\n";
            for used in &estimate.used {
                let _ = writeln!(
                    out,
                    "| {} | {} | {} {} | {} |",
                    used.title,
                    quantity(used.used),
                    quantity(used.amount),
                    plural(&used.unit, used.amount),
                    percent(used.share())
                );
            }
            out += "\n";
        }
        let _ = writeln!(out, "- {}", self.verdict());
        for said in left(estimate)
            .into_iter()
            .chain(first_to_leave(estimate))
            .chain(credits(estimate))
        {
            let _ = writeln!(out, "- {said}");
        }
        for (what, said) in [
            ("dear", self.dear()),
            ("not priced", self.not_priced()),
            ("unresolved", self.unresolved()),
        ] {
            for said in said {
                let _ = writeln!(out, "- {what}: {}", escaped(&said));
            }
        }
        out
    }
}

fn groups_table(what: &str, groups: &[Group]) -> String {
    let mut out = format!("| {what} | list | after free tier |\n| --- | ---: | ---: |\n");
    for group in groups {
        let _ = writeln!(
            out,
            "| {} | {}{doubt} | {}{doubt} |",
            escaped(&group.name),
            money(group.amount.list),
            money(group.amount.after_free),
            doubt = group.doubt
        );
    }
    out + "\n"
}

/// Text from a template, as text: it cannot end a cell, start a tag or a link, or name a person.
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '\n' | '\r' => out.push(' '),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '@' => out.push_str("&#64;"),
            '|' | '*' | '_' | '[' | ']' | '\\' | '#' | '~' => {
                out.push('\\');
                out.push(letter);
            }
            _ => out.push(letter),
        }
    }
    out
}
