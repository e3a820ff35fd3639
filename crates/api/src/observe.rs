//! What surrounds every request: its id, its log line, the body of its problem, and a net for panics.

use std::{
    any::Any,
    convert::Infallible,
    panic::AssertUnwindSafe,
    sync::Arc,
    task::{Context, Poll},
    time::Instant,
};

use axum::{
    extract::{MatchedPath, Request},
    response::{IntoResponse, Response},
};
use futures::{FutureExt, future::BoxFuture};
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use lambda_http::RequestExt;
use tower::Service;
use uuid::{Builder, Uuid};

use crate::{
    logging::{self, RequestIds, TableUse},
    metrics::{self, Metrics},
    problem::Problem,
    trace::Trace,
};

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Lambda's runtime puts the invocation's trace (`_X_AMZN_TRACE_ID`) here too, where API Gateway sends none.
const X_AMZN_TRACE_ID: HeaderName = HeaderName::from_static("x-amzn-trace-id");
/// What a request's line says. As a field it is text; as the macro's own message it would be formatted first.
const REQUEST: &str = "request";
/// The longest request id that is taken from a client.
const MAX_REQUEST_ID: usize = 128;

/// A service whose requests are each logged by their route (never their path, query or body), and whose responses are
/// finished.
///
/// It is a layer's service and no `from_fn`, which would clone the service and box its answer once more a request.
#[derive(Clone)]
pub(crate) struct Observed<S> {
    pub(crate) inner: S,
    pub(crate) metrics: Option<Arc<Metrics>>,
}

impl<S> Service<Request> for Observed<S>
where
    S: Service<Request, Response = Response, Error = Infallible>,
    S::Future: Send + 'static,
{
    type Response = Response;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response, Infallible>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let asked = Asked::of(&request);
        let run = self.inner.call(request);
        let metrics = self.metrics.clone();
        Box::pin(async move {
            let run = AssertUnwindSafe(run).catch_unwind();
            let response = match logging::about(Arc::clone(&asked.ids), run).await {
                Ok(Ok(response)) => response,
                Err(panic) => Problem::unexpected(panic_text(panic.as_ref())).into_response(),
            };
            Ok(asked.finish(response, metrics.as_deref()))
        })
    }
}

/// What is kept of a request while it is answered.
struct Asked {
    started: Instant,
    ids: Arc<RequestIds>,
    method: Method,
    route: Option<MatchedPath>,
}

impl Asked {
    fn of(request: &Request) -> Self {
        Self {
            started: Instant::now(),
            ids: Arc::new(RequestIds {
                request: request_id(request),
                trace: trace(request.headers()),
                table: TableUse::default(),
            }),
            method: request.method().clone(),
            route: request.extensions().get::<MatchedPath>().cloned(),
        }
    }

    fn finish(&self, mut response: Response, metrics: Option<&Metrics>) -> Response {
        let problem = response.extensions_mut().remove::<Problem>();
        let cause = problem.as_ref().and_then(Problem::cause);
        if let Some(problem) = &problem {
            problem.render(self.ids.request(), &self.method, &mut response);
        }
        let headers = response.headers_mut();
        headers.insert(
            header::X_CONTENT_TYPE_OPTIONS,
            HeaderValue::from_static("nosniff"),
        );
        headers.insert(X_REQUEST_ID, self.ids.request.clone());

        let status = response.status().as_u16();
        let duration_ms = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        let method = self.method.as_str();
        let route = self.route.as_ref().map_or("(none)", MatchedPath::as_str);
        let (request_id, trace_id) = (
            self.ids.request(),
            self.ids.trace.as_ref().map(|trace| &*trace.root),
        );
        let service = metrics.map(Metrics::service);
        let directive = metrics.map(Metrics::directive);
        // Members for metrics, where there are any.
        let count = |counts: bool| metrics.map(|_| u64::from(counts));
        let cold_starts = metrics.map(Metrics::cold_start);
        let client_errors = count((400..500).contains(&status));
        let server_errors = count(status >= 500);
        let table_throttles = metrics.map(|_| self.ids.table.throttles());
        let table_ms = metrics.and_then(|_| self.ids.table.milliseconds());
        // Fields that are none leave nothing in the line.
        macro_rules! line {
            ($write:ident, $target:expr) => {
                tracing::$write!(
                    target: $target,
                    message = REQUEST,
                    request_id,
                    trace_id,
                    method,
                    route,
                    status,
                    duration_ms,
                    cause,
                    service,
                    cold_starts,
                    client_errors,
                    server_errors,
                    table_ms,
                    table_throttles,
                    _aws = directive.as_deref()
                )
            };
        }
        match (metrics.is_some(), status >= 500) {
            (true, true) => line!(error, metrics::TARGET),
            (true, false) => line!(info, metrics::TARGET),
            (false, true) => line!(error, module_path!()),
            (false, false) => line!(info, module_path!()),
        }
        response
    }
}

/// The invocation's id under Lambda; else the one that comes with it, if it is plain; else a new one. API Gateway's own, which
/// it sends to a container, ends in `=`.
fn request_id(request: &Request) -> HeaderValue {
    if let Some(context) = request.lambda_context_ref()
        && let Ok(id) = HeaderValue::from_str(&context.request_id)
    {
        return id;
    }
    let plain = |id: &&HeaderValue| {
        (1..=MAX_REQUEST_ID).contains(&id.len())
            && id
                .as_bytes()
                .iter()
                .all(|b| b.is_ascii_alphanumeric() || b"-_.=".contains(b))
    };
    request
        .headers()
        .get(X_REQUEST_ID)
        .filter(plain)
        .cloned()
        .unwrap_or_else(new_request_id)
}

/// A UUID that tells requests apart. It need not be hard to guess, and so asks the system for nothing.
fn new_request_id() -> HeaderValue {
    let id = Builder::from_random_bytes(fastrand::u128(..).to_ne_bytes()).into_uuid();
    let mut text = Uuid::encode_buffer();
    HeaderValue::from_str(id.hyphenated().encode_lower(&mut text))
        .unwrap_or(const { HeaderValue::from_static("") })
}

/// The trace that the request belongs to.
fn trace(headers: &HeaderMap) -> Option<Trace> {
    Trace::read(headers.get(X_AMZN_TRACE_ID)?.to_str().ok()?)
}

fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    format!("panic: {}", text.unwrap_or("without a text"))
}
