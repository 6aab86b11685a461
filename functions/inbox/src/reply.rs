//! Pages as HTTP responses, with security headers.

use lambda_http::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderName, LOCATION, REFERRER_POLICY, SET_COOKIE,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use lambda_http::http::{HeaderValue, StatusCode};
use placet_runtime::http::{Response, set, text};

use crate::pages;

/// No scripts, nothing from other sites, no frame around the page.
const POLICY: &str = "default-src 'none'; style-src 'self'; form-action 'self'; \
                      frame-ancestors 'none'; base-uri 'none'";

/// A page and its HTTP status, or a redirect.
pub(crate) struct Page {
    status: StatusCode,
    html: String,
    location: Option<String>,
    cookie: Option<String>,
}

impl Page {
    pub(crate) fn ok(rendered: Result<String, impl std::error::Error>) -> Self {
        match rendered {
            Ok(html) => Self { status: StatusCode::OK, html, location: None, cookie: None },
            Err(error) => {
                tracing::error!(%error, "page not rendered");
                Self::message(
                    StatusCode::INTERNAL_SERVER_ERROR,
                    "Something went wrong",
                    "Placet could not make this page. Open it again in a few seconds.",
                )
            }
        }
    }

    pub(crate) fn with_status(self, status: StatusCode) -> Self {
        Self { status, ..self }
    }

    /// Also sets a cookie.
    pub(crate) fn with_cookie(self, cookie: String) -> Self {
        Self { cookie: Some(cookie), ..self }
    }

    /// A redirect after a POST, so that a reload does not post again.
    pub(crate) fn see_other(location: String) -> Self {
        Self {
            status: StatusCode::SEE_OTHER,
            html: String::new(),
            location: Some(location),
            cookie: None,
        }
    }

    pub(crate) fn message(status: StatusCode, title: &str, text: &str) -> Self {
        let html = pages::message(title, text).unwrap_or_else(|_| title.to_owned());
        Self { status, html, location: None, cookie: None }
    }

    pub(crate) fn not_found() -> Self {
        let text = "There is no page at this address. Check that the address is complete.";
        Self::message(StatusCode::NOT_FOUND, "Not found", text)
    }

    pub(crate) fn method_not_allowed() -> Self {
        let text = "This address does not accept this HTTP method. Open the page in a browser.";
        Self::message(StatusCode::METHOD_NOT_ALLOWED, "Method not allowed", text)
    }

    pub(crate) fn closed() -> Self {
        let text = "This page is not available here. Open the decision link that you received.";
        Self::message(StatusCode::FORBIDDEN, "Closed", text)
    }

    pub(crate) fn bad_link() -> Self {
        let text =
            "This link has expired, is incomplete, or the request has changed. Ask for a new link.";
        Self::message(StatusCode::FORBIDDEN, "This link is not valid", text)
    }

    pub(crate) fn bad_sign_in_link() -> Self {
        let text = "This link has expired, is incomplete, or was used before. Ask for a new link.";
        Self::message(StatusCode::FORBIDDEN, "This link is not valid", text)
    }

    pub(crate) fn signed_out() -> Self {
        let text = "Nothing was changed. Sign in, open the page again, and decide there.";
        Self::message(StatusCode::UNAUTHORIZED, "You are not signed in", text)
    }

    pub(crate) fn bad_form() -> Self {
        let text = "The form could not be read. Nothing was changed. Open the page again and decide there.";
        Self::message(StatusCode::BAD_REQUEST, "Not decided", text)
    }

    pub(crate) fn not_decided() -> Self {
        let text = "Placet could not store the decision, or did not learn whether it was stored. Open the page again to check.";
        Self::message(StatusCode::SERVICE_UNAVAILABLE, "Not decided", text)
    }
}

pub(crate) fn page(page: Page) -> Response {
    let mut response = text(page.status, "text/html; charset=utf-8", page.html);
    set(&mut response, CONTENT_SECURITY_POLICY, POLICY);
    // Not `no-referrer`, because browsers would then post our own forms with `Origin: null`.
    set(&mut response, REFERRER_POLICY, "same-origin");
    set(&mut response, X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(&mut response, X_FRAME_OPTIONS, "DENY");
    set(&mut response, HeaderName::from_static("x-robots-tag"), "noindex");
    if let Some(cookie) = page.cookie.and_then(|cookie| HeaderValue::from_str(&cookie).ok()) {
        response.headers_mut().insert(SET_COOKIE, cookie);
    }
    if let Some(location) = page.location.and_then(|location| HeaderValue::from_str(&location).ok())
    {
        response.headers_mut().insert(LOCATION, location);
    }
    response
}

pub(crate) fn style() -> Response {
    let mut response = text(StatusCode::OK, "text/css; charset=utf-8", pages::STYLE.to_owned());
    set(&mut response, CACHE_CONTROL, "public, max-age=3600");
    response
}
