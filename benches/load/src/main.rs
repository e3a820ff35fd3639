//! The other side of `cargo xtask bench load`: one process for each part, so that none takes another's time.
//!
//! `store` serves an embedded DynamoDB, `route` a bare axum route, `put` calls the SDK in a loop, and `drain` writes
//! through the API until it stops and then looks whether anything is lost.

mod drain;
mod put;
mod route;
mod store;

use std::error::Error;
use std::io::Write as _;

use serde::Serialize;

/// Every part ends with what it says or with an error for a person.
type Done = Result<(), Box<dyn Error + Send + Sync>>;

#[tokio::main]
async fn main() -> Done {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["store"] => store::run().await,
        ["route"] => route::run().await,
        ["put", endpoint, connections, seconds] => {
            put::run(endpoint, connections.parse()?, seconds.parse()?).await
        }
        ["drain", address, endpoint, connections] => {
            drain::run(address, endpoint, connections.parse()?).await
        }
        _ => Err("this is run by `cargo xtask bench load`".into()),
    }
}

/// The table that every part writes to.
const TABLE: &str = "items";

/// One line of JSON to whoever started this.
fn tell(what: &impl Serialize) -> Done {
    let mut stdout = std::io::stdout().lock();
    serde_json::to_writer(&mut stdout, what)?;
    writeln!(stdout)?;
    stdout.flush()?;
    Ok(())
}
