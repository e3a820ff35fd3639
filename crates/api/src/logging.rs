//! The log: one JSON object a line on stderr, which Lambda hands to its log group as it is.

use std::{
    cell::RefCell,
    fmt,
    io::{self, Write},
    sync::{
        Arc,
        atomic::{AtomicU32, AtomicU64, Ordering},
    },
    time::Duration,
};

use http::HeaderValue;
use serde::Serialize;
use tracing::{
    Event, Level, Subscriber,
    field::{Field, Visit},
    level_filters::LevelFilter,
};
use tracing_subscriber::{
    Layer,
    filter::Targets,
    layer::{Context, SubscriberExt},
    util::SubscriberInitExt,
};

use crate::{domain::Timestamp, metrics, trace::Trace};

/// The request that a line is about.
#[derive(Debug)]
pub(crate) struct RequestIds {
    /// Text, and fit for a header as it is.
    pub(crate) request: HeaderValue,
    pub(crate) trace: Option<Trace>,
    /// What it asked of the table.
    pub(crate) table: TableUse,
}

/// What a request asked of the table.
#[derive(Debug, Default)]
pub(crate) struct TableUse {
    calls: AtomicU32,
    throttles: AtomicU32,
    microseconds: AtomicU64,
}

impl TableUse {
    pub(crate) fn add(&self, took: Duration, throttled: bool) {
        self.calls.fetch_add(1, Ordering::Relaxed);
        self.throttles
            .fetch_add(u32::from(throttled), Ordering::Relaxed);
        let took = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.microseconds.fetch_add(took, Ordering::Relaxed);
    }

    /// How long its calls took together, in milliseconds; none where there was none.
    pub(crate) fn milliseconds(&self) -> Option<u64> {
        let calls = self.calls.load(Ordering::Relaxed);
        (calls > 0).then(|| self.microseconds.load(Ordering::Relaxed).div_ceil(1000))
    }

    pub(crate) fn throttles(&self) -> u64 {
        self.throttles.load(Ordering::Relaxed).into()
    }
}

impl RequestIds {
    pub(crate) fn request(&self) -> &str {
        self.request.to_str().unwrap_or_default()
    }
}

tokio::task_local! {
    /// Set while a request is answered, so that every line meanwhile bears its ids. A span would do the same, and cost a
    /// third of what the service itself does with a small request.
    static REQUEST: Arc<RequestIds>;
}

/// Answers a request: what is logged meanwhile bears its ids.
pub(crate) fn about<F: Future>(ids: Arc<RequestIds>, run: F) -> impl Future<Output = F::Output> {
    REQUEST.scope(ids, run)
}

/// The request that is being answered, if one is.
pub(crate) fn with_request<T>(look: impl FnOnce(&RequestIds) -> T) -> Option<T> {
    REQUEST.try_with(|ids| look(ids)).ok()
}

/// Starts the log, panics included, for the rest of the process.
///
/// `level` is for this crate. Other crates are held at warnings, since the AWS SDK and the Lambda runtime write
/// whole requests, and so the content of items, at their lower levels.
///
/// # Errors
/// If a log was started before.
pub fn start(level: Level) -> Result<(), tracing_subscriber::util::TryInitError> {
    let targets = Targets::new()
        .with_default(LevelFilter::from_level(level.min(Level::WARN)))
        .with_target(env!("CARGO_CRATE_NAME"), level)
        // A line with metrics is written whatever the level.
        .with_target(metrics::TARGET, LevelFilter::INFO);
    tracing_subscriber::registry()
        .with(targets)
        .with(Lines)
        .try_init()?;
    std::panic::set_hook(Box::new(|panic| {
        let location = panic.location().map(ToString::to_string);
        tracing::error!(location, "panic");
    }));
    Ok(())
}

/// A thread writes what it has kept back when so many bytes have gathered.
const BATCH_BYTES: usize = 8 * 1024;

/// What a thread has still to write.
struct Log {
    lines: Vec<u8>,
    /// Whether the thread calls [`at_rest`], and so may keep lines back until then.
    rests: bool,
}

thread_local! {
    static LOG: RefCell<Log> = const {
        RefCell::new(Log { lines: Vec::new(), rests: false })
    };
}

/// For the runtime to call before a thread waits: writes what the thread has kept back.
///
/// So a server under load writes many lines in one call, which by itself takes as long as a small request; one at leisure
/// writes each at once; and a Lambda has written its lines before it is frozen. Nothing of it takes a thread.
pub fn at_rest() {
    write_out(|log| {
        log.rests = true;
        true
    });
}

/// For the end of a thread: writes what it has kept back.
pub fn flush() {
    write_out(|_| true);
}

/// Changes the thread's log, and writes it where `change` says so.
fn write_out(change: impl FnOnce(&mut Log) -> bool) {
    LOG.with(|log| {
        // A value that logs while it is written would find the log taken: its own line is left out.
        let Ok(mut log) = log.try_borrow_mut() else {
            return;
        };
        if change(&mut log) && !log.lines.is_empty() {
            // Where the log cannot be written there is nobody to tell.
            let _ = io::stderr().write_all(&log.lines);
            log.lines.clear();
        }
    });
}

/// Writes each event as a line.
struct Lines;

impl<S: Subscriber> Layer<S> for Lines {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        write_out(|log| {
            compose(&mut log.lines, event);
            // What went wrong is told at once: the process may not come to rest any more.
            let urgent = *event.metadata().level() <= Level::WARN;
            urgent || !log.rests || log.lines.len() >= BATCH_BYTES
        });
    }
}

fn compose(line: &mut Vec<u8>, event: &Event<'_>) {
    let mut object = Object(line);
    object.0.push(b'{');
    object.plain("timestamp", &Timestamp::now_digits());
    object.plain("level", event.metadata().level().as_str().as_bytes());
    // Outside of a request there is none.
    let _ = REQUEST.try_with(|ids| {
        object.entry("request_id", ids.request());
        if let Some(trace) = &ids.trace {
            object.entry("trace_id", &trace.root);
        }
    });
    event.record(&mut object);
    // The path of a module.
    object.plain("target", event.metadata().target().as_bytes());
    line.extend_from_slice(b"}\n");
}

/// A JSON object whose entries are written one after the other.
struct Object<'a>(&'a mut Vec<u8>);

impl Object<'_> {
    fn name(&mut self, name: &str) {
        if self.0.last() != Some(&b'{') {
            self.0.push(b',');
        }
        // A field's name is one of Rust, which needs no escapes.
        self.0.push(b'"');
        self.0.extend_from_slice(name.as_bytes());
        self.0.extend_from_slice(b"\":");
    }

    fn entry(&mut self, name: &str, value: impl Serialize) {
        self.name(name);
        // Neither text nor numbers can fail, nor can writing to memory.
        let _ = serde_json::to_writer(&mut *self.0, &value);
    }

    /// An entry of text that needs no escapes.
    fn plain(&mut self, name: &str, text: &[u8]) {
        self.name(name);
        self.0.push(b'"');
        self.0.extend_from_slice(text);
        self.0.push(b'"');
    }
}

impl Visit for Object<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.entry(field.name(), format_args!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == metrics::MEMBER {
            // JSON already.
            self.name(metrics::MEMBER);
            self.0.extend_from_slice(value.as_bytes());
            return;
        }
        self.entry(field.name(), value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.entry(field.name(), value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.entry(field.name(), value);
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.entry(field.name(), value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.entry(field.name(), value);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    /// Keeps the lines, where [`Lines`] writes them to stderr.
    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl<S: Subscriber> Layer<S> for Kept {
        fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
            let mut line = Vec::new();
            compose(&mut line, event);
            self.0.lock().unwrap().append(&mut line);
        }
    }

    #[tokio::test]
    async fn a_line_is_one_object_with_the_ids_of_its_request() {
        let kept = Kept::default();
        let guard =
            tracing::subscriber::set_default(tracing_subscriber::registry().with(kept.clone()));
        tracing::info!(
            status = 200_u16,
            cause = "a \"quoted\"\nline",
            late = true,
            "request"
        );
        let ids = Arc::new(RequestIds {
            request: HeaderValue::from_static("r-1"),
            trace: Trace::read("Root=1-5759e988"),
            table: TableUse::default(),
        });
        about(ids, async { tracing::warn!(at = ?Some(1), "inside") }).await;
        drop(guard);
        let text = String::from_utf8(kept.0.lock().unwrap().clone()).unwrap();
        let lines: Vec<serde_json::Value> = text
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        let [outside, inside] = lines.as_slice() else {
            panic!("{text}");
        };
        assert_eq!(outside["status"], 200);
        assert_eq!(outside["cause"], "a \"quoted\"\nline");
        assert_eq!(outside["message"], "request");
        assert_eq!(outside["request_id"], serde_json::Value::Null);
        assert_eq!(inside["level"], "WARN");
        assert_eq!(inside["at"], "Some(1)");
        assert_eq!(
            (&inside["request_id"], &inside["trace_id"]),
            (&"r-1".into(), &"1-5759e988".into())
        );
    }
}
