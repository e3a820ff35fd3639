//! The log: one JSON object a line on stderr, which Lambda hands to its log group as it is.

use std::io;

use tracing::{Level, level_filters::LevelFilter};
use tracing_subscriber::{Layer, filter::Targets, layer::SubscriberExt, util::SubscriberInitExt};

/// Starts the log, panics included, for the rest of the process.
///
/// `level` is for this crate. Other crates are held at warnings, since the AWS SDK and the Lambda runtime write
/// whole requests, and so the content of items, at their lower levels.
///
/// # Errors
/// If a log was started before.
pub fn start(level: Level) -> Result<(), tracing_subscriber::util::TryInitError> {
    let targets = Targets::new()
        .with_default(LevelFilter::from_level(level.min(Level::WARN)))
        .with_target(env!("CARGO_CRATE_NAME"), level);
    let lines = tracing_subscriber::fmt::layer()
        .json()
        .flatten_event(true)
        .with_current_span(true)
        .with_span_list(false)
        .with_writer(io::stderr)
        .with_filter(targets);
    tracing_subscriber::registry().with(lines).try_init()?;
    std::panic::set_hook(Box::new(|panic| {
        let location = panic.location().map(ToString::to_string);
        tracing::error!(location, "panic");
    }));
    Ok(())
}
