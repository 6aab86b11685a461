use serde::Serialize;
use serde_json::{Map, Value};

/// One thing wrong with a body, in the shape FastAPI gives to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FieldError {
    /// The path to the field, starting with `body`.
    pub loc: Vec<String>,
    /// What is wrong with it.
    pub msg: String,
    /// The stable kind of the error.
    #[serde(rename = "type")]
    pub kind: &'static str,
}

/// A JSON object under validation: takes fields out and collects what is wrong.
pub(crate) struct Fields<'a> {
    path: Vec<&'a str>,
    object: &'a Map<String, Value>,
}

impl<'a> Fields<'a> {
    pub(crate) fn new(path: &[&'a str], object: &'a Map<String, Value>) -> Self {
        Self { path: path.to_vec(), object }
    }

    pub(crate) fn error(&self, field: &str, msg: &str, kind: &'static str) -> FieldError {
        let path = self.path.iter().chain([&field]).map(|part| (*part).to_owned());
        FieldError { loc: path.collect(), msg: msg.to_owned(), kind }
    }

    /// The field, with JSON null counted as absent.
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

    /// A text that has to be there but may be empty.
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

    /// An object that may be absent.
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
