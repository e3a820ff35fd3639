//! The stack of the token.

use serde_json::json;

use crate::endpoint::Endpoint;
use crate::workbench::{LOCAL, Workbench};

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
