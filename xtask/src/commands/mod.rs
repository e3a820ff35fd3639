//! One file a command: its arguments, its doc comment, its function.

pub(crate) mod bench;
pub(crate) mod completions;
pub(crate) mod cost;
pub(crate) mod dashboard;
pub(crate) mod deploy;
pub(crate) mod destroy;
pub(crate) mod dev;
pub(crate) mod diagnose;
pub(crate) mod diff;
pub(crate) mod doctor;
pub(crate) mod drift;
pub(crate) mod import;
pub(crate) mod lint;
pub(crate) mod logs;
pub(crate) mod outputs;
pub(crate) mod package;
pub(crate) mod pipeline;
pub(crate) mod plan;
pub(crate) mod render;
pub(crate) mod stack_set;
pub(crate) mod status;
pub(crate) mod test;

use crate::cli::{Cli, Command, Format};
use crate::failure::{Failure, Kind};
use crate::ui::Ui;

/// Runs the command that was asked for.
pub(crate) async fn run(cli: Cli, ui: &Ui) -> Result<(), Failure> {
    let global = &cli.global;
    let takes = match global.format {
        Format::Text | Format::Json => true,
        Format::Markdown => matches!(cli.command, Command::Cost(_) | Command::Plan(_)),
        Format::Csv => matches!(cli.command, Command::Cost(_)),
        Format::Html => matches!(cli.command, Command::Cost(_) | Command::Dashboard(_)),
    };
    if !takes {
        let what = "`--format` takes text or json here; csv, markdown and html are forms of `cost`, markdown of `plan` too, html of `dashboard`";
        return Err(
            Failure::new(Kind::CommandLine, what).hint("use --format text or --format json")
        );
    }
    match cli.command {
        Command::Doctor(args) => doctor::run(ui, global, &args).await,
        Command::Dev(args) => dev::run(ui, &args).await,
        Command::Test(args) => test::run(ui, &args).await,
        Command::Lint(args) => lint::run(ui, &args).await,
        Command::Render(args) => render::run(ui, global, &args),
        Command::Package(args) => package::run(ui, &args).await,
        Command::Pipeline(args) => Box::pin(pipeline::run(ui, global, &args)).await,
        Command::Bench(args) => bench::run(ui, &args).await,
        Command::Plan(args) => plan::run(ui, global, &args).await,
        Command::Deploy(args) => deploy::run(ui, global, &args).await,
        Command::Import(args) => import::run(ui, global, &args).await,
        Command::Cost(args) => cost::run(ui, global, &args).await,
        Command::StackSet(args) => stack_set::run(ui, global, &args).await,
        Command::Status(args) => status::run(ui, global, &args).await,
        Command::Dashboard(args) => dashboard::run(ui, global, &args).await,
        Command::Diagnose(args) => diagnose::run(ui, global, &args).await,
        Command::Outputs(args) => outputs::run(ui, global, &args).await,
        Command::Logs(args) => logs::run(ui, global, &args).await,
        Command::Drift(args) => drift::run(ui, global, &args).await,
        Command::Diff(args) => diff::run(ui, global, &args).await,
        Command::Destroy(args) => destroy::run(ui, global, &args).await,
        Command::Completions(args) => {
            completions::run(ui, &args);
            Ok(())
        }
    }
}
