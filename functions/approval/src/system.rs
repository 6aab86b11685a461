//! What is said to everybody: that the function is up, which version it is, and what it answers to.

use lambda_http::http::StatusCode;
use placet_runtime::http::{Response, text};
use serde::Serialize;

use crate::reply::json;

/// What this function answers to. The tests in `openapi` make the file.
const OPENAPI: &str = include_str!("../openapi.json");

/// Whether it is up.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Health {
    /// It is, if it answers.
    #[cfg_attr(test, schemars(extend("const" = "ok")))]
    status: &'static str,
}

/// Which version it is.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Version {
    version: &'static str,
}

/// `GET /healthz` and HumanLayer's `GET …/status`.
pub(crate) fn health() -> Response {
    json(StatusCode::OK, &Health { status: "ok" })
}

/// `GET /version`.
pub(crate) fn version() -> Response {
    json(StatusCode::OK, &Version { version: env!("CARGO_PKG_VERSION") })
}

/// `GET /openapi.json`.
pub(crate) fn openapi() -> Response {
    text(StatusCode::OK, "application/json", OPENAPI.to_owned())
}
