//! Connections: HTTP/1.1, kept alive, made with the first request, trusting few roots.
//!
//! The SDK's own client also speaks HTTP/2, which DynamoDB does not offer, reads the platform's roots and counts its
//! connections: a quarter of a megabyte of the package, and most of a cold start.

use std::{error::Error, fmt, io, sync::Arc, sync::OnceLock, time::Duration};

use aws_smithy_runtime_api::{
    box_error::BoxError,
    client::{
        http::{
            HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings,
            SharedHttpClient, SharedHttpConnector,
        },
        orchestrator::{HttpRequest, HttpResponse},
        result::ConnectorError,
        runtime_components::RuntimeComponents,
    },
};
use aws_smithy_types::{body::SdkBody, retry::ErrorKind};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{self, connect},
    rt::{TokioExecutor, TokioTimer},
};
use rustls::{ClientConfig, RootCertStore, crypto::ring};
use rustls_pki_types::{CertificateDer, pem::PemObject};

/// The roots behind every public endpoint of AWS.
///
/// <https://www.amazontrust.com/repository/>
const AMAZON_ROOTS: &[u8] = include_bytes!("amazon-roots.pem");

/// The certificates that a connection is believed by.
#[derive(Clone)]
pub struct TrustRoots(Option<Arc<RootCertStore>>);

impl TrustRoots {
    /// Amazon's own roots, built in. Reading the platform's would be 17 of every 18 instructions of a cold start.
    pub fn amazon() -> Self {
        Self(None)
    }

    /// The certificates of a PEM file in place of the built-in ones.
    ///
    /// # Errors
    /// What is wrong with the file, fit to follow its name.
    pub fn from_pem(pem: &[u8]) -> Result<Self, &'static str> {
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(pem) {
            let certificate = certificate.map_err(|_| "is not PEM")?;
            roots
                .add(certificate)
                .map_err(|_| "holds a certificate that cannot be read")?;
        }
        if roots.is_empty() {
            return Err("holds no certificate");
        }
        Ok(Self(Some(Arc::new(roots))))
    }

    fn store(&self) -> Result<Arc<RootCertStore>, BoxError> {
        let built_in = match &self.0 {
            Some(roots) => return Ok(Arc::clone(roots)),
            None => Self::from_pem(AMAZON_ROOTS)?,
        };
        built_in.0.ok_or_else(|| "no roots are built in".into())
    }
}

impl fmt::Debug for TrustRoots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Pem" } else { "Amazon" })
    }
}

/// A pool of connections that is made with the first request and not before: a start that calls nothing pays for no TLS.
///
/// Clones share the pool, so that one set of roots is read for all services.
#[derive(Clone, Debug)]
pub struct Connections(Arc<Lazy>);

#[derive(Debug)]
struct Lazy {
    roots: TrustRoots,
    connect_timeout: Duration,
    connector: OnceLock<SharedHttpConnector>,
}

impl Connections {
    /// Connects to nothing yet.
    pub fn new(roots: TrustRoots, connect_timeout: Duration) -> Self {
        Self(Arc::new(Lazy {
            roots,
            connect_timeout,
            connector: OnceLock::new(),
        }))
    }

    /// The HTTP client of an SDK client.
    pub fn client(&self) -> SharedHttpClient {
        SharedHttpClient::new(self.clone())
    }

    pub(crate) fn connector(&self) -> SharedHttpConnector {
        let make = || match pool(&self.0.roots, self.0.connect_timeout) {
            Ok(client) => SharedHttpConnector::new(Pool(client)),
            Err(error) => SharedHttpConnector::new(Broken(error.to_string())),
        };
        self.0.connector.get_or_init(make).clone()
    }
}

impl HttpClient for Connections {
    fn http_connector(
        &self,
        _: &HttpConnectorSettings,
        _: &RuntimeComponents,
    ) -> SharedHttpConnector {
        self.connector()
    }
}

type Client = legacy::Client<HttpsConnector<connect::HttpConnector>, SdkBody>;

fn pool(roots: &TrustRoots, connect_timeout: Duration) -> Result<Client, BoxError> {
    let tls = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots.store()?)
        .with_no_client_auth();
    let mut tcp = connect::HttpConnector::new();
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    tcp.set_connect_timeout(Some(connect_timeout));
    let connector = HttpsConnectorBuilder::new()
        .with_tls_config(tls)
        .https_or_http()
        .enable_http1()
        .wrap_connector(tcp);
    Ok(legacy::Client::builder(TokioExecutor::new())
        .pool_timer(TokioTimer::new())
        .build(connector))
}

/// The kept-alive connections.
struct Pool(Client);

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pool")
    }
}

impl HttpConnector for Pool {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let request = match request.try_into_http1x() {
            Ok(request) => request,
            Err(error) => {
                return HttpConnectorFuture::ready(Err(ConnectorError::user(error.into())));
            }
        };
        let response = self.0.request(request);
        HttpConnectorFuture::new(async move {
            let response = response.await.map_err(connector_error)?;
            HttpResponse::try_from(response.map(SdkBody::from_body_1_x))
                .map_err(|error| ConnectorError::other(error.into(), None))
        })
    }
}

/// Sorts a failure for the SDK, which tries again after what may pass: a refused or lost connection.
fn connector_error(error: legacy::Error) -> ConnectorError {
    let lost = |cause: &(dyn Error + 'static)| {
        cause.is::<io::Error>()
            || cause.downcast_ref::<hyper::Error>().is_some_and(|error| {
                error.is_closed() || error.is_canceled() || error.is_incomplete_message()
            })
    };
    let causes = std::iter::successors(Some(&error as &(dyn Error + 'static)), |&cause| {
        cause.source()
    });
    // A certificate that is not believed will not be believed in a second either.
    if causes.clone().any(<dyn Error>::is::<rustls::Error>) {
        ConnectorError::other(error.into(), None)
    } else if error.is_connect() || causes.clone().any(lost) {
        ConnectorError::io(error.into())
    } else {
        ConnectorError::other(error.into(), Some(ErrorKind::TransientError))
    }
}

/// Stands where no connection can be made at all, and says why to each request.
#[derive(Debug)]
struct Broken(String);

impl HttpConnector for Broken {
    fn call(&self, _: HttpRequest) -> HttpConnectorFuture {
        let error = BoxError::from(self.0.clone());
        HttpConnectorFuture::ready(Err(ConnectorError::user(error)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_roots_are_five_that_can_be_read() {
        let roots = TrustRoots::amazon().store().unwrap();
        assert_eq!(roots.len(), 5);
    }

    #[test]
    fn another_file_is_held_to_be_one_of_certificates() {
        assert_eq!(
            TrustRoots::from_pem(AMAZON_ROOTS)
                .unwrap()
                .store()
                .unwrap()
                .len(),
            5
        );
        let refused = |pem: &[u8]| TrustRoots::from_pem(pem).unwrap_err();
        assert_eq!(refused(b""), "holds no certificate");
        assert_eq!(
            refused(b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
            "holds a certificate that cannot be read"
        );
        assert_eq!(
            refused(b"-----BEGIN CERTIFICATE-----\n*\n-----END CERTIFICATE-----\n"),
            "is not PEM"
        );
    }
}
