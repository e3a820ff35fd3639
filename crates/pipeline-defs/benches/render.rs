//! What it takes to render every form of every pipeline, checks included: `cargo bench -p stackway-pipeline-defs`.

use std::hint::black_box;
use std::time::{Duration, Instant};

use stackway_pipeline_defs::render::{EnvironmentInput, Site, Workspace, declarations, render};

const RUNS: usize = 200;

#[expect(clippy::print_stdout, reason = "a benchmark tells its figures")]
fn main() {
    let workspace = Workspace {
        delivery_template: include_str!("../../../cloudformation/delivery.yaml").to_owned(),
        environments: vec![EnvironmentInput::default(); 5],
    };
    let site = Site::example();
    let mut times: Vec<Duration> = (0..RUNS)
        .map(|_| {
            let start = Instant::now();
            let files = render(black_box(&workspace)).map(|files| files.len());
            let declared = declarations(black_box(&site)).map(|files| files.len());
            assert!(files.is_ok() && declared.is_ok(), "{files:?} {declared:?}");
            start.elapsed()
        })
        .collect();
    times.sort_unstable();
    let (median, slowest) = (times[RUNS / 2], times[RUNS - 1]);
    println!("rendering everything: {median:.2?} at the median of {RUNS}, {slowest:.2?} at most");
}
