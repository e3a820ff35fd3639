//! What is measured, and the goals that it is held against.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use tokio::process::Command;

use super::driver::{Driver, Figures, Shot};
use super::process::Server;
use crate::failure::{Failure, Kind};
use crate::process;
use crate::ui::Ui;

/// The table that `stackway-load store` makes.
pub(super) const TABLE: &str = "items";

/// A new item each time: the API makes its key.
const ITEM: &str = r#"{"message":"hello"}"#;

/// Each round takes a little of each side in turn, so that both meet the same machine.
#[derive(Clone, Debug)]
pub(crate) struct Load {
    pub(crate) driver: Driver,
    pub(crate) api: PathBuf,
    /// The binary of benches/load.
    pub(crate) parts: PathBuf,
    pub(crate) connections: usize,
    pub(crate) rounds: u32,
    pub(crate) seconds: u32,
    pub(crate) soak: Duration,
}

/// Everything that one run found.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Report {
    pub(crate) driver: &'static str,
    pub(crate) connections: usize,
    pub(crate) rounds: Vec<Round>,
    /// Medians of the rounds' ratios.
    pub(crate) get_ratio: f64,
    pub(crate) post_ratio: f64,
    /// Nothing where the driver holds no rate.
    pub(crate) half_load: Option<HalfLoad>,
    pub(crate) drain: Drain,
    pub(crate) soak: Option<Soak>,
    pub(crate) goals: Vec<Goal>,
}

#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Round {
    pub(crate) bare_get: Figures,
    pub(crate) get: Figures,
    pub(crate) bare_put: Figures,
    pub(crate) post: Figures,
}

#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct HalfLoad {
    pub(crate) get: Figures,
    pub(crate) post: Figures,
}

/// What became of writes that were under way at a SIGTERM.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Drain {
    pub(crate) acknowledged: u64,
    /// Acknowledged, and not in the table.
    pub(crate) lost: u64,
    /// Answers that began and did not end, or that were no success.
    pub(crate) broken: u64,
    /// In the table, and not acknowledged.
    pub(crate) unanswered_but_written: u64,
    /// Sent on a connection that was closed before it was read.
    pub(crate) not_taken: u64,
    #[serde(default)]
    pub(crate) exit_code: Option<i32>,
}

/// Memory over a long run.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Soak {
    pub(crate) minutes: f64,
    pub(crate) requests: u64,
    pub(crate) failed: u64,
    pub(crate) first_kb: u64,
    pub(crate) last_kb: u64,
    pub(crate) peak_kb: u64,
    /// Growth over the second half, by least squares.
    pub(crate) kb_per_minute: f64,
}

/// A bound, and how far it is met.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Goal {
    pub(crate) name: &'static str,
    pub(crate) value: f64,
    pub(crate) bound: &'static str,
    pub(crate) met: bool,
}

impl Load {
    pub(crate) async fn run(&self, ui: &Ui) -> Result<Report, Failure> {
        let folder = tempfile::tempdir()
            .map_err(|error| Failure::io("create", &std::env::temp_dir(), &error))?;
        let store = Server::part(&self.parts, "store").await?;
        let route = Server::part(&self.parts, "route").await?;
        let api = Server::api(&self.api, &store.address, &folder.path().join("api.log")).await?;
        let (bare_get, get) = (
            format!("http://{}/", route.address),
            format!("http://{}/", api.address),
        );
        let post = format!("http://{}/v1/items", api.address);

        // The first connections and pages of memory are no one's measure.
        self.fire(&get, None, None, 1).await?;
        self.fire(&bare_get, None, None, 1).await?;
        let mut rounds = Vec::new();
        for round in 1..=self.rounds {
            let figures = Round {
                bare_get: self.fire(&bare_get, None, None, self.seconds).await?,
                get: self.fire(&get, None, None, self.seconds).await?,
                bare_put: self.bare_put(&store.address).await?,
                post: self.fire(&post, Some(ITEM), None, self.seconds).await?,
            };
            ui.say(format!(
                "round {round}: GET {:.0} of {:.0} a second, POST {:.0} of {:.0}",
                figures.get.per_second,
                figures.bare_get.per_second,
                figures.post.per_second,
                figures.bare_put.per_second
            ));
            rounds.push(figures);
        }
        let half = |pick: fn(&Round) -> f64| Some(median(rounds.iter().map(pick)) / 2.0);
        let seconds = self.seconds * 2;
        let get_rate = half(|round| round.get.per_second);
        let post_rate = half(|round| round.post.per_second);
        let half_load = if self.driver.holds_a_rate() {
            Some(HalfLoad {
                get: self.fire(&get, None, get_rate, seconds).await?,
                post: self.fire(&post, Some(ITEM), post_rate, seconds).await?,
            })
        } else {
            ui.warn("wrk holds no rate: latency at half load is not measured; oha does it");
            None
        };
        let soak = if self.soak.is_zero() {
            None
        } else {
            ui.say(format!("soaking for {} s", self.soak.as_secs()));
            Some(self.soak(&api, &get, &post, get_rate, post_rate).await?)
        };
        drop(api);
        drop(store);
        let drain = self.drain(folder.path()).await?;
        let report = Report {
            driver: self.driver.name(),
            connections: self.connections,
            get_ratio: median(
                rounds
                    .iter()
                    .map(|round| round.get.per_second / round.bare_get.per_second),
            ),
            post_ratio: median(
                rounds
                    .iter()
                    .map(|round| round.post.per_second / round.bare_put.per_second),
            ),
            rounds,
            half_load,
            drain,
            soak,
            goals: Vec::new(),
        };
        Ok(report.judged())
    }

    async fn fire(
        &self,
        url: &str,
        body: Option<&str>,
        rate: Option<f64>,
        seconds: u32,
    ) -> Result<Figures, Failure> {
        let shot = Shot {
            url,
            body,
            connections: self.connections,
            seconds,
            rate,
        };
        self.driver.fire(shot).await
    }

    async fn bare_put(&self, endpoint: &str) -> Result<Figures, Failure> {
        let mut command = Command::new(&self.parts);
        command
            .args(["put", endpoint, &self.connections.to_string()])
            .arg(self.seconds.to_string())
            .env_clear();
        said(&process::read("call the SDK", &mut command).await?)
    }

    /// A store and a server of its own, stopped in the midst of writes.
    async fn drain(&self, folder: &Path) -> Result<Drain, Failure> {
        let store = Server::part(&self.parts, "store").await?;
        let api = Server::api(&self.api, &store.address, &folder.join("drained.log")).await?;
        let mut command = Command::new(&self.parts);
        command
            .args(["drain", &api.address, &store.address])
            .arg(self.connections.to_string())
            .env_clear();
        let writing = process::read("write until the end", &mut command);
        let stopping = async {
            tokio::time::sleep(Duration::from_secs(2)).await;
            api.terminate().await
        };
        let (written, code) = tokio::join!(writing, stopping);
        let drain: Drain = said(&written?)?;
        Ok(Drain {
            exit_code: code?,
            ..drain
        })
    }

    /// Reads and writes in turn, at half of what the server can do where the driver holds a rate.
    async fn soak(
        &self,
        api: &Server,
        get: &str,
        post: &str,
        get_rate: Option<f64>,
        post_rate: Option<f64>,
    ) -> Result<Soak, Failure> {
        let start = Instant::now();
        let mut samples = Vec::new();
        let (mut requests, mut failed) = (0.0, 0);
        let mut turn = [(get, None, get_rate), (post, Some(ITEM), post_rate)]
            .into_iter()
            .cycle();
        while start.elapsed() < self.soak {
            let Some((url, body, rate)) = turn.next() else {
                break;
            };
            let figures = self.fire(url, body, rate, self.seconds).await?;
            requests += figures.per_second * f64::from(self.seconds);
            failed += figures.failed;
            if let Some(memory) = api.memory() {
                samples.push((start.elapsed().as_secs_f64() / 60.0, memory));
            }
        }
        let memory = |sample: Option<&(f64, u64)>| sample.map_or(0, |(_, memory)| *memory);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a count of requests"
        )]
        let requests = requests as u64;
        Ok(Soak {
            minutes: start.elapsed().as_secs_f64() / 60.0,
            requests,
            failed,
            first_kb: memory(samples.first()),
            last_kb: memory(samples.last()),
            peak_kb: samples.iter().map(|(_, memory)| *memory).max().unwrap_or(0),
            kb_per_minute: slope(&samples[samples.len() / 2..]),
        })
    }
}

impl Report {
    /// Held against the goals.
    fn judged(mut self) -> Self {
        let latency = |figures: Figures| figures.p99_ms / figures.p50_ms;
        let at_least = |name, value, bound, limit: f64| Goal {
            name,
            value,
            bound,
            met: value >= limit,
        };
        let below = |name, value, bound, limit: f64| Goal {
            name,
            value,
            bound,
            met: value < limit,
        };
        let failed: u64 = self
            .rounds
            .iter()
            .flat_map(|round| [round.get.failed, round.post.failed])
            .chain(
                self.half_load
                    .iter()
                    .flat_map(|half| [half.get.failed, half.post.failed]),
            )
            .chain(self.soak.iter().map(|soak| soak.failed))
            .sum();
        let drain = self.drain;
        let undone = drain.lost + drain.broken + drain.unanswered_but_written;
        let unclean = u64::from(drain.exit_code != Some(0) || drain.acknowledged == 0);
        self.goals = vec![
            at_least("GET / of a bare axum route", self.get_ratio, "≥ 0.8", 0.8),
            at_least("POST of bare put_item calls", self.post_ratio, "≥ 0.7", 0.7),
            below("failed requests", whole(failed), "0", 0.5),
            below("lost at SIGTERM", whole(undone + unclean), "0", 0.5),
        ];
        if let Some(half) = self.half_load {
            for (name, figures) in [
                ("GET / p99 of p50 at half load", half.get),
                ("POST p99 of p50 at half load", half.post),
            ] {
                self.goals.push(below(name, latency(figures), "< 5", 5.0));
            }
        }
        if let Some(soak) = &self.soak {
            // What a process of some MB may add in an hour before somebody must look.
            self.goals.push(below(
                "memory under load, kB a minute",
                soak.kb_per_minute,
                "< 20",
                20.0,
            ));
        }
        self
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "counts below a thousand million"
)]
fn whole(count: u64) -> f64 {
    count as f64
}

fn said<T: for<'a> Deserialize<'a>>(line: &str) -> Result<T, Failure> {
    serde_json::from_str(line).map_err(|error| {
        Failure::new(
            Kind::Tool,
            "stackway-load says what this command cannot read",
        )
        .cause(error.to_string())
    })
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<_> = values.collect();
    values.sort_by(f64::total_cmp);
    match values.len() {
        0 => 0.0,
        count if count % 2 == 1 => values[count / 2],
        count => f64::midpoint(values[count / 2 - 1], values[count / 2]),
    }
}

/// The slope of the line through (minute, kB) by least squares.
fn slope(samples: &[(f64, u64)]) -> f64 {
    let count = whole(samples.len() as u64);
    if samples.len() < 2 {
        return 0.0;
    }
    let mean_x = samples.iter().map(|(x, _)| x).sum::<f64>() / count;
    let mean_y = samples.iter().map(|(_, y)| whole(*y)).sum::<f64>() / count;
    let (mut products, mut squares) = (0.0, 0.0);
    for (x, y) in samples {
        products += (x - mean_x) * (whole(*y) - mean_y);
        squares += (x - mean_x).powi(2);
    }
    if squares > 0.0 {
        products / squares
    } else {
        0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_median_is_the_middle() {
        for (values, expected) in [
            (vec![], 0.0),
            (vec![3.0, 1.0, 2.0], 2.0),
            (vec![1.0, 2.0], 1.5),
        ] {
            assert!((median(values.into_iter()) - expected).abs() < 1e-9);
        }
    }

    #[test]
    fn a_slope_is_growth_a_minute() {
        let growing: Vec<_> = (0..10_u32)
            .map(|i| (f64::from(i), u64::from(100 + 7 * i)))
            .collect();
        assert!((slope(&growing) - 7.0).abs() < 1e-9);
        assert!(slope(&[(0.0, 5), (1.0, 5)]).abs() < 1e-9);
        assert!(slope(&[]).abs() < 1e-9);
    }
}
