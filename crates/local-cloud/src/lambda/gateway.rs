//! What an HTTP API of API Gateway does before a function: requests become events, and answers responses.
//!
//! One route, `$default`, on one stage, `$default`, with payload format 2.0:
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html>.
//! Its limits are those of <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html>.

mod answer;
mod event;
#[cfg(test)]
mod tests;

use std::error::Error;
use std::fmt::Display;
use std::future::Future;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::response::Response;
use bytes::Bytes;
use http::request::Parts;
use http::{HeaderName, HeaderValue, Method, StatusCode, header};
use http_body_util::LengthLimitError;
use time::OffsetDateTime;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use uuid::Uuid;

/// The longest request body that API Gateway takes.
const MAX_BODY_BYTES: usize = 10 * 1024 * 1024;
/// The longest event that Lambda takes; base64 makes one of less than the gateway's limit longer than this.
const MAX_EVENT_BYTES: usize = 6 * 1024 * 1024;
/// How long API Gateway waits for a function.
const MAX_WAIT: Duration = Duration::from_secs(30);

/// The header by which API Gateway names a request to its client.
const REQUEST_ID: HeaderName = HeaderName::from_static("apigw-requestid");

/// An HTTP API on 127.0.0.1, before one function. It ends with this value.
#[derive(Debug)]
pub struct Gateway {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    server: JoinHandle<()>,
}

impl Gateway {
    /// Serves on a port of 127.0.0.1; 0 takes any that is free.
    ///
    /// `invoke` gives the function an event, and `report` is told of each invocation that failed. An invocation goes on to
    /// its end where its client goes away, or the gateway has answered for it.
    ///
    /// # Errors
    ///
    /// If the port cannot be bound.
    pub async fn start<I, F, E, R>(port: u16, invoke: I, report: R) -> io::Result<Self>
    where
        I: Fn(Bytes) -> F + Send + Sync + 'static,
        F: Future<Output = Result<Bytes, E>> + Send + 'static,
        E: Display + Send + 'static,
        R: Fn(String) + Send + Sync + 'static,
    {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
        let address = listener.local_addr()?;
        let integration = Arc::new(Integration { invoke, report });
        let router = Router::new().fallback(serve).with_state(integration);
        let (stop, stopped) = oneshot::channel::<()>();
        let server = tokio::spawn(async move {
            let service = router.into_make_service_with_connect_info::<SocketAddr>();
            // A dropped sender is a stop as well. A listener that is bound does not fail.
            let _ = axum::serve(listener, service)
                .with_graceful_shutdown(async move {
                    let _ = stopped.await;
                })
                .await;
        });
        Ok(Self {
            address,
            stop: Some(stop),
            server,
        })
    }

    /// The address that answers, such as `http://127.0.0.1:8080`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Takes no more requests, and waits for those under way, at most for `grace`.
    pub async fn stop(mut self, grace: Duration) {
        drop(self.stop.take());
        let _ = tokio::time::timeout(grace, &mut self.server).await;
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// The function behind the gateway.
struct Integration<I, R> {
    invoke: I,
    report: R,
}

async fn serve<I, F, E, R>(
    State(integration): State<Arc<Integration<I, R>>>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response
where
    I: Fn(Bytes) -> F + Send + Sync + 'static,
    F: Future<Output = Result<Bytes, E>> + Send + 'static,
    E: Display + Send + 'static,
    R: Fn(String) + Send + Sync + 'static,
{
    let id = Uuid::new_v4();
    let (parts, body) = request.into_parts();
    let mut response = match integration.pass_on(&parts, body, client, id).await {
        Ok(response) => response,
        Err(refusal) => refusal.into_response(),
    };
    if let Ok(id) = HeaderValue::try_from(id.to_string()) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    response
}

impl<I, F, E, R> Integration<I, R>
where
    I: Fn(Bytes) -> F,
    F: Future<Output = Result<Bytes, E>> + Send + 'static,
    E: Display + Send + 'static,
    R: Fn(String),
{
    async fn pass_on(
        &self,
        parts: &Parts,
        body: Body,
        client: SocketAddr,
        id: Uuid,
    ) -> Result<Response, Refusal> {
        let body = read(parts, body).await?;
        let now = OffsetDateTime::now_utc();
        let event = event::write(parts, &body, client.ip(), id, now)?;
        if event.len() > MAX_EVENT_BYTES {
            return Err(Refusal::TooLarge);
        }
        // A task of its own, since neither a client nor the gateway's limit ends an invocation.
        let invocation = tokio::spawn((self.invoke)(event));
        let fail = |what: &dyn Display| {
            (self.report)(format!("{} request {id} failed: {what}", parts.method));
            Refusal::Failed
        };
        let payload = match tokio::time::timeout(MAX_WAIT, invocation).await {
            Ok(Ok(Ok(payload))) => payload,
            Ok(Ok(Err(error))) => return Err(fail(&error)),
            Ok(Err(panic)) => return Err(fail(&panic)),
            Err(_) => {
                let seconds = MAX_WAIT.as_secs();
                fail(&format_args!("no answer within {seconds} seconds"));
                return Err(Refusal::TooSlow);
            }
        };
        answer::read(&payload, parts.method == Method::HEAD)
            .map_err(|error| fail(&format_args!("the function's answer {error}")))
    }
}

async fn read(parts: &Parts, body: Body) -> Result<Bytes, Refusal> {
    let announced = parts
        .headers
        .get(header::CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|length| length > MAX_BODY_BYTES) {
        return Err(Refusal::TooLarge);
    }
    to_bytes(body, MAX_BODY_BYTES).await.map_err(|error| {
        let source = error.source();
        if source.is_some_and(<dyn Error>::is::<LengthLimitError>) {
            Refusal::TooLarge
        } else {
            Refusal::Malformed
        }
    })
}

/// What the gateway answers by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Refusal {
    /// The path is none that an event could hold, or the body ended early.
    Malformed,
    TooLarge,
    Failed,
    TooSlow,
}

impl Refusal {
    fn into_response(self) -> Response {
        let (status, message) = match self {
            Self::Malformed => (StatusCode::BAD_REQUEST, "Bad Request"),
            Self::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "Request Entity Too Large"),
            Self::Failed => (StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error"),
            Self::TooSlow => (StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable"),
        };
        let mut response = Response::new(Body::from(format!(r#"{{"message":"{message}"}}"#)));
        *response.status_mut() = status;
        response.headers_mut().insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/json"),
        );
        response
    }
}
