//! Operations and mails of the tests.

use std::time::Duration;

use placet_core::Timestamp;
use placet_core::humanlayer;
use placet_core::item::{Item, Write};
use placet_core::operation::{
    Actor, Decision, EmailContact, Event, Failure, NewOperation, Operation, OperationId,
    OperationKind, Outcome, Verdict,
};
use placet_runtime::config::Sender;
use serde_json::{Value, json};

use super::{Mail, Notification, Recipients, Thread};

/// Fri 20 Nov 2026, 09:00 UTC.
pub(super) const NOW: Timestamp = Timestamp::from_millis(1_795_165_200_000);

pub(super) const PAGE: &str = "https://inbox.example.com/d/token";

/// A call that a HumanLayer client requested with this specification, with four hours to decide.
pub(super) fn call(spec: Value) -> Item<Operation> {
    requested(OperationKind::FunctionCall, spec)
}

/// As [`call`], a question.
pub(super) fn question(spec: Value) -> Item<Operation> {
    requested(OperationKind::HumanContact, spec)
}

fn requested(kind: OperationKind, spec: Value) -> Item<Operation> {
    let body = json!({"run_id": "run-7", "call_id": "call-1", "spec": spec}).to_string();
    let create = humanlayer::create(kind, body.as_bytes()).unwrap();
    let new = NewOperation::plain(
        OperationId::new("default", kind, "call-1"),
        create.run_id,
        create.specification,
        Duration::from_secs(4 * 3600),
        Actor::api("key-of-agent", "agent"),
    );
    Operation::create(new, &Write::new("write-1", NOW))
}

/// The operation with this decision, a minute after its request.
pub(super) fn decided(item: &Item<Operation>, verdict: Verdict, comment: &str) -> Item<Operation> {
    let mut item = item.clone();
    item.body.decision = Some(Decision {
        verdict,
        comment: comment.to_owned(),
        option: None,
        by: Actor::LOCAL,
        at: NOW.plus(Duration::from_secs(60)),
        digest: item.body.digest,
    });
    item
}

/// The operation with this reason why there is no result.
pub(super) fn with_failure(item: &Item<Operation>, message: &str) -> Item<Operation> {
    let mut item = item.clone();
    item.body.outcome = Some(Outcome::Failure(Failure::new("rejected", message)));
    item
}

/// The channel by e-mail of an operation.
pub(super) fn contact(operation: &Item<Operation>) -> Option<&EmailContact> {
    operation.channel.as_ref()?.email.as_ref()
}

/// The notification of a person who may decide.
pub(super) fn notification(event: Event, operation: &Item<Operation>) -> Notification<'_> {
    Notification {
        event,
        operation,
        contact: contact(operation),
        page: PAGE,
        inbox: PAGE,
        may_decide: true,
        own_template: true,
    }
}

pub(super) fn sender() -> Sender {
    Sender::try_from("Placet <approvals@example.com>".to_owned()).unwrap()
}

/// A short mail to one person.
pub(super) fn mail() -> Mail {
    Mail {
        id: "msg_1".to_owned(),
        at: NOW,
        recipients: Recipients::one("ann@example.org"),
        thread: Thread::default(),
        subject: "Approve order?".to_owned(),
        text: "Decide.\n".to_owned(),
        html: "<p>Decide.</p>\n".to_owned(),
    }
}
