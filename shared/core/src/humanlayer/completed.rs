use serde_json::Value;

use super::InvalidBody;
use super::fields::Fields;
use super::request::{Respond, kwargs, parse_object, status};

/// What a delivery of HumanLayer's cloud says.
#[derive(Clone, Debug, PartialEq)]
pub enum Completed {
    /// A person answered a function call.
    Call(CompletedCall),
    /// Nothing to do, and why.
    Ignored(&'static str),
}

/// An answered function call.
#[derive(Clone, Debug, PartialEq)]
pub struct CompletedCall {
    /// The call.
    pub call_id: String,
    /// The function the person was shown.
    pub function: String,
    /// The arguments the person was shown; `{}` if the delivery holds none.
    pub kwargs: Value,
    /// What the person said.
    pub answer: Respond,
}

/// A verified delivery that makes no sense.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CompletedError {
    /// It is not JSON.
    #[error("{0}")]
    Json(String),
    /// A field is missing or wrong.
    #[error("{field}: {message}")]
    Field {
        /// The path to the field.
        field: String,
        /// What is wrong with it.
        message: String,
    },
}

impl From<InvalidBody> for CompletedError {
    fn from(error: InvalidBody) -> Self {
        match error {
            InvalidBody::Json(_) => Self::Json(error.to_string()),
            InvalidBody::Field(field) => {
                Self::Field { field: field.loc.join("."), message: field.msg }
            }
        }
    }
}

/// Reads a delivery: a bare `FunctionCall` (v1) or a `{type, event}` envelope (v1beta2, v1beta3).
///
/// # Errors
///
/// If it is not JSON, or names the first field that is missing or wrong.
pub fn completed(body: &[u8]) -> Result<Completed, CompletedError> {
    let object = parse_object(body)?;
    let delivery = Fields::new(&["body"], &object);
    if delivery.get("event").is_none() {
        return Ok(call(&delivery)?);
    }
    if delivery.get("is_test").is_some_and(|flag| flag == &Value::Bool(true)) {
        return Ok(Completed::Ignored("a test event"));
    }
    let kind = delivery.text("type", 255).map_err(InvalidBody::from)?;
    if kind != "function_call.completed" {
        return Ok(Completed::Ignored("not a function_call.completed event"));
    }
    let event = delivery.object("event").map_err(InvalidBody::from)?;
    Ok(call(&event)?)
}

fn call(fields: &Fields<'_>) -> Result<Completed, InvalidBody> {
    let spec = fields.object("spec")?;
    Ok(Completed::Call(CompletedCall {
        call_id: fields.text("call_id", 255)?,
        function: spec.text("fn", 255)?,
        kwargs: kwargs(&spec),
        answer: status(&fields.object("status")?)?,
    }))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(body: Value) -> Result<Completed, CompletedError> {
        completed(body.to_string().as_bytes())
    }

    fn sample() -> Value {
        json!({"run_id": "r", "call_id": "c", "spec": {"fn": "f", "kwargs": {"a": 1}},
               "status": {"approved": false, "comment": "no", "reject_option_name": "later"}})
    }

    #[test]
    fn bare_and_enveloped_calls_read_the_same() {
        let bare = read(sample()).unwrap();
        let envelope =
            json!({"is_test": false, "type": "function_call.completed", "event": sample()});
        assert_eq!(read(envelope).unwrap(), bare);
        let Completed::Call(call) = bare else { panic!("{bare:?}") };
        assert_eq!((call.call_id.as_str(), call.function.as_str()), ("c", "f"));
        assert_eq!(call.kwargs, json!({"a": 1}));
        assert_eq!(call.answer.option.as_deref(), Some("later"));
    }

    #[test]
    fn test_events_and_other_events_are_ignored() {
        let envelope = |kind, test| json!({"is_test": test, "type": kind, "event": sample()});
        assert!(matches!(
            read(envelope("function_call.completed", true)),
            Ok(Completed::Ignored(_))
        ));
        assert!(matches!(read(envelope("agent_email.received", false)), Ok(Completed::Ignored(_))));
    }

    #[test]
    fn what_is_missing_is_named() {
        let without = |path: &str| {
            let mut body = sample();
            let (parent, field) = path.rsplit_once('/').unwrap();
            body.pointer_mut(parent).and_then(Value::as_object_mut).unwrap().remove(field);
            read(body).unwrap_err().to_string()
        };
        assert_eq!(without("/call_id"), "body.call_id: Field required");
        assert_eq!(without("/spec"), "body.spec: Field required");
        assert_eq!(without("/spec/fn"), "body.spec.fn: Field required");
        assert_eq!(without("/status/approved"), "body.status.approved: Field required");
        assert!(matches!(completed(b"hello"), Err(CompletedError::Json(_))));
    }
}
