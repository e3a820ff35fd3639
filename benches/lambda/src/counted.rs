//! Runs a bootstrap for a tool that counts what it does from its start to its end.

use stackway_local_cloud::lambda::FunctionProcess;

use crate::{BenchError, Scenario, Side, Stage, measure::answered};

/// Starts `side`, has it answer `events` of a scenario, and ends it with SIGTERM, so that the tool writes its account.
///
/// # Errors
///
/// If the side does not answer, or answers wrongly.
pub async fn run(
    stage: &Stage,
    side: &Side,
    scenario: Scenario,
    tls: bool,
    events: u32,
) -> Result<(), BenchError> {
    let mut process = FunctionProcess::spawn(&stage.function(side, tls)).await?;
    for _ in 0..events {
        answered(side, scenario, &mut process).await?;
    }
    // The function asks for the next event before it ends, whatever the tool's speed.
    process.idle().await.map_err(|source| BenchError::Invoke {
        side: side.name.clone(),
        scenario: scenario.name(),
        source,
    })?;
    process.stop().await?;
    Ok(())
}
