//! Whatever bytes reach the function as an event: an answer with a documented status, or an error of the invocation.

#![no_main]

use std::sync::{Arc, LazyLock};

use lambda_http::{Context, LambdaEvent};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use stackway_api::{
    lambda::{self, HttpEvent},
    openapi, router,
    store::MemoryStore,
};
use tokio::runtime::{Builder, Runtime};

static RUNTIME: LazyLock<Runtime> =
    LazyLock::new(|| Builder::new_current_thread().build().expect("a runtime"));

/// Every status that the description of the service names.
static DOCUMENTED: LazyLock<Vec<u64>> = LazyLock::new(|| {
    let description: Value = serde_json::to_value(openapi()).expect("a description");
    let operations = description["paths"].as_object().expect("paths").values();
    operations
        .flat_map(|path| path.as_object().expect("operations").values())
        .flat_map(|operation| operation["responses"].as_object().expect("responses").keys())
        .filter_map(|status| status.parse().ok())
        .collect()
});

fuzz_target!(|bytes: &[u8]| {
    let Ok(event) = serde_json::from_slice::<HttpEvent>(bytes) else {
        return;
    };
    let event = LambdaEvent::new(event, Context::default());
    let router = router(Arc::new(MemoryStore::new()));
    // An event that is no request ends its own invocation alone.
    let Ok(answer) = RUNTIME.block_on(lambda::answer(router, event)) else {
        return;
    };
    let answer = serde_json::to_value(&answer).expect("an answer in JSON");
    let status = answer["statusCode"].as_u64().expect("a status");
    // What no route takes is answered with one of these, which no operation names.
    let known = DOCUMENTED.contains(&status) || [404, 405].contains(&status);
    assert!(known && status < 500, "{answer}");
});
