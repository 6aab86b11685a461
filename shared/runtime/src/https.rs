//! HTTPS to what is not one of the SDK's services, over the SDK's HTTP client: S3, and the keys
//! senders publish.

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

/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(1);

/// How long an answer may take, connection included.
const ANSWER: Duration = Duration::from_secs(5);

/// A client that follows no redirect and believes the certificate authorities of the system. They
/// are read when it is first used: most functions never do. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Https(Arc<LazyLock<Result<Connector, String>>>);

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum HttpsError {
    /// The certificate authorities cannot be used.
    #[error("the certificate authorities of this system cannot be used: {0}")]
    Roots(String),
    /// The address, or the request, is not one.
    #[error("{0} is not an address")]
    Address(String),
    /// It could not be connected to.
    #[error("no connection: {0}")]
    Connect(String),
    /// It answered too late.
    #[error("no answer within {} s", ANSWER.as_secs())]
    Timeout,
    /// The answer broke off, or is larger than it may be.
    #[error("the answer cannot be read: {0}")]
    Answer(String),
    /// It answered with another status than 200.
    #[error("the answer has status {0}")]
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
    /// If it is not answered with 200 in time.
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

    /// Sends a request whose answer has at most `most` bytes, whatever its status.
    ///
    /// # Errors
    ///
    /// If it is not answered in time.
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
