//! Routes that need no key: health, version, and the OpenAPI document.

use lambda_http::http::StatusCode;
use placet_runtime::http::{Response, text};
use serde::Serialize;

use crate::reply::json;

/// The OpenAPI document. The tests in `openapi` make the file.
const OPENAPI: &str = include_str!("../openapi.json");

/// The health of the function.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Health {
    /// Always `ok`: a function that is down does not answer.
    #[cfg_attr(test, schemars(extend("const" = "ok")))]
    status: &'static str,
}

/// The version of Placet.
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
