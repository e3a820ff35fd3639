//! What `bench api` has measured, as a table, a chart and JSON.

pub(crate) mod chart;
pub(crate) mod table;

use serde::Serialize;
use stackway_lambda_bench::{Direct, Plan, Report, SideReport};

/// The document that `cargo xtask bench api --format json` prints; docs/benchmarks.md describes it.
#[derive(Debug, Serialize)]
pub(crate) struct Measured {
    /// What the API was built for.
    pub(crate) target: &'static str,
    pub(crate) rounds: u32,
    pub(crate) requests: u32,
    pub(crate) sides: Vec<MeasuredSide>,
    /// `PutItem` by itself.
    pub(crate) direct: Direct,
    pub(crate) goals: Vec<Goal>,
}

#[derive(Debug, Serialize)]
pub(crate) struct MeasuredSide {
    #[serde(flatten)]
    pub(crate) figures: SideReport,
    /// The size of its package in bytes, where it is known.
    pub(crate) zip_bytes: Option<u64>,
}

/// A goal for the API, as a ratio or a size.
#[derive(Debug, Serialize)]
pub(crate) struct Goal {
    pub(crate) name: String,
    pub(crate) value: f64,
    pub(crate) at_most: f64,
    pub(crate) met: bool,
}

/// The index of the floor and of the API among the sides; what follows are rivals.
const FLOOR: usize = 0;
const API: usize = 2;

/// The figures of a side, from top to bottom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Row {
    /// Milliseconds of a cold start.
    Cold(&'static str),
    /// Microseconds of a warm request, half of which take no longer.
    Warm(&'static str),
    /// 99 of 100 take no longer.
    WarmP99(&'static str),
    /// Microseconds of processor of a warm request.
    Processor(&'static str),
    /// Megabytes.
    Memory,
    /// Megabytes.
    Zip,
}

impl Row {
    pub(crate) const ALL: [Self; 16] = [
        Self::Cold("get"),
        Self::Cold("post"),
        Self::Cold("post_tls"),
        Self::Warm("get"),
        Self::Warm("post"),
        Self::Warm("put"),
        Self::Warm("page"),
        Self::Warm("delete"),
        Self::WarmP99("get"),
        Self::WarmP99("post"),
        Self::WarmP99("page"),
        Self::Processor("get"),
        Self::Processor("post"),
        Self::Processor("page"),
        Self::Memory,
        Self::Zip,
    ];

    pub(crate) fn label(self) -> String {
        match self {
            Self::Cold(name) => format!("cold {}, ms", scenario(name)),
            Self::Warm(name) => format!("warm {}, µs", scenario(name)),
            Self::WarmP99(name) => format!("warm {} p99, µs", scenario(name)),
            Self::Processor(name) => format!("processor {}, µs", scenario(name)),
            Self::Memory => "peak memory, MB".to_owned(),
            Self::Zip => "zip, MB".to_owned(),
        }
    }

    /// The figure of a side, where it has one.
    pub(crate) fn of(self, side: &MeasuredSide) -> Option<f64> {
        let figures = &side.figures;
        match self {
            Self::Cold(name) => figures.cold.get(name).map(|cold| cold.ms.p50),
            Self::Warm(name) => figures.warm.get(name).map(|warm| warm.us.p50),
            Self::WarmP99(name) => figures.warm.get(name).map(|warm| warm.us.p99),
            Self::Processor(name) => figures.warm.get(name)?.cpu_us,
            Self::Memory => figures.peak_memory_kb.map(|kb| to_mega(kb * 1024)),
            Self::Zip => side.zip_bytes.map(to_mega),
        }
    }

    /// What a figure is compared with on the floor: every cold start with the floor's one.
    fn on_the_floor(self) -> Self {
        match self {
            Self::Cold(_) => Self::Cold("get"),
            other => other,
        }
    }
}

/// A request as a person writes it.
fn scenario(name: &str) -> &'static str {
    match name {
        "get" => "GET /",
        "post" => "POST",
        "post_tls" => "POST over TLS",
        "put" => "PUT",
        "page" => "page of 20",
        "delete" => "DELETE",
        _ => "other",
    }
}

#[expect(clippy::cast_precision_loss, reason = "sizes are far below 2^52 bytes")]
fn to_mega(bytes: u64) -> f64 {
    bytes as f64 / 1_000_000.0
}

impl Measured {
    pub(crate) fn new(
        target: &'static str,
        plan: &Plan,
        report: Report,
        zips: Vec<Option<u64>>,
    ) -> Self {
        let sides = report.sides.into_iter().zip(zips);
        let mut measured = Self {
            target,
            rounds: plan.rounds,
            requests: plan.requests,
            sides: sides
                .map(|(figures, zip_bytes)| MeasuredSide { figures, zip_bytes })
                .collect(),
            direct: report.direct,
            goals: Vec::new(),
        };
        measured.goals = measured.goals();
        measured
    }

    /// What a figure of `side` is compared with, and the figure's multiple of it: for the API the floor, or the direct
    /// call for what writes; for a rival the API.
    pub(crate) fn ratio(&self, side: usize, row: Row) -> Option<(f64, &'static str)> {
        let own = row.of(self.sides.get(side)?)?;
        if side > API {
            return Some((own / row.of(self.sides.get(API)?)?, "api"));
        }
        if side != API {
            return None;
        }
        let floor = row.on_the_floor().of(self.sides.get(FLOOR)?);
        match (row, floor) {
            (_, Some(floor)) => Some((own / floor, "floor")),
            (Row::Warm("post"), None) => Some((own / self.direct.us.p50, "direct")),
            _ => None,
        }
    }

    fn goals(&self) -> Vec<Goal> {
        let against_floor = |row: Row| self.ratio(API, row).map(|(ratio, _)| ratio);
        let api = self.sides.get(API);
        let figure = |row: Row| api.and_then(|api| row.of(api));
        [
            (
                "cold GET /, of the floor's",
                against_floor(Row::Cold("get")),
                1.0,
            ),
            (
                "cold POST, of the floor's",
                against_floor(Row::Cold("post")),
                1.5,
            ),
            (
                "cold POST over TLS, of the floor's",
                against_floor(Row::Cold("post_tls")),
                5.0,
            ),
            ("zip, MB", figure(Row::Zip), 2.6),
            ("peak memory, MB", figure(Row::Memory), 5.0),
        ]
        .into_iter()
        .filter_map(|(name, value, at_most)| {
            let value = value?;
            Some(Goal {
                name: name.to_owned(),
                value,
                at_most,
                met: value <= at_most,
            })
        })
        .collect()
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::collections::BTreeMap;

    use stackway_lambda_bench::{Cold, Side, Spread, Warm};

    use super::*;

    fn spread(p50: f64) -> Spread {
        Spread {
            min: p50 / 2.0,
            p50,
            p99: p50 * 2.0,
            count: 9,
        }
    }

    fn side(name: &str, scale: f64, floor: bool) -> SideReport {
        let cold: &[&str] = if floor {
            &["get"]
        } else {
            &["get", "post", "post_tls"]
        };
        let warm: &[&str] = if floor {
            &["get"]
        } else {
            &["get", "post", "put", "page", "delete"]
        };
        SideReport {
            name: name.to_owned(),
            cold: cold
                .iter()
                .map(|name| ((*name).to_owned(), Cold { ms: spread(scale) }))
                .collect(),
            warm: warm
                .iter()
                .map(|name| {
                    let warm = Warm {
                        us: spread(scale * 100.0),
                        cpu_us: Some(scale * 50.0),
                    };
                    ((*name).to_owned(), warm)
                })
                .collect::<BTreeMap<_, _>>(),
            peak_memory_kb: Some(4000),
        }
    }

    /// A floor, the API at nine tenths of it, and a rival that takes a hundred times as long.
    pub(crate) fn measured() -> Measured {
        let names = ["floor", "floor, static", "api", "python"];
        let plan = Plan {
            sides: names
                .iter()
                .map(|name| Side {
                    name: (*name).to_owned(),
                    program: "bootstrap".into(),
                    arguments: Vec::new(),
                    floor: name.starts_with("floor"),
                })
                .collect(),
            rounds: 3,
            requests: 3,
        };
        let report = Report {
            sides: vec![
                side(names[0], 1.0, true),
                side(names[1], 0.5, true),
                side(names[2], 0.9, false),
                side(names[3], 90.0, false),
            ],
            direct: Direct { us: spread(60.0) },
        };
        let zips = vec![Some(600_000), Some(500_000), Some(2_500_000), None];
        Measured::new("x86_64-unknown-linux-musl", &plan, report, zips)
    }

    #[test]
    fn the_api_is_compared_with_the_floor_and_a_rival_with_the_api() {
        let measured = measured();
        let (ratio, of) = measured.ratio(API, Row::Cold("post")).unwrap();
        assert!((ratio - 0.9).abs() < 1e-9);
        assert_eq!(of, "floor");
        assert_eq!(
            measured.ratio(API, Row::Warm("post")),
            Some((1.5, "direct"))
        );
        let (ratio, of) = measured.ratio(3, Row::Warm("page")).unwrap();
        assert!((ratio - 100.0).abs() < 1e-9);
        assert_eq!(of, "api");
        assert_eq!(measured.ratio(FLOOR, Row::Cold("get")), None);
    }

    #[test]
    fn a_goal_is_met_or_not() {
        let mut measured = measured();
        assert!(
            measured.goals.iter().all(|goal| goal.met),
            "{:?}",
            measured.goals
        );
        measured.sides[API].zip_bytes = Some(2_700_000);
        let goals = measured.goals();
        let missed: Vec<&str> = goals
            .iter()
            .filter(|goal| !goal.met)
            .map(|goal| goal.name.as_str())
            .collect();
        assert_eq!(missed, ["zip, MB"]);
    }
}
