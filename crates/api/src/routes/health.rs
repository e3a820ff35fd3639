//! Whether the service is well.

use axum::{Json, extract::State};
use serde::Serialize;
use utoipa::ToSchema;

use super::AppState;
use crate::problem::{Problem, ProblemDetails};

/// The state of the service.
#[derive(Serialize, ToSchema)]
pub(super) struct Status {
    #[schema(value_type = String, example = "ok")]
    status: &'static str,
}

/// Whether the process answers. Touches nothing else.
#[utoipa::path(get, path = "/health", tag = "operation", responses((status = OK, body = Status)))]
pub(super) async fn health() -> Json<Status> {
    Json(Status { status: "ok" })
}

/// Whether the table answers too.
#[utoipa::path(
    get, path = "/ready", tag = "operation",
    responses(
        (status = OK, body = Status),
        (status = SERVICE_UNAVAILABLE, description = "The table does not answer", body = ProblemDetails, content_type = "application/problem+json")
    )
)]
pub(super) async fn ready(State(state): State<AppState>) -> Result<Json<Status>, Problem> {
    match state.store.probe().await {
        Ok(()) => Ok(Json(Status { status: "ready" })),
        Err(error) => Err(Problem::unavailable(
            "the table does not answer",
            error.to_string(),
        )),
    }
}
