//! How an environment is, at a glance: the figures of its CloudWatch dashboard, as a page, text or JSON.
//!
//! `definition` says what is shown, `ask` and `here` bring answers, `figures` makes cards of them, `held` by thresholds; the rest draws. Only `ask`
//! calls anything.

pub(crate) mod answer;
pub(crate) mod ask;
mod chart;
pub(crate) mod definition;
pub(crate) mod figures;
mod held;
pub(crate) mod here;
mod number;
mod page;
#[cfg(test)]
mod tests;
mod text;

use time::{Duration, OffsetDateTime};

use figures::{Card, State};

/// Everything that is shown.
#[derive(Clone, Debug)]
pub(crate) struct Board {
    pub(crate) environment: String,
    pub(crate) region: String,
    pub(crate) account: String,
    /// Where the figures are from.
    pub(crate) source: String,
    pub(crate) now: OffsetDateTime,
    pub(crate) since: Duration,
    pub(crate) cards: Vec<Card>,
    pub(crate) notes: Vec<String>,
}

impl Board {
    /// What to look at first.
    pub(crate) fn verdict(&self) -> (State, String) {
        let of = |states: &[State]| -> Vec<String> {
            let cards = self
                .cards
                .iter()
                .filter(|card| states.contains(&card.state));
            cards
                .map(|card| format!("{} ({})", card.title, card.said))
                .collect()
        };
        let titles = |state: State| -> Vec<&str> {
            let cards = self.cards.iter().filter(|card| card.state == state);
            cards.map(|card| card.title.as_str()).collect()
        };
        let bad = of(&[State::Bad]);
        let was = of(&[State::Was]);
        let (refused, good) = (titles(State::Refused), titles(State::Good));
        if !bad.is_empty() {
            (
                State::Bad,
                format!("look at: {}", [bad, was].concat().join("; ")),
            )
        } else if !was.is_empty() {
            (
                State::Was,
                format!("over by now, but look at: {}", was.join("; ")),
            )
        } else if !refused.is_empty() {
            (
                State::Refused,
                format!("not known, since it is refused: {}", refused.join("; ")),
            )
        } else if !good.is_empty() {
            let good = good.join("; ");
            (
                State::Good,
                format!("nothing is over its threshold: {good}"),
            )
        } else if self.cards.iter().any(|card| card.state == State::Plain) {
            (State::Plain, "no alarm watches this environment".to_owned())
        } else {
            let said = "no data: nothing was asked of the API in this time";
            (State::NoData, said.to_owned())
        }
    }
}
