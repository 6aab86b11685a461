//! Operations of the documented samples in every state, for tests of replies and webhooks.

use std::time::Duration;

use serde_json::{Value, json};

use super::create;
use crate::Timestamp;
use crate::item::{Item, Write};
use crate::operation::{
    Actor, Command, NewOperation, Operation, OperationId, OperationKind, Plan, Verdict,
};

/// The creation of every operation. The decision is 4 minutes and 10.5 seconds later.
pub(crate) const CREATED: Timestamp = Timestamp::from_millis(1_795_251_600_000);
pub(crate) const DECIDED: Timestamp = Timestamp::from_millis(1_795_251_850_500);
/// The deadline, an hour after the creation.
pub(crate) const DEADLINE: Timestamp = Timestamp::from_millis(1_795_255_200_000);

/// A pending operation that a client created with this `spec`.
pub(crate) fn created(kind: OperationKind, call_id: &str, spec: &Value) -> Item<Operation> {
    planned(kind, call_id, spec, None)
}

/// A pending operation with this `spec` and this plan.
pub(crate) fn planned(
    kind: OperationKind,
    call_id: &str,
    spec: &Value,
    plan: Option<Plan>,
) -> Item<Operation> {
    let body = json!({"run_id": "buyer-9", "call_id": call_id, "spec": spec});
    let create = create(kind, body.to_string().as_bytes()).unwrap();
    let new = NewOperation {
        plan,
        ..NewOperation::plain(
            OperationId::new("default", kind, call_id),
            create.run_id,
            create.specification,
            Duration::from_secs(3600),
            Actor::api("key-of-agent", "agent"),
        )
    };
    Operation::create(new, &Write::new("write-1", CREATED))
}

pub(crate) fn call() -> Item<Operation> {
    created(OperationKind::FunctionCall, "call-7Qx", &call_spec())
}

pub(crate) fn call_spec() -> Value {
    json!({"fn": "order_timber", "kwargs": {"planks": 12}, "state": {"ticket": 41}})
}

pub(crate) fn question() -> Item<Operation> {
    let spec = json!({"msg": "Oak or pine?", "state": {"ticket": 41}});
    created(OperationKind::HumanContact, "human_call-1a2b3c4d", &spec)
}

/// The operation after an approver decided in the inbox.
pub(crate) fn decided(
    item: &Item<Operation>,
    verdict: Verdict,
    comment: &str,
    option: Option<&str>,
) -> Item<Operation> {
    let command = Command::Decide {
        verdict,
        comment: comment.to_owned(),
        option: option.map(str::to_owned),
        by: Actor::LOCAL,
        seen: None,
        notify: Vec::new(),
    };
    after(item, &command, DECIDED)
}

pub(crate) fn approved() -> Item<Operation> {
    decided(&call(), Verdict::Approve, "", None)
}

pub(crate) fn denied() -> Item<Operation> {
    decided(&call(), Verdict::Deny, "too many", Some("fewer"))
}

pub(crate) fn answered() -> Item<Operation> {
    decided(&question(), Verdict::Answer, "oak", Some("oak"))
}

pub(crate) fn cancelled(item: &Item<Operation>, reason: &str) -> Item<Operation> {
    let (reason, by) = (reason.to_owned(), Actor::api("key-of-agent", "agent"));
    after(item, &Command::Cancel { reason, by, notify: Vec::new() }, DECIDED)
}

/// The operation after a worker recorded its expiry.
pub(crate) fn expired(item: &Item<Operation>) -> Item<Operation> {
    let command = Command::Expire { notify: Vec::new() };
    after(item, &command, DEADLINE.plus(Duration::from_secs(60)))
}

pub(crate) fn after(item: &Item<Operation>, command: &Command, at: Timestamp) -> Item<Operation> {
    let id = format!("write-{}", item.header.version + 1);
    item.apply(command, &Write::new(&id, at)).unwrap()
}

/// Decided, expired and cancelled operations.
pub(crate) fn all_decided() -> Vec<Item<Operation>> {
    let mut all = vec![approved(), denied(), answered()];
    for pending in [call(), question()] {
        all.extend([expired(&pending), cancelled(&pending, "rain"), cancelled(&pending, "")]);
    }
    all
}
