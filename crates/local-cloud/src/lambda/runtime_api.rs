//! The Lambda Runtime API, as one execution environment sees it.
//!
//! <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>

use std::collections::HashMap;
use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::process::ExitStatus;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;

/// What every path of the API begins with.
const VERSION: &str = "/2018-06-01/runtime/";
/// The longest answer that Lambda takes: 6 MB, and the little that its own error of that name allows beyond.
///
/// <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>
const MAX_ANSWER_BYTES: usize = 6 * 1024 * 1024 + 100;

/// What a function made of one event.
#[derive(Debug, Clone)]
pub struct Invocation {
    /// The function's answer, as it wrote it.
    pub payload: Bytes,
    /// When the event was handed to the function.
    pub handed: Instant,
    /// When its answer was read to the end.
    pub answered: Instant,
}

/// Why an event has no answer.
#[derive(Debug, thiserror::Error)]
pub enum InvokeError {
    /// The function says that the invocation failed; its own account of it, as JSON.
    #[error("the function failed: {}", String::from_utf8_lossy(.0))]
    Failed(Bytes),
    /// The function says that it cannot start; its own account of it, as JSON.
    #[error("the function did not start: {}", String::from_utf8_lossy(.0))]
    Init(Bytes),
    /// The function took longer than it may, and was ended.
    #[error("the function timed out after {:.2} seconds", .0.as_secs_f64())]
    TimedOut(Duration),
    /// The function's process ended before it answered.
    #[error("the function's process ended before it answered: {0}")]
    Exited(ExitStatus),
    /// The function's process could not be started, or its interface not be served.
    #[error("the function cannot be run: {0}")]
    Io(#[from] io::Error),
    /// The interface ended before the function answered.
    #[error("the function was stopped before it answered")]
    Stopped,
}

type Reply = oneshot::Sender<Result<Invocation, InvokeError>>;

/// An event that waits for the function.
struct Work {
    event: Bytes,
    deadline: SystemTime,
    reply: Reply,
}

/// An event that the function has.
struct Pending {
    handed: Instant,
    reply: Reply,
}

struct Shared {
    arn: String,
    queue: tokio::sync::Mutex<mpsc::UnboundedReceiver<Work>>,
    pending: Mutex<HashMap<String, Pending>>,
    init_error: watch::Sender<Option<Bytes>>,
    /// Whether the function waits for an event.
    idle: watch::Sender<bool>,
}

/// The interface that one process polls. It ends with this value.
#[derive(Debug)]
pub struct RuntimeApi {
    address: SocketAddr,
    work: mpsc::UnboundedSender<Work>,
    init_error: watch::Receiver<Option<Bytes>>,
    idle: watch::Receiver<bool>,
    server: JoinHandle<()>,
}

impl RuntimeApi {
    /// Serves on a free port of 127.0.0.1, for a function of this name.
    ///
    /// # Errors
    ///
    /// If no port can be bound.
    pub async fn start(function: &str) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let (work, queue) = mpsc::unbounded_channel();
        let (init_error, init_errors) = watch::channel(None);
        let (idle, idles) = watch::channel(false);
        let shared = Arc::new(Shared {
            arn: format!("arn:aws:lambda:us-east-1:000000000000:function:{function}"),
            queue: tokio::sync::Mutex::new(queue),
            pending: Mutex::default(),
            init_error,
            idle,
        });
        let server = tokio::spawn(async move {
            let mut connections = tokio::task::JoinSet::new();
            loop {
                tokio::select! {
                    accepted = listener.accept() => match accepted {
                        Ok((stream, _)) => {
                            connections.spawn(serve(stream, Arc::clone(&shared)));
                        }
                        // Out of descriptors, say: what is open goes on.
                        Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
                    },
                    Some(_) = connections.join_next() => {}
                }
            }
        });
        Ok(Self {
            address,
            work,
            init_error: init_errors,
            idle: idles,
            server,
        })
    }

    /// The value of `AWS_LAMBDA_RUNTIME_API` for the function.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Waits until the function asks for an event and there is none.
    ///
    /// # Errors
    ///
    /// [`InvokeError::Stopped`] where the interface has ended.
    pub async fn idle(&self) -> Result<(), InvokeError> {
        let idle = self.idle.clone().wait_for(|idle| *idle).await.map(drop);
        idle.map_err(|_| InvokeError::Stopped)
    }

    /// Queues an event, and waits for what the function makes of it within `timeout`.
    ///
    /// The time is told to the function, and counts from now. Whether the process is alive is its owner's affair.
    ///
    /// # Errors
    ///
    /// [`InvokeError::Failed`] and [`InvokeError::Init`] as the function says, [`InvokeError::TimedOut`].
    pub async fn invoke(&self, event: Bytes, timeout: Duration) -> Result<Invocation, InvokeError> {
        let (reply, answer) = oneshot::channel();
        let deadline = SystemTime::now() + timeout;
        self.work
            .send(Work {
                event,
                deadline,
                reply,
            })
            .map_err(|_| InvokeError::Stopped)?;
        let mut init_error = self.init_error.clone();
        tokio::select! {
            biased;
            answer = answer => answer.unwrap_or(Err(InvokeError::Stopped)),
            error = init_error.wait_for(Option::is_some) => match error.ok().and_then(|error| error.clone()) {
                Some(error) => Err(InvokeError::Init(error)),
                None => Err(InvokeError::Stopped),
            },
            () = tokio::time::sleep(timeout) => Err(InvokeError::TimedOut(timeout)),
        }
    }
}

impl Drop for RuntimeApi {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn serve(stream: TcpStream, shared: Arc<Shared>) {
    let _ = stream.set_nodelay(true);
    let answer = service_fn(move |request| {
        let shared = Arc::clone(&shared);
        async move { Ok::<_, Infallible>(shared.answer(request).await) }
    });
    // A function that goes away in the middle is its owner's affair.
    let _ = hyper::server::conn::http1::Builder::new()
        .serve_connection(TokioIo::new(stream), answer)
        .await;
}

impl Shared {
    async fn answer(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let (parts, body) = request.into_parts();
        let Some(path) = parts.uri.path().strip_prefix(VERSION) else {
            return refuse(StatusCode::NOT_FOUND);
        };
        if parts.method == Method::GET {
            return match path {
                "invocation/next" => self.next().await,
                _ => refuse(StatusCode::NOT_FOUND),
            };
        }
        let Ok(body) = body
            .collect()
            .await
            .map(http_body_util::Collected::to_bytes)
        else {
            return refuse(StatusCode::BAD_REQUEST);
        };
        if path == "init/error" {
            self.init_error.send_replace(Some(body));
            return accepted();
        }
        let part = path.strip_prefix("invocation/");
        match part.and_then(|part| part.split_once('/')) {
            Some((id, "response")) if body.len() > MAX_ANSWER_BYTES => {
                let error = too_large(body.len());
                let response = self.end(id, |_| Err(InvokeError::Failed(error.clone())));
                // The function is told too, where the invocation was its own to answer.
                if response.status() == StatusCode::ACCEPTED {
                    return respond(StatusCode::PAYLOAD_TOO_LARGE, error);
                }
                response
            }
            Some((id, "response")) => self.end(id, |handed| {
                Ok(Invocation {
                    payload: body,
                    handed,
                    answered: Instant::now(),
                })
            }),
            Some((id, "error")) => self.end(id, |_| Err(InvokeError::Failed(body))),
            _ => refuse(StatusCode::NOT_FOUND),
        }
    }

    /// Waits for an event, as long as it takes.
    async fn next(&self) -> Response<Full<Bytes>> {
        let mut queue = self.queue.lock().await;
        self.idle.send_replace(queue.is_empty());
        let Some(work) = queue.recv().await else {
            return refuse(StatusCode::GONE);
        };
        drop(queue);
        self.idle.send_replace(false);
        let id = uuid::Uuid::new_v4().to_string();
        let deadline = work.deadline.duration_since(UNIX_EPOCH).unwrap_or_default();
        let trace = format!(
            "Root=1-{:08x}-{};Parent=53995c3f42cd8ad8;Sampled=1",
            deadline.as_secs(),
            &id.replace('-', "")[..24]
        );
        let response = Response::builder()
            .header("content-type", "application/json")
            .header("lambda-runtime-aws-request-id", &id)
            .header(
                "lambda-runtime-deadline-ms",
                deadline.as_millis().to_string(),
            )
            .header("lambda-runtime-invoked-function-arn", &self.arn)
            .header("lambda-runtime-trace-id", trace)
            .body(Full::new(work.event))
            .unwrap_or_else(|_| refuse(StatusCode::INTERNAL_SERVER_ERROR));
        let pending = Pending {
            handed: Instant::now(),
            reply: work.reply,
        };
        self.pending().insert(id, pending);
        response
    }

    /// Ends the invocation of this id, which the function may do once.
    fn end(
        &self,
        id: &str,
        outcome: impl FnOnce(Instant) -> Result<Invocation, InvokeError>,
    ) -> Response<Full<Bytes>> {
        let Some(pending) = self.pending().remove(id) else {
            return refuse(StatusCode::BAD_REQUEST);
        };
        // Nobody waits any more where the time is over.
        let _ = pending.reply.send(outcome(pending.handed));
        accepted()
    }

    fn pending(&self) -> MutexGuard<'_, HashMap<String, Pending>> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Lambda's own words for an answer of too many bytes.
fn too_large(bytes: usize) -> Bytes {
    format!(
        r#"{{"errorMessage":"Response payload size ({bytes} bytes) exceeded maximum allowed payload size ({MAX_ANSWER_BYTES} bytes).","errorType":"Function.ResponseSizeTooLarge"}}"#
    )
    .into()
}

fn accepted() -> Response<Full<Bytes>> {
    respond(StatusCode::ACCEPTED, r#"{"status":"OK"}"#)
}

fn refuse(status: StatusCode) -> Response<Full<Bytes>> {
    respond(
        status,
        r#"{"errorMessage":"no such call, or no such invocation","errorType":"InvalidRequest"}"#,
    )
}

fn respond(status: StatusCode, body: impl Into<Bytes>) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body.into()));
    *response.status_mut() = status;
    response
}
