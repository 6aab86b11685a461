//! What a client is told when it goes wrong.

use lambda_http::http::StatusCode;
use placet_core::Refusal;
use placet_core::humanlayer::{FieldError, InvalidBody};
use placet_runtime::http::{Response, json};
use placet_runtime::problem::Problem;
use placet_runtime::{CommandError, CreateError};
use serde_json::json;

use crate::unavailable;

/// What a client is told instead of its call: `{"detail": text}`, or FastAPI's list of fields.
pub(super) enum Failed {
    /// In the shape of any other error.
    Problem(Problem),
    /// In the shape FastAPI gives to a body that does not fit.
    Body(InvalidBody),
}

impl Failed {
    pub(super) fn into_response(self) -> Response {
        match self {
            Self::Problem(problem) => problem.into_detail(),
            Self::Body(InvalidBody::Field(field)) => {
                json(StatusCode::UNPROCESSABLE_ENTITY, &json!({"detail": [field]}))
            }
            Self::Body(invalid @ InvalidBody::Json(_)) => {
                let error =
                    json!({"loc": ["body"], "msg": invalid.to_string(), "type": "json_invalid"});
                json(StatusCode::UNPROCESSABLE_ENTITY, &json!({"detail": [error]}))
            }
        }
    }
}

impl From<Problem> for Failed {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

impl From<InvalidBody> for Failed {
    fn from(invalid: InvalidBody) -> Self {
        Self::Body(invalid)
    }
}

impl From<CreateError> for Failed {
    fn from(error: CreateError) -> Self {
        Self::Problem(create_problem(&error))
    }
}

impl From<CommandError> for Failed {
    fn from(error: CommandError) -> Self {
        let detail = error.to_string();
        Self::Problem(match &error {
            CommandError::NotFound(_) => Problem::not_found(detail),
            CommandError::Refused(Refusal::EmptyAnswer) => {
                return InvalidBody::from(FieldError {
                    loc: vec!["body".to_owned(), "response".to_owned()],
                    msg: "there is no such option, and nothing else is said".to_owned(),
                    kind: "value_error",
                })
                .into();
            }
            CommandError::Refused(refusal) => {
                Problem::new(StatusCode::CONFLICT, Refusal::code(refusal), detail)
            }
            CommandError::Busy(_) | CommandError::Store(_) => unavailable(&error),
        })
    }
}

pub(crate) fn create_problem(error: &CreateError) -> Problem {
    let detail = error.to_string();
    match error {
        CreateError::Conflict(_) => Problem::new(StatusCode::CONFLICT, "id_taken", detail),
        CreateError::TooLarge { .. } => {
            Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", detail)
        }
        CreateError::Store(error) => unavailable(error),
    }
}
