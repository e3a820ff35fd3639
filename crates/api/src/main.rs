//! The service's process: reads the environment, then answers requests under Lambda or as a plain HTTP server.

use std::{env, error::Error, future::Future, net::SocketAddr, sync::Arc, time::Duration};

use stackway_api::{
    Features, health_check, lambda, logging,
    metrics::Metrics,
    service,
    settings::{self, Access, Host, Settings},
    store::{DynamoDbStore, ItemStore},
    token::TokenGuard,
};
use tokio::{
    net::TcpListener,
    runtime,
    signal::unix::{SignalKind, signal},
};

/// musl's own allocator takes a third longer over a page of items.
#[cfg(target_env = "musl")]
#[global_allocator]
static ALLOCATOR: dlmalloc::GlobalDlmalloc = dlmalloc::GlobalDlmalloc;

/// How long requests under way may take to end after a signal to stop.
const GRACE: Duration = Duration::from_secs(10);

fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let lookup = |name: &str| env::var(name).ok();
    // An image FROM scratch has nothing else to ask the server with.
    if env::args_os()
        .nth(1)
        .is_some_and(|argument| argument == health_check::ARGUMENT)
    {
        return Ok(settings::listen_address(lookup).and_then(health_check::check)?);
    }
    // The same package under another name tries a new version before users reach it.
    if lookup(stackway_release_hook::VERSION).is_some() {
        return runtime::Builder::new_current_thread()
            .enable_io()
            .enable_time()
            .build()?
            .block_on(stackway_release_hook::serve(lookup));
    }
    let settings = Settings::read(lookup)?;
    logging::start(settings.log_level)?;
    // Lambda sends one request at a time: a second thread would only wait for the first.
    let mut runtime = match settings.host {
        Host::Lambda => runtime::Builder::new_current_thread(),
        Host::Server(_) => runtime::Builder::new_multi_thread(),
    };
    let outcome = runtime
        .enable_io()
        .enable_time()
        .on_thread_park(logging::at_rest)
        .on_thread_stop(logging::flush)
        .build()?
        .block_on(run(settings));
    logging::flush();
    outcome
}

async fn run(settings: Settings) -> Result<(), Box<dyn Error + Send + Sync>> {
    let store = Arc::new(DynamoDbStore::new(settings.table));
    if settings.warm_up
        && let Err(error) = store.probe().await
    {
        tracing::warn!(%error, "warm-up");
    }
    let tokens = match settings.access {
        Access::Open => None,
        Access::Token(token) => Some(Arc::new(TokenGuard::fixed(token))),
        Access::Secret(secret) => Some(Arc::new(TokenGuard::secret(secret))),
    };
    if settings.warm_up
        && let Some(tokens) = &tokens
        && let Err(error) = tokens.read_ahead().await
    {
        tracing::warn!(%error, "warm-up");
    }
    let metrics = settings.metrics.map(|metrics| {
        Arc::new(Metrics::new(
            metrics.service,
            metrics.detail,
            metrics.started_ahead,
        ))
    });
    let router = service(store, Features { tokens, metrics });
    match settings.host {
        Host::Lambda => lambda::run(router).await,
        Host::Server(address) => serve(router, address, settings.stop_delay).await,
    }
}

/// Serves until SIGINT or SIGTERM, and then ends what is under way; after SIGTERM it first answers for `delay` more.
async fn serve(
    router: axum::Router,
    address: SocketAddr,
    delay: Duration,
) -> Result<(), Box<dyn Error + Send + Sync>> {
    let listener = TcpListener::bind(address)
        .await
        .map_err(|error| format!("cannot listen on {address} (LISTEN_ADDR): {error}"))?;
    let address = listener.local_addr()?;
    // Before anybody knows that it is there, and may ask it to stop.
    let stop = stop_signal(delay)?;
    tracing::info!(%address, "listening");

    let (stopping, mut stopped) = tokio::sync::watch::channel(false);
    let server = axum::serve(listener, router).with_graceful_shutdown(async move {
        stop.await;
        tracing::info!("stopping");
        stopping.send_replace(true);
    });
    tokio::select! {
        result = server => result?,
        () = async {
            // An error means that the server is done, and then the other branch has ended already.
            if stopped.wait_for(|stopping| *stopping).await.is_ok() {
                tokio::time::sleep(GRACE).await;
            } else {
                std::future::pending::<()>().await;
            }
        } => tracing::warn!("stopped with requests under way"),
    }
    Ok(())
}

/// A person at the keyboard waits for nothing. An engine's SIGTERM comes while requests still do: whoever sends them hears
/// later that this server ends.
fn stop_signal(delay: Duration) -> std::io::Result<impl Future<Output = ()>> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => return,
            _ = terminate.recv() => {}
        }
        if !delay.is_zero() {
            tracing::info!(seconds = delay.as_secs(), "asked to stop");
            tokio::select! {
                () = tokio::time::sleep(delay) => {}
                _ = interrupt.recv() => {}
            }
        }
    })
}
