//! The HTTP client settings and helpers that all calls of the worker share.

use std::sync::Arc;
use std::time::Duration;

use placet_core::Timestamp;
use reqwest::header::RETRY_AFTER;
use reqwest::{ClientBuilder, Response};

/// A client, or the error of its construction.
pub(super) type Client = Result<reqwest::Client, Arc<reqwest::Error>>;

/// A client that follows no redirect, uses no proxy and reuses no connection.
///
/// If the server has just closed a reused connection, the error does not tell whether the request arrived. A
/// new connection fails before the request is sent.
pub(super) fn builder() -> ClientBuilder {
    let roots = rustls::RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let client = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map(|tls| tls.with_root_certificates(roots).with_no_client_auth())
        .map_or_else(
            |_| reqwest::Client::builder(),
            |tls| reqwest::Client::builder().tls_backend_preconfigured(tls),
        );
    client
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .connect_timeout(Duration::from_secs(5))
        .pool_max_idle_per_host(0)
        .user_agent(concat!("placet/", env!("CARGO_PKG_VERSION")))
}

/// The wait that the `Retry-After` header of a response asks for.
pub(crate) fn retry_after(response: &Response, now: Timestamp) -> Option<Duration> {
    placet_core::retry_after(response.headers().get(RETRY_AFTER)?.to_str().ok()?, now)
}

/// An error with its causes, without the URL, which may hold a secret.
pub(crate) fn causes(error: &reqwest::Error) -> String {
    let mut text = "the request to the server failed".to_owned();
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    text
}
