//! The stack of the token.

use std::process::Command;

use serde_json::{Value, json};
use stackway_local_cloud::lambda::{Function, FunctionConfig};

use crate::endpoint::{Endpoint, exchange};
use crate::workbench::{LOCAL, Workbench, root};

const WITH_TOKEN: &str = r#"
[environments.local.parameters.secrets]
ApiToken = "true"
"#;

#[test]
fn the_secret_is_made_where_it_is_asked_for_and_shown_nowhere() {
    let bench = Workbench::with_config(&format!("{LOCAL}{WITH_TOKEN}"));
    let deploy = ["deploy", "--stack", "secrets", "--format", "json"];
    let deployed = bench.run(&deploy).succeeded();
    let outputs = deployed.json();
    let name = outputs["secrets"]["TokenSecretName"].as_str().unwrap();
    assert_eq!(name, "stackway-eu-west-2-local-api-token");
    let input = json!({ "SecretId": name });
    let secret =
        Endpoint::of(&bench).json("secretsmanager", "secretsmanager.GetSecretValue", &input);
    let token = secret["SecretString"].as_str().unwrap();
    assert!(
        token.len() == 64 && token.bytes().all(|byte| byte.is_ascii_alphanumeric()),
        "a header carries it as it is"
    );
    assert!(
        !deployed.stderr.contains(token) && !deployed.stdout.contains(token),
        "nothing that is shown has the token"
    );

    // Switched off, the secret goes, and nothing is built for its rotation.
    std::fs::write(bench.file("stackway.toml"), LOCAL).unwrap();
    let off = bench.run(&deploy).succeeded();
    assert_eq!(off.json()["secrets"]["TokenSecretName"], "none");
    assert!(!off.stderr.contains("building"), "{}", off.stderr);
}

/// The status of a read of the table with this token.
fn status(url: &str, token: Option<&str>) -> u16 {
    let bearer = token.map(|token| format!("Bearer {token}"));
    let header = match &bearer {
        Some(bearer) => ("authorization", bearer.as_str()),
        None => ("accept", "application/json"),
    };
    exchange("GET", &format!("{url}/v1/items"), header, &[]).0
}

/// The emulator starts no rotation. So the version is staged here, as Secrets Manager does, and the function takes its four
/// steps as a process of its own.
#[test]
fn the_api_asks_for_the_token_and_a_rotation_leaves_no_gap() {
    let bench = Workbench::with_code(&format!("{LOCAL}{WITH_TOKEN}"));
    let deployed = bench.run(&["deploy", "--format", "json"]).succeeded();
    let outputs = deployed.json();
    let url = outputs["api"]["ApiUrl"].as_str().unwrap();
    let name = outputs["secrets"]["TokenSecretName"].as_str().unwrap();
    let endpoint = Endpoint::of(&bench);
    let secrets = |operation: &str, input: Value| {
        endpoint.json(
            "secretsmanager",
            &format!("secretsmanager.{operation}"),
            &input,
        )
    };
    let current = || {
        let secret = secrets("GetSecretValue", json!({ "SecretId": name }));
        secret["SecretString"].as_str().unwrap().to_owned()
    };
    let old = current();
    assert_eq!(status(url, None), 401);
    assert_eq!(status(url, Some("guessed")), 401);
    assert_eq!(status(url, Some(&old)), 200);

    let mut build = Command::new(env!("CARGO"));
    build
        .args(["build", "--quiet", "--package", "stackway-rotation"])
        .current_dir(root());
    // What cargo told this test of its own package would have build scripts run anew, and with them half of the tree.
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        if ["CARGO_MANIFEST_", "CARGO_PKG_"]
            .iter()
            .any(|of| name.starts_with(of))
        {
            build.env_remove(name);
        }
    }
    assert!(build.status().unwrap().success());
    let tests = std::env::current_exe().unwrap();
    let program = tests.ancestors().nth(2).unwrap().join("stackway-rotation");
    let version = "0f6c0b7a-0000-4000-8000-000000000000";
    let new = "n".repeat(64);
    secrets(
        "PutSecretValue",
        json!({
            "SecretId": name,
            "ClientRequestToken": version,
            "VersionStages": ["AWSPENDING"],
            "SecretString": new,
        }),
    );
    let emulator = format!("http://127.0.0.1:{}", bench.port());
    let environment = [
        ("AWS_REGION", "eu-west-2"),
        ("AWS_ACCESS_KEY_ID", "000000000000"),
        ("AWS_SECRET_ACCESS_KEY", "any"),
        ("AWS_ENDPOINT_URL", emulator.as_str()),
        ("API_URL_PARAMETER", "/stackway/local/api/url"),
    ];
    let function = Function::new(FunctionConfig {
        environment: environment
            .map(|(name, value)| (name.to_owned(), value.into()))
            .into(),
        ..FunctionConfig::new("rotation", program)
    });
    let runtime = tokio::runtime::Runtime::new().unwrap();
    for step in ["createSecret", "setSecret", "testSecret", "finishSecret"] {
        let event = json!({ "Step": step, "SecretId": name, "ClientRequestToken": version });
        let taken = runtime.block_on(function.invoke(event.to_string().into()));
        taken.unwrap_or_else(|error| panic!("{step}: {error}"));
        // At no step is a token refused that counts.
        assert_eq!(status(url, Some(&old)), 200, "{step}");
    }
    assert_eq!(current(), new);
    assert_eq!(status(url, Some(&new)), 200);
}
