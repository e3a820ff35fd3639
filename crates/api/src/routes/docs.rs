//! The description of the service: `/openapi.json` for machines, `/docs` for people.

mod page;

use std::sync::Arc;

use axum::{Router, response::Html, routing::get};
use http::header;
use utoipa::openapi::OpenApi;

/// The page has its style inside and runs no script.
const PAGE_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'";

/// Both forms of one description. They are made when asked for, since a cold start has better things to do.
pub(super) fn router<S: Clone + Send + Sync + 'static>(api: OpenApi) -> Router<S> {
    let for_people = Arc::new(api);
    let for_machines = Arc::clone(&for_people);
    Router::new()
        .route(
            "/openapi.json",
            get(async move || axum::Json(OpenApi::clone(&for_machines))),
        )
        .route(
            "/docs",
            get(async move || {
                let page = page::render(&serde_json::json!(*for_people));
                ([(header::CONTENT_SECURITY_POLICY, PAGE_POLICY)], Html(page))
            }),
        )
}
