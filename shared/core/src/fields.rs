use serde::Serialize;
use serde_json::{Map, Value};

use crate::strict_json;

/// The reason why a request body is invalid.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidBody {
    /// The body is not JSON, or not JSON that Placet accepts. The text says what is wrong and where.
    #[error("the body is not acceptable JSON: {0}")]
    Json(String),
    /// The body is JSON, but a field is missing or wrong.
    #[error("the body has an invalid field: {}: {}", .0.loc.join("."), .0.msg)]
    Field(FieldError),
}

impl From<FieldError> for InvalidBody {
    fn from(error: FieldError) -> Self {
        Self::Field(error)
    }
}

/// Reads a body that must be a JSON object.
pub(crate) fn parse_object(body: &[u8]) -> Result<Map<String, Value>, InvalidBody> {
    match strict_json::parse(body) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(_) => Err(InvalidBody::Field(FieldError {
            loc: vec!["body".to_owned()],
            msg: "Input should be a valid dictionary".to_owned(),
            kind: "dict_type",
        })),
        Err(reason) => Err(InvalidBody::Json(reason.to_string())),
    }
}

/// An error in one field of a body, in the shape of FastAPI's errors.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FieldError {
    /// The path to the field, starting with `body`.
    pub loc: Vec<String>,
    /// The error message.
    pub msg: String,
    /// The stable kind of the error.
    #[serde(rename = "type")]
    pub kind: &'static str,
}

/// A JSON object under validation.
pub(crate) struct Fields<'a> {
    path: Vec<&'a str>,
    object: &'a Map<String, Value>,
}

impl<'a> Fields<'a> {
    pub(crate) fn new(path: &[&'a str], object: &'a Map<String, Value>) -> Self {
        Self { path: path.to_vec(), object }
    }

    pub(crate) fn error(&self, field: &str, msg: &str, kind: &'static str) -> FieldError {
        let quote = |part: &&str| part.chars().take(strict_json::LONGEST_QUOTE).collect();
        let path = self.path.iter().chain([&field]).map(quote);
        FieldError { loc: path.collect(), msg: msg.to_owned(), kind }
    }

    /// The value of a field. JSON null counts as absent.
    pub(crate) fn get(&self, field: &str) -> Option<&'a Value> {
        self.object.get(field).filter(|value| !value.is_null())
    }

    pub(crate) fn optional_text(
        &self,
        field: &str,
        longest: usize,
    ) -> Result<Option<String>, FieldError> {
        match self.get(field) {
            None => Ok(None),
            Some(Value::String(text)) if text.len() <= longest => Ok(Some(text.clone())),
            Some(Value::String(_)) => {
                let msg = format!("String should have at most {longest} bytes");
                Err(self.error(field, &msg, "string_too_long"))
            }
            Some(_) => Err(self.error(field, "Input should be a valid string", "string_type")),
        }
    }

    pub(crate) fn text(&self, field: &str, longest: usize) -> Result<String, FieldError> {
        match self.optional_text(field, longest)? {
            Some(text) if text.is_empty() => Err(self.error(
                field,
                "String should have at least 1 character",
                "string_too_short",
            )),
            Some(text) => Ok(text),
            None => Err(self.missing(field)),
        }
    }

    /// A required text, which may be empty.
    pub(crate) fn text_or_empty(&self, field: &str, longest: usize) -> Result<String, FieldError> {
        self.optional_text(field, longest)?.ok_or_else(|| self.missing(field))
    }

    pub(crate) fn boolean(&self, field: &str) -> Result<bool, FieldError> {
        match self.get(field) {
            Some(Value::Bool(value)) => Ok(*value),
            Some(_) => Err(self.error(field, "Input should be a valid boolean", "bool_type")),
            None => Err(self.missing(field)),
        }
    }

    pub(crate) fn object(&self, field: &'a str) -> Result<Fields<'a>, FieldError> {
        match self.get(field) {
            Some(Value::Object(object)) => {
                let path: Vec<_> = self.path.iter().copied().chain([field]).collect();
                Ok(Fields::new(&path, object))
            }
            Some(_) => Err(self.error(field, "Input should be a valid dictionary", "dict_type")),
            None => Err(self.missing(field)),
        }
    }

    /// An optional object.
    pub(crate) fn optional_object(&self, field: &'a str) -> Result<Option<Fields<'a>>, FieldError> {
        if self.get(field).is_some() { self.object(field).map(Some) } else { Ok(None) }
    }

    pub(crate) fn members(&self) -> impl Iterator<Item = (&'a String, &'a Value)> + use<'a> {
        self.object.iter()
    }

    fn missing(&self, field: &str) -> FieldError {
        self.error(field, "Field required", "missing")
    }
}

/// Removes members that are null, at any depth. A null member means the same as a missing member.
pub fn without_nulls(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.retain(|_, member| !member.is_null());
            members.values_mut().for_each(without_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(without_nulls),
        _ => {}
    }
}
