//! Errors as the caller reads them. What the log says is written where the error is known.

use lambda_http::http::StatusCode;
use lambda_http::http::header::RETRY_AFTER;
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
}

impl Problem {
    /// A problem.
    pub fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self { status, code, detail: detail.into() }
    }

    /// No such resource.
    pub fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", detail)
    }

    /// The path is known, the method is not.
    pub fn method_not_allowed() -> Self {
        let detail = "this path does not answer to this method";
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", detail)
    }

    /// Our fault, whatever it is: the caller is asked to come again.
    pub fn unavailable() -> Self {
        let detail = "a service behind this one does not answer, try again in a few seconds";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", detail)
    }

    /// As `application/problem+json`.
    pub fn into_response(self) -> Response {
        let title = self.status.canonical_reason().unwrap_or("Error");
        let body = json!({
            "type": "about:blank",
            "title": title,
            "status": self.status.as_u16(),
            "code": self.code,
            "detail": self.detail,
        });
        self.finish(text(self.status, "application/problem+json", body.to_string()))
    }

    /// As `{"detail": …}`, which is what clients of HumanLayer's API expect.
    pub fn into_detail(self) -> Response {
        let response = json(self.status, &json!({"detail": self.detail}));
        self.finish(response)
    }

    fn finish(&self, mut response: Response) -> Response {
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            set(&mut response, RETRY_AFTER, "5");
        }
        response
    }
}
