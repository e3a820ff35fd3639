//! The sides take turns; each turn is the cold starts of a side and then one warm process.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use stackway_local_cloud::lambda::{FunctionProcess, Invocation};

use crate::{
    BenchError, Cold, Direct, Figures, Plan, Report, Scenario, Side, SideReport, Stage, Warm,
    direct::Connection,
};

/// The cold starts: with the event of a scenario, over plain HTTP or TLS.
const COLD: [(&str, Scenario, bool); 3] = [
    ("get", Scenario::Get, false),
    ("post", Scenario::Post, false),
    ("post_tls", Scenario::Post, true),
];
/// Requests before the warm ones are measured: the first makes the connection.
const WARM_UP: u32 = 20;

/// What has been measured of a side so far.
#[derive(Default)]
struct Taken {
    cold: BTreeMap<&'static str, Figures>,
    warm: BTreeMap<&'static str, (Figures, Option<Duration>)>,
    peak_memory_kb: Option<u64>,
}

/// Measures every side of a plan; `talk` is told where it is.
///
/// # Errors
///
/// If a side does not answer, or answers wrongly.
pub async fn measure(plan: &Plan, talk: impl Fn(String)) -> Result<Report, BenchError> {
    let stage = Stage::set().await?;
    let mut taken: Vec<Taken> = plan.sides.iter().map(|_| Taken::default()).collect();
    let mut direct = Figures::default();
    let mut connection = Connection::open(stage.port()).await?;
    let request = Stage::direct_request();
    for round in 0..plan.rounds {
        for (side, taken) in plan.sides.iter().zip(&mut taken) {
            talk(format!(
                "round {} of {}: {}",
                round + 1,
                plan.rounds,
                side.name
            ));
            turn(&stage, side, plan.requests, taken).await?;
        }
        for _ in 0..plan.requests {
            direct.add(connection.put(&request).await?);
        }
    }
    let requests = plan.rounds * plan.requests;
    let reports = plan.sides.iter().zip(taken);
    Ok(Report {
        sides: reports
            .map(|(side, taken)| report(side, taken, requests))
            .collect(),
        direct: Direct {
            us: direct.spread(Duration::from_micros(1)),
        },
    })
}

async fn turn(
    stage: &Stage,
    side: &Side,
    requests: u32,
    taken: &mut Taken,
) -> Result<(), BenchError> {
    for (name, scenario, tls) in COLD {
        if side.floor && scenario != Scenario::Get {
            continue;
        }
        let config = stage.function(side, tls);
        let started = Instant::now();
        let mut process = FunctionProcess::spawn(&config).await?;
        let invocation = answered(side, scenario, &mut process).await?;
        let cold = invocation.answered.duration_since(started);
        taken.cold.entry(name).or_default().add(cold);
        process.stop().await?;
    }
    let mut process = FunctionProcess::spawn(&stage.function(side, false)).await?;
    let scenarios: &[Scenario] = if side.floor {
        &[Scenario::Get]
    } else {
        &Scenario::ALL
    };
    for &scenario in scenarios {
        for _ in 0..WARM_UP {
            answered(side, scenario, &mut process).await?;
        }
        let before = processor_time(&process);
        let (figures, used) = taken.warm.entry(scenario.name()).or_default();
        for _ in 0..requests {
            let invocation = answered(side, scenario, &mut process).await?;
            figures.add(invocation.answered.duration_since(invocation.handed));
        }
        if let (Some(before), Some(after)) = (before, processor_time(&process)) {
            *used = Some(used.unwrap_or_default() + after.saturating_sub(before));
        }
    }
    taken.peak_memory_kb = taken.peak_memory_kb.max(peak_memory_kb(&process));
    process.stop().await?;
    Ok(())
}

/// Gives one event, and holds the answer against the scenario.
pub(crate) async fn answered(
    side: &Side,
    scenario: Scenario,
    process: &mut FunctionProcess,
) -> Result<Invocation, BenchError> {
    let invocation =
        process
            .invoke(scenario.event())
            .await
            .map_err(|source| BenchError::Invoke {
                side: side.name.clone(),
                scenario: scenario.name(),
                source,
            })?;
    if scenario.is_answered_by(&invocation.payload) {
        Ok(invocation)
    } else {
        let answer = String::from_utf8_lossy(&invocation.payload);
        Err(BenchError::Wrong {
            side: side.name.clone(),
            scenario: scenario.name(),
            answer: answer.chars().take(300).collect(),
        })
    }
}

fn report(side: &Side, taken: Taken, requests: u32) -> SideReport {
    let cold = taken.cold.into_iter().map(|(name, figures)| {
        let ms = figures.spread(Duration::from_millis(1));
        (name.to_owned(), Cold { ms })
    });
    let warm = taken.warm.into_iter().map(|(name, (figures, used))| {
        let warm = Warm {
            us: figures.spread(Duration::from_micros(1)),
            cpu_us: used.map(|used| used.as_secs_f64() * 1e6 / f64::from(requests)),
        };
        (name.to_owned(), warm)
    });
    SideReport {
        name: side.name.clone(),
        cold: cold.collect(),
        warm: warm.collect(),
        peak_memory_kb: taken.peak_memory_kb,
    }
}

/// The processor time of all threads, by Linux's scheduler.
///
/// <https://docs.kernel.org/scheduler/sched-stats.html>
fn processor_time(process: &FunctionProcess) -> Option<Duration> {
    let tasks = std::fs::read_dir(format!("/proc/{}/task", process.pid()?)).ok()?;
    tasks
        .flatten()
        .map(|task| {
            let text = std::fs::read_to_string(task.path().join("schedstat")).ok()?;
            let nanoseconds = text.split_whitespace().next()?.parse().ok()?;
            Some(Duration::from_nanos(nanoseconds))
        })
        .sum()
}

fn peak_memory_kb(process: &FunctionProcess) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{}/status", process.pid()?)).ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_whitespace().next()?.parse().ok()
}
