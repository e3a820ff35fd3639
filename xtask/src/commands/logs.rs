use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;
use stackway_infra::clock::{Clock as _, SystemClock};
use stackway_infra::flow::{FlowError, Historian, StackHistory, Window, merged};
use stackway_infra::stack::StackEvent;
use stackway_infra::stack_def::StackGraph;
use time::Duration;

use super::status::{graph_failure, rfc3339};
use crate::cli::{EndpointArgs, GlobalArgs};
use crate::cloud::Cloud;
use crate::failure::{Failure, Kind};
use crate::gantt;
use crate::progress::status_style;
use crate::rendering;
use crate::settings::Settings;
use crate::ui::{DIM, Ui};

/// Show what happened to the stacks: their events, merged in the order of time
///
/// Without `--since` and `--all`, the last operation of each stack. CloudFormation keeps events for 90 days. With
/// `--format json`, one JSON object a line. Only reads.
#[derive(Debug, Args)]
pub(crate) struct LogsArgs {
    /// Only these stacks
    #[arg(long = "stack", value_name = "STACK")]
    stacks: Vec<String>,
    /// Events of the last so many seconds, minutes, hours or days: 90s, 15m, 1h, 2d
    #[arg(long, value_name = "AGE", value_parser = age, conflicts_with = "all")]
    since: Option<Duration>,
    /// All events
    #[arg(long)]
    all: bool,
    /// Go on showing events until Ctrl-C
    #[arg(long, short)]
    follow: bool,
    /// Write the times of the resources as bars to an HTML file
    #[arg(long, value_name = "FILE", conflicts_with = "follow")]
    chart: Option<PathBuf>,
    #[command(flatten)]
    endpoint: EndpointArgs,
}

#[derive(Debug, Serialize)]
struct Line<'a> {
    time: String,
    stack: &'static str,
    stack_name: &'a str,
    logical_id: &'a str,
    resource_type: &'a str,
    physical_id: &'a str,
    status: &'a str,
    reason: Option<&'a str>,
}

pub(crate) async fn run(ui: &Ui, global: &GlobalArgs, args: &LogsArgs) -> Result<(), Failure> {
    let settings = Settings::resolve(ui, global, &args.endpoint)?;
    let environment = settings.environment.name.to_string();
    let names: Vec<(&'static str, String)> = StackGraph::all()
        .and_then(|graph| graph.select(&args.stacks, false))
        .map_err(graph_failure)?
        .deploy_order()
        .iter()
        .map(|def| (def.name, settings.naming.stack(def.name)))
        .collect();
    let not_deployed = || {
        Failure::new(
            Kind::NotDeployed,
            format!("nothing is deployed to `{environment}`"),
        )
        .hint(format!("run `cargo xtask deploy --env {environment}`"))
    };
    let cloud = Cloud::for_reading(&settings)
        .await?
        .ok_or_else(not_deployed)?;
    let failure = |error: FlowError| Failure::of_flow(error, Kind::Deploy, &environment);
    let now = SystemClock.now();
    let window = match args.since {
        Some(age) => Window::Since(now - age),
        None if args.all => Window::All,
        None => Window::LastOperation,
    };
    let mut historian = Historian::new(&cloud.stacks);
    let histories = historian.read(&names, window).await.map_err(failure)?;
    if !args.follow && histories.iter().all(|history| history.stack_id.is_none()) {
        return Err(not_deployed());
    }
    if let Some(file) = &args.chart {
        let title = format!("{environment}, {}", settings.naming.region);
        return chart(ui, file, &gantt::page(&title, &histories, now));
    }
    show(ui, &histories);
    if !args.follow {
        if histories.iter().all(|history| history.events.is_empty()) {
            ui.say("no events; `--all` shows everything that CloudFormation keeps");
        }
        return Ok(());
    }
    ui.on_interrupt(
        "following ended; nothing was changed",
        "run it again to go on",
    );
    let mut quiet = 0;
    loop {
        SystemClock
            .sleep(cloud.poll_interval().wait(quiet, SystemClock.now()))
            .await;
        let news = historian.news(&names).await.map_err(failure)?;
        // Where something happens, more comes soon.
        quiet = if news.iter().any(|history| !history.events.is_empty()) {
            0
        } else {
            quiet.saturating_add(1)
        };
        show(ui, &news);
    }
}

fn show(ui: &Ui, histories: &[StackHistory]) {
    for (history, event) in merged(histories) {
        if ui.is_json() {
            ui.json_line(&line(history, event));
        } else {
            ui.data(text(history.label, event));
        }
    }
}

fn line<'a>(history: &'a StackHistory, event: &'a StackEvent) -> Line<'a> {
    Line {
        time: rfc3339(event.timestamp),
        stack: history.label,
        stack_name: &history.stack_name,
        logical_id: &event.logical_id,
        resource_type: &event.resource_type,
        physical_id: &event.physical_id,
        status: &event.status,
        reason: event.reason.as_deref(),
    }
}

fn text(stack: &str, event: &StackEvent) -> String {
    let style = status_style(&event.status);
    let reason = event
        .reason
        .as_ref()
        .map(|reason| format!(": {reason}"))
        .unwrap_or_default();
    format!(
        "{DIM}{}{DIM:#} {stack:<12} {style}{:<28}{style:#} {} {DIM}{}{DIM:#}{reason}",
        rfc3339(event.timestamp),
        event.status,
        event.logical_id,
        event.resource_type
    )
}

fn chart(ui: &Ui, file: &Path, page: &str) -> Result<(), Failure> {
    rendering::write(file, page)?;
    ui.say(format!("wrote {}; open it in a browser", file.display()));
    Ok(())
}

/// Reads an age such as `90s`, `15m`, `1h` or `2d`.
pub(crate) fn age(text: &str) -> Result<Duration, String> {
    let wrong = || format!("`{text}` is not an age; write 90s, 15m, 1h or 2d");
    let number = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let count: i64 = number.parse().map_err(|_| wrong())?;
    let seconds = match &text[number.len()..] {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => return Err(wrong()),
    };
    // CloudFormation keeps 90 days; a century is more than anybody means.
    count
        .checked_mul(seconds)
        .filter(|total| (1..=3_155_760_000).contains(total))
        .map(Duration::seconds)
        .ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages() {
        for (text, seconds) in [
            ("90s", Some(90)),
            ("15m", Some(900)),
            ("1h", Some(3_600)),
            ("2d", Some(172_800)),
            ("0s", None),
            ("-1h", None),
            ("1", None),
            ("h", None),
            ("", None),
            ("1w", None),
            ("ü", None),
            ("9223372036854775807d", None),
        ] {
            assert_eq!(
                age(text).ok().map(Duration::whole_seconds),
                seconds,
                "{text}"
            );
        }
    }
}
