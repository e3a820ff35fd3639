//! Bakes in the two versions that `GET /version/*` reports.
//!
//! Both come from inputs that a commit fixes (the compiler and Cargo.lock), never from the clock or a path,
//! so that the same source makes the same binary.

use std::{env, error::Error, fs, process::Command};

const LOCK: &str = "../../Cargo.lock";

fn main() -> Result<(), Box<dyn Error>> {
    let output = Command::new(env::var("RUSTC")?).arg("--version").output()?;
    let line = String::from_utf8(output.stdout)?;
    let rust = line
        .split_whitespace()
        .nth(1)
        .ok_or("`rustc --version` names no version")?;
    let lock = fs::read_to_string(LOCK)?;
    let lambda_http =
        locked_version(&lock, "lambda_http").ok_or("Cargo.lock holds no lambda_http")?;

    println!("cargo::rustc-env=STACKWAY_RUST_VERSION={rust}");
    println!("cargo::rustc-env=STACKWAY_LAMBDA_HTTP_VERSION={lambda_http}");
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed={LOCK}");
    Ok(())
}

/// The version on the line after `name = "<package>"`, which is where cargo always writes it.
fn locked_version<'a>(lock: &'a str, package: &str) -> Option<&'a str> {
    let name = format!("name = \"{package}\"");
    let mut lines = lock.lines().skip_while(|line| *line != name);
    lines
        .nth(1)?
        .strip_prefix("version = \"")?
        .strip_suffix('"')
}
