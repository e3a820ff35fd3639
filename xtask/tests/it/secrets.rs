//! The stack of the token.

use serde_json::{Value, json};

use crate::workbench::{LOCAL, Workbench};

const WITH_TOKEN: &str = r#"
[environments.local.parameters.secrets]
ApiToken = "true"
"#;

/// Reads a secret as any client of Secrets Manager would.
fn secret(endpoint: &str, name: &str) -> String {
    let authorization = "AWS4-HMAC-SHA256 Credential=000000000000/20260101/eu-west-2/secretsmanager/aws4_request, \
                         SignedHeaders=host, Signature=0";
    let answer: Value = ureq::post(endpoint)
        .header("authorization", authorization)
        .header("content-type", "application/x-amz-json-1.1")
        .header("x-amz-target", "secretsmanager.GetSecretValue")
        .send(json!({ "SecretId": name }).to_string())
        .unwrap()
        .body_mut()
        .read_json()
        .unwrap();
    answer["SecretString"].as_str().unwrap().to_owned()
}

#[test]
fn the_secret_is_made_where_it_is_asked_for_and_shown_nowhere() {
    let bench = Workbench::with_config(&format!("{LOCAL}{WITH_TOKEN}"));
    let deploy = ["deploy", "--stack", "secrets", "--format", "json"];
    let deployed = bench.run(&deploy).succeeded();
    let outputs = deployed.json();
    let name = outputs["secrets"]["TokenSecretName"].as_str().unwrap();
    assert_eq!(name, "stackway-eu-west-2-local-api-token");
    let endpoint = format!("http://127.0.0.1:{}", bench.port());
    let token = secret(&endpoint, name);
    assert!(
        token.len() == 64 && token.bytes().all(|byte| byte.is_ascii_alphanumeric()),
        "a header carries it as it is"
    );
    assert!(
        !deployed.stderr.contains(&token) && !deployed.stdout.contains(&token),
        "nothing that is shown has the token"
    );

    // Switched off, the secret goes, and nothing is built for its rotation.
    std::fs::write(bench.file("stackway.toml"), LOCAL).unwrap();
    let off = bench.run(&deploy).succeeded();
    assert_eq!(off.json()["secrets"]["TokenSecretName"], "none");
    assert!(!off.stderr.contains("building"), "{}", off.stderr);
}
