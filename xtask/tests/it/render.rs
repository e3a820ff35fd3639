//! `render`: what follows from the definitions is written, compared and repaired.

use crate::workbench::Workbench;

const CONFIG: &str = r#"
[project]
name = "stackway"
repository = "https://github.com/example/stackway"

[environments.local]
kind = "local"
regions = ["eu-west-2"]

[environments.prod]
kind = "aws"
accounts = ["222222222222"]
regions = ["eu-west-2"]
delivery = "pipeline"

[environments.prod.parameters.api]
MemorySize = "512"
"#;

/// What is committed is what the definitions say: a stage that was added to one half alone fails here.
#[test]
fn the_tree_is_as_its_definitions_say() {
    Workbench::new().run(&["render", "--check"]).succeeded();
}

#[test]
fn a_difference_is_shown_and_repaired() {
    let bench = Workbench::with_config(CONFIG);
    bench
        .run(&["render", "--check"])
        .refused(1, &["differs from its definition", "cargo xtask render"]);
    bench.run(&["render"]).succeeded();
    bench.run(&["render", "--check"]).succeeded();

    let buildspec = bench.file("buildspecs/test.yml");
    let text = std::fs::read_to_string(&buildspec).unwrap();
    std::fs::write(&buildspec, text.replace("cargo fmt --all --check", "true")).unwrap();
    std::fs::write(bench.file("buildspecs/old.yml"), "version: 0.2\n").unwrap();
    let checked = bench.run(&["render", "--check"]);
    assert!(checked.stdout.contains("-      - true\n"));
    assert!(
        checked
            .stdout
            .contains("+      - cargo fmt --all --check\n")
    );
    checked.refused(1, &["buildspecs/test.yml", "application.rs"]);
    bench.run(&["render"]).succeeded();
    bench.run(&["render", "--check"]).succeeded();
    assert_eq!(std::fs::read_to_string(&buildspec).unwrap(), text);
    assert!(!bench.file("buildspecs/old.yml").exists());

    let configuration =
        std::fs::read_to_string(bench.file("cloudformation/configuration/prod/api.json"));
    assert!(configuration.unwrap().contains(r#""MemorySize": "512""#));
}

#[test]
fn another_folder_gets_declarations_too_and_loses_nothing() {
    let bench = Workbench::with_config(CONFIG);
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("buildspecs")).unwrap();
    let own = folder.path().join("buildspecs/own.yml");
    std::fs::write(&own, "").unwrap();
    let to = folder.path().to_string_lossy();
    bench
        .run(&["render", "--to", &to, "--env", "prod"])
        .succeeded();
    assert!(own.exists());
    let declaration =
        std::fs::read_to_string(folder.path().join("codepipeline/application.json")).unwrap();
    let declaration: serde_json::Value = serde_json::from_str(&declaration).unwrap();
    assert_eq!(
        declaration["pipeline"]["name"],
        "stackway-eu-west-2-prod-application"
    );
    assert_eq!(
        declaration["pipeline"]["artifactStore"]["location"],
        "stackway-222222222222-eu-west-2-prod"
    );
    assert!(!bench.file("buildspecs/test.yml").exists());
}

#[test]
fn a_template_without_its_marks_is_refused() {
    let bench = Workbench::with_config(CONFIG);
    std::fs::write(
        bench.file("cloudformation/delivery.yaml"),
        "Resources: {}\n",
    )
    .unwrap();
    bench.run(&["render"]).refused(
        3,
        &["cloudformation/delivery.yaml", "Here ends what is rendered"],
    );
}
