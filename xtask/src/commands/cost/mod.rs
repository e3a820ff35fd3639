//! `cost`: an estimate, a difference, a bill, a measured profile, a new price book.

mod actual;
mod measure;
mod refresh;

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use rust_decimal::Decimal;
use stackway_cost::diff::Difference;
use stackway_cost::estimate::Estimate;
use stackway_cost::report::{Report, money};
use stackway_cost::usage::Account;
use stackway_infra::stack_def::StackGraph;

use super::status::graph_failure;
use crate::cli::{EndpointArgs, Format, GlobalArgs};
use crate::cloud::Cloud;
use crate::failure::{Failure, Kind};
use crate::pricing::{self, Selection, Usage};
use crate::settings::Settings;
use crate::ui::Ui;

/// What `--diff` names where it is given no revision.
const DEPLOYED: &str = "deployed";

/// Tell what an environment costs, before it is deployed and after
///
/// Offline, from the templates, stackway.toml, usage.toml and the price book. `--format` takes csv, markdown and html too.
/// docs/cost.md has the figures and the form of the JSON. Nothing is written but by `--refresh`.
#[derive(Debug, Args)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag of the command line"
)]
pub(crate) struct CostArgs {
    /// Only these stacks
    #[arg(long = "stack", value_name = "STACK")]
    stacks: Vec<String>,
    /// The usage profile [default: the one that usage.toml names]
    #[arg(long, value_name = "NAME")]
    profile: Option<String>,
    /// The usage file [default: usage.toml]
    #[arg(long, value_name = "FILE")]
    usage: Option<PathBuf>,
    /// What the account has free [default: what usage.toml says]
    #[arg(long, value_name = "PLAN")]
    account_plan: Option<PlanArg>,
    /// Price this template, YAML or JSON, in place of the environment
    #[arg(long = "template", value_name = "FILE", requires = "region", conflicts_with_all = ["stacks", "diff", "actual", "measure", "refresh"])]
    templates: Vec<PathBuf>,
    /// The region to price the template in
    #[arg(long, value_name = "REGION", requires = "templates")]
    region: Option<String>,
    /// A parameter of the template
    #[arg(long = "parameter", value_name = "NAME=VALUE", requires = "templates", value_parser = name_and_value)]
    parameters: Vec<(String, String)>,
    /// Show what the work tree changes: against a git revision, or against what is deployed where none is named
    #[arg(long, value_name = "REVISION", num_args = 0..=1, default_missing_value = DEPLOYED, conflicts_with_all = ["actual", "measure", "refresh"])]
    diff: Option<String>,
    /// Fail where a month costs more than this, after the free tier
    #[arg(long, value_name = "USD", value_parser = limit, conflicts_with_all = ["actual", "measure", "refresh"])]
    max_monthly: Option<Decimal>,
    /// Show the bill beside the estimate: Cost Explorer by the project's tags, budgets, free-tier use. Asks first, since
    /// each call of Cost Explorer costs 0.01 USD
    #[arg(long, conflicts_with_all = ["measure", "refresh"])]
    actual: bool,
    /// Print a usage profile that is measured from CloudWatch's metrics
    #[arg(long, conflicts_with = "refresh")]
    measure: bool,
    /// The days that `--actual` and `--measure` look back
    #[arg(long, value_name = "DAYS", default_value = "30", value_parser = clap::value_parser!(u16).range(1..=365))]
    days: u16,
    /// Write the price book anew, from the Price List API or from offer files
    #[arg(long)]
    refresh: bool,
    /// A folder of offer files, in place of the API
    #[arg(long, value_name = "FOLDER", requires = "refresh")]
    offers: Option<PathBuf>,
    /// Show what `--refresh` would change, and write nothing
    #[arg(long, requires = "refresh")]
    dry_run: bool,
    /// Answer the question with yes
    #[arg(long, short)]
    yes: bool,
    #[command(flatten)]
    endpoint: EndpointArgs,
}

/// A plan that needs no figures of its own; credits are described in usage.toml.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum PlanArg {
    /// What every account has
    AlwaysFree,
    /// The first year of an account opened before 15 July 2025
    TwelveMonths,
}

fn name_and_value(text: &str) -> Result<(String, String), String> {
    (text.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .ok_or_else(|| "a parameter is given as NAME=VALUE".to_owned())
}

fn limit(text: &str) -> Result<Decimal, String> {
    let limit = text.parse::<Decimal>().ok();
    limit
        .filter(|limit| !limit.is_sign_negative())
        .ok_or_else(|| "this is no amount such as 5 or 0.50".to_owned())
}

pub(crate) async fn run(ui: &Ui, global: &GlobalArgs, args: &CostArgs) -> Result<(), Failure> {
    if args.refresh {
        return refresh::run(ui, global, args).await;
    }
    let account = args.account_plan.map(|plan| match plan {
        PlanArg::AlwaysFree => Account::AlwaysFree,
        PlanArg::TwelveMonths => Account::TwelveMonths,
    });
    let usage = Usage::read(args.usage.as_deref(), args.profile.as_deref(), account)?;
    let book = pricing::book()?;
    let basis = usage.basis(&book)?;
    if let Some(region) = &args.region {
        let selection = Selection::of_templates(&args.templates, region, &args.parameters)?;
        let title = if args.templates.len() == 1 {
            args.templates[0].display().to_string()
        } else {
            "the templates".to_owned()
        };
        return show(
            ui,
            global,
            &title,
            &selection.estimate(basis)?,
            args.max_monthly,
        );
    }
    let calls = args.actual || args.measure || args.diff.as_deref() == Some(DEPLOYED);
    let settings = if calls {
        Settings::resolve(ui, global, &args.endpoint)?
    } else {
        Settings::resolve_without_endpoint(global)?
    };
    let graph = StackGraph::all()
        .and_then(|graph| graph.select(&args.stacks, false))
        .map_err(graph_failure)?;
    if args.measure {
        return measure::run(ui, &settings, &graph, args.days).await;
    }
    // What a stack needs of another is resolved whether that other one is shown or not.
    let selection = Selection::of_work_tree(&settings, &graph)?;
    for note in &selection.notes {
        ui.say(note);
    }
    let estimate = selection.estimate(basis)?;
    let title = settings.environment.name.as_str();
    if args.actual {
        return actual::run(ui, global, &settings, &estimate, args).await;
    }
    let Some(revision) = &args.diff else {
        return show(ui, global, title, &estimate, args.max_monthly);
    };
    let before = if revision == DEPLOYED {
        match Cloud::for_reading(&settings).await? {
            Some(cloud) => Selection::of_deployed(&settings, &graph, &cloud).await?,
            // Nothing runs, so nothing is deployed.
            None => Selection::default(),
        }
    } else {
        let revision = (settings.project.revision(revision)).map_err(|failure| Failure {
            hints: vec![
                "name a commit, a branch or a tag that git has here: `--diff origin/main`"
                    .to_owned(),
            ],
            ..failure
        })?;
        Selection::of_revision(&settings, &graph, &revision)?
    };
    let difference = Difference::new(
        (revision.clone(), before.estimate(basis)?),
        ("the work tree".to_owned(), estimate),
    );
    let written = match global.format {
        Format::Text => difference.text(title, ui.width()),
        Format::Json => difference.json(title),
        Format::Csv => difference.csv(),
        Format::Markdown => difference.markdown(title),
        Format::Html => {
            return Err(
                Failure::new(Kind::CommandLine, "a difference has no HTML form")
                    .hint("`--format` takes text, json, csv and markdown with `--diff`"),
            );
        }
    };
    ui.data(written.trim_end());
    within(ui, &difference.after, args.max_monthly)
}

/// Writes an estimate as the format asks, and holds it to the limit.
fn show(
    ui: &Ui,
    global: &GlobalArgs,
    title: &str,
    estimate: &Estimate,
    limit: Option<Decimal>,
) -> Result<(), Failure> {
    let report = Report { title, estimate };
    let written = match global.format {
        Format::Text => report.text(ui.width()),
        Format::Json => report.json(),
        Format::Csv => report.csv(),
        Format::Markdown => report.markdown(),
        Format::Html => report.html(),
    };
    ui.data(written.trim_end());
    within(ui, estimate, limit)
}

/// Holds a month to a limit. What is not priced is not in it, and is named.
fn within(ui: &Ui, estimate: &Estimate, limit: Option<Decimal>) -> Result<(), Failure> {
    let Some(limit) = limit else {
        return Ok(());
    };
    let monthly = estimate.total().after_free;
    if monthly > limit {
        let what = format!(
            "a month costs {} {}, which is more than {limit}",
            money(monthly),
            estimate.currency
        );
        return Err(Failure::new(Kind::Check, what)
            .hint("make it cheaper as the report says, or raise `--max-monthly`"));
    }
    for missing in estimate
        .not_priced
        .iter()
        .filter(|missing| !missing.covered)
    {
        ui.warn(format!(
            "not part of what `--max-monthly` was held to: {}.{}: {}",
            missing.stack, missing.resource, missing.why
        ));
    }
    Ok(())
}

/// The cloud that an environment's bills and metrics are asked of.
async fn cloud_of(settings: &Settings) -> Result<Cloud, Failure> {
    Cloud::for_reading(settings).await?.ok_or_else(|| {
        let name = &settings.environment.name;
        Failure::new(
            Kind::NotDeployed,
            format!("nothing is deployed to `{name}`"),
        )
        .hint("name an environment on AWS: `--env sandbox`")
    })
}
