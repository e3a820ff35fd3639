//! The service under Lambda: events of an HTTP API in, its answers out.
//!
//! The runtime's loop is `lambda_http`'s. Its conversions are not used: they keep every part of an event, read the body
//! in any character set, and panic over a path or a body that cannot be decoded. These read what the service needs.

mod answer;
mod event;

use axum::{Router, body::Body, body::to_bytes};
use http::{HeaderName, HeaderValue, Request};
use lambda_http::{
    Error, LambdaEvent, RequestExt, lambda_runtime::Runtime, service_fn, tower::Service,
};

pub use answer::Answer;
pub use event::HttpEvent;

/// Lambda hands on the invocation's trace here, where API Gateway sends none.
const X_AMZN_TRACE_ID: HeaderName = HeaderName::from_static("x-amzn-trace-id");

/// Answers invocations, one after the other, for as long as Lambda keeps the process.
///
/// # Errors
/// If the runtime's API cannot be reached.
pub async fn run(router: Router) -> Result<(), Error> {
    let handler = service_fn(move |event| answer(router.clone(), event));
    Runtime::new(handler).run().await
}

/// Answers one event.
///
/// # Errors
/// If the event is none of an HTTP API, which fails its invocation. Whatever is wrong with the request in an event is
/// an answer of the service.
pub async fn answer(mut router: Router, event: LambdaEvent<HttpEvent>) -> Result<Answer, Error> {
    let LambdaEvent { payload, context } = event;
    let mut request: Request<Body> = payload.try_into()?;
    if let Some(Ok(trace)) = context.xray_trace_id.as_deref().map(HeaderValue::from_str) {
        request.headers_mut().insert(X_AMZN_TRACE_ID, trace);
    }
    let response = router.call(request.with_lambda_context(context)).await?;
    let (parts, body) = response.into_parts();
    Ok(Answer::new(parts, to_bytes(body, usize::MAX).await?))
}
