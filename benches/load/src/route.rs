//! The least that answers `GET /` with the same body: the bound for the API's own route.

use axum::Json;
use axum::Router;
use axum::routing::get;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::{Done, tell};

/// Serves until the process is ended.
pub(crate) async fn run() -> Done {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    tell(&json!({ "address": listener.local_addr()?.to_string() }))?;
    axum::serve(listener, Router::new().route("/", get(hello))).await?;
    Ok(())
}

async fn hello() -> Json<Value> {
    Json(json!({ "message": "What a wonderful kind of day." }))
}
