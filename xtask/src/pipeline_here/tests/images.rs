//! Images in the emulator's registry.

use stackway_pipeline_runner::ImageOrder;

use super::*;
use crate::package;
use crate::pipeline_here::image;

const REPOSITORY: &str = r"
Resources:
  Repository:
    Type: AWS::ECR::Repository
    Properties: {RepositoryName: one-images, ImageTagMutability: IMMUTABLE}
";

#[test]
#[expect(clippy::print_stderr, reason = "a skipped test says so")]
fn an_image_is_pushed_over_a_container_engine() {
    let bench = Bench::new();
    if let Some(why) = bench.runtime.block_on(package::engine_is_missing()) {
        assert!(
            std::env::var_os("STACKWAY_REQUIRE_DOCKER").is_none(),
            "{why}"
        );
        eprintln!("skipped: {why}");
        return;
    }
    bench.commit(&[("repository.yaml", REPOSITORY)]);
    let stack = Action::new("Store", stacks::of("one-images", "repository.yaml")).reads(SOURCE);
    bench.succeeds(vec![Stage::new("Deploy", vec![stack])]);

    let source = tempfile::tempdir().unwrap();
    let write = |text: &str| std::fs::write(source.path().join("Dockerfile"), text).unwrap();
    let said = Mutex::new(Vec::new());
    let say = |text: &str| {
        said.lock().unwrap().push(text.to_owned());
        Ok(())
    };
    let Endpoint::Given(url) = &bench.settings.endpoint else {
        unreachable!()
    };
    let registry = image::registry_at(url);
    let publish = |tag: &str| {
        let order = ImageOrder {
            repository: "one-images".to_owned(),
            source: source.path(),
            docker_file: None,
            tags: vec![tag.to_owned()],
        };
        bench
            .runtime
            .block_on(image::publish(&order, registry, &say))
    };
    write("FROM scratch\nCOPY Dockerfile /made\n");
    let digest = publish("first").unwrap().unwrap();
    let again = publish("first").unwrap().unwrap();
    assert_eq!(digest, again, "the same files are the same image");
    let manifest = ureq::get(format!("{url}/v2/one-images/manifests/first"))
        .call()
        .unwrap();
    assert_eq!(manifest.headers()["docker-content-digest"], digest.as_str());

    // What it is built upon is not to be had: there is no image, and a line says so.
    write("FROM 127.0.0.1:1/nothing:here\n");
    assert_eq!(publish("second").unwrap(), None);
    let told = said.lock().unwrap().join("\n");
    assert!(told.contains("cannot be pulled"), "{told}");

    // What does not build is a failure.
    write("FROM scratch\nCOPY nothing /made\n");
    let failure = publish("third").unwrap_err();
    assert!(failure.message.contains("docker build"), "{failure}");
}
