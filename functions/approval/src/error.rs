//! Why a request is not served, in pairs: what the caller reads, and what the log says.

use std::fmt::Display;

use lambda_http::http::StatusCode;
use placet_core::{FieldError, InvalidBody, Timestamp, delivery, operation, receipt};
use placet_runtime::http::Response;
use placet_runtime::problem::Problem;
use placet_runtime::{
    ApiKey, ChangeError, CreateError, Right, Role, SendError, StoreError, Unauthorized,
};
use serde::Serialize;

use crate::reply::json;
use crate::routes::Api;

/// Why a request is not served.
#[derive(Debug)]
pub(crate) enum Error {
    /// The request is wrong, or comes too late. The caller reads how to mend it; nothing is logged.
    Problem(Problem),
    /// A body in HumanLayer's format is wrong. The caller reads where; nothing is logged.
    Body(InvalidBody),
    /// The caller brings no good key. The caller gets one answer for all reasons; the log has the reason.
    Unauthorized(String),
    /// The `Host` header names another site. The caller reads that, and the log says it.
    ForeignHost,
    /// The role of the key does not cover the route. The caller reads which role does; the log says whose.
    Forbidden {
        /// The project of the key.
        project: String,
        /// Its role.
        role: Role,
        /// What the route needs.
        right: Right,
    },
    /// A service behind this one failed. The caller is asked to try again; the log has the cause.
    Unavailable(String),
}

/// The shape of an error about a body in HumanLayer's API, which is FastAPI's.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct InvalidFields {
    detail: Vec<InvalidField>,
}

/// One field that is wrong.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct InvalidField {
    /// The path to the field, starting with `body`.
    loc: Vec<String>,
    /// What is wrong with it.
    msg: String,
    /// The stable kind of the error.
    #[serde(rename = "type")]
    #[cfg_attr(test, schemars(example = &"missing"))]
    kind: &'static str,
}

impl Error {
    /// Writes the half of it that is for the operator.
    pub(crate) fn log(&self, route: Option<&str>) {
        match self {
            Self::Problem(_) | Self::Body(_) => {}
            Self::Unauthorized(reason) => tracing::warn!(route, reason, "request refused"),
            Self::ForeignHost => {
                let reason = "the Host header names another site";
                tracing::warn!(route, reason, "request refused");
            }
            Self::Forbidden { project, role, .. } => {
                let (role, reason) = (role.as_str(), "the role does not allow it");
                tracing::warn!(route, project, role, reason, "request refused");
            }
            Self::Unavailable(error) => tracing::error!(route, error, "request not served"),
        }
    }

    /// The half that is for the caller, in the shape of the API they called.
    pub(crate) fn into_response(self, api: Api) -> Response {
        match (self, api) {
            (Self::Body(invalid), _) => {
                json(StatusCode::UNPROCESSABLE_ENTITY, &InvalidFields::from(invalid))
            }
            (error, Api::Placet) => error.into_problem().into_response(),
            (error, Api::HumanLayer) => error.into_problem().into_detail(),
        }
    }

    /// The half that is for the caller, as our own API says it.
    pub(crate) fn into_problem(self) -> Problem {
        match self {
            Self::Problem(problem) => problem,
            Self::Body(invalid) => Problem::invalid_body("", invalid.to_string()),
            Self::Unauthorized(_) => {
                let detail = "a valid key is needed, as in: Authorization: Bearer <key>";
                Problem::new(StatusCode::UNAUTHORIZED, "unauthorized", detail)
            }
            Self::ForeignHost => {
                let detail = "this system answers only to the name of this machine";
                Problem::new(StatusCode::FORBIDDEN, "foreign_host", detail)
            }
            Self::Forbidden { role, right, .. } => {
                let (role, needed) = (role.as_str(), roles_with(right).join(" or "));
                let detail =
                    format!("the key has the role {role}; a key with the role {needed} is needed");
                Problem::new(StatusCode::FORBIDDEN, "forbidden", detail)
            }
            Self::Unavailable(_) => Problem::unavailable(),
        }
    }
}

/// The names of the roles that have a right.
pub(crate) fn roles_with(right: Right) -> Vec<&'static str> {
    let key = |role| ApiKey { role, ..ApiKey::new("", "", Timestamp::from_millis(0)) };
    let roles = Role::ALL.into_iter().filter(|role| key(*role).allows(right));
    roles.map(Role::as_str).collect()
}

/// It stands otherwise than the request supposes.
pub(crate) fn conflict(code: &'static str, detail: impl Into<String>) -> Problem {
    Problem::new(StatusCode::CONFLICT, code, detail)
}

impl From<InvalidBody> for InvalidFields {
    fn from(invalid: InvalidBody) -> Self {
        let field = match invalid {
            InvalidBody::Field(FieldError { loc, msg, kind }) => InvalidField { loc, msg, kind },
            InvalidBody::Json(_) => InvalidField {
                loc: vec!["body".to_owned()],
                msg: invalid.to_string(),
                kind: "json_invalid",
            },
        };
        Self { detail: vec![field] }
    }
}

/// Why a state machine refuses a command, with the code under which callers know the reason.
pub(crate) trait Refusal: Display {
    /// The stable code.
    fn code(&self) -> &'static str;
}

impl Refusal for operation::Refusal {
    fn code(&self) -> &'static str {
        Self::code(self)
    }
}

impl Refusal for receipt::Refusal {
    fn code(&self) -> &'static str {
        Self::code(self)
    }
}

impl Refusal for delivery::Refusal {
    fn code(&self) -> &'static str {
        Self::code(self)
    }
}

impl<R: Refusal> From<ChangeError<R>> for Error {
    fn from(error: ChangeError<R>) -> Self {
        let detail = error.to_string();
        match error {
            ChangeError::NotFound { .. } => Problem::not_found(detail).into(),
            ChangeError::Refused(refusal) => conflict(refusal.code(), detail).into(),
            ChangeError::Unclear { .. } | ChangeError::Busy { .. } | ChangeError::Store(_) => {
                Self::Unavailable(detail)
            }
        }
    }
}

impl From<CreateError> for Error {
    fn from(error: CreateError) -> Self {
        let detail = error.to_string();
        match error {
            CreateError::Conflict(_) => conflict("id_taken", detail).into(),
            CreateError::TooLarge { .. }
            | CreateError::TooDeep { .. }
            | CreateError::TooManyValues { .. } => {
                Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", detail).into()
            }
            CreateError::Store(error) => error.into(),
        }
    }
}

impl From<SendError> for Error {
    fn from(error: SendError) -> Self {
        match error {
            SendError::UnknownEndpoint(_) => Problem::not_found(error.to_string()).into(),
            SendError::Blob(_) | SendError::Store(_) => Self::Unavailable(error.to_string()),
        }
    }
}

impl From<Unauthorized> for Error {
    fn from(error: Unauthorized) -> Self {
        match error {
            Unauthorized::Store(error) => error.into(),
            refused => Self::Unauthorized(refused.to_string()),
        }
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        Self::Unavailable(error.to_string())
    }
}

impl From<Problem> for Error {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

impl From<InvalidBody> for Error {
    fn from(invalid: InvalidBody) -> Self {
        Self::Body(invalid)
    }
}

impl From<FieldError> for Error {
    fn from(field: FieldError) -> Self {
        Self::Body(field.into())
    }
}

#[cfg(test)]
mod tests;
