use std::time::SystemTime;

use aws_credential_types::Credentials;
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{Request, Response};

use super::signer::Signer;
use super::{ConnectError, credentials};
use crate::Environment;
use crate::https::{Https, HttpsError};

/// The largest answer that is read, in bytes.
const LARGEST_ANSWER: usize = 64 * 1024;

/// A service of AWS that takes signed JSON. Placet needs no SDK for a service of which it uses one call.
#[derive(Debug)]
pub struct JsonService {
    /// The URL of the service, without a slash at the end.
    url: String,
    signer: Signer,
    credentials: Credentials,
    https: Https,
}

impl JsonService {
    /// Amazon SES in this region, version 2 of its API. `AWS_ENDPOINT_URL_SESV2` overrides its URL.
    /// <https://docs.aws.amazon.com/ses/latest/APIReference-V2/>
    ///
    /// # Errors
    ///
    /// If a credential is missing in the environment: the error names it.
    pub fn ses(
        region: &str,
        environment: &Environment,
        https: Https,
    ) -> Result<Self, ConnectError> {
        let credentials = credentials(environment).map_err(ConnectError::Missing)?;
        let domain = if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
        let own = environment.get("AWS_ENDPOINT_URL_SESV2");
        let url = own.unwrap_or_else(|| format!("https://email.{region}.{domain}"));
        let url = url.trim_end_matches('/').to_owned();
        Ok(Self { url, signer: Signer::new(region, "ses"), credentials, https })
    }

    /// Posts JSON to a path, and reads a response of any status.
    ///
    /// # Errors
    ///
    /// If the service does not answer in time, or the response cannot be read.
    pub async fn post(
        &self,
        path: &str,
        json: String,
        now: SystemTime,
    ) -> Result<Response<Bytes>, HttpsError> {
        let url = format!("{}{path}", self.url);
        let request = self.signed(&url, Bytes::from(json), now);
        let request = request.ok_or(HttpsError::Address(url))?;
        self.https.send(request, LARGEST_ANSWER).await
    }

    /// The signed request; `None` if the URL is none that can be signed.
    fn signed(&self, url: &str, json: Bytes, now: SystemTime) -> Option<Request<Bytes>> {
        let post = || Request::post(url).header(CONTENT_TYPE, "application/json");
        let unsigned = post().body(SdkBody::from(json.clone())).ok()?;
        let unsigned = HttpRequest::try_from(unsigned).ok()?;
        let signed = self.signer.sign(&unsigned, &self.credentials, now)?;
        let request = post().header("x-amz-date", signed.date);
        let request = match self.credentials.session_token() {
            Some(token) => request.header("x-amz-security-token", token),
            None => request,
        };
        request.header(AUTHORIZATION, signed.authorization).body(json).ok()
    }
}
