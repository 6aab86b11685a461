use serde_json::{Map, Value, json};

use crate::{Content, Kind, Operation, State, Timestamp, Verdict};

/// The `FunctionCall` or `HumanContact` object a client reads, as of `now`.
///
/// While it is pending, `status.approved` and `status.response` are absent, never false or empty; a
/// denial always has a comment. What nobody will answer any more (expired, cancelled) reads as denied
/// or answered, with a text that says so, because clients poll until they see a decision.
pub fn item(operation: &Operation, now: Timestamp) -> Value {
    let mut item = create_body(operation);
    item["status"] = status(operation, now);
    item
}

/// The body with which an SDK asks for the same at another server. A `bot_token` is not in it, because
/// it is not kept.
pub fn create_body(operation: &Operation) -> Value {
    let mut spec = operation.extras.clone();
    match &operation.content {
        Content::Call { function, kwargs } => {
            spec.insert("fn".to_owned(), function.as_str().into());
            spec.insert("kwargs".to_owned(), kwargs.clone());
        }
        Content::Question { message, subject } => {
            spec.insert("msg".to_owned(), message.as_str().into());
            if let Some(subject) = subject {
                spec.insert("subject".to_owned(), subject.as_str().into());
            }
        }
    }
    json!({
        "run_id": operation.run_id,
        "call_id": operation.call_id,
        "spec": spec,
    })
}

fn status(operation: &Operation, now: Timestamp) -> Value {
    let mut status = Map::new();
    status.insert("requested_at".to_owned(), operation.created_at.to_string().into());
    if let Some(decision) = &operation.decision {
        let approved = decision.verdict == Verdict::Approve;
        let option = decision.option.as_deref();
        answer(&mut status, operation.kind(), approved, &decision.comment, option, decision.at);
        status.insert("user_info".to_owned(), json!({"source": decision.by}));
    } else if let Some((reason, at)) = ended_unanswered(operation, now) {
        answer(&mut status, operation.kind(), false, &reason, None, at);
        // So that another Placet does not take it for a person's answer.
        status.insert("unanswered".to_owned(), operation.state_at(now).as_str().into());
    }
    status.into()
}

fn answer(
    status: &mut Map<String, Value>,
    kind: Kind,
    approved: bool,
    words: &str,
    option: Option<&str>,
    at: Timestamp,
) {
    let mut set = |name: &str, value: Value| status.insert(name.to_owned(), value);
    set("responded_at", at.to_string().into());
    match kind {
        Kind::FunctionCall => {
            set("approved", approved.into());
            set("comment", words.into());
            set("reject_option_name", option.into());
        }
        Kind::HumanContact => {
            set("response", words.into());
            set("response_option_name", option.into());
        }
    }
}

/// Why nobody will answer any more, and since when.
fn ended_unanswered(operation: &Operation, now: Timestamp) -> Option<(String, Timestamp)> {
    match operation.state_at(now) {
        State::Expired => {
            let deadline = operation.deadline;
            Some((format!("expired: nobody answered before {deadline}"), deadline))
        }
        State::Cancelled => {
            let entry = operation.history.entries().iter().rev();
            let cancelled = entry.into_iter().find(|entry| entry.event == "cancelled")?;
            let reason = cancelled.detail["reason"].as_str().filter(|reason| !reason.is_empty());
            let reason = reason.unwrap_or("the asker does not want it any more");
            Some((format!("cancelled: {reason}"), cancelled.at))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests;
