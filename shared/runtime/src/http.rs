//! Requests and responses of the handlers.

use std::net::IpAddr;

use lambda_http::Body;
use lambda_http::http::header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE, HeaderName};
use lambda_http::http::{HeaderMap, HeaderValue, StatusCode};
use placet_core::percent;

/// A request to a handler, with the path and the body bytes as received.
pub type Request = lambda_http::Request;

/// A response of a handler.
pub type Response = lambda_http::Response<Body>;

/// The IP address of the TCP peer, as an extension of a request.
#[derive(Clone, Copy, Debug)]
pub struct SourceIp(pub IpAddr);

/// A response with a JSON body.
pub fn json(status: StatusCode, body: &serde_json::Value) -> Response {
    text(status, "application/json", body.to_string())
}

/// A response with a text body of this media type. Caches must not store it (`no-store`).
pub fn text(status: StatusCode, content_type: &'static str, body: String) -> Response {
    let mut response = Response::new(Body::Text(body));
    *response.status_mut() = status;
    set(&mut response, CONTENT_TYPE, content_type);
    set(&mut response, CACHE_CONTROL, "no-store");
    response
}

/// Sets a header to a value known at compile time.
pub fn set(response: &mut Response, name: HeaderName, value: &'static str) {
    response.headers_mut().insert(name, HeaderValue::from_static(value));
}

/// Whether the caller accepts HTML, as a browser does.
pub fn wants_page(headers: &HeaderMap) -> bool {
    headers
        .get(ACCEPT)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|accept| accept.contains("text/html"))
}

/// The percent-decoded segments of a path. Empty segments are skipped, so doubled and trailing slashes do not
/// matter. `None` if a segment does not decode to UTF-8.
pub fn segments(path: &str) -> Option<Vec<String>> {
    path.split('/')
        .filter(|segment| !segment.is_empty())
        .map(|segment| percent::decode(segment.as_bytes()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_ignore_doubled_slashes_and_decode() {
        let expected = vec!["v1".to_owned(), "a b".to_owned(), "é".to_owned()];
        assert_eq!(segments("//v1/a%20b//%C3%A9/"), Some(expected));
        assert_eq!(segments("/%FF"), None);
        assert_eq!(segments("/%2"), None);
        assert_eq!(segments("/%zz"), None);
    }
}
