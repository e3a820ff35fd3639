//! Reads a plan from stdin, measures, and writes the report to stdout, both as JSON.
//!
//! A program of its own, so that the host of the functions is optimised while `xtask` need not be.

use std::{
    error::Error,
    io::{self, Write},
    process::ExitCode,
};

use stackway_lambda_bench::{Plan, measure};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            talk(&error.to_string());
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), Box<dyn Error>> {
    let plan: Plan = serde_json::from_reader(io::stdin())?;
    let report = measure(&plan, |line| talk(&line)).await?;
    serde_json::to_writer(io::stdout(), &report)?;
    Ok(())
}

fn talk(line: &str) {
    // Where nobody listens there is nobody to tell.
    let _ = writeln!(io::stderr(), "{line}");
}
