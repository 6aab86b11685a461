//! Calls addresses of the public Internet, and the hosts in `outbound.allow_hosts`.
//!
//! The resolver looks a name up once and checks its addresses, and the client connects to those addresses. So
//! a name that resolves to a private address a moment later (DNS rebinding) gains nothing. A literal address
//! needs no lookup, so it is checked before the call. A redirect would bypass both checks, so the client
//! follows none.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use placet_core::address::is_public;
use placet_core::delivery::Answer;
use placet_core::limits::LARGEST_ANSWER;
use placet_runtime::config::Outbound;
use placet_runtime::{Clock, Runtime};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use reqwest::{Method, RequestBuilder, Response, Url};

use super::client;

/// The HTTP client of executors, endpoints and upstream approvers.
#[derive(Clone)]
pub(crate) struct OutboundClient {
    client: client::Client,
    outbound: Outbound,
    clock: Clock,
}

/// The header that names the event type, because the bodies of some senders do not. The signature does not cover it.
const EVENT_TYPE: HeaderName = HeaderName::from_static("placet-event-type");

/// One attempt at a delivery.
pub(crate) struct Post<'a> {
    pub(crate) url: &'a str,
    pub(crate) timeout: Duration,
    pub(crate) content_type: &'a str,
    pub(crate) event_type: &'a str,
    pub(crate) signature: [(&'static str, String); 6],
    pub(crate) body: Vec<u8>,
}

impl OutboundClient {
    pub(crate) fn new(runtime: &Runtime) -> Self {
        let (outbound, clock) = (runtime.config.outbound.clone(), runtime.engine.clock.clone());
        let resolver = Resolver(outbound.clone());
        let client = client::builder().dns_resolver(Arc::new(resolver)).build();
        Self { client: client.map_err(Arc::new), outbound, clock }
    }

    /// A request to a URL that may be called.
    ///
    /// # Errors
    ///
    /// The reason, if the URL is invalid or not permitted.
    pub(crate) fn request(&self, method: Method, url: &str) -> Result<RequestBuilder, String> {
        let client = self.client.as_ref().map_err(|error| client::causes(error))?;
        Ok(client.request(method, checked(url, &self.outbound)?))
    }

    /// Posts a delivery, and reads at most [`LARGEST_ANSWER`] bytes of the response body.
    pub(crate) async fn post(&self, post: Post<'_>) -> Answer {
        let mut request = match self.request(Method::POST, post.url) {
            Ok(request) => request.timeout(post.timeout),
            Err(reason) => return Answer::Nothing(reason),
        };
        // Both values came with a request from outside: leave out a value that is not a valid header value.
        for (name, text) in [(CONTENT_TYPE, post.content_type), (EVENT_TYPE, post.event_type)] {
            if let (false, Ok(value)) = (text.is_empty(), HeaderValue::from_str(text)) {
                request = request.header(name, value);
            }
        }
        for (name, value) in post.signature {
            request = request.header(name, value);
        }
        self.answer(request.body(post.body), LARGEST_ANSWER).await
    }

    /// Sends a request and reads the response. It stops reading the body after about `most` bytes.
    pub(crate) async fn answer(&self, request: RequestBuilder, most: usize) -> Answer {
        match request.send().await {
            Ok(response) => Answer::Status {
                status: response.status().as_u16(),
                retry_after: client::retry_after(&response, self.clock.now()),
                body: beginning(response, most).await,
            },
            Err(error) if error.is_timeout() => Answer::TimedOut(client::causes(&error)),
            Err(error) => Answer::Nothing(client::causes(&error)),
        }
    }
}

/// Parses the URL as the client does, so that the check sees every spelling of an address, and checks it.
fn checked(url: &str, outbound: &Outbound) -> Result<Url, String> {
    let url = Url::parse(url).map_err(|error| format!("the URL is invalid: {error}"))?;
    outbound.permits(url.scheme(), url.host_str().unwrap_or_default())?;
    Ok(url)
}

/// The body of a response up to its end, its size limit, or an error. An error here does not matter to a
/// delivery: its status alone decides whether it succeeded.
async fn beginning(mut response: Response, most: usize) -> Vec<u8> {
    let mut body = Vec::new();
    while body.len() < most
        && let Ok(Some(chunk)) = response.chunk().await
    {
        body.extend_from_slice(&chunk);
    }
    body
}

/// Looks names up, and removes addresses that are not public.
struct Resolver(Outbound);

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let allowed = self.0.allows(name.as_str());
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let found: Vec<SocketAddr> =
                found.filter(|address| allowed || is_public(address.ip())).collect();
            if found.is_empty() {
                let name = name.as_str();
                return Err(format!(
                    "{name} has no public address: to call it anyway, add {name} to outbound.allow_hosts"
                )
                .into());
            }
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use placet_runtime::Config;

    use super::*;

    fn allowing(host: &str) -> Outbound {
        let text = format!("project: x\noutbound: {{allow_hosts: ['{host}']}}");
        Config::parse(&text).unwrap().outbound
    }

    #[test]
    fn a_private_address_is_refused_in_every_spelling() {
        for host in [
            "127.0.0.1",
            "127.1",
            "0x7f.1",
            "0177.0.0.1",
            "2130706433",
            "127.0.0.1.",
            "%31%32%37.0.0.1",
            "[::1]",
            "[::ffff:7f00:1]",
            "[64:ff9b::7f00:1]",
            "[2002:7f00:1::]",
            "169.254.169.254",
            "[fd00:ec2::254]",
            "10.0.0.1",
            "0",
        ] {
            let url = format!("https://{host}:8443/hooks");
            assert!(checked(&url, &Outbound::default()).is_err(), "{host}");
        }
        assert!(checked("https://2130706433/", &allowing("127.0.0.1")).is_ok());
        assert!(checked("http://[::1]/", &allowing("::1")).is_ok());
        assert!(checked("https://10.0.0.1/", &allowing("127.0.0.1")).is_err());
        for url in ["https://example.com/", "https://8.8.8.8/", "https://[2606:4700::1111]/"] {
            assert!(checked(url, &Outbound::default()).is_ok(), "{url}");
        }
        for url in ["http://example.com/", "http://8.8.8.8/", "ftp://example.com/", "hooks"] {
            assert!(checked(url, &Outbound::default()).is_err(), "{url}");
        }
    }

    #[tokio::test]
    async fn a_name_with_a_private_address_resolves_only_if_it_is_allowed() {
        let resolve = |outbound| Resolver(outbound).resolve("localhost".parse().unwrap());
        let refused = resolve(Outbound::default()).await.err().unwrap();
        assert!(refused.to_string().contains("localhost"), "{refused}");
        assert!(resolve(allowing("other.example")).await.is_err());
        assert!(resolve(allowing("LOCALHOST")).await.unwrap().count() > 0);
    }
}
