use lambda_http::http::header::{HOST, HeaderName, ORIGIN};
use lambda_http::http::{HeaderMap, Method};
use placet_core::url;

/// Who may use the pages and the demo without an API key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Nobody: every request needs an API key or a signed link. Every deployment is closed.
    Closed,
    /// The person at this machine. Only the local system uses this, and only on loopback.
    Loopback,
}

impl Access {
    /// Whether a request without API key and link is allowed.
    ///
    /// On loopback, the request must come from a program or from Placet's own pages, because a page of
    /// another site could make the browser post here. A person may follow a link from another site: that only
    /// reads.
    pub fn lets_in(self, method: &Method, headers: &HeaderMap) -> bool {
        let own_origin = text(headers, ORIGIN).is_none_or(|origin| {
            text(headers, HOST)
                .is_some_and(|host| origin.eq_ignore_ascii_case(&format!("http://{host}")))
        });
        let mode = text(headers, HeaderName::from_static("sec-fetch-mode"));
        let reads = matches!(*method, Method::GET | Method::HEAD);
        let follows_link = reads && mode.is_none_or(|mode| mode == "navigate");
        let own_site = Self::is_own_form(headers) || follows_link;
        self == Self::Loopback && self.knows_host(headers) && own_origin && own_site
    }

    /// Whether no page of another site sends this form. A browser names the site in `Sec-Fetch-Site`; a program sends
    /// no such header.
    pub fn is_own_form(headers: &HeaderMap) -> bool {
        let site = text(headers, HeaderName::from_static("sec-fetch-site"));
        site.is_none_or(|site| ["same-origin", "none"].contains(&site))
    }

    /// Whether the `Host` header names this machine. If another name that resolves to loopback were accepted,
    /// a page of another site could read our responses (DNS rebinding). Case does not matter, nor does a dot at the
    /// end (RFC 9110 section 4.2.3, RFC 1034 section 3.1).
    pub fn knows_host(self, headers: &HeaderMap) -> bool {
        let host = text(headers, HOST).unwrap_or_default();
        let is_port = |port: &str| port.bytes().all(|byte| byte.is_ascii_digit());
        let name = match host.rsplit_once(':') {
            Some((name, port)) if is_port(port) => name,
            _ => host,
        };
        let name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
        self == Self::Closed || url::is_this_machine(&name)
    }
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lets_in(access: Access, headers: &[(&'static str, &'static str)]) -> bool {
        let pairs = headers.iter().map(|(name, value)| {
            (HeaderName::from_static(name), value.parse().expect("a header value"))
        });
        access.lets_in(&Method::POST, &pairs.collect())
    }

    #[test]
    fn a_link_on_another_site_may_be_followed_but_not_fetched() {
        let foreign = |mode: &'static str| {
            let pairs = [
                ("host", "localhost:8000"),
                ("sec-fetch-site", "cross-site"),
                ("sec-fetch-mode", mode),
            ];
            let headers = pairs.map(|(name, value)| {
                (HeaderName::from_static(name), value.parse().expect("a value"))
            });
            Access::Loopback.lets_in(&Method::GET, &headers.into_iter().collect())
        };
        assert!(foreign("navigate"));
        assert!(!foreign("no-cors"));
    }

    #[test]
    fn the_name_of_this_machine_may_have_any_case_a_dot_and_a_port() {
        for host in
            ["LOCALHOST", "localhost.", "Localhost.:8000", "127.0.0.1", "[::1]", "[::1]:8000"]
        {
            assert!(lets_in(Access::Loopback, &[("host", host)]), "{host}");
        }
        for host in ["localhost..", ".localhost", "localhost.example", "localhost:x", "::1", "."] {
            assert!(!lets_in(Access::Loopback, &[("host", host)]), "{host}");
        }
        let (host, origin) = (("host", "LOCALHOST:8000"), ("origin", "http://localhost:8000"));
        assert!(lets_in(Access::Loopback, &[host, origin]));
    }

    #[test]
    fn only_this_machine_and_only_our_own_pages_are_let_in() {
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
