//! Pages as HTTP responses, with security headers.

use lambda_http::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderName, LOCATION, REFERRER_POLICY, SET_COOKIE,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use lambda_http::http::{HeaderValue, StatusCode};
use placet_runtime::http::{Response, set, text};

use crate::pages;

/// Only our own files, no inline script or style, nothing from other sites, no frame around the page.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
                      connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// A page and its HTTP status, or a redirect.
pub(crate) struct Page {
    status: StatusCode,
    html: String,
    location: Option<String>,
    cookies: Vec<String>,
    referrer: &'static str,
}

impl Page {
    pub(crate) fn ok(rendered: Result<String, impl std::error::Error>) -> Self {
        match rendered {
            Ok(html) => Self {
                status: StatusCode::OK,
                html,
                location: None,
                cookies: Vec::new(),
                referrer: "same-origin",
            },
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

    /// A page whose address is a secret: no other page may learn it.
    pub(crate) fn secret(self) -> Self {
        Self { referrer: "no-referrer", ..self }
    }

    /// Also sets a cookie.
    pub(crate) fn with_cookie(mut self, cookie: String) -> Self {
        self.cookies.push(cookie);
        self
    }

    /// A redirect after a POST, so that a reload does not post again.
    pub(crate) fn see_other(location: String) -> Self {
        Self {
            status: StatusCode::SEE_OTHER,
            html: String::new(),
            location: Some(location),
            cookies: Vec::new(),
            referrer: "same-origin",
        }
    }

    pub(crate) fn message(status: StatusCode, title: &str, text: &str) -> Self {
        let html = pages::message(title, text).unwrap_or_else(|_| title.to_owned());
        Self { status, html, location: None, cookies: Vec::new(), referrer: "same-origin" }
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
        let text = "This page is not open to you at this address. Open your decision link, or the address of the inbox.";
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

    pub(crate) fn not_signed_in() -> Self {
        let text = "The sign-in did not count: it took too long, it was used before, or you are not on the list of people. Try again. If it fails again, ask a person who runs Placet.";
        Self::message(StatusCode::FORBIDDEN, "Not signed in", text)
    }

    pub(crate) fn no_provider() -> Self {
        let text = "The service that signs you in cannot be used now. Nothing was changed. Try again in a few seconds. If it fails again, ask a person who runs Placet.";
        Self::message(StatusCode::BAD_GATEWAY, "Not signed in", text)
    }

    pub(crate) fn signed_out() -> Self {
        let text = "Nothing was changed. Sign in, then open the page again.";
        Self::message(StatusCode::UNAUTHORIZED, "You are not signed in", text)
    }

    pub(crate) fn bad_filter(text: &str) -> Self {
        Self::message(StatusCode::BAD_REQUEST, "Nothing searched", text)
    }

    pub(crate) fn bad_form() -> Self {
        let text = "The form could not be read, or it belongs to another session. Open the page again and send it from there.";
        Self::message(StatusCode::BAD_REQUEST, "Nothing was changed", text)
    }

    pub(crate) fn not_sent_again() -> Self {
        let text = "Placet could not store this, or did not learn whether it was stored. Open the page again to check.";
        Self::message(StatusCode::SERVICE_UNAVAILABLE, "Not sent again", text)
    }

    pub(crate) fn may_not_decide() -> Self {
        let text = "You may settle this operation, but not decide it. Nothing was changed.";
        Self::message(StatusCode::FORBIDDEN, "Not decided", text)
    }

    pub(crate) fn not_decided() -> Self {
        let text = "Placet could not store the decision, or did not learn whether it was stored. Open the page again to check.";
        Self::message(StatusCode::SERVICE_UNAVAILABLE, "Not decided", text)
    }
}

pub(crate) fn page(page: Page) -> Response {
    let mut response = text(page.status, "text/html; charset=utf-8", page.html);
    set(&mut response, CONTENT_SECURITY_POLICY, POLICY);
    // Not `no-referrer` for the inbox, because browsers would then post its forms with `Origin: null`.
    set(&mut response, REFERRER_POLICY, page.referrer);
    set(&mut response, X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(&mut response, X_FRAME_OPTIONS, "DENY");
    set(&mut response, HeaderName::from_static("x-robots-tag"), "noindex");
    for cookie in page.cookies.iter().filter_map(|cookie| HeaderValue::from_str(cookie).ok()) {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    if let Some(location) = page.location.and_then(|location| HeaderValue::from_str(&location).ok())
    {
        response.headers_mut().insert(LOCATION, location);
    }
    response
}

/// A file that the pages load; `None` if there is no such file.
pub(crate) fn asset(name: &str) -> Option<Response> {
    let (media_type, content) = match name {
        "style.css" => ("text/css; charset=utf-8", pages::STYLE),
        "app.js" => ("text/javascript; charset=utf-8", pages::SCRIPT),
        "icon.svg" => ("image/svg+xml", pages::ICON),
        _ => return None,
    };
    let mut response = text(StatusCode::OK, media_type, content.to_owned());
    set(&mut response, CACHE_CONTROL, "public, max-age=3600");
    set(&mut response, X_CONTENT_TYPE_OPTIONS, "nosniff");
    Some(response)
}
