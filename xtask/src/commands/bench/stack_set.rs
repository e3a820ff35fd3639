use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use clap::Args;
use comfy_table::{Table, presets};
use serde::Serialize;
use stackway_infra::aws::{self, CloudFormationStackSets};
use stackway_infra::clock::{PollInterval, SystemClock};
use stackway_infra::flow::AllowReplace;
use stackway_infra::flow::roll_out::{
    RollOut, RollOutObserver, RollOutPlan, RollOutProgress, Unwanted, WantedStackSet,
};
use stackway_infra::stack_set::{
    Amount, CallAs, ConcurrencyMode, Pair, Permissions, Preferences, RegionConcurrency,
    StackSetAddress, StackSetDefinition, WantedPairs,
};
use stackway_local_cloud::Moto;

use crate::cloud::emulator_failure;
use crate::failure::{Failure, Kind};
use crate::project::Project;
use crate::ui::Ui;

/// Plan a stack set of a thousand instances against moto's server
///
/// Rolls a small template out over accounts and regions, and then plans it as it stands, with an account more, and with
/// another template. Prints the time of each plan, and the peak of this process's memory over what it held before. The
/// server is installed from Python packages on the first run.
#[derive(Debug, Args)]
pub(crate) struct StackSetArgs {
    /// How many accounts
    #[arg(long, default_value_t = 50, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..=500))]
    accounts: u32,
    /// How many regions
    #[arg(long, default_value_t = 20, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..=20))]
    regions: u32,
    /// How often each plan is made; the median counts
    #[arg(long, default_value_t = 5, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..=100))]
    rounds: u32,
    /// Fail where a plan takes more than 10 s, or more than 64 MB
    #[arg(long)]
    check: bool,
}

/// The most that a plan may take.
const TIME: Duration = Duration::from_secs(10);

/// The most that plans may add to this process's memory, in bytes.
const MEMORY: u64 = 64 * 1024 * 1024;

const REGIONS: [&str; 20] = [
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-south-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "ca-central-1",
    "eu-central-1",
    "eu-central-2",
    "eu-north-1",
    "eu-south-1",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "me-south-1",
    "sa-east-1",
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
];

#[derive(Debug, Serialize)]
struct Report {
    instances: usize,
    roll_out_seconds: f64,
    plans: Vec<Timed>,
    /// Null where the system does not tell.
    peak_memory_over_start_bytes: Option<u64>,
}

#[derive(Debug, Serialize)]
struct Timed {
    what: &'static str,
    seconds: f64,
    create: usize,
    update: usize,
    leave: usize,
}

struct Silent;

impl RollOutObserver for Silent {
    fn observe_roll_out(&self, _: &str, _: &RollOutProgress) {}
}

fn wanted(accounts: u32, regions: &[&str], template: &str) -> WantedStackSet {
    let accounts =
        (0..accounts).map(|number| format!("{:012}", 100_000_000_000_u64 + u64::from(number)));
    let pairs: BTreeSet<_> = accounts
        .flat_map(|account| {
            regions
                .iter()
                .map(move |region| Pair::new(account.clone(), *region))
        })
        .collect();
    WantedStackSet {
        stack: "bench".to_owned(),
        address: StackSetAddress {
            name: "stackway-bench".to_owned(),
            call_as: CallAs::Caller,
        },
        definition: StackSetDefinition {
            template_body: template.to_owned(),
            parameters: BTreeMap::new(),
            tags: BTreeMap::new(),
            capabilities: Vec::new(),
            permissions: Permissions::SelfManaged {
                administration_role: "arn:aws:iam::123456789012:role/admin".to_owned(),
                execution_role: "exec".to_owned(),
            },
        },
        targets: WantedPairs {
            pairs,
            overrides: BTreeMap::new(),
        },
        preferences: Preferences {
            region_order: Vec::new(),
            failure_tolerance: Amount::Count(0),
            max_concurrent: Amount::Percent(100),
            concurrency_mode: ConcurrencyMode::Soft,
            region_concurrency: RegionConcurrency::Parallel,
        },
        allow_replace: AllowReplace::default(),
        left_regions: BTreeSet::new(),
        unwanted: Unwanted::Go,
    }
}

/// The topic has a name, as moto gives a stack set's resources names with a colon.
const TEMPLATE: &str = "Resources:\n  Topic:\n    Type: AWS::SNS::Topic\n    Properties: {TopicName: stackway-bench}\n";
const CHANGED: &str = "Resources:\n  Topic:\n    Type: AWS::SNS::Topic\n    Properties: {TopicName: stackway-other}\n";

pub(crate) async fn run(ui: &Ui, args: &StackSetArgs) -> Result<(), Failure> {
    let project = Project::locate()?;
    let moto = Moto::start(project.state_dir().join("moto"), &|text: &str| ui.say(text))
        .await
        .map_err(emulator_failure)?;
    let config = aws::without_account("123456789012", "eu-west-2", &moto.endpoint_url());
    let client = CloudFormationStackSets::new(&config);
    let roll_out = RollOut {
        sets: &client,
        clock: &SystemClock,
        poll: PollInterval::LOCAL,
        observer: &Silent,
    };
    let failed = |error| Failure::of_roll_out(error, Kind::Deploy, "bench");
    let regions = &REGIONS[..args.regions as usize];
    let standing = wanted(args.accounts, regions, TEMPLATE);
    ui.say(format!(
        "rolling {} instances out: {} accounts in {} regions",
        standing.targets.pairs.len(),
        args.accounts,
        regions.len()
    ));
    let start = Instant::now();
    roll_out.run(&standing).await.map_err(failed)?;
    let mut report = Report {
        instances: standing.targets.pairs.len(),
        roll_out_seconds: start.elapsed().as_secs_f64(),
        plans: Vec::new(),
        peak_memory_over_start_bytes: None,
    };
    // What the roll-out took is not the plans'.
    let before = memory::restart();
    for (what, next) in [
        ("as it stands", standing),
        (
            "with an account more",
            wanted(args.accounts + 1, regions, TEMPLATE),
        ),
        (
            "with another template",
            wanted(args.accounts, regions, CHANGED),
        ),
    ] {
        let mut times = Vec::new();
        let mut last: Option<RollOutPlan> = None;
        for _ in 0..args.rounds {
            let start = Instant::now();
            last = Some(roll_out.plan(&next).await.map_err(failed)?);
            times.push(start.elapsed().as_secs_f64());
        }
        times.sort_by(f64::total_cmp);
        let pairs = last.map(|plan| plan.pairs).unwrap_or_default();
        report.plans.push(Timed {
            what,
            seconds: times[times.len() / 2],
            create: pairs.create.len(),
            update: pairs.update.len(),
            leave: pairs.leave.len(),
        });
    }
    report.peak_memory_over_start_bytes = before
        .zip(memory::peak())
        .map(|(before, peak)| peak.saturating_sub(before));
    show(ui, &report);
    if args.check {
        return check(&report);
    }
    Ok(())
}

fn show(ui: &Ui, report: &Report) {
    if ui.is_json() {
        ui.json(report);
        return;
    }
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(["plan", "seconds", "create", "update", "leave"]);
    for timed in &report.plans {
        table.add_row([
            timed.what.to_owned(),
            format!("{:.2}", timed.seconds),
            timed.create.to_string(),
            timed.update.to_string(),
            timed.leave.to_string(),
        ]);
    }
    let memory = report.peak_memory_over_start_bytes.map_or_else(
        || "peak memory: the system does not tell".to_owned(),
        |bytes| format!("peak memory over the start: {} kB", bytes / 1024),
    );
    ui.data(format!(
        "{} instances, rolled out in {:.1} s\n{}\n{memory}",
        report.instances,
        report.roll_out_seconds,
        table.trim_fmt()
    ));
}

fn check(report: &Report) -> Result<(), Failure> {
    let mut missed: Vec<_> = report
        .plans
        .iter()
        .filter(|timed| timed.seconds > TIME.as_secs_f64())
        .map(|timed| format!("the plan {} took {:.1} s", timed.what, timed.seconds))
        .collect();
    match report.peak_memory_over_start_bytes {
        Some(bytes) if bytes > MEMORY => {
            missed.push(format!("plans took {} MB", bytes / 1024 / 1024));
        }
        Some(_) => {}
        None => missed.push("memory could not be measured".to_owned()),
    }
    if missed.is_empty() {
        return Ok(());
    }
    let mut failure = Failure::new(Kind::Check, "a goal of `bench stack-set` is missed");
    failure.causes = missed;
    Err(failure
        .hint("run it again on a quiet machine; if it stays so, look at what grows with instances"))
}

/// This process's memory, where the system is Linux.
mod memory {
    /// Begins to look for the peak anew; returns what is held now, in bytes.
    pub(super) fn restart() -> Option<u64> {
        std::fs::write("/proc/self/clear_refs", "5").ok()?;
        of("VmRSS:")
    }

    /// The most that was held since, in bytes.
    pub(super) fn peak() -> Option<u64> {
        of("VmHWM:")
    }

    fn of(key: &str) -> Option<u64> {
        let status = std::fs::read_to_string("/proc/self/status").ok()?;
        let line = status.lines().find(|line| line.starts_with(key))?;
        let kilobytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
        Some(kilobytes * 1024)
    }
}
