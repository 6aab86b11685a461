//! Converts Function URL events into `http` requests, and `http` responses back.
//!
//! This module uses the types of `lambda_http` but not its decoder. The decoder of release 1.3.2 panics on a
//! body that is not valid base64, and builds the URL from headers that the sender controls.

use std::future::Future;
use std::net::IpAddr;

use aws_lambda_events::lambda_function_urls::{
    LambdaFunctionUrlRequest, LambdaFunctionUrlResponse,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lambda_http::Body;
use lambda_http::http::header::{COOKIE, SET_COOKIE};
use lambda_http::http::{HeaderValue, StatusCode, Uri};

use crate::http::{Request, Response, SourceIp};
use crate::problem::Problem;

/// Decodes the event, calls the handler, and encodes its response. An event that cannot be decoded gets a 400
/// and does not reach the handler.
pub async fn respond<F, Fut>(
    event: LambdaFunctionUrlRequest,
    handle: F,
) -> LambdaFunctionUrlResponse
where
    F: FnOnce(Request) -> Fut,
    Fut: Future<Output = Response>,
{
    encode(match decode(event) {
        Ok(request) => handle(request).await,
        Err(problem) => problem.into_response(),
    })
}

fn decode(event: LambdaFunctionUrlRequest) -> Result<Request, Problem> {
    let bad_request = |detail: &str| Problem::new(StatusCode::BAD_REQUEST, "bad_request", detail);
    let text = event.body.unwrap_or_default();
    let body = if event.is_base64_encoded {
        let bytes =
            STANDARD.decode(text).map_err(|_| bad_request("the body is not valid base64"))?;
        Body::Binary(bytes)
    } else {
        Body::Text(text)
    };
    let path =
        event.raw_path.filter(|path| path.starts_with('/')).unwrap_or_else(|| "/".to_owned());
    let target = match event.raw_query_string.filter(|query| !query.is_empty()) {
        Some(query) => format!("{path}?{query}"),
        None => path,
    };
    let uri: Uri = target.parse().map_err(|_| bad_request("the path is not a valid URL path"))?;
    let method = event.request_context.http.method.unwrap_or_default();
    let mut request = Request::new(body);
    *request.method_mut() =
        method.parse().map_err(|_| bad_request("the method is not a valid HTTP method"))?;
    *request.uri_mut() = uri;
    *request.headers_mut() = event.headers;
    for cookie in event.cookies.unwrap_or_default() {
        let cookie = HeaderValue::from_str(&cookie)
            .map_err(|_| bad_request("a cookie is not a valid header"))?;
        request.headers_mut().append(COOKIE, cookie);
    }
    let source_ip = event.request_context.http.source_ip;
    if let Some(address) = source_ip.and_then(|text| text.parse::<IpAddr>().ok()) {
        request.extensions_mut().insert(SourceIp(address));
    }
    Ok(request)
}

fn encode(response: Response) -> LambdaFunctionUrlResponse {
    let (parts, body) = response.into_parts();
    let (body, is_base64_encoded) = match body {
        Body::Text(text) => (Some(text), false),
        Body::Binary(bytes) => (Some(STANDARD.encode(bytes)), true),
        _ => (None, false),
    };
    let mut event = LambdaFunctionUrlResponse::default();
    event.status_code = parts.status.as_u16().into();
    let cookies = parts.headers.get_all(SET_COOKIE).iter();
    event.cookies = cookies.filter_map(|cookie| cookie.to_str().ok()).map(str::to_owned).collect();
    event.headers = parts.headers;
    event.headers.remove(SET_COOKIE);
    event.body = body;
    event.is_base64_encoded = is_base64_encoded;
    event
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn event(extra: Value) -> LambdaFunctionUrlRequest {
        let mut event = json!({"version": "2.0", "rawPath": "/x", "rawQueryString": "", "headers": {},
            "requestContext": {"http": {"method": "POST"}, "timeEpoch": 0}, "isBase64Encoded": false});
        for (name, value) in extra.as_object().unwrap() {
            event[name] = value.clone();
        }
        serde_json::from_value(event).unwrap()
    }

    #[test]
    fn text_and_base64_bodies_decode_to_the_same_bytes() {
        for extra in [
            json!({"body": "{\"a\":\"é\"}"}),
            json!({"body": STANDARD.encode("{\"a\":\"é\"}"), "isBase64Encoded": true}),
        ] {
            let request = decode(event(extra)).unwrap();
            assert_eq!(request.body().as_ref(), "{\"a\":\"é\"}".as_bytes());
        }
        assert!(decode(event(json!({}))).unwrap().body().as_ref().is_empty());
    }

    #[test]
    fn cookies_have_their_own_member_in_events() {
        let request = decode(event(json!({"cookies": ["a=1", "b=2"]}))).unwrap();
        let cookies = request.headers().get_all(COOKIE).iter().collect::<Vec<_>>();
        assert_eq!(cookies, ["a=1", "b=2"]);
        let mut response = Response::new(Body::Empty);
        response.headers_mut().insert(SET_COOKIE, HeaderValue::from_static("a=1; Path=/"));
        let encoded = encode(response);
        assert_eq!(encoded.cookies, ["a=1; Path=/"]);
        assert!(!encoded.headers.contains_key(SET_COOKIE));
    }

    #[test]
    fn an_event_that_cannot_be_decoded_gets_a_400() {
        for extra in [
            json!({"body": "%%%", "isBase64Encoded": true}),
            json!({"body": "YQ", "isBase64Encoded": true}),
            json!({"rawPath": "/a b"}),
            json!({"requestContext": {"http": {"method": "NO METHOD"}, "timeEpoch": 0}}),
        ] {
            assert_eq!(decode(event(extra)).unwrap_err().status, StatusCode::BAD_REQUEST);
        }
    }
}
