//! What the service is made of, fixed when it was built.

use axum::Json;
use serde::Serialize;
use utoipa::ToSchema;

/// A version.
#[derive(Serialize, ToSchema)]
pub(super) struct Version {
    #[schema(value_type = String, example = "1.95.0")]
    version: &'static str,
}

/// The version of the Rust compiler that built the service.
#[utoipa::path(get, path = "/version/rust", tag = "compat", responses((status = OK, body = Version)))]
pub(super) async fn rust() -> Json<Version> {
    Json(Version {
        version: env!("STACKWAY_RUST_VERSION"),
    })
}

/// The version of the `lambda_http` crate in the service.
#[utoipa::path(get, path = "/version/lambda_http", tag = "compat", responses((status = OK, body = Version)))]
pub(super) async fn lambda_http() -> Json<Version> {
    Json(Version {
        version: env!("STACKWAY_LAMBDA_HTTP_VERSION"),
    })
}
