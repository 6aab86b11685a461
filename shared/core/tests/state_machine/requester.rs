//! The requester escalates or cancels an operation.

use placet_core::operation::{ContactChannel, EmailContact, Operation, Recipient, Refusal, State};
use serde_json::{Map, json};

use crate::case::Case;
use crate::commands::{answer, approve, cancel, escalate, expire, remind};
use crate::requests::{SECOND, call, plan, question, with_upstream};

#[test]
fn an_escalation_changes_only_the_history() {
    for new in [call(Some(plan(true))), question(), with_upstream(call(None))] {
        let mut case = Case::new(new);
        let (before, due) = (case.item.body.clone(), case.item.header.due);
        case.wait(SECOND).becomes(&escalate(), State::Pending);
        assert_eq!(case.item.header.due, due, "the deadline stays");
        let entry = case.item.history.entries().last().unwrap();
        assert_eq!((entry.event.as_str(), entry.by.to_string()), ("escalated", "api agent".into()));
        let detail = json!({"message": "still waiting", "recipients": ["boss@example.org"]});
        assert_eq!((&entry.detail, case.item.history.entries().len()), (&detail, 2));
        let history = before.history.clone();
        assert_eq!(Operation { history, ..case.item.body.clone() }, before);
    }
}

/// The history lists the recipients, which the page and the message show.
#[test]
fn an_escalation_also_notifies_the_recipients_of_the_operation() {
    let recipient = |address: &str| Recipient { address: address.to_owned(), other: Map::new() };
    let email = EmailContact {
        address: "own@example.org".to_owned(),
        additional_recipients: vec![recipient("boss@example.org"), recipient("more@example.org")],
        other: Map::new(),
    };
    let mut new = question();
    new.specification.channel =
        Some(ContactChannel { email: Some(email), ..ContactChannel::default() });
    let mut case = Case::new(new);
    case.becomes(&escalate(), State::Pending);
    let recipients = &case.item.history.entries().last().unwrap().detail["recipients"];
    assert_eq!(*recipients, json!(["own@example.org", "boss@example.org", "more@example.org"]));
}

#[test]
fn a_requester_can_escalate_at_most_ten_times() {
    let mut case = Case::new(question());
    for _ in 0..10 {
        case.wait(SECOND).becomes(&escalate(), State::Pending);
    }
    case.refuses(&escalate(), Refusal::EscalatedEnough);
    case.becomes(&answer(), State::Answered);
    case.refuses(&escalate(), Refusal::AlreadyDecided { state: State::Answered });
}

#[test]
fn a_cancelled_operation_cannot_be_decided() {
    for (new, verdict) in [(call(Some(plan(true))), approve()), (question(), answer())] {
        let mut case = Case::new(new);
        case.wait(SECOND).becomes(&cancel(), State::Cancelled);
        assert_eq!((&case.item.decision, &case.item.outcome), (&None, &None));
        let entry = case.item.history.entries().last().unwrap();
        assert_eq!((entry.event.as_str(), entry.by.to_string()), ("cancelled", "api agent".into()));
        assert_eq!(entry.detail, json!({"reason": "bought from another shop"}));
        for late in [verdict, cancel(), escalate()] {
            case.refuses(&late, Refusal::AlreadyDecided { state: State::Cancelled });
        }
        for command in [expire(), remind()] {
            case.refuses(&command, Refusal::NothingDue);
        }
    }
}

#[test]
fn an_approved_operation_cannot_be_cancelled() {
    for (mut case, state) in [
        (Case::queued(plan(true)), State::Queued),
        (Case::running(plan(true)), State::Running),
        (Case::unknown(), State::Unknown),
    ] {
        case.refuses(&cancel(), Refusal::AlreadyDecided { state });
        case.refuses(&escalate(), Refusal::AlreadyDecided { state });
    }
}
