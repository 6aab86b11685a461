use lambda_http::http::HeaderMap;
use lambda_http::http::header::{HOST, HeaderName, ORIGIN};

/// Whether the pages and the demo are open to whoever reaches them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Only with a key or a signed link: everywhere but on a developer's machine.
    Closed,
    /// To the person at this machine. Only the local system makes this, and only on loopback.
    Loopback,
}

impl Access {
    /// Whether a request without key and link is let in.
    ///
    /// On loopback it must come from a program or from our own pages: a page of another site could
    /// make the browser post here, and a name that resolves to loopback could make it read.
    pub fn lets_in(self, headers: &HeaderMap) -> bool {
        let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
        let host = text(HOST).unwrap_or_default();
        let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
        let own_origin = text(ORIGIN).is_none_or(|origin| origin == format!("http://{host}"));
        let site = text(HeaderName::from_static("sec-fetch-site"));
        let own_site = site.is_none_or(|site| matches!(site, "same-origin" | "none"));
        let loopback = matches!(name, "127.0.0.1" | "localhost" | "[::1]");
        self == Self::Loopback && loopback && own_origin && own_site
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lets_in(access: Access, headers: &[(&'static str, &'static str)]) -> bool {
        let pairs = headers.iter().map(|(name, value)| {
            (HeaderName::from_static(name), value.parse().expect("a header value"))
        });
        access.lets_in(&pairs.collect())
    }

    #[test]
    fn only_this_machine_and_only_our_own_pages() {
        let host = ("host", "127.0.0.1:8000");
        assert!(lets_in(Access::Loopback, &[host]));
        assert!(lets_in(
            Access::Loopback,
            &[("host", "localhost:8000"), ("origin", "http://localhost:8000")]
        ));
        assert!(lets_in(Access::Loopback, &[host, ("sec-fetch-site", "none")]));
        assert!(!lets_in(Access::Closed, &[host]));
        assert!(!lets_in(Access::Loopback, &[]));
        assert!(!lets_in(Access::Loopback, &[("host", "rebound.example:8000")]));
        assert!(!lets_in(Access::Loopback, &[host, ("origin", "https://evil.example")]));
        assert!(!lets_in(Access::Loopback, &[host, ("origin", "null")]));
        assert!(!lets_in(Access::Loopback, &[host, ("sec-fetch-site", "cross-site")]));
    }
}
