//! Errors as the caller reads them. What the log says is written where the error is known.

use lambda_http::http::header::{ALLOW, RETRY_AFTER};
use lambda_http::http::{HeaderValue, StatusCode};
use serde::Serialize;
use serde_json::json;

use crate::http::{Response, json, set, text};

/// An RFC 9457 problem with a stable `code`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The HTTP status.
    pub status: StatusCode,
    /// The stable code.
    pub code: &'static str,
    /// A sentence that names the thing and the mend.
    pub detail: String,
    /// The members of a body that are wrong; none if it is something else.
    pub errors: Vec<WrongMember>,
    /// The `Allow` header; none if empty.
    pub allow: String,
}

/// A member of a body that is missing or wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct WrongMember {
    /// Where it is: a JSON pointer (RFC 6901).
    pub pointer: String,
    /// What is wrong with it.
    pub detail: String,
}

impl Problem {
    /// A problem.
    pub fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self { status, code, detail: detail.into(), errors: Vec::new(), allow: String::new() }
    }

    /// A body whose member at `pointer` is missing or wrong.
    pub fn invalid_body(pointer: impl Into<String>, wrong: impl Into<String>) -> Self {
        let wrong = WrongMember { pointer: pointer.into(), detail: wrong.into() };
        let place = if wrong.pointer.is_empty() { "the body" } else { &wrong.pointer };
        let detail = format!("{place}: {}", wrong.detail);
        let problem = Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid_body", detail);
        Self { errors: vec![wrong], ..problem }
    }

    /// No such resource.
    pub fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", detail)
    }

    /// The path is known, the method is not; `allowed` are, as in `GET, HEAD`.
    pub fn method_not_allowed(allowed: impl Into<String>) -> Self {
        let detail = "this path does not answer to this method";
        let problem = Self::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", detail);
        Self { allow: allowed.into(), ..problem }
    }

    /// Our fault, whatever it is: the caller is asked to send it again.
    pub fn unavailable() -> Self {
        let detail = "a service behind this one does not answer, try again in a few seconds";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", detail)
    }

    /// As `application/problem+json`.
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

    /// As `{"detail": …}`, which is what clients of HumanLayer's API expect.
    pub fn into_detail(self) -> Response {
        let response = json(self.status, &json!({"detail": self.detail}));
        self.finish(response)
    }

    fn finish(self, mut response: Response) -> Response {
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            set(&mut response, RETRY_AFTER, "5");
        }
        if let Ok(allow) = HeaderValue::try_from(self.allow)
            && !allow.is_empty()
        {
            response.headers_mut().insert(ALLOW, allow);
        }
        response
    }
}
