//! HTTPS to servers that the SDK does not cover, over the SDK's HTTP client: S3, and the keys that senders
//! publish.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use aws_smithy_http_client::Connector;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_runtime_api::client::http::{HttpConnector as _, HttpConnectorSettings};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use http_body_util::{BodyExt as _, Limited};
use lambda_http::http::{Request, Response, Uri};

/// The timeout of connecting.
const CONNECT: Duration = Duration::from_secs(1);

/// The timeout of a whole exchange, connecting included.
const ANSWER: Duration = Duration::from_secs(5);

/// A client that follows no redirect and trusts the certificate authorities of the system. It reads them on
/// first use, because most functions never use this client. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Https(Arc<LazyLock<Result<Connector, String>>>);

/// Why a request failed.
#[derive(Debug, thiserror::Error)]
pub enum HttpsError {
    /// The certificate authorities cannot be used.
    #[error("the certificate authorities of this system cannot be used: {0}")]
    Roots(String),
    /// The URL or the request is invalid.
    #[error("{0} is not a URL")]
    Address(String),
    /// The connection failed.
    #[error("the connection failed: {0}")]
    Connect(String),
    /// The server did not answer in time.
    #[error("no answer within {} s", ANSWER.as_secs())]
    Timeout,
    /// The response broke off, or is larger than allowed.
    #[error("the response cannot be read: {0}")]
    Answer(String),
    /// The server answered with another status than 200.
    #[error("the server answered with status {0}")]
    Status(u16),
}

impl Default for Https {
    fn default() -> Self {
        Self(Arc::new(LazyLock::new(connector)))
    }
}

fn connector() -> Result<Connector, String> {
    let roots = TrustStore::empty().with_native_roots(true);
    let tls = TlsContext::builder().with_trust_store(roots).build();
    Ok(Connector::builder()
        .tls_provider(Provider::Rustls(CryptoMode::AwsLc))
        .tls_context(tls.map_err(|error| error.to_string())?)
        .connector_settings(settings())
        .build())
}

fn settings() -> HttpConnectorSettings {
    HttpConnectorSettings::builder().connect_timeout(CONNECT).build()
}

impl Https {
    /// A client without TLS, for engines on this machine: it needs no certificate authorities.
    pub fn plain() -> Self {
        Self(Arc::new(LazyLock::new(|| {
            Ok(Connector::builder().connector_settings(settings()).build_http())
        })))
    }

    /// Reads a document of at most `most` bytes.
    ///
    /// # Errors
    ///
    /// If the server does not answer with status 200 in time.
    pub async fn get(&self, url: &str, most: usize) -> Result<Bytes, HttpsError> {
        let uri: Uri = url.parse().map_err(|_| HttpsError::Address(url.to_owned()))?;
        let mut request = Request::new(Bytes::new());
        *request.uri_mut() = uri;
        let response = self.send(request, most).await?;
        match response.status().as_u16() {
            200 => Ok(response.into_body()),
            other => Err(HttpsError::Status(other)),
        }
    }

    /// Sends a request, and reads a response of any status with a body of at most `most` bytes.
    ///
    /// # Errors
    ///
    /// If the server does not answer in time, or the response cannot be read.
    pub async fn send(
        &self,
        request: Request<Bytes>,
        most: usize,
    ) -> Result<Response<Bytes>, HttpsError> {
        let connector = self.0.as_ref();
        let connector = connector.as_ref().map_err(|error| HttpsError::Roots(error.clone()))?;
        let address = request.uri().to_string();
        let request = HttpRequest::try_from(request.map(SdkBody::from));
        let request = request.map_err(|_| HttpsError::Address(address.clone()))?;
        let exchange = async {
            let response = connector.call(request).await;
            let response = response.map_err(|error| HttpsError::Connect(causes(&error)))?;
            let response = response.try_into_http1x();
            let response = response.map_err(|error| HttpsError::Answer(error.to_string()))?;
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
