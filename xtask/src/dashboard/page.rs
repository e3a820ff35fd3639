//! The dashboard as an HTML page: one file that needs nothing else, and no script.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use time::OffsetDateTime;
use time::macros::format_description;

use super::Board;
use super::answer::Span;
use super::chart;
use super::figures::{Card, Figure, State};
use super::number::{length, number};
use crate::html::{document, escape};

pub(super) const STYLE: &str = include_str!("page.css");

impl State {
    /// The class, and the mark that says the same without colour.
    fn looks(self) -> (&'static str, &'static str) {
        match self {
            Self::Bad => ("bad", "✖"),
            Self::Was => ("was", "▲"),
            Self::Refused => ("refused", "⊘"),
            Self::NoData => ("nodata", "○"),
            Self::Good => ("good", "✔"),
            Self::Plain => ("plain", ""),
        }
    }
}

/// A time on a chart's axis: with its day where the chart has more than one.
pub(super) fn clock(at: OffsetDateTime, span: Span) -> String {
    let day = (span.until - span.from).whole_hours() >= 24;
    let form = if day {
        format_description!("[day] [month repr:short] [hour]:[minute]")
    } else {
        format_description!("[hour]:[minute]")
    };
    at.format(form).unwrap_or_default()
}

/// A moment to the minute, which is as close as figures are.
pub(super) fn moment(at: OffsetDateTime) -> String {
    at.format(format_description!(
        "[year]-[month]-[day] [hour]:[minute] UTC"
    ))
    .unwrap_or_default()
}

impl Board {
    /// The page.
    pub(crate) fn html(&self) -> String {
        let (state, verdict) = self.verdict();
        let (class, mark) = state.looks();
        let mut body = format!(
            "<header>\n<h1>{} <small>{}, account {}</small></h1>\n\
             <p class=\"lead\">as of <time datetime=\"{}\">{}</time>; the last {}; {}</p>\n\
             <p class=\"verdict {class}\">{mark} {}</p>\n</header>\n<main>\n",
            escape(&self.environment),
            escape(&self.region),
            escape(&self.account),
            crate::commands::status::rfc3339(self.now),
            moment(self.now),
            length(self.since.whole_seconds()),
            escape(&self.source),
            escape(&verdict),
        );
        for card in &self.cards {
            body += &article(card);
        }
        body += "</main>\n<footer>\n<p>Times are UTC. A figure that is not there is a dash, never zero.</p>\n";
        if !self.notes.is_empty() {
            body += "<ul>\n";
            for note in &self.notes {
                // Writing to a string cannot fail.
                let _ = writeln!(body, "<li>{}</li>", escape(note));
            }
            body += "</ul>\n";
        }
        body += "</footer>\n";
        let title = format!("{} in {}: dashboard", self.environment, self.region);
        document(&title, STYLE, &body)
    }
}

fn article(card: &Card) -> String {
    let (class, mark) = card.state.looks();
    let mut out = format!(
        "<article class=\"{class}\">\n<h2>{}</h2>\n<p class=\"state\">{mark} {}</p>\n",
        escape(&card.title),
        escape(&card.said)
    );
    if let (false, Some(first)) = (card.numbers && card.figures.len() > 1, card.figures.first()) {
        let (value, unit) = first.shown();
        let _ = writeln!(
            out,
            "<p class=\"value\">{value} <small>{unit}</small></p>\n<p class=\"of\">{} {}</p>",
            escape(&first.label),
            escape(&first.of)
        );
    }
    out += &chart::draw(card);
    out += &legend(card);
    for note in &card.notes {
        let _ = writeln!(out, "<p class=\"note\">{}</p>", escape(note));
    }
    out += &values(card);
    out + "</article>\n"
}

/// Every figure with its value, and why some have none.
fn legend(card: &Card) -> String {
    let mut out = "<dl>\n".to_owned();
    let mut drawn = 0;
    for figure in &card.figures {
        let key = if figure.is_drawn {
            drawn += 1;
            format!(
                "<svg class=\"key s{}\" viewBox=\"0 0 20 8\" aria-hidden=\"true\"><path d=\"M0 4H20\"/></svg>",
                (drawn - 1).min(3)
            )
        } else {
            "<span></span>".to_owned()
        };
        let (value, unit) = figure.shown();
        let _ = writeln!(
            out,
            "{key}<dt>{}</dt><dd title=\"{}\">{}</dd>",
            escape(&figure.label),
            escape(&figure.of),
            [value.as_str(), unit].join(" ").trim_end()
        );
    }
    out += "</dl>\n";
    for why in card.whys() {
        let _ = writeln!(out, "<p class=\"note\">{}</p>", escape(&why));
    }
    out
}

/// The values behind the chart, for those who want them exactly or cannot see it.
fn values(card: &Card) -> String {
    let drawn: Vec<&Figure> = card
        .figures
        .iter()
        .filter(|figure| figure.is_drawn)
        .collect();
    let mut rows: BTreeMap<OffsetDateTime, Vec<Option<f64>>> = BTreeMap::new();
    for (column, figure) in drawn.iter().enumerate() {
        for point in &figure.points {
            let row = rows
                .entry(point.at)
                .or_insert_with(|| vec![None; drawn.len()]);
            row[column] = Some(point.value);
        }
    }
    if rows.is_empty() {
        return String::new();
    }
    let mut out = format!(
        "<details><summary>values of {} each</summary>\n<div class=\"scroll\" tabindex=\"0\" role=\"region\" \
         aria-label=\"values of {}\"><table>\n<thead><tr><th scope=\"col\">from</th>",
        length(i64::from(card.span.period)),
        escape(&card.title)
    );
    for figure in &drawn {
        let _ = write!(out, "<th scope=\"col\">{}</th>", escape(&figure.label));
    }
    out += "</tr></thead>\n<tbody>\n";
    for (at, row) in rows.iter().rev() {
        let _ = write!(out, "<tr><th scope=\"row\">{}</th>", clock(*at, card.span));
        for value in row {
            let shown = value.map_or_else(|| "–".to_owned(), number);
            let _ = write!(out, "<td>{shown}</td>");
        }
        out += "</tr>\n";
    }
    out + "</tbody>\n</table></div></details>\n"
}
