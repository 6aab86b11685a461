use serde_json::Value;

use super::event::event_name;
use super::request::status;
use super::spec::content;
use crate::fields::{Fields, InvalidBody, parse_object};
use crate::operation::{Content, Event, OperationKind, Response};

/// The content of a webhook from HumanLayer's cloud.
#[derive(Clone, Debug, PartialEq)]
pub enum Completed {
    /// A person decided on a function call or answered a question.
    Answered(Box<Answered>),
    /// Nothing to do; the text says why.
    Ignored(&'static str),
}

/// A decided function call or an answered question.
#[derive(Clone, Debug, PartialEq)]
pub struct Answered {
    /// The call id.
    pub call_id: String,
    /// The content that the person saw. The arguments are `{}` if the webhook has none.
    pub content: Content,
    /// The response of the person.
    pub answer: Response,
}

/// The reason why a verified webhook cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CompletedError {
    /// The body is not JSON.
    #[error("{0}")]
    Json(String),
    /// A field is missing or wrong.
    #[error("{field}: {message}")]
    Field {
        /// The path to the field.
        field: String,
        /// The error message.
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

/// Reads a webhook: a bare object (v1) or a `{type, event}` envelope (v1beta2, v1beta3).
///
/// # Errors
///
/// If the body is not JSON. Otherwise names the first field that is missing or wrong.
pub fn completed(body: &[u8]) -> Result<Completed, CompletedError> {
    let object = parse_object(body)?;
    let delivery = Fields::new(&["body"], &object);
    if delivery.get("is_test").is_some_and(|flag| flag == &Value::Bool(true)) {
        return Ok(Completed::Ignored("test event"));
    }
    if delivery.get("event").is_none() {
        return Ok(event(&delivery)?);
    }
    let name = delivery.text("type", 255).map_err(InvalidBody::from)?;
    if !OperationKind::ALL.into_iter().any(|kind| event_name(kind, Event::Completed) == name) {
        return Ok(Completed::Ignored(
            "the event is neither function_call.completed nor human_contact.completed",
        ));
    }
    Ok(event(&delivery.object("event").map_err(InvalidBody::from)?)?)
}

/// Another Placet also notifies of an expired or cancelled operation. This Placet ignores that event,
/// because an approver may still decide here.
fn event(item: &Fields<'_>) -> Result<Completed, InvalidBody> {
    if item.optional_object("status")?.is_some_and(|status| is_unanswered(&status)) {
        return Ok(Completed::Ignored("the sender's operation ended without a decision"));
    }
    Ok(Completed::Answered(Box::new(answered(item)?)))
}

fn is_unanswered(status: &Fields<'_>) -> bool {
    status.get("unanswered").is_some()
}

/// Reads the reply of an upstream approver: the response, and the content that the person saw. `None`
/// while the operation is pending there.
///
/// # Errors
///
/// If the body is not JSON. Otherwise names the first field that is missing or wrong.
pub fn answer(body: &[u8]) -> Result<Option<Answered>, CompletedError> {
    let object = parse_object(body)?;
    let item = Fields::new(&["body"], &object);
    let status = item.optional_object("status").map_err(InvalidBody::from)?;
    let is_answered = |status: &Fields<'_>| {
        let answered = status.get("approved").is_some() || status.get("response").is_some();
        answered && !is_unanswered(status)
    };
    if status.is_some_and(|status| is_answered(&status)) {
        return Ok(Some(answered(&item)?));
    }
    Ok(None)
}

/// Reads a decided call or an answered question. A `spec` with `msg` and without `fn` is a question.
fn answered(fields: &Fields<'_>) -> Result<Answered, InvalidBody> {
    let spec = fields.object("spec")?;
    let question = spec.get("msg").is_some() && spec.get("fn").is_none();
    let kind = if question { OperationKind::HumanContact } else { OperationKind::FunctionCall };
    Ok(Answered {
        call_id: fields.text("call_id", 255)?,
        content: content(kind, &spec)?,
        answer: status(kind, &fields.object("status")?)?,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::humanlayer::{item, sample};
    use crate::operation::Verdict;

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
        let Completed::Answered(call) = bare else { panic!("{bare:?}") };
        assert_eq!(call.call_id, "c");
        let shown = Content::Call { function: "f".to_owned(), kwargs: json!({"a": 1}) };
        assert_eq!(call.content, shown);
        assert_eq!(call.answer.option.as_deref(), Some("later"));
        assert_eq!((call.answer.verdict, call.answer.comment.as_str()), (Verdict::Deny, "no"));
    }

    #[test]
    fn bare_and_enveloped_contacts_read_the_same() {
        let event = json!({"run_id": "r", "call_id": "h", "contact_channel_id": 17,
            "spec": {"msg": "Oak or pine?", "subject": "Wood", "fn": null},
            "status": {"requested_at": null, "response": "oak", "response_option_name": null}});
        let bare = read(event.clone()).unwrap();
        let envelope = |event| json!({"type": "human_contact.completed", "event": event});
        assert_eq!(read(envelope(event.clone())).unwrap(), bare);
        let Completed::Answered(contact) = bare else { panic!("{bare:?}") };
        let (message, subject) = ("Oak or pine?".to_owned(), Some("Wood".to_owned()));
        assert_eq!(contact.content, Content::Question { message, subject });
        let said = Response { verdict: Verdict::Answer, comment: "oak".to_owned(), option: None };
        assert_eq!((contact.call_id.as_str(), contact.answer), ("h", said));

        let mut wordless = event;
        wordless["status"]["response"] = json!("");
        assert_eq!(
            read(envelope(wordless.clone())).unwrap_err().to_string(),
            "body.event.status.response: String should have at least 1 character"
        );
        wordless["status"]["response_option_name"] = json!("oak");
        let chosen = read(wordless).unwrap();
        let Completed::Answered(contact) = chosen else { panic!("{chosen:?}") };
        assert_eq!(contact.answer.option.as_deref(), Some("oak"));
    }

    #[test]
    fn a_reply_without_an_answer_is_none() {
        let item = |status: Value| {
            let mut item = sample();
            item["status"] = status;
            answer(item.to_string().as_bytes())
        };
        let unset = json!({"requested_at": "2026-11-21T09:00:00", "responded_at": null,
            "approved": null, "comment": null, "response": null, "reject_option_name": null});
        for waits in [json!(null), json!({}), json!({"requested_at": "x"}), unset] {
            assert_eq!(item(waits), Ok(None));
        }
        let mut without = sample();
        without.as_object_mut().unwrap().remove("status");
        assert_eq!(answer(without.to_string().as_bytes()), Ok(None));
        let wrong = |status| item(status).unwrap_err().to_string();
        assert_eq!(wrong(json!("yes")), "body.status: Input should be a valid dictionary");
        assert_eq!(
            wrong(json!({"approved": 1})),
            "body.status.approved: Input should be a valid boolean"
        );
        assert!(matches!(answer(b"<html>"), Err(CompletedError::Json(_))));
        let list = answer(b"[]").unwrap_err();
        assert_eq!(list.to_string(), "body: Input should be a valid dictionary");
    }

    #[test]
    fn an_answered_reply_reads_the_same_as_its_webhook() {
        let contact = json!({"run_id": "r", "call_id": "h", "spec": {"msg": "Oak?"},
            "status": {"response": "yes", "response_option_name": "y"}});
        for item in [sample(), contact] {
            let body = item.to_string();
            let Ok(Some(polled)) = answer(body.as_bytes()) else { panic!("{body}") };
            assert_eq!(read(item).unwrap(), Completed::Answered(Box::new(polled)));
        }
        for approved in [true, false] {
            let mut item = sample();
            item["status"] = json!({"approved": approved});
            let answer = answer(item.to_string().as_bytes()).unwrap().unwrap().answer;
            let verdict = if approved { Verdict::Approve } else { Verdict::Deny };
            assert_eq!(answer, Response { verdict, comment: String::new(), option: None });
        }
    }

    /// A Placet may be the upstream approver of another Placet.
    #[test]
    fn replies_of_placet_are_read_correctly() {
        for pending in [sample::call(), sample::question()] {
            let waits = item(&pending, sample::DECIDED).to_string();
            assert_eq!(answer(waits.as_bytes()), Ok(None));
        }
        for operation in sample::all_decided() {
            let body = item(&operation, sample::DECIDED).to_string();
            let answered = answer(body.as_bytes()).unwrap();
            let read = answered.map(|answered| (answered.answer.verdict, answered.content));
            let decided = operation.decision.as_ref().map(|decision| decision.verdict);
            assert_eq!(read, decided.map(|verdict| (verdict, operation.content.clone())));
        }
    }

    /// A reply for a question has no `fn`, even if the requester's `spec` has one. A call may have a `msg`.
    #[test]
    fn calls_and_questions_are_not_confused() {
        let call = json!({"fn": "f", "kwargs": {}, "msg": "m", "subject": "s"});
        let question = json!({"msg": "m", "fn": "f", "kwargs": {"a": 1}, "state": {}});
        for (kind, spec) in
            [(OperationKind::FunctionCall, call), (OperationKind::HumanContact, question)]
        {
            let verdict = match kind {
                OperationKind::FunctionCall => Verdict::Deny,
                OperationKind::HumanContact => Verdict::Answer,
            };
            let pending = sample::created(kind, "c", &spec);
            let operation = sample::decided(&pending, verdict, "no", None);
            let body = item(&operation, sample::DECIDED).to_string();
            let read = answer(body.as_bytes()).map(|answered| answered.map(|one| one.content));
            assert_eq!(read, Ok(Some(operation.body.content)), "{body}");
        }
    }

    #[test]
    fn test_events_and_other_events_are_ignored() {
        let envelope = |kind, test| json!({"is_test": test, "type": kind, "event": sample()});
        assert!(matches!(
            read(envelope("function_call.completed", true)),
            Ok(Completed::Ignored(_))
        ));
        assert!(matches!(read(envelope("agent_email.received", false)), Ok(Completed::Ignored(_))));
        let mut bare = sample();
        bare["is_test"] = json!(true);
        assert_eq!(read(bare.clone()), Ok(Completed::Ignored("test event")));
        bare["is_test"] = json!("true");
        assert!(matches!(read(bare), Ok(Completed::Answered(_))), "only true is true");
        let unnamed = json!({"event": sample()});
        assert_eq!(read(unnamed).unwrap_err().to_string(), "body.type: Field required");
        let odd = json!({"type": "human_contact.completed", "event": "x"});
        let error = read(odd).unwrap_err().to_string();
        assert_eq!(error, "body.event: Input should be a valid dictionary");
    }

    #[test]
    fn a_missing_field_is_named() {
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
