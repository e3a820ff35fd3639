//! What is asked for, and what is reported: one JSON document each.

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use serde::{Deserialize, Serialize};

/// One bootstrap.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Side {
    /// What it is called in the report.
    pub name: String,
    /// The executable.
    pub program: PathBuf,
    /// Its arguments.
    #[serde(default)]
    pub arguments: Vec<String>,
    /// Whether it answers every event alike, so that one scenario is all of them.
    #[serde(default)]
    pub floor: bool,
}

/// What is measured.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Plan {
    /// The sides, which take turns.
    pub sides: Vec<Side>,
    /// How often each takes its turn: each is one cold start for each cold scenario, and one warm process.
    pub rounds: u32,
    /// How many requests of each warm scenario a turn has.
    pub requests: u32,
}

/// What was measured.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Report {
    /// One for each side of the plan, in its order.
    pub sides: Vec<SideReport>,
    /// The `PutItem` call by itself, on a kept-alive connection to the same database.
    pub direct: Direct,
}

/// The figures of one side.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SideReport {
    /// The side's name.
    pub name: String,
    /// From the start of the process to its first answer, by scenario.
    pub cold: BTreeMap<String, Cold>,
    /// From the event to its answer, by scenario.
    pub warm: BTreeMap<String, Warm>,
    /// The most memory that a process had, in kB (`VmHWM`); none where the system does not tell.
    pub peak_memory_kb: Option<u64>,
}

/// A cold start.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Cold {
    /// Milliseconds.
    pub ms: Spread,
}

/// A warm request.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Warm {
    /// Microseconds.
    pub us: Spread,
    /// Microseconds of processor for each request; none where the system does not tell.
    pub cpu_us: Option<f64>,
}

/// The direct call.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Direct {
    /// Microseconds.
    pub us: Spread,
}

/// How figures spread.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Spread {
    /// The least.
    pub min: f64,
    /// The median.
    pub p50: f64,
    /// 99 of 100 are not above.
    pub p99: f64,
    /// How many there were.
    pub count: usize,
}

/// Durations that become a [`Spread`].
#[derive(Clone, Debug, Default)]
pub struct Figures(Vec<Duration>);

impl Figures {
    /// Adds one.
    pub fn add(&mut self, figure: Duration) {
        self.0.push(figure);
    }

    /// How they spread, in units of `unit`.
    #[must_use]
    pub fn spread(&self, unit: Duration) -> Spread {
        let mut sorted: Vec<f64> = self
            .0
            .iter()
            .map(|figure| figure.as_secs_f64() / unit.as_secs_f64())
            .collect();
        sorted.sort_by(f64::total_cmp);
        let at = |share: usize| {
            let index = (sorted.len() * share).div_ceil(100).saturating_sub(1);
            sorted.get(index).copied().unwrap_or_default()
        };
        Spread {
            min: at(0),
            p50: at(50),
            p99: at(99),
            count: sorted.len(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spread_is_of_what_was_measured() {
        let mut figures = Figures::default();
        for ms in (1..=200).rev() {
            figures.add(Duration::from_millis(ms));
        }
        let spread = figures.spread(Duration::from_millis(1));
        assert_eq!((spread.min, spread.p50, spread.p99), (1.0, 100.0, 198.0));
        assert_eq!(spread.count, 200);
        assert_eq!(Figures::default().spread(Duration::from_millis(1)).count, 0);
    }
}
