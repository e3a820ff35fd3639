//! The HTTP face: paths, methods, statuses and shapes. What they do is the store's and the domain's.

mod body;
mod compat;
mod docs;
mod health;
mod path;
mod security;
mod v1;
mod version;

use std::sync::Arc;

use axum::{Router, middleware::from_fn_with_state, routing::MethodRouter};
use http::{Method, StatusCode};
use tower::layer::layer_fn;
use utoipa::OpenApi as _;

use self::security::Guarded;
use crate::{
    domain::Fault,
    metrics::Metrics,
    observe::Observed,
    problem::{Problem, ProblemDetails},
    store::ItemStore,
    token::TokenGuard,
};

/// The longest body that is read, in bytes.
pub const MAX_BODY_BYTES: usize = 256 * 1024;

/// What every handler shares.
#[derive(Clone)]
struct AppState {
    store: Arc<dyn ItemStore>,
}

/// Makes the routers and the description of the service from one list, each by itself: a start needs the ones, and a
/// reader of the documentation the other.
macro_rules! endpoints {
    (
        open { $($open:literal => $($open_method:ident $open_module:ident::$open_handler:ident),+;)+ }
        guarded { $($path:literal => $($method:ident $module:ident::$handler:ident),+;)+ }
    ) => {
        /// What answers everybody.
        fn open() -> Router<AppState> {
            Router::new()$(.route($open, MethodRouter::new()$(.$open_method($open_module::$open_handler))+))+
        }

        /// What asks for the token, where the service has one.
        fn guarded() -> Router<AppState> {
            Router::new()$(.route($path, MethodRouter::new()$(.$method($module::$handler))+))+
        }

        /// The paths of [`guarded`].
        const GUARDED: &[&str] = &[$($path),+];

        #[derive(utoipa::OpenApi)]
        #[openapi(
            info(
                title = "Stackway items",
                description = "Messages by GUID and the date they were received, kept in DynamoDB. `/v1` is the modern face; \
                               `/dynamodb` is what clients of the original call. Errors are RFC 9457 problem details.",
                license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0")
            ),
            paths($($($open_module::$open_handler),+),+, $($($module::$handler),+),+),
            components(schemas(ProblemDetails)),
            modifiers(&Guarded),
            tags(
                (name = "v1", description = "Plain JSON, cursors, entity tags."),
                (name = "compat", description = "The paths, statuses and shapes of the original."),
                (name = "operation", description = "Whether the service is well, and what it is made of.")
            )
        )]
        struct Description;
    };
}

endpoints! {
    open {
        "/health" => get health::health;
    }
    guarded {
        "/" => get compat::greet;
        "/dynamodb" => get compat::list, post compat::store, put compat::update;
        "/dynamodb/{guid}/{date_received}" => delete compat::delete;
        "/v1/items" => get v1::list, post v1::create;
        "/v1/items/{guid}/{date_received}" => get v1::read, patch v1::update, delete v1::delete;
        "/version/rust" => get version::rust;
        "/version/lambda_http" => get version::lambda_http;
        "/ready" => get health::ready;
    }
}

/// The OpenAPI description of the service, as `GET /openapi.json` gives it.
pub fn openapi() -> utoipa::openapi::OpenApi {
    Description::openapi()
}

/// What a service may have beside its routes.
#[derive(Clone, Default)]
pub struct Features {
    /// Whom it answers; everybody who reaches it, where there is none.
    pub tokens: Option<Arc<TokenGuard>>,
    /// What the lines of its log have of metrics.
    pub metrics: Option<Arc<Metrics>>,
}

/// The whole service over `store`, open to everybody who reaches it.
pub fn router(store: Arc<dyn ItemStore>) -> Router {
    service(store, Features::default())
}

/// The whole service over `store`, with what it may have beside.
pub fn service(store: Arc<dyn ItemStore>, features: Features) -> Router {
    let Features { tokens, metrics } = features;
    let guarded = match tokens {
        None => guarded(),
        Some(tokens) => guarded().route_layer(from_fn_with_state(tokens, security::ask)),
    };
    let observed = move |inner| Observed {
        inner,
        metrics: metrics.clone(),
    };
    open()
        .merge(guarded)
        .merge(docs::router())
        .fallback(unknown_path)
        .method_not_allowed_fallback(wrong_method)
        .layer(layer_fn(observed))
        .with_state(AppState { store })
}

async fn unknown_path() -> Problem {
    Problem::new(
        StatusCode::NOT_FOUND,
        "there is nothing at this path; GET /docs shows the paths",
    )
}

async fn wrong_method(method: Method) -> Problem {
    Problem::new(
        StatusCode::METHOD_NOT_ALLOWED,
        format!("this path does not take {method}; Allow lists what it takes"),
    )
}

/// Gathers the faults of a request, so that its client hears of all of them at once.
#[derive(Default)]
struct Faults(Vec<Fault>);

impl Faults {
    /// Keeps the value, or notes what the field must be.
    fn take<T>(&mut self, field: &'static str, result: Result<T, &'static str>) -> Option<T> {
        result
            .map_err(|message| self.0.push(Fault::new(field, message)))
            .ok()
    }

    /// Gives the value if nothing was noted, else the 422 with all that was.
    fn settle<T>(self, value: Option<T>) -> Result<T, Problem> {
        match value {
            Some(value) if self.0.is_empty() => Ok(value),
            _ => Err(Problem::invalid(self.0)),
        }
    }
}
