//! Health, request ids, and the description of the service.

use std::collections::BTreeSet;

use insta::assert_snapshot;

use crate::client::Client;

#[tokio::test]
async fn a_well_service_says_so() {
    let client = Client::new();
    assert_snapshot!(client.send("GET /health").await.render(), @r#"
    200 OK
    content-type: application/json

    {"status":"ok"}
    "#);
    assert_snapshot!(client.send("GET /ready").await.render(), @r#"
    200 OK
    content-type: application/json

    {"status":"ready"}
    "#);
}

#[tokio::test]
async fn a_plain_request_id_is_kept_and_any_other_replaced() {
    let client = Client::new();
    let long = "x".repeat(129);
    for (sent, kept) in [
        ("req-1.a_B", true),
        ("", false),
        ("two words", false),
        ("\"injected\"", false),
        (long.as_str(), false),
    ] {
        let answer = client.send(&format!("GET /\nx-request-id: {sent}")).await;
        let got = answer.header("x-request-id");
        assert_eq!(got == sent, kept, "{sent:?}: {got:?}");
        assert!(!got.is_empty());
    }
    let [one, two] = [client.send("GET /").await, client.send("GET /").await];
    assert_ne!(one.header("x-request-id"), two.header("x-request-id"));
}

/// The router and the description are made apart, and each path is written in both.
#[tokio::test]
async fn the_service_takes_the_methods_that_it_describes() {
    let client = Client::new();
    let api = serde_json::json!(stackway_api::openapi());
    for (path, operations) in api["paths"].as_object().unwrap() {
        let described: BTreeSet<String> = operations
            .as_object()
            .unwrap()
            .keys()
            .map(|method| method.to_uppercase())
            .collect();
        let answer = client.send(&format!("TRACE {path}")).await;
        let allowed = answer
            .header("allow")
            .split(',')
            .map(|method| method.trim().to_owned());
        // axum answers HEAD as it does GET.
        let allowed: BTreeSet<String> = allowed.filter(|method| method != "HEAD").collect();
        assert_eq!(described, allowed, "{path}");
    }
}

#[tokio::test]
async fn the_description_is_served_for_machines_and_for_people() {
    let client = Client::new();
    let api = client.send("GET /openapi.json").await;
    assert_eq!(api.value(), serde_json::json!(stackway_api::openapi()));
    let page = client.send("GET /docs").await;
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    assert!(
        page.header("content-security-policy")
            .starts_with("default-src 'none'")
    );
    assert!(page.body.starts_with("<!doctype html>"));
}
