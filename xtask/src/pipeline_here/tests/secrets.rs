//! Values of the parameter store and of Secrets Manager in builds and commands.

use stackway_pipeline_defs::model::{EnvironmentKind, EnvironmentVariable};

use super::*;

const STORE: &str = r#"
Resources:
  Parameter:
    Type: AWS::SSM::Parameter
    Properties: {Name: /one/greeting, Type: String, Value: hello-from-the-store}
  Secret:
    Type: AWS::SecretsManager::Secret
    Properties: {Name: one-secret, SecretString: '{"user": "someone", "password": "hush-hush"}'}
Outputs:
  Secret: {Value: !Ref Secret, Description: Its ARN}
"#;

const SPEC: &str = r#"
version: 0.2
env:
  parameter-store: {GREETING: /one/greeting}
  secrets-manager: {PASSWORD: "one-secret:password", PERSON: "one-secret:user:AWSCURRENT"}
phases:
  build:
    commands:
      - test "$GREETING" = hello-from-the-store
      - test "$PASSWORD" = hush-hush
      - test "$PERSON" = someone
      - echo "the password is $PASSWORD of $PERSON, $GREETING"
"#;

fn variable(name: &'static str, value: &str, kind: EnvironmentKind) -> EnvironmentVariable {
    EnvironmentVariable {
        kind,
        ..EnvironmentVariable::plain(name, value)
    }
}

/// Everything that is kept under a folder, as one text.
fn all_text(folder: &std::path::Path) -> String {
    let mut text = String::new();
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        if entry.path().is_dir() {
            text += &all_text(&entry.path());
        } else {
            text += &String::from_utf8_lossy(&std::fs::read(entry.path()).unwrap());
        }
    }
    text
}

#[test]
fn secrets_come_from_the_emulator_and_are_kept_nowhere() {
    let bench = Bench::new();
    std::fs::create_dir(bench.folder.path().join("repository/buildspecs")).unwrap();
    bench.commit(&[("store.yaml", STORE), ("buildspecs/read.yml", SPEC)]);
    let store = Action::new("Store", stacks::of("one-store", "store.yaml")).reads(SOURCE);
    bench.succeeds(vec![Stage::new("Deploy", vec![store])]);

    let build = Action::new("Build", build("read"))
        .reads(SOURCE)
        .run_order(1);
    let mut read = commands(
        "Read",
        &["test \"$WORD\" = hush-hush", "echo \"it is $WORD\""],
    );
    let Provider::Commands(of_read) = &mut read.provider else {
        unreachable!()
    };
    of_read.environment = vec![variable(
        "WORD",
        "one-secret:password",
        EnvironmentKind::SecretsManager,
    )];
    let stages = vec![Stage::new(
        "Use",
        vec![build, read.reads(SOURCE).run_order(2)],
    )];
    let outcome = bench.run(stages);
    let seen = bench.seen.take();
    assert!(outcome.failure.is_none(), "{:?}\n{seen}", outcome.failure);
    assert!(seen.contains("the password is *** of ***, ***"), "{seen}");
    assert!(seen.contains("Use/Read: it is ***"), "{seen}");
    let kept = all_text(&bench.folder.path().join("runs/executions"));
    assert!(kept.contains("the password is ***"));
    for value in ["hush-hush", "hello-from-the-store"] {
        assert!(!seen.contains(value), "{seen}");
        assert!(!kept.contains(value), "{kept}");
    }

    let mut missing = commands("Read", &["true"]).reads(SOURCE);
    let Provider::Commands(of_missing) = &mut missing.provider else {
        unreachable!()
    };
    of_missing.environment = vec![variable(
        "WORD",
        "no-secret",
        EnvironmentKind::SecretsManager,
    )];
    let said = bench.fails(vec![Stage::new("Use", vec![missing])]);
    assert!(
        said.contains("there is no text of secret `no-secret`"),
        "{said}"
    );
}
