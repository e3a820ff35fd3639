//! The dashboard for a terminal, and for machines.

use comfy_table::{Table, presets};
use serde::Serialize;

use super::Board;
use super::figures::{Card, State};
use super::number::length;
use super::page::moment;
use crate::commands::status::rfc3339;

impl State {
    fn word(self) -> &'static str {
        match self {
            Self::Bad => "bad",
            Self::Was => "was-over",
            Self::Refused => "refused",
            Self::NoData => "no-data",
            Self::Good => "ok",
            Self::Plain => "no-threshold",
        }
    }
}

impl Board {
    /// A line a card.
    pub(crate) fn text(&self) -> String {
        let mut table = Table::new();
        table.load_style(presets::NOTHING);
        for card in &self.cards {
            table.add_row([card.title.clone(), card.said.clone(), card.line()]);
        }
        let rows: Vec<_> = table
            .lines()
            .map(|line| line.trim_end().to_owned())
            .collect();
        format!(
            "{} in {}, account {}, as of {}, the last {}; {}\n{}\n\n{}",
            self.environment,
            self.region,
            self.account,
            moment(self.now),
            length(self.since.whole_seconds()),
            self.source,
            self.verdict().1,
            rows.join("\n")
        )
    }

    /// The same figures with all their values.
    pub(crate) fn json(&self) -> Json<'_> {
        let (state, said) = self.verdict();
        Json {
            environment: &self.environment,
            region: &self.region,
            account: &self.account,
            source: &self.source,
            as_of: rfc3339(self.now),
            since_seconds: self.since.whole_seconds(),
            state: state.word(),
            said,
            cards: self.cards.iter().map(card).collect(),
            notes: &self.notes,
        }
    }
}

impl Card {
    /// Every figure in a line.
    fn line(&self) -> String {
        let known = self.figures.iter().filter(|figure| figure.value.is_some());
        let mut parts: Vec<String> = known
            .map(|figure| {
                let (value, unit) = figure.shown();
                let part = [figure.label.as_str(), &value, unit].join(" ");
                part.trim_end().to_owned()
            })
            .collect();
        parts.extend(self.whys());
        parts.extend(self.notes.iter().cloned());
        parts.join("; ")
    }

    /// Why figures have no value, or not all of it: each reason once. What the state says is not said again.
    pub(super) fn whys(&self) -> Vec<String> {
        let mut whys: Vec<(&str, Vec<&str>)> = Vec::new();
        for figure in &self.figures {
            if let Some(why) = &figure.why {
                match whys.iter_mut().find(|(other, _)| other == why) {
                    Some((_, labels)) => labels.push(&figure.label),
                    None => whys.push((why, vec![&figure.label])),
                }
            }
        }
        let told = whys.into_iter().filter_map(|(why, labels)| {
            if labels.len() < self.figures.len() {
                return Some(format!("{}: {why}", labels.join(", ")));
            }
            (why != self.said).then(|| why.to_owned())
        });
        told.collect()
    }
}

#[derive(Debug, Serialize)]
pub(crate) struct Json<'a> {
    environment: &'a str,
    region: &'a str,
    account: &'a str,
    source: &'a str,
    as_of: String,
    since_seconds: i64,
    state: &'static str,
    said: String,
    cards: Vec<CardJson<'a>>,
    notes: &'a [String],
}

#[derive(Debug, Serialize)]
struct CardJson<'a> {
    title: &'a str,
    state: &'static str,
    said: &'a str,
    from: String,
    period_seconds: u32,
    threshold: Option<f64>,
    figures: Vec<FigureJson<'a>>,
    notes: &'a [String],
}

#[derive(Debug, Serialize)]
struct FigureJson<'a> {
    label: &'a str,
    unit: &'a str,
    of: &'a str,
    value: Option<f64>,
    why: Option<&'a str>,
    points: Vec<(String, f64)>,
}

fn card(card: &Card) -> CardJson<'_> {
    let figures = card.figures.iter().map(|figure| FigureJson {
        label: &figure.label,
        unit: figure.unit,
        of: &figure.of,
        value: figure.value,
        why: figure.why.as_deref(),
        points: (figure.points.iter())
            .map(|point| (rfc3339(point.at), point.value))
            .collect(),
    });
    CardJson {
        title: &card.title,
        state: card.state.word(),
        said: &card.said,
        from: rfc3339(card.span.from),
        period_seconds: card.span.period,
        threshold: card.threshold,
        figures: figures.collect(),
        notes: &card.notes,
    }
}
