//! One page of HTML: no scripts, no other files, dark and light.

use std::fmt::Write as _;

use super::number::{money, percent, plural, price, quantity};
use super::{Report, chart, credits, first_to_leave, left};

const STYLE: &str = "
:root { color-scheme: light dark; --ink: #1c2126; --dim: #5c6670; --paper: #fbfbf9; --edge: #d9dcd8; --list: #b9c4cf;
  --paid: #2f6f9f; --left: #b5472f; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6e8ea; --dim: #9aa4ad; --paper: #15181b; --edge: #33393f; --list: #4a5662; --paid: #6fb1df;
    --left: #e5795f; } }
body { background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; max-width: 64rem;
  margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; margin-bottom: 0; } h2 { font-size: 1.15rem; margin-top: 2.2rem; }
p.lead { color: var(--dim); margin-top: .2rem; }
dl.sums { display: flex; flex-wrap: wrap; gap: 1rem 2.5rem; } dl.sums dt { color: var(--dim); font-size: .85rem; }
dl.sums dd { margin: 0; font-size: 1.7rem; font-variant-numeric: tabular-nums; }
svg { width: 100%; min-width: 34rem; max-width: 48rem; height: auto; display: block; }
svg text { fill: var(--ink); font: 13px system-ui, sans-serif; } svg .figure { text-anchor: end; }
svg .list { fill: var(--list); } svg .paid { fill: var(--paid); } svg .left { fill: var(--left); }
svg .frame { fill: none; stroke: var(--edge); }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; }
.lines td:first-child { overflow-wrap: anywhere; min-width: 9rem; }
th, td { text-align: left; padding: .3rem .8rem .3rem 0; border-bottom: 1px solid var(--edge); vertical-align: top; }
th { color: var(--dim); font-weight: 600; } .n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
li { margin: .25rem 0; } footer { color: var(--dim); font-size: .85rem; margin-top: 2.5rem; }
";

impl Report<'_> {
    /// The report as one page of HTML.
    pub fn html(&self) -> String {
        let estimate = self.estimate;
        let total = estimate.total();
        let mut out = String::new();
        let title = format!("Cost of {} in {}", self.title, self.regions());
        let _ = write!(
            out,
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{0}</title>\n\
             <style>{STYLE}</style>\n</head>\n<body>\n<h1>{0}</h1>\n\
             <p class=\"lead\">{1} a month; usage {2}, account {3}</p>\n",
            escaped(&title),
            escaped(&estimate.currency),
            escaped(&estimate.profile),
            estimate.account.name(),
        );
        out += "<dl class=\"sums\">\n";
        for (name, amount) in [
            ("a month, after the free tier", total.after_free),
            ("a month, by the price list", total.list),
            ("an hour, after the free tier", total.hourly().after_free),
            ("a year, after the free tier", total.yearly().after_free),
        ] {
            let _ = writeln!(
                out,
                "<div><dt>{name}</dt><dd>{}</dd></div>",
                escaped(&money(amount))
            );
        }
        out += "</dl>\n<ul>\n";
        let said = [self.verdict()].into_iter().chain(left(estimate));
        for said in said
            .chain(first_to_leave(estimate))
            .chain(credits(estimate))
        {
            let _ = writeln!(out, "<li>{}</li>", escaped(&said));
        }
        out += "</ul>\n";
        for (what, groups) in self.groups() {
            let _ = writeln!(out, "<h2>By {what}: price list → after the free tier</h2>");
            out += &chart::amounts(&format!("amounts by {what}"), &groups);
        }
        if !estimate.used.is_empty() {
            out += "<h2>Free tier used</h2>\n";
            out += &chart::allowances("shares of the free tier", &estimate.used);
        }
        out += &list(
            "The dearest, and what would make them cheaper",
            &self.dear(),
        );
        out += &self.line_table();
        out += &self.allowance_table();
        out += &list("Not priced", &self.not_priced());
        out += &list("Unresolved", &self.unresolved());
        let _ = write!(
            out,
            "<footer>Prices of {}; a month has 730 hours. Taxes and support are not in it.</footer>\n</body>\n</html>\n",
            escaped(&estimate.book_version)
        );
        out
    }

    fn line_table(&self) -> String {
        let mut out = "<h2>Every line</h2>\n<div class=\"scroll\"><table class=\"lines\">\n<thead><tr><th>resource</th><th>for</th>\
             <th class=\"n\">quantity</th><th class=\"n\">price</th><th class=\"n\">list</th>\
             <th class=\"n\">after free tier</th></tr></thead>\n<tbody>\n"
            .to_owned();
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
                "<tr><td>{}.{}</td><td>{}</td><td class=\"n\">{} {}</td><td class=\"n\">{}</td><td class=\"n\">{}</td>\
                 <td class=\"n\">{}</td></tr>",
                escaped(&line.stack),
                escaped(&line.resource),
                escaped(&line.title),
                escaped(&quantity(row.quantity)),
                escaped(&plural(&line.unit, row.quantity)),
                line.price.map_or_else(|| "?".to_owned(), price),
                escaped(&known(row.amount.list)),
                escaped(
                    &line
                        .after_free
                        .map_or_else(|| "?".to_owned(), |_| money(row.amount.after_free))
                ),
            );
        }
        let _ = write!(
            out,
            "</tbody>\n</table></div>\n<p class=\"lead\">{} resources; {} are billed for nothing of their own, {} lines are \
             not used in this profile</p>\n",
            self.estimate.resources,
            self.estimate.without_charge,
            self.unused()
        );
        out
    }

    fn allowance_table(&self) -> String {
        if self.estimate.used.is_empty() {
            return String::new();
        }
        let mut out = "<h2>Allowances</h2>\n<div class=\"scroll\"><table>\n<thead><tr><th>free each month</th>\
             <th class=\"n\">used</th><th class=\"n\">of</th><th class=\"n\">share</th></tr></thead>\n<tbody>\n"
            .to_owned();
        for used in &self.estimate.used {
            let _ = writeln!(
                out,
                "<tr><td>{}</td><td class=\"n\">{}</td><td class=\"n\">{} {}</td><td class=\"n\">{}</td></tr>",
                escaped(&used.title),
                escaped(&quantity(used.used)),
                escaped(&quantity(used.amount)),
                escaped(&plural(&used.unit, used.amount)),
                escaped(&percent(used.share())),
            );
        }
        out + "</tbody>\n</table></div>\n"
    }
}

/// A section with a list; nothing where the list is empty.
fn list(title: &str, items: &[String]) -> String {
    if items.is_empty() {
        return String::new();
    }
    let mut out = format!("<h2>{title}</h2>\n<ul>\n");
    for item in items {
        let _ = writeln!(out, "<li>{}</li>", escaped(item));
    }
    out + "</ul>\n"
}

/// Text as text, inside an element and inside quotes.
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            _ => out.push(letter),
        }
    }
    out
}
