//! What a change costs: two estimates, line by line.

use std::collections::{BTreeMap, HashSet};

use rust_decimal::Decimal;

use crate::estimate::{Amount, Estimate, Line, NotPriced};

/// The difference between two estimates.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// What the first is of: `deployed`, a revision.
    pub before_name: String,
    /// What the second is of: `work tree`.
    pub after_name: String,
    /// The first.
    pub before: Estimate,
    /// The second.
    pub after: Estimate,
    /// The lines that differ, by stack, region, resource and item.
    pub lines: Vec<Change>,
}

/// A line that differs.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// The line as it was or, where it was not there, as it will be: its names are the same in both.
    pub line: Line,
    /// Its amounts before; nothing where it was not there.
    pub before: Known,
    /// Its amounts after; nothing where it is gone.
    pub after: Known,
    /// Whether it was there before, and is there after.
    pub kind: ChangeKind,
}

/// As much as is known of an amount for a month.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known {
    /// By the price list; `None` where the book has no price.
    pub list: Option<Decimal>,
    /// After the free tier; `None` where that is not known.
    pub after_free: Option<Decimal>,
}

impl Known {
    /// What a line costs; 0 where there is no line.
    fn of(line: Option<&Line>) -> Self {
        Self {
            list: line.map_or(Some(Decimal::ZERO), |line| line.list),
            after_free: line.map_or(Some(Decimal::ZERO), |line| line.after_free),
        }
    }

    /// What it is more than another; `None` where one of both is not known.
    fn less(self, other: Self) -> Self {
        let less = |one: Option<Decimal>, other: Option<Decimal>| Some(one? - other?);
        Self {
            list: less(self.list, other.list),
            after_free: less(self.after_free, other.after_free),
        }
    }
}

/// What becomes of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeKind {
    /// It comes.
    Added,
    /// It goes.
    Removed,
    /// It costs another amount.
    Changed,
}

impl ChangeKind {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Removed => "removed",
            Self::Changed => "changed",
        }
    }
}

impl Change {
    /// What it adds to a month.
    pub fn monthly(&self) -> Known {
        self.after.less(self.before)
    }
}

type Key = (String, String, Option<String>, String, String);

impl Difference {
    /// Holds two estimates against each other.
    pub fn new(before: (String, Estimate), after: (String, Estimate)) -> Self {
        let key = |line: &Line| -> Key {
            let Line {
                stack,
                region,
                account,
                resource,
                item,
                ..
            } = line.clone();
            (stack, region, account, resource, item)
        };
        let mut sides: BTreeMap<Key, (Option<&Line>, Option<&Line>)> = BTreeMap::new();
        for line in &before.1.lines {
            sides.entry(key(line)).or_default().0 = Some(line);
        }
        for line in &after.1.lines {
            sides.entry(key(line)).or_default().1 = Some(line);
        }
        let lines = sides.into_values().filter_map(|(was, is)| {
            let (line, kind) = match (was, is) {
                (Some(was), Some(is)) => {
                    let same = was.amount() == is.amount() && was.quantity == is.quantity;
                    if same {
                        return None;
                    }
                    (is, ChangeKind::Changed)
                }
                (None, Some(is)) => (is, ChangeKind::Added),
                (Some(was), None) => (was, ChangeKind::Removed),
                (None, None) => return None,
            };
            Some(Change {
                line: line.clone(),
                before: Known::of(was),
                after: Known::of(is),
                kind,
            })
        });
        Self {
            lines: lines.collect(),
            before_name: before.0,
            after_name: after.0,
            before: before.1,
            after: after.1,
        }
    }

    /// What the change adds to a month.
    pub fn monthly(&self) -> Amount {
        self.after.total() - self.before.total()
    }

    /// What is not priced after the change, and was not there before.
    pub fn newly_unpriced(&self) -> impl Iterator<Item = &NotPriced> {
        fn name(missing: &NotPriced) -> (&str, &str, &str) {
            (&missing.stack, &missing.resource, &missing.why)
        }
        let known: HashSet<_> = self.before.not_priced.iter().map(name).collect();
        let all = self.after.not_priced.iter();
        all.filter(move |missing| !known.contains(&name(missing)))
    }
}
