//! Errors as the caller sees them. The code that finds an error writes the log line.

use lambda_http::http::header::{ALLOW, RETRY_AFTER};
use lambda_http::http::{HeaderValue, StatusCode};
use serde::Serialize;
use serde_json::json;

use crate::http::{Response, json, text};

/// An RFC 9457 problem with a stable `code`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The HTTP status.
    pub status: StatusCode,
    /// The stable code.
    pub code: &'static str,
    /// A sentence that names the problem and its fix.
    pub detail: String,
    /// The wrong members of the body; empty if the problem is not the body.
    pub errors: Vec<WrongMember>,
    /// The `Allow` header; empty means no header.
    pub allow: String,
    /// The `Retry-After` header, in seconds; `None` means no header.
    pub retry_after: Option<u64>,
}

/// A member of a body that is missing or wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct WrongMember {
    /// The JSON pointer of the member (RFC 6901).
    pub pointer: String,
    /// What is wrong with the member.
    pub detail: String,
}

impl Problem {
    /// A problem with this status, code and detail.
    pub fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        let (detail, errors, allow) = (detail.into(), Vec::new(), String::new());
        Self { status, code, detail, errors, allow, retry_after: None }
    }

    /// A 422 for a body whose member at `pointer` is missing or wrong.
    pub fn invalid_body(pointer: impl Into<String>, wrong: impl Into<String>) -> Self {
        let wrong = WrongMember { pointer: pointer.into(), detail: wrong.into() };
        let place = if wrong.pointer.is_empty() { "the body" } else { &wrong.pointer };
        let detail = format!("{place}: {}", wrong.detail);
        let problem = Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid_body", detail);
        Self { errors: vec![wrong], ..problem }
    }

    /// A 404: the resource does not exist.
    pub fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", detail)
    }

    /// A 405: the path does not allow the method. `allowed` lists its methods, as in `GET, HEAD`.
    pub fn method_not_allowed(allowed: impl Into<String>) -> Self {
        let detail = "this path does not allow this method: see the Allow header";
        let problem = Self::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", detail);
        Self { allow: allowed.into(), ..problem }
    }

    /// A 503 for any error on our side: it asks the caller to retry.
    pub fn unavailable() -> Self {
        let detail = "an internal service is unavailable: retry in a few seconds";
        let problem = Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", detail);
        Self { retry_after: Some(5), ..problem }
    }

    /// The response as `application/problem+json`.
    pub fn into_response(self) -> Response {
        let title = self.status.canonical_reason().unwrap_or("Error");
        let mut body = json!({
            "type": "about:blank",
            "title": title,
            "status": self.status.as_u16(),
            "code": self.code,
            "detail": self.detail,
        });
        if !self.errors.is_empty() {
            body["errors"] = json!(self.errors);
        }
        let response = text(self.status, "application/problem+json", body.to_string());
        self.finish(response)
    }

    /// The response as `{"detail": …}`, which clients of HumanLayer's API expect.
    pub fn into_detail(self) -> Response {
        let response = json(self.status, &json!({"detail": self.detail}));
        self.finish(response)
    }

    fn finish(self, mut response: Response) -> Response {
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(RETRY_AFTER, seconds.into());
        }
        if let Ok(allow) = HeaderValue::try_from(self.allow)
            && !allow.is_empty()
        {
            response.headers_mut().insert(ALLOW, allow);
        }
        response
    }
}
