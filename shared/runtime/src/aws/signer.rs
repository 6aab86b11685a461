//! AWS Signature Version 4 with a cached signing key. The key is valid for a day; the SDK derives it anew for
//! each call.
//!
//! This signer signs only the usual request: the first attempt of a POST to a plain path with its body in memory
//! and the signature in its headers. It passes every other request to the SDK's signer. A second attempt, for
//! example, may need the clock of the service. For the usual request, both signers make the same signature.
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>

use std::sync::{Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use aws_credential_types::Credentials;
use aws_runtime::auth::sigv4::{SCHEME_ID, SigV4Signer};
use aws_runtime::auth::{SigV4OperationSigningConfig, SigningOptions};
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::auth::{
    AuthScheme, AuthSchemeEndpointConfig, AuthSchemeId, Sign,
};
use aws_smithy_runtime_api::client::identity::{Identity, SharedIdentityResolver};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::retries::RequestAttempts;
use aws_smithy_runtime_api::client::runtime_components::{GetIdentityResolver, RuntimeComponents};
use aws_smithy_types::config_bag::ConfigBag;
use placet_core::webhook::{HmacKey, hmac_sha256};
use placet_core::{Digest, Timestamp, hex};

/// Headers that are not signed, because they may change on the way.
const UNSIGNED: [&str; 4] = ["authorization", "transfer-encoding", "user-agent", "x-amzn-trace-id"];

/// The signer of one service in one region. It replaces the SDK's signer.
#[derive(Debug)]
pub(super) struct Signer {
    region: String,
    service: &'static str,
    /// The cached signing key, with the access key and scope that it was derived for.
    key: Mutex<Option<(String, HmacKey)>>,
}

/// The values of the headers that carry the signature.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Signed {
    pub(super) authorization: String,
    pub(super) date: String,
}

impl Signer {
    pub(super) fn new(region: impl Into<String>, service: &'static str) -> Self {
        Self { region: region.into(), service, key: Mutex::default() }
    }

    /// Signs a usual request; `None` if the request is not usual.
    pub(super) fn sign(
        &self,
        request: &HttpRequest,
        credentials: &Credentials,
        now: SystemTime,
    ) -> Option<Signed> {
        let body = request.body().bytes().filter(|_| request.method() == "POST")?;
        let date = basic(now)?;
        let (host, path) = target(request.uri())?;
        let named = request.headers().iter().filter(|(name, _)| !UNSIGNED.contains(name));
        let mut headers: Vec<(&str, &str)> = named.collect();
        headers.push(("host", host));
        headers.push(("x-amz-date", &date));
        headers.extend(credentials.session_token().map(|token| ("x-amz-security-token", token)));
        headers.sort_unstable();
        let twice = headers.windows(2).any(|pair| pair[0].0 == pair[1].0);
        if twice || headers.iter().any(|(_, value)| is_padded(value)) {
            return None;
        }
        let names = headers.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(";");
        let canonical = canonical_request(path, &headers, &names, body);
        let canonical = hex(Digest::of_bytes(canonical.as_bytes()).as_bytes());
        let scope = [&date[..8], "/", &self.region, "/", self.service, "/aws4_request"].concat();
        let credential = [credentials.access_key_id(), "/", &scope].concat();
        let text = ["AWS4-HMAC-SHA256\n", &date, "\n", &scope, "\n", &canonical].concat();
        let key = self.key(&credential, credentials, &date[..8]);
        let signature = hex(&key.mac(&[text.as_bytes()]));
        let authorization = [
            "AWS4-HMAC-SHA256 Credential=",
            &credential,
            ", SignedHeaders=",
            &names,
            ", Signature=",
            &signature,
        ]
        .concat();
        Some(Signed { authorization, date })
    }

    fn key(&self, credential: &str, credentials: &Credentials, day: &str) -> HmacKey {
        let mut kept = self.key.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((known, key)) = &*kept
            && known == credential
        {
            return key.clone();
        }
        let secret = format!("AWS4{}", credentials.secret_access_key()).into_bytes();
        let steps = [day, &self.region, self.service, "aws4_request"];
        let key =
            steps.iter().fold(secret, |key, step| hmac_sha256(&key, &[step.as_bytes()]).to_vec());
        let key = HmacKey::new(&key);
        *kept = Some((credential.to_owned(), key.clone()));
        key
    }
}

/// Builds the canonical request without `format!`, for speed: Placet signs every call.
fn canonical_request(path: &str, headers: &[(&str, &str)], names: &str, body: &[u8]) -> String {
    let mut request = String::with_capacity(1024);
    for part in ["POST\n", path, "\n\n"] {
        request.push_str(part);
    }
    for part in headers.iter().flat_map(|(name, value)| [*name, ":", value, "\n"]) {
        request.push_str(part);
    }
    for part in ["\n", names, "\n", &hex(Digest::of_bytes(body).as_bytes())] {
        request.push_str(part);
    }
    request
}

/// A time in the basic format of ISO 8601, as in `20261121T090000Z`.
fn basic(moment: SystemTime) -> Option<String> {
    let millis = moment.duration_since(UNIX_EPOCH).ok()?.as_millis();
    let text = Timestamp::from_millis(i64::try_from(millis).ok()?).to_string();
    let (seconds, _) = text.split_once('.')?;
    let digits = seconds.chars().filter(|character| !matches!(character, '-' | ':'));
    let mut basic = String::with_capacity(16);
    digits.for_each(|character| basic.push(character));
    basic.push('Z');
    Some(basic)
}

/// The `Host` header and the path of a URL without a query, whose path the canonical request would not change;
/// `None` for another URL. `None` also if the URL names the default port, which the header leaves out.
fn target(uri: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = uri.split_once("://")?;
    let (host, path) = rest.find('/').map_or((rest, "/"), |slash| rest.split_at(slash));
    let default = if scheme == "https" { ":443" } else { ":80" };
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-_".contains(&byte);
    let usual = path.bytes().all(plain) && !path.contains("//");
    let named = !host.contains(['?', '#', '@']) && !host.ends_with(default);
    (usual && named).then_some((host, path))
}

/// Whether a header value has spaces that the canonical request would remove.
fn is_padded(value: &str) -> bool {
    let spaces = |pair: &[u8]| pair == b"  ";
    value.starts_with(' ') || value.ends_with(' ') || value.as_bytes().windows(2).any(spaces)
}

impl AuthScheme for Signer {
    fn scheme_id(&self) -> AuthSchemeId {
        SCHEME_ID
    }

    fn identity_resolver(
        &self,
        resolvers: &dyn GetIdentityResolver,
    ) -> Option<SharedIdentityResolver> {
        resolvers.identity_resolver(SCHEME_ID)
    }

    fn signer(&self) -> &dyn Sign {
        self
    }
}

impl Sign for Signer {
    fn sign_http_request(
        &self,
        request: &mut HttpRequest,
        identity: &Identity,
        endpoint: AuthSchemeEndpointConfig<'_>,
        components: &RuntimeComponents,
        config: &ConfigBag,
    ) -> Result<(), BoxError> {
        let first = config.load::<RequestAttempts>().is_none_or(|number| number.attempts() <= 1);
        let usual = config
            .load::<SigV4OperationSigningConfig>()
            .is_some_and(|operation| operation.signing_options == SigningOptions::default());
        let own_scope =
            ["signingName", "signingRegion"].iter().all(|name| endpoint.get(name).is_none());
        let credentials = identity.data::<Credentials>().filter(|_| first && usual && own_scope);
        let now = components.time_source().unwrap_or_default().now();
        let signed = credentials.and_then(|credentials| {
            let token = credentials.session_token().map(str::to_owned);
            Some((self.sign(request, credentials, now)?, token))
        });
        let Some((signed, token)) = signed else {
            return SigV4Signer::new()
                .sign_http_request(request, identity, endpoint, components, config);
        };
        let headers = request.headers_mut();
        headers.try_insert("x-amz-date", signed.date)?;
        headers.try_insert("authorization", signed.authorization)?;
        if let Some(token) = token {
            headers.try_insert("x-amz-security-token", token)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
