//! Conversion of a Function URL response to an HTTP response.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, SET_COOKIE, TRANSFER_ENCODING};
use http::{HeaderName, HeaderValue, Response, StatusCode};
use serde_json::{Map, Value};

use super::MAX_PAYLOAD;

/// Why a function's response cannot be sent.
#[derive(Debug, thiserror::Error)]
pub(super) enum ReplyError {
    #[error("`statusCode` is {0}; it must be an integer from 200 to 599")]
    Status(Value),
    #[error("`headers` is not an object whose values are strings")]
    Headers,
    #[error("the header `{0}` is not valid in HTTP")]
    Header(String),
    #[error("`cookies` is not a list of strings")]
    Cookies,
    #[error("`body` is not a string")]
    Body,
    #[error("`isBase64Encoded` is true and `body` is not base64: {0}")]
    Base64(#[from] base64::DecodeError),
    #[error("the response is larger than {MAX_PAYLOAD} bytes")]
    TooLarge,
}

/// Reads a response by the rules of AWS: an object with a `statusCode` is a response; any other value is the
/// body of a 200 with content type JSON.
pub(super) fn http_response(answer: Value) -> Result<Response<Bytes>, ReplyError> {
    let response = match answer {
        Value::Object(fields) if fields.contains_key("statusCode") => structured(&fields)?,
        Value::String(text) => Response::new(Bytes::from(text)),
        other => Response::new(Bytes::from(other.to_string())),
    };
    if response.body().len() > MAX_PAYLOAD {
        return Err(ReplyError::TooLarge);
    }
    Ok(with_content_type(response))
}

fn structured(fields: &Map<String, Value>) -> Result<Response<Bytes>, ReplyError> {
    let mut response = Response::new(body(fields)?);
    *response.status_mut() = status(fields)?;
    match fields.get("headers") {
        None | Some(Value::Null) => {}
        Some(Value::Object(headers)) => {
            for (name, value) in headers {
                let (name, value) = header(name, value)?;
                response.headers_mut().insert(name, value);
            }
        }
        Some(_) => return Err(ReplyError::Headers),
    }
    // The server writes these headers of the connection itself.
    for name in [CONTENT_LENGTH, TRANSFER_ENCODING, CONNECTION] {
        response.headers_mut().remove(name);
    }
    match fields.get("cookies") {
        None | Some(Value::Null) => {}
        Some(Value::Array(cookies)) => {
            for cookie in cookies {
                let cookie = cookie.as_str().ok_or(ReplyError::Cookies)?;
                let value = HeaderValue::from_str(cookie)
                    .map_err(|_| ReplyError::Header("set-cookie".to_owned()))?;
                response.headers_mut().append(SET_COOKIE, value);
            }
        }
        Some(_) => return Err(ReplyError::Cookies),
    }
    Ok(response)
}

fn status(fields: &Map<String, Value>) -> Result<StatusCode, ReplyError> {
    let value = fields.get("statusCode").cloned().unwrap_or_default();
    value
        .as_u64()
        .filter(|code| (200..600).contains(code))
        .and_then(|code| u16::try_from(code).ok())
        .and_then(|code| StatusCode::from_u16(code).ok())
        .ok_or(ReplyError::Status(value))
}

fn body(fields: &Map<String, Value>) -> Result<Bytes, ReplyError> {
    let encoded = fields.get("isBase64Encoded") == Some(&Value::Bool(true));
    match fields.get("body") {
        None | Some(Value::Null) => Ok(Bytes::new()),
        Some(Value::String(text)) if encoded => Ok(STANDARD.decode(text)?.into()),
        Some(Value::String(text)) => Ok(Bytes::copy_from_slice(text.as_bytes())),
        Some(_) => Err(ReplyError::Body),
    }
}

fn header(name: &str, value: &Value) -> Result<(HeaderName, HeaderValue), ReplyError> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Bool(_) | Value::Number(_) => value.to_string(),
        _ => return Err(ReplyError::Headers),
    };
    let invalid = || ReplyError::Header(name.to_owned());
    let name = HeaderName::try_from(name).map_err(|_| invalid())?;
    let value = HeaderValue::try_from(text).map_err(|_| invalid())?;
    Ok((name, value))
}

fn with_content_type(mut response: Response<Bytes>) -> Response<Bytes> {
    response
        .headers_mut()
        .entry(CONTENT_TYPE)
        .or_insert(HeaderValue::from_static("application/json"));
    response
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_structured_response_keeps_its_parts() {
        let response = http_response(json!({
            "statusCode": 201,
            "headers": { "Content-Type": "image/png", "X-Count": 3, "Content-Length": "999" },
            "multiValueHeaders": {},
            "cookies": ["a=1; Path=/", "b=2"],
            "body": "AAH/",
            "isBase64Encoded": true,
        }))
        .unwrap();
        assert_eq!(response.status(), 201);
        assert_eq!(response.headers()["content-type"], "image/png");
        assert_eq!(response.headers()["x-count"], "3");
        assert!(!response.headers().contains_key(CONTENT_LENGTH));
        let cookies: Vec<_> = response.headers().get_all(SET_COOKIE).iter().collect();
        assert_eq!(cookies, ["a=1; Path=/", "b=2"]);
        assert_eq!(response.body().as_ref(), [0, 1, 255]);
    }

    #[test]
    fn a_value_without_a_status_is_the_body() {
        for (answer, body) in [
            (json!({ "ok": true }), r#"{"ok":true}"#),
            (json!("hello"), "hello"),
            (Value::Null, "null"),
        ] {
            let response = http_response(answer).unwrap();
            assert_eq!(response.status(), 200);
            assert_eq!(response.headers()["content-type"], "application/json");
            assert_eq!(response.body(), body);
        }
    }

    #[test]
    fn an_invalid_response_is_refused() {
        for answer in [
            json!({ "statusCode": "200" }),
            json!({ "statusCode": 99 }),
            json!({ "statusCode": 70_000 }),
            json!({ "statusCode": 200, "headers": [] }),
            json!({ "statusCode": 200, "headers": { "a b": "c" } }),
            json!({ "statusCode": 200, "headers": { "a": "b\r\nc: d" } }),
            json!({ "statusCode": 200, "cookies": "a=1" }),
            json!({ "statusCode": 200, "body": {} }),
            json!({ "statusCode": 200, "body": "?", "isBase64Encoded": true }),
            json!({ "statusCode": 200, "body": "x".repeat(MAX_PAYLOAD + 1) }),
        ] {
            assert!(http_response(answer.clone()).is_err(), "{answer:.100}");
        }
    }
}
