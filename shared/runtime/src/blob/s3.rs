//! The four S3 calls that the blob store needs, over the HTTPS client of this crate and signed by the SDK's
//! signer.

use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SigningParams,
    SigningSettings, UriPathNormalizationMode, sign,
};
use aws_sigv4::sign::v4;
use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};

use super::BlobError;
use crate::Environment;
use crate::aws::credentials;
use crate::https::{Https, HttpsError};

/// The largest object that is read, in bytes. No larger object is ever written.
const LARGEST: usize = 16 * 1024 * 1024;

/// The waits before the second and the third attempt.
const PAUSES: [Duration; 2] = [Duration::from_millis(100), Duration::from_millis(400)];

#[derive(Debug)]
pub(super) struct S3 {
    /// The URL of the bucket, without a slash at the end.
    bucket: String,
    region: String,
    credentials: Credentials,
    https: Https,
}

impl S3 {
    pub(super) fn new(
        bucket: String,
        region: &str,
        credentials: Credentials,
        https: Https,
    ) -> Self {
        Self { bucket, region: region.to_owned(), credentials, https }
    }

    pub(super) fn from_environment(
        bucket: &str,
        environment: &Environment,
        https: Https,
    ) -> Result<Self, BlobError> {
        let region = environment.get("AWS_REGION").ok_or(BlobError::Missing("AWS_REGION"))?;
        let credentials = credentials(environment).map_err(BlobError::Missing)?;
        let bucket = match environment.get("AWS_ENDPOINT_URL_S3") {
            Some(url) => format!("{}/{bucket}", url.trim_end_matches('/')),
            None if region.starts_with("cn-") => {
                format!("https://{bucket}.s3.{region}.amazonaws.com.cn")
            }
            None => format!("https://{bucket}.s3.{region}.amazonaws.com"),
        };
        Ok(Self::new(bucket, &region, credentials, https))
    }

    pub(super) async fn put(&self, key: &str, bytes: Bytes) -> Result<(), BlobError> {
        done(self.call(Method::PUT, &format!("/{key}"), bytes).await?).map(drop)
    }

    pub(super) async fn get(&self, key: &str) -> Result<Option<Bytes>, BlobError> {
        let response = self.call(Method::GET, &format!("/{key}"), Bytes::new()).await?;
        match response.status() {
            StatusCode::NOT_FOUND => Ok(None),
            _ => done(response).map(Some),
        }
    }

    /// At most `most` keys in a folder. The keys that Placet writes contain no character that XML or a URL
    /// escapes.
    pub(super) async fn list(&self, folder: &str, most: usize) -> Result<Vec<String>, BlobError> {
        let query = format!("/?list-type=2&max-keys={most}&prefix={folder}%2F");
        let body = done(self.call(Method::GET, &query, Bytes::new()).await?)?;
        let text = String::from_utf8_lossy(&body);
        let keys = text.split("<Key>").skip(1).filter_map(|rest| rest.split_once("</Key>"));
        Ok(keys.map(|(key, _)| key.to_owned()).collect())
    }

    pub(super) async fn delete(&self, key: &str) -> Result<(), BlobError> {
        let response = self.call(Method::DELETE, &format!("/{key}"), Bytes::new()).await?;
        match response.status() {
            StatusCode::NOT_FOUND => Ok(()),
            _ => done(response).map(drop),
        }
    }

    /// Calls S3, and retries. A retry is safe because a key is always written with the same bytes.
    async fn call(
        &self,
        method: Method,
        path: &str,
        body: Bytes,
    ) -> Result<Response<Bytes>, BlobError> {
        let mut pauses = PAUSES.into_iter();
        loop {
            let request = self.signed(&method, path, body.clone(), SystemTime::now())?;
            let answer = self.https.send(request, LARGEST).await;
            let again = match &answer {
                Ok(response) => response.status().is_server_error(),
                Err(error) => matches!(error, HttpsError::Connect(_) | HttpsError::Answer(_)),
            };
            match pauses.next().filter(|_| again) {
                Some(pause) => tokio::time::sleep(pause).await,
                None => return answer.map_err(|error| BlobError::Service(error.to_string())),
            }
        }
    }

    fn signed(
        &self,
        method: &Method,
        path: &str,
        body: Bytes,
        now: SystemTime,
    ) -> Result<Request<Bytes>, BlobError> {
        let wrong = |error: &dyn std::fmt::Display| BlobError::Service(error.to_string());
        let url = format!("{}{path}", self.bucket);
        let mut settings = SigningSettings::default();
        settings.percent_encoding_mode = PercentEncodingMode::Single;
        settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
        settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
        let identity = self.credentials.clone().into();
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region(&self.region)
            .name("s3")
            .time(now)
            .settings(settings)
            .build()
            .map_err(|error| wrong(&error))?;
        let none = std::iter::empty();
        let signable =
            SignableRequest::new(method.as_str(), &url, none, SignableBody::Bytes(&body))
                .map_err(|error| wrong(&error))?;
        let signature =
            sign(signable, &SigningParams::V4(params)).map_err(|error| wrong(&error))?;
        let (headers, _) = signature.into_parts().0.into_parts();
        let mut request = Request::builder().method(method).uri(&url);
        for header in headers {
            request = request.header(header.name(), header.value());
        }
        request.body(body).map_err(|error| wrong(&error))
    }
}

fn done(response: Response<Bytes>) -> Result<Bytes, BlobError> {
    match response.status() {
        status if status.is_success() => Ok(response.into_body()),
        status => Err(BlobError::Service(format!("S3 answered with status {status}"))),
    }
}

#[cfg(test)]
pub(super) mod tests;
