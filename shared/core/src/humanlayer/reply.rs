use serde_json::{Map, Value, json};

use super::spec::options_member;
use crate::Timestamp;
use crate::item::Item;
use crate::operation::{Content, Operation, OperationKind, State, Verdict};

/// The `FunctionCall` or `HumanContact` object that a client reads, at `now`.
///
/// While the operation is pending, `status.approved` and `status.response` are absent, never false or
/// empty. A denial always has a comment. An expired or cancelled operation is reported as denied or
/// answered, with a text that gives the reason, because clients poll until they see a decision.
pub fn item(operation: &Item<Operation>, now: Timestamp) -> Value {
    let mut item = create_body(operation);
    item["status"] = status(operation, now);
    item
}

/// The body with which an SDK would create the same operation at another server. The body has no
/// `bot_token`, because Placet does not store it.
pub fn create_body(operation: &Item<Operation>) -> Value {
    let mut spec = operation.other.clone();
    if let Some(channel) = &operation.channel {
        spec.insert("channel".to_owned(), json!(channel));
    }
    if let Some(state) = &operation.requester_state {
        spec.insert("state".to_owned(), state.clone().into());
    }
    if !operation.options.is_empty() {
        spec.insert(options_member(operation.kind()).to_owned(), json!(operation.options));
    }
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
        "call_id": operation.call_id(),
        "spec": spec,
    })
}

fn status(operation: &Item<Operation>, now: Timestamp) -> Value {
    let mut status = Map::new();
    status.insert("requested_at".to_owned(), operation.header.created_at.to_string().into());
    if let Some(decision) = &operation.decision {
        let approved = decision.verdict == Verdict::Approve;
        let option = decision.option.as_deref();
        answer(&mut status, operation.kind(), approved, &decision.comment, option, decision.at);
        status.insert("user_info".to_owned(), json!({"source": decision.by.to_string()}));
    } else if let Some((reason, at)) = ended_unanswered(operation, now) {
        answer(&mut status, operation.kind(), false, &reason, None, at);
        // Tells another Placet that no person answered.
        status.insert("unanswered".to_owned(), operation.state_at(now).as_str().into());
    }
    status.into()
}

fn answer(
    status: &mut Map<String, Value>,
    kind: OperationKind,
    approved: bool,
    words: &str,
    option: Option<&str>,
    at: Timestamp,
) {
    let mut set = |name: &str, value: Value| status.insert(name.to_owned(), value);
    set("responded_at", at.to_string().into());
    match kind {
        OperationKind::FunctionCall => {
            set("approved", approved.into());
            set("comment", words.into());
            set("reject_option_name", option.into());
        }
        OperationKind::HumanContact => {
            set("response", words.into());
            set("response_option_name", option.into());
        }
    }
}

/// The reason and the time of an end without a decision; `None` for any other state.
fn ended_unanswered(operation: &Item<Operation>, now: Timestamp) -> Option<(String, Timestamp)> {
    match operation.state_at(now) {
        State::Expired => {
            let deadline = operation.deadline;
            Some((format!("expired: nobody answered before {deadline}"), deadline))
        }
        State::Cancelled => {
            let cancelled = operation.history.of("cancelled").next_back()?;
            let reason = cancelled.detail["reason"].as_str().filter(|reason| !reason.is_empty());
            let reason = reason.unwrap_or("the requester withdrew it");
            Some((format!("cancelled: {reason}"), cancelled.at))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests;
