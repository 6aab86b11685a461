//! Conversion of an HTTP request to a Function URL event, payload format 2.0.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::HeaderMap;
use http::header::{CONTENT_TYPE, COOKIE, HOST, USER_AGENT};
use http::request::Parts;
use serde_json::{Map, Value, json};
use time::OffsetDateTime;

/// The event in the format of AWS. Cookies, query and body are absent if they are empty. The path and the
/// raw query keep their percent-encoding.
/// <https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html>
pub(super) fn function_url_event(parts: &Parts, body: Bytes, now_ms: i64) -> Value {
    let path = parts.uri.path();
    let query = parts.uri.query().unwrap_or_default();
    let host = header(&parts.headers, HOST.as_str()).unwrap_or_else(|| "localhost".to_owned());
    let domain = host.split(':').next().unwrap_or_default();
    let source_ip = parts
        .extensions
        .get::<SocketAddr>()
        .map_or(IpAddr::V4(Ipv4Addr::LOCALHOST), SocketAddr::ip);

    let text = is_text(&parts.headers);
    let mut event = json!({
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": query,
        "headers": headers(&parts.headers, &host, source_ip),
        "requestContext": {
            "accountId": "anonymous",
            "apiId": domain.split('.').next(),
            "domainName": domain,
            "domainPrefix": domain.split('.').next(),
            "http": {
                "method": parts.method.as_str(),
                "path": path,
                "protocol": format!("{:?}", parts.version),
                "sourceIp": source_ip,
                "userAgent": header(&parts.headers, USER_AGENT.as_str()),
            },
            "requestId": uuid::Uuid::now_v7().to_string(),
            "routeKey": "$default",
            "stage": "$default",
            "time": clf_time(now_ms),
            "timeEpoch": now_ms,
        },
        "isBase64Encoded": false,
    });
    let cookies = cookies(&parts.headers);
    if !cookies.is_empty() {
        event["cookies"] = json!(cookies);
    }
    if !query.is_empty() {
        event["queryStringParameters"] = json!(query_parameters(query));
    }
    if !body.is_empty() {
        match std::str::from_utf8(&body) {
            Ok(body) if text => event["body"] = json!(body),
            _ => {
                event["body"] = json!(STANDARD.encode(&body));
                event["isBase64Encoded"] = json!(true);
            }
        }
    }
    event
}

/// All values of a header in one string, joined by commas.
fn header(headers: &HeaderMap, name: &str) -> Option<String> {
    let values: Vec<_> = headers
        .get_all(name)
        .iter()
        .map(|value| String::from_utf8_lossy(value.as_bytes()))
        .collect();
    (!values.is_empty()).then(|| values.join(","))
}

/// Every header except `Cookie`. The `x-forwarded-` headers are those of the Function URL and replace the
/// client's.
fn headers(from: &HeaderMap, host: &str, source_ip: IpAddr) -> Map<String, Value> {
    let mut headers: Map<String, Value> = from
        .keys()
        .filter(|name| *name != COOKIE)
        .map(|name| (name.as_str().to_owned(), json!(header(from, name.as_str()))))
        .collect();
    let port = host.rsplit_once(':').map_or("80", |(_, port)| port);
    headers.insert("x-forwarded-for".to_owned(), json!(source_ip));
    headers.insert("x-forwarded-port".to_owned(), json!(port));
    headers.insert("x-forwarded-proto".to_owned(), json!("http"));
    headers
}

fn cookies(headers: &HeaderMap) -> Vec<String> {
    headers
        .get_all(COOKIE)
        .iter()
        .flat_map(|value| {
            let text = String::from_utf8_lossy(value.as_bytes());
            let pairs = text.split(';').map(|pair| pair.trim().to_owned());
            pairs.collect::<Vec<_>>()
        })
        .filter(|pair| !pair.is_empty())
        .collect()
}

fn query_parameters(query: &str) -> BTreeMap<String, String> {
    let mut parameters = BTreeMap::<String, String>::new();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        parameters
            .entry(name.into_owned())
            .and_modify(|values| {
                values.push(',');
                values.push_str(&value);
            })
            .or_insert_with(|| value.into_owned());
    }
    parameters
}

/// Whether AWS passes a body of this content type as text. A body without a content type is not text.
fn is_text(headers: &HeaderMap) -> bool {
    let value = header(headers, CONTENT_TYPE.as_str()).unwrap_or_default();
    let media_type = value.split(';').next().unwrap_or_default();
    let media_type = media_type.trim().to_ascii_lowercase();
    let (kind, subtype) = media_type.split_once('/').unwrap_or_default();
    kind == "text"
        || (kind == "application" && matches!(subtype, "json" | "xml" | "javascript"))
        || subtype.ends_with("+json")
        || subtype.ends_with("+xml")
}

/// The time in the Common Log Format: `12/Mar/2020:19:03:58 +0000`.
fn clf_time(now_ms: i64) -> String {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let time = OffsetDateTime::from_unix_timestamp(now_ms.div_euclid(1000))
        .unwrap_or(OffsetDateTime::UNIX_EPOCH);
    format!(
        "{:02}/{}/{:04}:{:02}:{:02}:{:02} +0000",
        time.day(),
        MONTHS[usize::from(u8::from(time.month())) - 1],
        time.year(),
        time.hour(),
        time.minute(),
        time.second()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(request: http::Request<&[u8]>) -> Value {
        let (parts, body) = request.into_parts();
        function_url_event(&parts, Bytes::copy_from_slice(body), 1_583_348_638_390)
    }

    #[test]
    fn a_full_request_has_the_format_of_aws() {
        let request = http::Request::post("http://x/a%2Fb/c?n=1&m=x%20y&n=2")
            .header("Host", "demo.example:8000")
            .header("X-Many", "1")
            .header("X-Many", "2")
            .header("X-Forwarded-For", "9.9.9.9")
            .header("Cookie", "a=1; b=2")
            .header("Cookie", "c=3")
            .header("User-Agent", "curl/8")
            .header("Content-Type", "application/json; charset=utf-8")
            .body(br#"{"a":1}"#.as_slice())
            .unwrap();
        let mut event = event(request);
        let id = event["requestContext"]["requestId"].take();
        assert!(id.as_str().is_some_and(|id| id.len() == 36));
        let expected = json!({
            "version": "2.0",
            "routeKey": "$default",
            "rawPath": "/a%2Fb/c",
            "rawQueryString": "n=1&m=x%20y&n=2",
            "cookies": ["a=1", "b=2", "c=3"],
            "headers": {
                "host": "demo.example:8000",
                "x-many": "1,2",
                "user-agent": "curl/8",
                "content-type": "application/json; charset=utf-8",
                "x-forwarded-for": "127.0.0.1",
                "x-forwarded-port": "8000",
                "x-forwarded-proto": "http",
            },
            "queryStringParameters": { "m": "x y", "n": "1,2" },
            "requestContext": {
                "accountId": "anonymous",
                "apiId": "demo",
                "domainName": "demo.example",
                "domainPrefix": "demo",
                "http": {
                    "method": "POST",
                    "path": "/a%2Fb/c",
                    "protocol": "HTTP/1.1",
                    "sourceIp": "127.0.0.1",
                    "userAgent": "curl/8",
                },
                "requestId": null,
                "routeKey": "$default",
                "stage": "$default",
                "time": "04/Mar/2020:19:03:58 +0000",
                "timeEpoch": 1_583_348_638_390_i64,
            },
            "body": "{\"a\":1}",
            "isBase64Encoded": false,
        });
        assert_eq!(event, expected);
    }

    #[test]
    fn empty_parts_are_absent() {
        let event = event(http::Request::get("/").body(b"".as_slice()).unwrap());
        for name in ["body", "cookies", "queryStringParameters"] {
            assert!(event.get(name).is_none(), "{name}");
        }
        assert_eq!(event["isBase64Encoded"], false);
        assert_eq!(event["rawQueryString"], "");
    }

    #[test]
    fn only_valid_text_of_a_text_type_stays_text() {
        let encoded = |content_type: &str, body: &[u8]| {
            let request = http::Request::post("/").header("content-type", content_type);
            let event = event(request.body(body).unwrap());
            let sent = event["body"].as_str().unwrap();
            let base64 = event["isBase64Encoded"].as_bool().unwrap();
            let expected = if base64 {
                STANDARD.encode(body)
            } else {
                String::from_utf8(body.to_vec()).unwrap()
            };
            assert_eq!(sent, expected);
            base64
        };
        for text in [
            "text/plain",
            "TEXT/HTML; charset=utf-8",
            "application/json",
            "application/problem+json",
            "application/xml",
            "application/atom+xml",
            "application/javascript",
        ] {
            assert!(!encoded(text, b"a=b"), "{text}");
        }
        for binary in [
            "application/x-www-form-urlencoded",
            "multipart/form-data; boundary=x",
            "application/octet-stream",
            "application/jsonx",
            "",
        ] {
            assert!(encoded(binary, b"a=b"), "{binary}");
        }
        assert!(encoded("application/json", &[b'"', 0xff, b'"']));
    }
}
