//! The API on this machine without an emulator: a function under Lambda's conditions, a gateway before it, and an
//! embedded DynamoDB behind it.

mod conditions;
mod table;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use stackway_local_cloud::EmbeddedDynamoDb;
use stackway_local_cloud::lambda::{Function, Gateway};
use tokio::sync::mpsc;

pub(crate) use conditions::Conditions;
pub(crate) use table::embedded_database;

use crate::failure::{Failure, Kind};
use crate::ui::Ui;

/// The package that answers.
pub(crate) const PACKAGE: &str = "stackway-api";

/// How long requests under way may take once the command is to end: as long as the function gives its own.
const GRACE: Duration = Duration::from_secs(10);

/// All that is needed to answer requests, in this process and one of the function's.
pub(crate) struct LocalApi {
    conditions: Conditions,
    database: EmbeddedDynamoDb,
    function: Arc<Function>,
    gateway: Gateway,
    /// What the gateway tells of invocations that failed.
    reports: mpsc::UnboundedReceiver<String>,
}

impl LocalApi {
    /// Answers on `port` of 127.0.0.1. The function's first process starts with the first request, as on Lambda.
    pub(crate) async fn start(
        program: PathBuf,
        conditions: Conditions,
        database: EmbeddedDynamoDb,
        port: u16,
    ) -> Result<Self, Failure> {
        let config = conditions.function(program, &database.endpoint_url());
        let function = Arc::new(Function::new(config));
        let (told, reports) = mpsc::unbounded_channel();
        let invoked = Arc::clone(&function);
        let gateway = Gateway::start(
            port,
            move |event| {
                let function = Arc::clone(&invoked);
                async move { function.invoke(event).await.map(|answer| answer.payload) }
            },
            // Nobody listens once the command ends.
            move |line| drop(told.send(line)),
        )
        .await
        .map_err(|error| cannot_listen(port, &error))?;
        Ok(Self {
            conditions,
            database,
            function,
            gateway,
            reports,
        })
    }

    /// The address that answers.
    pub(crate) fn url(&self) -> String {
        self.gateway.url()
    }

    /// Answers with another executable from the next request on. The one under way ends on the old.
    pub(crate) async fn replace(&self, program: PathBuf) {
        let endpoint = self.database.endpoint_url();
        let config = self.conditions.function(program, &endpoint);
        self.function.replace(config).await;
    }

    /// Says of each failed invocation that it failed, for as long as it is waited for.
    pub(crate) async fn tell_failures(&mut self, ui: &Ui) {
        while let Some(line) = self.reports.recv().await {
            ui.warn(line);
        }
    }

    /// Ends requests under way, then the function's process, then the database.
    pub(crate) async fn stop(self) {
        self.gateway.stop(GRACE).await;
        // What clients have left behind may still wait its turn. Its process ends with the command's tasks.
        let _ = tokio::time::timeout(GRACE, self.function.stop()).await;
        self.database.shutdown().await;
    }
}

/// Fails where the port is taken. Called before a build, since the port itself is taken after it.
pub(crate) fn check_port(port: u16) -> Result<(), Failure> {
    std::net::TcpListener::bind((std::net::Ipv4Addr::LOCALHOST, port))
        .map(drop)
        .map_err(|error| cannot_listen(port, &error))
}

fn cannot_listen(port: u16, error: &std::io::Error) -> Failure {
    Failure::new(Kind::Io, format!("cannot listen on 127.0.0.1:{port}"))
        .cause(error.to_string())
        .hint("end what uses the port, or choose another with `--port`")
}
