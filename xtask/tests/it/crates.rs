//! The crates' directions, as docs/architecture.md draws them.

use std::collections::BTreeMap;
use std::process::Command;

use serde_json::Value;

/// Which crates of the workspace each may name in `[dependencies]`; test-only dependencies are listed apart.
const ALLOWED: &[(&str, &[&str], &[&str])] = &[
    (
        "stackway-api",
        &["stackway-aws-client", "stackway-release-hook"],
        &["stackway-local-cloud"],
    ),
    ("stackway-aws-client", &[], &[]),
    ("stackway-cost", &[], &[]),
    ("stackway-floor", &[], &[]),
    ("stackway-infra", &["stackway-workspace-hack"], &[]),
    ("stackway-lambda-bench", &["stackway-local-cloud"], &[]),
    ("stackway-load", &["stackway-local-cloud"], &[]),
    ("stackway-local-cloud", &[], &[]),
    ("stackway-pipeline-defs", &[], &[]),
    (
        "stackway-pipeline-runner",
        &["stackway-pipeline-defs", "stackway-workspace-hack"],
        &[],
    ),
    (
        "stackway-release-check",
        &["stackway-aws-client"],
        &["stackway-api"],
    ),
    ("stackway-release-hook", &["stackway-aws-client"], &[]),
    (
        "stackway-rotation",
        &["stackway-aws-client"],
        &["stackway-api"],
    ),
    ("stackway-workspace-hack", &[], &[]),
    (
        "xtask",
        &[
            "stackway-cost",
            "stackway-infra",
            "stackway-lambda-bench",
            "stackway-local-cloud",
            "stackway-pipeline-defs",
            "stackway-pipeline-runner",
            "stackway-workspace-hack",
        ],
        &[],
    ),
];

#[test]
fn crates_import_only_what_the_architecture_allows() {
    let output = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["metadata", "--no-deps", "--format-version", "1"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let names: Vec<_> = packages
        .iter()
        .map(|package| package["name"].as_str().unwrap())
        .collect();
    let mut found: BTreeMap<&str, (Vec<&str>, Vec<&str>)> = BTreeMap::new();
    for package in packages {
        let edges = found.entry(package["name"].as_str().unwrap()).or_default();
        for dependency in package["dependencies"].as_array().unwrap() {
            let name = dependency["name"].as_str().unwrap();
            if !names.contains(&name) || Some(name) == package["name"].as_str() {
                continue;
            }
            if dependency["kind"] == "dev" {
                edges.1.push(name);
            } else {
                edges.0.push(name);
            }
        }
    }
    for (normal, dev) in found.values_mut() {
        normal.sort_unstable();
        dev.sort_unstable();
    }
    let allowed: BTreeMap<_, _> = ALLOWED
        .iter()
        .map(|(name, normal, dev)| (*name, (normal.to_vec(), dev.to_vec())))
        .collect();
    assert_eq!(
        found, allowed,
        "a new edge between crates is a change of architecture"
    );
}
