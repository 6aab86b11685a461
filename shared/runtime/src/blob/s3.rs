//! S3 over the crate's own HTTPS client.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse,
    HttpResponseBody, HttpService,
};
use object_store::{ClientOptions, RetryConfig};

use super::BlobError;
use crate::Environment;
use crate::https::{Https, HttpsError};

/// The largest object that is read, in bytes: nothing larger was ever taken in.
const LARGEST: usize = 16 * 1024 * 1024;

pub(super) fn open(
    bucket: &str,
    environment: &Environment,
    https: Https,
) -> Result<AmazonS3, BlobError> {
    let need =
        |name| environment.get(name).ok_or_else(|| BlobError::Place(format!("{name} is not set")));
    let retry_timeout = Duration::from_secs(6);
    let retries = RetryConfig { max_retries: 2, retry_timeout, ..RetryConfig::default() };
    let mut builder = AmazonS3Builder::new()
        .with_bucket_name(bucket)
        .with_region(need("AWS_REGION")?)
        .with_access_key_id(need("AWS_ACCESS_KEY_ID")?)
        .with_secret_access_key(need("AWS_SECRET_ACCESS_KEY")?)
        .with_retry(retries)
        .with_http_connector(Connector(https));
    if let Some(token) = environment.get("AWS_SESSION_TOKEN") {
        builder = builder.with_token(token);
    }
    if let Some(url) = environment.get("AWS_ENDPOINT_URL_S3") {
        builder = builder.with_allow_http(url.starts_with("http://")).with_endpoint(url);
    }
    builder.build().map_err(|error| BlobError::Place(error.to_string()))
}

#[derive(Clone, Debug)]
struct Connector(Https);

impl HttpConnector for Connector {
    fn connect(&self, _: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(self.clone()))
    }
}

#[async_trait]
impl HttpService for Connector {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let (parts, body) = request.into_parts();
        let body = body.collect().await?.to_bytes();
        let request = http::Request::from_parts(parts, Full::new(body));
        let response = self.0.send(request, LARGEST).await.map_err(named)?;
        let (parts, body) = response.into_parts();
        Ok(HttpResponse::from_parts(parts, whole(body)))
    }
}

fn whole(body: Bytes) -> HttpResponseBody {
    HttpResponseBody::new(Full::new(body).map_err(|never| match never {}))
}

/// What the retries go by.
fn named(error: HttpsError) -> HttpError {
    let kind = match &error {
        HttpsError::Connect(_) => HttpErrorKind::Connect,
        HttpsError::Timeout => HttpErrorKind::Timeout,
        HttpsError::Answer(_) => HttpErrorKind::Interrupted,
        _ => HttpErrorKind::Unknown,
    };
    HttpError::new(kind, error)
}
