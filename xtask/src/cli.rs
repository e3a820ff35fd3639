//! The command line: what clap parses, and nothing else.

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::commands;

/// From a commit to running AWS stacks, and back to nothing left.
#[derive(Debug, Parser)]
#[command(
    name = "cargo xtask",
    bin_name = "cargo xtask",
    version,
    disable_help_subcommand = true
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: GlobalArgs,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What every command takes.
#[derive(Clone, Debug, Args)]
pub(crate) struct GlobalArgs {
    /// The environment of stackway.toml to work on
    #[arg(
        long,
        short,
        global = true,
        env = "STACKWAY_ENV",
        default_value = "local",
        value_name = "NAME"
    )]
    pub(crate) env: String,
    /// How data is written to stdout
    #[arg(
        long,
        global = true,
        env = "STACKWAY_FORMAT",
        default_value = "text",
        value_name = "FORMAT"
    )]
    pub(crate) format: Format,
    /// When to use colour; NO_COLOR is kept
    #[arg(long, global = true, default_value = "auto", value_name = "WHEN")]
    pub(crate) color: ColorWhen,
    /// Say less: errors and results alone
    #[arg(long, short, global = true, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
    /// Say more
    #[arg(long, short, global = true)]
    pub(crate) verbose: bool,
}

/// Where the AWS calls go.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct EndpointArgs {
    /// Send every AWS call to this address: an emulator that somebody else runs
    #[arg(long, value_name = "URL")]
    pub(crate) endpoint_url: Option<String>,
    /// The emulator's port on 127.0.0.1; one that runs already keeps its own [default: 4566]
    #[arg(long, env = "STACKWAY_EMULATOR_PORT", value_name = "PORT")]
    pub(crate) port: Option<u16>,
}

/// How data is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people
    Text,
    /// For machines
    Json,
    /// For spreadsheets; `cost` alone
    #[value(hide = true)]
    Csv,
    /// For a pull request; `plan` and `cost` alone
    #[value(hide = true)]
    Markdown,
    /// One page; `cost` and `dashboard` alone
    #[value(hide = true)]
    Html,
}

/// When colour is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ColorWhen {
    /// On a terminal
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// One variant a command; its `Args` and its function are in a file of its own.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Doctor(commands::doctor::DoctorArgs),
    Dev(commands::dev::DevArgs),
    Test(commands::test::TestArgs),
    Lint(commands::lint::LintArgs),
    Render(commands::render::RenderArgs),
    Package(commands::package::PackageArgs),
    Bench(commands::bench::BenchArgs),
    Plan(commands::plan::PlanArgs),
    Deploy(commands::deploy::DeployArgs),
    Import(commands::import::ImportArgs),
    Cost(commands::cost::CostArgs),
    Status(commands::status::StatusArgs),
    Outputs(commands::outputs::OutputsArgs),
    Dashboard(commands::dashboard::DashboardArgs),
    Diagnose(commands::diagnose::DiagnoseArgs),
    Logs(commands::logs::LogsArgs),
    Drift(commands::drift::DriftArgs),
    Diff(commands::diff::DiffArgs),
    Pipeline(commands::pipeline::PipelineArgs),
    StackSet(commands::stack_set::StackSetArgs),
    Destroy(commands::destroy::DestroyArgs),
    Completions(commands::completions::CompletionsArgs),
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn help() {
        let mut text = String::new();
        let mut cli = Cli::command().term_width(100);
        text.push_str(&cli.render_help().to_string());
        for command in cli.get_subcommands_mut() {
            let help = command.render_help();
            text += &["\n=== ", command.get_name(), " ===\n", &help.to_string()].concat();
        }
        insta::assert_snapshot!(text);
    }
}
