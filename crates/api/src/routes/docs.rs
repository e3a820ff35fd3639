//! The description of the service: `/openapi.json` for machines, `/docs` for people.

mod page;

use axum::{
    Json, Router,
    response::{Html, IntoResponse},
    routing::get,
};
use http::header;

/// The page has its style inside and runs no script.
const PAGE_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'";

/// Both forms of one description. They are made when asked for, since a cold start has better things to do.
pub(super) fn router<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new()
        .route("/openapi.json", get(async || Json(super::openapi())))
        .route("/docs", get(page))
}

async fn page() -> impl IntoResponse {
    let page = page::render(&serde_json::json!(super::openapi()));
    ([(header::CONTENT_SECURITY_POLICY, PAGE_POLICY)], Html(page))
}
