//! `PutItem` on a kept-alive connection, without an SDK: what the database and the loopback take by themselves.

use std::{
    net::Ipv4Addr,
    time::{Duration, Instant},
};

use bytes::Bytes;
use http::{Request, StatusCode, header};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

use crate::BenchError;

/// One connection to the database.
pub(crate) struct Connection(SendRequest<Full<Bytes>>);

impl Connection {
    pub(crate) async fn open(port: u16) -> Result<Self, BenchError> {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = handshake(TokioIo::new(stream))
            .await
            .map_err(|error| BenchError::Direct(error.to_string()))?;
        tokio::spawn(connection);
        Ok(Self(sender))
    }

    /// Puts an item, and says how long that took.
    pub(crate) async fn put(&mut self, request: &Value) -> Result<Duration, BenchError> {
        let fault = |error: &dyn std::fmt::Display| BenchError::Direct(error.to_string());
        let request = Request::post("/")
            .header(header::HOST, "localhost")
            .header(header::CONTENT_TYPE, "application/x-amz-json-1.0")
            .header("x-amz-target", "DynamoDB_20120810.PutItem")
            .header("x-amz-date", "20240501T120000Z")
            .header(
                header::AUTHORIZATION,
                "AWS4-HMAC-SHA256 Credential=local/20240501/eu-west-2/dynamodb/aws4_request, \
                 SignedHeaders=host;x-amz-date;x-amz-target, Signature=0",
            )
            .body(Full::new(Bytes::from(request.to_string())))
            .map_err(|error| fault(&error))?;
        self.0.ready().await.map_err(|error| fault(&error))?;
        let started = Instant::now();
        let response = self
            .0
            .send_request(request)
            .await
            .map_err(|error| fault(&error))?;
        let status = response.status();
        let body = response
            .collect()
            .await
            .map_err(|error| fault(&error))?
            .to_bytes();
        let took = started.elapsed();
        if status == StatusCode::OK {
            Ok(took)
        } else {
            Err(BenchError::Direct(format!(
                "{status}: {}",
                String::from_utf8_lossy(&body)
            )))
        }
    }
}
