//! The stack of the container: what the emulator has of it is made for real.

use crate::workbench::{LOCAL, Workbench};

/// The API as an image, which nothing has to be built for: the container takes its names alone.
const WITH_CONTAINER: &str = r#"
with = ["container"]

[environments.local.parameters.artifacts]
CustomerManagedKey = "false"

[environments.local.parameters.api]
PackageType = "Image"
ImageUri = "000000000000.dkr.ecr.eu-west-2.amazonaws.com/stackway-eu-west-2-local-api:one"

[environments.local.parameters.container]
Image = ":one"
"#;

const DEPLOY: [&str; 5] = ["deploy", "--stack", "container", "--format", "json"];

#[test]
fn the_container_waits_for_the_api_and_is_made_and_removed_with_each_of_its_ways_in() {
    let config = format!("{LOCAL}{WITH_CONTAINER}");
    // A pipeline owns the API, and has not run.
    let bench = Workbench::with_code(&config.replace("\"direct\"", "\"pipeline\""));
    let waits = bench.run(&DEPLOY).succeeded();
    waits.said(&[
        "api: skipped: left to the pipeline",
        "container: skipped: it needs `ApiId` of `api`, which the pipeline makes; deploy again once it stands",
        "3 created",
    ]);
    assert!(waits.json()["container"].is_null());

    std::fs::write(bench.file("stackway.toml"), &config).unwrap();
    let outputs = bench.run(&DEPLOY).succeeded().json();
    let container = &outputs["container"];
    assert_eq!(container["ClusterName"], "stackway-eu-west-2-local");
    assert_eq!(container["ServiceName"], "api");
    let image = container["Image"].as_str().unwrap();
    assert!(
        image.ends_with("/stackway-eu-west-2-local-api:one"),
        "{image}"
    );

    // The pipeline's stack stands now: what it gives is taken from there.
    let balanced = config.replace("\"direct\"", "\"pipeline\"") + "Entry = \"load-balancer\"\n";
    std::fs::write(bench.file("stackway.toml"), balanced).unwrap();
    bench.run(&DEPLOY).succeeded().said(&["1 updated"]);
    bench.run(&DEPLOY).succeeded().said(&["no changes"]);

    let destroy = bench.run(&["destroy", "--env", "local", "--yes"]);
    destroy.succeeded().said(&["0 left"]);
}
