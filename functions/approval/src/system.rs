//! Routes that need no key: health, version, and the OpenAPI document.

use lambda_http::http::StatusCode;
use placet_runtime::Runtime;
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
    /// How many stored items this process could not read since it started: a newer version of Placet wrote them,
    /// or they are damaged. Left out if there are none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(range(min = 1, max = 1000)))]
    unreadable_items: Option<usize>,
}

/// The answer of HumanLayer's `GET …/status`.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Status {
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

/// `GET /healthz`.
pub(crate) fn health(runtime: &Runtime) -> Response {
    let unreadable = runtime.engine.store.found_unreadable();
    let unreadable_items = Some(unreadable).filter(|unreadable| *unreadable > 0);
    json(StatusCode::OK, &Health { status: "ok", unreadable_items })
}

/// HumanLayer's `GET …/status`.
pub(crate) fn status(_: &Runtime) -> Response {
    json(StatusCode::OK, &Status { status: "ok" })
}

/// `GET /version`.
pub(crate) fn version(_: &Runtime) -> Response {
    json(StatusCode::OK, &Version { version: env!("CARGO_PKG_VERSION") })
}

/// `GET /openapi.json`.
pub(crate) fn openapi(_: &Runtime) -> Response {
    text(StatusCode::OK, "application/json", OPENAPI.to_owned())
}
