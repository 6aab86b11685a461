//! Operations of the documented samples, in every stage, for the tests of what is read about them.

use std::time::Duration;

use serde_json::{Value, json};

use super::create;
use crate::{Command, Kind, NewOperation, Operation, Timestamp, Verdict, Write};

/// When everything is asked; it is decided four minutes and ten and a half seconds later.
pub(crate) const ASKED: Timestamp = Timestamp::from_millis(1_795_251_600_000);
pub(crate) const DECIDED: Timestamp = Timestamp::from_millis(1_795_251_850_500);
/// An hour after it was asked.
pub(crate) const DEADLINE: Timestamp = Timestamp::from_millis(1_795_255_200_000);

/// What a client asks with this `spec`.
pub(crate) fn asked(kind: Kind, call_id: &str, spec: &Value) -> Operation {
    let body = json!({"run_id": "buyer-9", "call_id": call_id, "spec": spec});
    let asked = create(kind, body.to_string().as_bytes()).unwrap();
    let new = NewOperation {
        tenant: "default".to_owned(),
        call_id: call_id.to_owned(),
        run_id: asked.run_id,
        content: asked.content,
        extras: asked.extras,
        plan: None,
        upstream: None,
        time_to_decide: Duration::from_secs(3600),
        by: "api".to_owned(),
    };
    Operation::create(new, "write-1", ASKED)
}

pub(crate) fn call() -> Operation {
    let spec = json!({"fn": "order_timber", "kwargs": {"planks": 12}, "state": {"ticket": 41}});
    asked(Kind::FunctionCall, "call-7Qx", &spec)
}

pub(crate) fn question() -> Operation {
    let spec = json!({"msg": "Oak or pine?", "state": {"ticket": 41}});
    asked(Kind::HumanContact, "human_call-1a2b3c4d", &spec)
}

/// The same after a person decided in the inbox.
pub(crate) fn decided(
    operation: &Operation,
    verdict: Verdict,
    comment: &str,
    option: Option<&str>,
) -> Operation {
    let (comment, option) = (comment.to_owned(), option.map(str::to_owned));
    let command = Command::Decide { verdict, comment, option, by: "inbox".to_owned(), seen: None };
    after(operation, &command, DECIDED)
}

pub(crate) fn approved() -> Operation {
    decided(&call(), Verdict::Approve, "", None)
}

pub(crate) fn denied() -> Operation {
    decided(&call(), Verdict::Deny, "too many", Some("fewer"))
}

pub(crate) fn answered() -> Operation {
    decided(&question(), Verdict::Answer, "oak", Some("oak"))
}

pub(crate) fn cancelled(operation: &Operation, reason: &str) -> Operation {
    let command = Command::Cancel { reason: reason.to_owned(), by: "api".to_owned() };
    after(operation, &command, DECIDED)
}

/// The same after the timer found it past its deadline.
pub(crate) fn expired(operation: &Operation) -> Operation {
    after(operation, &Command::Redrive, DEADLINE.plus(Duration::from_secs(60)))
}

pub(crate) fn after(operation: &Operation, command: &Command, at: Timestamp) -> Operation {
    let id = format!("write-{}", operation.version + 1);
    operation.apply(command, Write { id: &id, at, announce: None }).unwrap().operation
}

/// Everything that nobody can decide any more.
pub(crate) fn all_decided() -> Vec<Operation> {
    let mut all = vec![approved(), denied(), answered()];
    for pending in [call(), question()] {
        all.extend([expired(&pending), cancelled(&pending, "rain"), cancelled(&pending, "")]);
    }
    all
}
