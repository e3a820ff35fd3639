//! What surrounds every request: its id, its log line, the body of its problem, and a net for panics.

use std::{any::Any, panic::AssertUnwindSafe, sync::Arc, time::Instant};

use axum::{
    extract::{MatchedPath, Request},
    middleware::Next,
    response::{IntoResponse, Response},
};
use futures::FutureExt;
use http::{HeaderMap, HeaderName, HeaderValue, header};
use lambda_http::RequestExt;
use uuid::Builder;

use crate::{
    logging::{self, RequestIds},
    problem::Problem,
};

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Lambda's runtime puts the invocation's trace (`_X_AMZN_TRACE_ID`) here too, where API Gateway sends none.
const X_AMZN_TRACE_ID: HeaderName = HeaderName::from_static("x-amzn-trace-id");
/// The longest request id that is taken from a client.
const MAX_REQUEST_ID: usize = 128;

/// Runs a request, logs it by its route (never its path, query or body), and finishes its response.
pub(crate) async fn observe(request: Request, next: Next) -> Response {
    let started = Instant::now();
    let ids = Arc::new(RequestIds {
        request: request_id(&request),
        trace: trace_id(request.headers()).map(str::to_owned),
    });
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().cloned();
    let route = route.as_ref().map_or("(none)", MatchedPath::as_str);

    let run = AssertUnwindSafe(next.run(request)).catch_unwind();
    let mut response = match logging::about(Arc::clone(&ids), run).await {
        Ok(response) => response,
        Err(panic) => Problem::unexpected(panic_text(panic.as_ref())).into_response(),
    };

    let problem = response.extensions_mut().remove::<Problem>();
    let cause = problem.as_ref().and_then(Problem::cause);
    if let Some(problem) = &problem {
        problem.render(&ids.request, &method, &mut response);
    }
    let headers = response.headers_mut();
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    if let Ok(id) = HeaderValue::from_str(&ids.request) {
        headers.insert(X_REQUEST_ID, id);
    }

    let status = response.status().as_u16();
    let duration_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    let method = method.as_str();
    let (request_id, trace_id) = (ids.request.as_str(), ids.trace.as_deref());
    if status >= 500 {
        tracing::error!(
            request_id,
            trace_id,
            method,
            route,
            status,
            duration_ms,
            cause,
            "request"
        );
    } else {
        tracing::info!(
            request_id,
            trace_id,
            method,
            route,
            status,
            duration_ms,
            "request"
        );
    }
    response
}

/// The invocation's id under Lambda; else the client's, if it is plain; else a new one.
fn request_id(request: &Request) -> String {
    if let Some(context) = request.lambda_context_ref() {
        return context.request_id.clone();
    }
    let plain = |id: &&str| {
        (1..=MAX_REQUEST_ID).contains(&id.len())
            && id
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
    };
    request
        .headers()
        .get(X_REQUEST_ID)
        .and_then(|value| value.to_str().ok())
        .filter(plain)
        .map_or_else(new_request_id, str::to_owned)
}

/// A UUID that tells requests apart. It need not be hard to guess, and so asks the system for nothing.
fn new_request_id() -> String {
    let id = Builder::from_random_bytes(fastrand::u128(..).to_ne_bytes());
    id.into_uuid().to_string()
}

/// The root of an X-Ray tracing header, `Root=1-…;Parent=…;Sampled=1`.
///
/// <https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader>
fn trace_id(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(X_AMZN_TRACE_ID)?.to_str().ok()?;
    value
        .split(';')
        .find_map(|part| part.trim().strip_prefix("Root="))
}

fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    format!("panic: {}", text.unwrap_or("without a text"))
}
