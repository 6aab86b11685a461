//! Typed requests: a body or a query becomes a struct, or an error that names the wrong member.

mod member;
mod types;

use lambda_http::http::StatusCode;
use placet_core::strict_json::ParseError;
use placet_core::{percent, strict_json};
use placet_runtime::problem::Problem;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use member::Member;
pub(crate) use member::Wrong;
pub(crate) use types::{CallId, Comment, Number, Seconds, Text, When};

use crate::error::Error;

/// A 422 that names the member by a JSON pointer (RFC 6901).
impl From<Wrong> for Problem {
    fn from(wrong: Wrong) -> Self {
        let escaped = wrong.path.iter().map(|part| part.replace('~', "~0").replace('/', "~1"));
        let pointer: String = escaped.map(|part| format!("/{part}")).collect();
        Self::invalid_body(pointer, wrong.detail)
    }
}

impl From<Wrong> for Error {
    fn from(wrong: Wrong) -> Self {
        Problem::from(wrong).into()
    }
}

/// Reads a value as a struct.
///
/// # Errors
///
/// If a member is missing, wrong or unknown. The error names the first such member.
pub(crate) fn value<T: DeserializeOwned>(value: Value) -> Result<T, Wrong> {
    T::deserialize(Member(value))
}

/// Takes a required string out of an object.
///
/// # Errors
///
/// If the member is missing or not a string.
pub(crate) fn take_text(object: &mut Map<String, Value>, name: &str) -> Result<String, Wrong> {
    match object.shift_remove(name) {
        Some(Value::String(text)) => Ok(text),
        Some(_) => Err(Wrong::at(&[name], "must be a string")),
        None => Err(Wrong::at(&[name], "is missing")),
    }
}

/// The members of a body that is one JSON object.
///
/// # Errors
///
/// 400 if the body is not JSON, or is JSON that parsers read differently; 413 if it has too many members; 422
/// if it is not an object.
pub(crate) fn object(body: &[u8]) -> Result<Map<String, Value>, Problem> {
    match strict_json::parse(body) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(_) => Err(Wrong::at(&[], "must be a JSON object").into()),
        Err(reason @ ParseError::TooHeavy) => {
            let detail = format!("the body is too large: {reason}");
            Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", detail))
        }
        Err(ParseError::Malformed(reason)) => {
            let detail = format!("the body is not acceptable JSON: {reason}");
            Err(Problem::new(StatusCode::BAD_REQUEST, "malformed_json", detail))
        }
    }
}

/// Reads a query. Each parameter may be given once.
///
/// # Errors
///
/// 400 that names the parameter.
pub(crate) fn query<T: DeserializeOwned>(query: &str) -> Result<T, Problem> {
    let fields = percent::form(query.as_bytes());
    let fields = fields.ok_or_else(|| {
        invalid_query("the query cannot be decoded: it must be percent-encoded UTF-8")
    })?;
    let mut parameters = Map::new();
    for (name, text) in fields {
        if parameters.insert(name.clone(), Value::String(text)).is_some() {
            return Err(invalid_query(format!("{name} is given more than once")));
        }
    }
    value(parameters.into()).map_err(|wrong| invalid_query(wrong.to_string()))
}

/// The 400 for a wrong query.
pub(crate) fn invalid_query(detail: impl Into<String>) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "invalid_query", detail)
}

#[cfg(test)]
mod tests;
