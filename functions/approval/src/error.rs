//! The errors of the API. Each error has two halves: the reply to the caller, and the log entry.

use std::fmt::Display;

use lambda_http::http::StatusCode;
use placet_core::rate::Rate;
use placet_core::{FieldError, InvalidBody, Timestamp, delivery, operation, receipt};
use placet_runtime::http::Response;
use placet_runtime::problem::Problem;
use placet_runtime::{
    ApiKey, ChangeError, CreateError, Right, Role, SendError, StoreError, Unauthorized,
};
use serde::Serialize;

use crate::rates::TooOften;
use crate::reply::json;
use crate::routes::Api;

/// Why a request fails.
#[derive(Debug)]
pub(crate) enum Error {
    /// The request is wrong or too late. The reply says how to fix it; nothing is logged.
    Problem(Problem),
    /// A body in HumanLayer's format is wrong. The reply names the field; nothing is logged.
    Body(InvalidBody),
    /// The caller has no valid key. The reply is the same for all reasons; the log has the reason.
    Unauthorized(String),
    /// The `Host` header names another site. The reply and the log say so.
    ForeignHost,
    /// The role of the key does not cover the route. The reply names the roles that do; the log has the
    /// project and the role of the key.
    Forbidden {
        /// The project of the key.
        project: String,
        /// The role of the key.
        role: Role,
        /// The right that the route needs.
        right: Right,
    },
    /// The key writes more often than it may. The reply and the log say so.
    TooOften {
        /// The project of the key.
        project: String,
        /// What the key may do.
        limit: TooOften,
    },
    /// A service that the API needs failed. The reply asks the caller to try again; the log has the cause.
    Unavailable(String),
}

/// The error for a wrong body in HumanLayer's API, in the format of FastAPI.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct InvalidFields {
    detail: Vec<InvalidField>,
}

/// A field that is wrong.
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
    /// Logs the half that is for the operator, if there is one.
    pub(crate) fn log(&self, route: Option<&str>) {
        match self {
            Self::Problem(_) | Self::Body(_) => {}
            Self::Unauthorized(reason) => tracing::warn!(route, reason, "request refused"),
            Self::ForeignHost => {
                let reason = "the Host header names another site";
                tracing::warn!(route, reason, "request refused");
            }
            Self::Forbidden { project, role, .. } => {
                let (role, reason) =
                    (role.as_str(), "the role of the key does not cover the route");
                tracing::warn!(route, project, role, reason, "request refused");
            }
            Self::TooOften { project, .. } => {
                let reason = "the key writes too often";
                tracing::warn!(route, project, reason, "request refused");
            }
            Self::Unavailable(error) => tracing::error!(route, error, "request not served"),
        }
    }

    /// The half that is for the caller, in the error format of this API.
    pub(crate) fn into_response(self, api: Api) -> Response {
        match (self, api) {
            (Self::Body(invalid), _) => {
                json(StatusCode::UNPROCESSABLE_ENTITY, &InvalidFields::from(invalid))
            }
            (error, Api::Placet) => error.into_problem().into_response(),
            (error, Api::HumanLayer) => error.into_problem().into_detail(),
        }
    }

    /// The half that is for the caller, as a problem of our own API.
    pub(crate) fn into_problem(self) -> Problem {
        match self {
            Self::Problem(problem) => problem,
            Self::Body(invalid) => Problem::invalid_body("", invalid.to_string()),
            Self::Unauthorized(_) => {
                let detail = "send a valid API key, as in: Authorization: Bearer <key>";
                Problem::new(StatusCode::UNAUTHORIZED, "unauthorized", detail)
            }
            Self::ForeignHost => {
                let detail =
                    "this local system accepts only the host names localhost, 127.0.0.1 and [::1]";
                Problem::new(StatusCode::FORBIDDEN, "foreign_host", detail)
            }
            Self::Forbidden { role, right, .. } => {
                let (role, needed) = (role.as_str(), roles_with(right).join(" or "));
                let detail = format!(
                    "the key has the role {role}; this route needs a key with the role {needed}"
                );
                Problem::new(StatusCode::FORBIDDEN, "forbidden", detail)
            }
            Self::TooOften { limit: TooOften { rate, wait }, .. } => {
                let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
                let Rate { per_second, burst } = rate;
                let detail = format!(
                    "this key may write {per_second} times a second, and {burst} times at once after a \
                     pause: send the request again after {seconds} s"
                );
                let problem =
                    Problem::new(StatusCode::TOO_MANY_REQUESTS, "too_many_requests", detail);
                Problem { retry_after: Some(seconds), ..problem }
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

/// A 409: the current state does not allow the request.
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

/// A refusal of a state machine, with the stable code that callers see.
pub(crate) trait Refusal: Display {
    /// The stable code.
    fn code(&self) -> &'static str;

    /// 409, because the current state does not allow the request, unless the caller may never do it.
    fn status(&self) -> StatusCode {
        StatusCode::CONFLICT
    }
}

impl Refusal for operation::Refusal {
    fn code(&self) -> &'static str {
        Self::code(self)
    }

    fn status(&self) -> StatusCode {
        match self {
            Self::OwnOperation | Self::NotAnApprover | Self::LinkRevoked => StatusCode::FORBIDDEN,
            _ => StatusCode::CONFLICT,
        }
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
            ChangeError::Refused(refusal) => {
                Problem::new(refusal.status(), refusal.code(), detail).into()
            }
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
