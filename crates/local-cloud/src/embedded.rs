//! A DynamoDB that runs inside this process.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::time::Duration;

use dynoxide::{Database, DynoxideError};
use tokio::sync::oneshot;

/// How long [`EmbeddedDynamoDb::shutdown`] waits for requests that are being answered.
const SHUTDOWN_GRACE: Duration = Duration::from_secs(5);

/// Why the embedded DynamoDB did not start, or did not make a table.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EmbeddedError {
    /// Another process listens on the port.
    #[error("port {port} is in use: the embedded DynamoDB cannot listen on 127.0.0.1:{port}")]
    PortInUse {
        /// The port that was asked for.
        port: u16,
    },
    /// The listener could not be opened for another reason.
    #[error("the embedded DynamoDB cannot listen on 127.0.0.1:{port}")]
    Listen {
        /// The port that was asked for.
        port: u16,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The database could not be opened.
    #[error("the embedded DynamoDB cannot open `{}`", path.display())]
    Open {
        /// The database file, or `:memory:`.
        path: PathBuf,
        /// What the database said.
        source: DynoxideError,
    },
    /// The server's thread could not be started.
    #[error("the embedded DynamoDB cannot start its thread")]
    Thread(#[source] std::io::Error),
    /// The definition is no `CreateTable` request.
    #[error("the table definition is not a CreateTable request")]
    Definition(#[source] serde_json::Error),
    /// The table was refused.
    #[error("the embedded DynamoDB refuses table `{table}`: {source}")]
    CreateTable {
        /// The name in the definition.
        table: String,
        /// The refusal, in DynamoDB's words.
        source: DynoxideError,
    },
}

impl EmbeddedError {
    /// The next step for the person who meets this error, if there is one.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::PortInUse { .. } => Some("stop what listens there, or choose another port"),
            Self::Open { .. } => Some(
                "check the directory's permissions and free space, or remove the file to start empty",
            ),
            Self::Definition(_) | Self::CreateTable { .. } => Some(
                "compare the definition with https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_CreateTable.html",
            ),
            Self::Listen { .. } | Self::Thread(_) => None,
        }
    }
}

/// A DynamoDB server in this process, on a loopback port.
///
/// It runs on a thread of its own, so it can be used from any async runtime or from none, and a slow
/// query never stalls its caller's tasks. Dropping it stops the server; requests that are being answered
/// finish first. [`shutdown`](Self::shutdown) does the same and waits.
#[derive(Debug)]
pub struct EmbeddedDynamoDb {
    address: SocketAddr,
    database: DebugDatabase,
    stop: Option<oneshot::Sender<()>>,
    stopped: Option<oneshot::Receiver<()>>,
}

/// Keeps the database's insides out of `Debug` output.
struct DebugDatabase(Database);

impl std::fmt::Debug for DebugDatabase {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Database")
    }
}

impl EmbeddedDynamoDb {
    /// Starts an empty DynamoDB whose data lives as long as this value.
    ///
    /// `port` 0 takes any free port. The server accepts requests when this returns.
    ///
    /// # Errors
    ///
    /// [`EmbeddedError::PortInUse`] where another process has the port, and the other variants where the
    /// operating system refuses a socket or a thread.
    pub fn start(port: u16) -> Result<Self, EmbeddedError> {
        let database = Database::memory().map_err(|source| EmbeddedError::Open {
            path: PathBuf::from(":memory:"),
            source,
        })?;
        Self::serve(database, port)
    }

    /// Starts a DynamoDB whose data is kept in the file `path`, which is made if it does not exist.
    ///
    /// # Errors
    ///
    /// As [`start`](Self::start), and [`EmbeddedError::Open`] where the file cannot be used.
    pub fn start_at(path: &Path, port: u16) -> Result<Self, EmbeddedError> {
        let open = |path: &Path| -> Result<Database, DynoxideError> {
            if let Some(parent) = path.parent() {
                std::fs::create_dir_all(parent).map_err(|e| {
                    DynoxideError::InternalServerError(format!("{}: {e}", parent.display()))
                })?;
            }
            Database::new(&path.to_string_lossy())
        };
        let database = open(path).map_err(|source| EmbeddedError::Open {
            path: path.to_path_buf(),
            source,
        })?;
        Self::serve(database, port)
    }

    fn serve(database: Database, port: u16) -> Result<Self, EmbeddedError> {
        let listen = |source: std::io::Error| match source.kind() {
            std::io::ErrorKind::AddrInUse => EmbeddedError::PortInUse { port },
            _ => EmbeddedError::Listen { port, source },
        };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).map_err(listen)?;
        listener.set_nonblocking(true).map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(EmbeddedError::Thread)?;
        let (stop, stop_signal) = oneshot::channel::<()>();
        let (stopped_signal, stopped) = oneshot::channel::<()>();
        let served = database.clone();
        std::thread::Builder::new()
            .name("embedded-dynamodb".to_owned())
            .spawn(move || {
                runtime.block_on(async move {
                    if let Ok(listener) = tokio::net::TcpListener::from_std(listener) {
                        // A dropped sender is a stop as well.
                        let stop = async move {
                            let _ = stop_signal.await;
                        };
                        let _ = dynoxide::server::serve_with_shutdown(listener, served, stop).await;
                    }
                });
                let _ = stopped_signal.send(());
            })
            .map_err(EmbeddedError::Thread)?;
        Ok(Self {
            address,
            database: DebugDatabase(database),
            stop: Some(stop),
            stopped: Some(stopped),
        })
    }

    /// The address for `AWS_ENDPOINT_URL_DYNAMODB`, such as `http://127.0.0.1:8000`.
    pub fn endpoint_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The port that the server listens on.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// Creates a table from the body of a `CreateTable` request, and says whether it is new.
    ///
    /// A table of that name that exists is left as it is, and the answer is `false`.
    /// The body's form: <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_CreateTable.html>.
    ///
    /// # Errors
    ///
    /// [`EmbeddedError::Definition`] where the body is no such request, and [`EmbeddedError::CreateTable`]
    /// where it is one that DynamoDB refuses.
    pub fn create_table(&self, definition: &serde_json::Value) -> Result<bool, EmbeddedError> {
        let request =
            serde_json::from_value(definition.clone()).map_err(EmbeddedError::Definition)?;
        match self.database.0.create_table(request) {
            Ok(_) => Ok(true),
            Err(DynoxideError::ResourceInUseException(_)) => Ok(false),
            Err(source) => Err(EmbeddedError::CreateTable {
                table: definition
                    .get("TableName")
                    .and_then(serde_json::Value::as_str)
                    .unwrap_or_default()
                    .to_owned(),
                source,
            }),
        }
    }

    /// Stops the server and waits until it has, at most five seconds.
    pub async fn shutdown(mut self) {
        drop(self.stop.take());
        if let Some(stopped) = self.stopped.take() {
            let _ = tokio::time::timeout(SHUTDOWN_GRACE, stopped).await;
        }
    }
}
