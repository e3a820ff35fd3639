//! The world of a function: the database, the same behind TLS, and the environment that leads there.

use std::{ffi::OsString, io::Write, net::Ipv4Addr, sync::Arc};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::{
    ServerConfig,
    crypto::ring,
    pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
    version::TLS13,
};
use serde_json::{Value, json};
use stackway_local_cloud::{EmbeddedDynamoDb, lambda::FunctionConfig};
use tempfile::NamedTempFile;
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};
use tokio_rustls::TlsAcceptor;

use crate::{BenchError, Side, direct::Connection, scenario};

const TABLE: &str = "items";

/// The environment of every side. It ends with this value.
pub struct Stage {
    database: EmbeddedDynamoDb,
    tls_port: u16,
    tls: JoinHandle<()>,
    roots: NamedTempFile,
}

impl Stage {
    /// Starts the database with its twenty items, and the front that speaks TLS 1.3.
    ///
    /// # Errors
    ///
    /// [`BenchError::Database`], [`BenchError::Certificate`], [`BenchError::Direct`], or a socket.
    pub async fn set() -> Result<Self, BenchError> {
        let database = EmbeddedDynamoDb::start(0)?;
        database.create_table(&table())?;
        let mut connection = Connection::open(database.port()).await?;
        for item in scenario::items() {
            connection.put(&put_request(&item)).await?;
        }
        let (config, roots) = certificate()?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let tls_port = listener.local_addr()?.port();
        let tls = tokio::spawn(front(listener, config, database.port()));
        Ok(Self {
            database,
            tls_port,
            tls,
            roots,
        })
    }

    /// How `side` is run, with the table over plain HTTP or over TLS.
    #[must_use]
    pub fn function(&self, side: &Side, tls: bool) -> FunctionConfig {
        let endpoint = if tls {
            format!("https://localhost:{}", self.tls_port)
        } else {
            self.database.endpoint_url()
        };
        let mut environment: Vec<(String, OsString)> = [
            ("TABLE_NAME", TABLE),
            ("AWS_REGION", "eu-west-2"),
            ("AWS_DEFAULT_REGION", "eu-west-2"),
            ("AWS_ACCESS_KEY_ID", "ASIAIOSFODNN7EXAMPLE"),
            (
                "AWS_SECRET_ACCESS_KEY",
                "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
            ),
            // As long as the shortest that Lambda gives.
            ("AWS_SESSION_TOKEN", &"t".repeat(400)),
            ("AWS_ENDPOINT_URL_DYNAMODB", &endpoint),
        ]
        .map(|(name, value)| (name.to_owned(), value.into()))
        .into();
        if tls {
            environment.push(("AWS_CA_BUNDLE".to_owned(), self.roots.path().into()));
        }
        let mut config = FunctionConfig::new("bench", &side.program);
        config.arguments = side.arguments.iter().map(OsString::from).collect();
        config.environment = environment;
        config.timeout = std::time::Duration::from_mins(1);
        config
    }

    pub(crate) fn port(&self) -> u16 {
        self.database.port()
    }

    /// The `PutItem` request that the direct call makes: the same item as [`crate::Scenario::Post`] writes.
    pub(crate) fn direct_request() -> Value {
        put_request(&scenario::items().next().unwrap_or_default())
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.tls.abort();
    }
}

fn put_request(item: &Value) -> Value {
    json!({"TableName": TABLE, "Item": item})
}

fn table() -> Value {
    json!({
        "TableName": TABLE,
        "AttributeDefinitions": [
            {"AttributeName": "GUID", "AttributeType": "S"},
            {"AttributeName": "DateReceived", "AttributeType": "S"}
        ],
        "KeySchema": [
            {"AttributeName": "GUID", "KeyType": "HASH"},
            {"AttributeName": "DateReceived", "KeyType": "RANGE"}
        ],
        "BillingMode": "PAY_PER_REQUEST"
    })
}

/// A root of our own and a certificate for localhost under it, as public endpoints have.
fn certificate() -> Result<(Arc<ServerConfig>, NamedTempFile), BenchError> {
    let fault = |error: &dyn std::fmt::Display| BenchError::Certificate(error.to_string());
    let mut params = CertificateParams::new(Vec::new()).map_err(|error| fault(&error))?;
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let root_key = KeyPair::generate().map_err(|error| fault(&error))?;
    let root = params
        .self_signed(&root_key)
        .map_err(|error| fault(&error))?;
    let issuer = Issuer::new(params, root_key);
    let key = KeyPair::generate().map_err(|error| fault(&error))?;
    let leaf = CertificateParams::new(vec!["localhost".to_owned()])
        .and_then(|params| params.signed_by(&key, &issuer))
        .map_err(|error| fault(&error))?;
    let mut roots = NamedTempFile::new()?;
    roots.write_all(root.pem().as_bytes())?;
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(&[&TLS13])
        .map_err(|error| fault(&error))?
        .with_no_client_auth()
        .with_single_cert(vec![leaf.der().clone()], key)
        .map_err(|error| fault(&error))?;
    Ok((Arc::new(config), roots))
}

/// Takes TLS off, and hands on to the database.
async fn front(listener: TcpListener, config: Arc<ServerConfig>, port: u16) {
    let acceptor = TlsAcceptor::from(config);
    while let Ok((stream, _)) = listener.accept().await {
        let acceptor = acceptor.clone();
        tokio::spawn(async move {
            let _ = stream.set_nodelay(true);
            let (client, database) = tokio::join!(
                acceptor.accept(stream),
                TcpStream::connect((Ipv4Addr::LOCALHOST, port))
            );
            if let (Ok(mut client), Ok(mut database)) = (client, database) {
                let _ = database.set_nodelay(true);
                // A function that ends in the middle is nothing to this side.
                let _ = tokio::io::copy_bidirectional(&mut client, &mut database).await;
            }
        });
    }
}
