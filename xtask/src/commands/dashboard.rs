use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::Args;
use stackway_cost::report::money;
use stackway_infra::aws::{self, CloudWatch, Logs};
use stackway_infra::clock::{Clock as _, SystemClock};
use stackway_infra::cloud::{LogLines as _, MetricData};
use stackway_infra::config::EnvironmentKind;
use stackway_infra::stack_def::{STACKS, StackGraph};
use stackway_infra::template_diff::Version;
use stackway_pipeline_runner::{ActionRun, Execution, Executions, Status};
use time::{Duration, OffsetDateTime};

use super::logs::age;
use super::status::graph_failure;
use crate::cli::{EndpointArgs, Format, GlobalArgs};
use crate::cloud::Cloud;
use crate::dashboard::answer::{AlarmsTold, Answers};
use crate::dashboard::definition::{Definition, Reach};
use crate::dashboard::figures::cards;
use crate::dashboard::here::{Here, RequestLog, Run};
use crate::dashboard::{Board, ask};
use crate::deploy_plan;
use crate::failure::{Failure, Kind};
use crate::pipeline_here;
use crate::pricing::{self, Selection, Usage};
use crate::rendering;
use crate::settings::Settings;
use crate::ui::Ui;

/// CodePipeline's word for a build.
const BUILD: &str = "CodeBuild";

/// Show how an environment is at a glance: its CloudWatch dashboard as a page
///
/// Traffic, errors, latency, cold starts, the table, pipelines, builds, money; each with its alarm's threshold. The page is one
/// file that needs nothing else. For environments on this machine figures come from the API's log lines and from what
/// pipelines ran here. `--format html` writes the page to stdout, json the figures. Only reads.
#[derive(Debug, Args)]
pub(crate) struct DashboardArgs {
    /// How far to look back: 90s, 15m, 1h or 2d
    #[arg(long, value_name = "AGE", default_value = "3h", value_parser = age)]
    since: Duration,
    /// The page's file [default: target/stackway/dashboard-ENV.html]
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Take the figures from this log of the API: what `cargo xtask dev` wrote to stderr
    #[arg(long, value_name = "FILE", conflicts_with_all = ["endpoint_url", "port"])]
    log: Option<PathBuf>,
    #[command(flatten)]
    endpoint: EndpointArgs,
}

pub(crate) async fn run(ui: &Ui, global: &GlobalArgs, args: &DashboardArgs) -> Result<(), Failure> {
    let settings = Settings::resolve(ui, global, &args.endpoint)?;
    if args.log.is_some() && settings.environment.kind != EnvironmentKind::Local {
        return Err(Failure::new(
            Kind::CommandLine,
            "`--log` is for environments on this machine; on AWS CloudWatch has the figures",
        )
        .hint("leave out --log, or name an environment of kind local"));
    }
    let definition = definition(&settings)?;
    let now = SystemClock.now();
    let mut board = match settings.environment.kind {
        EnvironmentKind::Aws => of_cloudwatch(&settings, &definition, args.since, now).await?,
        EnvironmentKind::Local => of_machine(&settings, &definition, args, now).await?,
    };
    let estimate =
        estimate(&settings).unwrap_or_else(|failure| format!("no estimate: {}", failure.message));
    for card in &mut board.cards {
        if card.reach == Reach::Month {
            card.notes.push(estimate.clone());
        }
    }
    show(ui, global, args, &settings, &board)
}

/// What is shown, with the parameters that stackway.toml gives.
fn definition(settings: &Settings) -> Result<Definition, Failure> {
    let name = "observability";
    let def = STACKS.iter().find(|def| def.name == name);
    let def = def
        .ok_or_else(|| Failure::new(Kind::Configuration, format!("there is no stack `{name}`")))?;
    let template = settings.project.template(def)?;
    let naming = &settings.naming;
    let mut values = deploy_plan::parameters(
        &settings.environment,
        naming,
        &template,
        settings.parameters(name),
    );
    values.extend(deploy_plan::pseudo_parameters(settings));
    if let Some(table) = naming.output("table", "TableName", "", &naming.region) {
        values.insert("TableName".to_owned(), table);
    }
    Definition::read(&Version {
        template: &template,
        values,
    })
}

async fn of_cloudwatch(
    settings: &Settings,
    definition: &Definition,
    since: Duration,
    now: OffsetDateTime,
) -> Result<Board, Failure> {
    let cloud = Cloud::for_reading(settings)
        .await?
        .ok_or_else(|| not_deployed(settings))?;
    let client = |region: &str| CloudWatch::new(&aws::in_region(&cloud.config, region));
    let clients = ask::regions(definition).into_iter().map(|region| {
        let client: Box<dyn MetricData> = Box::new(client(region));
        (region.to_owned(), client)
    });
    let clients: BTreeMap<_, _> = clients.collect();
    let here = client(&settings.naming.region);
    let (answers, alarms) = tokio::try_join!(
        ask::cloudwatch(definition, &clients, since, now),
        ask::alarms(definition, &here)
    )?;
    let mut notes = Vec::new();
    match &alarms {
        AlarmsTold::Refused(why) => notes.push(format!(
            "the alarms' states were refused: {why}; figures are held against their thresholds"
        )),
        AlarmsTold::States(states) => {
            let missing = definition
                .alarms
                .iter()
                .filter(|alarm| !states.iter().any(|state| state.name == alarm.name));
            notes.extend(missing.map(|alarm| {
                format!(
                    "alarm {} is not deployed; its figure is held against its threshold",
                    alarm.name
                )
            }));
        }
        AlarmsTold::Unwatched => notes.push("the environment has no alarms (`Alarms`)".to_owned()),
    }
    notes.push("charges are the account's, and are there once billing alerts are switched on in its billing preferences".to_owned());
    let source = "from CloudWatch".to_owned();
    Ok(board(
        settings,
        definition,
        (answers, alarms),
        &cloud.account,
        source,
        (since, now),
        notes,
    ))
}

/// A log, or why there is none.
struct Found {
    /// Whether what writes it is there.
    stands: bool,
    log: Option<RequestLog>,
    without_log: String,
    source: String,
}

/// The function's log in the emulator.
async fn in_emulator(settings: &Settings, from: OffsetDateTime) -> Result<Found, Failure> {
    let Some(cloud) = Cloud::for_reading(settings).await? else {
        return Ok(Found {
            stands: false,
            log: None,
            without_log: "the emulator does not run".to_owned(),
            source: "from pipelines run here".to_owned(),
        });
    };
    let group = format!("/aws/lambda/{}", settings.naming.stack("api"));
    let lines = Logs::new(&cloud.config).log_lines(&group, from).await?;
    Ok(Found {
        stands: true,
        log: lines.map(|lines| {
            let mut log = RequestLog::default();
            for line in lines {
                log.add(Some(line.at), &line.text);
            }
            log
        }),
        without_log: format!("there is no log {group}"),
        source: "from the API's log in the emulator and pipelines run here".to_owned(),
    })
}

async fn of_machine(
    settings: &Settings,
    definition: &Definition,
    args: &DashboardArgs,
    now: OffsetDateTime,
) -> Result<Board, Failure> {
    let from = now - args.since.max(Duration::DAY);
    let Found {
        stands,
        log,
        without_log,
        source,
    } = match &args.log {
        Some(file) => Found {
            stands: true,
            log: Some(log_file(file)?),
            without_log: String::new(),
            source: format!("from {} and pipelines run here", file.display()),
        },
        None => in_emulator(settings, from).await?,
    };
    let here = Here {
        log,
        without_log,
        runs: runs(settings, from)?,
    };
    if !stands && here.runs.is_empty() {
        return Err(not_deployed(settings));
    }
    let mut notes = Vec::new();
    if here.log.as_ref().is_some_and(RequestLog::is_empty) {
        notes.push("the log has no request in this time".to_owned());
    }
    notes.push("durations are those that the API measured; nothing here counts the table's units, or Lambda's throttles".to_owned());
    let answers = ask::here(definition, &here, args.since, now);
    let account = (settings.environment.accounts.first())
        .map_or_else(|| "none".to_owned(), ToString::to_string);
    let told = (answers, AlarmsTold::Unwatched);
    Ok(board(
        settings,
        definition,
        told,
        &account,
        source,
        (args.since, now),
        notes,
    ))
}

fn board(
    settings: &Settings,
    definition: &Definition,
    (answers, alarms): (Answers, AlarmsTold),
    account: &str,
    source: String,
    (since, now): (Duration, OffsetDateTime),
    notes: Vec<String>,
) -> Board {
    Board {
        environment: settings.environment.name.to_string(),
        region: settings.naming.region.clone(),
        account: account.to_owned(),
        source,
        now,
        since,
        cards: cards(definition, &answers, &alarms, since, now),
        notes,
    }
}

fn not_deployed(settings: &Settings) -> Failure {
    let name = &settings.environment.name;
    Failure::new(
        Kind::NotDeployed,
        format!("nothing of `{name}` runs here, and no pipeline has run for it"),
    )
    .hint(format!(
        "run `cargo xtask deploy --env {name}`, or name a log of `cargo xtask dev` with --log"
    ))
}

fn log_file(file: &Path) -> Result<RequestLog, Failure> {
    let text = std::fs::read(file).map_err(|error| Failure::io("read", file, &error))?;
    let mut log = RequestLog::default();
    for line in String::from_utf8_lossy(&text).lines() {
        log.add(None, line);
    }
    Ok(log)
}

/// What pipelines ran here for the environment and ended.
fn runs(settings: &Settings, from: OffsetDateTime) -> Result<Vec<Run>, Failure> {
    let executions = Executions::new(&pipeline_here::folder(settings));
    let mut runs = Vec::new();
    for pipeline in pipeline_here::pipelines()? {
        let all = executions
            .of(pipeline.name)
            .map_err(pipeline_here::failure_of)?;
        let environment = settings.environment.name.as_str();
        let ended = all.iter().filter_map(|one| run_of(one, environment));
        runs.extend(ended.filter(|run| run.ended >= from));
    }
    Ok(runs)
}

/// What counts of an execution; `None` where it is another environment's, or has not ended.
fn run_of(execution: &Execution, environment: &str) -> Option<Run> {
    let ended = i128::from(execution.ended?) * 1_000_000;
    let actions = execution.stages.iter().flat_map(|stage| &stage.actions);
    let builds = actions.filter(|action| action.provider == BUILD);
    let run = Run {
        pipeline: execution.pipeline.clone(),
        ended: OffsetDateTime::from_unix_timestamp_nanos(ended).ok()?,
        failed: execution.status == Status::Failed,
        build_seconds: builds.filter_map(ActionRun::seconds).sum(),
    };
    (execution.environment == environment).then_some(run)
}

/// What the templates are estimated to cost, in a line.
fn estimate(settings: &Settings) -> Result<String, Failure> {
    let usage = Usage::read(None, None, None)?;
    let book = pricing::book()?;
    let basis = usage.basis(&book)?;
    let profile = basis.profile_name.to_owned();
    let graph = StackGraph::all().map_err(graph_failure)?;
    let estimate = Selection::of_work_tree(settings, &graph)?.estimate(basis)?;
    let on_aws = match settings.environment.kind {
        EnvironmentKind::Aws => "",
        EnvironmentKind::Local => " on AWS",
    };
    Ok(format!(
        "estimated from the templates: {} {} a month{on_aws}, usage `{profile}`",
        money(estimate.total().after_free),
        estimate.currency
    ))
}

fn show(
    ui: &Ui,
    global: &GlobalArgs,
    args: &DashboardArgs,
    settings: &Settings,
    board: &Board,
) -> Result<(), Failure> {
    let file = match (&args.output, global.format) {
        (Some(file), _) => Some(file.clone()),
        (None, Format::Text) => {
            let name = format!("dashboard-{}.html", settings.environment.name);
            Some(settings.project.state_dir().join(name))
        }
        (None, _) => None,
    };
    match global.format {
        Format::Json => ui.json(&board.json()),
        Format::Html if file.is_none() => ui.data(board.html().trim_end()),
        Format::Html => {}
        _ => ui.data(board.text()),
    }
    if let Some(file) = file {
        rendering::write(&file, &board.html())?;
        ui.say(format!("wrote {}; open it in a browser", file.display()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use stackway_pipeline_runner::StageRun;

    use super::*;

    #[test]
    fn a_run_is_an_execution_that_ended_with_the_time_of_its_builds() {
        let action = |provider: &str, started, ended| ActionRun {
            provider: provider.into(),
            started: Some(started),
            ended: Some(ended),
            ..ActionRun::default()
        };
        let stage = StageRun {
            actions: vec![
                action(BUILD, 1_000, 61_500),
                action("CloudFormation", 0, 90_000),
            ],
            ..StageRun::default()
        };
        let execution = Execution {
            pipeline: "application".into(),
            environment: "local".into(),
            status: Status::Failed,
            ended: Some(100_000),
            stages: vec![stage],
            ..Execution::default()
        };
        let expected = Run {
            pipeline: "application".into(),
            ended: OffsetDateTime::from_unix_timestamp(100).unwrap(),
            failed: true,
            build_seconds: 60.5,
        };
        assert_eq!(run_of(&execution, "local"), Some(expected));
        assert_eq!(run_of(&execution, "dev"), None);
        let runs = Execution {
            ended: None,
            ..execution
        };
        assert_eq!(run_of(&runs, "local"), None);
    }
}
