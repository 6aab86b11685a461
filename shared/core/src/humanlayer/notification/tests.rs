use std::time::Duration;

use super::*;
use crate::Timestamp;
use crate::humanlayer::sample::{
    CREATED, DEADLINE, DECIDED, after, call, call_spec, decided, expired, planned, question,
};
use crate::humanlayer::{Completed, Format, Subscription, completed};
use crate::operation::{
    Actor, Command, Escalation, Failure, OperationKind, Plan, Report, Settlement, Verdict,
};

const PAGE: &str = "https://inbox.example/inbox/call-7Qx";

fn event(operation: &Item<Operation>, event: Event, at: Timestamp) -> Value {
    let occurrence = Occurrence { event, number: 1, at };
    let addresses = Addresses { page: Some(PAGE.to_owned()), link: None };
    let subscription = Subscription { format: Format::V1Beta2, kind: operation.kind(), event };
    let bytes = subscription.bytes(operation, &occurrence, &addresses);
    assert!(
        matches!(completed(&bytes), Ok(Completed::Ignored(_))),
        "no receiver takes it as a decision"
    );
    serde_json::from_slice(&bytes).unwrap()
}

/// A call with an executor that runs at most once, after its approval and its start.
fn running() -> Item<Operation> {
    let plan = Plan {
        executor: "function order_timber".to_owned(),
        idempotent: false,
        max_attempts: 3,
        retry_for: Duration::from_secs(3600),
        timeout: Duration::from_secs(30),
    };
    let kind = OperationKind::FunctionCall;
    let pending = planned(kind, "call-7Qx", &call_spec(), Some(plan.clone()));
    let queued = decided(&pending, Verdict::Approve, "", None);
    after(&queued, &Command::Start { plan: Some(plan), notify: Vec::new() }, DECIDED)
}

fn finished(report: Report) -> Item<Operation> {
    let finish = Command::Finish { attempt: 1, report, notify: Vec::new() };
    after(&running(), &finish, DECIDED)
}

fn timeout() -> Failure {
    Failure::new("timeout", "no answer within the timeout")
}

#[test]
fn a_request_has_what_the_requester_wrote_and_no_decision() {
    insta::assert_json_snapshot!(event(&call(), Event::Requested, CREATED), @r#"
    {
      "is_test": false,
      "type": "function_call.requested",
      "event": {
        "run_id": "buyer-9",
        "call_id": "call-7Qx",
        "spec": {
          "state": {
            "ticket": 41
          },
          "fn": "order_timber",
          "kwargs": {
            "planks": 12
          }
        },
        "status": {
          "requested_at": "2026-11-21T09:00:00.000Z"
        },
        "digest": "b37dbec4bcf37c5d787c1f032e5f15d2bb6db4828cb7abec5a46bd8a5132fa93",
        "deadline": "2026-11-21T10:00:00.000Z",
        "occurred_at": "2026-11-21T09:00:00.000Z",
        "number": 1,
        "page": "https://inbox.example/inbox/call-7Qx"
      }
    }
    "#);
    assert_eq!(event(&question(), Event::Requested, CREATED)["type"], "human_contact.requested");
}

#[test]
fn a_failure_has_its_code_and_its_message() {
    let failure = json!({"code": "timeout", "message": "no answer within the timeout"});
    for (report, kind) in
        [(Report::Rejected(timeout()), Event::Failed), (Report::Unclear(timeout()), Event::Unknown)]
    {
        let operation = finished(report);
        assert_eq!(event(&operation, kind, DECIDED)["event"]["failure"], failure, "{kind}");
    }
}

#[test]
fn a_settlement_as_not_happened_is_a_failure_with_the_comment() {
    let unknown = finished(Report::Unclear(timeout()));
    let settle = Command::Settle {
        settlement: Settlement::DidNotHappen,
        comment: "not in the ledger".to_owned(),
        by: Actor::api("key-of-ana", "ana"),
        seen: unknown.digest,
        attempt: 1,
        notify: Vec::new(),
    };
    let settled = after(&unknown, &settle, DECIDED);
    let failure = json!({"code": "settled", "message": "not in the ledger"});
    assert_eq!(event(&settled, Event::Failed, DECIDED)["event"]["failure"], failure);
}

#[test]
fn an_escalation_has_its_message_and_its_recipients() {
    let escalation = Escalation {
        message: "the saw stands still".to_owned(),
        recipients: vec!["boss@example.org".to_owned()],
        redirects: false,
    };
    let by = Actor::api("key-of-agent", "agent");
    let escalate = Command::Escalate { escalation, by, notify: Vec::new() };
    let escalated = after(&call(), &escalate, DECIDED);
    let expected = json!({"message": "the saw stands still", "recipients": ["boss@example.org"]});
    assert_eq!(event(&escalated, Event::Escalated, DECIDED)["event"]["escalation"], expected);
}

#[test]
fn a_reminder_names_what_the_operation_waits_for() {
    let unknown = finished(Report::Unclear(timeout()));
    let waits_for = |operation: &Item<Operation>, at: Timestamp| -> Value {
        event(operation, Event::Reminded, at)["event"]["waits_for"].clone()
    };
    assert_eq!(waits_for(&call(), CREATED), "decision");
    assert_eq!(waits_for(&unknown, CREATED), "decision", "the reminder was before the decision");
    assert_eq!(waits_for(&unknown, DECIDED), "settlement");
}

/// A retry after the decision sends the bytes of the first attempt.
#[test]
fn an_event_does_not_change_with_the_operation() {
    let (pending, decided) = (call(), decided(&call(), Verdict::Deny, "too many", None));
    let late = expired(&call());
    for kind in [Event::Requested, Event::Reminded] {
        assert_eq!(event(&pending, kind, CREATED), event(&decided, kind, CREATED), "{kind}");
        assert_eq!(event(&pending, kind, CREATED), event(&late, kind, CREATED), "{kind}");
    }
    let failed = finished(Report::Rejected(timeout()));
    let again = Command::Settle {
        settlement: Settlement::RunAgain,
        comment: String::new(),
        by: Actor::api("key-of-ana", "ana"),
        seen: failed.digest,
        attempt: 1,
        notify: Vec::new(),
    };
    let again = after(&failed, &again, DEADLINE);
    assert_eq!(event(&failed, Event::Failed, DECIDED), event(&again, Event::Failed, DECIDED));
}
