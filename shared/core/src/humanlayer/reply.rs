use serde_json::{Value, json};

use crate::{Operation, State, Timestamp, Verdict};

/// The `FunctionCall` object a client reads, as of `now`.
///
/// `status.approved` is absent while pending, never false; a denial always has a comment. An
/// expired call reads as denied, because clients poll until they see a decision.
pub fn function_call(operation: &Operation, now: Timestamp) -> Value {
    let mut spec = operation.extras.clone();
    spec.insert("fn".to_owned(), Value::from(operation.function.clone()));
    spec.insert("kwargs".to_owned(), operation.kwargs.clone());
    json!({
        "run_id": operation.run_id,
        "call_id": operation.call_id,
        "spec": spec,
        "status": status(operation, now),
    })
}

fn status(operation: &Operation, now: Timestamp) -> Value {
    let mut status = json!({"requested_at": operation.created_at.to_string()});
    if let Some(decision) = &operation.decision {
        status["responded_at"] = decision.at.to_string().into();
        status["approved"] = (decision.verdict == Verdict::Approve).into();
        status["comment"] = decision.comment.clone().into();
        status["reject_option_name"] = decision.option.clone().into();
        status["user_info"] = json!({"source": decision.by});
    } else if operation.state_at(now) == State::Expired {
        let deadline = operation.deadline.to_string();
        status["comment"] = format!("expired: nobody decided before {deadline}").into();
        status["responded_at"] = deadline.into();
        status["approved"] = false.into();
    }
    status
}
