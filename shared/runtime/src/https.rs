//! HTTPS to what is not one of the SDK's services: S3, and the keys senders publish.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use lambda_http::http::{Request, Response, Uri};

/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(1);

/// How long an answer may take, connection included.
const ANSWER: Duration = Duration::from_secs(5);

/// A client that follows no redirect. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Https(Client<HttpsConnector<HttpConnector>, Full<Bytes>>);

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum HttpsError {
    /// The built-in certificate authorities can not be used.
    #[error("the built-in certificate authorities can not be used: {0}")]
    Roots(#[from] rustls::Error),
    /// The address is not one.
    #[error("{0} is not an address")]
    Address(String),
    /// It could not be connected to.
    #[error("no connection: {0}")]
    Connect(String),
    /// It answered too late.
    #[error("no answer within {} s", ANSWER.as_secs())]
    Timeout,
    /// The answer broke off, or is larger than it may be.
    #[error("the answer can not be read: {0}")]
    Answer(String),
    /// It answered with another status than 200.
    #[error("the answer has status {0}")]
    Status(u16),
}

impl Https {
    /// A client that knows the certificate authorities of the public web.
    ///
    /// # Errors
    ///
    /// If they can not be used.
    pub fn new() -> Result<Self, HttpsError> {
        let roots = rustls::RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let tls = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let mut http = HttpConnector::new();
        http.enforce_http(false);
        http.set_connect_timeout(Some(CONNECT));
        let connector = hyper_rustls::HttpsConnectorBuilder::new()
            .with_tls_config(tls)
            .https_or_http()
            .enable_http1()
            .wrap_connector(http);
        Ok(Self(Client::builder(TokioExecutor::new()).build(connector)))
    }

    /// Reads a document of at most `most` bytes.
    ///
    /// # Errors
    ///
    /// If it is not answered with 200 in time.
    pub async fn get(&self, url: &str, most: usize) -> Result<Bytes, HttpsError> {
        let uri: Uri = url.parse().map_err(|_| HttpsError::Address(url.to_owned()))?;
        let mut request = Request::new(Full::default());
        *request.uri_mut() = uri;
        let response = self.send(request, most).await?;
        match response.status().as_u16() {
            200 => Ok(response.into_body()),
            other => Err(HttpsError::Status(other)),
        }
    }

    /// Sends a request whose answer has at most `most` bytes, whatever its status.
    ///
    /// # Errors
    ///
    /// If it is not answered in time.
    pub async fn send(
        &self,
        request: Request<Full<Bytes>>,
        most: usize,
    ) -> Result<Response<Bytes>, HttpsError> {
        let exchange = async {
            let response = self.0.request(request).await;
            let response = response.map_err(|error| HttpsError::Connect(causes(&error)))?;
            let (parts, body) = response.into_parts();
            let body = Limited::new(body, most).collect().await;
            let body = body.map_err(|error| HttpsError::Answer(error.to_string()))?;
            Ok(Response::from_parts(parts, body.to_bytes()))
        };
        tokio::time::timeout(ANSWER, exchange).await.map_err(|_| HttpsError::Timeout)?
    }
}

fn causes(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(cause) => format!("{error}: {}", causes(cause)),
        None => error.to_string(),
    }
}
